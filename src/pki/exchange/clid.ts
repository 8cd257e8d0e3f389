/**
 * The logical identification of a certificate (CLID, Odette OP08 1.9), which SFIDDESC of an exchange carries: it
 * tells the receiver which of several certificates is meant. Subject, issuer and uses stay equal over renewals;
 * issuer and serial number name one certificate.
 */
import "reflect-metadata";
import type { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  Certificate,
  ExtendedKeyUsage,
  id_ce_authorityKeyIdentifier,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { nameText, sameName } from "./distinguished-name.ts";

export interface Clid {
  /** RFC 4514 texts. */
  issuer: string;
  /** "" where it did not fit. */
  subject: string;
  /** Hexadecimal, small letters, no leading zeros. */
  serial: string;
  /** Authority key identifier, else the subject's own, hexadecimal; "" = none. */
  authority: string;
  /** Octets of the KeyUsage bit string, hexadecimal; "" = no such extension. */
  keyUsage: string;
  /** Object identifiers of ExtendedKeyUsage. */
  extended: readonly string[];
}

/** SFIDDESC, octets. */
const LONGEST = 999;

export function clidOf(certificate: X509Certificate): Clid {
  const { tbsCertificate: tbs } = AsnConvert.parse(certificate.raw, Certificate);
  const extension = (oid: string) => tbs.extensions?.find(({ extnID }) => extnID === oid)?.extnValue.buffer;
  const hex = (octets: ArrayBuffer) => Buffer.from(octets).toString("hex");
  const usage = extension(id_ce_keyUsage);
  const extended = extension(id_ce_extKeyUsage);
  const authority = extension(id_ce_authorityKeyIdentifier);
  const key = authority && AsnConvert.parse(authority, AuthorityKeyIdentifier).keyIdentifier?.buffer;
  const subject = extension(id_ce_subjectKeyIdentifier);
  const own = subject && AsnConvert.parse(subject, SubjectKeyIdentifier).buffer;
  return {
    issuer: nameText(tbs.issuer),
    subject: nameText(tbs.subject),
    serial: serialText(certificate.serialNumber),
    authority: key ? hex(key) : own ? hex(own) : "",
    // BIT STRING: tag, length, number of unused bits, then the octets
    keyUsage: usage ? hex(usage).slice(6) : "",
    extended: extended ? [...AsnConvert.parse(extended, ExtendedKeyUsage)] : [],
  };
}

/** SFIDDESC: lines in the fixed order, the last two left out where they do not fit. */
export function clidText(clid: Clid): string {
  const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
  const lines = [`I=${base64(clid.issuer)}`, `N=${clid.serial}`, `A=${clid.authority}`, `B=${clid.keyUsage}`];
  const more = [
    ...(clid.extended.length > 0 ? [`E=${clid.extended.join(",")}`] : []),
    ...(clid.subject === "" ? [] : [`S=${base64(clid.subject)}`]),
  ];
  for (const line of more) {
    if (lines.join("\n").length + 1 + line.length > LONGEST) break;
    lines.push(line);
  }
  return lines.join("\n");
}

/** Reads SFIDDESC; null when it is no CLID but some other text, or empty. */
export function parseClid(text: string): Clid | null {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, key, value = ""] = /^\s*([A-Z])=(.*)$/.exec(line) ?? [];
    if (key !== undefined && !fields.has(key)) fields.set(key, value.trim());
  }
  const [issuer, serial] = [fields.get("I"), fields.get("N")];
  if (!issuer || !serial || !/^[0-9a-f: ]+$/i.test(serial)) return null;
  return {
    issuer: decoded(issuer),
    subject: decoded(fields.get("S") ?? ""),
    serial: serialText(serial),
    authority: hexText(fields.get("A") ?? ""),
    keyUsage: hexText(fields.get("B") ?? ""),
    extended: (fields.get("E") ?? "").split(",").flatMap((oid) => oid.trim() || []),
  };
}

/** Names this very certificate. */
export function isInstance(clid: Clid, certificate: X509Certificate): boolean {
  const own = clidOf(certificate);
  return clid.serial === own.serial && sameName(clid.issuer, own.issuer);
}

/** Names this certificate, or one of the same owner for the same purpose, before or after it. */
export function identifies(clid: Clid, certificate: X509Certificate): boolean {
  const own = clidOf(certificate);
  const subjects = clid.subject !== "" && own.subject !== "";
  const uses = clid.extended.length > 0 && own.extended.length > 0;
  return (
    sameName(clid.issuer, own.issuer) &&
    clid.keyUsage === own.keyUsage &&
    (!subjects || sameName(clid.subject, own.subject)) &&
    (!uses || [...clid.extended].sort().join() === [...own.extended].sort().join())
  );
}

function serialText(hex: string): string {
  return hexText(hex).replace(/^0+(?=.)/, "");
}

function hexText(hex: string): string {
  return hex.toLowerCase().replace(/[^0-9a-f]/g, "");
}

/** Base64 of UTF-8, which some write as the plain text. */
function decoded(value: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return value;
  return Buffer.from(value, "base64").toString("utf8");
}
