/**
 * One file to many partners (CFTDEST): a parent record holds the file, a child for each partner is sent like any other.
 *
 * Invariants
 * - The parent waits in T/H with DIAGP DIFFUS and is never sent itself; it ends when its last child has.
 * - Children are made once each, whatever moment a crash chooses: what is missing is made at the next look.
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import type { Dest } from "../config/model.ts";
import { describe } from "../platform/errors.ts";
import { datasetName } from "../spool/names.ts";
import { keys, type Site } from "./site.ts";
import { describeSend } from "./submission.ts";

/** DIAGP of a parent. */
export const BROADCAST = "DIFFUS";
/** DIAGI of a list that cannot be read, and of a name in it that is no partner. */
const BAD_LIST = 132;
const NO_PARTNER = 408;
/** DIAGI of a parent with a child that stopped. */
const CHILD_STOPPED = 200;
const MOST = 1_000_000;
/** How the parent stands while children are under way, and when one of them needs an operator. */
const WAITING = { phasestep: "H", diagi: 0 } as const;
const STUCK = { phasestep: "K", diagi: CHILD_STOPPED } as const;

/** What is recorded for the parent. `nfname` is kept as it was asked for: its variables differ from child to child. */
export function describeBroadcast(site: Site, dest: Dest, idf: string, path: string, nfname = "") {
  const { cftparm } = site.configuration;
  return {
    hold: { step: "H" as const, diagi: 0, diagp: BROADCAST, diagc: "" },
    request: {
      ...{ part: dest.id, idf: idf || cftparm.default, nfname, dsn: datasetName(basename(path)) },
      // never on the line: the list itself, in the place of a station
      ...{ orig: cftparm.npart, dest: dest.id, description: "", pri: 0, ackstate: "require" as const },
      ...{ coarse: false, security: null, format: "U" as const, lrecl: 0 },
    },
  };
}

/** True for the record of a broadcast. */
export function isBroadcast({ diagp, direct, phase }: Pick<Transfer, "diagp" | "direct" | "phase">): boolean {
  return direct === "send" && phase === "T" && diagp === BROADCAST;
}

/** Makes missing children of broadcasts and ends those whose children have ended. Called whenever something may have. */
export async function reviewBroadcasts(site: Site): Promise<void> {
  for (const { id } of site.configuration.cftdest.values()) {
    for (const state of ["H", "K"]) {
      for (const parent of await site.catalog.list({ part: id, direct: "send", state, limit: MOST })) {
        if (!isBroadcast(parent)) continue;
        await review(site, parent).catch((error: unknown) => {
          site.journal.emit("CFTC70E", { ...keys(parent), text: `broadcast: ${describe(error)}` });
        });
      }
    }
  }
}

async function review(site: Site, parent: Transfer): Promise<void> {
  const { catalog } = site;
  // the claim of the file may still be under way; what an operator or a bad list has stopped waits for `start`
  if (parent.workfile === "" || (parent.diagi !== 0 && parent.diagi !== CHILD_STOPPED)) return;
  if (parent.diagc === "") return expand(site, parent);
  const { all, ended, refused, stuck } = await catalog.children(parent.idtu);
  if (ended < all) {
    const { phasestep, diagi } = stuck > 0 ? STUCK : WAITING;
    if (phasestep !== parent.phasestep) await catalog.transition(parent.idtu, parent, { phasestep, diagi });
    return;
  }
  const ack = refused > 0 ? ("N" as const) : ("A" as const);
  const edate = site.clock.now();
  const done = await catalog.transition(parent.idtu, parent, {
    phase: "X",
    phasestep: "X",
    ack,
    diagi: 0,
    edate,
  });
  if (!done) return;
  const over: Transfer = { ...parent, phase: "X", phasestep: "X", ack };
  await (refused > 0 ? site.spool.fail(over) : site.spool.settle(over));
}

/** Makes the children that are not there yet, then says in the parent how many there are. */
async function expand(site: Site, parent: Transfer): Promise<void> {
  const { catalog, configuration, spool, journal } = site;
  const dest = configuration.cftdest.get(parent.part);
  if (dest === undefined) return;
  let names: string[];
  try {
    names = await partnersOf(dest);
  } catch (error) {
    const diagc = `the list of ${dest.id} cannot be read: ${describe(error)}`;
    await catalog.transition(parent.idtu, parent, { phasestep: "K", diagi: BAD_LIST, diagc });
    journal.emit("CFTT34E", { ...keys(parent), text: diagc });
    return;
  }
  const strangers = names.filter((name) => !configuration.cftpart.has(name));
  for (const name of strangers) journal.emit("CFTT37I", { ...keys(parent), text: `${name} is no partner` });
  const diagc = `no partner: ${strangers.join(", ")}`;
  if (strangers.length > 0 && dest.nopart === "abort") {
    await catalog.transition(parent.idtu, parent, { phasestep: "K", diagi: NO_PARTNER, diagc });
    return;
  }
  const there = await catalog.list({ pidtu: parent.idtu, limit: MOST });
  for (const name of names) {
    const part = configuration.cftpart.get(name);
    if (part === undefined || there.some((child) => child.part === name)) continue;
    const workfile = await spool.share(parent, name);
    const { mtimeMs } = await site.disk.status(workfile);
    const asked = parent.nfname === "" ? {} : { nfname: parent.nfname };
    const { request, hold } = await describeSend(site, part, parent.idf, parent.fname, mtimeMs, asked);
    const child = await catalog.addSend(
      {
        ...{ ...request, workfile, pidtu: parent.idtu, fname: parent.fname, filesize: parent.filesize },
        spool: { step: "claimed", source: "", archive: "" },
      },
      hold,
    );
    const text = `${child.idtu} of broadcast ${parent.idtu}`;
    journal.emit("CFTR12I", { ...keys(child), cmd: "SEND", user: `cftdest ${dest.id}`, text });
  }
  const missing = strangers.length > 0 && dest.nopart === "continue";
  const said = missing
    ? { phasestep: "K" as const, diagi: NO_PARTNER, diagc }
    : { diagc: `${names.length - strangers.length} partners` };
  await catalog.transition(parent.idtu, parent, said);
  site.kick();
}

/** Every partner of a list once, in its order. */
async function partnersOf({ part, fname }: Dest): Promise<string[]> {
  if (part !== null) return [...part];
  const lines = (await readFile(fname, "utf8")).split(/\r?\n/);
  const names = lines.map((line) => line.replace(/#.*/, "").trim().split(/\s/)[0] ?? "");
  return [...new Set(names.filter((name) => name !== ""))];
}
