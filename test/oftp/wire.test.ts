/** The codec and the stream header against the worked examples, the field tables and hostile octets. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { test } from "tap";
import { decode, encode, utf8, WireError } from "../../src/oftp/wire/codec.ts";
import type { Command } from "../../src/oftp/wire/commands.ts";
import {
  type CommandName,
  column,
  DATA,
  type Field,
  LAYOUTS,
  type Layout,
} from "../../src/oftp/wire/layout.ts";
import { LEVELS, type Level } from "../../src/oftp/wire/level.ts";
import { frame, HEADER, MAX_BUFFER, StreamDecoder, writeHeader } from "../../src/oftp/wire/stream.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { DATA_VECTORS, RFC2204, RFC5024 } from "./data-vectors.ts";
import { LAYOUT_FACTS } from "./rfc-tables.ts";
import { octets, SESSION, TO_BE_SIGNED, VECTORS } from "./vectors.ts";

/** What decoding comes to: the command with the tolerances it needed, or the ESID reason of the WireError. */
function outcome(buffer: Buffer, level: Level): { command: Command; tolerated: string[] } | number {
  const tolerated: string[] = [];
  try {
    return { command: decode(buffer, level, (name) => tolerated.push(name)), tolerated };
  } catch (error) {
    if (error instanceof WireError && error.code === "CYG_OFTP_WIRE") return error.esid;
    throw error;
  }
}

/** Exchange buffers that a fresh decoder cuts from the chunks. */
function cut(...chunks: Buffer[]): Buffer[] {
  const decoder = new StreamDecoder();
  const buffers: Buffer[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk, (buffer) => {
      buffers.push(Buffer.from(buffer));
      return true;
    });
  }
  return buffers;
}

const vector = (title: string): Command =>
  (VECTORS.find((each) => each.title.startsWith(title)) ?? fail(title)).command;
const fail = (title: string): never => {
  throw new Error(`no example begins with ${title}`);
};

const SFID = vector("SFID, OFTP 2.0: Encrypted") as Extract<Command, { type: "SFID" }>;
const EERP = vector("EERP, OFTP 2.0") as Extract<Command, { type: "EERP" }>;
const NERP = vector("NERP, OFTP 2.0: Minimal") as Extract<Command, { type: "NERP" }>;
const SSID = vector("SSID, OFTP 2.0") as Extract<Command, { type: "SSID" }>;

test("RFC 5024 5.3, RFC 2204 5.3: worked examples decode to their fields and encode to their octets", (t) => {
  t.equal(VECTORS.length, 37);
  for (const { title, level, sth, octets, command } of VECTORS) {
    t.strictSame(outcome(octets, level), { command, tolerated: [] }, `decode ${title}`);
    t.equal(encode(command, level).toString("hex"), octets.toString("hex"), `encode ${title}`);
    t.equal(frame(octets).toString("hex"), sth.toLowerCase() + octets.toString("hex"), `header of ${title}`);
  }
  for (const { title, sth, octets } of DATA_VECTORS) {
    t.equal(octets[0], DATA);
    t.equal(frame(octets).toString("hex", 0, HEADER), sth.toLowerCase(), `header of ${title}`);
  }
  t.end();
});

test("RFC 5024 5.3.14, 5.3.16: signed responses and challenges of known length", (t) => {
  const signed = encode({ ...EERP, hsh: Buffer.alloc(64, 1), sig: Buffer.alloc(698, 2) }, 5);
  t.equal(signed.length, 872);
  t.equal(signed.toString("hex", 106, 109), "004001");
  t.equal(signed.toString("hex", 171, 175), "0102ba02");
  for (const [octets, start, total] of [
    [459, "4101cb", 462],
    [476, "4101dc", 479],
  ] as const) {
    const challenge = encode({ type: "AUCH", chal: Buffer.alloc(octets, 7) }, 5);
    t.equal(challenge.length, total);
    t.equal(challenge.toString("hex", 0, 3), start);
    t.strictSame(decode(challenge, 5), { type: "AUCH", chal: Buffer.alloc(octets, 7) });
  }
  // what a response signs are the octets of its own fields, but for the reserved ones and the user data
  const unsigned = encode(EERP, 5);
  const identity = Buffer.concat([
    unsigned.subarray(1, 27),
    unsigned.subarray(30, 48),
    unsigned.subarray(56, 106),
  ]);
  const hash = createHash("sha512").update(TO_BE_SIGNED.file).digest();
  t.strictSame(Buffer.concat([identity, hash]), TO_BE_SIGNED.octets);
  t.end();
});

