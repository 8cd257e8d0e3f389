/** Some programs write PKCS#12 and PKCS#7 in BER: what reads them here wants DER lengths and strings in one piece. */
import { CygnetError } from "../../platform/errors.ts";

const DEEPEST = 40;
const OCTET_STRING = 0x04;
const CONSTRUCTED = 0x20;

interface Element {
  /** Identifier octets; the first tells class and form. */
  tag: Buffer;
  /** Contents of a primitive element; null for a constructed one. */
  value: Buffer | null;
  members: Element[];
  /** Octets from its first to behind its last. */
  size: number;
}

/**
 * The same value with definite lengths everywhere and octet strings in one piece; octets behind it are left out.
 * Errors: CYG_PKI_CERTIFICATE for what is no BER.
 */
export function normalise(octets: Buffer): Buffer {
  return encode(decode(octets, 0, octets.length, 0));
}

function decode(octets: Buffer, start: number, end: number, depth: number): Element {
  if (depth > DEEPEST) throw malformed("it is nested too deeply");
  let at = start;
  const next = (): number => {
    if (at >= end) throw malformed("it ends too early");
    return octets[at++] as number;
  };
  const first = next();
  if ((first & 0x1f) === 0x1f) while ((next() & 0x80) !== 0);
  const tag = octets.subarray(start, at);
  const short = next();
  const isConstructed = (first & CONSTRUCTED) !== 0;
  let limit: number | null = null;
  if (short < 0x80) limit = at + short;
  else if (short > 0x80) {
    let length = 0;
    for (let left = short & 0x7f; left > 0; left--) length = length * 256 + next();
    limit = at + length;
  } else if (!isConstructed) throw malformed("a primitive value has no length");
  if (limit !== null && limit > end) throw malformed("a value is longer than what holds it");
  if (!isConstructed) {
    const value = octets.subarray(at, limit as number);
    return { tag, value, members: [], size: (limit as number) - start };
  }
  const members: Element[] = [];
  for (;;) {
    if (limit === null && octets[at] === 0 && octets[at + 1] === 0) {
      at += 2;
      break;
    }
    if (limit !== null && at >= limit) break;
    const member = decode(octets, at, limit ?? end, depth + 1);
    members.push(member);
    at += member.size;
  }
  return { tag, value: null, members, size: at - start };
}

function encode({ tag, value, members }: Element): Buffer {
  const first = tag[0] as number;
  if (value !== null) return Buffer.concat([tag, lengthOf(value.length), value]);
  if (first === (OCTET_STRING | CONSTRUCTED)) {
    const whole = Buffer.concat(members.map(pieces));
    return Buffer.concat([Buffer.of(OCTET_STRING), lengthOf(whole.length), whole]);
  }
  const contents = Buffer.concat(members.map(encode));
  return Buffer.concat([tag, lengthOf(contents.length), contents]);
}

function pieces({ tag, value, members }: Element): Buffer {
  if (((tag[0] as number) & ~CONSTRUCTED) !== OCTET_STRING)
    throw malformed("an octet string holds no string");
  return value ?? Buffer.concat(members.map(pieces));
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.of(0x80 | octets.length, ...octets);
}

function malformed(why: string): CygnetError {
  return new CygnetError("CYG_PKI_CERTIFICATE", `not ASN.1: ${why}`);
}
