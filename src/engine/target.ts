/**
 * Where a received file goes. What came over the wire becomes single, safe path components, and whatever a template makes
 * of them, the file stays below the directory that the flow names.
 */
import { dirname, resolve } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import type { Configuration, Recv } from "../config/model.ts";
import { substitute } from "../config/symbols.ts";
import { receiveVariables } from "../config/variables.ts";
import { DATASHEET_NAMES } from "../datasheet/datasheet.ts";
import { CygnetError } from "../platform/errors.ts";
import type { FileSystem } from "../platform/filesystem.ts";
import { wayOut } from "../spool/jail.ts";
import { datasetName, safeName } from "../spool/names.ts";
import { fileDate } from "./file-date.ts";

/** What of a transfer a name is made of. */
export type Named = Pick<
  Transfer,
  "part" | "idf" | "idtu" | "nfname" | "description" | "date" | "time" | "kdate" | "orig" | "dest"
>;

const BUILT_IN: Recv = {
  id: "",
  fname: "inbox/&PART/&NFNAME",
  workingdir: "",
  fdisp: "both",
  faction: "",
  fdelete: "",
  rkerror: "delete",
  fcheck: false,
  frecfm: "U",
  flrecl: 0,
  exec: null,
  exece: null,
  ackmode: "auto",
  fcode: "binary",
  ftype: "T",
  xlate: "",
};

/** Datasheets of partners are put aside for a person: nothing in them acts by itself. */
const REVIEW: Recv = { ...BUILT_IN, fname: "partners-received/&PART/&NFNAME.xml" };

/** The flow template of a received file: its own, else the site's default. */
export function receiveFlow(
  { cftrecv, cftparm }: Configuration,
  { idf, nfname }: Pick<Named, "idf" | "nfname">,
): Recv {
  if (isDatasheet(nfname)) return REVIEW;
  return cftrecv.get(idf) ?? cftrecv.get(cftparm.default) ?? BUILT_IN;
}

/** Whether a dataset name is one that is reserved for datasheets. */
export function isDatasheet(dsn: string): boolean {
  return DATASHEET_NAMES.includes(dsn.toUpperCase());
}

/** The final name, absolute, where nothing stands in its way. */
export function targetOf(configuration: Configuration, transfer: Named, now: Date): string {
  const { cftparm, cftpart } = configuration;
  const flow = receiveFlow(configuration, transfer);
  const name = nameOf(transfer);
  const { part: id, idf, idtu, dest, orig } = transfer;
  const variables = receiveVariables({
    site: cftparm.part,
    part: cftpart.get(id) ?? { id, nspart: dest, nrpart: orig },
    ...{ idf, idtu, name, nfname: name, now },
    fileDate: fileDate(transfer),
  });
  const safe = Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, tame(value)]));
  return resolve(flow.workingdir || cftparm.rundir, substitute(flow.fname, safe));
}

/**
 * Makes sure that a name stays where its flow may write: below `workingdir`, where not even a symbolic link leads out, or
 * else below that part of `fname` in which no name from the wire stands.
 * @throws CygnetError CYG_DELIVERY_OUTSIDE
 */
export async function confine(
  disk: FileSystem,
  { cftparm }: Configuration,
  { workingdir, fname }: Recv,
  target: string,
): Promise<void> {
  const [literal = ""] = fname.split("&");
  const written = fname.includes("&") ? literal.replace(/[^/]*$/, "") : dirname(fname);
  const jail = workingdir || resolve(cftparm.rundir, written);
  const out = await wayOut(workingdir === "" ? null : disk, jail, target);
  if (out !== undefined)
    throw new CygnetError("CYG_DELIVERY_OUTSIDE", `${target} is not below ${jail}: ${out}`);
}

/** An empty variable stays empty (a template may give an alternate); anything else becomes one component. */
function tame(value: string): string {
  return value === "" ? "" : safeName(value);
}

/**
 * The name that the sender means: its description, when the dataset name is just that name made to fit
 * (capitals, 26 characters), else the dataset name.
 */
function nameOf({ nfname, description }: Named): string {
  return description !== "" && datasetName(description) === nfname ? description : nfname;
}
