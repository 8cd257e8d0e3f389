import { cipherSuite } from "../../cms/suites.ts";
import { nameOf, whereIs } from "../findings.ts";
import type { Cftpart, Pki } from "../generated.ts";
import { keySchema } from "../schemas.ts";
import type { Entry } from "../sources.ts";
import { hasCertificateFor } from "./certificate-usage.ts";
import type { Item, Scene } from "./scene.ts";

type Usage = NonNullable<Pki["usage"]>[number];

/** SSID codes, ports, security requirements and TLS profiles of partners. */
export function checkPartners(scene: Scene): void {
  checkSite(scene);
  checkLists(scene);
  const codes = new Map<string, Entry>();
  for (const item of scene.list("cftpart")) {
    checkCodes(scene, item, codes);
    checkConnection(scene, item);
    checkAuthentication(scene, item);
    checkRoute(scene, item);
    checkSecurity(scene, item.entry, "partner");
    checkExchange(scene, item);
  }
}

function checkSite(scene: Scene): void {
  const parm = scene.single("cftparm");
  const { part, npart } = scene.tree.cftparm ?? {};
  if (!parm || part === undefined || parm.written.has("npart") || isCode(part)) return;
  const message = `"${part}" serves as the network name too, and is no SSID code; set npart, for example npart = "O0999HUB"`;
  if (npart === undefined) scene.findings.problem(parm, { key: "part" }, "CYG_CONFIG_VALUE", message);
}

function isCode(text: string): boolean {
  return new RegExp(keySchema("cftparm", "npart")?.pattern ?? "").test(text);
}

function checkCodes(scene: Scene, { entry, value }: Item<Cftpart>, codes: Map<string, Entry>): void {
  const ours = value.nspart ?? (entry.written.has("nspart") ? undefined : scene.tree.cftparm?.npart);
  const theirs = value.nrpart ?? (entry.written.has("nrpart") ? undefined : value.id);
  for (const [key, code] of [
    ["nspart", ours],
    ["nrpart", theirs],
  ] as const) {
    if (code === undefined) continue;
    if (!isCode(code)) {
      const message = `"${code}" serves as its SSID code and is none: ${keySchema("cftpart", key)?.["x-allowed"]}; example: ${key} = "O0999ACME"`;
      scene.findings.problem(
        entry,
        { key: entry.written.has(key) ? key : "id" },
        "CYG_CONFIG_VALUE",
        message,
      );
    } else if (!code.startsWith("O")) {
      const message = `the SSID code "${code}" does not begin with "O", as codes given by Odette do`;
      scene.findings.warning(entry, { key }, "CYG_CONFIG_ADVICE", message);
    }
  }
  const code = theirs?.trimEnd();
  if (code === undefined) return;
  const first = codes.get(code);
  if (first) {
    const message = `${nameOf(first)} at ${whereIs(first)} has the SSID code "${code}" too; callers are told apart by it`;
    scene.findings.problem(entry, { key: "nrpart" }, "CYG_CONFIG_CLASH", message);
  } else codes.set(code, entry);
}

function checkConnection(scene: Scene, { entry, value }: Item<Cftpart>): void {
  const { prot, sap, ssl } = value;
  if (prot && sap && prot.length !== sap.length) {
    const message = `found ${sap.length} ports for ${prot.length} protocols; allowed: one port for each entry of prot; example: sap = [${prot.map(() => 3305).join(", ")}]`;
    scene.findings.problem(entry, { key: "sap" }, "CYG_CONFIG_VALUE", message);
  }
  for (const id of value.level ? (prot ?? []) : []) {
    const own = scene.find("cftprot", id)?.value;
    const levels = own?.level ?? (own?.ssl ? [5] : [5, 4, 2, 1]);
    if (own === undefined || levels.some((level) => value.level?.includes(level))) continue;
    const message = `no level of protocol ${id} is among them; it has ${levels.join(", ")}`;
    scene.findings.problem(entry, { key: "level" }, "CYG_CONFIG_CLASH", message);
  }
  const profiles = scene.list("cftssl").filter((item) => item.value.id === ssl);
  const called = scene.find("cfttcp", value.id ?? "") !== undefined;
  if (ssl && called && profiles.length > 0 && !profiles.some((item) => item.value.direct === "client")) {
    const message = `it is called, but cftssl "${ssl}" has no client profile; add one: [[cftssl]] id = "${ssl}", direct = "client"`;
    scene.findings.problem(entry, { key: "ssl" }, "CYG_CONFIG_REFERENCE", message);
  }
}

