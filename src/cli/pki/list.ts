/** `cygnet pki list` and `show`: what is there, and everything about one. */
import { type CommonOptions, print, printJson } from "../context.ts";
import { type Colour, renderTable, tableTarget } from "../table.ts";
import { type CertificateRecord, knownCertificates, pick, recordOf } from "./known.ts";
import { openScope } from "./scope.ts";

export interface ListOptions extends CommonOptions {
  part?: string;
  state?: string;
  expiring?: number;
}

/** Days left at which a line turns yellow. */
const SOON = 30;

export async function list(options: ListOptions): Promise<void> {
  const { part, state, expiring } = options;
  const known = await knownCertificates(await openScope(options));
  const records = known
    .map(recordOf)
    .filter((one) => part === undefined || one.part === part)
    .filter((one) => state === undefined || one.state === state)
    .filter((one) => expiring === undefined || one.days <= expiring);
  if (options.json) return printJson(records);
  const columns = [
    { title: "ID", value: (row: CertificateRecord) => row.id },
    { title: "PART", value: (row: CertificateRecord) => row.part },
    { title: "STATE", value: (row: CertificateRecord) => row.state, colour: stateColour },
    { title: "UNTIL", value: (row: CertificateRecord) => row.until.slice(0, 10) },
    {
      title: "DAYS",
      value: (row: CertificateRecord) => row.days,
      align: "right" as const,
      colour: daysColour,
    },
    { title: "USAGE", value: (row: CertificateRecord) => row.usage.join(","), shrink: true },
    { title: "SHA-256", value: (row: CertificateRecord) => `${row.sha256.slice(0, 23)}…` },
    { title: "SUBJECT", value: (row: CertificateRecord) => row.subject, shrink: true },
  ];
  if (records.length === 0) console.error("there is no such certificate");
  else print(renderTable(columns, records, tableTarget(process.stdout)));
}

function stateColour({ state }: CertificateRecord): Colour | undefined {
  if (state === "pending") return "yellow";
  return state === "active" || state === "act" ? undefined : "grey";
}

function daysColour({ days }: CertificateRecord): Colour | undefined {
  return days < 0 ? "red" : days < SOON ? "yellow" : undefined;
}

export async function show(wanted: string, options: CommonOptions & { part?: string }): Promise<void> {
  const known = await knownCertificates(await openScope(options));
  const record = recordOf(pick(known, wanted, options.part));
  if (options.json) return printJson(record);
  const day = (iso: string | null) => (iso ?? "").replace("T", " ").slice(0, 19);
  const left = record.days < 0 ? `expired ${-record.days} days ago` : `${record.days} days left`;
  const words = (list: readonly string[] | null) =>
    list === null ? "not said" : list.join(", ") || "nothing";
  const rows: [string, string][] = [
    ["id", record.source === "pki" ? `[[pki]] ${record.id}, ${record.file}` : record.id],
    ["owner", record.part || (record.own ? "this site (with its private key)" : "nobody in particular")],
    ["state", `${record.state}${record.note === "" ? "" : ` (${record.note})`}`],
    ["subject", record.subject],
    ["issuer", record.issuer === record.subject ? "itself" : record.issuer],
    ["serial", record.serial],
    ["valid", `${day(record.from)} to ${day(record.until)} UTC, ${left}`],
    ["used for", record.usage.join(", ")],
    ["key", record.key],
    ["key usage", words(record.keyusage)],
    ["extended", words(record.extkeyusage)],
    ["names", record.names],
    ["chain", record.chain.join("; ")],
    ["came", record.at === null ? "" : `${day(record.at)} UTC by ${record.origin} ${record.idtu}`.trimEnd()],
    ["changed", day(record.changed)],
    ["SHA-256", record.sha256],
    ["SHA-1", record.sha1],
  ];
  const lines = rows.filter(([, text]) => text !== "");
  const columns = [
    { title: "", value: ([name]: [string, string]) => name },
    { title: "", value: ([, text]: [string, string]) => text },
  ];
  // the table's way of escaping what a certificate may hold, without its titles and cuts
  const target = { tty: false, width: 0, colour: false };
  print(
    renderTable(columns, lines, target)
      .split("\n")
      .map((line) => line.replace(/^([^\t]*)\t/, (_, name: string) => name.padEnd(11)))
      .join("\n"),
  );
}
