/** Certificates judged by `openssl verify`: another's opinion behind the gateway's interface. */
import { execFile } from "node:child_process";
import type { X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issued } from "../../src/pki/material.ts";
import type { PkiCode, Trust, TrustQuestion, TrustVerdict } from "../../src/pki/trust/trust.ts";

/** OpenSSL's verification errors by number. */
const CODES: Readonly<Record<number, PkiCode>> = {
  2: "PKI_ERR_CA_NOT_FOUND",
  3: "PKI_ERR_CERT_UNKNOWN",
  10: "PKI_ERR_CERT_EXPIRED",
  18: "PKI_ERR_CA_NOT_FOUND",
  19: "PKI_ERR_CA_NOT_FOUND",
  20: "PKI_ERR_CA_NOT_FOUND",
  22: "PKI_ERR_CERT_BAD_CA",
  23: "PKI_ERR_CERT_REVOKED",
  26: "PKI_ERR_CERT_UNSUPPORTED",
};
const NO_CRL = 3;

export class OpensslTrust implements Trust {
  readonly questions: TrustQuestion[] = [];
  /** Awaited before each verdict. */
  hold: Promise<void> = Promise.resolve();
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async judge(question: TrustQuestion): Promise<TrustVerdict> {
    this.questions.push(question);
    await this.hold;
    const first = await this.#verify(question, question.crl !== "off");
    if (first.error === NO_CRL && question.crl === "prefer") {
      const second = await this.#verify(question, false);
      if (second.error === 0) {
        return { trusted: true, path: pathOf(question), notes: ["no list of revoked certificates"] };
      }
    }
    if (first.error === 0) return { trusted: true, path: pathOf(question), notes: [] };
    return { trusted: false, code: CODES[first.error] ?? "PKI_ERR_OTHERS", text: first.text };
  }

  #verify(question: TrustQuestion, crls: boolean): Promise<{ error: number; text: string }> {
    const folder = mkdtempSync(join(this.#folder, "verify-"));
    const file = (name: string, certificates: readonly X509Certificate[]) => {
      writeFileSync(join(folder, name), certificates.map((one) => one.toString()).join(""));
      return join(folder, name);
    };
    const { certificate, intermediates, anchors, purpose, depth = 10, crlfiles = [], keyext } = question;
    const args = ["verify", "-partial_chain", "-CAfile", file("anchors", anchors)];
    if (intermediates.length > 0) args.push("-untrusted", file("between", intermediates));
    // OpenSSL counts the authorities between: the anchor is not among them
    args.push("-verify_depth", String(Math.max(0, depth - 1)));
    if (keyext !== "none") args.push("-purpose", purpose === "tls-client" ? "sslclient" : "sslserver");
    if (crls) args.push("-crl_check", ...crlfiles.flatMap((path) => ["-CRLfile", path]));
    args.push(file("leaf", [certificate]));
    return new Promise((resolve) => {
      execFile("openssl", args, (error, stdout, stderr) => {
        const number = /^error (\d+) at/m.exec(stdout + stderr)?.[1];
        resolve({
          error: error ? Number(number ?? -1) : 0,
          text: (stdout + stderr).trim().replaceAll("\n", "; "),
        });
      });
    });
  }
}

function pathOf({ certificate, intermediates, anchors }: TrustQuestion): X509Certificate[] {
  const path = [certificate];
  for (;;) {
    const last = path.at(-1) as X509Certificate;
    if (anchors.some((one) => one.fingerprint256 === last.fingerprint256)) return path;
    const next = [...anchors, ...intermediates].find((one) => !path.includes(one) && issued(one, last));
    if (!next) return path;
    path.push(next);
  }
}
