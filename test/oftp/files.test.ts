/** Virtual files of all formats on the wire: worked examples, properties, broken records, restart positions. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { test } from "tap";
import { framedSize } from "../../src/oftp/files/batch.ts";
import { type Format, FormatError, PREFIX } from "../../src/oftp/files/format.ts";
import { type Packer, packerFor } from "../../src/oftp/files/packing.ts";
import {
  blocks,
  type Position,
  type PositionSearch,
  positionOf,
  positionWithin,
  START,
  sizeInBlocks,
} from "../../src/oftp/files/restart.ts";
import { type Unpacker, unpackerFor } from "../../src/oftp/files/unpacking.ts";
import { HEADER } from "../../src/oftp/wire/stream.ts";
import { DATA_VECTORS, RFC2204, RFC5024 } from "./data-vectors.ts";
import { octets } from "./vectors.ts";

const sha256 = (parts: readonly Buffer[]): string =>
  createHash("sha256").update(Buffer.concat(parts)).digest("hex");
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** Records in the virtual representation of a format. */
function virtual(format: Format, records: readonly Buffer[]): Buffer {
  if (format !== "V") return Buffer.concat(records);
  return Buffer.concat(
    records.flatMap((record) => {
      const length = Buffer.alloc(PREFIX);
      length.writeUInt32BE(record.length);
      return [length, record];
    }),
  );
}

/** Sends a file in pieces and batches of changing sizes; gives the exchange buffers without stream headers. */
function send(packer: Packer, file: Buffer, sdeb: number, pieces: number[], credits: number[]): Buffer[] {
  const buffers: Buffer[] = [];
  let piece = Buffer.alloc(0);
  let [at, end, read, turn] = [0, 0, 0, 0];
  while (!packer.ended) {
    const most = credits[turn++ % credits.length] as number;
    const batch = Buffer.alloc(most * framedSize(sdeb) + 5, 0xee);
    packer.begin(batch, most);
    while (!packer.full && !packer.ended) {
      if (at === end && read < file.length) {
        const size = Math.min(pieces[turn++ % pieces.length] as number, file.length - read);
        // what lies around the piece must not matter
        piece = Buffer.concat([bytes("xx"), file.subarray(read, read + size), bytes("xx")]);
        read += size;
        [at, end] = [2, 2 + size];
      }
      const before = at;
      at = packer.put(piece, at, end, read === file.length);
      if (at < end && !packer.full) throw new Error("the packer stopped before the batch was full");
      if (at < before) throw new Error("the packer went back");
    }
    if (batch.subarray(most * framedSize(sdeb)).some((octet) => octet !== 0xee))
      throw new Error("beyond the batch");
    let frame = 0;
    for (let count = packer.count; count > 0; count--) {
      const length = batch.readUInt32BE(frame) & 0xffffff;
      buffers.push(batch.subarray(frame + HEADER, frame + length));
      frame += length;
    }
    if (frame !== packer.length) throw new Error("length is not that of the buffers");
  }
  return buffers;
}

/** Receives exchange buffers into targets of `size` octets, which are emptied when less than 63 octets are free. */
function receive(unpacker: Unpacker, buffers: readonly Buffer[], size = 300): Buffer {
  const parts: Buffer[] = [];
  let target = Buffer.alloc(size, 0xee);
  let at = 0;
  const flush = () => {
    parts.push(target.subarray(0, at));
    target = Buffer.alloc(size, 0xee);
    at = 0;
  };
  for (const buffer of buffers) {
    let from = 1;
    for (let done = false; !done; ) {
      if (size - at < 63) flush();
      ({ from, at, done } = unpacker.take(buffer, from, target, at));
    }
  }
  for (let done = false; !done; ) {
    if (size - at < 63) flush();
    ({ at, done } = unpacker.finish(target, at));
  }
  flush();
  return Buffer.concat(parts);
}

const pack = (format: Format, lrecl: number, file: Buffer, sdeb: number, compressed: boolean) => {
  const packer = packerFor({ format, lrecl, sdeb, compressed });
  return { packer, buffers: send(packer, file, sdeb, [1000], [7]) };
};