test("RFC 5024 5.3: field tables equal those of the documents, name, type and octets", (t) => {
  const lengthOf: Record<string, string> = {
    reast: "REASL",
    desc: "DESCL",
    chal: "CHLL",
    hsh: "HSHL",
    sig: "SIGL",
  };
  const facts = (name: string, field: Field, level: Level): string[] => {
    const width = field.width[column(level)];
    if (width === 0) return [];
    const full = name + (field.kind === "M" ? "MSG" : field.name.toUpperCase());
    switch (field.kind) {
      case "N":
      case "B":
        return [`${full}:9(${width})`];
      case "D":
      case "H":
        return [`${full}:${level < 4 ? "X" : "9"}(${width})`];
      case "C":
        return [`${full}:C(${width})`];
      case "O":
        return [`${full}:U(${width})`];
      case "T":
        return [`${name}${lengthOf[field.name]}:9(${width})`, `${full}:T(n)`];
      case "U":
        return [`${name}${lengthOf[field.name]}:U(${width})`, `${full}:U(n)`];
      default:
        return [`${full}:X(${width})`];
    }
  };
  const { DATA: data, ...commands } = LAYOUT_FACTS;
  t.equal(data?.code.charCodeAt(0), DATA);
  t.strictSame(Object.keys(LAYOUTS).sort(), Object.keys(commands).sort());
  for (const [name, fact] of Object.entries(commands)) {
    const layout: Layout = LAYOUTS[name as CommandName];
    t.equal(layout.code, fact.code.charCodeAt(0), `${name} octet`);
    for (const level of LEVELS) {
      const expected = fact[level === 5 ? "2.0" : level === 4 ? "1.4" : "1.3"];
      const found = [`${name}CMD:X(1)`, ...layout.fields.flatMap((field) => facts(name, field, level))];
      t.equal(layout.since > level ? null : found.join(" "), expected, `${name} at level ${level}`);
    }
  }
  t.end();
});

/** Octets of each command at 1.2/1.3, 1.4 and 2.0 without text, hash, signature and challenge; "-" = none. */
const SIZES = `
  SSRM 19  19  19
  SSID 61  61  61
  SECD -   -   1
  AUCH -   -   3
  AURP -   -   21
  SFID 128 128 165
  SFPA 10  10  18
  SFNA 4   4   7
  CDT  3   3   3
  EFID 22  22  35
  EFPA 2   2   2
  EFNA 3   3   6
  CD   1   1   1
  EERP 106 106 110
  NERP -   128 135
  RTR  1   1   1
  ESID 4   4   7
`;

/** Every command without anything variable; the same with everything variable, 10 octets each. */
const NONE = Buffer.alloc(0);
const TEN = Buffer.alloc(10, 0x5a);
const BARE: readonly Command[] = [
  vector("SSRM"),
  SSID,
  { type: "SECD" },
  { type: "AUCH", chal: NONE },
  { type: "AURP", rsp: Buffer.alloc(20, 3) },
  { ...SFID, desc: "" },
  { type: "SFPA", acnt: 0n },
  { type: "SFNA", reas: 13, rrtr: false, reast: "" },
  { type: "CDT" },
  { type: "EFID", rcnt: 9n, ucnt: 359n },
  { type: "EFPA", cd: true },
  { type: "EFNA", reas: 11, reast: "" },
  { type: "CD" },
  EERP,
  NERP,
  { type: "RTR" },
  { type: "ESID", reas: 2, reast: "" },
];
const FULL: readonly Command[] = BARE.map((command) => {
  const filled = { ...command } as Record<string, unknown>;
  for (const name of ["desc", "reast"]) if (name in filled) filled[name] = "ten octets";
  for (const name of ["chal", "hsh", "sig"]) if (name in filled) filled[name] = TEN;
  return filled as unknown as Command;
});

