/** CFTPART, CFTAUTH, CFTIDF, CFTDEST: partners and what is said about several of them. */
import { bySchema } from "../by-schema.ts";
import { password } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { type Source, word } from "../objects.ts";
import { type Converter, type Kind, kind, none, nones, same, to } from "../rule.ts";
import type { Site } from "../site.ts";
import { folded, texts } from "../value.ts";

const LIST = { idle: ["*"], guard: true };
const FOR_FLOWS = "charsets belong to flows: xlate of cftsend and cftrecv";
/** SSIDPSWD is X(8). */
const LONGEST = 8;

/** The protocols of the list that this gateway speaks. */
const protocols: Converter = (value, { site, object }) => {
  const found = site.protocols(object).map(({ id }) => site.names.of(id));
  const all = texts(value);
  const whole = found.length === all.length && all.every(({ text }) => !/[*?]/.test(text));
  return whole ? { value: found } : { value: found, why: "the protocols that exist here, masks filled in" };
};

/** The ports of the protocols that are left, in their order. */
const ports: Converter = (value, { site, object, kind: { table } }) => {
  const all = texts(value);
  const kept = site.protocols(object).map(({ place }) => all[place]);
  if (kept.some((one) => one === undefined)) {
    return {
      without: "one port for each protocol is needed: without them the protocols' usual ports are called",
    };
  }
  if (kept.some((one) => !/^\d+$/.test(one?.text.trim() ?? ""))) {
    return { without: "a service name: look its port up in /etc/services and write the number" };
  }
  const list = { kind: "list" as const, line: value.line, items: kept.filter((one) => one !== undefined) };
  const result = bySchema(list, site.keys.key(table, "sap") ?? {}, site);
  if ("without" in result || kept.length === all.length) return result;
  return { ...result, why: "the ports of the protocols that exist here" };
};

/** A client profile; one for servers only adds checks in Transfer CFT. */
const clientProfile: Converter = (value, place) => {
  const id = texts(value).map(folded)[0] ?? "";
  const client = place.site.all("CFTSSL", id).some((profile) => word(profile, "DIRECT") === "CLIENT");
  if (!client) return { without: `there is no CFTSSL ${id} with DIRECT=CLIENT` };
  return bySchema(value, place.site.keys.key("cftpart", "ssl") ?? {}, place.site);
};

/** The default flow of the partner's files, which must be one that can be sent. */
const flow: Converter = (value, place) => {
  const id = texts(value).map(folded)[0] ?? "";
  if (!place.site.find("CFTSEND", id))
    return { without: `there is no CFTSEND ${id}: the default flow serves` };
  return bySchema(value, place.site.keys.key("cftpart", "idf") ?? {}, place.site);
};

export const PART: Kind = kind(
  "CFTPART",
  "a partner",
  [
    same("ID"),
    to("PROT", "prot", protocols),
    to("SAP", "sap", ports),
    same("NSPART"),
    same("NRPART"),
    to(
      "NSPASSW",
      "nspassw",
      password((id) => `${id}.out`, LONGEST),
      { secret: true },
    ),
    to(
      "NRPASSW",
      "nrpassw",
      password((id) => `${id}.in`, LONGEST),
      { secret: true },
    ),
    to("IDF", "idf", flow),
    same("SAUTH", "every flow may be sent to it", LIST),
    same("RAUTH", "every flow is accepted from it: refuse by hand, or close the partner", LIST),
    ...["OMINTIME", "OMAXTIME", "IMINTIME", "IMAXTIME"].map((name) => same(name)),
    same("STATE"),
    same("COMMUT", "files for others are refused: nothing is forwarded", { idle: ["NO"] }),
    same("CTRLPART", "originator and destination codes are always checked", { idle: ["IGNORE"] }),
    same("IPART", "nothing is sent by way of another partner"),
    none("SYST", "no conversion depends on the partner's system: say it in each flow (fcode, xlate)"),
    to("SSL", "ssl", clientProfile),
    same("SSH", "this version has no SFTP"),
    ...nones("XLATE FCHARSET NCHARSET", FOR_FLOWS),
    same("GROUP"),
    none("FPREFIX", "write the folder into cftrecv.fname"),
    none("NACK", "negative end-to-end responses (NERP) are always understood", {
      idle: ["YES", "NO", "ANY"],
    }),
    none("TRK", "monitoring by Sentinel: use the log and `cygnet listcat --json`"),
    none("COS", "bandwidth is not divided into classes", { idle: ["0"] }),
    none("SRDMZ", "Secure Relay is not supported"),
  ],
  { shape: shapePartner },
);

function shapePartner(draft: Draft, object: Source, site: Site): void {
  const zero = (name: string) => object.given.has(name) && /^0+$/.test(word(object, name));
  if (zero("OMINTIME") && zero("OMAXTIME")) {
    const why = "a window of nothing means that this partner is never called directly";
    draft.values.delete("omintime");
    draft.values.delete("omaxtime");
    const state = draft.values.get("state") === "noactive" ? "noactive" : "activeserv";
    draft.set("state", state, why);
    for (const name of ["OMINTIME", "OMAXTIME"]) {
      site.tell("changed", object, name, `cftpart.state = "${state}"`, why);
    }
  }
  if (/EERP\s*=\s*86/i.test(word(object, "COMMENT"))) {
    const why = "end-to-end responses are recognised with their codes in either order";
    site.tell("changed", object, "COMMENT", "cftpart.comment", why);
  }
}

export const AUTH: Kind = kind("CFTAUTH", "a list of flows", [same("ID"), same("IDF"), same("FNAME")], {
  why: "this version accepts every flow of a partner that it knows: there are no lists of flows",
});

export const IDF: Kind = kind(
  "CFTIDF",
  "network names of flows",
  [same("ID"), same("PART"), same("TYPE"), same("NIDF")],
  {
    why: "network names of flows are set with nfname of cftsend; received files get the flow of their partner",
    identity: [
      ["ID", ""],
      ["PART", ""],
      ["TYPE", ""],
    ],
  },
);

export const DEST: Kind = kind(
  "CFTDEST",
  "a list of partners",
  [
    same("ID"),
    same("PART"),
    same("FNAME"),
    same("FOR"),
    same("NOPART"),
    ...nones("EXEC EXECA EXECPRE", "scripts are not run for lists"),
  ],
  { why: "this version sends to one partner at a time: send the file to each" },
);

export const PARTNER_KINDS: readonly Kind[] = [PART, AUTH, IDF, DEST];
