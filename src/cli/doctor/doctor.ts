/** `cygnet doctor`: is this machine fit for the gateway, and the gateway for its partners. Changes nothing. */
import type { Status } from "../../admin/status.ts";
import { inspectCatalog } from "../../catalog/inspect.ts";
import { load } from "../../config/load.ts";
import { placesOf } from "../../config/places.ts";
import { formatProblem } from "../../config/problem.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { judge } from "../check.ts";
import { ask, NotRunning } from "../client.ts";
import { type CommonOptions, configFile, Failed, print, printJson } from "../context.ts";
import { checkCatalog, checkWork } from "./catalog.ts";
import { checkCertificates } from "./certificates.ts";
import { checkClock } from "./clock.ts";
import { checkDisks } from "./disk.ts";
import { type Check, type Finding, finding, type Scene } from "./finding.ts";
import { checkMachine } from "./machine.ts";
import { checkPartners } from "./partners.ts";
import { checkPermissions } from "./permissions.ts";
import { checkPorts } from "./ports.ts";

const CHECKS: readonly Check[] = [
  ...[checkMachine, checkClock, checkDisks, checkPermissions, checkCatalog, checkWork],
  ...[checkPorts, checkCertificates, checkPartners],
];
const MARKS = { ok: "ok  ", warn: "WARN", fail: "FAIL" } as const;

export async function doctor(options: CommonOptions & { deep?: boolean }): Promise<void> {
  const findings: Finding[] = [];
  const scene = await lookAround(options, findings);
  for (const check of CHECKS) {
    const found = await check(scene).catch((error: unknown) => [
      finding(
        "doctor",
        "warn",
        `a check broke off: ${describe(error)}`,
        "Run it as root or as the gateway's user.",
      ),
    ]);
    findings.push(...found);
  }
  const count = (level: string) => findings.filter((one) => one.level === level).length;
  const [fails, warnings] = [count("fail"), count("warn")];
  if (options.json) printJson({ ok: fails === 0, fails, warnings, findings });
  else {
    for (const { check, level, text, action } of findings) {
      print(`${MARKS[level]}  ${check.padEnd(12)}  ${text}`);
      if (action !== "") print(`${" ".repeat(20)}-> ${action}`);
    }
  }
  if (fails === 0) return;
  throw new Failed(options.json ? "" : `${fails} of ${findings.length} checks failed`);
}

/** What the checks look at; what hinders that is a finding of its own. */
async function lookAround(options: CommonOptions & { deep?: boolean }, findings: Finding[]): Promise<Scene> {
  const file = configFile(options);
  const [result, places] = await Promise.all([load(file), placesOf(file)]);
  const { problems, warnings } = await judge(file, result);
  if (problems.length > 0) {
    for (const problem of problems) {
      findings.push(
        finding("config", "fail", formatProblem(problem), "Correct it; cygnet check shows the same."),
      );
    }
  } else if ("configuration" in result) {
    const { cftpart, files } = result.configuration;
    findings.push(finding("config", "ok", `${file}: ${cftpart.size} partners in ${files.length} files`));
  }
  for (const problem of warnings) {
    findings.push(finding("config", "warn", formatProblem(problem), "Change it, or keep it knowingly."));
  }
  const status = await ask<Status>(places.socket, "GET", "/status").catch((error: unknown) => {
    if (error instanceof NotRunning) findings.push(finding("gateway", "ok", "none is running"));
    else
      findings.push(
        finding("gateway", "warn", describe(error), "Run the doctor as root or as the gateway's user."),
      );
    return null;
  });
  if (status) {
    const { pid, generation } = status;
    const rejected = generation.rejected.length > 0;
    const text = `running, process ${pid}, generation ${generation.number}`;
    findings.push(
      rejected
        ? finding(
            "gateway",
            "warn",
            `${text}; the last reload was rejected: ${generation.rejected[0]}`,
            "cygnet check, correct, save.",
          )
        : finding("gateway", "ok", text),
    );
  }
  return {
    ...{ file, places, status },
    configuration: "configuration" in result ? result.configuration : null,
    catalog: inspect(places.catalog, findings),
    deep: options.deep ?? false,
  };
}

function inspect(path: string, findings: Finding[]): Scene["catalog"] {
  try {
    return inspectCatalog(path);
  } catch (error) {
    const absent = error instanceof CygnetError && error.code === "CYG_CATALOG_OPEN";
    findings.push(
      absent
        ? finding("catalog", "ok", `${path} is not there yet, or not to be opened by this user`)
        : finding("catalog", "fail", describe(error), "Keep a copy of it, then restore the newest backup."),
    );
    return null;
  }
}
