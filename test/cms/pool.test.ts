/** The pool of threads, with real files. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "tap";
import type { SealJob, UnsealJob } from "../../src/cms/job.ts";
import type { Layers } from "../../src/cms/opening.ts";
import { SealingPool } from "../../src/cms/pool.ts";
import { CIPHER_SUITES, type CipherSuite } from "../../src/cms/suites.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { isSystemError } from "../../src/platform/errors.ts";
import { decrypt, owner, verify } from "./openssl.ts";
import { failure } from "./through.ts";

const [ours, theirs] = await Promise.all([owner("ours"), owner("theirs")]);
const folder = mkdtempSync(join(tmpdir(), "cygnet-pool-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

const ALL: Layers = { signed: true, compressed: true, encrypted: true };
const NONE: Layers = { signed: false, compressed: false, encrypted: false };

function sealJob(source: string, target: string, suite: CipherSuite, layers = ALL): SealJob {
  const { hash, cipher, rsa } = CIPHER_SUITES[suite];
  const oaep = rsa === "pkcs1" ? {} : { oaep: hash };
  const options = {
    ...(layers.signed ? { sign: [{ certificate: ours.certificate, key: ours.key, hash, rsa }] } : {}),
    ...(layers.compressed ? { compress: { level: 1 } } : {}),
    ...(layers.encrypted ? { encrypt: { recipients: [theirs.certificate], cipher, ...oaep } } : {}),
  };
  return { kind: "seal", source: at(source), target: at(target), suite, options };
}

function unsealJob(source: string, target: string, suite: CipherSuite, expected = ALL): UnsealJob {
  const options = { expected, keys: [theirs], signers: [ours.certificate], experimental: true };
  return { kind: "unseal", source: at(source), target: at(target), suite, options };
}

const digest = (name: string, hash: string): string =>
  createHash(hash)
    .update(readFileSync(at(name)))
    .digest("hex");

test("files are sealed and opened by threads, with the hashes of what was sent and of what it was", async (t) => {
  const pool = new SealingPool({ threads: 2 });
  t.equal(pool.threads, 0, "no thread before there is work");
  writeFileSync(at("plain"), randomBytes(600_000));
  writeFileSync(at("empty"), "");
  const suites = Object.keys(CIPHER_SUITES) as CipherSuite[];
  await Promise.all(
    suites.flatMap((suite) =>
      ["plain", "empty"].map(async (name) => {
        const { hash } = CIPHER_SUITES[suite];
        const [file, back] = [`${name}.${suite}`, `${name}.${suite}.back`];
        const made = await pool.run(sealJob(name, file, suite));
        t.equal(
          made.plain.sha256.toString("hex"),
          digest(name, "sha256"),
          `${suite} ${name}: of the plain file`,
        );
        t.equal(made.transmitted.hash.toString("hex"), digest(file, hash), `${hash} of the transmitted one`);
        t.equal(made.transmitted.size, statSync(at(file)).size);
        t.equal(made.facts.content, statSync(at(name)).size);
        const done = await pool.run(unsealJob(file, back, suite));
        t.ok(readFileSync(at(back)).equals(readFileSync(at(name))), "and back");
        t.strictSame([done.plain, done.transmitted], [made.plain, made.transmitted], "both say the same");
        t.equal(done.facts.signed?.signer.fingerprint256, ours.certificate.fingerprint256);
        t.equal(done.facts.signed?.hash, hash);
      }),
    ),
  );
  t.equal(pool.threads, 2, "no more than allowed");
  const both = { ...ALL, compressed: false };
  const made = await pool.run(sealJob("plain", "der", "06", both));
  t.ok(
    verify(decrypt(readFileSync(at("der")), theirs), ours).equals(readFileSync(at("plain"))),
    "openssl agrees",
  );
  t.equal(made.facts.sealed, made.transmitted.size);
  await pool.run(sealJob("plain", "der", "06", NONE));
  t.ok(readFileSync(at("der")).equals(readFileSync(at("plain"))), "a target that is there is emptied first");
  await pool.close();
  t.equal(pool.threads, 0);
  t.equal((await failure(pool.run(sealJob("plain", "late", "06")))).code, "CYG_CMS_WORKER", "closed");
});

test("a failure has its code and leaves no target", async (t) => {
  const pool = new SealingPool({ threads: 1 });
  writeFileSync(at("good"), randomBytes(300_000));
  await pool.run(sealJob("good", "good.sealed", "04"));
  const octets = readFileSync(at("good.sealed"));
  writeFileSync(at("cut"), octets.subarray(0, 250_000));
  const files = readdirSync(folder).length;
  const cases: [string, () => Promise<unknown>][] = [
    ["CYG_CMS_FORMAT", () => pool.run(unsealJob("cut", "x", "04"))],
    ["CYG_CMS_STRUCTURE", () => pool.run(unsealJob("good.sealed", "x", "04", { ...NONE, signed: true }))],
    [
      "CYG_CMS_RECIPIENT",
      () => pool.run({ ...unsealJob("good.sealed", "x", "04"), options: { expected: ALL, keys: [ours] } }),
    ],
    [
      "CYG_CMS_SIGNATURE",
      () => pool.run({ ...unsealJob("good.sealed", "x", "04"), options: { expected: ALL, keys: [theirs] } }),
    ],
    [
      "CYG_CMS_CERTIFICATE",
      () =>
        pool.run({
          ...sealJob("good", "x", "04"),
          options: { encrypt: { recipients: [], cipher: "aes256" } },
        }),
    ],
  ];
  for (const [code, work] of cases) t.equal((await failure(work())).code, code);
  const missing = await failure(pool.run(sealJob("missing", "x", "04")));
  t.ok(missing.code === "CYG_CMS_FILE" && isSystemError(missing.cause, "ENOENT"), missing.message);
  const nowhere = await failure(pool.run(sealJob("good", "no/such/folder", "04")));
  t.ok(nowhere.code === "CYG_CMS_FILE" && isSystemError(nowhere.cause, "ENOENT"), nowhere.message);
  t.equal(readdirSync(folder).length, files, "no target is left");
  t.equal((await pool.run(unsealJob("good.sealed", "x", "04"))).plain.size, 300_000, "the thread lives on");
  // a key that cannot travel
  const unsendable = { ...sealJob("good", "x", "04"), source: (() => "") as unknown as string };
  t.equal((await failure(pool.run(unsendable))).code, "CYG_CMS_WORKER");
  t.equal((await pool.run(unsealJob("good.sealed", "x", "04"))).plain.size, 300_000, "and still");
  await pool.close();
});

test("a thread that dies fails its own job; waiting ones get another thread", async (t) => {
  // a worker that dies for one source, stays silent for another, and answers for the rest
  const script = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ source }) => {
      if (source.endsWith("die")) throw new Error("out of luck");
      if (source.endsWith("exit")) process.exit(3);
      if (source.endsWith("hang")) return;
      const octets = new Uint8Array(0);
      parentPort.postMessage({ done: { plain: { sha256: octets }, transmitted: { hash: octets }, facts: {} } });
    });`;
  writeFileSync(at("worker.mjs"), script);
  const pool = new SealingPool({ threads: 1, worker: pathToFileURL(at("worker.mjs")) });
  const jobs = ["die", "well", "exit", "well"].map((source) => pool.run(sealJob(source, "x", "06")));
  const settled = await Promise.allSettled(jobs);
  t.strictSame(
    settled.map(({ status }) => status),
    ["rejected", "fulfilled", "rejected", "fulfilled"],
  );
  const died = await failure(jobs[0] as Promise<unknown>);
  t.equal(died.code, "CYG_CMS_WORKER");
  t.match(died.cause, { message: "out of luck" });
  const hanging = [pool.run(sealJob("hang", "x", "06")), pool.run(sealJob("well", "x", "06"))];
  const outcomes = Promise.allSettled(hanging);
  await pool.close();
  t.strictSame(
    (await outcomes).map((each) => each.status === "rejected" && each.reason.code),
    ["CYG_CMS_WORKER", "CYG_CMS_WORKER"],
    "closing ends the job at work and those that wait",
  );
});

test("large files leave a thread to small ones, which overtake them", async (t) => {
  const script = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ source }) => {
      const octets = new Uint8Array(0);
      const done = { plain: { sha256: octets }, transmitted: { hash: octets }, facts: {} };
      if (!source.endsWith("hang")) parentPort.postMessage({ done });
    });`;
  writeFileSync(at("patient.mjs"), script);
  const pool = new SealingPool({ threads: 3, worker: pathToFileURL(at("patient.mjs")) });
  const large = (source: string) => pool.run({ ...sealJob(source, "x", "06"), size: 17 * 1024 * 1024 });
  t.ok(pool.free, "free before there is work");
  const settled: string[] = [];
  const jobs = ["hang", "hang", "well"].map((source) => large(source).finally(() => settled.push(source)));
  const outcomes = Promise.allSettled(jobs);
  for (let count = 0; count < 3; count++) await pool.run(sealJob("small", "x", "06"));
  t.strictSame(settled, [], "the third large file waits while small ones are done");
  t.notOk(pool.free, "as somebody waits");
  t.equal(pool.threads, 3);
  await pool.close();
  t.strictSame(
    (await outcomes).map(({ status }) => status),
    ["rejected", "rejected", "rejected"],
  );
  const single = new SealingPool({ threads: 1, worker: pathToFileURL(at("patient.mjs")) });
  const alone = { ...sealJob("well", "x", "06"), size: 17 * 1024 * 1024 };
  t.ok(await single.run(alone), "a pool of one thread does large files too");
  await single.close();
});

test("a thread without work ends after a while, and a new one comes when there is work again", async (t) => {
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    timer(milliseconds, fire) {
      t.equal(milliseconds, 30_000);
      timers.push(fire);
      return { cancel: () => timers.splice(timers.indexOf(fire), 1) };
    },
  };
  const pool = new SealingPool({ threads: 1, clock });
  writeFileSync(at("small"), "small");
  for (let round = 0; round < 2; round++) {
    await pool.run(sealJob("small", "small.sealed", "02"));
    t.equal(pool.threads, 1);
    t.equal(timers.length, 1);
    timers.pop()?.();
    t.equal(pool.threads, 0);
  }
  await pool.close();
});

test("memory does not grow with the file: 192 MiB, compressible and not", async (t) => {
  const pool = new SealingPool({ threads: 1 });
  writeFileSync(at("warm"), randomBytes(1_000_000));
  await pool.run(sealJob("warm", "warm.sealed", "06"));
  await pool.run(unsealJob("warm.sealed", "warm.back", "06"));
  const stream = createWriteStream(at("big"));
  for (let count = 0; count < 192; count++) {
    const piece = count % 2 === 0 ? randomBytes(1 << 20) : Buffer.alloc(1 << 20, `record ${count}\r\n`);
    if (!stream.write(piece)) await once(stream, "drain");
  }
  await new Promise((resolve) => stream.end(resolve));
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 10);
  const made = await pool.run(sealJob("big", "big.sealed", "06"));
  const done = await pool.run(unsealJob("big.sealed", "big.back", "06"));
  clearInterval(watch);
  t.strictSame(done.plain, made.plain);
  t.equal(made.facts.compressed?.stored, 96, "half of it cannot be compressed");
  const growth = (most - before) / 1e6;
  t.ok(growth < 120, `grew by ${growth.toFixed(0)} MB`);
  t.ok(existsSync(at("big.back")));
  await pool.close();
});
