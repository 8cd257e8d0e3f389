/** CFTSSL, CFTSSH, PKICER and the other objects of keys and certificates. */

import { NUMBERS as SUITES } from "../../net/ciphers.ts";
import { nameRule } from "../../pki/name-rule.ts";
import { describe } from "../../platform/errors.ts";
import { bySchema } from "../by-schema.ts";
import { password } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { entityMembers } from "../entities.ts";
import { type Source, word } from "../objects.ts";
import { type Converter, heeded, type Kind, kind, none, nones, same, to, unknownHere } from "../rule.ts";
import type { Site } from "../site.ts";
import { folded, texts, type Value } from "../value.ts";

/** Transfer CFT's numbers of suites as OpenSSL's names; what is broken is left out. */
const suites: Converter = (value) => {
  const numbers = texts(value).map(({ text }) => text.trim());
  const names = numbers.flatMap((number) => SUITES[number] ?? []);
  const broken = numbers.filter((number) => SUITES[number] === undefined);
  if (names.length === 0)
    return { without: "no suite of the list is safe any more: the gateway's own choice serves" };
  const why =
    broken.length > 0
      ? `suites by name; left out as unsafe or unknown: ${broken.join(", ")}`
      : "suites by name";
  return { value: names.join(":"), why };
};

/** Ids of certificates, entities replaced by their members. */
const roots: Converter = (value, { site }) => {
  const ids = texts(value).flatMap((one) => {
    const members = entityMembers(site, folded(one));
    return (members ?? [folded(one)]).map((id) => site.names.of(id));
  });
  const unique = [...new Set(ids)];
  const whole = unique.length === texts(value).length;
  return whole ? { value: unique } : { value: unique, why: "the certificates of the PKIENTITY" };
};

const ownCertificate: Converter = (value, { site }) => {
  if (texts(value).some(({ text }) => text.includes("&"))) {
    return { without: "certificates are not chosen by symbolic variables: write one profile for each" };
  }
  return bySchema(value, site.keys.key("cftssl", "usercid") ?? {}, site);
};

/** `('a' AND ! 'b')`: what stands without quotation marks is a word of the expression, unless it is the only thing. */
const nameExpression: Converter = (value) => {
  const all = texts(value);
  const write = (part: Value): string => {
    if (part.kind === "list") return `(${part.items.map(write).join(" ")})`;
    const text = part.text.trim();
    if (part.quote === "" && /^(AND|OR|!)$/i.test(text)) return text.toUpperCase();
    return `"${text.replace(/["\\]/g, "\\$&")}"`;
  };
  const rule = all.length === 1 ? write(all[0] as Value) : write(value);
  try {
    nameRule(rule);
    return { value: rule };
  } catch (error) {
    return { without: `the expression is not understood: ${describe(error)}` };
  }
};

export const SSL: Kind = kind(
  "CFTSSL",
  "a TLS profile",
  [
    same("ID"),
    same("DIRECT"),
    to("USERCID", "usercid", ownCertificate),
    to("ROOTCID", "rootcid", roots),
    same("VERIFY"),
    none("VERSION", "TLS 1.2 and 1.3 are spoken: anything older is refused"),
    to("CIPHLIST", "ciphlist", suites),
    same("DEPTH", undefined, { idle: ["10"] }),
    to("DNUSER", "dnuser", nameExpression, { guard: true }),
    to("DNISSUER", "dnissuer", nameExpression, { guard: true }),
    same("KEYEXT", undefined, { idle: ["VERIFY"] }),
    none("INTERCID", "put the chain into the certificate file, ours first"),
    none("PASSW", "keys are in files of their own", { secret: true }),
    same("CERFNAME"),
    none("PARM", "free text for scripts"),
    same("CACHE", undefined, { idle: ["NO"] }),
    none("TRACE", "the log tells of each handshake", { idle: ["0"] }),
  ],
  {
    identity: [
      ["ID", ""],
      ["DIRECT", ""],
    ],
    shape: shapeProfile,
  },
);

function shapeProfile(draft: Draft, object: Source, site: Site): void {
  if (draft.values.get("direct") !== "client" || !object.given.has("VERIFY")) return;
  const why =
    "Transfer CFT's clients always check the server against ROOTCID; VERIFY says something else there";
  draft.values.delete("verify");
  site.tell("changed", object, "VERIFY", 'cftssl.verify = "required", the default', why);
}