test("RFC 5024 5.3: total octets of every command at every level", (t) => {
  const rows = SIZES.trim()
    .split("\n")
    .map((row) => row.trim().split(/ +/));
  t.strictSame(
    rows.map(([name]) => name),
    BARE.map(({ type }) => type),
  );
  for (const [index, [name, ...sizes]] of rows.entries()) {
    const bare = BARE[index] as Command;
    const full = FULL[index] as Command;
    for (const level of LEVELS) {
      const size = sizes[column(level)];
      const what = `${name} at level ${level}`;
      if (size === "-") {
        t.throws(() => encode(bare, level), { code: "CYG_OFTP_FIELD" }, `${what} cannot be sent`);
        t.equal(outcome(encode(bare, 5), level), 1, `${what} is not recognised`);
      } else {
        t.equal(encode(bare, level).length, Number(size), `${what} bare`);
        const variable = LAYOUTS[name as CommandName].fields.filter(({ kind, width }) => {
          return (kind === "T" || kind === "U") && width[column(level)] > 0;
        });
        const octets = encode(full, level);
        t.equal(octets.length, Number(size) + 10 * variable.length, `${what} full`);
        const again = outcome(octets, name === "SSID" ? 5 : level);
        t.ok(typeof again === "object" && again.tolerated.length === 0, `${what} decodes again`);
        if (typeof again === "object") {
          t.strictSame(encode(again.command, level), octets, `${what} encodes again`);
        }
      }
    }
  }
  t.end();
});

/** Every example, the bare and the full commands as [title, level, octets]. */
const ALL: readonly (readonly [string, Level, Buffer])[] = [
  ...VECTORS.map(({ title, level, octets }) => [title, level, octets] as const),
  ...[...BARE, ...FULL].flatMap((command) =>
    LEVELS.filter((level) => LAYOUTS[command.type].since <= level).map((level) => {
      const octets = encode(command.type === "SSID" ? { ...command, lev: level } : command, level);
      return [`${command.type} of ${octets.length} at level ${level}`, level, octets] as const;
    }),
  ),
];

test("RFC 5024 8: frames come out whole, split at every octet, octet by octet and all at once", (t) => {
  const frames = [
    ...ALL.map(([title, , octets]) => [title, frame(octets)] as const),
    ...DATA_VECTORS.map(({ title, octets }) => [title, frame(octets)] as const),
    ...RFC2204.buffers.map((octets, index) => [`RFC 2204 A, ${index + 1}`, octets] as const),
    ["RFC 5024 A", frame(RFC5024.buffer)] as const,
    ...SESSION.map(([, name, octets]) => [`${name} of the session`, octets] as const),
  ];
  for (const [title, framed] of frames) {
    const whole = [framed.subarray(HEADER)];
    const wrong: number[] = [];
    for (let at = 0; at <= framed.length; at++) {
      if (!isDeepStrictEqual(cut(framed.subarray(0, at), framed.subarray(at)), whole)) wrong.push(at);
    }
    t.strictSame(wrong, [], `${title} split at every octet`);
    t.strictSame(cut(...[...framed].map((octet) => Buffer.of(octet))), whole, `${title} octet by octet`);
  }
  const stream = Buffer.concat(frames.map(([, framed]) => framed));
  const expected = frames.map(([, framed]) => framed.subarray(HEADER));
  t.strictSame(cut(stream), expected, "all frames in one chunk");
  for (const size of [2, 3, 5, 64, 1000, 4096]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
    t.strictSame(cut(...chunks), expected, `all frames in chunks of ${size}`);
  }
  t.end();
});

test("RFC 5024 8: the session of one small file decodes command by command", (t) => {
  const names = SESSION.map(([, , framed]) => {
    const [buffer] = cut(framed) as [Buffer];
    return buffer[0] === DATA ? "DATA" : decode(buffer, 1).type;
  });
  t.strictSame(
    names,
    SESSION.map(([, name]) => name),
  );
  t.strictSame(decode(SESSION[3]?.[2].subarray(HEADER) as Buffer, 1), {
    type: "SFID",
    dsn: "HELLO",
    date: "260115",
    time: "103015",
    user: "",
    dest: "B",
    orig: "A",
    fmt: "U",
    lrecl: 0,
    fsiz: 1n,
    osiz: 0n,
    rest: 0n,
    sec: 0,
    ciph: 0,
    comp: 0,
    env: 0,
    sign: false,
    desc: "",
  });
  t.end();
});

