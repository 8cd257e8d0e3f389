/** A spool on real files and a real catalog, whose power can fail before or after any single operation. */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Catalog, NewReceive, NewSend, Transfer } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/sqlite.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { type FileSystem, type OpenFile, systemFileSystem } from "../../src/platform/filesystem.ts";
import { createSpool } from "../../src/spool/create.ts";
import type { Candidate, Spool } from "../../src/spool/spool.ts";

export class PowerFailure extends Error {}

/** Counts operations and stops the world before or after one of them. */
export class Power {
  readonly log: string[] = [];
  dead = false;
  #at: number;
  #when: "before" | "after";

  constructor(at = Number.POSITIVE_INFINITY, when: "before" | "after" = "before") {
    this.#at = at;
    this.#when = when;
  }

  async run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    if (this.dead) throw new PowerFailure("dead");
    const number = this.log.push(name);
    if (number === this.#at && this.#when === "before") this.fail();
    const result = await operation();
    if (number === this.#at) this.fail();
    if (this.dead) throw new PowerFailure("dead");
    return result;
  }

  fail(): never {
    this.dead = true;
    throw new PowerFailure(`power failure ${this.#when} ${this.log.at(-1)}`);
  }
}

/** Every method of `target` as an operation of `power`, named `<room>.<method>` with its first argument. */
function powered<T extends object>(target: T, power: Power, room: string, opened?: Set<OpenFile>): T {
  const wrapped: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(target)) {
    wrapped[name] = (...values: unknown[]) => {
      const note = (values[1] as { spool?: { step: string } | null } | undefined)?.spool?.step;
      const label = `${room}.${name} ${typeof values[0] === "string" ? values[0] : ""}${note ? ` ${note}` : ""}`;
      return power.run(label, async () => {
        const result = await method(...values);
        if (name !== "open" || opened === undefined) return result;
        opened.add(result as OpenFile);
        return powered(result as OpenFile, power, `file ${values[0]}`);
      });
    };
  }
  return wrapped as T;
}

export interface Run {
  power: Power;
  catalog: Catalog;
  spool: Spool;
}

/**
 * In memory where there is such a file system: a process that dies loses nothing that the system has, synced or
 * not, and thousands of lives would wait for a disk most of their time.
 */
const TEMPORARY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** An empty catalog, made once per process: worlds begin with a copy. */
let emptyCatalog: string | undefined;

async function copyEmptyCatalog(to: string): Promise<void> {
  if (emptyCatalog === undefined) {
    const folder = mkdtempSync(join(TEMPORARY, "cygnet-catalog-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    emptyCatalog = join(folder, "catalog.db");
    await openCatalog(emptyCatalog, systemClock).close();
  }
  copyFileSync(emptyCatalog, to);
}

/** A directory in which gateways live and die. */
export class World {
  readonly root = mkdtempSync(join(TEMPORARY, "cygnet-spool-"));
  readonly outbox = join(this.root, "outbox", "ACME");
  readonly inbox = join(this.root, "inbox", "ACME");
  readonly workdir = join(this.root, "work", "outbox");
  readonly archive = join(this.root, "archive");
  /** Wrapped around the disk: failures other than power. */
  around: (disk: FileSystem) => FileSystem = (disk) => disk;
  #catalog: Catalog | undefined;
  readonly #opened = new Set<OpenFile>();

  /** A new process: the catalog opened anew, over the same files. */
  async start(power = new Power()): Promise<Run> {
    const path = join(this.root, "catalog.db");
    if (this.#catalog === undefined) await copyEmptyCatalog(path);
    await this.#bury();
    this.#catalog = openCatalog(path, systemClock);
    const catalog = powered(this.#catalog, power, "catalog");
    const disk = powered(this.around(systemFileSystem), power, "disk", this.#opened);
    return { power, catalog, spool: createSpool({ catalog, disk, rundir: this.root, clock: systemClock }) };
  }

  /** What the system does for a dead process: its lock goes, its files are closed. */
  async #bury(): Promise<void> {
    await this.#catalog?.close();
    // A file that its process had closed refuses to be closed again.
    for (const file of this.#opened) await file.close().catch(() => undefined);
    this.#opened.clear();
  }

  async end(): Promise<void> {
    await this.#bury();
    rmSync(this.root, { recursive: true, force: true });
  }

  async drop(name: string, content: string): Promise<Candidate> {
    mkdirSync(this.outbox, { recursive: true });
    const path = join(this.outbox, name);
    writeFileSync(path, content);
    return this.candidate(path);
  }

  async candidate(path: string): Promise<Candidate> {
    const { size, mtimeMs, ino } = await systemFileSystem.status(path);
    return { path, size, mtimeMs, ino };
  }

  /** Every payload below the root: path without the root, and contents. */
  payloads(): Record<string, string> {
    const found: Record<string, string> = {};
    const walk = (folder: string): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) walk(path);
        else if (!entry.name.startsWith("catalog.db"))
          found[path.slice(this.root.length + 1)] = readFileSync(path, "latin1");
      }
    };
    walk(this.root);
    return found;
  }

  place(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }
}

export const SEND: Omit<NewSend, "spool" | "fname" | "filesize"> = {
  part: "ACME",
  idf: "I",
  nfname: "a.txt",
  dsn: "A.TXT",
  orig: "O-HUB",
  dest: "O-ACME",
  description: "",
  pri: 0,
  ackstate: "require",
  format: "U" as const,
  lrecl: 0,
  security: null,
};

export const RECEIVE: NewReceive = {
  part: "ACME",
  idf: "I",
  via: "",
  workfolder: "/rundir/work/recv",
  mode: "server",
  nfname: "in.txt",
  description: "",
  filesize: 1,
  format: "U",
  lrecl: 0,
  security: null,
  prot: "OFTP",
  dsn: "IN.TXT",
  date: "20260715",
  time: "1200000001",
  orig: "O-ACME",
  dest: "O-HUB",
};

export function responseTo(receive: Transfer) {
  const { part, idtu, dsn, date, time, orig, dest } = receive;
  return { kind: "EERP" as const, part, idtu, dsn, date, time, orig, dest, reason: 0, text: "" };
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
