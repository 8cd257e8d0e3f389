/** `cygnet check`: is the configuration good, and what would it change. */
import { type Change, renderPlan } from "../config/diff.ts";
import { load } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { ask } from "./client.ts";
import { type CommonOptions, configFile, Failed, places, print, printJson } from "./context.ts";

interface Preview {
  problems: string[];
  plan: Change[];
}

export async function check(options: CommonOptions & { plan?: boolean }): Promise<void> {
  const file = configFile(options);
  const result = await load(file);
  const problems = "problems" in result ? result.problems : [];
  const ok = problems.length === 0;
  let plan: Change[] | undefined;
  if (ok && options.plan) {
    plan = (await ask<Preview>((await places(options)).socket, "POST", "/plan")).plan;
  }
  if (options.json) {
    printJson({ ok, problems, warnings: result.warnings, ...(plan ? { plan } : {}) });
    if (!ok) throw new Failed("", 2);
    return;
  }
  for (const warning of result.warnings) console.error(`warning: ${formatProblem(warning)}`);
  for (const problem of problems) console.error(formatProblem(problem));
  if (!ok) {
    const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
    throw new Failed(`${count} in the configuration`, 2);
  }
  if ("configuration" in result) {
    const { cftpart, cftprot, cftfolder, files } = result.configuration;
    const counts = `${cftpart.size} partners, ${cftprot.size} protocols, ${cftfolder.size} folders`;
    print(`${file} is good: ${counts} in ${files.length} files`);
  }
  if (plan) print(plan.length === 0 ? "nothing would change" : renderPlan(plan).join("\n"));
}
