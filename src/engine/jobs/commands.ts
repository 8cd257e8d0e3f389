/** The commands of the gateway that jobs can carry out. */
import { isAbsolute, join } from "node:path";
import type { BuiltIn } from "../../config/builtin.ts";
import { CygnetError } from "../../platform/errors.ts";
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
      // as all names of data: relative to rundir
      const path = isAbsolute(file) ? file : join(site.configuration.cftparm.rundir, file);
      const { idtu } = await submitFile(site, { ...request, file: path }, `job ${id}`);
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
