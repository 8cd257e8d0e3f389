/** Sending certificates of this site to a partner: ordinary sends under reserved names, with the CLID as description. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Transfer } from "../../catalog/catalog.ts";
import type { Part } from "../../config/model.ts";
import { clidOf, clidText } from "../../pki/exchange/clid.ts";
import { type ExchangeKind, exchangeFlow, exchangeName } from "../../pki/exchange/kinds.ts";
import { CygnetError } from "../../platform/errors.ts";
import { syncParent } from "../../platform/filesystem.ts";
import { keys, type Site } from "../site.ts";
import { inUse, type OwnCertificate, ownOf, speaksLevel5 } from "./known.ts";

export interface Offer {
  part: string;
  kind: ExchangeKind;
  /** [[pki]] id; without: every certificate in use (request: the first of them). */
  id?: string;
  /** [[pki]] id of the certificate that it follows: its CLID goes along instead of its own. */
  replaces?: string;
}

/** Before files: what they are signed with must be known first. */
const FIRST = 255;

export async function offer(site: Site, { part: id, kind, ...wish }: Offer): Promise<Transfer[]> {
  const part = site.configuration.cftpart.get(id);
  if (part === undefined) {
    const known = [...site.configuration.cftpart.keys()].join(", ") || "none";
    throw new CygnetError("CYG_EXCHANGE_PART", `there is no partner ${id}; known are ${known}`);
  }
  if (!speaksLevel5(site.configuration, part)) {
    const text = `certificates are exchanged at OFTP 2.0 (level 5), which neither prot nor level of ${id} allow`;
    throw new CygnetError("CYG_EXCHANGE_LEVEL", text);
  }
  const chosen = wish.id === undefined ? inUse(site) : [named(site, wish.id)];
  if (chosen.length === 0) {
    const text = "[[pki]] has no certificate of this site with a key that is in use";
    throw new CygnetError("CYG_EXCHANGE_CERTIFICATE", text);
  }
  const replaces = wish.replaces === undefined ? undefined : named(site, wish.replaces);
  const transfers: Transfer[] = [];
  for (const own of kind === "request" ? chosen.slice(0, 1) : chosen) {
    transfers.push(await handOver(site, part, kind, own, replaces));
  }
  return transfers;
}

function named(site: Site, id: string): OwnCertificate {
  const own = ownOf(site);
  const found = own.find(({ pki }) => pki.id === id);
  if (found !== undefined) return found;
  const known = own.map(({ pki }) => pki.id).join(", ") || "none";
  throw new CygnetError(
    "CYG_EXCHANGE_CERTIFICATE",
    `no [[pki]] of this site with a key has the id ${id}; known are ${known}`,
  );
}

/** Records one certificate for sending: U, DER, unsecured, wanted an end-to-end response. */
export async function handOver(
  site: Site,
  part: Part,
  kind: ExchangeKind,
  own: OwnCertificate,
  replaces: OwnCertificate = own,
): Promise<Transfer> {
  const { configuration, disk, spool, catalog, journal, handovers, clock } = site;
  const { pki, material } = own;
  const workdir = join(configuration.cftparm.rundir, "work");
  const folder = join(workdir, "submit", randomUUID());
  const path = join(folder, `${pki.id}.cer`);
  await disk.makeDirectory(folder);
  await write(site, path, material.certificate.raw);
  const { size, mtimeMs, ino } = await disk.status(path);
  const transfer = await spool.claim(
    { path, size, mtimeMs, ino },
    {
      part: part.id,
      idf: exchangeFlow(kind),
      nfname: exchangeName(kind),
      dsn: exchangeName(kind),
      orig: part.sfidorig,
      dest: part.sfiddest,
      description: clidText(clidOf(replaces.material.certificate)),
      pri: FIRST,
      ackstate: "require",
      security: null,
      format: "U",
      lrecl: 0,
    },
    // held until it is noted: the partner may answer faster than a note is on disk
    { workdir, archive: "", hold: { step: "H", diagi: 0, diagp: "", diagc: "it was not noted to the end" } },
  );
  await disk.removeDirectory(folder);
  const { fingerprint } = material;
  await handovers.note({
    part: part.id,
    fingerprint,
    id: pki.id,
    kind,
    idtu: transfer.idtu,
    at: clock.now(),
  });
  await catalog.update(transfer.idtu, { fname: pki.file, phasestep: "D", diagc: "" });
  journal.emit("CFTH90I", { ...keys(transfer), id: pki.id, fingerprint, text: exchangeName(kind) });
  site.kick();
  return { ...transfer, fname: pki.file, phasestep: "D", diagc: "" };
}

async function write({ disk }: Site, path: string, content: Buffer): Promise<void> {
  const file = await disk.open(path, "create");
  try {
    await file.write([content], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncParent(disk, path);
}
