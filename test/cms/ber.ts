/** BER on the level of tags and lengths, for tests. */

interface Node {
  tag: number;
  /** Octets of a primitive, children of a constructed value. */
  content: Buffer;
  children: Node[];
  constructed: boolean;
}

/** Reads definite lengths only. */
function nodes(octets: Buffer): Node[] {
  const found: Node[] = [];
  for (let at = 0; at < octets.length; ) {
    const tag = octets[at] as number;
    const first = octets[at + 1] as number;
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : octets.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    const content = octets.subarray(start, start + length);
    const constructed = (tag & 0x20) !== 0;
    found.push({ tag, content, constructed, children: constructed ? nodes(content) : [] });
    at = start + length;
  }
  return found;
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  if (length < 0x100) return Buffer.from([tag, 0x81, length]);
  if (length < 0x10000) return Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
  return Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]);
}

const END = Buffer.alloc(2);

/** DER again, with indefinite lengths everywhere and every octet string in pieces of so many octets. */
export function indefinite(der: Buffer, piece: number): Buffer {
  return Buffer.concat(nodes(der).map((node) => spread(node, piece)));
}

function spread({ tag, content, constructed, children }: Node, piece: number): Buffer {
  if (constructed) {
    const parts = children.map((child) => spread(child, piece));
    return Buffer.concat([Buffer.from([tag, 0x80]), ...parts, END]);
  }
  // OCTET STRING, also the one that EncryptedContentInfo tags [0]
  if (tag !== 0x04 && tag !== 0x80) return Buffer.concat([header(tag, content.length), content]);
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += piece) {
    const part = content.subarray(at, at + piece);
    parts.push(header(0x04, part.length), part);
  }
  return Buffer.concat([Buffer.from([tag | 0x20, 0x80]), ...parts, END]);
}

/** Tags and lengths of DER, and the octets of everything that is not random (octet strings). */
export function tree(der: Buffer): unknown[] {
  return nodes(der).map(({ tag, content, constructed }) => {
    if (constructed) return [tag, content.length, tree(content)];
    return [tag, tag === 0x04 || tag === 0x80 ? content.length : content.toString("hex")];
  });
}

/** DER of one value. */
export function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([header(tag, content.length), content]);
}
export const hex = (text: string): Buffer => Buffer.from(text, "hex");
export const DATA = hex("06092a864886f70d010701");
export const SIGNED_DATA = hex("06092a864886f70d010702");
export const COMPRESSED_DATA = hex("060b2a864886f70d0109100109");
export const ZLIB = hex("300d060b2a864886f70d0109100308");

/** CompressedData by hand. */
export function compressedData(zlib: Buffer, type = DATA, algorithm = ZLIB): Buffer {
  return der(0x30, COMPRESSED_DATA, der(0xa0, bareCompressedData(zlib, type, algorithm)));
}
export function bareCompressedData(zlib: Buffer, type = DATA, algorithm = ZLIB): Buffer {
  return der(0x30, hex("020100"), algorithm, der(0x30, type, der(0xa0, der(0x04, zlib))));
}
