/** What can become of an exchange buffer on its way. Every way takes a framed buffer and gives what is sent instead. */

/** Numbers in [0, 1) that are the same for the same seed. */
export type Chance = () => number;

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (chance: Chance, limit: number): number => Math.floor(chance() * limit);
export const oneOf = <T>(chance: Chance, all: readonly T[]): T => all[below(chance, all.length)] as T;

const HEADER = 4;
/** Octets at the edges of what fields, flags, counts and subrecord headers may hold. */
const EDGES = [0, 1, 0x0d, 0x20, 0x2d, 0x30, 0x39, 0x3a, 0x3f, 0x40, 0x59, 0x7f, 0x80, 0xbf, 0xc0, 0xff];
const COMMANDS = "IXJASH23DCT45REPNF";

const octet = (chance: Chance): number => (chance() < 0.5 ? oneOf(chance, EDGES) : below(chance, 256));
const noise = (chance: Chance, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => octet(chance)));

/** A framed buffer with this length in its header, whatever it has. */
function headed(length: number, body: Buffer): Buffer {
  const framed = Buffer.concat([Buffer.alloc(HEADER), body]);
  framed.writeUInt32BE((0x10000000 | (length & 0xffffff)) >>> 0);
  return framed;
}

const whole = (body: Buffer): Buffer => headed(body.length + HEADER, body);

/** The body of a frame with so many of its octets from `at` on replaced. */
function replaced(frame: Buffer, at: number, count: number, by: Buffer): Buffer {
  const body = frame.subarray(HEADER);
  return whole(Buffer.concat([body.subarray(0, at), by, body.subarray(at + count)]));
}

/** A place in a body, its command octet excepted where there is more. */
const place = (chance: Chance, frame: Buffer): number => {
  const length = frame.length - HEADER;
  return length > 1 ? 1 + below(chance, length - 1) : 0;
};

function flipped(chance: Chance, frame: Buffer, from: number, to: number): Buffer {
  const changed = Buffer.from(frame);
  for (let bits = 1 + below(chance, 3); bits > 0; bits--) {
    const at = from + below(chance, to - from);
    changed[at] = (changed[at] as number) ^ (1 << below(chance, 8));
  }
  return changed;
}

/** Another number in place of one of a frame's numbers. */
function otherNumber(chance: Chance, frame: Buffer): Buffer {
  const runs = [
    ...frame
      .subarray(HEADER)
      .toString("latin1")
      .matchAll(/\d{2,}/g),
  ];
  if (runs.length === 0) return flipped(chance, frame, HEADER, frame.length);
  const run = oneOf(chance, runs);
  const width = run[0].length;
  const text = oneOf(chance, [
    "9".repeat(width),
    "0".repeat(width),
    " ".repeat(width),
    "-1".padStart(width, "0"),
    "1e9".padEnd(width, "0").slice(0, width),
    "0x7f".padEnd(width, "f").slice(0, width),
    "1".padEnd(width, "0"),
    String(below(chance, 10 ** Math.min(width, 9))).padStart(width, "0"),
    (BigInt(run[0]) + 1n).toString().padStart(width, "0").slice(-width),
    "\u0000".repeat(width),
  ]);
  return replaced(frame, run.index, width, Buffer.from(text, "latin1"));
}

/** Another header for one subrecord of a data exchange buffer. */
function otherSubrecord(chance: Chance, frame: Buffer): Buffer {
  const starts: number[] = [];
  for (let at = HEADER + 1; at < frame.length; ) {
    starts.push(at);
    const header = frame[at] as number;
    at += 1 + ((header & 0x40) !== 0 ? 1 : header & 0x3f);
  }
  if (frame[HEADER] !== 0x44 || starts.length === 0) return flipped(chance, frame, HEADER, frame.length);
  const changed = Buffer.from(frame);
  changed[oneOf(chance, starts)] = octet(chance);
  return changed;
}

type Mutation = (chance: Chance, frame: Buffer, pool: readonly Buffer[]) => Buffer[];

