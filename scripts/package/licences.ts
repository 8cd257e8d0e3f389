/** /usr/share/doc/cygnet/copyright: whose work is in the package, and on which terms. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { InstalledPackage } from "./closure.ts";

const LICENCE_FILE = /^(licen[cs]e|copying|notice|copyright)([.-].*)?$/i;
/** Debian machines have this text; copies of it are not allowed in packages. */
const COMMON_APACHE = "/usr/share/common-licenses/Apache-2.0";
const APACHE =
  /[ \t]*Apache License\s+Version 2\.0, January 2004[\s\S]{0,14000}?END OF TERMS AND CONDITIONS/g;
const REFERENCE = `Apache License, Version 2.0: the terms are in ${COMMON_APACHE}`;

/** The file's text. Texts that several packages share stand once. */
export function copyrightFile(root: string, packages: readonly InstalledPackage[]): string {
  const texts = new Map<string, string[]>();
  for (const each of packages) {
    const text = licenceText(root, each);
    texts.set(text, [...(texts.get(text) ?? []), `${each.name} ${each.version} (${each.licence})`]);
  }
  return [
    "Cygnet is licensed under the Apache License, version 2.0; on Debian systems its text is in",
    `${COMMON_APACHE}.`,
    "",
    "Copyright: the Cygnet authors",
    "",
    "The package contains the work of others below /usr/lib/cygnet. A bill of materials in machine-readable form is",
    "/usr/lib/cygnet/sbom.cdx.json. These are their terms:",
    "",
    ...[...texts].flatMap(([text, names]) => ["-".repeat(100), ...names, "", text, ""]),
  ].join("\n");
}

function licenceText(root: string, { path, licence }: InstalledPackage): string {
  const folder = join(root, path);
  const names = readdirSync(folder)
    .filter((name) => LICENCE_FILE.test(name))
    .sort();
  const texts = names.map((name) => readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n").trim());
  if (texts.length === 0) {
    const { author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { author?: unknown };
    return `The package brings no text; it declares ${licence}. Author: ${authorName(author)}`;
  }
  return texts.map((text) => text.replace(APACHE, REFERENCE)).join("\n\n");
}

function authorName(author: unknown): string {
  if (typeof author === "string") return author;
  return (author as { name?: string } | undefined)?.name ?? "not named";
}
