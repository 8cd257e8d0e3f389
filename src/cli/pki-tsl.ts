/** `cygnet pki tsl`: the trust list whose authorities stand for "@tsl" in every rootcid. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { loadMaterial } from "../pki/material.ts";
import { anchorsOf, parseTrustList } from "../pki/trust/tsl.ts";
import {
  type ImportedList,
  importedList,
  overdue,
  storeList,
  TSL_ID,
  trustListFile,
} from "../pki/trust/tsl-store.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { type CommonOptions, Failed, localTime, places, print, printJson } from "./context.ts";
import { renderTable, tableTarget } from "./table.ts";

interface Authority {
  subject: string;
  expires: string;
  fingerprint: string;
}

/** Adds the `tsl` commands below `pki`; `common` gives a command what every command has. */
export function tslCommands(pki: Command, common: (command: Command) => Command): void {
  const tsl = pki
    .command("tsl")
    .description(`the imported trust list; its authorities stand for "${TSL_ID}" in every rootcid`);
  common(tsl.command("import <file>"))
    .description("verify a trust list (ETSI TS 102 231, XML) and put it in force")
    .requiredOption(
      "-s, --signer <file...>",
      "certificate of whoever signs the list (PEM or DER), from a safe source",
    )
    .action(importTrustList);
  common(tsl.command("show")).description("show the trust list in force").action(showTrustList);
}

export async function importTrustList(
  file: string,
  options: CommonOptions & { signer: string[] },
): Promise<void> {
  const { rundir } = await places(options);
  const signers = (
    await Promise.all(options.signer.map((path) => loadMaterial({ id: "--signer", file: path })))
  ).flatMap(({ all }) => all);
  const now = Date.now();
  const valid = signers.filter(
    ({ validFrom, validTo }) => Date.parse(validFrom) <= now && now <= Date.parse(validTo),
  );
  if (valid.length === 0)
    throw new Failed("the signer's certificate is outside its validity; get the current one");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new CygnetError("CYG_TSL_FILE", `${file} cannot be read: ${describe(cause)}`, { cause });
  }
  const list = parseTrustList(text, valid);
  await storeList(rundir, list, text, now);
  const anchors = anchorsOf(list);
  if (options.json) {
    printJson({ sequence: list.sequence, operator: list.operator, authorities: anchors.length });
    return;
  }
  const others = list.services.filter(({ trusted }) => !trusted).length;
  print(
    `trust list ${list.sequence} of ${list.operator || "an unnamed operator"}: ${anchors.length} authorities are trusted` +
      (others > 0 ? `, ${others} services are not (not in accord, or no authorities)` : ""),
  );
  print(`"cygnet reload" puts it into force in a running gateway, where rootcid names "${TSL_ID}"`);
  warnOverdue(list);
}

export async function showTrustList(options: CommonOptions): Promise<void> {
  const { rundir } = await places(options);
  const list = await importedList(rundir);
  if (list === null) {
    throw new Failed(
      "no trust list has been imported; cygnet pki tsl import FILE --signer CERTIFICATE does it",
    );
  }
  const { all } = await loadMaterial({ id: TSL_ID, file: trustListFile(rundir) });
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  const authorities = all.map(
    (one): Authority => ({
      subject: one.subject.replaceAll("\n", ", "),
      expires: new Date(one.validTo).toISOString(),
      fingerprint: one.fingerprint256,
    }),
  );
  if (options.json) {
    const { issued, nextUpdate, imported, ...rest } = list;
    const times = { issued: time(issued), nextUpdate: time(nextUpdate), imported: time(imported) };
    printJson({ ...rest, ...times, authorities });
    return;
  }
  print(`trust list ${list.sequence} of ${list.operator || "an unnamed operator"}`);
  print(`issued ${localTime(time(list.issued))}, imported ${localTime(time(list.imported))}`);
  print(
    list.nextUpdate === null
      ? "no next list is announced"
      : `the next is due ${localTime(time(list.nextUpdate))}`,
  );
  print(`signed by ${list.signer}`);
  const columns = [
    { title: "AUTHORITY", value: ({ subject }: Authority) => subject, shrink: true },
    { title: "EXPIRES", value: ({ expires }: Authority) => expires.slice(0, 10) },
    { title: "SHA-256", value: ({ fingerprint }: Authority) => fingerprint },
  ];
  print(renderTable(columns, authorities, tableTarget(process.stdout)));
  warnOverdue(list);
}

function warnOverdue(list: Pick<ImportedList, "sequence" | "nextUpdate">): void {
  const late = overdue(list, Date.now());
  if (late) console.error(`cygnet: ${late}`);
}