export const MUTATIONS: Record<string, Mutation> = {
  "bits flipped": (chance, frame) => [flipped(chance, frame, HEADER, frame.length)],
  "header bits flipped": (chance, frame) => [flipped(chance, frame, 0, HEADER)],
  "another octet": (chance, frame) => [replaced(frame, place(chance, frame), 1, Buffer.of(octet(chance)))],
  "another command octet": (chance, frame) => [
    replaced(
      frame,
      0,
      1,
      Buffer.of(chance() < 0.8 ? oneOf(chance, [...Buffer.from(COMMANDS)]) : octet(chance)),
    ),
  ],
  "another number": (chance, frame) => [otherNumber(chance, frame)],
  "another subrecord header": (chance, frame) => [otherSubrecord(chance, frame)],
  "octets inserted": (chance, frame) => [
    replaced(frame, place(chance, frame), 0, noise(chance, 1 + below(chance, 8))),
  ],
  "octets deleted": (chance, frame) => [
    replaced(frame, place(chance, frame), 1 + below(chance, 8), Buffer.alloc(0)),
  ],
  "a field overwritten": (chance, frame) => {
    const at = place(chance, frame);
    const count = Math.min(1 + below(chance, 26), frame.length - HEADER - at);
    return [replaced(frame, at, count, Buffer.alloc(count, octet(chance)))];
  },
  "two fields exchanged": (chance, frame) => {
    const changed = Buffer.from(frame);
    const from = HEADER + place(chance, frame);
    const to = HEADER + place(chance, frame);
    const count = Math.min(1 + below(chance, 10), frame.length - Math.max(from, to));
    frame.copy(changed, to, from, from + count);
    frame.copy(changed, from, to, to + count);
    return [changed];
  },
  "cut short": (chance, frame) =>
    [whole(frame.subarray(HEADER, HEADER + place(chance, frame)))].filter((each) => each.length > HEADER),
  "cut short under its old header": (chance, frame) => [frame.subarray(0, HEADER + place(chance, frame))],
  "a header a little wrong": (chance, frame) => [
    headed(frame.length + below(chance, 41) - 20, frame.subarray(HEADER)),
  ],
  "a header quite wrong": (chance, frame) => [
    headed(
      oneOf(chance, [0, 1, 3, 4, 5, 0x7f, 0xff, 0x100, 99_999, 100_003, 100_004, 0x7fffff, 0xffffff]),
      frame.subarray(HEADER),
    ),
  ],
  "said twice": (_, frame) => [frame, frame],
  "behind another": (chance, frame, pool) => [oneOf(chance, pool), frame],
  "another in its place": (chance, _, pool) => [oneOf(chance, pool)],
  "another behind it": (chance, frame, pool) => [frame, oneOf(chance, pool)],
  "joined with another": (chance, frame, pool) => [
    whole(Buffer.concat([frame.subarray(HEADER), oneOf(chance, pool).subarray(HEADER)])),
  ],
  "noise behind its command octet": (chance, frame) => [
    replaced(frame, 1, frame.length, noise(chance, below(chance, 300))),
  ],
  "a long length at its end": (chance, frame) => [
    replaced(
      frame,
      Math.max(1, frame.length - HEADER - 3),
      3,
      oneOf(chance, [
        Buffer.from("999"),
        Buffer.from("001"),
        Buffer.of(0, 0xff, 0xff),
        Buffer.of(0xff, 0xff, 0xff),
      ]),
    ),
  ],
  "as long as can be": (chance, frame) => [
    replaced(frame, frame.length - HEADER, 0, Buffer.alloc(99_999 - (frame.length - HEADER), octet(chance))),
  ],
};

const NAMES = Object.keys(MUTATIONS);
/** A hundred kilobytes each time would be most of the traffic. */
const RARE = "as long as can be";

/** One way, picked by chance, done to a frame. `pool` holds frames of all kinds. */
export function mutate(
  chance: Chance,
  frame: Buffer,
  pool: readonly Buffer[],
): { name: string; sent: Buffer[] } {
  let name = oneOf(chance, NAMES);
  if (name === RARE && chance() < 0.8) name = "bits flipped";
  return { name, sent: (MUTATIONS[name] as Mutation)(chance, frame, pool) };
}
