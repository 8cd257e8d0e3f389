/** The file of a backup: tar, compressed, in a CMS envelope (RFC 5652) where it is for a recipient alone. */
import type { X509Certificate } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { create, Parser, type ReadEntry } from "tar";
import { unseal } from "../cms/opening.ts";
import { seal } from "../cms/sealing.ts";
import type { RecipientKey } from "../cms/transport.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { systemFileSystem } from "../platform/filesystem.ts";
import { MANIFEST, PREFIX } from "./layout.ts";

/** The same file under two names is two files: a link of the archive would have to be followed when it is read. */
class NoLinks extends Map<never, never> {
  override get(): undefined {
    return undefined;
  }
}

/**
 * Packs the manifest and the files of a staging folder into `target`, which appears whole, for its owner alone.
 * @param recipients who can open it; none = everybody who can read it
 * @throws what the disk says
 */
export async function pack(
  staging: string,
  target: string,
  recipients: readonly X509Certificate[],
): Promise<number> {
  const half = `${target}.part`;
  await rm(half, { force: true });
  const file = await open(half, "wx", 0o600);
  let size = 0;
  try {
    const stream = create(
      { cwd: staging, gzip: { level: 4 }, portable: true, linkCache: new NoLinks() as never },
      [MANIFEST, PREFIX],
    );
    let waiting: Buffer[] = [];
    const sealing =
      recipients.length === 0
        ? null
        : seal({ encrypt: { recipients, cipher: "aes256", oaep: "sha256" } }, (octets) =>
            waiting.push(Buffer.from(octets)),
          );
    const flush = async () => {
      for (const octets of waiting) {
        await file.write(octets);
        size += octets.length;
      }
      waiting = [];
    };
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (sealing) await sealing.push(chunk);
      else waiting.push(chunk);
      await flush();
    }
    await sealing?.end();
    await flush();
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(half, { force: true });
    throw error;
  }
  await file.close();
  await rename(half, target);
  await systemFileSystem.syncDirectory(dirname(target));
  return size;
}

/** One file of a backup. Every one must be read to its end. */
export interface ArchivedFile {
  /** As in the archive: `manifest.json`, or `files/` and an absolute path. */
  name: string;
  size: number;
  content: AsyncIterable<Buffer>;
}

/**
 * The files of a backup in their order.
 * @param key opens its envelope, if it has one
 * @throws CygnetError CYG_BACKUP_KEY, CYG_BACKUP_FORMAT, CYG_CMS_…
 */
export async function unpack(
  source: string,
  key: RecipientKey | null,
  each: (file: ArchivedFile) => Promise<void>,
): Promise<void> {
  const parser = new Parser({ strict: true });
  let failure: unknown;
  let reading = Promise.resolve();
  parser.on("entry", (entry: ReadEntry) => {
    reading = reading.then(async () => {
      // the rest is read over: the parser waits for it otherwise
      if (failure !== undefined) return void entry.resume();
      try {
        if (entry.type === "Directory") return void entry.resume();
        if (entry.type !== "File" && entry.type !== "OldFile") throw damaged(`${entry.path} is no file`);
        const content = entry as unknown as AsyncIterable<Buffer>;
        await each({ name: entry.path, size: entry.size, content });
      } catch (error) {
        failure = error;
        entry.resume();
      }
    });
  });
  const ended = new Promise<void>((resolve, reject) => {
    parser.once("end", resolve);
    parser.once("error", (error: unknown) => reject(damaged(describe(error))));
  });
  // told below, after the envelope's own verdict
  ended.catch(() => {});
  const feed = async (octets: Buffer) => {
    if (!parser.write(octets))
      await Promise.race([new Promise<void>((go) => parser.once("drain", go)), ended]);
  };
  for await (const octets of opened(source, key)) await feed(octets);
  parser.end();
  await ended;
  await reading;
  if (failure !== undefined) throw failure;
}

/** The tar, compressed as it is. */
async function* opened(source: string, key: RecipientKey | null): AsyncGenerator<Buffer> {
  const stream = createReadStream(source, { highWaterMark: 256 * 1024 });
  let out: Buffer[] = [];
  let opening: ReturnType<typeof unseal> | null = null;
  let first = true;
  for await (const chunk of Readable.from(stream) as AsyncIterable<Buffer>) {
    if (first && chunk[0] === 0x30) {
      if (key === null) {
        const message = `${source} is encrypted: name the recipient's certificate and key (--recipient, --key)`;
        throw new CygnetError("CYG_BACKUP_KEY", message);
      }
      const expected = { signed: false, compressed: false, encrypted: true };
      opening = unseal({ expected, keys: [key], experimental: true, nested: true }, (octets) =>
        out.push(Buffer.from(octets)),
      );
    }
    first = false;
    if (opening) await opening.push(chunk);
    else out.push(chunk);
    yield* out;
    out = [];
  }
  await opening?.end();
  yield* out;
}

function damaged(why: string): CygnetError {
  return new CygnetError("CYG_BACKUP_FORMAT", `the backup is damaged or none: ${why}`);
}
