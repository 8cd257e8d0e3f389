/**
 * Lines that break (RFC 5024 sections 5.3.3 and 9): after every exchange buffer of a session in which both sides
 * send files and responses, before the last octet of every one, and anywhere. Two gateways, many partners of each
 * other at the same time: each pair of partner objects is a lane with its own lines and its own cuts, one by one.
 */
import { mkdir, readFile, unlink } from "node:fs/promises";
import { type Test, test } from "tap";
import { nothingLeft } from "./arrivals.ts";
import { filesBelow, freePorts, type Gateway, octets, site, waitFor } from "./harness.ts";
import { type Cut, commandOf, type Passed, Relay, type Way } from "./proxy.ts";

const seed = Number(process.env.CYGNET_CUT_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** The smallest buffers there are and small windows: little content makes a long session. */
const LINE = 'net = "LOCAL"\nsrusize = 128\nscredit = 4\ndisctd = "50ms"\nrto = "10s"\nrestart = 10000';
const RETRY =
  'host = ["127.0.0.1"]\ncnxin = 4\ncnxout = 4\ncnxinout = 8\nretryw = "200ms"\nretryn = 10000\nretrym = 10000';
const FLOWS = `
[[cftsend]]
id = "U"
nfname = "&FROOT&(-.)FSUF"
[[cftsend]]
id = "F"
frecfm = "F"
flrecl = 40
nfname = "&FROOT&(-.)FSUF"
[[cftsend]]
id = "V"
frecfm = "V"
flrecl = 60
nfname = "&FROOT&(-.)FSUF"
`;

interface Kind {
  /** Id of the protocol. */
  prot: string;
  options: string;
  lanes: number;
  /** Who makes the call that is cut. */
  caller: "hub" | "acme";
  /** Random cuts. */
  random: number;
  /** Cuts at all buffers of the session, besides those at the first one of each command. */
  every: boolean;
}

const KINDS: Kind[] = [
  { prot: "L5", options: "level = [5]", lanes: 8, caller: "hub", random: 40, every: true },
  { prot: "L4", options: "level = [4]", lanes: 2, caller: "acme", random: 12, every: false },
  { prot: "L2", options: "level = [2]", lanes: 2, caller: "hub", random: 12, every: false },
  {
    prot: "ZERO",
    options: "level = [5]\nresync = false",
    lanes: 2,
    caller: "acme",
    random: 12,
    every: false,
  },
];

/** A lane: one partner object at each side, and a line for each side's calls. */
class Lane {
  readonly id: string;
  readonly sides: readonly [Side, Side];
  /** The line of the first call, and the other one. */
  readonly main: Relay;
  readonly back: Relay;
  readonly wrong: string[] = [];
  jobs = 0;

  constructor(id: string, sides: readonly [Side, Side], main: Relay, back: Relay) {
    this.id = id;
    this.sides = sides;
    this.main = main;
    this.back = back;
  }

  /**
   * Files both ways; the first line is cut, what comes later passes.
   * @returns what was on the first line, and the command in or after which it was cut
   */
  async run(cut: Cut | null) {
    const job = `${this.id}${String(++this.jobs).padStart(3, "0")}`;
    const since = Date.now() - 1;
    this.main.hold();
    this.back.hold();
    await Promise.all([this.main.quiet(), this.back.quiet()]);
    for (const [index, { gateway, files }] of this.sides.entries()) {
      const [other] = this.sides.filter((_, at) => at !== index) as [Side];
      for (const [flow, content] of files) {
        const name = `${job}${flow}${content.length}`;
        other.expected.set(name, content);
        await gateway.drop(`../${this.id}/${flow}/${name}`, content);
      }
    }
    const sends = async (gateway: Gateway, more: Record<string, string> = {}) =>
      gateway.transfers({ part: this.id, direct: "send", since: String(since), ...more });
    await waitFor(`all files of ${job} to be claimed`, async () => {
      for (const { gateway, files } of this.sides) {
        if ((await sends(gateway)).length < files.length) return false;
      }
      return true;
    });
    const first = await this.main.open(cut);
    void this.back.open();
    const point = `${job}, ${JSON.stringify(cut)}, ${first.cutIn}`;
    try {
      await waitFor(`the rest of ${point}`, async () => {
        await this.take();
        for (const { gateway, files, expected } of this.sides) {
          if (expected.size > 0) return false;
          const ended = await sends(gateway, { state: "X" });
          if (ended.filter(({ ack }) => ack === "A").length < files.length) return false;
        }
        return true;
      });
    } catch (error) {
      const open = await Promise.all(
        this.sides.map(async ({ gateway }) =>
          (await gateway.transfers({ part: this.id, since: String(since) })).filter(({ ack }) => ack !== "A"),
        ),
      );
      this.wrong.push(`${(error as Error).message}: ${JSON.stringify(open.flat(), null, 1)}`);
    }
    return first;
  }

  /** Takes what stands in both inboxes: each file that is expected, once, whole from the moment it is seen. */
  async take(): Promise<void> {
    for (const { gateway, expected } of this.sides) {
      const inbox = gateway.inbox("..", this.id);
      for (const name of await filesBelow(inbox)) {
        const content = await readFile(`${inbox}/${name}`);
        await unlink(`${inbox}/${name}`);
        const wanted = expected.get(name);
        if (wanted === undefined) this.wrong.push(`${gateway.id} was given ${name} once more, or by nobody`);
        else if (!wanted.equals(content)) this.wrong.push(`${name} is not what was sent`);
        expected.delete(name);
      }
    }
  }
}

interface Side {
  gateway: Gateway;
  /** What this side sends in each job: flow and content. */
  files: readonly (readonly [flow: string, content: Buffer])[];
  /** What must arrive here, by name. */
  expected: Map<string, Buffer>;
}

const line = (index: number, length: number) => `${index}:`.padEnd(length, "vwxyz");
const records = (count: number, length: number) =>
  Buffer.from(Array.from({ length: count }, (_, index) => `${line(index, length)}\n`).join(""));
const FROM_HUB = [
  ["U", octets(1, 2600)],
  ["F", octets(2, 40 * 16)],
  ["V", records(20, 30)],
  ["U", Buffer.alloc(0)],
] as const;
const FROM_ACME = [
  ["U", octets(3, 1500)],
  ["V", records(12, 45)],
] as const;

/** Everything both gateways need, their lanes by protocol. */
async function lanes(t: Test): Promise<{ hub: Gateway; acme: Gateway; byProt: Map<string, Lane[]> }> {
  const { hub, acme } = await site(t, { logLevel: "I" });
  const ports = await freePorts(KINDS.length * 2);
  const saps = new Map(
    [hub, acme].map((gateway, index) => [gateway, ports.filter((_, at) => at % 2 === index)]),
  );
  const byProt = new Map<string, Lane[]>();
  const partners = new Map<Gateway, string>([
    [hub, ""],
    [acme, ""],
  ]);
  for (const [index, { prot, lanes: count, caller }] of KINDS.entries()) {
    const own: Lane[] = [];
    for (let lane = 0; lane < count; lane++) {
      const id = `${prot}${String.fromCharCode(65 + lane)}`;
      const toHub = await Relay.before((saps.get(hub) as number[])[index] as number);
      const toAcme = await Relay.before((saps.get(acme) as number[])[index] as number);
      t.teardown(() => Promise.all([toHub.close(), toAcme.close()]));
      for (const [gateway, relay, ours, theirs] of [
        [hub, toAcme, "H", "A"],
        [acme, toHub, "A", "H"],
      ] as const) {
        const codes = `nspart = "O0${ours}${id}"\nnrpart = "O0${theirs}${id}"\nnspassw = "PW"\nnrpassw = "PW"`;
        const text = `[[cftpart]]\nid = "${id}"\nprot = ["${prot}"]\nsap = [${relay.port}]\n${codes}\n[[cfttcp]]\nid = "${id}"\n${RETRY}\n`;
        partners.set(gateway, partners.get(gateway) + text);
      }
      const sides = [
        { gateway: hub, files: FROM_HUB, expected: new Map<string, Buffer>() },
        { gateway: acme, files: FROM_ACME, expected: new Map<string, Buffer>() },
      ] as const;
      own.push(caller === "hub" ? new Lane(id, sides, toAcme, toHub) : new Lane(id, sides, toHub, toAcme));
    }
    byProt.set(prot, own);
  }
  for (const gateway of [hub, acme]) {
    const prots = KINDS.map(
      ({ prot, options }, index) =>
        `[[cftprot]]\nid = "${prot}"\ntype = "odette"\nsap = ${saps.get(gateway)?.[index]}\n${LINE}\n${options}\n`,
    );
    const main = await readFile(gateway.config, "utf8");
    await gateway.write("cygnet.toml", main + FLOWS + prots.join(""));
    await gateway.write("partners.d/lanes.toml", partners.get(gateway) as string);
    for (const lane of [...byProt.values()].flat()) {
      for (const flow of ["U", "F", "V"])
        await mkdir(gateway.outbox("..", lane.id, flow), { recursive: true });
    }
  }
  await Promise.all([hub.start(), acme.start()]);
  return { hub, acme, byProt };
}

const WAYS: readonly Way[] = ["call", "answer"];

/** Cut points over a recorded session. */
function cutsOf({ every, random }: Kind, passed: readonly Passed[], chance: () => number): Cut[] {
  const cuts: Cut[] = [];
  for (const way of WAYS) {
    const commands = passed.filter((each) => each.way === way).map(({ frame }) => commandOf(frame));
    const counted = every ? [...commands.keys()].map((index) => ({ way, buffers: index + 1 })) : [];
    const named = [...new Set(commands)].map((command) => ({ way, command, buffers: 1 }));
    for (const [index, where] of [...counted, ...named].entries()) {
      for (const withheld of [0, 1]) cuts.push({ ...where, withheld, reset: (index + withheld) % 2 === 1 });
    }
  }
  for (let count = 0; count < random; count++) {
    const way = WAYS[count % 2] as Way;
    const total = passed.filter((each) => each.way === way).reduce((sum, { frame }) => sum + frame.length, 0);
    cuts.push({ way, octets: 1 + Math.floor(chance() * total), reset: chance() < 0.5 });
  }
  return cuts;
}

/** Numbers in [0, 1) that are the same for the same seed. */
function chances(seed: number): () => number {
  let index = 0;
  return () => octets(seed + index++, 4).readUInt32BE() / 2 ** 32;
}

/** All commands of a session in which both sides send files. */
const COMMANDS = ["SSID", "SFID", "DATA", "EFID", "SFPA", "CDT", "EFPA", "CD", "EERP", "RTR"];

test("a line cut anywhere: both sides call again, and every file is delivered once, whole and acknowledged", {
  timeout: 600_000,
}, async (t) => {
  t.comment(`seed ${seed}: CYGNET_CUT_SEED=${seed} repeats it`);
  const { hub, acme, byProt } = await lanes(t);
  const begun = performance.now();
  await Promise.all(
    KINDS.map(async (kind, index) => {
      const own = byProt.get(kind.prot) as Lane[];
      const { passed } = await (own[0] as Lane).run(null);
      const spoken = (way: Way) =>
        new Set(passed.filter((each) => each.way === way).map(({ frame }) => commandOf(frame)));
      for (const [way, wanted] of [
        ["call", COMMANDS],
        ["answer", [...COMMANDS, "SSRM"]],
      ] as const) {
        const missing = wanted.filter((command) => !spoken(way).has(command));
        t.same(missing, [], `${kind.prot}: the recorded session has every command of the ${way}`);
      }
      const cuts = cutsOf(kind, passed, chances(seed + index * 1000));
      const planned = cuts.length;
      const hit = new Set<string>();
      let missed = 0;
      await Promise.all(
        own.map(async (lane) => {
          for (let cut = cuts.shift(); cut !== undefined; cut = cuts.shift()) {
            const { cutIn } = await lane.run(cut);
            if (cutIn === null) missed++;
            else if ("buffers" in cut) hit.add(`${cut.way} ${cutIn} ${cut.withheld}`);
          }
        }),
      );
      const all = WAYS.flatMap((way) =>
        [...spoken(way)].flatMap((command) => [`${way} ${command} 0`, `${way} ${command} 1`]),
      );
      t.same(
        all.filter((each) => !hit.has(each)),
        [],
        `${kind.prot}: cut after and within every command`,
      );
      // the turns of a session may fall a little differently, so that its last buffers are not always there
      t.ok(missed <= planned / 20, `${kind.prot}: ${planned} cuts, ${missed} beyond the session's end`);
      t.comment(`${kind.prot}: ${passed.length} buffers, ${planned} cuts`);
    }),
  );
  t.comment(`${Math.round((performance.now() - begun) / 1000)} s`);
  for (const lane of [...byProt.values()].flat()) {
    lane.main.hold();
    lane.back.hold();
    await Promise.all([lane.main.quiet(), lane.back.quiet()]);
    await lane.take();
    t.same(lane.wrong, [], `${lane.id}: each file of ${lane.jobs} cuts once and whole`);
    for (const { gateway, files } of lane.sides) {
      const sends = await gateway.transfers({ part: lane.id, direct: "send" });
      const good = sends.filter(({ state, ack }) => state === "X" && ack === "A");
      t.equal(sends.length, files.length * lane.jobs, `${gateway.id} claimed each file of ${lane.id} once`);
      t.equal(good.length, sends.length, "all are acknowledged");
    }
  }
  await nothingLeft(t, [hub, acme]);
  for (const gateway of [hub, acme]) {
    for (const id of ["CFTH77E", "CFTC70E", "internal error"]) {
      t.same(gateway.messages(id).slice(0, 5), [], `no ${id} at ${gateway.id}`);
    }
    const restarted = gateway.messages("CFTT96I");
    t.ok(restarted.length > 0, `${gateway.id} went on in the middle of ${restarted.length} files`);
    t.same(
      restarted.filter((line) => line.includes("ZERO")),
      [],
      "and never without restart",
    );
  }
});