test("RFC 5024 7: worked examples from and to the virtual representation", (t) => {
  for (const { title, octets, compressed, records } of DATA_VECTORS) {
    const format = records.length > 1 ? "V" : "U";
    const file = virtual(format, records);
    const { packer, buffers } = pack(format, format === "V" ? 70 : 0, file, 128, compressed);
    const counts = { records: format === "V" ? 4 : 0, octets: Buffer.concat(records).length };
    t.strictSame(buffers, [octets], title);
    t.match(packer, counts, `${title}: EFID`);
    const unpacker = unpackerFor(format, 70);
    t.strictSame(receive(unpacker, [octets]), file, `${title}: back`);
    t.match(unpacker, { ...counts, compressed }, `${title}: counted again`);
    t.equal(unpacker.tolerated.size, 0);
  }
  t.end();
});

test("RFC 2204 A and our packing of it; RFC 5024 A", (t) => {
  const frames = RFC2204.buffers.map((framed) => framed.subarray(HEADER));
  const unpacker = unpackerFor("V", 60);
  const file = receive(unpacker, frames);
  t.match(unpacker, { records: RFC2204.records, octets: RFC2204.octets, compressed: true });
  t.equal(file.length, RFC2204.octets + PREFIX * RFC2204.records);
  const { packer, buffers } = pack("V", 60, file, 128, true);
  t.strictSame(
    buffers.map(({ length }) => length),
    RFC2204.packed.lengths,
  );
  t.equal(sha256(buffers), RFC2204.packed.sha256, "13.15");
  t.match(packer, { records: RFC2204.records, octets: RFC2204.octets });
  t.throws(() => receive(unpackerFor("V", 59), frames), { code: "CYG_FORMAT_RECORD_TOO_LONG", efna: 5 });

  const text = receive(unpackerFor("T", 0), [RFC5024.buffer]);
  t.equal(sha256([text]), RFC5024.textSha256, "13.16");
  const sent = pack("T", 0, text, 4096, false);
  t.strictSame(sent.buffers, [RFC5024.buffer]);
  t.match(sent.packer, { records: 0, octets: 807 });
  t.end();
});

test("RFC 5024 7.3: files without octets or records", (t) => {
  // [format, file, exchange buffers in hex, records]
  const cases: [Format, string, string[], number][] = [
    ["U", "", ["4480"], 0],
    ["T", "", ["4480"], 0],
    ["F", "", [], 0],
    ["V", "", [], 0],
    ["V", "00000000", ["4480"], 1],
    ["V", "0000000000000000", ["448080"], 2],
    ["F", "61626364", ["448261628263 64".replace(" ", "")], 2],
    ["V", "00000001610000000000000001 62", ["44816180 8162"], 3],
  ];
  for (const [format, hex, expected, records] of cases) {
    const file = octets(hex);
    const { packer, buffers } = pack(format, 2, file, 128, true);
    t.strictSame(buffers, expected.map(octets), `${format} "${hex}"`);
    t.equal(packer.records, records);
    const unpacker = unpackerFor(format, 2);
    t.strictSame(receive(unpacker, buffers), file);
    t.match(unpacker, { records, octets: packer.octets });
  }
  const filled = pack(
    "V",
    200,
    virtual("V", [Buffer.alloc(124, 0x61), bytes(""), bytes("b")]),
    128,
    false,
  ).buffers;
  t.strictSame(
    filled.map(({ length }) => length),
    [128, 3],
    "one free octet takes an empty record",
  );
  t.end();
});

/** Content whose runs matter. */
const content = (maxLength: number) =>
  fc.oneof(
    fc.uint8Array({ maxLength }).map((octets) => Buffer.from(octets)),
    fc
      .array(fc.tuple(fc.constantFrom(0, 0x20, 0x80), fc.constantFrom(1, 3, 4, 62, 63, 64, 130)), {
        maxLength: 6,
      })
      .map((runs) => Buffer.concat(runs.map(([octet, count]) => Buffer.alloc(count, octet))))
      .map((octets) => octets.subarray(0, maxLength)),
  );

interface File {
  format: Format;
  lrecl: number;
  records: Buffer[];
}

