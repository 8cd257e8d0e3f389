/** Packing and unpacking of data exchange buffers: worked examples, properties and broken subrecords. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { test } from "tap";
import { WireError } from "../../src/oftp/wire/codec.ts";
import { HEADER } from "../../src/oftp/wire/stream.ts";
import {
  capacity,
  packCompressed,
  packedLength,
  packLiterals,
  unpack,
} from "../../src/oftp/wire/subrecords.ts";
import { DATA_VECTORS, RFC2204, RFC5024 } from "./data-vectors.ts";
import { octets } from "./vectors.ts";

type Packer = typeof packLiterals;
const PACKERS: readonly (readonly [string, Packer])[] = [
  ["literals", packLiterals],
  ["compressed", packCompressed],
];

const sha256 = (...parts: Buffer[]): string =>
  createHash("sha256").update(Buffer.concat(parts)).digest("hex");

/** Data exchange buffers of `size` octets for some records, each buffer filled as far as the packer does. */
function packRecords(pack: Packer, records: readonly Buffer[], size: number): Buffer[] {
  const done: Buffer[] = [];
  let buffer = Buffer.from("D");
  for (const record of records) {
    for (let from = 0, ended = false; !ended; ) {
      const target = Buffer.alloc(size, 0xee);
      buffer.copy(target);
      const packed = pack(record, from, record.length, target, buffer.length, size, true);
      buffer = Buffer.from(target.subarray(0, packed.at));
      ({ from, ended } = packed);
      if (!ended) {
        done.push(buffer);
        buffer = Buffer.from("D");
      }
    }
  }
  return buffer.length > 1 ? [...done, buffer] : done;
}

/** Records and subrecord headers read by the letter of RFC 5024 section 7.2, apart from the code under test. */
function readByTheLetter(buffers: readonly Buffer[]): { records: Buffer[]; headers: string[]; rest: number } {
  const records: Buffer[] = [];
  const headers: string[] = [];
  let record: number[] = [];
  for (const buffer of buffers) {
    const inBuffer: string[] = [];
    for (let at = 1; at < buffer.length; ) {
      const header = buffer[at++] as number;
      const ended = header >= 0x80;
      const repeated = header % 0x80 >= 0x40;
      const count = header % 0x40;
      inBuffer.push(`${Number(ended)}/${Number(repeated)}/${count}`);
      if (repeated) record.push(...Array<number>(count).fill(buffer[at++] as number));
      else for (let n = 0; n < count; n++) record.push(buffer[at++] as number);
      if (ended) {
        records.push(Buffer.from(record));
        record = [];
      }
    }
    headers.push(inBuffer.join(" "));
  }
  return { records, headers, rest: record.length };
}

/** Unpacks one buffer into targets of `size` octets each, as often as it takes. */
function unpackAll(buffer: Buffer, size = 1000, from = 1) {
  const parts: Buffer[] = [];
  let read = from;
  let records = 0;
  let compressed = false;
  while (read < buffer.length) {
    const target = Buffer.alloc(size);
    const step = unpack(buffer, read, target, 0);
    if (step.from === read) throw new Error("unpack stands still");
    parts.push(target.subarray(0, step.at));
    read = step.from;
    records += step.records;
    compressed ||= step.compressed;
  }
  return { content: Buffer.concat(parts), records, compressed };
}

test("RFC 5024 7: worked examples unpack to their records and are packed to their octets", (t) => {
  for (const { title, octets, compressed, records } of DATA_VECTORS) {
    const content = Buffer.concat(records);
    t.strictSame(readByTheLetter([octets]).records, records, `${title}: by the letter`);
    t.strictSame(unpackAll(octets), { content, records: records.length, compressed }, `unpack ${title}`);
    const pack = compressed ? packCompressed : packLiterals;
    t.strictSame(packRecords(pack, records, 128), [octets], `pack ${title}`);
  }
  t.end();
});