test("RFC 5024 8.2: stream headers that cannot be", (t) => {
  const rows: [string, number | "accepted"][] = [
    ["00", 1],
    ["20000005", 1],
    ["474554", 1],
    ["F0", 1],
    ["10000000", 7],
    ["10000001", 7],
    ["10000003", 7],
    ["10000004", 7],
    ["10000005", "accepted"],
    // flag bits are ignored
    ["1F000005", "accepted"],
    ["100186A3", "accepted"],
    ["100186A4", 7],
    ["10FFFFFF", 7],
    // a TLS record on a clear port: its first octet passes, its length does not
    ["16030100", 7],
  ];
  for (const [header, expected] of rows) {
    const bytes = octets(header);
    for (const chunks of [[bytes], [...bytes].map((octet) => Buffer.of(octet))]) {
      let found: number | "accepted" = "accepted";
      try {
        cut(...chunks);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        found = error.esid;
      }
      t.equal(found, expected, `${header} in ${chunks.length}`);
    }
  }
  t.end();
});

test("RFC 5024 8: the stream decoder tells of a partial buffer, stops when told and takes the largest", (t) => {
  const decoder = new StreamDecoder();
  const seen: number[] = [];
  const states = [...frame(Buffer.from("344E", "hex"))].map((octet) => {
    decoder.push(Buffer.of(octet), (buffer) => seen.push(buffer.length) > 0);
    return decoder.partial;
  });
  t.strictSame(states, [true, true, true, true, true, false]);
  t.strictSame(seen, [2]);

  const stopped = new StreamDecoder();
  const codes: string[] = [];
  stopped.push(octets("1000000552 1000000550 100000054A"), (buffer) => {
    codes.push(buffer.toString("latin1"));
    return codes.length < 2;
  });
  t.strictSame(codes, ["R", "P"], "the rest of the chunk is dropped");
  t.notOk(stopped.partial);

  const largest = Buffer.alloc(MAX_BUFFER, "D");
  t.equal(MAX_BUFFER, 99_999);
  t.strictSame(cut(frame(largest)), [largest]);
  t.strictSame(cut(frame(largest).subarray(0, 50_000), frame(largest).subarray(50_000)), [largest]);
  const target = Buffer.alloc(10, 0xee);
  writeHeader(target, 3, 0x012345);
  t.equal(target.toString("hex"), "eeeeee10012349eeeeee");
  t.end();
});

/**
 * Where a cut command still decodes, and by which tolerances: the CR of SSRM, SSID and ESID may lack, CDT may
 * come without its reserved octets, the variable fields of OFTP 2.0 may lack from a length field on.
 */
function toleratedCuts(command: CommandName, level: Level, octets: Buffer): Map<number, string[]> {
  const missing = (count: number) => Array<string>(count).fill("trailing-fields-missing");
  const text = (at: number) => Number(octets.toString("latin1", at, at + 3));
  const end = octets.length;
  const cuts: Record<string, [number, string[]][]> = {
    SSRM: [[end - 1, ["cr-missing"]]],
    SSID: [[end - 1, ["cr-missing"]]],
    CDT: [[1, ["cdt-short"]]],
    ESID:
      level === 5
        ? [
            [3, ["esid-form", "cr-missing"]],
            [end - 1, ["cr-missing"]],
          ]
        : [[end - 1, ["cr-missing"]]],
  };
  if (level === 5) {
    cuts.SFID = [[162, missing(1)]];
    cuts.SFNA = [[4, missing(1)]];
    cuts.EFNA = [[3, missing(1)]];
    if (command === "EERP") {
      cuts.EERP = [
        [106, missing(2)],
        [108 + octets.readUInt16BE(106), missing(1)],
      ];
    }
    if (command === "NERP") {
      const hash = 131 + text(128);
      cuts.NERP = [
        [128, missing(3)],
        [hash, missing(2)],
        [hash + 2 + octets.readUInt16BE(hash), missing(1)],
      ];
    }
  }
  return new Map(cuts[command]);
}

test("RFC 5024 5.3: a command cut at any octet is ESID 07, but for the tolerances", (t) => {
  for (const [title, level, octets] of ALL) {
    const whole = outcome(octets, level);
    if (typeof whole === "number") throw new Error(`${title} does not decode`);
    const cuts = toleratedCuts(whole.command.type, level, octets);
    const wrong: unknown[] = [];
    for (let at = 0; at < octets.length; at++) {
      const found = outcome(octets.subarray(0, at), level);
      const expected = at === 0 ? 1 : (cuts.get(at) ?? 7);
      const told = typeof found === "number" ? found : found.tolerated;
      if (!isDeepStrictEqual(told, expected)) wrong.push({ at, told, expected });
    }
    t.strictSame(wrong, [], title);
  }
  t.end();
});

