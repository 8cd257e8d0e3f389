/**
 * BER as streaming products write it, brought to the form that the ASN.1 library reads without exception: definite
 * lengths, octet strings in one piece (X.690 sections 8.1.3, 8.7). Sets are not sorted and contents not judged.
 */
import { CygnetError } from "../platform/errors.ts";

interface Value {
  tag: number;
  content: Buffer;
  /** Where the next value begins. */
  next: number;
}

const DEEPEST = 32;
const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04;
const END_OF_CONTENTS = 0x00;
const INDEFINITE = 0x80;

/**
 * The first value in `octets`, in definite lengths; octets behind it are ignored.
 * @throws CygnetError CYG_CMS_FORMAT
 */
export function definite(octets: Buffer): Buffer {
  return encoded(value(octets, 0, octets.length, 0));
}

function value(octets: Buffer, at: number, end: number, depth: number): Value {
  const tag = octets[at];
  const first = octets[at + 1];
  if (tag === undefined || first === undefined || at + 2 > end) throw malformed("ends too early");
  if ((tag & 0x1f) === 0x1f) throw malformed("has a tag that CMS does not know");
  if (depth > DEEPEST) throw malformed("is nested too deep");
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || at + 2 + more > end) throw malformed("has a length that cannot be");
  const start = at + 2 + more;
  if (first === INDEFINITE) {
    if ((tag & CONSTRUCTED) === 0) throw malformed("has a primitive value without length");
    return constructed(octets, tag, { start, end, open: true, depth });
  }
  const next = start + (more === 0 ? first : octets.readUIntBE(at + 2, more));
  if (next > end) throw malformed("ends too early");
  if ((tag & CONSTRUCTED) !== 0) {
    return constructed(octets, tag, { start, end: next, open: false, depth });
  }
  return { tag, content: octets.subarray(start, next), next };
}

/**
 * The values inside a constructed one, each with tag and length.
 * @param octets in definite lengths, as `definite` gives it
 * @throws CygnetError CYG_CMS_FORMAT
 */
export function members(octets: Buffer): Buffer[] {
  const { content } = value(octets, 0, octets.length, 0);
  const found: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const { next } = value(content, at, content.length, 0);
    found.push(content.subarray(at, next));
    at = next;
  }
  return found;
}

interface Extent {
  start: number;
  end: number;
  /** Ended by an end-of-contents rather than by `end`. */
  open: boolean;
  depth: number;
}

function constructed(octets: Buffer, tag: number, { start, end, open, depth }: Extent): Value {
  const children: Value[] = [];
  let at = start;
  while (open || at < end) {
    const child = value(octets, at, end, depth + 1);
    at = child.next;
    if (open && child.tag === END_OF_CONTENTS && child.content.length === 0) break;
    children.push(child);
  }
  if (tag !== (OCTET_STRING | CONSTRUCTED)) {
    return { tag, content: Buffer.concat(children.map(encoded)), next: at };
  }
  if (children.some((child) => child.tag !== OCTET_STRING)) throw malformed("has a strange octet string");
  return { tag: OCTET_STRING, content: Buffer.concat(children.map(({ content }) => content)), next: at };
}

/** Tag, length in as few octets as possible, content. */
export function encoded({ tag, content }: { tag: number; content: Buffer }): Buffer {
  return Buffer.concat([header(tag, content.length), content]);
}

/** Tag and definite length in as few octets as possible; lengths up to 2^48 - 1. */
export function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  const size = Math.ceil(length.toString(16).length / 2);
  const octets = Buffer.alloc(2 + size);
  octets.writeUInt8(tag, 0);
  octets.writeUInt8(0x80 | size, 1);
  octets.writeUIntBE(length, 2, size);
  return octets;
}

/** The error for octets that are not the ASN.1 of CMS; `what` continues "the encoding of the envelope …". */
export function malformed(what: string, cause?: unknown): CygnetError {
  const options = cause === undefined ? undefined : { cause };
  return new CygnetError("CYG_CMS_FORMAT", `the encoding of the envelope ${what}`, options);
}
