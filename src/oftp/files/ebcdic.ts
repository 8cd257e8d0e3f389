/**
 * EBCDIC code pages for iconv-lite, which has none: its own single-octet codec gets their tables.
 *
 * Each row gives, for EBCDIC octets 00 to FF, the ISO 8859-1 character; all four are permutations of it. 1140, 1141
 * and 1148 are 037, 273 and 500 with the euro sign in the place of the currency sign (9F).
 *
 * Line ends: 15 is NEL (U+0085), the new line of z/OS, 25 is LF (U+000A), 0D is CR.
 */
import iconv from "iconv-lite";

const TABLES = {
  ibm037: `
    000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f
    80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a
    20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293bac
    2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22
    d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4
    b57e737475767778797aa1bfd0dddeae5ea3a5b7a9a7b6bcbdbe5b5dafa8b4d7
    7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff
    5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f
  `,
  ibm273: `
    000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f
    80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a
    20a0e27be0e1e3e5e7f1c42e3c282b2126e9eaebe8edeeefec7edc242a293b5e
    2d2fc25bc0c1c3c5c7d1f62c255f3e3ff8c9cacbc8cdcecfcc603a23a7273d22
    d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4
    b5df737475767778797aa1bfd0dddeaea2a3a5b7a940b6bcbdbeac7cafa8b4d7
    e4414243444546474849adf4a6f2f3f5fc4a4b4c4d4e4f505152b9fb7df9faff
    d6f7535455565758595ab2d45cd2d3d530313233343536373839b3db5dd9da9f
  `,
  ibm500: `
    000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f
    80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a
    20a0e2e4e0e1e3e5e7f15b2e3c282b2126e9eaebe8edeeefecdf5d242a293b5e
    2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22
    d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4
    b57e737475767778797aa1bfd0dddeaea2a3a5b7a9a7b6bcbdbeac7cafa8b4d7
    7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff
    5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f
  `,
  ibm1047: `
    000102039c09867f978d8e0b0c0d0e0f101112139d8508871819928f1c1d1e1f
    80818283840a171b88898a8b8c050607909116939495960498999a9b14159e1a
    20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293b5e
    2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22
    d8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4
    b57e737475767778797aa1bfd05bdeaeaca3a5b7a9a7b6bcbdbedda8af5db4d7
    7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff
    5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f
  `,
};

/** EBCDIC octet of the currency sign, or of the euro sign in the pages that have it. */
const CURRENCY = 0x9f;

const EURO: Record<string, keyof typeof TABLES> = { ibm1140: "ibm037", ibm1141: "ibm273", ibm1148: "ibm500" };

/** Other names, written as iconv-lite compares them: small letters and digits only. */
const ALIASES: Record<string, string> = {
  cp037: "ibm037",
  cp273: "ibm273",
  cp500: "ibm500",
  cp1047: "ibm1047",
  cp1140: "ibm1140",
  cp1141: "ibm1141",
  cp1148: "ibm1148",
  ebcdiccpus: "ibm037",
};

function characters(table: keyof typeof TABLES): string {
  return Buffer.from(TABLES[table].replace(/\s/g, ""), "hex").toString("latin1");
}

function register(): void {
  // the list of encodings is made when the first codec is asked for
  iconv.getCodec("ascii");
  const encodings = iconv.encodings as Record<string, unknown>;
  for (const name of Object.keys(TABLES)) {
    encodings[name] = { type: "_sbcs", chars: characters(name as keyof typeof TABLES) };
  }
  for (const [name, base] of Object.entries(EURO)) {
    const chars = characters(base);
    encodings[name] = {
      type: "_sbcs",
      chars: `${chars.slice(0, CURRENCY)}\u20ac${chars.slice(CURRENCY + 1)}`,
    };
  }
  Object.assign(encodings, ALIASES);
}

register();

/** True for the name of an EBCDIC code page. */
export function isEbcdic(charset: string): boolean {
  const name = iconv._canonicalizeEncoding(charset);
  return name in TABLES || name in EURO || name in ALIASES;
}