test("RFC 5024 5.3: octets behind a command are ESID 07, but for padding of SSRM, SSID and ESID", (t) => {
  for (const [title, level, octets] of ALL) {
    const ended = ["I", "X", "F"].includes(octets.toString("latin1", 0, 1));
    const told = (tail: string) => {
      const found = outcome(Buffer.concat([octets, Buffer.from(tail, "latin1")]), level);
      return typeof found === "number" ? found : found.tolerated;
    };
    for (const tail of [" ", "\r", "  \r"])
      t.strictSame(told(tail), ended ? ["padding-after-command"] : 7, title);
    for (const tail of ["x", " x", "\n", "\0"]) t.equal(told(tail), 7, title);
  }
  t.end();
});

/** Octets that the field sends although the documents say otherwise: [what, level, hex, tolerances, fields]. */
const E20 = encode(EERP, 5);
const SFID20 = encode(SFID, 5);
const spliced = (octets: Buffer, at: number, text: string) => {
  const copy = Buffer.from(octets);
  copy.write(text, at, "latin1");
  return copy;
};
const TOLERATED: [string, Level, Buffer, string[], Record<string, unknown>][] = [
  ["ESID short at 2.0", 5, octets("4630300D"), ["esid-form"], { reas: 0, reast: "" }],
  ["ESID long at 1.4", 4, octets("4630323030300D"), ["esid-form"], { reas: 2, reast: "" }],
  ["ESID long at 1.3", 1, octets("4630323030324F4B0D"), ["esid-form"], { reas: 2, reast: "OK" }],
  ["ESID short, without CR", 4, octets("463030"), ["cr-missing"], { reas: 0 }],
  ["ESID long without text and CR", 5, octets("463030303030"), ["cr-missing"], { reas: 0, reast: "" }],
  ["ESID CR with parity", 5, octets("4630303030308D"), [], { reas: 0 }],
  ["SSRM CR with parity", 1, octets("494F444554544520465450205245414459208D"), [], {}],
  [
    "SSRM without trailing space, padded",
    1,
    octets("494F444554544520465450205245414459200D20"),
    ["padding-after-command"],
    {},
  ],
  ["EERP without signature length", 5, E20.subarray(0, 108), ["trailing-fields-missing"], { sig: NONE }],
  [
    "EERP without lengths",
    5,
    E20.subarray(0, 106),
    ["trailing-fields-missing", "trailing-fields-missing"],
    { hsh: NONE, sig: NONE },
  ],
  ["SFNA without text length", 5, octets("3331334E"), ["trailing-fields-missing"], { reas: 13, reast: "" }],
  ["EFNA without text length", 5, octets("353131"), ["trailing-fields-missing"], { reas: 11, reast: "" }],
  ["SFID without description", 5, SFID20.subarray(0, 162), ["trailing-fields-missing"], { desc: "" }],
  ["CDT of one octet", 5, octets("43"), ["cdt-short"], {}],
  ["CDT with other octets reserved", 5, octets("430000"), [], {}],
  ["SFIDSIGN 1", 5, spliced(SFID20, 161, "1"), ["numeric-flag"], { sign: true }],
  ["SFIDSIGN 0", 5, spliced(SFID20, 161, "0"), ["numeric-flag"], { sign: false }],
  ["SFNARRTR 1", 4, octets("33303631"), ["numeric-flag"], { rrtr: true }],
  ["numbers with leading spaces", 5, spliced(SFID20, 107, "   60"), [], { lrecl: 60 }],
  ["number all spaces", 5, spliced(SFID20, 138, " ".repeat(17)), [], { rest: 0n }],
  ["SFPAACNT all spaces", 4, octets("32202020202020202020"), [], { acnt: 0n }],
  ["text length all spaces", 5, octets("3331334E202020"), [], { reast: "" }],
  [
    "SSIDAUTH space",
    5,
    spliced(encode(SSID, 5), 47, " "),
    [],
    { auth: false, sdeb: SSID.sdeb, user: SSID.user },
  ],
  [
    "SSIDAUTH below 2.0 is reserved",
    4,
    spliced(encode({ ...SSID, lev: 4 }, 4), 47, "?"),
    [],
    { auth: false },
  ],
  [
    "DSN with lower case, underscore, spaces inside",
    5,
    spliced(SFID20, 1, "my file_1.TXT".padEnd(26)),
    [],
    { dsn: "my file_1.TXT" },
  ],
  [
    "impossible date, time counter 0000",
    5,
    spliced(SFID20, 30, "000000000000000000"),
    [],
    { date: "00000000", time: "0000000000" },
  ],
  [
    "description that is not UTF-8",
    5,
    Buffer.concat([spliced(SFID20, 162, "003").subarray(0, 165), octets("41FF42")]),
    [],
    { desc: "A\ufffdB" },
  ],
];

