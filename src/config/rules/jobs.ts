import { describe } from "../../platform/errors.ts";
import { type BuiltIn, builtInOf } from "../builtin.ts";
import { wordsOf } from "../command.ts";
import { didYouMean } from "../suggestion.ts";
import { JOB_VARIABLES } from "../variables.ts";
import { checkTemplate } from "./flows.ts";
import type { Scene } from "./scene.ts";
import { checkCommand } from "./scripts.ts";

/** What a job runs exists: its program, or its command with the partner that it names. */
export function checkJobs(scene: Scene): void {
  for (const { entry, value } of scene.list("cftcron")) {
    if (value.exec === undefined || value.type === undefined) continue;
    if (value.type === "exec") {
      checkCommand(scene, entry, "exec", JOB_VARIABLES);
      continue;
    }
    const words = wordsOf(value.exec);
    const fits = words.every((word) =>
      checkTemplate(scene, { ...entry, value: { ...entry.value, exec: word } }, "exec", JOB_VARIABLES),
    );
    if (!fits) continue;
    const wrong = (message: string) =>
      scene.findings.problem(entry, { key: "exec" }, "CYG_CONFIG_VALUE", message);
    let command: BuiltIn;
    try {
      command = builtInOf(words);
    } catch (error) {
      wrong(describe(error));
      continue;
    }
    if (!("part" in command) || command.part.includes("&")) continue;
    const known = scene.ids("cftpart");
    if (known.includes(command.part)) continue;
    const choice = known.length > 0 ? `known are ${known.join(", ")}` : "there is no [[cftpart]] yet";
    wrong(`there is no cftpart "${command.part}"${didYouMean(command.part, known)}; ${choice}`);
  }
}