const file: fc.Arbitrary<File> = fc.oneof(
  fc
    .tuple(fc.constantFrom<Format>("U", "T"), content(3000))
    .map(([format, one]) => ({ format, lrecl: 0, records: [one] })),
  fc.array(content(400), { maxLength: 12 }).map((records) => ({
    format: "V" as const,
    lrecl: Math.max(1, ...records.map(({ length }) => length)),
    records,
  })),
  fc.tuple(fc.integer({ min: 1, max: 300 }), fc.array(content(300), { maxLength: 12 })).map(
    ([lrecl, list]): File => ({
      format: "F",
      lrecl,
      records: list.map((one) => Buffer.concat([one, Buffer.alloc(lrecl, 0x20)]).subarray(0, lrecl)),
    }),
  ),
);
const sizes = (max: number) => fc.array(fc.integer({ min: 1, max }), { minLength: 1, maxLength: 5 });
const sdebs = fc.oneof(
  fc.constantFrom(128, 129, 192, 193, 256, 99_999),
  fc.integer({ min: 128, max: 99_999 }),
  fc.integer({ min: 128, max: 400 }),
);

test("RFC 5024 1.5.3 and 7: any file, buffer, credit, compression and cutting: out is in, counts are right", (t) => {
  fc.assert(
    fc.property(
      file,
      sdebs,
      fc.boolean(),
      sizes(500),
      sizes(4),
      fc.integer({ min: 63, max: 700 }),
      (input, sdeb, compressed, pieces, credits, size) => {
        const { format, lrecl, records } = input;
        const whole = virtual(format, records);
        const packer = packerFor({ format, lrecl, sdeb, compressed });
        const buffers = send(packer, whole, sdeb, pieces, credits);
        const unpacker = unpackerFor(format, lrecl);
        const back = receive(unpacker, buffers, size);
        const counted = format === "U" || format === "T" ? 0 : records.length;
        const short = buffers.slice(0, -1).filter(({ length }) => length < sdeb - 1);
        return (
          back.equals(whole) &&
          short.length === 0 &&
          buffers.every(({ length }) => length >= 2 && length <= sdeb) &&
          packer.records === counted &&
          unpacker.records === counted &&
          packer.octets === Buffer.concat(records).length &&
          unpacker.octets === packer.octets &&
          unpacker.tolerated.size === 0
        );
      },
    ),
    { numRuns: 1500 },
  );
  t.pass("1500 files");
  t.end();
});

/** Finds a position in a file that is read in pieces. */
function search(found: PositionSearch, whole: Buffer, pieces: readonly number[]): Position {
  if (!found.needsData) return found.position;
  let turn = 0;
  for (let at = 0; at < whole.length; ) {
    const size = pieces[turn++ % pieces.length] as number;
    if (!found.push(whole.subarray(at, at + size))) break;
    at += size;
  }
  return found.position;
}

test("RFC 5024 1.5.4: from any octet that was held the rest makes the file whole, counts included", (t) => {
  fc.assert(
    fc.property(
      file,
      fc.integer({ min: 0, max: 5000 }),
      sizes(90),
      fc.boolean(),
      (input, cut, pieces, compressed) => {
        const { format, lrecl, records } = input;
        const whole = virtual(format, records);
        const held = Math.min(cut, whole.length);
        const position = search(positionWithin(format, lrecl, held), whole, pieces);
        const named = search(positionOf(format, lrecl, position.count), whole, pieces);
        const unit = format === "V" ? Math.max(PREFIX + lrecl, PREFIX) : format === "F" ? lrecl : 1024;
        if (position.offset > held || held - position.offset >= unit + PREFIX) return false;
        const packer = packerFor({ format, lrecl, sdeb: 128, compressed, before: named });
        const rest = send(packer, whole.subarray(named.offset), 128, pieces, [3]);
        const unpacker = unpackerFor(format, lrecl, position);
        const back = Buffer.concat([whole.subarray(0, position.offset), receive(unpacker, rest)]);
        const counted = format === "U" || format === "T" ? 0 : records.length;
        return (
          back.equals(whole) &&
          JSON.stringify([Number(named.count), named.offset]) ===
            JSON.stringify([Number(position.count), position.offset]) &&
          packer.records === counted &&
          unpacker.records === counted &&
          packer.octets === Buffer.concat(records).length &&
          unpacker.octets === packer.octets
        );
      },
    ),
    { numRuns: 800 },
  );
  t.pass("800 files");
  t.end();
});