test("RFC 5024 5.3: what the field sends is accepted and named", (t) => {
  for (const [what, level, buffer, tolerated, fields] of TOLERATED) {
    const found = outcome(buffer, level);
    if (typeof found === "number") {
      t.fail(`${what}: ESID ${found}`);
      continue;
    }
    t.strictSame(found.tolerated, tolerated, what);
    t.match(found.command, fields, `${what}: fields`);
  }
  t.end();
});

/** Octets that stay wrong: [what, level, octets, ESID reason]. */
const REFUSED: [string, Level, Buffer, 1 | 6 | 7][] = [
  ["nothing", 5, NONE, 1],
  ["unknown command", 5, octets("5A"), 1],
  ["lower-case command", 5, octets("78"), 1],
  ["DATA is no command", 5, octets("4480"), 1],
  ["NERP at 1.3", 2, encode(NERP, 4), 1],
  ["SECD at 1.4", 4, octets("4A"), 1],
  ["SSRM with another text", 5, octets("494F444554544520465450204E4F52445920200D"), 6],
  ["ESID reason without digits", 5, octets("4658583030300D"), 6],
  ["ESID text shorter than told", 5, octets("463032303033410D"), 7],
  ["ESID text longer than told", 5, octets("463032303031414141410D"), 7],
  ["ESID of five octets", 5, octets("463032300D"), 7],
  ["SSRM ending in LF", 5, octets("494F444554544520465450205245414459200A"), 7],
  ["SSIDSDEB without digits", 5, spliced(encode(SSID, 5), 35, "6553X"), 6],
  ["SSIDSDEB with a space inside", 5, spliced(encode(SSID, 5), 35, "65 35"), 6],
  ["SSIDCRED with a trailing space", 5, spliced(encode(SSID, 5), 44, "64 "), 6],
  ["SSIDLEV a letter", 5, spliced(encode(SSID, 5), 1, "E"), 6],
  ["SSIDCMPR neither Y nor N", 5, spliced(encode(SSID, 5), 41, "J"), 6],
  ["SSIDREST a space", 5, spliced(encode(SSID, 5), 42, " "), 6],
  ["SFIDDATE without digits", 5, spliced(SFID20, 30, "2026-1-1"), 6],
  ["SFIDTIME with spaces", 5, spliced(SFID20, 38, "103015    "), 6],
  ["SFIDFSIZ signed", 5, spliced(SFID20, 112, "-000000000001"), 6],
  ["SFIDDESCL without digits", 5, spliced(SFID20, 162, "0x1"), 6],
  ["EFPACD a space", 5, octets("3420"), 6],
  ["CDT of two octets", 5, octets("4320"), 7],
  ["AUCH without challenge length", 5, octets("41"), 7],
];

test("RFC 5024 5.3.3.15: what cannot be decoded has its ESID reason", (t) => {
  for (const [what, level, buffer, esid] of REFUSED) t.equal(outcome(buffer, level), esid, what);
  t.end();
});

