/** Adler-32, the checksum of a zlib stream (RFC 1950 section 8.2), over octets that come in pieces. */

const BASE = 65_521;
/** So many octets can be summed before a sum leaves 31 bits, beyond which engines count in floating point. */
const RUN = 3_848;

export class Adler32 {
  #a = 1;
  #b = 0;

  update(octets: Buffer): void {
    let a = this.#a;
    let b = this.#b;
    for (let start = 0; start < octets.length; start += RUN) {
      const end = Math.min(start + RUN, octets.length);
      let at = start;
      // eight at a time are twice as fast
      for (; at + 8 <= end; at += 8) {
        const first = octets[at] as number;
        const second = octets[at + 1] as number;
        const third = octets[at + 2] as number;
        const fourth = octets[at + 3] as number;
        const fifth = octets[at + 4] as number;
        const sixth = octets[at + 5] as number;
        const seventh = octets[at + 6] as number;
        const eighth = octets[at + 7] as number;
        b +=
          8 * a +
          8 * first +
          7 * second +
          6 * third +
          5 * fourth +
          4 * fifth +
          3 * sixth +
          2 * seventh +
          eighth;
        a += first + second + third + fourth + fifth + sixth + seventh + eighth;
      }
      for (; at < end; at++) {
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
