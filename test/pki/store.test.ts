/** The certificate store as a folder: what is kept is kept, what is broken costs itself alone. */
import { spawn } from "node:child_process";
import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { openStore, storeDirectory } from "../../src/pki/folder-store.ts";
import { issue } from "../net/authority.ts";
import { ManualClock } from "../net/manual-clock.ts";

const WRITER = fileURLToPath(new URL("./writer.js", import.meta.url));
const entry = { usage: ["sign", "encrypt"], state: "pending", origin: "import", idtu: "", note: "" } as const;
const hex = (certificate: X509Certificate) => certificate.fingerprint256.replaceAll(":", "").toLowerCase();

test("what is added and changed is on disk, and another process sees it", async (t) => {
  const rundir = t.testdir();
  const directory = storeDirectory(rundir);
  t.equal(directory, join(rundir, "pki", "partners"));
  const clock = new ManualClock();
  const store = await openStore(directory, clock);
  t.strictSame([store.list(), store.problems], [[], []], "a folder that is not there is an empty store");
  const one = (await issue(rundir, "one")).material.certificate;
  const two = (await issue(rundir, "two")).material.certificate;

  const added = await store.add({ ...entry, part: "ACME", certificate: one, at: 10 });
  t.match(added, { part: "ACME", fingerprint: one.fingerprint256, state: "pending", at: 10, changed: 10 });
  const files = join(directory, "ACME");
  t.strictSame(readdirSync(files).sort(), [`${hex(one)}.json`, `${hex(one)}.pem`]);
  for (const name of readdirSync(files)) t.equal(statSync(join(files, name)).mode & 0o777, 0o600, name);
  for (const folder of [files, directory, join(rundir, "pki")])
    t.equal(statSync(folder).mode & 0o777, 0o700, folder);

  const other = await openStore(directory, clock);
  const plain = (found: ReturnType<typeof store.list>) =>
    found.map(({ certificate, ...rest }) => ({ ...rest, pem: certificate.toString() }));
  t.same(plain(other.list()), plain(store.list()));
  const again = await other.add({ ...entry, part: "ACME", certificate: one, at: 99, state: "active" });
  t.match(again, { at: 10, state: "pending" }, "what is there already is given back as it is");
  await other.add({ ...entry, part: "ACME", certificate: two, at: 20 });
  await other.add({ ...entry, part: "B.v2", certificate: one, at: 15, state: "active" });
  const key = { part: "ACME", fingerprint: one.fingerprint256 };
  await other.change(key, { state: "active", note: "called Mrs Lee" });

  // this store has not heard of it, and starts from what the disk says all the same
  const changed = await store.change(key, { state: "retired", note: "old", usage: ["sign"] });
  t.match(changed, { state: "retired", note: "old", usage: ["sign"], changed: clock.now() });
  await store.refresh();
  const seen = (found: ReturnType<typeof store.list>) => found.map(({ part, at }) => `${part} ${at}`);
  t.strictSame(seen(store.list()), ["ACME 20", "B.v2 15", "ACME 10"], "newest first");
  t.strictSame(seen(store.list({ part: "ACME" })), ["ACME 20", "ACME 10"]);
  t.strictSame(seen(store.list({ state: "retired" })), ["ACME 10"]);
  t.strictSame(seen(store.list({ part: "ACME", state: "pending" })), ["ACME 20"]);
  await t.rejects(store.change({ ...key, part: "B" }, { state: "active", note: "" }), {
    code: "CYG_PKI_UNKNOWN",
  });
  for (const part of ["", "..", ".x", "a/b", "../ACME", "a b", "x".repeat(33), "a\0"]) {
    await t.rejects(
      store.add({ ...entry, part, certificate: two, at: 1 }),
      { code: "CYG_PKI_PART" },
      JSON.stringify(part),
    );
    await t.rejects(store.change({ ...key, part }, { state: "active", note: "" }), { code: "CYG_PKI_PART" });
  }
  t.strictSame(readdirSync(directory).sort(), ["ACME", "B.v2"]);

  writeFileSync(join(directory, "FILE"), "");
  const blocked = store.add({ ...entry, part: "FILE", certificate: one, at: 1 });
  await t.rejects(blocked, { code: "CYG_PKI_FILE" });
  await store.add({ ...entry, part: "AFTER", certificate: one, at: 1 });
  t.equal(store.list({ part: "AFTER" }).length, 1, "a failure does not stop what comes behind it");
});

test("what root imports belongs to the user whose folder it is", {
  skip: process.getuid?.() !== 0 && "only root can give files away",
}, async (t) => {
  const rundir = t.testdir();
  chownSync(rundir, 12_345, 23_456);
  const store = await openStore(storeDirectory(rundir));
  const { certificate } = (await issue(rundir, "one")).material;
  const { fingerprint } = await store.add({ ...entry, part: "ACME", certificate, at: 1 });
  await store.change({ part: "ACME", fingerprint }, { state: "active", note: "" });
  const stem = join(storeDirectory(rundir), "ACME", hex(certificate));
  for (const path of ["pki", "pki/partners", "pki/partners/ACME"].map((name) => join(rundir, name)))
    t.match(statSync(path), { uid: 12_345, gid: 23_456 }, path);
  for (const path of [`${stem}.pem`, `${stem}.json`])
    t.match(statSync(path), { uid: 12_345, gid: 23_456, mode: 0o100600 }, path);
});

