/** `cygnet check`: is the configuration good, and what would it change. */
import { type Change, renderPlan } from "../config/diff.ts";
import { load, missingKeyFiles } from "../config/load.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import { ask } from "./client.ts";
import { type CommonOptions, configFile, Failed, places, print, printJson } from "./context.ts";

interface Preview {
  problems: string[];
  plan: Change[];
}

export async function check(options: CommonOptions & { plan?: boolean }): Promise<void> {
  const file = configFile(options);
  const result = await load(file);
  const { problems, warnings } = await judge(file, result);
  const ok = problems.length === 0;
  let plan: Change[] | undefined;
  if ("configuration" in result && options.plan) {
    plan = (await ask<Preview>((await places(options)).socket, "POST", "/plan")).plan;
  }
  if (options.json) {
    printJson({ ok, problems, warnings, ...(plan ? { plan } : {}) });
    if (!ok) throw new Failed("", 2);
    return;
  }
  for (const warning of warnings) console.error(`warning: ${formatProblem(warning)}`);
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
  if (ok && !("configuration" in result)) print(`${file} is good, once its keys are made`);
  if (plan) print(plan.length === 0 ? "nothing would change" : renderPlan(plan).join("\n"));
}

/** Keys and certificates under rundir that are not there yet are no error: the first start makes them. */
export async function judge(
  file: string,
  result: Awaited<ReturnType<typeof load>>,
): Promise<{ problems: Problem[]; warnings: Problem[] }> {
  if (!("problems" in result)) return { problems: [], warnings: result.warnings };
  const files = (await missingKeyFiles(file)).flatMap((missing) => [missing.file, missing.key]);
  const made = (problem: Problem) =>
    problem.code === "CYG_CONFIG_FILE_MISSING" &&
    files.some((path) => problem.message.startsWith(`${path}:`));
  const notes = result.problems.filter(made).map((problem) => ({
    ...problem,
    message: problem.message.replace(/there is no such file.*/, "is made at the first start"),
  }));
  return {
    problems: result.problems.filter((problem) => !made(problem)),
    warnings: [...result.warnings, ...notes],
  };
}