/** Values that do not fit: [what, command, level]. */
const UNFIT: [string, Command, Level][] = [
  ["DSN of 27", { ...SFID, dsn: "A".repeat(27) }, 5],
  ["DSN beyond ASCII", { ...SFID, dsn: "T\u00dcR" }, 5],
  ["DSN with a line end", { ...SFID, dsn: "A\r" }, 5],
  ["DSN with NUL", { ...EERP, dsn: "A\0B" }, 5],
  ["DSN with DEL", { ...NERP, dsn: "A\x7f" }, 5],
  ["code of 26", { ...SFID, dest: "O".repeat(26) }, 5],
  ["originator beyond ASCII", { ...SFID, orig: "\u20ac" }, 5],
  ["password of 9", { ...SSID, pswd: "123456789" }, 5],
  ["user data of 9", { ...EERP, user: "123456789" }, 1],
  ["format of two", { ...SFID, fmt: "UU" }, 5],
  ["SDEB of six digits", { ...SSID, sdeb: 100_000 }, 5],
  ["level of two digits", { ...SSID, lev: 10 }, 5],
  ["credit of four digits", { ...SSID, cred: 1000 }, 5],
  ["negative credit", { ...SSID, cred: -1 }, 5],
  ["credit with a fraction", { ...SSID, cred: 1.5 }, 5],
  ["credit not a number", { ...SSID, cred: Number.NaN }, 5],
  ["reason of three digits", { type: "ESID", reas: 100, reast: "" }, 5],
  ["size of 14 digits", { ...SFID, fsiz: 10n ** 13n }, 5],
  ["size of 8 digits at 1.4", { ...SFID, fsiz: 10n ** 7n }, 4],
  ["restart of 18 digits", { ...SFID, rest: 10n ** 17n }, 5],
  ["answer of 10 digits at 1.3", { type: "SFPA", acnt: 10n ** 9n }, 1],
  ["records of 10 digits at 1.4", { type: "EFID", rcnt: 10n ** 9n, ucnt: 0n }, 4],
  ["octets of 13 digits at 1.4", { type: "EFID", rcnt: 0n, ucnt: 10n ** 12n }, 4],
  ["negative octets", { type: "EFID", rcnt: 0n, ucnt: -1n }, 5],
  ["date of seven digits", { ...SFID, date: "2026011" }, 5],
  ["date with letters", { ...SFID, date: "20260I15" }, 5],
  ["no date", { ...EERP, date: "" }, 5],
  ["time with colons", { ...SFID, time: "10:30:1500" }, 5],
  ["hash of 65536", { ...EERP, hsh: Buffer.alloc(65_536) }, 5],
  ["response of 19", { type: "AURP", rsp: Buffer.alloc(19) }, 5],
  ["challenge at 1.4", { type: "AUCH", chal: TEN }, 4],
  ["NERP at 1.3", NERP, 1],
];

/** The largest and smallest values that do fit: [what, command, level]. */
const FIT: [string, Command, Level][] = [
  ["DSN of 26 and every printable character", { ...SFID, dsn: "&()-./09AZaz_ !#$%'*+,:;<=" }, 5],
  ["largest numbers of SSID", { ...SSID, lev: 9, sdeb: 99_999, cred: 999 }, 5],
  [
    "largest counters of 2.0",
    {
      ...SFID,
      fsiz: 10n ** 13n - 1n,
      osiz: 10n ** 13n - 1n,
      rest: 10n ** 17n - 1n,
      lrecl: 99_999,
      sec: 99,
      ciph: 99,
      comp: 9,
      env: 9,
    },
    5,
  ],
  [
    "17 digits keep their last one",
    { type: "EFID", rcnt: 99_999_999_999_999_999n, ucnt: 90_071_992_547_409_93n },
    5,
  ],
  ["largest counters of 1.4", { type: "EFID", rcnt: 10n ** 9n - 1n, ucnt: 10n ** 12n - 1n }, 4],
  ["longest text", { type: "ESID", reas: 99, reast: "x".repeat(999) }, 5],
];

test("RFC 5024 5.2: values that do not fit their field are refused, those that just fit come back", (t) => {
  for (const [what, command, level] of UNFIT) {
    t.throws(() => encode(command, level), { name: "CygnetError", code: "CYG_OFTP_FIELD" }, what);
  }
  for (const [what, command, level] of FIT)
    t.strictSame(decode(encode(command, level), level), command, what);
  t.end();
});

