/** What a gateway stands: noise, liars, the slow and the silent. Clients speak OFTP by hand; the gateway is a process. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "tap";
import { encode } from "../../src/oftp/wire/codec.ts";
import type { Command, Sfid } from "../../src/oftp/wire/commands.ts";
import { frame } from "../../src/oftp/wire/stream.ts";
import {
  CD,
  callerToml,
  data,
  drained,
  edit,
  eerp,
  nerp,
  offered,
  Raw,
  RTR,
  residentMemory,
  session,
  sfid,
  ssid,
  words,
} from "./extra.ts";
import { filesBelow, type Gateway, hashTree, site, waitFor } from "./harness.ts";

const GOOD_BYE: Command = { type: "ESID", reas: 0, reast: "" };
const EFID: Command = { type: "EFID", rcnt: 0n, ucnt: 5n };

/** Hears HUB out: answers its responses and declines its files until it passes the turn back. */
async function hear(raw: Raw): Promise<number> {
  for (let responses = 0; ; responses++) {
    const received = await raw.next();
    if (received?.type === "CD") return responses;
    if (received?.type === "SFID") {
      raw.send({ type: "SFNA", reas: 99, rrtr: false, reast: "not now" });
      responses--;
      continue;
    }
    if (received?.type !== "EERP") throw new Error(`EERP or CD was expected, ${words(received)} came`);
    raw.send(RTR);
  }
}

/** One file of five octets, in an open session. */
async function give(raw: Raw, file: Sfid): Promise<void> {
  raw.send(file);
  await raw.expect("SFPA");
  raw.buffer(data("hello")).send(EFID);
  await raw.expect("EFPA");
}

/** A whole session that delivers one file and hears of it. */
async function visit(port: number, secure = false, file = sfid()): Promise<Sfid> {
  const raw = await session(port, {}, secure);
  await give(raw, file);
  raw.send(CD);
  if ((await hear(raw)) < 1) throw new Error("no end-to-end response came");
  raw.send(GOOD_BYE);
  if ((await raw.outcome()) !== "closed") throw new Error("the good-bye was answered");
  return file;
}

