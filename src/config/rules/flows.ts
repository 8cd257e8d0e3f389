import { describe } from "../../platform/errors.ts";
import type { Cftsend } from "../generated.ts";
import type { Entry } from "../sources.ts";
import { didYouMean } from "../suggestion.ts";
import { variablesIn } from "../symbols.ts";
import { RECEIVE_VARIABLES, SEND_VARIABLES } from "../variables.ts";
import { checkSecurity } from "./partners.ts";
import type { Loose, Scene } from "./scene.ts";

/** Characters of a virtual file dataset name, RFC 5024 appendix B; the `_` of reserved names is left to them. */
const DSN = /^[0-9A-Z&()./-]{1,26}$/;

/** Templates of file names use variables that exist, and literal names fit the protocol. */
export function checkFlows(scene: Scene): void {
  for (const { entry, value } of scene.list("cftsend")) {
    checkSecurity(scene, entry, "flow");
    checkRecords(scene, entry, value);
    if (value.nfname === undefined || !checkTemplate(scene, entry, "nfname", SEND_VARIABLES)) continue;
    if (value.nfname.includes("&") || DSN.test(value.nfname)) continue;
    const found = value.nfname.length > 26 ? `${value.nfname.length} characters` : `"${value.nfname}"`;
    const message = `found ${found}; allowed: at most 26 characters of digits, A-Z and & ( ) - . /; example: nfname = "INVOIC.&FROOT"`;
    scene.findings.problem(entry, { key: "nfname" }, "CYG_CONFIG_VALUE", message);
  }
  for (const { entry, value } of scene.list("cftrecv")) {
    if (value.fname !== undefined) checkTemplate(scene, entry, "fname", RECEIVE_VARIABLES);
  }
}

/** Record length and local form belong to the record format. */
function checkRecords(scene: Scene, entry: Entry, flow: Loose<Cftsend>): void {
  const { frecfm = "U", flrecl = 0, ftype, fcode } = flow;
  const wrong = (key: string, message: string) =>
    scene.findings.problem(entry, { key }, "CYG_CONFIG_VALUE", message);
  const records = frecfm === "F" || frecfm === "V";
  if (records && flrecl === 0) {
    wrong(
      entry.written.has("flrecl") ? "flrecl" : "frecfm",
      `format ${frecfm} needs a record length; example: flrecl = 80`,
    );
  } else if (!records && flrecl > 0) {
    wrong("flrecl", `found ${flrecl}; allowed: 0 with frecfm "${frecfm}", which has no records`);
  } else if (frecfm === "V" && ftype === "V" && flrecl > 65_535) {
    wrong("flrecl", `found ${flrecl}; allowed: at most 65535 with ftype "V", whose lengths have two octets`);
  }
  if (fcode === "ascii" && frecfm !== "T") {
    wrong("fcode", 'found "ascii"; allowed: only with frecfm = "T", whose lines end in CR LF on the line');
  }
}

/** Names the variables of a template that are not there; false when it cannot be used. */
export function checkTemplate(scene: Scene, entry: Entry, key: string, known: readonly string[]): boolean {
  let names: string[];
  try {
    names = variablesIn(String(entry.value[key])).map(({ name }) => name);
  } catch (error) {
    const message = `${describe(error)}; example: ${key} = "${key === "fname" ? "inbox/&PART/&NFNAME" : "INVOIC.&FROOT"}"`;
    scene.findings.problem(entry, { key }, "CYG_CONFIG_SYMBOL", message);
    return false;
  }
  const strange = [...new Set(names)].filter((name) => !known.includes(name));
  for (const name of strange) {
    const choice = known.map((one) => `&${one}`).join(" ");
    const message = `there is no variable &${name} here${didYouMean(name, known)}; known are ${choice}`;
    scene.findings.problem(entry, { key }, "CYG_CONFIG_SYMBOL", message);
  }
  return strange.length === 0;
}
