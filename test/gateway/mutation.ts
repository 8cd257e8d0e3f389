/**
 * A gateway among partners whose lines garble what they say. Sessions of two good gateways are recorded at every level;
 * then one of the two is played from the recording, as caller and as the one that is called, in many sessions at a
 * time, and its exchange buffers are changed on their way.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, unlink } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Test } from "tap";
import { ask } from "../../src/cli/client.ts";
import { residentMemory } from "./extra.ts";
import { filesBelow, type Gateway, octets, partnerToml, site, waitFor } from "./harness.ts";
import { below, type Chance, chanceOf, mutate, oneOf } from "./mutations.ts";
import { filesIn, Peer, type Recording, recordingOf } from "./peer.ts";
import { commandOf, Framer, type Passed, Relay, type Way } from "./proxy.ts";

export interface MutationOptions {
  seed: number;
  /** Changed buffers in sessions that the partner opens, and in those that the gateway opens. */
  called: number;
  calling: number;
  /** Told now and then how far it is. */
  progress: (text: string) => void;
}

const LEVELS = [5, 4, 2, 1] as const;
/** Sessions at a time that the partner opens; partners that the gateway calls, one session each. */
const CALLERS = 32;
const CALLED = 16;
/** Heap of the gateway, MiB: with more alive than that it would end. */
const HEAP = 128;
/** Most memory that the gateway may hold, MiB. */
const MEMORY = 250;
const TIMERS = 'disctc = "1500ms"\ndiscts = "1500ms"\ndisctr = "1s"\ndisctd ';
const FLOWS = `
[[cftsend]]
id = "F"
frecfm = "F"
flrecl = 40
[[cftsend]]
id = "V"
frecfm = "V"
flrecl = 60
[[cftsend]]
id = "T"
frecfm = "T"
`;
const FILES: [flow: string, content: Buffer][] = [
  ["T", Buffer.from("some text\r\nof two lines\r\n")],
  ["F", Buffer.alloc(40 * 7, "0123456789         ")],
  ["V", Buffer.from("one\n\na third line                              x\n")],
  ["U", octets(7, 1000)],
  ["U", Buffer.alloc(3000, 0x20)],
  ["U", Buffer.alloc(0)],
];

interface Stamped {
  dsn: string;
  date: string;
  time: string;
}

/** Both sides of the world: the gateway that is tried, and what its partner once said. */
interface World {
  hub: Gateway;
  acme: Gateway;
  recordings: Recording[];
  /** Buffers of all kinds, of both sides. */
  pool: Buffer[];
  /** The line on which the partner calls. */
  toHub: Relay;
  /** Where the gateway's partners listen. */
  port: number;
}

/** Two gateways; sessions of each level and way are recorded, then the partner goes away. */
async function world(t: Test): Promise<World> {
  const { hub, acme } = await site(t, {
    rto: "1500ms",
    disctd: "100ms",
    retryw: "200ms",
    hub: { more: FLOWS },
    acme: { more: FLOWS },
  });
  const toHub = await Relay.before(hub.ports.OFTP);
  const toAcme = await Relay.before(acme.ports.OFTP);
  t.teardown(() => toHub.close());
  await edit(hub, "cygnet.toml", (text) =>
    text.replaceAll("disctd ", TIMERS).replace("maxtrans = 64", "maxtrans = 200"),
  );
  const reach = (text: string, from: number, to: number) =>
    text.replace(`sap     = [${from}]`, `sap     = [${to}]`);
  await edit(hub, "partners.d/acme.toml", (text) => reach(text, acme.ports.OFTP, toAcme.port));
  await edit(acme, "partners.d/hub.toml", (text) => reach(text, hub.ports.OFTP, toHub.port));
  // a fixed bound for what it keeps, so that its size tells of leaks and not of how seldom it tidies up
  const { NODE_OPTIONS } = process.env;
  process.env.NODE_OPTIONS = `--max-old-space-size=${HEAP} --max-semi-space-size=8`;
  await hub.start();
  if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = NODE_OPTIONS;
  await acme.start();
  const recordings: Recording[] = [];
  const pool: Buffer[] = [];
  for (const level of LEVELS) {
    await edit(acme, "cygnet.toml", (text) =>
      text
        .replace(/^level = .*$/gm, `level = [${level}]`)
        .replace(/^srusize = .*$/gm, `srusize = ${level === 5 ? 400 : 128}`)
        .replace(/^scredit = .*$/gm, "scredit = 2")
        .replace(/^scomp .*$/gm, `scomp   = ${level === 4 ? 0 : 1}`),
    );
    await ask(acme.socket, "POST", "/reload");
    // a call that was made before is one at the level before
    for (const relay of [toHub, toAcme]) relay.hold();
    for (const way of ["call", "answer"] as const) {
      const passed = await record(hub, acme, way === "call" ? toHub : toAcme, `${level}${way}`);
      recordings.push(recordingOf(passed, way, level));
      pool.push(...passed.map(({ frame }) => frame));
    }
  }
  await acme.kill();
  await toAcme.close();
  return { hub, acme, recordings, pool, toHub, port: toAcme.port };
}