test("RFC 5024 5.3.3: units of SFIDREST, SFIDFSIZ", (t) => {
  const five = virtual("V", ["abc", "", "defgh", "", "ij"].map(bytes));
  // [format, lrecl, octets held, count, offset, octets of content]
  const cases: [Format, number, number, number, number, number][] = [
    ["U", 0, 0, 0, 0, 0],
    ["U", 0, 1023, 0, 0, 0],
    ["U", 0, 1024, 1, 1024, 1024],
    ["T", 0, 5000, 4, 4096, 4096],
    ["F", 80, 79, 0, 0, 0],
    ["F", 80, 80, 1, 80, 80],
    ["F", 80, 799, 9, 720, 720],
    ["V", 5, 3, 0, 0, 0],
    ["V", 5, 6, 0, 0, 0],
    ["V", 5, 7, 1, 7, 3],
    ["V", 5, 10, 1, 7, 3],
    ["V", 5, 11, 2, 11, 3],
    ["V", 5, 19, 2, 11, 3],
    ["V", 5, 20, 3, 20, 8],
    ["V", 5, 24, 4, 24, 8],
    ["V", 5, 1000, 5, 30, 10],
  ];
  for (const [format, lrecl, held, count, offset, content] of cases) {
    const expected = { count: BigInt(count), offset, octets: content };
    t.match(search(positionWithin(format, lrecl, held), five, [1]), expected, `${format} ${held}`);
    t.match(search(positionOf(format, lrecl, BigInt(count)), five, [4]), expected, `${format} at ${count}`);
  }
  t.equal(search(positionOf("V", 5, 9n), five, [100]).count, 5n, "a file that has fewer records");
  t.equal(search(positionOf("V", 5, 0n), five, [100]), START);
  const [octetsEnough, recordsEnough] = [positionWithin("V", 5, 10), positionOf("V", 5, 2n)];
  t.strictSame([octetsEnough.push(five.subarray(0, 9)), octetsEnough.push(five.subarray(9))], [true, false]);
  t.strictSame(
    [recordsEnough.push(five.subarray(0, 10)), recordsEnough.push(five.subarray(10))],
    [true, false],
  );
  t.throws(() => search(positionWithin("V", 4, 30), five, [3]), {
    code: "CYG_FORMAT_RECORD_TOO_LONG",
    record: 3,
    offset: 14,
  });
  t.strictSame([sizeInBlocks(0), sizeInBlocks(1), sizeInBlocks(1024), sizeInBlocks(1025)], [0n, 1n, 1n, 2n]);
  t.equal(blocks(9.2e15), 8_984_375_000_000n);
  t.end();
});

test("RFC 5024 6.7, 6.12: records that break the format are refused with their EFNA reason", (t) => {
  // [format, lrecl, exchange buffers, code, EFNA reason, record]
  const cases: [Format, number, string[], string, number, number][] = [
    ["F", 2, ["44 81 61"], "CYG_FORMAT_RECORD_LENGTH", 10, 1],
    ["F", 2, ["44 82 61 61 83 62 62 62"], "CYG_FORMAT_RECORD_LENGTH", 10, 2],
    ["F", 2, ["44 02 61 61 01 61"], "CYG_FORMAT_RECORD_LENGTH", 10, 1],
    ["F", 2, ["44 02 61 61", "44 41 61"], "CYG_FORMAT_RECORD_LENGTH", 10, 1],
    ["F", 2, ["44 82 61 61 80"], "CYG_FORMAT_RECORD_LENGTH", 10, 2],
    ["F", 2, ["44 82 61 61 01 61"], "CYG_FORMAT_RECORD_LENGTH", 10, 2],
    ["V", 2, ["44 82 61 61 80 83 61 61 61"], "CYG_FORMAT_RECORD_TOO_LONG", 5, 3],
    ["V", 2, ["44 02 61 61", "44 41 20"], "CYG_FORMAT_RECORD_TOO_LONG", 5, 1],
  ];
  for (const [format, lrecl, hex, code, efna, record] of cases) {
    const unpacker = unpackerFor(format, lrecl);
    t.throws(() => receive(unpacker, hex.map(octets)), { code, efna, record }, `${format} ${hex}`);
  }
  for (const format of ["U", "F", "V"] as const) {
    for (const hex of ["44 02 61", "44 82", "44 41", "44 C0", "44 BF 61"]) {
      t.throws(
        () => receive(unpackerFor(format, 99), [octets(hex)]),
        { code: "CYG_OFTP_WIRE" },
        `${format} ${hex}`,
      );
    }
  }
  t.end();
});

