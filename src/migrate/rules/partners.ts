/** CFTPART: partners, what may pass between us, and which way. */
import { bySchema } from "../by-schema.ts";
import { password } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { type Source, word } from "../objects.ts";
import { type Converter, type Kind, kind, none, nones, same, to } from "../rule.ts";
import type { Site } from "../site.ts";
import { folded, texts, type Value } from "../value.ts";
import { closedList, LIST_KINDS } from "./lists.ts";

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

/** The default flow of the partner's files. One that is only received gets a template for sending in the end. */
const flow: Converter = (value, place) => {
  const id = first(value);
  if (!place.site.find("CFTSEND", id) && !place.site.find("CFTRECV", id))
    return { without: `there is no CFTSEND and no CFTRECV ${id}: the default flow serves` };
  return bySchema(value, place.site.keys.key("cftpart", "idf") ?? {}, place.site);
};

function first(value: Value): string {
  return texts(value).map(folded)[0] ?? "";
}

/** "*", or a list of flows. One that does not exist lets nothing pass, there as here. */
const authorised: Converter = (value, { site, object }) => {
  const id = first(value);
  if (id === "*") return { value: id };
  const name = site.names.of(id);
  if (site.find("CFTAUTH", id)) return { value: name, ...(name !== id && { why: `${id} is no id here` }) };
  if (!site.drafts.some((draft) => draft.table === "cftauth" && draft.id === name)) {
    const draft = site.draft("cftauth", `CFTAUTH ${id} of ${object.title}, which is not in the extract`);
    draft.set("id", name);
    closedList(draft);
    site.todo.push(`write the flows of cftauth ${name}: the extract does not have it, so nothing passes`);
  }
  return { value: name, why: `there is no CFTAUTH ${id}: nothing passes, as in Transfer CFT` };
};

/** Another partner, which is called directly itself. */
const intermediate: Converter = (value, place) => {
  const { site, object } = place;
  const id = first(value);
  const part = site.any("CFTPART", id);
  if (part === object) return { without: "a partner cannot be its own intermediate" };
  if (!part) return { without: `there is no CFTPART ${id}` };
  if (site.left.has(part)) return { without: `${part.title} is left out` };
  const next = word(part, "IPART");
  if (site.find("CFTPART", next))
    return { without: `${id} is itself reached through ${next}: name a partner that is called directly` };
  return bySchema(value, site.keys.key("cftpart", "ipart") ?? {}, site);
};

const NO_RELAY = "without a CFTRECV ID=COMMUT Transfer CFT forwards nothing";

/** PART sent everything to IPART; here the destination says where to. With SERVER the script decides, and need not send. */
const forwarding: Converter = (value, place) => {
  const { site, object } = place;
  const asked = first(value).toUpperCase();
  const meant = ["YES", "NO", "SERVER", "PART"].find((one) => asked !== "" && one.startsWith(asked));
  if (meant === "YES" && !site.forwards()) return { value: "no", why: NO_RELAY };
  if (meant !== "SERVER" && meant !== "PART")
    return bySchema(value, site.keys.key("cftpart", "commut") ?? {}, site);
  if (meant === "SERVER") {
    site.todo.push(
      `${object.title}: with COMMUT=SERVER a receive script sent files for others on itself; here its exit code 0 forwards them, untouched: take the SEND out of it and name it in exec of [[cftrecv]] or in execrf`,
    );
    return {
      value: "server",
      why: "the receive script says what is forwarded, and no longer sends it itself",
    };
  }
  return {
    value: "yes",
    why: "files for others go to the partner that they are for, or by way of its own ipart",
  };
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
    to("SAUTH", "sauth", authorised, { guard: true }),
    to("RAUTH", "rauth", authorised, { guard: true }),
    ...["OMINTIME", "OMAXTIME", "IMINTIME", "IMAXTIME"].map((name) => same(name)),
    same("STATE"),
    to("COMMUT", "commut", forwarding, {
      missing: {
        value: "YES",
        keep: true,
        why: "as Transfer CFT does where there is a CFTRECV ID=COMMUT",
        when: (site) => site.forwards(),
      },
    }),
    same("CTRLPART", undefined, {
      missing: {
        value: "IGNORE",
        keep: true,
        why: 'as in Transfer CFT; take it out once its files are known to carry its codes ("all")',
      },
    }),
    to("IPART", "ipart", intermediate),
    none("SYST", "no conversion depends on the partner's system: say it in each flow (fcode, xlate)"),
    to("SSL", "ssl", clientProfile),
    same("SSH", "this version has no SFTP"),
    ...nones("XLATE FCHARSET NCHARSET", FOR_FLOWS),
    none("GROUP", "partners have no groups"),
    none("FPREFIX", "write the folder into cftrecv.fname"),
    none("NACK", "negative end-to-end responses (NERP) are always understood", {
      idle: ["YES", "NO", "ANY"],
    }),
    none("TRK", "monitoring by Sentinel: Prometheus reads GET /metrics, programs follow GET /v1/events"),
    none("COS", "bandwidth is not divided into classes", { idle: ["0"] }),
    none("SRDMZ", "Secure Relay is not supported"),
  ],
  { shape: shapePartner },
);

function shapePartner(draft: Draft, object: Source, site: Site): void {
  const zero = (name: string, otherwise: string) => /^0+$/.test(word(object, name, otherwise));
  if (zero("OMINTIME", "0") && zero("OMAXTIME", "23595999")) neverCalled(draft, object, site);
  if (/EERP\s*=\s*86/i.test(word(object, "COMMENT"))) {
    const why = "end-to-end responses are recognised with their codes in either order";
    site.tell("changed", object, "COMMENT", "cftpart.comment", why);
  }
}

/** A window of nothing: with an intermediate partner both products mean the same, without one we do not call. */
function neverCalled(draft: Draft, object: Source, site: Site): void {
  const given = ["OMINTIME", "OMAXTIME"].filter((name) => object.given.has(name));
  const ipart = draft.values.get("ipart");
  if (ipart) {
    const why = `never called directly: its files go by way of ${String(ipart)}`;
    for (const key of ["omintime", "omaxtime"]) draft.set(key, "00:00", why);
    for (const name of given)
      site.tell("translated", object, name, `cftpart.${name.toLowerCase()} = "00:00"`, why);
    return;
  }
  const why = "a window of nothing means that this partner is never called directly";
  draft.values.delete("omintime");
  draft.values.delete("omaxtime");
  const state = draft.values.get("state") === "noactive" ? "noactive" : "activeserv";
  draft.set("state", state, why);
  for (const name of given) site.tell("changed", object, name, `cftpart.state = "${state}"`, why);
}

export const PARTNER_KINDS: readonly Kind[] = [PART, ...LIST_KINDS];
