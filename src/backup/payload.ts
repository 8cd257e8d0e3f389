/**
 * The files that a gateway has in hand, set aside as they are at one moment: by a second name (hard link) where that is
 * possible, so that nothing is copied while the catalog is held.
 */
import { constants, createReadStream, createWriteStream, lstatSync } from "node:fs";
import { copyFile, link, lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Transfer } from "../catalog/catalog.ts";
import type { CatalogCopy, CatalogSnapshot, Pending } from "../catalog/snapshot.ts";
import { isSystemError } from "../platform/errors.ts";
import { systemFileSystem } from "../platform/filesystem.ts";
import { secondForm } from "../spool/convert.ts";
import { isPutAway, wasPlaced } from "../spool/place.ts";
import { PREFIX } from "./layout.ts";
import { filesBelow } from "./sources.ts";

/** What the note of a record came to, to be written into the copy. */
type Amendment = Parameters<CatalogCopy["amend"]>;

export class Payload {
  readonly #staging: string;
  readonly #rundir: string;
  /** Inode of what was set aside, by its path. */
  readonly #aside = new Map<string, bigint>();
  readonly amendments: Amendment[] = [];
  /** Half-received files: they go on growing, what the record vouches for counts. */
  readonly growing = new Map<string, { idtu: string; bytes: number }>();

  /** `staging` is a folder of this backup's own on the file system of the work folder. */
  constructor(staging: string, rundir: string) {
    this.#staging = staging;
    this.#rundir = rundir;
  }

  /** Where a file stands in the backup. */
  place(path: string): string {
    return join(this.#staging, PREFIX, path);
  }

  /** Paths of what was set aside. */
  get paths(): string[] {
    return [...this.#aside.keys()];
  }

  /** Sets aside what can be without haste; what changes until the catalog is held is looked at again then. */
  async prepare(pending: readonly Pending[]): Promise<void> {
    for (const { workfile } of pending) await this.#takeBoth(workfile);
  }

  /** While nothing is committed: the files of every record, and what became of steps that are under way. */
  async take(snapshot: CatalogSnapshot): Promise<void> {
    for (const one of snapshot.pending()) {
      const { spool } = one;
      if (spool?.step === "claim") await this.#claim(one, spool);
      else if (spool?.step === "deliver" && one.direct === "recv") await this.#deliver(one, spool);
      else await this.#takeBoth(one.workfile);
      const grows = one.direct === "recv" && one.phase === "T" && this.#aside.has(one.workfile);
      if (grows) this.growing.set(one.workfile, { idtu: one.idtu, bytes: one.bytes });
    }
  }

  /** Leaves out what the records of the copy do not name any more; half-received files get the length that these vouch for. */
  async fit(copy: CatalogCopy): Promise<void> {
    const named = new Map(copy.pending().map((one) => [one.workfile, one] as const));
    for (const path of this.paths) {
      const owner = named.get(path) ?? named.get(path.replace(/\.form$/, ""));
      if (owner) continue;
      this.#aside.delete(path);
      await rm(this.place(path), { force: true });
    }
    for (const [path, { idtu, bytes }] of this.growing) {
      const staged = this.place(path);
      if (!this.#aside.has(path)) continue;
      const own = `${staged}.cut`;
      await pipeline(
        createReadStream(staged, { end: Math.max(bytes - 1, 0) }),
        createWriteStream(own, { mode: 0o600 }),
      );
      await rename(own, staged);
      const { size } = await lstat(staged);
      // the partner began anew meanwhile
      if (size < bytes) copy.amend(idtu, { bytes: 0 });
    }
  }

  /** Files of outboxes that no record has claimed. They are copied: they are other people's. */
  async takeOutbox(scandirs: readonly string[]): Promise<string[]> {
    const claimed = new Set(this.#aside.values());
    const taken: string[] = [];
    for (const scandir of scandirs) {
      for (const path of await filesBelow(scandir)) {
        if (/(^|\/)\.[^/]*$|\.(tmp|part|filepart)$/.test(path)) continue;
        const inode = inodeOf(path);
        if (inode === null || claimed.has(inode)) continue;
        if (await this.#copy(path, this.place(path))) taken.push(path);
      }
    }
    return taken;
  }

  /** A send that was recorded and is perhaps taken already: in the backup it is. */
  async #claim(
    { idtu, workfile }: Pending,
    note: Extract<Transfer["spool"], { step: "claim" }>,
  ): Promise<void> {
    const work = join(note.workdir, idtu);
    for (const path of [work, note.source]) {
      if (!(await this.#link(path, this.place(work)))) continue;
      const { size } = await lstat(this.place(work));
      this.#aside.set(work, inodeOf(path) ?? 0n);
      const spool = { step: "claimed", source: note.source, archive: note.archive } as const;
      this.amendments.push([idtu, { workfile: work, filesize: size, spool }]);
      return;
    }
    if (workfile !== "") await this.#takeBoth(workfile);
  }

  /** A received file on its way into the inbox: it is there, or it is still to be delivered. */
  async #deliver(one: Pending, note: Extract<Transfer["spool"], { step: "deliver" }>): Promise<void> {
    if (await wasPlaced(systemFileSystem, one as unknown as Transfer, note)) {
      // its note tells the restored gateway that it was put away, and not delivered
      if (isPutAway(note, this.#rundir)) this.amendments.push([one.idtu, { workfile: "" }]);
      else this.amendments.push([one.idtu, { fname: note.target, workfile: "", spool: null }]);
    } else {
      await this.#takeBoth(one.workfile);
      this.amendments.push([one.idtu, { spool: null }]);
    }
  }

  async #takeBoth(workfile: string): Promise<void> {
    if (workfile === "") return;
    for (const path of [workfile, secondForm(workfile)]) {
      const inode = inodeOf(path);
      if (inode === null || this.#aside.get(path) === inode) continue;
      if (await this.#link(path, this.place(path))) this.#aside.set(path, inode);
    }
  }

  /** False when there is nothing to link. */
  async #link(from: string, to: string): Promise<boolean> {
    await vacate(to);
    try {
      await link(from, to);
      return true;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return false;
      // another file system, or somebody else's file that may not be linked
      if (!isSystemError(error, "EXDEV", "EPERM", "EMLINK")) throw error;
      return this.#copy(from, to);
    }
  }

  async #copy(from: string, to: string): Promise<boolean> {
    await vacate(to);
    try {
      await copyFile(from, to, constants.COPYFILE_FICLONE);
      return true;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return false;
      throw error;
    }
  }
}

/** Makes room for a new file under a name: what stands there may be a link to somebody's file, never to be written into. */
async function vacate(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
}

/** null = nothing is there. Done at once: the gateway waits while tens of thousands of names are looked up. */
function inodeOf(path: string): bigint | null {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
  } catch (error) {
    if (isSystemError(error, "ENOTDIR")) return null;
    throw error;
  }
}