export const SSH: Kind = kind(
  "CFTSSH",
  "an SSH profile",
  ["ID", "DIRECT", "CIPHLIST", "HMAC", "KEYEXCHG", "SRVPRIVKEY", "CLIPUBKEY", "CLIPRIVKEY", "SRVPUBKEY"].map(
    (name) => same(name),
  ),
  {
    why: "this version has no SFTP",
    identity: [
      ["ID", ""],
      ["DIRECT", ""],
    ],
  },
);

/** Where the file of a certificate or key goes: pki/ and its own name. */
function placeOf(path: string): string {
  const name = path.split(/[\\/]/).pop() ?? "";
  return `pki/${name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^\./, "_") || "unnamed"}`;
}

const NOTHING = { kind: "list", items: [], line: 0 } as const;
const IN_PKI = "files of keys and certificates stand in pki/";

const certificateFile: Converter = (value, { site, object, row }) => {
  const path = texts(value)[0]?.text.trim() ?? "";
  const form = word(object, row.parameter === "INAME" ? "IFORM" : "IKFORM");
  const name = placeOf(path);
  const commands: Record<string, string> = {
    PKCS12: `openssl pkcs12 -nokeys -in '${path}' -out ${name}.pem`,
    PKCS7: `openssl pkcs7 -print_certs -in '${path}' -out ${name}.pem`,
  };
  const command = commands[form];
  site.todo.push(command ? `make ${name}.pem: ${command}` : `copy ${path} to ${name}`);
  return { value: command ? `${name}.pem` : name, why: IN_PKI };
};

export const CERTIFICATE: Kind = kind(
  "PKICER",
  "a certificate",
  [
    same("ID"),
    to("INAME", "file", certificateFile),
    to("IKNAME", "key", certificateFile),
    to(
      "IKPASSW",
      "keypassw",
      password((id) => `${id}.key`, 1024),
      { secret: true },
    ),
    heeded("ITYPE", "what a certificate is for follows from its key and from the profiles that name it"),
    heeded("ROOTCID", "chains are found by themselves"),
    heeded("IFORM", "PEM and DER are told apart by themselves"),
    heeded("IKFORM", "PEM and DER are told apart by themselves"),
    heeded("STATE", "certificates that were not in use are left out"),
    none("CHECK", "certificates are always checked", { idle: ["YES", "NO"] }),
    none("PKIPASSW", "there is no PKI base with a password of its own", { secret: true }),
    ...nones("PKIFNAME", "there is no PKI base: certificates are files"),
  ],
  { table: "pki", shape: shapeCertificate },
);

function shapeCertificate(draft: Draft, object: Source, site: Site): void {
  const type = word(object, "ITYPE");
  if (word(object, "IFORM") === "PKCS12" && !object.given.has("IKNAME")) {
    const path = texts(object.given.get("INAME")?.value ?? NOTHING)[0]?.text.trim() ?? "";
    const name = `${placeOf(path)}.key`;
    draft.set("key", name, IN_PKI);
    site.todo.push(`make ${name}: openssl pkcs12 -nocerts -in '${path}' -out ${name}`);
  }
  if (type !== "ROOT" && type !== "INTER") return;
  draft.set("usage", ["ca"]);
  site.tell("translated", object, "ITYPE", 'pki.usage = ["ca"]', "");
}

const MEMBERS = "its members stand in rootcid of the profiles that name it";
const ENTITY: Kind = {
  ...unknownHere(
    "PKIENTITY",
    "a list of certificates",
    "its members stand in rootcid of the profiles that name it",
  ),
  rows: ["ID", "CERTIFICATES", "MODE"].map((name) => heeded(name, MEMBERS)),
};

export const SECURITY_KINDS: readonly Kind[] = [
  SSL,
  SSH,
  CERTIFICATE,
  ENTITY,
  unknownHere("PKIKEY", "an SSH key", "this version has no SFTP: keep the key file"),
  unknownHere("PKIKEYGEN", "an SSH key", "this version has no SFTP: keys are made with ssh-keygen"),
];