test("RFC 5024 1.2, 5.3.3: stamps between the levels, with the century rule", (t) => {
  const rows: [string, string, Level, string, string][] = [
    ["20260115", "1030150001", 1, "260115", "103015"],
    ["20260115", "1030150001", 4, "20260115", "1030150001"],
    ["260115", "103015", 5, "20260115", "1030150000"],
    ["691231", "235959", 5, "20691231", "2359590000"],
    ["700101", "000000", 4, "19700101", "0000000000"],
    ["19991231", "2359599999", 2, "991231", "235959"],
  ];
  for (const [date, time, level, wireDate, wireTime] of rows) {
    for (const command of [
      { ...SFID, date, time },
      { ...EERP, date, time },
    ]) {
      t.match(
        decode(encode(command, level), level),
        { date: wireDate, time: wireTime },
        `${date} at ${level}`,
      );
    }
  }
  const at13 = VECTORS.find(({ title }) => title.startsWith("SFID, OFTP 1.3"))?.octets;
  t.strictSame(encode(vector("SFID, OFTP 2.0: The same"), 1), at13, "a 2.0 file start at level 1");
  t.end();
});

test("RFC 5024 5.2: UTF-8 text is cut to 999 octets at a code point", (t) => {
  const rows: [string, string, number, number][] = [
    ["two-octet characters", "\u00e9".repeat(600), 999, 998],
    ["three-octet characters", "\u20ac".repeat(400), 999, 999],
    ["three-octet characters shifted", `x${"\u20ac".repeat(400)}`, 999, 997],
    ["four-octet characters", "\u{1f60a}".repeat(300), 999, 996],
    ["fits exactly", `${"\u00e9".repeat(499)}x`, 999, 999],
    ["no room for one", "\u{1f60a}", 3, 0],
    ["no room", "abc", 0, 0],
  ];
  for (const [what, text, limit, length] of rows) {
    const cutText = utf8(text, limit);
    t.equal(cutText.length, length, what);
    t.ok(text.startsWith(cutText.toString("utf8")), what);
  }
  const esid = encode({ type: "ESID", reas: 2, reast: "\u00e9".repeat(600) }, 5);
  t.equal(esid.length, 7 + 998);
  t.equal(esid.toString("latin1", 3, 6), "998");
  t.strictSame(decode(esid, 5), { type: "ESID", reas: 2, reast: "\u00e9".repeat(499) });
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(120), (text, limit) => {
      const octets = utf8(text, limit);
      const more = utf8(text, limit + 4);
      return (
        octets.length <= limit &&
        text.startsWith(octets.toString("utf8")) &&
        (octets.length === more.length || more.length > limit - 4)
      );
    }),
  );
  t.end();
});

test("RFC 5024 5.3, 8: octets of chance throw nothing but WireError", (t) => {
  const level = fc.constantFrom(...LEVELS);
  const codes = Object.values(LAYOUTS).map(({ code }) => code);
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
    fc
      .tuple(fc.constantFrom(...codes), fc.uint8Array({ maxLength: 200 }))
      .map(([code, tail]) => Buffer.of(code, ...tail)),
    fc
      .tuple(
        fc.constantFrom(...ALL),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      )
      .map(([[, , octets], changes]) => {
        const copy = Buffer.from(octets);
        for (const [at, octet] of changes) copy[at % copy.length] = octet;
        return copy;
      }),
  );
  let decoded = 0;
  fc.assert(
    fc.property(hostile, level, (buffer, at) => {
      const found = outcome(buffer, at);
      if (typeof found === "number") return;
      decoded++;
      // what was read can be written, unless it holds octets that are never sent
      try {
        encode(found.command, at);
      } catch (error) {
        if (!(error instanceof CygnetError && error.code === "CYG_OFTP_FIELD")) throw error;
      }
    }),
    { numRuns: 3000 },
  );
  t.ok(decoded > 50, `${decoded} decoded`);
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets)),
    fc.constantFrom(...ALL).map(([, , octets]) => frame(octets)),
    fc.nat(0xffffff).map((length) => {
      const header = Buffer.of(0x10, 0, 0, 0);
      header.writeUIntBE(length, 1, 3);
      return header;
    }),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
      try {
        for (const buffer of cut(...chunks))
          if (buffer.length < 1 || buffer.length > MAX_BUFFER) return false;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.end();
});

test("what a command holds is its own: the memory of the chunk that it came in may go", (t) => {
  for (const { title, level, octets: example } of VECTORS) {
    const chunk = new Uint8Array(example.length);
    chunk.set(example);
    const { command } = outcome(Buffer.from(chunk.buffer), level) as { command: Command };
    const before = outcome(Buffer.from(example), level) as { command: Command };
    chunk.buffer.transfer(0);
    t.strictSame(command, before.command, title);
  }
  t.end();
});
