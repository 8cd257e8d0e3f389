/** The certificates of a datasheet as [[pki]] tables. */
import { X509Certificate } from "node:crypto";
import { purposesOf } from "../pki/exchange/purposes.ts";
import type { Usage } from "../pki/usage.ts";
import type { Datasheet, SheetCertificate } from "./datasheet.ts";
import { list, type Page, quoted } from "./page.ts";

/** The [[pki]] tables of the certificates of a datasheet, for what they are named for and their KeyUsage allows. */
export function certificateTables(
  sheet: Datasheet,
  local: { id: string; reference(name: string): string },
  page: Page,
): void {
  const named = usagesByName(sheet);
  const seen = new Set<string>();
  const authorities = new Set<string>();
  const add = (pkiId: string, der: Buffer, usage: readonly Usage[] | null, from: string) => {
    const certificate = new X509Certificate(der);
    const name = `${pkiId}.pem`;
    page.files.push({ name, content: Buffer.from(certificate.toString()), mode: 0o640 });
    page.table("pki");
    page.set("id", quoted(pkiId), from);
    page.set("part", quoted(local.id), "its owner");
    page.set("file", quoted(local.reference(name)), "X509Certificate");
    if (usage) page.set("usage", list(usage), "the CertificateRefs to it, as far as its KeyUsage allows");
    page.say(
      `${certificate.subject.replaceAll("\n", ", ")}; valid ${certificate.validFrom} to ${certificate.validTo}`,
    );
    page.say(`Compare before use: SHA-256 ${certificate.fingerprint256}`);
  };
  for (const [index, each] of sheet.certificates.entries()) {
    if (seen.has(each.der.toString("base64"))) continue;
    seen.add(each.der.toString("base64"));
    const allowed = purposesOf(new X509Certificate(each.der));
    const wanted = usagesOf(each, sheet.certificates, named);
    const usage = wanted.length > 0 ? allowed.filter((one) => wanted.includes(one)) : allowed;
    if (usage.length === 0) {
      page.lines.push("");
      page.say(
        `Certificate "${each.name}" serves only for TLS, which has no counterpart here, or forbids its use.`,
      );
      continue;
    }
    add(`${local.id.slice(0, 28)}-${index + 1}`, each.der, usage, `Certificate "${each.name}"`);
    for (const authority of each.authorities) authorities.add(authority.toString("base64"));
  }
  for (const [index, authority] of [...authorities].entries()) {
    const certificate = new X509Certificate(Buffer.from(authority, "base64"));
    page.lines.push("");
    page.say(
      `Authority ${index + 1} in the document, not taken over: trust in an authority is for this site to decide.`,
    );
    page.say(`${certificate.subject.replaceAll("\n", ", ")}; SHA-256 ${certificate.fingerprint256}`);
  }
}

/** The same certificate may stand under several names. */
function usagesOf(
  { der }: SheetCertificate,
  all: readonly SheetCertificate[],
  named: ReadonlyMap<string, Usage[]>,
): Usage[] {
  return all.filter((each) => each.der.equals(der)).flatMap(({ name }) => named.get(name) ?? []);
}

/** What each certificate is named for; one that is named for TLS alone has an empty place here. */
function usagesByName(sheet: Datasheet): Map<string, Usage[]> {
  const named = new Map<string, Usage[]>();
  const note = (names: readonly string[] | undefined, usage: Usage) => {
    for (const name of names ?? []) named.set(name, [...(named.get(name) ?? []), usage]);
  };
  for (const { inboundFiles, outboundFiles } of [sheet, ...sheet.substations]) {
    note(inboundFiles?.encryption.certificates, "encrypt");
    note(inboundFiles?.receipt.certificates, "receipt");
    note(outboundFiles?.signature.certificates, "sign");
  }
  note(sheet.session.authentication?.certificates, "auth");
  for (const { certificate } of sheet.inbound) if (certificate !== "") note([certificate], "tls");
  for (const { clientAuth } of sheet.outbound) note(clientAuth?.certificates, "tls");
  return named;
}
