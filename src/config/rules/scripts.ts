import { accessSync, constants, statSync } from "node:fs";
import { commandOf, NO_SCRIPT, wordsOf } from "../command.ts";
import type { Entry } from "../sources.ts";
import { SCRIPT_VARIABLES } from "../variables.ts";
import { checkTemplate } from "./flows.ts";
import type { Scene } from "./scene.ts";

const KEYS: Readonly<Record<string, readonly string[]>> = {
  cftparm: ["execsf", "execrf", "execsfa", "execse", "execre"],
  cftsend: ["preexec", "exec", "ackexec", "exece"],
  cftrecv: ["exec", "exece"],
};

/** Scripts can be started, their variables exist, and a response that a script gives has a script. */
export function checkScripts(scene: Scene): void {
  for (const entry of scene.sources.entries) {
    for (const key of KEYS[entry.table] ?? []) checkCommand(scene, entry, key, SCRIPT_VARIABLES);
  }
  checkForwarding(scene);
  const fallback = scene.tree.cftparm?.execrf ?? "";
  for (const { entry, value } of scene.list("cftrecv")) {
    if (value.ackmode !== "script" || value.exec === undefined) continue;
    const script = commandOf(value.exec, "/") ?? commandOf(fallback, "/") ?? [];
    if (script.length > 0) continue;
    const message =
      'a script is to decide, and there is none; example: exec = ["scripts/check.sh", "&FNAME"]';
    scene.findings.problem(entry, { key: "ackmode" }, "CYG_CONFIG_REQUIRED", message);
  }
}

/** Where a script says what is forwarded (COMMUT = SERVER) there is one, or an operator says it for every file. */
function checkForwarding(scene: Scene): void {
  const scripts = scene.list("cftrecv").map(({ value }) => value.exec ?? "");
  if ([...scripts, scene.tree.cftparm?.execrf ?? ""].some((written) => commandOf(written, "/")?.length))
    return;
  for (const { entry, value } of scene.list("cftpart")) {
    if (value.commut !== "server") continue;
    const message =
      'no receive script says what is forwarded: each file waits for "cygnet end IDTU"; example: [cftparm] execrf = ["scripts/forward.sh", "&SPART", "&RPART"]';
    scene.findings.warning(entry, { key: "commut" }, "CYG_CONFIG_ADVICE", message);
  }
}

/** A program that can be started, and arguments whose variables exist. */
export function checkCommand(scene: Scene, entry: Entry, key: string, variables: readonly string[]): void {
  const written = entry.value[key] as string | string[] | undefined;
  if (written === undefined) return;
  const [program = "", ...rest] = wordsOf(written);
  const wrong = (message: string) =>
    scene.findings.problem(
      entry,
      { key },
      "CYG_CONFIG_VALUE",
      `${message}; example: ${key} = ["scripts/do.sh", "&IDTU"]`,
    );
  if (program === "" && written !== "") return wrong("a program must be named");
  if (program === NO_SCRIPT && rest.length > 0) return wrong(`"${NO_SCRIPT}" stands alone`);
  if (program === "" || program === NO_SCRIPT) return;
  // what comes from a partner must not choose what runs
  if (program.includes("&")) return wrong("variables are for arguments, not for the program");
  if ([program, ...rest].some((word) => word.includes("\0")))
    return wrong("NUL is no character for a command");
  for (const word of rest) {
    const one: Entry = { ...entry, value: { ...entry.value, [key]: word } };
    if (!checkTemplate(scene, one, key, variables)) return;
  }
  const [path = ""] = commandOf(written, scene.sources.directory) ?? [];
  const fault = path.includes("/") ? unusable(path) : undefined;
  if (fault !== undefined) {
    const message = `${path} ${fault}; until then what needs it stops (state K, DIAGI 155)`;
    scene.findings.warning(entry, { key }, "CYG_CONFIG_ADVICE", message);
  }
}

function unusable(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return "is no file";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "does not exist"
      : `cannot be run by this user; chmod +x ${path} may help`;
  }
}