test("RFC 5024 7, tolerances: ends of record that are missing, repeated, or stand for an empty file", (t) => {
  // [format, lrecl, exchange buffers, virtual file, records, tolerated]
  const cases: [Format, number, string[], string, number, string[]][] = [
    ["U", 0, ["44 81 61", "44 81 62"], "6162", 0, ["end-of-record-inside"]],
    ["T", 0, ["44 81 61 81 62"], "6162", 0, ["end-of-record-inside"]],
    ["U", 0, ["44 01 61", "44 01 62"], "6162", 0, ["end-of-record-missing"]],
    ["U", 0, ["44 81 61 00 00 00"], "61", 0, []],
    ["U", 0, [], "", 0, []],
    ["F", 2, ["44 82 61 62 02 63 64"], "61626364", 2, ["end-of-record-missing"]],
    ["F", 2, ["44 80"], "", 0, ["empty-file-as-record"]],
    ["F", 2, [], "", 0, []],
    ["V", 2, ["44 81 61 01 62"], "0000000161 0000000162", 2, ["end-of-record-missing"]],
    ["V", 2, ["44 81 61 00 00"], "0000000161", 1, []],
    ["V", 2, [], "", 0, []],
    ["V", 2, ["44"], "", 0, []],
  ];
  for (const [format, lrecl, hex, expected, records, tolerated] of cases) {
    const unpacker = unpackerFor(format, lrecl);
    t.strictSame(receive(unpacker, hex.map(octets), 64), octets(expected), `${format} ${hex}`);
    t.equal(unpacker.records, records);
    t.strictSame([...unpacker.tolerated], tolerated);
  }
  t.end();
});

test("a claimed file that is no virtual file is not sent; the longest records pass", (t) => {
  // [format, lrecl, file, code, record]
  const cases: [Format, number, string, string, number][] = [
    ["F", 2, "616161", "CYG_FORMAT_UNTERMINATED", 2],
    ["F", 0, "", "CYG_FORMAT_OPTIONS", 0],
    ["V", 2, "0000", "CYG_FORMAT_UNTERMINATED", 1],
    ["V", 2, "0000000161 0000000261", "CYG_FORMAT_UNTERMINATED", 2],
    ["V", 2, "0000000161 00000003616161", "CYG_FORMAT_RECORD_TOO_LONG", 2],
    ["V", 0, "000186A0", "CYG_FORMAT_RECORD_TOO_LONG", 1],
  ];
  for (const [format, lrecl, hex, code, record] of cases) {
    t.throws(() => pack(format, lrecl, octets(hex), 128, false), { code, record }, `${format} ${hex}`);
  }
  const longest = [Buffer.alloc(99_999, 0x61), Buffer.alloc(0), Buffer.alloc(99_999, 0x62)];
  for (const compressed of [false, true]) {
    const whole = virtual("V", longest);
    const { buffers } = pack("V", 99_999, whole, 99_999, compressed);
    t.ok(receive(unpackerFor("V", 99_999), buffers, 1000).equals(whole));
    const fixed = Buffer.concat(longest);
    t.ok(receive(unpackerFor("F", 99_999), pack("F", 99_999, fixed, 2048, compressed).buffers).equals(fixed));
  }
  t.ok(new FormatError("CYG_FORMAT_OPTIONS", "x", 0, 0).message.includes("octet 0"));
  t.end();
});

test("any octets as data exchange buffers: an error with a code, or a file; never a standstill", (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom<Format>("U", "F", "V"),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 150 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      (format, list, lrecl) => {
        try {
          receive(
            unpackerFor(format, lrecl),
            list.map((octets) => Buffer.from(octets)),
            64,
          );
        } catch (error) {
          const { code } = error as { code?: string };
          if (!code?.startsWith("CYG_")) throw error;
        }
      },
    ),
    { numRuns: 1500 },
  );
  t.pass("1500 streams");
  t.end();
});
