/** What several parameters of a flow say together: record format, code and charsets, and the name on the line. */
import { checkCharset } from "../oftp/files/charset.ts";
import type { Draft } from "./draft.ts";
import { type Source, word } from "./objects.ts";
import type { Site } from "./site.ts";

/** Parameters that say how a file stands locally and on the line. */
const FORM = ["NTYPE", "NRECFM", "NLRECL", "FRECFM", "FLRECL", "FTYPE", "FCODE", "NCODE"];
const TEXT_TYPES = ["T", "O", "X", "J"];

/**
 * frecfm, flrecl and fcode of a flow. NTYPE=T is OFTP's text format; else NRECFM, or FRECFM where it is missing, with
 * the length that belongs to it. A received file has the format that its sender says.
 */
export function shapeForm(draft: Draft, object: Source, site: Site): void {
  const sends = object.kind.command === "CFTSEND";
  const local = word(object, "FTYPE");
  const ascii = word(object, "FCODE") === "ASCII" || TEXT_TYPES.includes(local);
  const format = sends ? word(object, "NRECFM", word(object, "FRECFM")) : "";
  const length = Number(word(object, "NLRECL", "0")) || Number(word(object, "FLRECL", "0"));
  const made: string[] = [];
  const set = (key: string, value: string | number) => {
    draft.set(key, value);
    made.push(`${draft.table}.${key} = ${JSON.stringify(value)}`);
  };
  if (sends && (word(object, "NTYPE") === "T" || (ascii && format !== "F" && format !== "V"))) {
    set("frecfm", "T");
    set("fcode", "ascii");
  } else if ((format === "F" || format === "V") && length > 0 && length <= 99_999) {
    set("frecfm", format);
    set("flrecl", length);
  } else if (!sends && ascii) set("fcode", "ascii");
  for (const parameter of FORM) {
    const value = word(object, parameter);
    if (value === "" || value === "0") continue;
    if (made.length > 0)
      site.tell("changed", object, parameter, made.join(", "), "frecfm, flrecl and fcode are set together");
    else if (["U", "B", "BINARY"].includes(value) || parameter.endsWith("LRECL")) {
      site.tell("translated", object, parameter, sends ? 'cftsend.frecfm = "U", the default' : "", "");
    }
  }
  if ([word(object, "FCODE"), word(object, "NCODE")].includes("EBCDIC")) {
    for (const parameter of ["FCODE", "NCODE"]) {
      if (word(object, parameter) !== "EBCDIC") continue;
      const why = "set xlate to a cftxlate that names both charsets, for example IBM1047 and ISO-8859-1";
      site.tell("without", object, parameter, "", why);
    }
  }
  shapeCharsets(draft, object, site);
}

/** FCHARSET with NCHARSET becomes a cftxlate, one for each pair. */
function shapeCharsets(draft: Draft, object: Source, site: Site): void {
  const [local, network] = [word(object, "FCHARSET"), word(object, "NCHARSET")];
  if (local === "" || network === "" || draft.values.has("xlate")) return;
  for (const [parameter, charset] of [
    ["FCHARSET", local],
    ["NCHARSET", network],
  ] as const) {
    if (isCharset(charset)) continue;
    site.tell(
      "without",
      object,
      parameter,
      "",
      `there is no charset ${charset} here: write a cftxlate by hand`,
    );
    return;
  }
  const id = site.names.of(`${local}-${network}`.toUpperCase());
  const key = `${local}\0${network}`;
  if (!site.charsets.has(key)) {
    site.charsets.set(key, id);
    const xlate = site.draft("cftxlate", `FCHARSET=${local}, NCHARSET=${network}`);
    xlate.set("id", id);
    xlate.set("fcharset", local);
    xlate.set("ncharset", network);
  }
  draft.set("xlate", id);
  for (const parameter of ["FCHARSET", "NCHARSET"]) {
    site.tell(
      "changed",
      object,
      parameter,
      `${draft.table}.xlate = "${id}"`,
      "charsets are named in a cftxlate",
    );
  }
}

function isCharset(name: string): boolean {
  try {
    checkCharset(name);
    return true;
  } catch {
    return false; // all that it tells
  }
}

/**
 * The virtual file name (SFIDDSN). Transfer CFT sends the network name of the flow: NIDF of its CFTIDF, or the flow's
 * id; here files carry their own names unless nfname says otherwise.
 */
export function shapeNetworkName(draft: Draft, object: Source, site: Site): void {
  const named = site.namedFlows().has(word(object, "ID"));
  const value = named ? "&NIDF" : "&IDF";
  const why = NETWORK_NAME + (named ? ", which its CFTIDF gives" : "");
  draft.set("nfname", value, NETWORK_NAME);
  site.tell("changed", object, "(virtual file name)", `cftsend.nfname = "${value}"`, why);
}

/** Why flows that are sent get an nfname. */
export const NETWORK_NAME = "Transfer CFT sends the flow's network name as the virtual file name over OFTP";