test("a broken entry is told and costs no other", async (t) => {
  const rundir = t.testdir();
  const directory = storeDirectory(rundir);
  const good = (await issue(rundir, "good")).material.certificate;
  const other = (await issue(rundir, "other")).material.certificate;
  const make = async (part: string) => {
    const store = await openStore(directory);
    await store.add({ ...entry, part, certificate: good, at: 1 });
    return join(directory, part, hex(good));
  };
  await make("GOOD");
  const edit = (stem: string, change: object) => {
    const said = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as object;
    writeFileSync(`${stem}.json`, JSON.stringify({ ...said, ...change }));
  };
  const rows: [string, (stem: string) => void, RegExp][] = [
    ["NOPEM", (stem) => rmSync(`${stem}.pem`), /\(\.pem\) is missing/],
    ["NOJSON", (stem) => rmSync(`${stem}.json`), /\(\.json\) is missing/],
    ["TORNPEM", (stem) => truncateSync(`${stem}.pem`, 200), /holds no certificate/],
    ["TORNJSON", (stem) => truncateSync(`${stem}.json`, 20), /not JSON/],
    ["NULL", (stem) => writeFileSync(`${stem}.json`, "null"), /about part, fingerprint, usage, state/],
    ["SWAPPED", (stem) => writeFileSync(`${stem}.pem`, other.toString()), /holds another certificate/],
    ["OWNER", (stem) => edit(stem, { part: "GOOD" }), /usable about part;/],
    ["PRINT", (stem) => edit(stem, { fingerprint: other.fingerprint256 }), /about fingerprint;/],
    ["STATE", (stem) => edit(stem, { state: "trusted" }), /about state;/],
    ["USAGE", (stem) => edit(stem, { usage: ["everything"] }), /about usage;/],
    ["ORIGIN", (stem) => edit(stem, { origin: 1, at: "1", changed: 1.5 }), /about origin, at, changed;/],
    ["NOTE", (stem) => edit(stem, { idtu: null, note: {} }), /about idtu, note;/],
    ["HUGE", (stem) => writeFileSync(`${stem}.json`, Buffer.alloc(300_000)), /larger than any entry/],
    [
      "LINK",
      (stem) => {
        rmSync(`${stem}.json`);
        symlinkSync(join(directory, "GOOD", `${hex(good)}.json`), `${stem}.json`);
      },
      /cannot be read/,
    ],
    [
      "FOLDER",
      (stem) => {
        rmSync(`${stem}.json`);
        mkdirSync(`${stem}.json`);
      },
      /not a file/,
    ],
    ["STRANGE", (stem) => writeFileSync(`${stem}.pem.bak`, ""), /pem\.bak: not an entry .* pki import/],
  ];
  for (const [part, spoil] of rows) spoil(await make(part));
  writeFileSync(join(directory, "stray"), "");
  mkdirSync(join(directory, ".hidden"));
  mkdirSync(join(directory, "EMPTY"));
  writeFileSync(join(directory, "EMPTY", `${hex(good)}.json.0123456789ab.tmp`), "half");
  const store = await openStore(directory);
  t.strictSame(
    store.list().map(({ part }) => part),
    ["GOOD", "STRANGE"],
  );
  for (const [part, , text] of rows) {
    const told = store.problems.filter(({ path }) => path.startsWith(join(directory, part, "/")));
    t.equal(told.length, 1, part);
    t.match(told[0]?.text, text, part);
  }
  for (const name of ["stray", ".hidden"])
    t.match(
      store.problems.find(({ path }) => path === join(directory, name))?.text,
      /not the folder of a partner/,
    );
  t.equal(store.problems.length, rows.length + 2, "what is being written, or was, is passed over");

  // half-way into an import is where a crash leaves the certificate alone: the next import completes it
  const mended = await store.add({ ...entry, part: "NOJSON", certificate: good, at: 7 });
  t.equal(mended.at, 7);
  await store.refresh();
  t.equal(store.list({ part: "NOJSON" }).length, 1);
  writeFileSync(join(rundir, "blocked"), "");
  await t.rejects(openStore(join(rundir, "blocked")), { code: "CYG_PKI_FILE" });
});

test("killed while it writes: what was told is there, nothing is broken", async (t) => {
  const rundir = t.testdir();
  const directory = storeDirectory(rundir);
  const files = await Promise.all(
    ["a", "b", "c"].map(async (name) => (await issue(rundir, name)).certificate),
  );
  let told: string[] = [];
  for (const enough of [1, 12, 60]) {
    const child = spawn(process.execPath, [WRITER, directory, ...files], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    const reached = new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split("\n").length > enough) resolve();
      });
      child.once("exit", () => reject(new Error("the writer ended by itself")));
    });
    await reached;
    child.kill("SIGKILL");
    await once(child, "close");
    told = text.split("\n").slice(0, -1);
    const store = await openStore(directory);
    const found = new Map(
      store.list().map(({ part, fingerprint, state }) => [`${part} ${fingerprint}`, state]),
    );
    for (const line of told) {
      const [part, fingerprint, state] = line.split(" ");
      const now = found.get(`${part} ${fingerprint}`);
      t.ok(now === "active" || now === state, line);
    }
    const half = store.problems.filter(({ text }) => !/\(\.json\) is missing/.test(text));
    t.strictSame(half, [], "at most a certificate without its description is left");
    t.ok(store.problems.length <= 1);
    rmSync(directory, { recursive: true });
  }
  t.ok(told.length >= 60);
});
