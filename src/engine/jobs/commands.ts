/** The commands of the gateway that jobs can carry out. */
import { resolve } from "node:path";
import type { BuiltIn } from "../../config/builtin.ts";
import { CygnetError } from "../../platform/errors.ts";
import { isSeveral, pathOf } from "../generic/files.ts";
import { submitFile } from "../requests.ts";
import type { Site } from "../site.ts";

/** What a job needs of the gateway around the site. */
export interface Commands {
  /** Calls a partner; why not, where it cannot be called. */
  poll(part: string): string | undefined;
  reload(cause: string): Promise<{ accepted: boolean; reasons?: readonly string[] }>;
  /** Deletes ended records as their retention says; how many. */
  purge(): Promise<number>;
}

/** As all names of data: relative to rundir; the sign of several files stays in front. */
function placeOf({ configuration }: Site, file: string): string {
  const sign = isSeveral(file) ? file.charAt(0) : "";
  return sign + resolve(configuration.cftparm.rundir, pathOf(file));
}

/**
 * Carries a command out and says in words what came of it.
 * @throws CygnetError when it could not be done
 */
export async function carryOut(
  site: Site,
  commands: Commands,
  id: string,
  command: BuiltIn,
): Promise<string> {
  switch (command.name) {
    case "send": {
      const { name: _, file, ...request } = command;
      const what = file === undefined ? request : { ...request, file: placeOf(site, file) };
      const { idtu } = await submitFile(site, what, `job ${id}`);
      return `sends ${idtu}`;
    }
    case "recv": {
      const why = commands.poll(command.part);
      if (why !== undefined) throw new CygnetError("CYG_JOB_CALL", `${command.part} is not called: ${why}`);
      return `calls ${command.part}`;
    }
    case "reload": {
      const { accepted, reasons = [] } = await commands.reload(`job ${id}`);
      if (!accepted) throw new CygnetError("CYG_JOB_RELOAD", `not accepted: ${reasons.join("; ")}`);
      return "configuration read";
    }
    case "purge":
      return `${await commands.purge()} records deleted`;
  }
}