/** Files both ways in one session, on the line that is let through. */
async function record(hub: Gateway, acme: Gateway, line: Relay, mark: string): Promise<Passed[]> {
  for (const gateway of [hub, acme]) {
    for (const [index, [flow, content]] of FILES.entries()) {
      await gateway.drop(`${flow}/${gateway.id}${mark}${index}`, content);
    }
  }
  const open = (gateway: Gateway) => gateway.transfers({ direct: "send", state: "D" });
  await waitFor("all files to be claimed", async () =>
    (await Promise.all([hub, acme].map(open))).every((all) => all.length === FILES.length),
  );
  const { passed } = await line.open();
  line.hold();
  for (const gateway of [hub, acme]) {
    await waitFor(`${gateway.id} has sent all`, async () =>
      (await gateway.transfers({ direct: "send" })).every(({ state, ack }) => state === "X" && ack === "A"),
    );
  }
  return passed;
}

async function edit(gateway: Gateway, name: string, change: (text: string) => string): Promise<void> {
  await gateway.write(name, change(await readFile(join(gateway.directory, name), "utf8")));
}

const hash = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

/** What may stand in the inbox, and what does. */
class Ledger {
  /** Hashes of files that were said in full. */
  readonly said = new Set<string>();
  /** Names and stamps of all EERPs that were said. */
  readonly answered = new Set<string>();
  /** Hashes of files that were sent when nothing was changed. */
  readonly recorded = new Set<string>();
  /** Hashes of other files in the inbox, with their names: somebody must have said them in full. */
  readonly strange = new Map<string, string>();
  taken = 0;
  sessions = 0;
  mutated = { call: 0, answer: 0 };
  readonly outcomes = new Map<string, number>();
  readonly wrong: string[] = [];
  #sweeping: Promise<void> = Promise.resolve();

  note(peer: Peer, outcome: string, names: readonly string[]): void {
    this.sessions++;
    const end = outcome === "hung" ? outcome : peer.esid === "" ? "closed" : `ESID ${peer.esid.slice(0, 2)}`;
    this.outcomes.set(end, (this.outcomes.get(end) ?? 0) + 1);
    const story = `${names.join(", ")}; heard ${peer.heard.slice(-8).join(" ")}; ${end} ${peer.esid}`;
    if (outcome === "hung") this.wrong.push(`the line was not closed after: ${story}`);
    if (/internal/i.test(peer.esid)) this.wrong.push(`an internal error after: ${story}`);
    for (const file of filesIn(peer.sent)) this.said.add(hash(file));
    for (const frame of [...peer.sent, ...new Framer().push(Buffer.concat(peer.sent))]) {
      if (commandOf(frame) !== "EERP") continue;
      const dsn = frame.toString("latin1", 5, 31);
      // OFTP 1.4 and 2.0, then 1.2 and 1.3
      for (const at of [34, 40]) this.answered.add(identity(dsn, frame.toString("latin1", at, 52)));
    }
  }

  /** Files that were taken although nobody had said them in full. */
  get unsaid(): string[] {
    return [...this.strange].filter(([sha256]) => !this.said.has(sha256)).map(([, name]) => name);
  }

  /** Takes everything out of the inboxes; one sweep after the other. */
  sweep(hub: Gateway): Promise<void> {
    this.#sweeping = this.#sweeping.then(() => this.#sweep(hub));
    return this.#sweeping;
  }

  async #sweep(hub: Gateway): Promise<void> {
    const inbox = join(hub.rundir, "inbox");
    const found = await readdir(inbox, { recursive: true, withFileTypes: true });
    for (const entry of found.filter((each) => each.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const content = await readFile(path);
      this.taken++;
      if (!this.recorded.has(hash(content)))
        this.strange.set(hash(content), `${path}: ${content.toString("latin1", 0, 200)}`);
      await unlink(path);
    }
  }
}

/** Name, day and second of a file, from SFIDDSN and the digits of its stamps. */
function identity(dsn: string, stamps: string): string {
  const [date, time] =
    stamps.length === 18
      ? [stamps.slice(2, 8), stamps.slice(8, 14)]
      : [stamps.slice(0, 6), stamps.slice(6, 12)];
  return `${dsn.trimEnd()} ${date} ${time}`;
}