test("RFC 2204 A: nine records in three buffers", (t) => {
  t.equal(sha256(...RFC2204.buffers), RFC2204.streamSha256);
  const buffers = RFC2204.buffers.map((framed) => framed.subarray(HEADER));
  const { records, headers, rest } = readByTheLetter(buffers);
  t.strictSame(headers, RFC2204.subrecords);
  t.equal(records.length, RFC2204.records);
  t.equal(rest, 0);
  t.equal(records[4]?.length, 0, "the fifth record is empty");
  t.equal(Math.max(...records.map(({ length }) => length)), 60);
  t.equal(sha256(...records), RFC2204.contentSha256);

  const unpacked = buffers.map((buffer) => unpackAll(buffer));
  t.equal(sha256(...unpacked.map(({ content }) => content)), RFC2204.contentSha256);
  t.equal(
    unpacked.reduce((sum, { records }) => sum + records, 0),
    RFC2204.records,
  );
  t.equal(
    unpacked.reduce((sum, { content }) => sum + content.length, 0),
    RFC2204.octets,
  );
  t.ok(unpacked.every(({ compressed }) => compressed));

  const again = packRecords(packCompressed, records, 128);
  t.strictSame(
    again.map(({ length }) => length),
    RFC2204.packed.lengths,
  );
  t.equal(sha256(...again), RFC2204.packed.sha256);
  t.strictSame(again[0], buffers[0], "the first buffer is the RFC's own");
  t.end();
});

test("RFC 5024 A: a text file in one buffer", (t) => {
  t.equal(RFC5024.buffer.length, 821);
  t.equal(sha256(RFC5024.buffer), RFC5024.bufferSha256);
  const { content, records, compressed } = unpackAll(RFC5024.buffer);
  t.equal(content.length, 807);
  t.equal(sha256(content), RFC5024.textSha256);
  t.strictSame([records, compressed], [1, false]);
  t.strictSame(packRecords(packLiterals, [content], 821), [RFC5024.buffer]);
  t.strictSame(packRecords(packLiterals, [content], 99_999), [RFC5024.buffer]);
  t.end();
});

/** Content whose runs matter: [octet, how often]. */
const runs = fc
  .array(
    fc.tuple(fc.constantFrom(0, 0x20, 0x30, 0x80, 0xff), fc.constantFrom(1, 2, 3, 4, 5, 62, 63, 64, 130)),
    {
      maxLength: 12,
    },
  )
  .map((list) => Buffer.concat(list.map(([octet, count]) => Buffer.alloc(count, octet))));
