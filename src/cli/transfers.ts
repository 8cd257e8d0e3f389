/** `cygnet send`, `recv`, `end`, `listcat`, `display`: transfers. */
import { open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { detailOf, recordOf, type TransferRecord } from "../admin/record.ts";
import type { TransferFilter } from "../catalog/catalog.ts";
import { readCatalog } from "../catalog/view.ts";
import { describe } from "../platform/errors.ts";
import { ask, askWhole, NotRunning } from "./client.ts";
import { type CommonOptions, Failed, localTime, octets, places, print, printJson, split } from "./context.ts";
import { renderTable, tableTarget } from "./table.ts";
import { remoteTarget, type Target, targetOf } from "./target.ts";

export interface SendOptions extends CommonOptions {
  part: string;
  idf?: string;
  nfname?: string;
  state?: "disp" | "hold" | "keep";
  wait?: boolean;
}

export async function send(file: string, options: SendOptions): Promise<void> {
  const target = await targetOf(options);
  const { part, idf, nfname, state } = options;
  const request = defined({ part, idf, nfname, state });
  let transfer = await submit(target, file, request);
  if (options.wait) transfer = await settled(target, transfer, options.json !== true);
  if (options.json) printJson(transfer);
  else print(summary(transfer));
  if ((stopped(transfer) && transfer.diagi !== 0) || transfer.ack === "N") {
    throw new Failed(
      options.json ? "" : `${transfer.idtu}: ${transfer.diagc || "not sent"} (DIAGI ${transfer.diagi})`,
    );
  }
}

/** A gateway here copies the file; one elsewhere is given its octets. */
async function submit(
  target: Target,
  file: string,
  request: { part: string; idf?: string; nfname?: string; state?: string },
): Promise<TransferRecord> {
  if (typeof target === "string") {
    return ask<TransferRecord>(target, "POST", "/transfers", { ...request, file: resolve(file) });
  }
  const path = `/uploads/${encodeURIComponent(basename(file))}?${new URLSearchParams(request)}`;
  const handle = await open(file).catch((error: unknown) => {
    throw new Failed(`${file} cannot be read: ${describe(error)}`);
  });
  const octets = handle.createReadStream();
  return (await askWhole<TransferRecord>(target, "PUT", path, { octets })).value;
}

/** True for what does not go on by itself. Held in phase Z means waiting for the response, which is no fault. */
function stopped({ phase, phasestep }: TransferRecord): boolean {
  return phasestep === "K" || (phasestep === "H" && phase !== "Z");
}

/** Waits until a transfer has ended or needs an operator, with its progress on a terminal. */
async function settled(target: Target, first: TransferRecord, show: boolean): Promise<TransferRecord> {
  const progress = show && process.stderr.isTTY === true;
  let transfer = first;
  while (transfer.state !== "X" && !stopped(transfer)) {
    await new Promise((done) => setTimeout(done, 200));
    transfer = await ask<TransferRecord>(target, "GET", `/transfers/${first.idtu}`);
    if (progress) process.stderr.write(`\r${bar(transfer)}\u001b[K`);
  }
  if (progress) process.stderr.write("\r\u001b[K");
  return transfer;
}

function bar({ idtu, state, bytes, filesize }: TransferRecord): string {
  const part = filesize === 0 ? 1 : Math.min(bytes / filesize, 1);
  const filled = Math.round(part * 30);
  const drawn = `${"█".repeat(filled)}${"░".repeat(30 - filled)}`;
  return `${idtu} ${drawn} ${Math.round(part * 100)}% of ${octets(filesize)}, state ${state}`;
}

function summary({ idtu, part, idf, state, ack }: TransferRecord): string {
  return `${idtu} to ${part} (${idf}): state ${state}${ack === "" ? "" : `, ack ${ack}`}`;
}

export async function recv(options: CommonOptions & { part: string }): Promise<void> {
  const target = await targetOf(options);
  const path = `/partners/${encodeURIComponent(options.part)}/call`;
  const answer = await ask<{ called: string }>(target, "POST", path);
  if (options.json) printJson(answer);
  else print(`${answer.called} is given the turn: what it holds for us will come`);
}

export async function end(
  idtu: string,
  options: CommonOptions & { reject?: string; text?: string },
): Promise<void> {
  const target = await targetOf(options);
  const verdict = { reason: Number(options.reject ?? 0), text: options.text ?? "" };
  const path = `/transfers/${encodeURIComponent(idtu)}/end`;
  const transfer = await ask<TransferRecord>(target, "POST", path, verdict);
  if (options.json) printJson(transfer);
  else print(`${idtu}: ${options.reject ? `rejected with reason ${options.reject}` : "accepted"}`);
}

export interface ListOptions extends CommonOptions, Omit<TransferFilter, "idtu"> {
  content?: "brief" | "full";
}

export async function listcat(given: ListOptions): Promise<void> {
  const [options, { content = "brief", ...filter }] = split(given);
  const transfers = await list(options, filter);
  // the words of a fault are for display: these keys are a contract with programs
  if (options.json) {
    return printJson(content === "full" ? transfers : transfers.map(({ diagc: _, ...record }) => record));
  }
  const target = tableTarget(process.stdout);
  if (transfers.length === 0 && target.tty) return print("no transfers");
  print(renderTable(content === "full" ? [...COLUMNS, ...MORE] : COLUMNS, transfers, target));
}

/** What was given, without what was not. */
export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** From the running gateway, or from its catalog when none runs. */
async function list(options: CommonOptions, filter: TransferFilter): Promise<TransferRecord[]> {
  const remote = remoteTarget(options);
  if (remote) return pages(remote, filter);
  const { socket, catalog } = await places(options);
  try {
    return await pages(socket, filter);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
  }
  const view = readCatalog(catalog);
  try {
    return (await view.list(filter)).map(recordOf);
  } finally {
    await view.close();
  }
}

/** Most records of one answer. */
const PAGE = 5000;

/** As many pages as the limit asks for. */
async function pages(target: Target, { limit = 100, ...filter }: TransferFilter): Promise<TransferRecord[]> {
  const query = new URLSearchParams(
    Object.entries(filter).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const found: TransferRecord[] = [];
  let after: string | null = null;
  do {
    query.set("limit", String(Math.min(PAGE, limit - found.length)));
    if (after !== null) query.set("after", after);
    const { value, next }: { value: TransferRecord[]; next: string | null } = await askWhole(
      target,
      "GET",
      `/transfers?${query}`,
    );
    found.push(...value);
    after = next === null ? null : new URLSearchParams(next.split("?")[1]).get("after");
  } while (after !== null && found.length < limit);
  return found;
}

export const COLUMNS = [
  { title: "IDTU", value: (row: TransferRecord) => row.idtu },
  { title: "DIRECT", value: (row: TransferRecord) => row.direct },
  { title: "PART", value: (row: TransferRecord) => row.part },
  { title: "IDF", value: (row: TransferRecord) => row.idf, shrink: true },
  {
    title: "STATE",
    value: (row: TransferRecord) => `${row.phase}${row.phasestep}`,
    colour: (row: TransferRecord) =>
      row.state === "X" ? ("green" as const) : stopped(row) ? ("red" as const) : undefined,
  },
  { title: "ACK", value: (row: TransferRecord) => row.ack },
  { title: "DIAGI", value: (row: TransferRecord) => row.diagi || "", align: "right" as const },
  { title: "SIZE", value: (row: TransferRecord) => octets(row.filesize), align: "right" as const },
  { title: "REQUESTED", value: (row: TransferRecord) => localTime(row.kdate) },
  { title: "FILE", value: (row: TransferRecord) => row.fname || row.nfname, shrink: true },
];

/** What `listcat --content full` shows beside. */
const MORE = [
  { title: "MODE", value: (row: TransferRecord) => row.mode },
  { title: "PROT", value: (row: TransferRecord) => row.prot },
  { title: "DIAGP", value: (row: TransferRecord) => row.diagp },
  { title: "BYTES", value: (row: TransferRecord) => octets(row.bytes), align: "right" as const },
  { title: "BEGUN", value: (row: TransferRecord) => localTime(row.bdate) },
  { title: "ENDED", value: (row: TransferRecord) => localTime(row.edate) },
  { title: "NFNAME", value: (row: TransferRecord) => row.nfname, shrink: true },
  { title: "DIAGC", value: (row: TransferRecord) => row.diagc, shrink: true },
];

export async function display(idtu: string, options: CommonOptions): Promise<void> {
  const record = await detail(idtu, options);
  if (options.json) return printJson(record);
  const width = Math.max(...Object.keys(record).map((name) => name.length));
  for (const [name, value] of Object.entries(record)) print(`${name.padEnd(width)}  ${value ?? ""}`);
}

async function detail(idtu: string, options: CommonOptions): Promise<ReturnType<typeof detailOf>> {
  const path = `/transfers/${encodeURIComponent(idtu)}`;
  const remote = remoteTarget(options);
  if (remote) return ask(remote, "GET", path);
  const { socket, catalog } = await places(options);
  try {
    return await ask(socket, "GET", path);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
  }
  const view = readCatalog(catalog);
  try {
    const transfer = await view.get(idtu);
    if (transfer === undefined) throw new Failed(`no transfer ${idtu}`);
    return detailOf(transfer);
  } finally {
    await view.close();
  }
}