test("a gateway among strangers", { timeout: 600_000 }, async (t) => {
  const { hub, acme } = await site(t, { disctd: "300ms" });
  const timers = 'disctc = "20s"\ndiscts = "20s"\ndisctr = "2s"\ndisctd ';
  await edit(hub, "cygnet.toml", (text) => text.replaceAll("disctd ", timers));
  await hub.write(
    "partners.d/raw.toml",
    callerToml("RAW") +
      callerToml("RAW2") +
      callerToml("CLEAR", ["OFTP"]) +
      callerToml("TLS", ["OFTP", "OFTPS"], 'require = ["tls"]'),
  );
  await Promise.all([hub.start(), acme.start()]);
  const { OFTP: clear, OFTPS: tls } = hub.ports;
  const reload = async (change: (text: string) => string) => {
    const { number } = (await hub.status()).generation;
    await edit(hub, "cygnet.toml", change);
    await waitFor("the reload", async () => (await hub.status()).generation.number > number);
  };
  const quiet = () => waitFor("all sessions to end", async () => (await hub.status()).sessions.length === 0);

  await t.test("random bytes at both ports, in clear and inside TLS, end in a closed line", async (t) => {
    const noise = (index: number) => {
      const bytes = randomBytes(1 + ((index * 37) % 3000));
      // every other one begins like OFTP, so that it gets past the stream header
      if (index % 2 === 0) frame(Buffer.alloc(Math.min(bytes.length, 90) || 1)).copy(bytes, 0, 0, 4);
      return bytes;
    };
    const one = async (port: number, index: number) => {
      const socket = connect({ host: "127.0.0.1", port });
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.on("error", () => {}).resume();
      socket.end(noise(index));
      await closed;
    };
    for (let index = 0; index < 300; index += 50) {
      const chunk = Array.from({ length: 50 }, (_, at) => index + at);
      await Promise.all(chunk.flatMap((at) => [one(clear, at), one(tls, at)]));
    }
    for (let index = 0; index < 20; index++) {
      const raw = await Raw.connect(tls, true);
      raw.bytes(noise(index * 2 + 1).fill(0x80, 0, 1));
      t.equal(await raw.outcome(), "ESID 01");
    }
    await quiet();
    await visit(clear);
    await visit(tls, true);
  });

  /** Gives HUB so many more files to send to RAW. */
  let queued = 0;
  const queue = async (count: number) => {
    // said when the file is in the work folder, from where it can be sent
    const claimed = () => hub.messages("CFTR12I").length;
    const before = claimed();
    for (let index = 0; index < count; index++) {
      await hub.write(`var/outbox/RAW/OUT${queued++}.DAT`, "0123456789".repeat(30));
    }
    await waitFor("the files to be claimed", () => claimed() === before + count);
  };

  /** The frames of a good session, in order; each is written by `write`, which may cut or split it. */
  const play = async (raw: Raw, file: Sfid, write: (octets: Buffer, index: number) => Promise<boolean>) => {
    const commands = [ssid(), file, null, EFID, CD, RTR, GOOD_BYE];
    await raw.expect("SSRM");
    for (const [index, command] of commands.entries()) {
      if (!(await write(command ? frame(encode(command, 5)) : frame(data("hello")), index))) return;
      if (index === 0) await raw.expect("SSID");
      if (index === 1) await raw.expect("SFPA");
      if (index === 3) await raw.expect("EFPA");
      if (index === 4) await raw.expect("EERP");
      if (index === 5) await hear(raw);
    }
  };
  const lengths = [ssid(), sfid(), null, EFID, CD, RTR, GOOD_BYE].map(
    (command) => (command ? encode(command, 5).length : data("hello").length) + 4,
  );

  await t.test(
    "a good session cut at every byte of every frame: the line is closed, nothing is said",
    async (t) => {
      const wrong: string[] = [];
      for (const [index, length] of lengths.entries()) {
        for (let cut = 0; cut < length; cut++) {
          const raw = await Raw.connect(clear);
          await play(raw, sfid(), async (octets, at) => {
            if (at < index) raw.bytes(octets);
            else raw.socket.end(octets.subarray(0, cut));
            return at < index;
          });
          const outcome = await raw.outcome();
          if (outcome !== "closed") wrong.push(`frame ${index} cut at ${cut}: ${outcome}`);
        }
      }
      t.same(wrong, []);
      await quiet();
      const open = await hub.transfers({ part: "RAW", state: "C" });
      t.same(open, [], "no transfer is left as running");
    },
  );

  await t.test(
    "a good session split at every byte, and sent byte by byte, is answered as usual",
    async (t) => {
      for (let at = 1; at < Math.max(...lengths); at++) {
        const raw = await Raw.connect(clear);
        await play(raw, sfid(), async (octets) => {
          const split = 1 + ((at - 1) % (octets.length - 1));
          await raw.piece(octets.subarray(0, split));
          await raw.piece(octets.subarray(split));
          return true;
        });
        if ((await raw.outcome()) !== "closed") t.fail(`split at ${at}: the good-bye was answered`);
      }
      for (const secure of [false, true]) {
        const raw = await Raw.connect(secure ? tls : clear, secure);
        await play(raw, sfid(), async (octets) => {
          for (const octet of octets) await raw.piece(Buffer.of(octet));
          return true;
        });
        t.equal(await raw.outcome(), "closed", secure ? "byte by byte over TLS" : "byte by byte in clear");
      }
      // all in as few pieces as the protocol's turns allow
      const raw = await session(clear);
      raw.bytes(Buffer.concat([frame(encode(sfid(), 5))]));
      await raw.expect("SFPA");
      raw.bytes(Buffer.concat([frame(data("hello")), frame(encode(EFID, 5))]));
      await raw.expect("EFPA");
      raw.send(CD);
      await hear(raw);
      raw.send(GOOD_BYE);
      t.equal(await raw.outcome(), "closed");
    },
  );

  await t.test(
    "RFC 5024 section 5.3.3: what cannot be decoded or agreed on, by its ESID reason",
    async (t) => {
      const good = encode(ssid(), 5).toString("latin1");
      const at = (position: number, text: string) =>
        good.slice(0, position) + text + good.slice(position + text.length);
      const first: [string, Buffer | string, string][] = [
        ["an unknown command octet", "Z", "ESID 01"],
        ["a zero octet", "\0", "ESID 01"],
        ["SSID cut", good.slice(0, 40), "ESID 07"],
        ["SSID with more behind it", `${good}more`, "ESID 07"],
        ["a level that is no digit", at(1, "X"), "ESID 06"],
        ["level 0", at(1, "0"), "ESID 06"],
        ["letters in SSIDSDEB", at(35, "4O96A"), "ESID 06"],
        ["SSIDSDEB 100", at(35, "00100"), "ESID 06"],
        ["SSIDSR Q", at(40, "Q"), "ESID 06"],
        ["SSIDCMPR X", at(41, "X"), "ESID 06"],
        ["SSIDCRED 0", at(44, "000"), "ESID 06"],
        ["SSIDAUTH Y", at(47, "Y"), "ESID 12"],
        ["a code that nobody has", at(1, "5O0999NOBODY"), "ESID 03"],
        ["no code", encode(ssid({ code: "" }), 5), "ESID 03"],
        ["a wrong password", encode(ssid({ pswd: "WRONG" }), 5), "ESID 04"],
        ["no password", encode(ssid({ pswd: "" }), 5), "ESID 04"],
        ["a password in small letters", encode(ssid({ pswd: "rawpw" }), 5), "ESID 04"],
        [
          "a partner that must use TLS, in clear",
          encode(ssid({ code: "O0999TLS", pswd: "TLSPW" }), 5),
          "ESID 10",
        ],
      ];
      for (const [what, octets, expected] of first) {
        const raw = await Raw.connect(clear);
        await raw.expect("SSRM");
        t.equal(await raw.buffer(octets).outcome(), expected, what);
      }
      const headers: [string, number[], string][] = [
        ["another version of the stream header", [0x20, 0, 0, 5, 0x46], "ESID 01"],
        ["an exchange buffer of no octets", [0x10, 0, 0, 4], "ESID 07"],
        ["a length below the header's own", [0x10, 0, 0, 0], "ESID 07"],
        ["16 MiB announced", [0x10, 0xff, 0xff, 0xff], "ESID 07"],
        ["100,000 octets announced", [0x10, 0x01, 0x86, 0xa4], "ESID 07"],
      ];
      for (const [what, octets, expected] of headers) {
        const raw = await Raw.connect(clear);
        t.equal(await raw.bytes(Buffer.from(octets)).outcome(), expected, what);
      }
      const stranger = await Raw.connect(tls, true);
      await stranger.expect("SSRM");
      stranger.send(ssid({ code: "O0999CLEAR", pswd: "CLEARPW" }));
      t.equal(await stranger.outcome(), "ESID 03", "a partner at a protocol that it does not have");

      const offer = encode(sfid(), 5).toString("latin1");
      const later: [string, Buffer | string, string][] = [
        ["SFID cut", offer.slice(0, 100), "ESID 07"],
        ["SFID with more behind it", `${offer}more`, "ESID 07"],
        ["letters in SFIDFSIZ", `${offer.slice(0, 112)}ABC${offer.slice(115)}`, "ESID 06"],
        ["letters in SFIDDATE", `${offer.slice(0, 30)}today   ${offer.slice(38)}`, "ESID 06"],
        ["an unknown command octet", "Z", "ESID 01"],
      ];
      for (const [what, octets, expected] of later) {
        t.equal(await (await session(clear)).buffer(octets).outcome(), expected, what);
      }
      const receiving: [string, Buffer, string][] = [
        ["DATA beyond the agreed 128 octets", Buffer.concat([data("x"), Buffer.alloc(200)]), "ESID 07"],
        ["a subrecord longer than its buffer", Buffer.from([0x44, 0xbf, 1, 2, 3]), "ESID 06"],
        ["SFPA from the Speaker", encode({ type: "SFPA", acnt: 0n }, 5), "ESID 02"],
      ];
      for (const [what, octets, expected] of receiving) {
        const raw = await session(clear, { sdeb: 128 });
        raw.send(sfid());
        await raw.expect("SFPA");
        t.equal(await raw.buffer(octets).outcome(), expected, what);
      }
      const greedy = await session(clear, { sdeb: 8000, cred: 1 });
      greedy.send(sfid({ fsiz: 10_000n }));
      await greedy.expect("SFPA");
      // compressed zeros: 252 KB in each buffer, more than the gateway takes before its disk has caught up
      const zeros = Buffer.alloc(7999);
      for (let index = 1; index < zeros.length; index += 2) zeros[index - 1] = 0x7f;
      const full = frame(Buffer.concat([Buffer.of(0x44), zeros.subarray(0, 7998)]));
      greedy.bytes(Buffer.concat(Array.from({ length: 8 }, () => full)));
      t.equal(await greedy.outcome(), "ESID 02", "DATA without credit");
      await quiet();
    },
  );

  await t.test(
    "RFC 5024 section 9: every command in every phase but where it belongs is answered with ESID 02",
    async (t) => {
      const file = sfid();
      const commands: Record<string, Buffer> = { DATA: data("hello") };
      for (const command of [
        { type: "SSRM", message: "" },
        ssid(),
        { type: "SECD" },
        { type: "AUCH", chal: Buffer.alloc(20) },
        { type: "AURP", rsp: Buffer.alloc(20) },
        file,
        { type: "SFPA", acnt: 0n },
        { type: "SFNA", reas: 1, rrtr: false, reast: "" },
        { type: "CDT" },
        EFID,
        { type: "EFPA", cd: false },
        { type: "EFNA", reas: 1, reast: "" },
        CD,
        eerp(file),
        nerp(file),
        RTR,
      ] as Command[]) {
        commands[command.type] = encode(command, 5);
      }
      const afterFile = async () => {
        const raw = await session(clear);
        await give(raw, sfid());
        raw.send(CD);
        await raw.expect("EERP");
        return raw;
      };
      const phases: { name: string; enter: () => Promise<Raw>; allowed: string; waiting?: true }[] = [
        {
          name: "before SSID",
          enter: async () => {
            const raw = await Raw.connect(clear);
            await raw.expect("SSRM");
            return raw;
          },
          allowed: "SSID",
        },
        { name: "idle as Listener", enter: () => session(clear), allowed: "SFID CD EERP NERP" },
        {
          name: "receiving a file",
          enter: async () => {
            const raw = await session(clear);
            raw.send(sfid());
            await raw.expect("SFPA");
            return raw;
          },
          allowed: "DATA EFID",
        },
        { name: "waiting for RTR", enter: () => afterFile(), allowed: "RTR" },
        {
          name: "offering a file",
          enter: async () => (await offered(clear)).raw,
          allowed: "SFPA SFNA CDT",
          waiting: true,
        },
        {
          name: "sending without credit",
          enter: async () => {
            const { raw } = await offered(clear);
            raw.send({ type: "SFPA", acnt: 0n });
            await raw.expect("DATA");
            return raw;
          },
          allowed: "CDT",
          waiting: true,
        },
        {
          name: "ending a file",
          enter: async () => (await drained(clear)).raw,
          allowed: "EFPA EFNA CDT",
          waiting: true,
        },
      ];
      for (const { name, enter, allowed, waiting } of phases) {
        if (waiting) await queue(25);
        for (const [command, octets] of Object.entries(commands)) {
          if (allowed.split(" ").includes(command)) continue;
          const raw = await enter();
          // section 9.6, action F: a second SSID is hung up on
          const expected = command === "SSID" ? "closed" : "ESID 02";
          t.equal(await raw.buffer(octets).outcome(), expected, `${command} ${name}`);
        }
        for (const reas of [0, 1, 99]) {
          const raw = await enter();
          raw.send({ type: "ESID", reas, reast: "enough" });
          t.equal(await raw.outcome(), "closed", `ESID ${reas} ${name} is not answered`);
        }
        const raw = await enter();
        raw.close();
      }
      await quiet();
    },
  );

  await t.test(
    "garbage right behind a command, before the gateway has answered it, harms nobody",
    async (t) => {
      await queue(30);
      const enter = [
        { what: "an offer", first: () => [sfid()], setup: () => session(clear) },
        { what: "the turn, with files waiting", first: () => [CD], setup: () => session(clear) },
        {
          what: "the end of a file",
          first: () => [EFID],
          setup: async () => {
            const raw = await session(clear);
            raw.send(sfid());
            await raw.expect("SFPA");
            return raw.buffer(data("hello"));
          },
        },
        { what: "a response", first: () => [eerp(sfid())], setup: () => session(clear) },
        {
          what: "the turn, with a response waiting",
          first: () => [CD],
          setup: async () => {
            const raw = await session(clear);
            await give(raw, sfid());
            return raw;
          },
        },
        {
          what: "the acceptance of a file",
          first: () => [{ type: "SFPA", acnt: 0n } as Command],
          setup: async () => (await offered(clear)).raw,
        },
        {
          what: "credit",
          first: () => [{ type: "CDT" } as Command],
          setup: async () => {
            const { raw } = await offered(clear);
            raw.send({ type: "SFPA", acnt: 0n });
            await raw.expect("DATA");
            return raw;
          },
        },
        {
          what: "the answer to a file",
          first: () => [{ type: "EFPA", cd: false } as Command],
          setup: async () => (await drained(clear)).raw,
        },
      ];
      for (const { what, first, setup } of enter) {
        for (const [kind, last] of [
          ["garbage", frame(Buffer.from("Z"))],
          ["a close", null],
          ["a good-bye", frame(encode({ type: "ESID", reas: 99, reast: "" }, 5))],
        ] as const) {
          const raw = await setup();
          const octets = first().map((command) => frame(encode(command, 5)));
          raw.bytes(Buffer.concat(last ? [...octets, last] : octets));
          if (last === null) raw.socket.end();
          const rest = await raw.rest();
          raw.close();
          const esid = rest.findIndex(({ type }) => type === "ESID");
          t.ok(esid < 0 || esid === rest.length - 1, `${kind} behind ${what}: nothing follows an ESID`);
          if (kind === "garbage") t.not(esid, -1, `garbage behind ${what}: there is an ESID`);
        }
      }
      await quiet();
      t.ok(hub.running, "the gateway lives");
    },
  );

  await t.test("RFC 5024 section 4.3.4: files that are refused, and why; the session goes on", async (t) => {
    const raw = await session(clear);
    const rows: [string, Partial<Sfid>, number, boolean][] = [
      ["a destination that is not ours", { dest: "O0999OTHER" }, 2, false],
      ["an originator that is not the caller", { orig: "O0999ACME" }, 3, false],
      ["format F without a record length", { fmt: "F" }, 5, false],
      ["format V without a record length", { fmt: "V" }, 5, false],
      ["format X", { fmt: "X" }, 4, false],
      ["no name", { dsn: "" }, 1, false],
      ["a file too big for the disk", { fsiz: 9_999_999_999_999n }, 6, true],
      ["a file signed by nobody known here", { sec: 2, ciph: 4, env: 1 }, 19, false],
      ["a cipher suite that does not exist", { sec: 1, ciph: 42, env: 1 }, 15, false],
      ["an envelope that is none", { sec: 1, ciph: 4, env: 0 }, 99, false],
      ["a service that does not exist", { comp: 2, env: 1 }, 99, false],
      ["an envelope", { env: 1 }, 99, false],
      ["a file that wants a signed response", { sign: true }, 15, false],
      ["a security level that does not exist", { sec: 9 }, 99, false],
    ];
    for (const [what, changes, reas, rrtr] of rows) {
      raw.send(sfid(changes));
      const answer = await raw.expect("SFNA");
      t.same([answer.reas, answer.rrtr], [reas, rrtr], `SFNA for ${what}: ${answer.reast}`);
    }
    for (const npart of ["O0999OTHER", "O0999ACME"]) {
      await waitFor(`CFTT15E of ${npart}`, () =>
        hub.messages("CFTT15E").some((line) => line.includes(npart)),
      );
    }
    const file = sfid({ dsn: "ONCE" });
    await give(raw, file);
    raw.send(file);
    const duplicate = await raw.expect("SFNA");
    t.same([duplicate.reas, duplicate.rrtr], [13, false], "the same file once more");
    raw.send(sfid({ dsn: "MISCOUNTED" }));
    await raw.expect("SFPA");
    raw.buffer(data("hello")).send({ type: "EFID", rcnt: 0n, ucnt: 6n });
    t.equal((await raw.expect("EFNA")).reas, 11, "a wrong count of octets");
    await give(raw, sfid({ dsn: "AFTERWARDS" }));
    raw.send(CD);
    await hear(raw);
    raw.send(GOOD_BYE);
    t.equal(await raw.outcome(), "closed");
    const names = await filesBelow(`${hub.rundir}/inbox/RAW`);
    t.ok(names.includes("ONCE") && names.includes("AFTERWARDS") && !names.includes("ONCE~2"));
    t.notOk(
      names.some((name) => name.startsWith("MISCOUNTED")),
      "a miscounted file does not reach the inbox",
    );
  });

  await t.test(
    "names from the line are data: each file lands in inbox/RAW, under one safe name",
    async (t) => {
      const before = new Set(await filesBelow(hub.directory));
      const dsns = [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "../x",
        "CON",
        "NUL.TXT",
        "com1",
        "a/b/c",
        "a\\b",
        "C:\\X",
        ".hidden",
        "-rf",
        "%2e%2e%2f",
        "$(touch x)",
        "`id`",
        "x;y&z",
        "name.tmp",
        ".a.part",
        "inbox",
        "&PART",
        "&NFNAME",
        "~",
        "~root",
        "*?",
        '"quoted"',
        "'",
        " lead",
        "DEFAULT",
        "|less",
        "<a>",
      ];
      const raw = await session(clear);
      for (const dsn of dsns) {
        const file = sfid({ dsn: "X" });
        const octets = encode(file, 5);
        octets.write(dsn.padEnd(26), 1, "latin1");
        raw.buffer(octets);
        await raw.expect("SFPA");
        raw.buffer(data("hello")).send(EFID);
        await raw.expect("EFPA");
      }
      for (const dsn of ["a\nb", "a\rb", "\u0007bell", "\u001b[31m", "a\0b", "caf\u00e9"]) {
        const octets = encode(sfid({ dsn: "X" }), 5);
        octets.write(dsn.padEnd(26), 1, "latin1");
        const answer = await raw.buffer(octets).expect("SFNA");
        t.equal(answer.reas, 1, `SFNA for ${JSON.stringify(dsn)}: ${answer.reast}`);
      }
      // the long name of OFTP 2.0 is believed only where the dataset name is its short form, and is no path either
      await give(raw, sfid({ dsn: "../../ETC/PASSWD", desc: "../../etc/passwd" }));
      await give(raw, sfid({ dsn: "PLAIN", desc: "../../../tmp/evil" }));
      raw.send(CD);
      await hear(raw);
      raw.send(GOOD_BYE);
      await raw.outcome();
      const made = (await filesBelow(hub.directory)).filter(
        (path) => !before.has(path) && !path.startsWith("var/log/"),
      );
      for (const path of made) t.match(path, /^var\/inbox\/RAW\/[^/]+$/, JSON.stringify(path));
      t.equal(made.length, dsns.length + 2, "one file each");
      for (const path of made) {
        const name = path.slice("var/inbox/RAW/".length);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
        t.notMatch(name, /[\u0000-\u001f\\:*?"<>|]|^\.|^(con|nul|com1)(\.|$)/i, JSON.stringify(name));
      }
      const recorded = (await hub.transfers({ part: "RAW", direct: "recv" })).map(({ nfname }) => nfname);
      for (const dsn of dsns) t.ok(recorded.includes(dsn), `the catalog has ${JSON.stringify(dsn)}`);
    },
  );

  await t.test(
    "responses: unknown ones and strangers' ones are released with RTR and change nothing",
    async (t) => {
      await queue(1);
      const { raw, file } = await drained(clear);
      raw.send({ type: "EFPA", cd: false });
      raw.close();
      const state = async () => {
        const all = await hub.transfers({ part: "RAW", direct: "send" });
        const found = all.find(({ nfname }) => nfname === file.dsn);
        return `${found?.phase}${found?.ack}`;
      };
      await waitFor("the file to await its response", async () => (await state()) === "Z");
      const other = await session(clear, { code: "O0999RAW2", pswd: "RAW2PW" });
      for (const response of [
        eerp(file),
        nerp(file),
        { ...eerp(file), orig: "O0999RAW2" },
        { ...nerp(file), orig: "O0999RAW2" },
      ]) {
        other.send(response);
        await other.expect("RTR");
        t.equal(await state(), "Z", `${response.type} of another partner does not count`);
      }
      other.send(GOOD_BYE);
      await other.outcome();
      const own = await session(clear);
      for (const response of [eerp(sfid({ dsn: "NEVER" })), nerp(sfid({ dsn: "NEVER" }))]) {
        own.send(response);
        await own.expect("RTR");
      }
      t.equal(await state(), "Z");
      for (let times = 0; times < 3; times++) {
        own.send(eerp(file));
        await own.expect("RTR");
        t.equal(await state(), "XA", "its own response counts, once");
      }
      own.send(nerp(file));
      await own.expect("RTR");
      t.equal(await state(), "XA", "a contradiction comes too late");
      own.send(GOOD_BYE);
      t.equal(await own.outcome(), "closed");
    },
  );

  await t.test("one file offered in two sessions at once is taken once", async (t) => {
    const file = sfid({ dsn: "TWIN" });
    const [one, two] = await Promise.all([session(clear), session(tls, {}, true)]);
    one.send(file);
    await one.expect("SFPA");
    two.send(file);
    const busy = await two.expect("SFNA");
    t.same([busy.reas, busy.rrtr], [99, true], busy.reast);
    one.buffer(data("hello")).send(EFID);
    await one.expect("EFPA");
    two.send(file);
    t.equal((await two.expect("SFNA")).reas, 13);
    for (const raw of [one, two]) {
      raw.send({ type: "ESID", reas: 99, reast: "" });
      await raw.outcome();
    }
    await waitFor("the file", async () => (await filesBelow(`${hub.rundir}/inbox/RAW`)).includes("TWIN"));
    t.notOk((await filesBelow(`${hub.rundir}/inbox/RAW`)).includes("TWIN~2"));
  });

  await t.test("1,000 silent connections: partners still get through, above and below maxcnx", async (t) => {
    const crowd: Socket[] = [];
    const fill = async (count: number) => {
      for (let index = 0; index < count; index += 50) {
        await Promise.all(
          Array.from({ length: 50 }, (_, at) => {
            // one address alone gets no more than half of the house
            const localAddress = at % 4 < 2 ? "127.0.0.66" : "127.0.0.67";
            const socket = connect({ host: "127.0.0.1", port: at % 2 === 0 ? clear : tls, localAddress });
            crowd.push(socket.on("error", () => {}).resume());
            return new Promise<void>((resolve) =>
              socket.once("connect", () => resolve()).once("close", () => resolve()),
            );
          }),
        );
      }
    };
    t.teardown(() => {
      for (const socket of crowd) socket.destroy();
    });
    await reload((text) => text.replace("maxcnx = 100", "maxcnx = 2000"));
    await fill(1000);
    await waitFor("the crowd", async () => ((await hub.status()).networks[0]?.silent ?? 0) >= 1000);
    await visit(clear);
    await visit(tls, true);
    const sha256 = await acme.drop("CROWDED.DAT", { size: 3_000_000, seed: 4 });
    await waitFor(
      "a file through the crowd",
      async () => (await hashTree(hub.inbox())).get("CROWDED.DAT") === sha256,
    );
    t.ok(crowd.filter((socket) => !socket.destroyed).length >= 1000, "the crowd is still there");
    for (const socket of crowd.splice(0)) socket.destroy();
    await waitFor("the crowd to go", async () => (await hub.status()).networks[0]?.open === 0);

    await reload((text) => text.replace("maxcnx = 2000", "maxcnx = 50"));
    await fill(1000);
    const again = await acme.drop("FULL.DAT", { size: 3_000_000, seed: 5 });
    await waitFor(
      "a file past a full house",
      async () => (await hashTree(hub.inbox())).get("FULL.DAT") === again,
    );
    t.ok(((await hub.status()).networks[0]?.open ?? 0) <= 50, "never more than maxcnx");
  });

  await t.test("the slow and the silent are put out when their time is up", async (t) => {
    await reload((text) =>
      text
        .replace("maxcnx = 50", "maxcnx = 100")
        .replaceAll('disctc = "20s"', 'disctc = "1s"')
        .replaceAll('discts = "20s"', 'discts = "1s"')
        .replaceAll('disctr = "2s"', 'disctr = "1s"')
        .replaceAll(/rto +=.*/g, 'rto = "1500ms"'),
    );
    const drip = (raw: Raw, octets: Buffer) => {
      let at = 0;
      const timer = setInterval(() => raw.bytes(octets.subarray(at, ++at)), 150);
      raw.socket.once("close", () => clearInterval(timer));
    };
    const rows: { what: string; run: () => Promise<string>; outcome: string; atLeast?: number }[] = [
      {
        what: "a caller that says nothing",
        run: async () => (await Raw.connect(clear)).outcome(),
        outcome: "ESID 09",
      },
      {
        what: "a caller that says nothing at the TLS port",
        run: () =>
          new Promise((resolve) => {
            const socket = connect({ host: "127.0.0.1", port: tls });
            socket
              .on("error", () => {})
              .resume()
              .once("close", () => resolve("closed"));
          }),
        outcome: "closed",
      },
      {
        what: "a caller that says nothing inside TLS",
        run: async () => (await Raw.connect(tls, true)).outcome(),
        outcome: "ESID 09",
      },
      {
        what: "an SSID that drips in",
        run: async () => {
          const raw = await Raw.connect(clear);
          drip(raw, frame(encode(ssid(), 5)));
          return raw.outcome();
        },
        outcome: "ESID 09",
      },
      { what: "a session that idles", run: async () => (await session(clear)).outcome(), outcome: "ESID 09" },
      {
        what: "a session that stops inside a frame",
        run: async () => (await session(clear)).bytes(frame(encode(sfid(), 5)).subarray(0, 20)).outcome(),
        outcome: "ESID 09",
      },
      {
        what: "a file that does not go on",
        run: async () => {
          const raw = await session(clear);
          raw.send(sfid());
          await raw.expect("SFPA");
          return raw.buffer(data("hello")).outcome();
        },
        outcome: "ESID 09",
      },
      {
        what: "a response that is not answered",
        run: async () => {
          const raw = await session(clear);
          await give(raw, sfid());
          raw.send(CD);
          await raw.expect("EERP");
          return raw.outcome();
        },
        outcome: "ESID 09",
      },
      {
        what: "one that does not close after our ESID",
        run: async () => {
          const raw = await session(clear);
          raw.buffer("Z");
          await raw.expect("ESID");
          return raw.outcome();
        },
        outcome: "closed",
      },
    ];
    // partners may have two sessions at a time: those that get as far go one after the other
    for (const { what, run, outcome } of rows) {
      const began = performance.now();
      t.equal(await run(), outcome, what);
      t.ok(
        performance.now() - began < 4_000,
        `${what}: in time (${Math.round(performance.now() - began)} ms)`,
      );
    }
    await quiet();
    await waitFor("no connection", async () => (await hub.status()).networks[0]?.open === 0);
  });

  await t.test("after all that the gateway is well", async (t) => {
    await visit(clear);
    await visit(tls, true);
    const [there, back] = await Promise.all([
      acme.drop("LAST.DAT", { size: 5_000_000, seed: 6 }),
      hub.drop("BACK.DAT", { size: 5_000_000, seed: 7 }),
    ]);
    await waitFor("the last file", async () => (await hashTree(hub.inbox())).get("LAST.DAT") === there);
    await waitFor("the way back", async () => (await hashTree(acme.inbox())).get("BACK.DAT") === back);
    const memory = residentMemory(hub.pid);
    // what a leak would exceed at once; the heap itself grows lazily, the more so on a busy machine
    t.ok(memory < 450, `resident memory is ${Math.round(memory)} MiB`);
    assertCalm(t, hub);
    assertCalm(t, acme);
    const unfinished = (await hub.transfers({ direct: "recv" })).filter(({ state }) => state !== "X");
    const known = new Set(unfinished.map(({ idtu }) => idtu));
    const strays = (await filesBelow(`${hub.rundir}/work/recv`)).filter((name) => !known.has(name));
    t.same(strays, [], "no half-received file without a record");
    await Promise.all([hub.kill("SIGTERM"), acme.kill("SIGTERM")]);
    t.same(await hub.exited(), { code: 0, signal: null }, "it ends in good order");
  });
});

/** Nothing in the log or on the console tells of a fault of our own. */
function assertCalm(
  t: { same: (found: unknown, wanted: unknown, message: string) => void },
  gateway: Gateway,
): void {
  const fault = /internal error|unhandled|uncaught|CFTH77E|CFTH97E|CFTS77E|MaxListeners|^\s+at |^\(node:/i;
  const lines = `${gateway.log()}${readFileSync(gateway.console, "utf8")}`.split("\n");
  t.same(
    lines.filter((line) => fault.test(line)).slice(0, 10),
    [],
    `${gateway.id} reports no fault of its own`,
  );
}