/** Everything was recorded: each command from both sides of a call, and all files. */
function complete(t: Test, recordings: readonly Recording[]): void {
  const wanted = ["SSID", "SFID", "DATA", "EFID", "SFPA", "CDT", "EFPA", "CD", "EERP", "RTR", "ESID"];
  for (const { level, way, ssid, last, files } of recordings) {
    t.equal(ssid.toString("latin1", 5, 6), String(level), `a session at level ${level}`);
    const missing = wanted.filter((command) => !last.has(command));
    t.same(missing, [], `level ${level}, recorded as ${way}: every command`);
    t.equal(files.length, FILES.length, "with all files");
  }
}

/** The gateway calls many partners at the port, each with codes of its own, and lets ACME call often. */
async function manyPartners(hub: Gateway, port: number): Promise<string[]> {
  await edit(hub, "partners.d/acme.toml", (text) =>
    text
      .replace(/^state .*$/m, 'state   = "activeserv"')
      .replace("cnxin  = 4", "cnxin  = 80")
      .replace("cnxinout = 8", "cnxinout = 80"),
  );
  const ids = Array.from({ length: CALLED }, (_, index) => `FZ${String(index).padStart(2, "0")}`);
  const one = (id: string) =>
    partnerToml({
      id,
      ports: { OFTP: port, OFTPS: port },
      ours: `O0999H${id}`,
      theirs: `O0999${id}`,
      sends: "HUBPW",
      expects: "ACMEPW",
      retryw: "200ms",
    });
  await hub.write("partners.d/lanes.toml", ids.map(one).join(""));
  await ask(hub.socket, "POST", "/reload");
  return ids;
}

/** Plays sessions with changed buffers. */
class Garbler {
  readonly #world: World;
  readonly #seed: number;
  readonly #ledger: Ledger;
  #sessions = 0;
  #stamps = 0;

  constructor(world: World, seed: number, ledger: Ledger) {
    this.#world = world;
    this.#seed = seed;
    this.#ledger = ledger;
  }

