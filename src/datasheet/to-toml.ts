/**
 * From a datasheet to the configuration of a partner, for a person to review: each line says where its value comes
 * from, and what has no counterpart stands as a comment. Pure.
 *
 * Invariant: nothing of the document gets into the text but as a quoted string or inside one comment line.
 */
import { CygnetError } from "../platform/errors.ts";
import { certificateTables } from "./certificate-tables.ts";
import type { Datasheet, FileSettings, InboundConnection, Substation, Wish } from "./datasheet.ts";
import { list, Page, quoted, type SideFile } from "./page.ts";

/** What the datasheet cannot know. */
export interface Local {
  /** CFTPART id to give. */
  id: string;
  /** Ids of this site's protocols, over TLS and in clear; those of the first that fits are named. */
  tls: readonly string[];
  clear: readonly string[];
  /** Whether this site speaks the cipher suites 07 to 10. */
  experimental: boolean;
  /** How the configuration refers to a file that is written beside it. */
  reference(name: string): string;
}

/** The text, and the files that it refers to. */
export interface Translation {
  toml: string;
  files: readonly SideFile[];
}

const SUITES = ["01", "02", "03", "04", "05", "06"];
const EXPERIMENTAL = ["07", "08", "09", "10"];
const MOST_HOSTS = 4;

/** Passwords as the configuration takes them: the OFTP code set with small letters. */
const PASSWORD = /^[0-9A-Za-z &()./-]+$/;

/** @throws CygnetError CYG_DATASHEET when this site has no protocol for the only way to reach the station */
export function partnerToml(sheet: Datasheet, local: Local): Translation {
  const page = new Page();
  const { session, substations } = sheet;
  const [substation] = substations;
  heading(sheet, page);
  const remarks = new Page();
  const ways = waysToCall(sheet, local, remarks);
  page.table("cftpart");
  page.set("id", quoted(local.id), "chosen at the import");
  page.set("prot", list(ways.map(({ prot }) => prot)), "InboundConnectionSettings: type");
  if (ways.some(({ connection }) => connection)) {
    const ports = ways.map(({ connection, prot }) => connection?.port ?? portOf(local, prot));
    page.set("sap", `[${ports.join(", ")}]`, "ServerPort");
  }
  page.lines.push(...remarks.lines);
  page.set("nrpart", quoted(session.ssid), "OdetteIDCodeSSID");
  if (substation && substation.sfid !== session.ssid) {
    page.set("sfiddest", quoted(substation.sfid), `SubStations: OdetteIDCodeSFID of ${substation.name}`);
  }
  for (const { name, sfid } of substations.slice(1)) {
    page.say(`Further substation ${name}, ${sfid}: it needs a [[cftpart]] of its own with this sfiddest.`);
  }
  passwords(sheet, local, page);
  levels(sheet, page);
  ciphers(sheet, substation, local, page);
  const require = services(sheet, substation, page);
  if (session.authentication?.usage === "required") require.push("auth");
  if (require.length > 0) page.set("require", list(require), "required of its files and sessions");
  if (session.authentication) {
    page.say(`SecureAuthentication is ${session.authentication.usage}: see secauth of the [[cftprot]].`);
  }
  reach(sheet, ways, local, page);
  certificateTables(sheet, local, page);
  names(sheet, page);
  return { toml: `${page.lines.join("\n").trimStart()}\n`, files: page.files };
}

function passwords({ session: { password } }: Datasheet, local: Local, page: Page): void {
  if (password === null || password === "") {
    page.say("nrpassw: the datasheet holds no password; without one here the partner may send any.");
  } else if (PASSWORD.test(password)) {
    page.files.push({ name: "nrpassw", content: Buffer.from(password), mode: 0o600 });
    page.set("nrpassw", quoted(`file:${local.reference("nrpassw")}`), "Password, in that file");
  } else {
    page.say("nrpassw: the Password has characters outside the OFTP code set; ask the partner for another.");
  }
  page.say("nspassw: the password that we send is not in a datasheet; agree on one with the partner.");
}

function heading(sheet: Datasheet, page: Page): void {
  const { station } = sheet;
  page.say(`From the datasheet ${sheet.docid} of ${station.name}, version ${sheet.version}.`);
  page.say(
    `Made ${sheet.docdate}, in force from ${sheet.validfrom}, issued by ${station.issuer || "nobody named"}.`,
  );
  page.say(
    "Review every line, then put this file into the folder that include names. Nothing of it is in force before.",
  );
  if (station.company !== "") page.say(`Company: ${[station.company, ...station.address].join(", ")}`);
  if (station.url !== "") page.say(`Information: ${station.url}`);
  for (const { name, description, phones, emails, url } of station.contacts) {
    page.say(`Contact: ${[name, description, ...phones, ...emails, url].filter(Boolean).join(", ")}`);
  }
}

interface Way {
  prot: string;
  /** Null: how the station calls us; there is no way to call it. */
  connection: InboundConnection | null;
}