/** A list names its partners in one way, and no partner has its name. */
function checkLists(scene: Scene): void {
  for (const { entry, value } of scene.list("cftdest")) {
    const both = value.part !== undefined && value.fname !== undefined;
    if (both || (value.part === undefined && value.fname === undefined)) {
      const message = `found ${both ? "part and fname" : "neither part nor fname"}; allowed: one of them; example: part = ["ACME", "GLOBEX"]`;
      scene.findings.problem(entry, { key: both ? "fname" : "id" }, "CYG_CONFIG_VALUE", message);
    }
    const partner = value.id === undefined ? undefined : scene.find("cftpart", value.id);
    if (!partner) continue;
    const message = `${nameOf(partner.entry)} at ${whereIs(partner.entry)} has this id too; outbox folders and commands could mean either`;
    scene.findings.problem(entry, { key: "id" }, "CYG_CONFIG_CLASH", message);
  }
}

/** An intermediate partner is another one, and reached without an intermediate of its own. */
function checkRoute(scene: Scene, { entry, value: { id, ipart } }: Item<Cftpart>): void {
  if (!ipart) return;
  const wrong = (message: string) =>
    scene.findings.problem(entry, { key: "ipart" }, "CYG_CONFIG_CLASH", message);
  if (ipart === id) wrong("a partner cannot be its own intermediate; name another one");
  const next = scene.find("cftpart", ipart)?.value.ipart;
  if (ipart !== id && next) {
    wrong(`${ipart} is itself reached through ${next}; name a partner that is called directly`);
  }
}

/** "manual" and "refuse" leave no room for another rule. */
function checkExchange(scene: Scene, { entry, value }: Item<Cftpart>): void {
  const rules = value.certificates ?? [];
  const alone = rules.find((rule) => rule === "manual" || rule === "refuse");
  if (alone === undefined || rules.length === 1) return;
  const message = `"${alone}" stands alone; found beside it: ${rules.filter((rule) => rule !== alone).join(", ")}; example: certificates = ["ca", "renewal"]`;
  scene.findings.problem(entry, { key: "certificates" }, "CYG_CONFIG_CLASH", message);
}

/** Secure authentication that is required needs a key of ours and a certificate of the partner's. */
function checkAuthentication(scene: Scene, { entry, value }: Item<Cftpart>): void {
  const demanding = (value.prot ?? []).find((id) => scene.find("cftprot", id)?.value.secauth === "require");
  const element = value.require?.indexOf("auth") ?? -1;
  if (demanding === undefined && element < 0) return;
  const lacksOwn = !hasCertificateFor(scene, "", "auth");
  const lacksTheirs = value.id !== undefined && !hasCertificateFor(scene, value.id, "auth");
  const lacking = [
    ...(lacksOwn ? ["a key of this site"] : []),
    ...(lacksTheirs ? [`a certificate with part = "${value.id}"`] : []),
  ];
  if (lacking.length === 0) return;
  const where = element >= 0 ? { key: "require", element } : { key: "prot" };
  const why = element >= 0 ? "it" : `protocol ${demanding}`;
  const message = `${why} requires secure authentication, which needs ${lacking.join(" and ")} in [[pki]], with usage "auth"`;
  // where the store is in charge of its certificates they come and go; that must not keep the gateway from starting
  const managed = !lacksOwn && scene.stored.some(({ part }) => part === value.id);
  if (managed) {
    const note = `no certificate of it in the store is in use for "auth"; until then its sessions are refused ("cygnet pki list --part ${value.id}")`;
    scene.findings.warning(entry, where, "CYG_CONFIG_CERTIFICATE", note);
  } else scene.findings.problem(entry, where, "CYG_CONFIG_CERTIFICATE", message);
}

/** What is asked for needs keys: without them the files of this owner stop (state K), they never go unprotected. */
export function checkSecurity(scene: Scene, entry: Entry, owner: "partner" | "flow"): void {
  checkCipher(scene, entry);
  const lacks = (key: string, what: string, usage: string) => {
    const message = `needs ${what} in [[pki]] with usage "${usage}"; until then files of this ${owner} stop (state K), they are never sent unprotected`;
    scene.findings.warning(entry, { key }, "CYG_CONFIG_ADVICE", message);
  };
  const usable = (part: string | undefined, usage: Usage) =>
    part !== undefined && hasCertificateFor(scene, part, usage);
  if (entry.value.sign === true && !usable("", "sign")) lacks("sign", "a key of this site", "sign");
  if (owner === "flow") return;
  const { id } = entry.value as { id?: string };
  const theirs = `a certificate with part = "${id}"`;
  if (entry.value.encrypt === true && !usable(id, "encrypt")) lacks("encrypt", theirs, "encrypt");
  if (entry.value.signed_eerp === true && !usable(id, "receipt")) lacks("signed_eerp", theirs, "receipt");
}

function checkCipher(scene: Scene, entry: Entry): void {
  const { cipher } = entry.value as { cipher?: string };
  if (cipher === undefined || scene.tree.cftparm?.experimental_ciphers === true) return;
  if (cipherSuite(Number(cipher), false) !== undefined) return;
  const message = `found "${cipher}"; allowed: 01 to 06, or 07 to 10 with experimental_ciphers = true in [cftparm]; example: cipher = "04"`;
  scene.findings.problem(entry, { key: "cipher" }, "CYG_CONFIG_VALUE", message);
}