  async play(socket: Socket, way: Way): Promise<void> {
    const { recordings, pool } = this.#world;
    const ledger = this.#ledger;
    const chance: Chance = chanceOf(this.#seed + this.#sessions++ * 7919);
    const all = recordings.filter((each) => each.way === way);
    const recording = oneOf(chance, all);
    const rate = oneOf(chance, [0.03, 0.08, 0.2, 0.4]);
    const files = Array.from({ length: below(chance, 4) }, () => oneOf(chance, recording.files));
    const names: string[] = [];
    const alter = (frame: Buffer): Buffer[] => {
      if (chance() >= rate) return [frame];
      const { name, sent } = mutate(chance, frame, pool);
      names.push(`${commandOf(frame)} with ${name}`);
      if (sent.length > 0) ledger.mutated[way]++;
      return sent;
    };
    const peer = new Peer({
      socket,
      recording,
      files,
      code: (theirs) => theirs.replace("O0999H", "O0999"),
      stamp: () => String(++this.#stamps * (recording.level >= 4 ? 7 : 1)).padStart(10, "0"),
      alter,
      altered: () => names.length > 0,
    });
    const outcome = await peer.run();
    ledger.note(peer, outcome, names);
    // a machine that is busy with all this may let a timer expire
    if (names.length === 0 && way === "call" && !/^(0[09].*)?$/s.test(peer.esid)) {
      const story = peer.heard.slice(-8).join(" ");
      ledger.wrong.push(`a good session ended with ESID ${peer.esid} after ${story}`);
    }
  }
}

/** Sessions both ways until enough was changed. */
async function garble(t: Test, world: World, options: MutationOptions, ledger: Ledger): Promise<void> {
  const { hub, port } = world;
  const { seed, called, calling } = options;
  const garbler = new Garbler(world, seed, ledger);
  const answers = new Set<Promise<void>>();
  const server = createServer({ noDelay: true }, (socket) => {
    const answer = garbler.play(socket, "answer").finally(() => answers.delete(answer));
    answers.add(answer);
  });
  const ids = await manyPartners(hub, port);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const calls = Array.from({ length: CALLERS }, async () => {
    while (ledger.mutated.call < called && hub.running) {
      await garbler.play(connect({ host: "127.0.0.1", port: hub.ports.OFTP, noDelay: true }), "call");
    }
  });
  const enough = () => ledger.mutated.answer >= calling || !hub.running;
  await Promise.all([...calls, keepCalling(hub, ids, enough)]);
  server.close();
  await Promise.all(answers);
}

/** Gives every partner something to be sent, and calls it at once: what went wrong before is no reason to wait. */
async function keepCalling(hub: Gateway, ids: readonly string[], enough: () => boolean): Promise<void> {
  for (let dropped = 0; !enough(); ) {
    const claimed = await hub.transfers({ direct: "send", state: "D" });
    for (const id of [...ids, "ACME"]) {
      const left = await filesBelow(hub.outbox("..", id));
      for (let have = left.length + claimed.filter(({ part }) => part === id).length; have < 2; have++) {
        const [flow, content] = FILES[dropped % FILES.length] as (typeof FILES)[number];
        await hub.drop(`../${id}/${flow}/OUT${dropped++}`, content);
      }
      if (id !== "ACME") await ask(hub.socket, "POST", `/partners/${id}/call`).catch(refused);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function refused(error: unknown): void {
  if ((error as { code?: string }).code !== "CYG_NOT_CALLED") throw error;
}

/** Every acknowledged send since then: its response must have been said. */
async function unproved(hub: Gateway, since: number, ledger: Ledger): Promise<string[]> {
  const sends = await hub.transfers({ direct: "send", since: String(since) });
  const wrong: string[] = [];
  for (const { idtu } of sends.filter(({ ack }) => ack === "A").slice(0, 2000)) {
    const { dsn, date, time } = await ask<Stamped>(hub.socket, "GET", `/transfers/${idtu}`);
    if (!ledger.answered.has(identity(dsn, date + time))) wrong.push(`${dsn} ${date} ${time}`);
  }
  return wrong;
}

/** The real partner comes back: a file each way. */
async function goodTransfer({ hub, acme, toHub }: World): Promise<void> {
  // the others would be called where nobody is
  await hub.write("partners.d/lanes.toml", "");
  await ask(hub.socket, "POST", "/reload");
  await acme.start();
  void toHub.open();
  const good = octets(9, 300_000);
  for (const gateway of [hub, acme]) await gateway.drop("AFTERWARDS", good);
  for (const gateway of [hub, acme]) {
    await waitFor(`the file for ${gateway.id}`, async () =>
      (await readFile(gateway.inbox("AFTERWARDS")).catch(() => Buffer.alloc(0))).equals(good),
    );
  }
}

/** Changes so many buffers and checks what became of the gateway and of the files. */
export async function mutation(t: Test, options: MutationOptions): Promise<void> {
  const { seed, called, calling, progress } = options;
  t.comment(`seed ${seed}: CYGNET_MUTATION_SEED=${seed} repeats what is changed`);
  const everything = await world(t);
  const { hub, recordings } = everything;
  complete(t, recordings);
  const { pid } = hub;
  const since = Date.now();
  const ledger = new Ledger();
  for (const [, content] of FILES) ledger.recorded.add(hash(content));
  let peak = 0;
  const watched = setInterval(() => {
    if (!hub.running) return;
    peak = Math.max(peak, residentMemory(pid));
    void ledger.sweep(hub);
  }, 250);
  const told = setInterval(() => {
    const { call, answer } = ledger.mutated;
    const done = `${call} + ${answer} of ${called} + ${calling} changed buffers`;
    progress(`${done}, ${ledger.sessions} sessions, ${peak.toFixed(0)} MiB`);
  }, 10_000);
  try {
    await garble(t, everything, options, ledger);
  } finally {
    clearInterval(watched);
    clearInterval(told);
  }

  const { call, answer } = ledger.mutated;
  const seconds = Math.round((Date.now() - since) / 1000);
  t.comment(`${call} + ${answer} changed buffers in ${ledger.sessions} sessions, ${seconds} s`);
  t.comment(JSON.stringify(Object.fromEntries([...ledger.outcomes].sort())));
  t.comment(`${ledger.taken} files taken, ${ledger.strange.size} of them as they were changed on the way`);
  t.ok(hub.running && hub.pid === pid, "the gateway lives");
  t.ok(call >= called && answer >= calling, "enough was changed");
  t.same(ledger.wrong.slice(0, 20), [], "every session ended in time, without an internal error");
  await waitFor("all sessions to end", async () => (await hub.status()).sessions.length === 0);
  await ledger.sweep(hub);
  t.same(ledger.unsaid.slice(0, 20), [], "no file was taken that was not said in full");
  t.same(await unproved(hub, since, ledger), [], "every acknowledged file has a response that was said");
  t.ok(peak < MEMORY, `${peak.toFixed(0)} MiB at most`);
  t.equal((await readFile(hub.console, "utf8")).match(/unhandled|error:/i), null, "nothing on the console");
  for (const id of ["CFTH77E", "internal error"]) {
    t.same(hub.messages(id).slice(0, 5), [], `no ${id}`);
  }
  await goodTransfer(everything);
}