/** One way for each protocol of ours, TLS first; other ports of the same type stay as comments. */
function waysToCall(sheet: Datasheet, local: Local, page: Page): Way[] {
  const ways: Way[] = [];
  const types = sheet.inbound.length > 0 ? sheet.inbound : sheet.outbound;
  for (const type of ["TLS", "TCP"] as const) {
    const prot = (type === "TLS" ? local.tls : local.clear)[0];
    const ofType = sheet.inbound.filter((each) => each.type === type);
    const offered = types.some((each) => each.type === type);
    if (prot === undefined) {
      if (offered) page.say(`The station also speaks ${type}, for which this site has no [[cftprot]].`);
      continue;
    }
    if (offered) ways.push({ prot, connection: ofType[0] ?? null });
    for (const { host, port } of ofType.filter(({ port }) => port !== ofType[0]?.port)) {
      page.say(`Another ${type} port, which has no counterpart: ${host}:${port}`);
    }
  }
  if (ways.length > 0) return ways;
  const [prot = local.clear[0]] = local.tls;
  if (types.length === 0 && prot !== undefined) return [{ prot, connection: null }];
  throw new CygnetError(
    "CYG_DATASHEET",
    `the station is reached over ${types[0]?.type ?? "TLS"} and this site has no [[cftprot]] for it; add one and import again`,
  );
}

const portOf = ({ tls }: Local, prot: string) => (tls.includes(prot) ? 6619 : 3305);

function levels({ session }: Datasheet, page: Page): void {
  const { minimum, maximum } = session;
  if (minimum === null && maximum === null) return;
  const within = [5, 4, 2, 1].filter((level) => level >= (minimum ?? 1) && level <= (maximum ?? 5));
  if (within.length === 0) return page.say(`Its protocol levels ${minimum} to ${maximum} are none.`);
  page.set("level", `[${within.join(", ")}]`, "MinimumProtocolReleaseLevel to MaximumProtocolReleaseLevel");
}

function ciphers(
  sheet: Datasheet,
  substation: Substation | undefined,
  { experimental }: Local,
  page: Page,
): void {
  const spoken = experimental ? [...SUITES, ...EXPERIMENTAL] : SUITES;
  const wanted = substation?.ciphers.length ? substation.ciphers : sheet.ciphers;
  const chosen = wanted.find((suite) => spoken.includes(suite));
  if (chosen) page.set("cipher", quoted(chosen), chosen === wanted[0] ? "PrimaryCipher" : "AlternateCipher");
  const others = wanted.filter((suite) => suite !== chosen);
  if (others.length > 0) page.say(`Its other cipher suites: ${others.join(", ")}`);
}

const wished = (usage: Wish) => usage === "required" || usage === "preferred";

/** What we apply to files for the station; gives what its own files must have. */
function services(sheet: Datasheet, substation: Substation | undefined, page: Page): string[] {
  const inbound = substation?.inboundFiles ?? sheet.inboundFiles;
  const outbound = substation?.outboundFiles ?? sheet.outboundFiles;
  const keys = [
    ["sign", "signature", "FileSignature"],
    ["encrypt", "encryption", "FileEncryption"],
    ["compress", "compression", "FileCompression"],
    ["signed_eerp", "receipt", "EERPSignature"],
  ] as const satisfies readonly (readonly [string, keyof FileSettings, string])[];
  for (const [key, service, element] of inbound ? keys : []) {
    const usage = inbound?.[service].usage as Wish;
    page.set(key, String(wished(usage)), `InboundFileSettings: ${element} is ${usage}`);
  }
  const required: string[] = [];
  for (const [key, service, element] of outbound ? keys : []) {
    const usage = outbound?.[service].usage as Wish;
    page.say(`OutboundFileSettings: ${element} is ${usage}`);
    if (usage === "required" && (key === "sign" || key === "encrypt")) required.push(key);
  }
  return required;
}

function reach(sheet: Datasheet, ways: readonly Way[], { id }: Local, page: Page): void {
  const hosts = [...new Set(sheet.inbound.map(({ host }) => host))];
  if (hosts.length > 0) {
    page.lines.push("", "[[cfttcp]]");
    page.set("id", quoted(id), "the partner's");
    page.set("host", list(hosts.slice(0, MOST_HOSTS)), "ServerHost");
    for (const host of hosts.slice(MOST_HOSTS)) page.say(`Another host, which has no place: ${host}`);
  } else page.say("It says no way to be called: it is a partner that calls us.");
  for (const { connection, prot } of ways) {
    if (connection?.type !== "TLS") continue;
    const versions = connection.versions.join(", ") || "what is negotiated";
    page.say(
      `TLS: ${versions}; client certificate ${connection.clientAuth ?? "not spoken of"}: see [[cftssl]] of ${prot}.`,
    );
    if (connection.certificate !== "")
      page.say(`TLS server certificate: "${connection.certificate}" of the document.`);
  }
  for (const { type, addresses, versions, clientAuth } of sheet.outbound) {
    const from = addresses.length > 0 ? ` from ${addresses.join(", ")} (allow of [[cftnet]])` : "";
    const proof = clientAuth
      ? `, client certificate ${clientAuth.usage} ${clientAuth.certificates.join(", ")}`
      : "";
    page.say(
      `It calls over ${type}${versions.length > 0 ? ` (${versions.join(", ")})` : ""}${from}${proof}.`,
    );
  }
}

function names(sheet: Datasheet, page: Page): void {
  const all = [
    ...sheet.inboundNames.map((each) => ({ ...each, way: "It accepts" })),
    ...sheet.outboundNames.map((each) => ({ ...each, way: "It sends" })),
  ];
  if (all.length > 0) page.lines.push("");
  for (const { way, pattern, format, lrecl, description } of all) {
    page.say(
      `${way} names like ${pattern}, format ${format}${lrecl === null ? "" : ` ${lrecl}`}: ${description}`,
    );
  }
}
