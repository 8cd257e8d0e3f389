/** Adler-32, the checksum of a zlib stream (RFC 1950 section 8.2), over octets that come in pieces. */

const BASE = 65_521;
/** So many octets can be summed before a sum leaves 32 bits. */
const RUN = 5_552;

export class Adler32 {
  #a = 1;
  #b = 0;

  update(octets: Buffer): void {
    let a = this.#a;
    let b = this.#b;
    for (let start = 0; start < octets.length; start += RUN) {
      const end = Math.min(start + RUN, octets.length);
      for (let at = start; at < end; at++) {
        a += octets[at] as number;
        b += a;
      }
      a %= BASE;
      b %= BASE;
    }
    this.#a = a;
    this.#b = b;
  }

  /** Four octets, big-endian. */
  digest(): Buffer {
    const sum = Buffer.alloc(4);
    sum.writeUInt16BE(this.#b, 0);
    sum.writeUInt16BE(this.#a, 2);
    return sum;
  }
}
