/** Reading DER by its frame: where values begin and end. Lists of revoked certificates are too long to be made objects. */
import { CygnetError } from "../../platform/errors.ts";

/** One value: positions in the octets that it was found in. */
export interface Der {
  readonly tag: number;
  /** Where the tag stands, where the contents begin, and where they end. */
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

export const SEQUENCE = 0x30;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;

/** The value that begins at `at`. Errors: CYG_PKI_DER where it does not lie within `end`. */
export function derAt(octets: Buffer, at: number, end = octets.length): Der {
  const tag = octets[at];
  const first = octets[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw broken();
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || start + count > end) throw broken();
    length = octets.readUIntBE(start, count);
    start += count;
  }
  if (start + length > end) throw broken();
  return { tag, at, start, end: start + length };
}

/** The values inside a value, one after the other. */
export function* derIn(octets: Buffer, { start, end }: Pick<Der, "start" | "end">): Generator<Der> {
  for (let at = start; at < end; ) {
    const value = derAt(octets, at, end);
    yield value;
    at = value.end;
  }
}

/** A value with its tag and length. */
export function whole(octets: Buffer, { at, end }: Der): Buffer {
  return octets.subarray(at, end);
}

/** The contents of a value. */
export function contents(octets: Buffer, { start, end }: Der): Buffer {
  return octets.subarray(start, end);
}

/** UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 has them, ms since 1970 UTC. Errors: CYG_PKI_DER. */
export function timeOf(octets: Buffer, value: Der): number {
  const text = contents(octets, value).toString("latin1");
  const short = value.tag === UTC_TIME;
  const [, head, rest] = (short ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text) ?? [];
  if (head === undefined || rest === undefined) throw broken();
  const year = short ? Number(head) + (Number(head) < 50 ? 2000 : 1900) : Number(head);
  const [month, day, hour, minute, second] = rest.match(/\d\d/g) as string[];
  const at = Date.parse(`${String(year).padStart(4, "0")}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(at)) throw broken();
  return at;
}

/** The octets of a BIT STRING that has no unused bits, as signatures and keys are. */
export function bits(octets: Buffer, value: Der): Buffer {
  if (value.tag !== BIT_STRING || octets[value.start] !== 0) throw broken();
  return octets.subarray(value.start + 1, value.end);
}

export function broken(): CygnetError {
  return new CygnetError("CYG_PKI_DER", "it is not well-formed DER");
}
