/** A small authority made with openssl: certificates of every kind, lists of revoked ones, answers of a responder. */
import { execFile, execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Issued {
  name: string;
  certificate: X509Certificate;
  /** Paths of the PEM files. */
  file: string;
  key: string;
}

export interface Wish {
  /** Nobody: self-signed. */
  issuer?: Issued;
  /** Lines of the extension section; a leaf with Odette's usages by default. */
  extensions?: string[];
  days?: number;
  /** Common name, where it differs from the name of the file. */
  cn?: string;
  hash?: "sha1" | "sha256" | "md5";
  /** Argument of -newkey; a curve by default, since RSA keys take long to make. */
  newkey?: string;
  /** Take this key instead of a new one. */
  key?: string;
}

export const LEAF = [
  "keyUsage = critical, digitalSignature, keyEncipherment",
  "extendedKeyUsage = serverAuth, clientAuth",
];
export const CA = ["basicConstraints = critical, CA:true", "keyUsage = critical, keyCertSign, cRLSign"];
export const IDENTIFIERS = ["subjectKeyIdentifier = hash", "authorityKeyIdentifier = keyid"];

export class SmallCa {
  readonly folder: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  issue(name: string, wish: Wish = {}): Issued {
    const { issuer, extensions = LEAF, days = 30, cn = name, hash = "sha256" } = wish;
    const [file, key, config] = [
      this.at(`${name}.pem`),
      wish.key ?? this.at(`${name}.key`),
      this.at(`${name}.cnf`),
    ];
    const lines = [
      "[req]",
      "distinguished_name = dn",
      "prompt = no",
      "x509_extensions = ext",
      "string_mask = utf8only",
    ];
    lines.push("[dn]", `CN = ${cn}`, "O = Example", "[ext]", ...extensions);
    writeFileSync(config, `${lines.join("\n")}\n`);
    const newkey = wish.newkey ?? "ec";
    const fresh = ["-newkey", newkey, ...(newkey === "ec" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : [])];
    openssl(
      ...["req", "-x509", "-config", config, "-days", String(days), `-${hash}`, "-nodes"],
      ...(wish.key ? ["-key", key] : [...fresh, "-keyout", key]),
      ...(issuer ? ["-CA", issuer.file, "-CAkey", issuer.key] : []),
      ...["-out", file],
    );
    return { name, certificate: new X509Certificate(readFileSync(file)), file, key };
  }

  /** A list of revoked certificates by an authority, DER. Times are relative to now, in hours. */
  crl(
    issuer: Issued,
    revoked: readonly Issued[],
    wish: { from?: number; until?: number; extensions?: string[]; pem?: boolean; hash?: string } = {},
  ): Buffer {
    const { from = -1, until = 48, extensions = [] } = wish;
    const index = this.index(issuer, revoked, []);
    const config = this.at("ca.cnf");
    const lines = [
      "[ca]",
      "default_ca = it",
      "[it]",
      `database = ${index}`,
      `crlnumber = ${this.at("crlnumber")}`,
    ];
    if (extensions.length > 0) lines.push("crl_extensions = ext", "[ext]", ...extensions);
    writeFileSync(config, `${lines.join("\n")}\n`);
    writeFileSync(this.at("crlnumber"), "01\n");
    const out = this.at("list.crl");
    openssl(
      ...["ca", "-gencrl", "-config", config, "-cert", issuer.file, "-keyfile", issuer.key],
      ...[
        "-md",
        wish.hash ?? "sha256",
        "-crl_lastupdate",
        stamp(from),
        "-crl_nextupdate",
        stamp(until),
        "-out",
        out,
      ],
    );
    if (wish.pem) return readFileSync(out);
    openssl("crl", "-in", out, "-outform", "DER", "-out", `${out}.der`);
    return readFileSync(`${out}.der`);
  }

  /** The text data base of `openssl ca` and `openssl ocsp`. */
  index(issuer: Issued, revoked: readonly Issued[], valid: readonly Issued[]): string {
    const path = this.at(`${issuer.name}.index`);
    const line = (letter: string, { certificate: { serialNumber, subject } }: Issued, when: string) =>
      [letter, stamp(1000).slice(2), when, serialNumber, "unknown", `/${subject.replaceAll("\n", "/")}`].join(
        "\t",
      );
    const lines = [
      ...revoked.map((one) => line("R", one, `${stamp(-2).slice(2)},keyCompromise`)),
      ...valid.map((one) => line("V", one, "")),
    ];
    writeFileSync(path, lines.map((text) => `${text}\n`).join(""));
    writeFileSync(`${path}.attr`, "unique_subject = no\n");
    return path;
  }

  /** What `openssl ocsp` answers to a request. */
  async answer(
    request: Buffer,
    wish: { issuer: Issued; signer?: Issued; revoked?: Issued[]; valid?: Issued[]; minutes?: number },
  ): Promise<Buffer> {
    const { issuer, signer = issuer, revoked = [], valid = [], minutes = 60 } = wish;
    const index = this.index(issuer, revoked, valid);
    const name = this.at(`ocsp-${process.hrtime.bigint()}`);
    writeFileSync(`${name}.req`, request);
    await run("openssl", [
      ...["ocsp", "-index", index, "-CA", issuer.file, "-rsigner", signer.file, "-rkey", signer.key],
      ...[
        "-reqin",
        `${name}.req`,
        "-respout",
        `${name}.resp`,
        ...(minutes > 0 ? ["-nmin", String(minutes)] : []),
      ],
    ]);
    return readFileSync(`${name}.resp`);
  }
}

/** YYYYMMDDHHMMSSZ, so many hours from now. */
function stamp(hours: number): string {
  const at = new Date(Date.now() + hours * 3_600_000);
  return `${at.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
}

export function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
}
