import { isAbsolute, relative, resolve } from "node:path";
import { describe } from "../../platform/errors.ts";
import { whereIs } from "../findings.ts";
import type { Cftrecv, Cftsend } from "../generated.ts";
import type { Entry } from "../sources.ts";
import { didYouMean } from "../suggestion.ts";
import { variablesIn } from "../symbols.ts";
import { FLOW_VARIABLES, RECEIVE_VARIABLES, SEND_VARIABLES } from "../variables.ts";
import { checkActions } from "./actions.ts";
import { checkSecurity } from "./partners.ts";
import type { Loose, Scene } from "./scene.ts";

/** Characters of a virtual file dataset name, RFC 5024 appendix B; the `_` of reserved names is left to them. */
const DSN = /^[0-9A-Z&()./-]{1,26}$/;

/** Templates of file names use variables that exist, and literal names fit the protocol. */
export function checkFlows(scene: Scene): void {
  checkReserved(scene);
  checkMappings(scene);
  for (const { entry, value } of scene.list("cftsend")) {
    checkSecurity(scene, entry, "flow");
    checkRecords(scene, entry, value);
    checkActions(scene, entry, value);
    if (value.duplicat) checkTemplate(scene, entry, "duplicat", SEND_VARIABLES);
    if (value.nfname === undefined || !checkTemplate(scene, entry, "nfname", SEND_VARIABLES)) continue;
    if (value.nfname.includes("&") || DSN.test(value.nfname)) continue;
    const found = value.nfname.length > 26 ? `${value.nfname.length} characters` : `"${value.nfname}"`;
    const message = `found ${found}; allowed: at most 26 characters of digits, A-Z and & ( ) - . /; example: nfname = "INVOIC.&FROOT"`;
    scene.findings.problem(entry, { key: "nfname" }, "CYG_CONFIG_VALUE", message);
  }
  for (const { entry, value } of scene.list("cftrecv")) {
    if (value.fname !== undefined) checkTemplate(scene, entry, "fname", RECEIVE_VARIABLES);
    checkPlace(scene, entry, value);
    checkDemands(scene, entry, value);
    if (value.fdisp === "new" && value.faction) {
      const message = 'has no effect with fdisp = "new", which refuses every name that is taken';
      scene.findings.warning(entry, { key: "faction" }, "CYG_CONFIG_ADVICE", message);
    }
  }
  for (const { entry, value } of scene.list("cftprot")) {
    if (value.idf) checkTemplate(scene, entry, "idf", FLOW_VARIABLES);
  }
}

/** What `fname` says by itself lies in the working directory that the flow names. */
function checkPlace(scene: Scene, entry: Entry, { fname, workingdir }: Loose<Cftrecv>): void {
  if (!workingdir || fname === undefined) return;
  const [literal = ""] = fname.split("&");
  const root = scene.runtimePath(workingdir);
  const way = relative(root, resolve(root, literal));
  if (!way.startsWith("..") && !isAbsolute(way)) return;
  const message = `"${fname}" leaves workingdir, ${root}, to which it is relative; example: fname = "&PART/&NFNAME"`;
  scene.findings.problem(entry, { key: "fname" }, "CYG_CONFIG_VALUE", message);
}

/** What files must be like is demanded as a whole, or not at all. */
function checkDemands(scene: Scene, entry: Entry, flow: Loose<Cftrecv>): void {
  const { fcheck = false, frecfm = "U", flrecl = 0 } = flow;
  const records = frecfm === "F" || frecfm === "V";
  if (!fcheck) {
    const [key] = ["frecfm", "flrecl"].filter((name) => entry.written.has(name));
    const message = "has no effect without fcheck = true: files of any format are taken";
    if (key) scene.findings.warning(entry, { key }, "CYG_CONFIG_ADVICE", message);
  } else if (records && flrecl === 0) {
    const message = `format ${frecfm} needs a record length; example: flrecl = 80`;
    scene.findings.problem(entry, { key: "fcheck" }, "CYG_CONFIG_VALUE", message);
  } else if (!records && flrecl > 0) {
    const message = `found ${flrecl}; allowed: 0 with frecfm "${frecfm}", which has no records`;
    scene.findings.problem(entry, { key: "flrecl" }, "CYG_CONFIG_VALUE", message);
  }
}

/** Name of the flow of files that only pass through. */
const RELAYED = "COMMUT";

/** What passes through is forwarded as it is: no flow of this name would ever act on it. */
function checkReserved(scene: Scene): void {
  for (const table of ["cftsend", "cftrecv", "cftidf"] as const) {
    for (const { entry, value } of scene.list(table)) {
      if (value.id !== RELAYED) continue;
      const message = `"${RELAYED}" is the flow of files that are forwarded untouched; choose another id`;
      scene.findings.problem(entry, { key: "id" }, "CYG_CONFIG_VALUE", message);
    }
  }
}

/** Each name on the line stands for one flow of a partner, and names a flow that exists. */
function checkMappings(scene: Scene): void {
  const seen = new Map<string, Entry>();
  for (const { entry, value } of scene.list("cftidf")) {
    const { id, part = "", type = "recv", nidf } = value;
    if (id === undefined || nidf === undefined) continue;
    const flows = scene.ids(type === "send" ? "cftsend" : "cftrecv");
    const known = [...flows, scene.tree.cftparm?.default ?? "DEFAULT"];
    if (!known.includes(id)) {
      const table = type === "send" ? "cftsend" : "cftrecv";
      const message = `there is no ${table} "${id}"${didYouMean(id, known)}; known are ${[...new Set(known)].join(", ")}`;
      scene.findings.problem(entry, { key: "id" }, "CYG_CONFIG_REFERENCE", message);
    }
    if (type === "send" && /[*?]/.test(nidf)) {
      const message = `found "${nidf}"; allowed: one name, without * and ?, because files are sent under it; example: nidf = "INVOICES"`;
      scene.findings.problem(entry, { key: "nidf" }, "CYG_CONFIG_VALUE", message);
    }
    const key = type === "send" ? `send ${part} ${id}` : `recv ${part} ${nidf}`;
    const first = seen.get(key);
    if (first) {
      const message = `${whereIs(first)} says already what ${type === "send" ? `flow ${id} is called` : `"${nidf}" stands for`}; one of both must go`;
      scene.findings.problem(entry, { key: "nidf" }, "CYG_CONFIG_DUPLICATE", message);
    } else seen.set(key, entry);
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

/** Examples for those who got a template wrong. */
const TEMPLATES: Record<string, string> = {
  fname: "inbox/&PART/&NFNAME",
  archivefname: "archive/&PART/&SFNAME",
  selfname: "lists/&IDF.txt",
  duplicat: "&PART.&IDF.&SFNAME",
  idf: "&6NIDF",
};

/** Names the variables of a template that are not there; false when it cannot be used. */
export function checkTemplate(scene: Scene, entry: Entry, key: string, known: readonly string[]): boolean {
  let names: string[];
  try {
    names = variablesIn(String(entry.value[key])).map(({ name }) => name);
  } catch (error) {
    const message = `${describe(error)}; example: ${key} = "${TEMPLATES[key] ?? "INVOIC.&FROOT"}"`;
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
