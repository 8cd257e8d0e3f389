import { createSecureContext } from "node:tls";
import { CygnetError } from "../platform/errors.ts";
import type { TlsVersion } from "./tls.ts";

/** Suites of TLS 1.3, all with forward secrecy. */
const MODERN_13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];

/** Suites of TLS 1.2 with forward secrecy and authenticated encryption; CBC and static RSA only by explicit choice. */
const MODERN_12 = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "DHE-RSA-AES256-GCM-SHA384",
];

/** Transfer CFT's suite numbers (IANA, decimal) and OpenSSL's names. RC4, NULL and 3DES are left out on purpose. */
export const NUMBERS: Readonly<Record<string, string>> = {
  47: "AES128-SHA",
  53: "AES256-SHA",
  60: "AES128-SHA256",
  61: "AES256-SHA256",
  156: "AES128-GCM-SHA256",
  157: "AES256-GCM-SHA384",
  49191: "ECDHE-RSA-AES128-SHA256",
  49192: "ECDHE-RSA-AES256-SHA384",
  49199: "ECDHE-RSA-AES128-GCM-SHA256",
  49200: "ECDHE-RSA-AES256-GCM-SHA384",
};

/**
 * The cipher list for OpenSSL. "" gives the default list; otherwise an OpenSSL list, in which Transfer CFT's numbers
 * may stand too. A list that names no TLS 1.3 suite says nothing about TLS 1.3 and gets all of them.
 * Errors: CYG_TLS_CIPHERS for a name that is not known; OpenSSL itself would pass over it.
 */
export function cipherList(list: string, versions: readonly TlsVersion[]): string {
  if (list.trim() === "") return [...MODERN_13, ...MODERN_12].join(":");
  const names = list.split(/[\s,:]+/).filter((name) => name !== "");
  for (const [index, name] of names.entries()) {
    names[index] = NUMBERS[name] ?? name;
    if (!isKnown(names[index])) {
      throw new CygnetError(
        "CYG_TLS_CIPHERS",
        `ciphlist names "${name}", which is no suite that is known here`,
      );
    }
  }
  const speaks13 = versions.length === 0 || versions.includes("1.3");
  const needs13 = speaks13 && !names.some((name) => name.startsWith("TLS_"));
  return [...(needs13 ? MODERN_13 : []), ...names].join(":");
}

/** Signs in front change a list, and `@` sets an option of it: they choose nothing by themselves. */
function isKnown(name: string): boolean {
  if (/^[!+@-]/.test(name)) return true;
  try {
    createSecureContext({ ciphers: name, ca: [] });
    return true;
  } catch {
    return false; // the one way in which a list of one can fail
  }
}
