/** `cygnet pki`: keys and certificates. What each command does stands in `pki/`. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { EXCHANGE_KINDS, type ExchangeKind } from "../pki/exchange/kinds.ts";
import { USAGES, type Usage } from "../pki/usage.ts";
import type { CommonOptions } from "./context.ts";
import type { DecideOptions } from "./pki/decide.ts";
import type { ExchangeOptions } from "./pki/exchange.ts";
import type { ExportOptions } from "./pki/export.ts";
import type { ImportOptions } from "./pki/import.ts";
import type { InitOptions } from "./pki/init.ts";
import type { ListOptions } from "./pki/list.ts";

const STATES = ["act", "inact", "pending", "active", "retired", "refused"];
const MANY = (value: string, before: readonly string[] = []) => [...before, value];

type Maker = (name: string, summary: string, details?: string) => Command;

/**
 * Adds the commands below `pki`; `command` makes one with the options that all have, `far` one that a gateway elsewhere
 * can carry out, too.
 */
export function addPkiCommands(command: Maker, far: Maker): void {
  const usage = (words: string) =>
    new Option("-u, --usage <list>", `${words}: ${USAGES.join(", ")}`).argParser(parseUsage);

  command(
    "init",
    "make a key and a certificate, or a request for one",
    "Prints the [[pki]] table to paste. Nothing is ever overwritten.",
  )
    .argument("<id>", "id of the new [[pki]]")
    .option("--cn <name>", "common name (default: the first host)")
    .option("--host <name>", "host name or address that partners call; may be repeated", MANY)
    .option("--odette-id <code>", "our identification code, as the subject's serialNumber", parseCode)
    .option("--org <name>", "organisation")
    .option("--country <code>", "country, two letters", parseCountry)
    .option("--days <count>", "validity of a self-signed certificate", parseDays, 825)
    .addOption(
      new Option("--key-size <bits>", "bits of the RSA key")
        .choices(["2048", "3072", "4096"])
        .default("3072"),
    )
    .addOption(usage("what it is for (default: everything)"))
    .option("--csr", "make a request for a certificate authority instead of a certificate")
    .option("--password <reference>", "encrypt the key with the passphrase in file:PATH or env:NAME")
    .option("--directory <folder>", "where the files go (default: pki/ under rundir)")
    .option("--write", "put the table into the first include directory as pki-ID.toml")
    .option("--inactive", 'with state = "inact": it is not to sign before the partners have it')
    .action(async (id: string, options: Omit<InitOptions, "keySize"> & { keySize: string }) => {
      const keySize = Number(options.keySize) as InitOptions["keySize"];
      await (await import("./pki/init.ts")).init(id, { ...options, keySize });
    });

  far(
    "import",
    "take in a partner's certificate, or an authority's answer to our request",
    "Any format: PEM, DER, PKCS#7, PKCS#12. A partner's certificate waits until it is accepted.",
  )
    .argument("<file>", "the file")
    .option("-p, --part <partner>", "the partner whose certificate it is")
    .option("--id <id>", "our key that it is an answer for")
    .addOption(usage("what it is for (default: what is usual and its KeyUsage permits)"))
    .option("--accept", "use it at once: its fingerprint has been compared")
    .option("--note <words>", "why, for those who come later")
    .option("--password <reference>", "passphrase of a PKCS#12 file or of our key: file:PATH or env:NAME")
    .option("--directory <folder>", "where the key of --id lies (default: pki/ under rundir)")
    .option("--write", "with --id: put the table into the first include directory as pki-ID.toml")
    .option("--inactive", 'with --id: the table has state = "inact"')
    .action(async (file: string, options: ImportOptions) =>
      (await import("./pki/import.ts")).importFile(file, options),
    );

  far(
    "list",
    "list certificates, ours and the partners'",
    "States: act and inact of a [[pki]]; pending, active, retired, refused of the certificate store.",
  )
    .option("-p, --part <partner>", "only this partner's")
    .addOption(new Option("-s, --state <state>", "only this state").choices(STATES))
    .option("-e, --expiring <days>", "only those with at most so many days left, or none", parseDays)
    .action(async (options: ListOptions) => (await import("./pki/list.ts")).list(options));

  const which = "id of a [[pki]], or a SHA-256 fingerprint or its first eight digits or more";
  far("show", "show everything about one certificate")
    .argument("<certificate>", which)
    .option("-p, --part <partner>", "of this partner")
    .action(async (wanted: string, options: CommonOptions & { part?: string }) =>
      (await import("./pki/list.ts")).show(wanted, options),
    );

  command("export", "write a certificate for somebody else", "Never a private key.")
    .argument("<certificate>", which)
    .option("-p, --part <partner>", "of this partner")
    .option("--der", "DER instead of PEM")
    .option("--chain", "with the certificates that issued it, as far as they are at hand")
    .option("-o, --out <file>", "write to a new file instead of standard output")
    .action(async (wanted: string, options: ExportOptions) =>
      (await import("./pki/export.ts")).exportCertificate(wanted, options),
    );

  far(
    "exchange",
    "send certificates of this site to a partner over OFTP",
    "request: here is mine, send me yours. deliver: here is mine, beside the one that you have.\n" +
      "replace: here is mine, stop using the others now. Each goes as a transfer; its response is the answer.",
  )
    .addArgument(new Argument("<kind>", "what the partner is to do").choices([...EXCHANGE_KINDS]))
    .requiredOption("-p, --part <partner>", "whom to send it to")
    .option("--id <pki>", "which [[pki]] (default: all that are in use; for request the first of them)")
    .option("--replaces <pki>", "describe it as the successor of this [[pki]]")
    .action(async (kind: ExchangeKind, options: ExchangeOptions) =>
      (await import("./pki/exchange.ts")).exchange(kind, options),
    );

  const verbs = [
    ["accept", "use a partner's certificate from now on", "Compare its fingerprint with the partner first."],
    ["refuse", "never use a certificate that waits", ""],
    ["retire", "take a partner's certificate out of use", "Signatures by it no longer verify."],
  ] as const;
  for (const [verb, summary, details] of verbs) {
    far(verb, summary, details)
      .argument("<fingerprint>", "SHA-256 fingerprint, or its first eight digits or more")
      .option("-p, --part <partner>", "of this partner")
      .option("--note <words>", "why, for those who come later")
      .action(async (wanted: string, options: DecideOptions) =>
        (await import("./pki/decide.ts")).decide(verb, wanted, options),
      );
  }
}

function parseUsage(text: string): Usage[] {
  const words = text.split(",").map((word) => word.trim());
  const wrong = words.filter((word) => !USAGES.includes(word as Usage));
  if (wrong.length > 0) throw new InvalidArgumentError(`"${wrong.join(", ")}"; for example: sign,encrypt`);
  return [...new Set(words)] as Usage[];
}

function parseDays(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("a number of days from 0 to 99999 is needed");
  return Number(text);
}

function parseCountry(text: string): string {
  if (!/^[A-Za-z]{2}$/.test(text)) throw new InvalidArgumentError("two letters are needed, for example DE");
  return text.toUpperCase();
}

function parseCode(text: string): string {
  if (/^[0-9A-Z&()./-][0-9A-Z &()./-]{0,24}$/.test(text)) return text;
  throw new InvalidArgumentError("1 to 25 characters out of digits, A-Z, space and & ( ) - . / are needed");
}