const content = fc.oneof(
  runs,
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc.array(fc.constantFrom(1, 2), { maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

test("RFC 5024 7.3: sizes around the subrecord and the buffer, both packers", (t) => {
  const around = [0, 1, 2, 3, 4, 5, 61, 62, 63, 64, 65, 125, 126, 127, 128, 189, 190];
  for (const [name, pack] of PACKERS) {
    for (const size of [3, 4, 64, 65, 66, 128, 129, 130, 192, 193]) {
      const whole = capacity(size - 1);
      const lengths = new Set([
        ...around,
        ...[1, 2, 3].flatMap((n) => [n * whole - 1, n * whole, n * whole + 1]),
      ]);
      for (const fill of [(n: number) => n * 7, () => 0x20]) {
        const wrong: unknown[] = [];
        for (const length of lengths) {
          const record = Buffer.from(Array.from({ length }, (_, n) => fill(n)));
          const buffers = packRecords(pack, [record], size);
          const { records, rest } = readByTheLetter(buffers);
          const back = Buffer.concat(buffers.map((buffer) => unpackAll(buffer, 63).content));
          const fits = buffers.every((buffer) => buffer.length <= size && buffer.length > 1);
          const once = records.length === 1 && rest === 0;
          if (!fits || !once || !record.equals(back) || !record.equals(records[0] as Buffer))
            wrong.push(length);
        }
        t.strictSame(wrong, [], `${name} into buffers of ${size}`);
      }
    }
  }
  t.end();
});

test("RFC 5024 7.2: unpack after pack gives the content, however source and target are cut", (t) => {
  for (const [name, pack] of PACKERS) {
    fc.assert(
      fc.property(
        fc.array(content, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 3, max: 200 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 63, max: 300 }),
        (chunks, sizes, into) => {
          // the chunks are pieces of one record, the last one ends it
          const buffers: Buffer[] = [];
          let turn = 0;
          let size = sizes[0] as number;
          let buffer = Buffer.alloc(size + 8, 0xee);
          let at = 1;
          const next = () => {
            buffers.push(Buffer.concat([Buffer.from("D"), buffer.subarray(1, at)]));
            size = sizes[++turn % sizes.length] as number;
            buffer = Buffer.alloc(size + 8, 0xee);
            at = 1;
          };
          for (const [index, chunk] of chunks.entries()) {
            const last = index === chunks.length - 1;
            // what lies around the piece must not matter
            const source = Buffer.concat([Buffer.alloc(3, 0x20), chunk, Buffer.alloc(3, 0x20)]);
            const to = chunk.length + 3;
            for (let from = 3; ; ) {
              const packed = pack(source, from, to, buffer, at, size, last);
              if (packed.at > size || packed.from > to || packed.from < from) return false;
              if (packed.ended && !last) return false;
              // octets behind the room stay untouched
              if (buffer.subarray(packed.at).some((octet) => octet !== 0xee)) return false;
              ({ from, at } = packed);
              if (packed.ended || (from === to && !last)) break;
              next();
            }
          }
          next();
          const expected = Buffer.concat(chunks);
          const { records, rest } = readByTheLetter(buffers);
          const unpacked = buffers.map((each) => unpackAll(each, into));
          return (
            rest === 0 &&
            records.length === 1 &&
            expected.equals(records[0] as Buffer) &&
            expected.equals(Buffer.concat(unpacked.map((each) => each.content))) &&
            unpacked.reduce((sum, each) => sum + each.records, 0) === 1 &&
            unpacked.at(-1)?.records === 1
          );
        },
      ),
      { numRuns: 600 },
    );
    t.pass(name);
  }
  t.end();
});

test("RFC 5024 7.3: buffers are filled, literals up to the last octet", (t) => {
  for (const size of [64, 65, 66, 100, 128, 4096]) {
    const record = Buffer.from(Array.from({ length: 10_000 }, (_, n) => n * 7));
    const buffers = packRecords(packLiterals, [record], size);
    const short = buffers.slice(0, -1).filter(({ length }) => length < size);
    // one octet stays free when nothing but an empty subrecord would fit
    const expected = (size - 1) % 64 === 1 ? size - 1 : size;
    t.ok(
      short.every(({ length }) => length === expected),
      `buffers of ${size}`,
    );
    t.equal(buffers.length, Math.ceil(10_000 / capacity(size - 1)), `number of buffers of ${size}`);
  }
  t.end();
});

test("capacity and packedLength agree with the packers", (t) => {
  const literals = Buffer.from(Array.from({ length: 1000 }, (_, n) => n * 7));
  const wrong: unknown[] = [];
  for (let n = 0; n <= 300; n++) {
    const target = Buffer.alloc(2000);
    for (const last of [false, true]) {
      const { from, at, ended } = packLiterals(literals, 0, n, target, 5, 2000, last);
      // only an empty record costs an octet that packedLength does not count
      const expected = packedLength(n) + (n === 0 && last ? 1 : 0);
      if (from !== n || at - 5 !== expected || ended !== last) wrong.push({ n, last });
    }
    const room = n;
    const fits = capacity(room);
    if (packedLength(fits) > room) wrong.push({ room, fits });
    for (const [name, pack] of PACKERS) {
      const whole = pack(literals, 0, fits, target, 0, room, false);
      const more = pack(literals, 0, fits + 1, target, 0, room, false);
      if (whole.from !== fits || more.from !== fits) wrong.push({ room, name });
    }
  }
  t.strictSame(wrong, []);
  fc.assert(
    fc.property(content, (octets) => {
      const target = Buffer.alloc(2 * octets.length + 10);
      return (
        packCompressed(octets, 0, octets.length, target, 0, target.length, false).at <=
        packedLength(octets.length)
      );
    }),
  );
  t.end();
});

/** Subrecords for a run in its surroundings: [content, subrecords in hex]. */
const RUNS: [string, string][] = [
  ["aaa", "83616161"],
  ["aaaa", "C461"],
  ["a".repeat(63), "FF61"],
  ["a".repeat(64), "7F618161"],
  ["a".repeat(66), "7F6183616161"],
  ["a".repeat(67), "7F61C461"],
  ["a".repeat(126), "7F61FF61"],
  ["abbbb", "0161C462"],
  ["abbb", "8461626262"],
  ["abbbbc", "016144628163"],
  ["aabbbb", "026161C462"],
  ["aaabbbb", "03616161C462"],
  ["aaaabbbb", "4461C462"],
  ["abcabc", "86616263616263"],
];

test("RFC 5024 7.2: runs of four and more are compressed, at most 63 in a subrecord", (t) => {
  for (const [text, hex] of RUNS) {
    const source = Buffer.from(text, "latin1");
    const target = Buffer.alloc(200);
    const { at } = packCompressed(source, 0, source.length, target, 0, 200, true);
    t.equal(target.toString("hex", 0, at).toUpperCase(), hex, text);
  }
  t.end();
});

/** Legal oddities: [what, exchange buffer in hex, content in hex, records, compressed]. */
const ODD: [string, string, string, number, boolean][] = [
  ["no subrecord at all", "44", "", 0, false],
  ["empty subrecords", "44 00 00 00", "", 0, false],
  ["empty records", "44 80 80 80", "", 3, false],
  ["empty subrecord in a record", "44 01 61 00 81 62", "6162", 1, false],
  ["zero padding behind the end", "44 81 61 00 00 00 00", "61", 1, false],
  ["compressed with count 0 takes one octet", "44 40 FF 81 62", "62", 0 + 1, true],
  ["compressed end with count 0 takes one octet", "44 C0 FF 81 62", "62", 2, true],
  ["a run of one", "44 C1 61", "61", 1, true],
  ["end of record on every subrecord", "44 81 61 81 62 C2 63", "61626363", 3, true],
];

/** Subrecords that run past the end: exchange buffers in hex. */
const BROKEN = [
  "44 01",
  "44 81",
  "44 3F 61",
  "44 BF",
  "44 02 61",
  "44 40",
  "44 C0",
  "44 7F",
  "44 81 61 41",
  "44 00 05 61",
];

test("RFC 5024 7.2: count 0 and other legal oddities; a subrecord past the end is ESID 06", (t) => {
  for (const [what, hex, expected, records, compressed] of ODD) {
    t.strictSame(unpackAll(octets(hex)), { content: octets(expected), records, compressed }, what);
  }
  for (const hex of BROKEN) {
    t.throws(() => unpackAll(octets(hex)), { name: "CygnetError", code: "CYG_OFTP_WIRE", esid: 6 }, hex);
  }
  const cutShort = RFC5024.buffer.subarray(0, 820);
  t.throws(() => unpackAll(cutShort), { code: "CYG_OFTP_WIRE", esid: 6 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        unpackAll(Buffer.from(bytes), 63, 0);
      } catch (error) {
        if (!(error instanceof WireError && error.esid === 6)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  t.end();
});

test("unpack stops while less than one subrecord has room, and goes on where it stood", (t) => {
  const source = Buffer.concat(packRecords(packLiterals, [Buffer.alloc(200, 0x61)], 1000)).subarray(1);
  const target = Buffer.alloc(130, 0xee);
  const first = unpack(source, 0, target, 0);
  t.strictSame(first, { from: 128, at: 126, records: 0, compressed: false });
  t.ok(target.subarray(126).every((octet) => octet === 0xee));
  t.strictSame(unpack(source, first.from, target, 68), { ...first, at: 68 }, "62 octets are not enough");
  t.strictSame(unpack(source, first.from, target, 67), { from: 192, at: 130, records: 0, compressed: false });
  t.strictSame(unpack(source, 192, target, 0), {
    from: source.length,
    at: 11,
    records: 1,
    compressed: false,
  });
  t.end();
});
