/** `cygnet pki list` and `show`: what is there, and everything about one. */
import {
  type CertificateDetail,
  handoversOf,
  knownCertificates,
  pick,
  recordOf,
} from "../../engine/certificates/known.ts";
import { Handovers, handoverDirectory } from "../../pki/handovers.ts";
import { ask } from "../client.ts";
import { type CommonOptions, print, printJson } from "../context.ts";
import { type Colour, renderTable, tableTarget } from "../table.ts";
import { remoteTarget } from "../target.ts";
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
  const records = (await details(options))
    .filter((one) => part === undefined || one.part === part)
    .filter((one) => state === undefined || one.state === state)
    .filter((one) => expiring === undefined || one.days <= expiring);
  if (options.json) return printJson(records);
  const columns = [
    { title: "ID", value: (row: CertificateDetail) => row.id },
    { title: "PART", value: (row: CertificateDetail) => row.part },
    { title: "STATE", value: (row: CertificateDetail) => row.state, colour: stateColour },
    { title: "UNTIL", value: (row: CertificateDetail) => row.until.slice(0, 10) },
    {
      title: "DAYS",
      value: (row: CertificateDetail) => row.days,
      align: "right" as const,
      colour: daysColour,
    },
    { title: "USAGE", value: (row: CertificateDetail) => row.usage.join(","), shrink: true },
    { title: "SHA-256", value: (row: CertificateDetail) => `${row.sha256.slice(0, 23)}…` },
    { title: "SUBJECT", value: (row: CertificateDetail) => row.subject, shrink: true },
    {
      title: "PARTNERS",
      value: (row: CertificateDetail) =>
        row.handovers.map(({ part: to, answer }) => `${to} ${answer || "no answer"}`).join(", "),
      shrink: true,
    },
  ];
  if (records.length === 0) console.error("there is no such certificate");
  else print(renderTable(columns, records, tableTarget(process.stdout)));
}

/** Of a gateway elsewhere by its API; here by what stands on disk, whether a gateway runs or not. */
async function details(options: CommonOptions): Promise<CertificateDetail[]> {
  const remote = remoteTarget(options);
  if (remote) return ask(remote, "GET", "/certificates");
  const scope = await openScope(options);
  const handovers = await Handovers.open(handoverDirectory(scope.rundir));
  const known = await knownCertificates(scope, (text) => console.error(`warning: ${text}`));
  return known.map((one) => ({ ...recordOf(one), handovers: handoversOf(handovers, one) }));
}

async function detail(
  wanted: string,
  options: CommonOptions & { part?: string },
): Promise<CertificateDetail> {
  const { part } = options;
  const remote = remoteTarget(options);
  if (remote) {
    const query = part === undefined ? "" : `?${new URLSearchParams({ part })}`;
    return ask(remote, "GET", `/certificates/${encodeURIComponent(wanted)}${query}`);
  }
  const scope = await openScope(options);
  const known = await knownCertificates(scope, (text) => console.error(`warning: ${text}`));
  const found = pick(known, wanted, part);
  const handovers = await Handovers.open(handoverDirectory(scope.rundir));
  return { ...recordOf(found), handovers: handoversOf(handovers, found) };
}

function stateColour({ state }: CertificateDetail): Colour | undefined {
  if (state === "pending") return "yellow";
  return state === "active" || state === "act" ? undefined : "grey";
}

function daysColour({ days }: CertificateDetail): Colour | undefined {
  return days < 0 ? "red" : days < SOON ? "yellow" : undefined;
}

export async function show(wanted: string, options: CommonOptions & { part?: string }): Promise<void> {
  const record = await detail(wanted, options);
  const { handovers } = record;
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
    ...handovers.map(({ part, kind, at, answer, text }): [string, string] => {
      const verb = { request: "requested from", deliver: "delivered to", replace: "replaced at" }[kind];
      const outcome = `${answer || "no answer yet"}${text === "" ? "" : `: ${text}`}`;
      return ["handed over", `${verb} ${part} ${day(at).slice(0, 10)}, ${outcome}`];
    }),
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
