/** The kernel of the exchange buffers against its specification in TypeScript, and the memory that it lends. */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { test } from "tap";
import { WireError } from "../../src/oftp/wire/codec.ts";
import * as fast from "../../src/oftp/wire/fast-subrecords.ts";
import { freeSlots, giveSlot, isWithin, SLOT, takeSlot } from "../../src/oftp/wire/kernel.ts";
import * as plain from "../../src/oftp/wire/subrecords.ts";

const slots = [takeSlot(), takeSlot()];
const [source, target] = slots as [Buffer, Buffer];
const UNTOUCHED = 0xee;

const PACKERS = {
  packLiterals: [plain.packLiterals, fast.packLiterals],
  packCompressed: [plain.packCompressed, fast.packCompressed],
} as const;
type Name = keyof typeof PACKERS;
const NAMES = Object.keys(PACKERS) as Name[];

/** Packs with both; what differs, or undefined. */
function packingDiffers(name: Name, octets: Buffer, from: number, at: number, room: number, last: boolean) {
  // what lies around the source must not matter: it would make the run at either end longer
  const edge = octets.length === 0 ? 0 : (octets.at(-1) as number);
  source.fill(edge, 0, from + octets.length + 100);
  octets.copy(source, from);
  target.fill(UNTOUCHED, 0, at + room + 200);
  const expected = Buffer.alloc(at + room + 200, UNTOUCHED);
  const to = from + octets.length;
  const [specified, packed] = PACKERS[name];
  const want = specified(Buffer.from(source.subarray(0, to)), from, to, expected, at, at + room, last);
  const got = packed(source, from, to, target, at, at + room, last);
  const same =
    got.from === want.from &&
    got.at === want.at &&
    got.ended === want.ended &&
    target.subarray(0, got.at).equals(expected.subarray(0, want.at)) &&
    target.subarray(at + room, at + room + 200).every((octet) => octet === UNTOUCHED);
  return same ? undefined : { name, from, at, room, last, want, got, octets: octets.toString("hex") };
}

test("every length from 0 to 300, at odd places, into rooms that fit and that do not", (t) => {
  const kinds: readonly (readonly [string, (index: number) => number])[] = [
    ["no runs", (index) => index * 7],
    ["one run", () => 0x20],
    ["runs of all lengths", (index) => Math.floor(Math.sqrt(index * 3))],
    ["runs of three", (index) => Math.floor(index / 3)],
  ];
  for (const name of NAMES) {
    for (const [kind, octet] of kinds) {
      let wrong: unknown;
      for (let length = 0; length <= 300; length++) {
        const octets = Buffer.from(Array.from({ length }, (_, index) => octet(index)));
        for (const room of [0, 1, 2, 3, 64, 65, length, plain.packedLength(length) + 2, 400]) {
          const where = [length % 17, 1 + (length % 19)] as const;
          for (const last of [false, true]) wrong ??= packingDiffers(name, octets, ...where, room, last);
        }
      }
      t.equal(wrong, undefined, `${name}, ${kind}`);
    }
  }
  t.end();
});

/** Octets of which some stand in runs. */
const content = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: 255 }), fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 16, 62, 63, 64, 130)),
    {
      maxLength: 60,
    },
  )
  .map((runs) => Buffer.concat(runs.map(([octet, count]) => Buffer.alloc(count, octet))));

test("whatever is packed, wherever it stands, comes out the same", (t) => {
  const place = fc.integer({ min: 0, max: 70 });
  const room = fc.integer({ min: 0, max: 900 });
  for (const name of NAMES) {
    fc.assert(
      fc.property(content, place, place, room, fc.boolean(), (octets, from, at, space, last) => {
        const differing = packingDiffers(name, octets, from, at, space, last);
        if (differing) throw new Error(JSON.stringify(differing));
      }),
      { numRuns: 2000 },
    );
    t.pass(name);
  }
  t.end();
});

/** What an unpacking gives, or the reason with which it throws. */
function outcome(unpack: typeof plain.unpack, from: Buffer, read: number, into: Buffer, at: number) {
  try {
    const unpacked = unpack(from, read, into, at);
    return { ...unpacked, octets: into.toString("hex", at, unpacked.at) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { esid: error.esid, text: error.message };
  }
}

test("whatever arrives is unpacked, or refused, the same", (t) => {
  const subrecord = fc.oneof(
    fc.uint8Array({ minLength: 0, maxLength: 63 }).map((octets) => Buffer.from([octets.length, ...octets])),
    fc
      .tuple(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 255 }))
      .map(([count, octet]) => Buffer.from([0x40 | (count & 0x3f) | ((count & 0x40) << 1), octet])),
  );
  const buffer = fc.oneof(
    fc.array(subrecord, { maxLength: 30 }).map((parts) => Buffer.concat(parts)),
    fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets)),
  );
  const place = fc.integer({ min: 0, max: 70 });
  fc.assert(
    fc.property(buffer, place, place, fc.integer({ min: 0, max: 3000 }), (octets, skip, at, more) => {
      const size = at + 63 + more;
      const heap = Buffer.alloc(size);
      const want = outcome(plain.unpack, Buffer.concat([Buffer.alloc(skip), octets]), skip, heap, at);
      target.fill(UNTOUCHED, 0, size + 100);
      const into = target.subarray(0, size);
      const outside = outcome(fast.unpack, Buffer.concat([Buffer.alloc(skip), octets]), skip, into, at);
      octets.copy(source, skip);
      const inside = outcome(fast.unpack, source.subarray(0, skip + octets.length), skip, into, at);
      const beyond = target.subarray(size, size + 100).every((octet) => octet === UNTOUCHED);
      const before = target.subarray(0, at).every((octet) => octet === UNTOUCHED);
      return beyond && before && JSON.stringify([want, want]) === JSON.stringify([outside, inside]);
    }),
    { numRuns: 3000 },
  );
  t.pass("from elsewhere and from its own memory");
  const tooMuch = Buffer.alloc(200_000, 0x3f);
  t.strictSame(
    outcome(fast.unpack, tooMuch, 0, target, 0),
    outcome(plain.unpack, tooMuch, 0, Buffer.alloc(SLOT), 0),
    "a source larger than any exchange buffer",
  );
  t.end();
});

test("slots are lent once, and come back", (t) => {
  const before = freeSlots();
  const taken: Buffer[] = [];
  for (let slot = takeSlot(); slot !== undefined; slot = takeSlot()) taken.push(slot);
  t.equal(taken.length, before);
  t.equal(
    new Set([...taken, source, target].map(({ byteOffset }) => byteOffset)).size,
    before + 2,
    "no two the same",
  );
  t.ok(taken.every((slot) => slot.length === SLOT && isWithin(slot)));
  t.equal(takeSlot(), undefined, "and then there is none");
  const last = taken[0] as Buffer;
  const full = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 0x61)]);
  const { at } = fast.unpack(full, 0, last, SLOT - 63);
  t.strictSame(
    [at, last.toString("latin1", SLOT - 63)],
    [SLOT, "a".repeat(63)],
    "to the last octet of the memory",
  );
  for (const slot of taken) giveSlot(slot);
  giveSlot(Buffer.alloc(10));
  t.equal(freeSlots(), before, "what is no slot is not kept");
  t.end();
});

test("without WebAssembly there are no slots, and the same octets come out", (t) => {
  const wire = new URL("../../src/oftp/wire/", import.meta.url);
  const program = `
    import { freeSlots, takeSlot } from "${new URL("kernel.js", wire)}";
    import { packCompressed, packLiterals, unpack } from "${new URL("fast-subrecords.js", wire)}";
    const content = Buffer.from("abc".repeat(50) + "-".repeat(90));
    const outcomes = [packLiterals, packCompressed].map((pack) => {
      const [packed, back] = [Buffer.alloc(1000), Buffer.alloc(1000)];
      const { at } = pack(content, 0, content.length, packed, 0, 1000, true);
      const unpacked = unpack(packed.subarray(0, at), 0, back, 0);
      return [packed.toString("hex", 0, at), back.subarray(0, unpacked.at).equals(content)];
    });
    console.log(JSON.stringify([typeof WebAssembly, freeSlots(), takeSlot() ?? null, outcomes]));
  `;
  const flags = ["--jitless", "--input-type=module", "-e", program];
  const said = execFileSync(process.execPath, flags, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const content = Buffer.from("abc".repeat(50) + "-".repeat(90));
  const expected = Object.values(PACKERS).map(([specified]) => {
    const packed = Buffer.alloc(1000);
    const { at } = specified(content, 0, content.length, packed, 0, 1000, true);
    return [packed.toString("hex", 0, at), true];
  });
  t.strictSame(JSON.parse(said), ["undefined", 0, null, expected]);
  t.end();
});
