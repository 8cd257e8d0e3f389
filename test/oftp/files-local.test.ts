/** Local files and their virtual representation: record formats, line ends, charsets, both directions. */
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import iconv from "iconv-lite";
import { test } from "tap";
import { checkCharset } from "../../src/oftp/files/charset.ts";
import type { Format } from "../../src/oftp/files/format.ts";
import { type LocalFile, type Transform, toLocal, toVirtual } from "../../src/oftp/files/transform.ts";
import { octets } from "./vectors.ts";

/** Pushes a file through in pieces; the pieces are spoiled afterwards, as a reused read buffer would be. */
function run(transform: Transform, file: Buffer, pieces: readonly number[] = [1_000_000]) {
  const parts: Buffer[] = [];
  let turn = 0;
  for (let at = 0; at < file.length; ) {
    const size = pieces[turn++ % pieces.length] as number;
    const piece = Buffer.from(file.subarray(at, at + size));
    parts.push(...transform.push(piece));
    piece.fill(0xee);
    at += size;
  }
  const { buffers, ...summary } = transform.end();
  return { ...summary, file: Buffer.concat([...parts, ...buffers]) };
}

const options = (format: Format, more: Partial<LocalFile> = {}): LocalFile => ({
  format,
  lrecl: format === "F" || format === "V" ? 10 : 0,
  ftype: format === "V" ? "T" : "B",
  fcode: format === "T" ? "ascii" : "binary",
  ...more,
});

const utf8 = (text: string) => Buffer.from(text, "utf8");
const show = (octets: Buffer) => octets.toString("latin1");

/** V records as text: "\x00\x00\x00\x03abc" and so on. */
const records = (...contents: string[]) =>
  contents.map((one) => `\0\0\0${String.fromCharCode(one.length)}${one}`).join("");

/** [what, options, local file, virtual file, local file that comes back when it differs] */
const STRAIGHT: [string, LocalFile, string, string, string?][] = [
  ["U: every octet", options("U"), "a\r\nb\nc\0", "a\r\nb\nc\0"],
  ["T binary: untouched", options("T", { fcode: "binary" }), "a\nb\r\nc", "a\nb\r\nc"],
  ["T: LF to CR LF", options("T"), "a\nb\n", "a\r\nb\r\n"],
  ["T: CR LF on both sides", options("T", { lineEnd: "CRLF" }), "a\r\nb\r\n", "a\r\nb\r\n"],
  ["T: mixed line ends", options("T"), "a\r\nb\nc\n", "a\r\nb\r\nc\r\n", "a\nb\nc\n"],
  ["T: the last line gets its line end", options("T"), "a\nb", "a\r\nb\r\n", "a\nb\n"],
  ["T: empty lines", options("T"), "\n\n\n", "\r\n\r\n\r\n"],
  ["T: a lone CR is data", options("T"), "a\rb\n\rc\n", "a\rb\r\n\rc\r\n"],
  ["T: a lone CR at the end is data", options("T"), "a\r", "a\r\r\n", "a\r\n"],
  ["T: empty", options("T"), "", ""],
  ["F: back to back", options("F", { lrecl: 3 }), "abcdef", "abcdef"],
  ["F: empty", options("F", { lrecl: 3 }), "", ""],
  ["F: padded", options("F", { lrecl: 3, pad: 0x20 }), "abcd", "abcd  ", "abcd  "],
  ["F: padded with NUL", options("F", { lrecl: 3, pad: 0 }), "a", "a\0\0", "a\0\0"],
  ["V lines", options("V"), "abc\n\nd\n", records("abc", "", "d")],
  ["V lines: CR LF", options("V", { lineEnd: "CRLF" }), "abc\r\n\r\nd\r\n", records("abc", "", "d")],
  ["V lines: mixed", options("V"), "a\r\nb\n", records("a", "b"), "a\nb\n"],
  ["V lines: no line end at the end", options("V"), "a\nb", records("a", "b"), "a\nb\n"],
  ["V lines: a lone CR is data", options("V"), "a\rb\n\rc\n", records("a\rb", "\rc")],
  ["V lines: empty", options("V"), "", ""],
  ["V lines: one empty record", options("V"), "\n", records("")],
  [
    "V lines: longest",
    options("V", { lrecl: 3 }),
    "abc\r\nabc\nabc",
    records("abc", "abc", "abc"),
    "abc\nabc\nabc\n",
  ],
  ["V lengths", options("V", { ftype: "V" }), "\0\x03a\nb\0\0\0\x01c", records("a\nb", "", "c")],
  ["V lengths: empty", options("V", { ftype: "V" }), "", ""],
  ["V cut", options("V", { ftype: "B", lrecl: 4 }), "abcdefghij", records("abcd", "efgh", "ij")],
  ["V cut: exactly", options("V", { ftype: "B", lrecl: 4 }), "abcdefgh", records("abcd", "efgh")],
];

test("RFC 5024 1.5.3: local files and their virtual representation, cut everywhere", (t) => {
  for (const [what, each, local, virtual, back = local] of STRAIGHT) {
    for (const pieces of [[1_000_000], [1], [2], [3, 1]]) {
      const out = run(toVirtual(each), utf8(local), pieces);
      t.equal(show(out.file), virtual, what);
      const again = run(toLocal(each), out.file, pieces);
      t.equal(show(again.file), back, `${what}, and back`);
      const { file: _out, ...summary } = out;
      t.match(again, summary, "both count the same");
    }
  }
  t.end();
});

test("RFC 5024 5.3.11: records, octets and the longest record are those of the virtual file", (t) => {
  // [options, local file, records, octets, longest]
  const cases: [LocalFile, string, number, number, number][] = [
    [options("U"), "abc\n", 0, 4, 0],
    [options("T"), "abc\nd", 0, 8, 0],
    [options("F", { lrecl: 2 }), "abcdef", 3, 6, 2],
    [options("F", { lrecl: 2, pad: 0x20 }), "abc", 2, 4, 2],
    [options("F", { lrecl: 2 }), "", 0, 0, 0],
    [options("V"), "abc\n\nde\n", 3, 5, 3],
    [options("V", { lrecl: 0 }), "abc\n\nde\n", 3, 5, 3],
    [options("V", { charset: { local: "utf-8", network: "latin1" } }), "äöü\n", 1, 3, 3],
    [options("T", { charset: { local: "utf-8", network: "latin1" } }), "äöü\n", 0, 5, 0],
  ];
  for (const [each, local, records, octets, longest] of cases) {
    t.match(run(toVirtual(each), utf8(local)), { records, octets, longest }, `${each.format} ${local}`);
  }
  t.end();
});

test("what is no file of its format is refused, with record and octet", (t) => {
  const latin1 = { local: "utf-8", network: "latin1" };
  const long = "x".repeat(2048);
  // [code, transform, file in UTF-8, record, octet]
  const cases: [string, Transform, string, number, number?][] = [
    ["RECORD_TOO_LONG", toVirtual(options("V", { lrecl: 3 })), "abc\nabcd\n", 2],
    ["RECORD_TOO_LONG", toVirtual(options("V", { lrecl: 3 })), "abc\nabcd", 2],
    ["RECORD_TOO_LONG", toVirtual(options("V", { lrecl: 3 })), `abc\n${"d".repeat(1000)}`, 2],
    ["RECORD_TOO_LONG", toVirtual(options("V", { lrecl: 0 })), "d".repeat(100_000), 1],
    ["RECORD_TOO_LONG", toVirtual(options("V", { lrecl: 3, ftype: "V" })), "\0\x01a\0\x04abcd", 2],
    ["RECORD_TOO_LONG", toVirtual(options("V", { lrecl: 2, charset: latin1 })), "äöü\n", 1],
    ["RECORD_TOO_LONG", toLocal(options("V", { lrecl: 3 })), records("a", "abcd"), 2, 9],
    ["UNTERMINATED", toVirtual(options("V", { ftype: "V" })), "\0\x03ab", 1, 4],
    ["UNTERMINATED", toVirtual(options("V", { ftype: "V" })), "\0\x01a\0", 2, 4],
    ["UNTERMINATED", toLocal(options("V")), "\0\0\0\x01a\0\0", 2, 7],
    ["SHORT_RECORD", toVirtual(options("F", { lrecl: 3 })), "abcd", 2, 4],
    ["SHORT_RECORD", toLocal(options("F", { lrecl: 3, pad: 0x20 })), "abcd", 2, 4],
    ["LINE_END", toLocal(options("V")), records("a", "b\nc"), 2, 1],
    ["LINE_END", toLocal(options("V")), records("b\r"), 1],
    ["LINE_END", toLocal(options("V", { lineEnd: "CRLF" })), records("a\nb"), 1],
    ["LINE_TOO_LONG", toVirtual(options("T", { checkText: true })), `a\n${long}x\n`, 0, 2051],
    ["LINE_TOO_LONG", toLocal(options("T", { checkText: true })), `${long}x\r\n`, 0, 2048],
    ["CONTROL", toLocal(options("T", { checkText: true })), "ab\tc\r\n", 0, 2],
    ["CONTROL", toLocal(options("T", { checkText: true })), "ab\n", 0, 2],
    ["CONTROL", toLocal(options("T", { checkText: true })), "ab\rc", 0, 3],
    ["CONTROL", toLocal(options("T", { checkText: true })), "ab\r", 0, 3],
    ["CHARACTER", toVirtual(options("U", { charset: latin1 })), "ä1€", 0, 3],
    ["CHARACTER", toVirtual(options("V", { charset: latin1 })), "a\nb€\n", 2, 1],
    ["CHARACTER", toVirtual(options("V", { charset: latin1, ftype: "V" })), "\0\x01a\0\x04b€", 2, 1],
    ["CHARACTER", toVirtual(options("T", { charset: latin1 })), "😀\n", 0, 0],
    ["CHARACTER", toVirtual(options("F", { charset: { local: "utf-8", network: "ibm037" } })), "a😀", 0, 1],
    [
      "CHARACTER",
      toVirtual(options("U", { charset: { local: "utf-8", network: "shift_jis" } })),
      "日ä",
      0,
      3,
    ],
    ["CHARACTER", toVirtual(options("U", { charset: latin1 })), "\ufeffa", 0, 0],
    ["CHARACTER", toVirtual(options("U", { charset: { local: "us-ascii", network: "utf-8" } })), "aä", 0, 1],
  ];
  for (const [code, transform, file, record, offset] of cases) {
    const expected = { code: `CYG_FORMAT_${code}`, record, ...(offset === undefined ? {} : { offset }) };
    t.throws(() => run(transform, utf8(file)), expected, `${code} ${file.slice(0, 20)}`);
  }
  t.throws(
    () =>
      run(
        toLocal(options("V", { lrecl: 99_999, ftype: "V" })),
        Buffer.concat([octets("00010000"), Buffer.alloc(65_536)]),
      ),
    { code: "CYG_FORMAT_RECORD_TOO_LONG", record: 1 },
  );
  const fit = run(
    toLocal(options("V", { lrecl: 99_999, ftype: "V" })),
    Buffer.concat([octets("0000FFFF"), Buffer.alloc(65_535)]),
  );
  t.equal(fit.file.length, 65_537);
  t.equal(
    show(run(toLocal(options("V", { lineEndInRecord: "keep" })), utf8(records("a\nb\r"))).file),
    "a\nb\r\n",
  );
  t.equal(run(toVirtual(options("T", { checkText: true })), utf8(`${long}\n`), [100]).octets, 2050);
  t.end();
});

test("broken UTF-8 and UTF-16 are refused where they break, however they are cut", (t) => {
  const both = (local: string) => options("V", { charset: { local, network: "gb18030" } });
  // [charset, file in hex, record, octet: in UTF-8 of the record, else of the file; its end when it is cut there]
  const cases: [string, string, number, number][] = [
    ["utf-8", "61 0A 62 FF 63", 2, 1],
    ["utf-8", "61 C3", 1, 2],
    ["utf-8", "C3 A4 0A 0A E2 82 61", 3, 0],
    ["utf-8", "C3 0A A4", 1, 1],
    ["utf-8", "ED A0 80", 1, 0],
    ["utf-16le", "6100 0A00 3DD8 6100", 2, 4],
    ["utf-16le", "6100 0A00 00DE 6100", 2, 4],
    ["utf-16le", "6100 3DD8", 1, 4],
    ["utf-16be", "0061 00", 1, 3],
    ["shift_jis", "61 81", 1, 2],
    ["us-ascii", "61 0A 0A 62 80", 3, 4],
  ];
  for (const [charset, hex, record, offset] of cases) {
    const expected = { code: "CYG_FORMAT_CHARACTER", record };
    t.throws(() => run(toVirtual(both(charset)), octets(hex)), { ...expected, offset }, `${charset} ${hex}`);
    t.throws(() => run(toVirtual(both(charset)), octets(hex), [1]), expected);
  }
  t.end();
});

test("a character of an upper plane may lie across two chunks", (t) => {
  const text = `日😀${"x".repeat(50)}\n`;
  for (const charset of ["gb18030", "big5-hkscs", "utf-8", "utf-16be"]) {
    // U+2010C has two octets in Big5-HKSCS
    const written = charset === "big5-hkscs" ? text.replace("😀", "\u{2010c}") : text;
    const local = iconv.encode(written, charset);
    for (let cut = 1; cut < 10; cut++) {
      const out = run(toVirtual(options("U", { charset: { local: charset, network: "utf-8" } })), local, [
        cut,
        999,
      ]);
      t.equal(out.file.toString("utf8"), written, `${charset}, cut at ${cut}`);
      const back = run(toLocal(options("U", { charset: { local: charset, network: "utf-8" } })), out.file, [
        cut,
        999,
      ]);
      t.strictSame(back.file, local);
    }
  }
  t.end();
});

test("EBCDIC: NEL (15) and LF (25) end lines; code pages are IBM's", (t) => {
  const ibm = (network: string, more: Partial<LocalFile> = {}) =>
    options("V", { charset: { local: "IBM-1047", network }, ...more });
  const local = octets("C1C2 15 C3 25 0D25 15 4B");
  const virtual = records("AB", "C", "", "", ".");
  for (const pieces of [[100], [1]]) {
    const out = run(toVirtual(ibm("ascii")), local, pieces);
    t.equal(show(out.file), virtual);
    t.strictSame(run(toLocal(ibm("ascii")), out.file, pieces).file, octets("C1C2 25 C3 25 25 25 4B 25"));
    t.strictSame(
      run(toLocal(ibm("ascii", { lineEnd: "NEL" })), out.file, pieces).file,
      octets("C1C2 15 C3 15 15 15 4B 15"),
    );
    const text = run(toVirtual({ ...ibm("ascii"), format: "T", fcode: "ascii" }), local, pieces).file;
    t.equal(show(text), "AB\r\nC\r\n\r\n\r\n.\r\n");
    const back = toLocal({ ...ibm("ascii"), format: "T", fcode: "ascii", lineEnd: "NEL" });
    t.strictSame(run(back, text, pieces).file, octets("C1C2 15 C3 15 15 15 4B 15"));
  }
  t.throws(() => run(toLocal(ibm("utf-8")), utf8("\0\0\0\x03a\u0085")), { code: "CYG_FORMAT_LINE_END" });
  t.throws(() => run(toVirtual(ibm("ascii")), octets("C1 15 C1 4A")), {
    code: "CYG_FORMAT_CHARACTER",
    record: 2,
  });

  // [code page, text, octets]
  const PAGES: [string, string, string][] = [
    ["ibm037", "Az09 !|[]^ä", "C1 A9 F0 F9 40 5A 4F BA BB B0 43"],
    ["cp500", "Az09 !|[]^ä", "C1 A9 F0 F9 40 4F BB 4A 5A 5F 43"],
    ["IBM1047", "Az09 !|[]^ä", "C1 A9 F0 F9 40 5A 4F AD BD 5F 43"],
    ["ibm273", "Az09 !|[]^ä", "C1 A9 F0 F9 40 4F BB 63 FC 5F C0"],
    ["ibm1141", "ÄÖÜäöüß@§€", "4A E0 5A C0 6A D0 A1 B5 7C 9F"],
    ["ibm1140", "€¢", "9F 4A"],
    ["ibm1148", "€[", "9F 4A"],
  ];
  for (const [page, text, hex] of PAGES) {
    checkCharset(page);
    t.strictSame(iconv.encode(text, page), octets(hex), page);
    t.equal(iconv.decode(octets(hex), page), text, page);
  }
  const every = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
  for (const page of ["ibm037", "ibm500", "ibm1047", "ibm1140", "ibm1141", "ibm1148"]) {
    const text = iconv.decode(every, page);
    t.equal(new Set(text).size, 256, `${page} is a permutation`);
    const other = spawnSync("iconv", ["-f", page.toUpperCase(), "-t", "UTF-8"], { input: every });
    // where another converter is installed it has to agree
    if (other.status === 0) t.equal(other.stdout.toString("utf8"), text, `${page} as iconv has it`);
  }
  t.end();
});

test("a translation table stands between the local file and lines that end as the table says", (t) => {
  const table = Buffer.alloc(256, 0x3f);
  const back = Buffer.alloc(256, 0x6f);
  for (const [ebcdic, ascii] of [
    [0xc1, 0x41],
    [0xc2, 0x42],
    [0x15, 0x0a],
    [0x40, 0x20],
  ] as const) {
    table[ebcdic] = ascii;
    back[ascii] = ebcdic;
  }
  const local = octets("C1C2 15 15 C140 15");
  for (const [format, virtual] of [
    ["T", "AB\r\n\r\nA \r\n"],
    ["V", records("AB", "", "A ")],
  ] as const) {
    const out = run(toVirtual(options(format, { charset: { table } })), local, [1]);
    t.equal(show(out.file), virtual);
    t.strictSame(run(toLocal(options(format, { charset: { table: back } })), out.file, [3]).file, local);
  }
  t.throws(() => toVirtual(options("U", { charset: { table: Buffer.alloc(255) } })), {
    code: "CYG_FORMAT_OPTIONS",
  });
  t.end();
});

test("options that contradict each other, and charsets that do not exist", (t) => {
  const charset = { local: "latin1", network: "utf-8" };
  const wrong: LocalFile[] = [
    options("F", { lrecl: 0 }),
    options("V", { lrecl: 100_000 }),
    options("V", { lrecl: -1 }),
    options("V", { ftype: "B", lrecl: 0 }),
    options("F", { pad: 256 }),
    options("T", { lineEnd: "NEL" }),
    options("T", { lineEnd: "NEL", charset }),
  ];
  for (const each of wrong) t.throws(() => toVirtual(each), { code: "CYG_FORMAT_OPTIONS" });
  for (const charset of [
    { local: "klingon", network: "utf-8" },
    { local: "utf-8", network: "klingon" },
  ]) {
    t.throws(() => toVirtual(options("T", { charset })), { code: "CYG_FORMAT_CHARSET" });
  }
  t.end();
});

const CHARSETS: [string, string][] = [
  ["utf-8", "latin1"],
  ["utf-8", "ibm037"],
  ["ibm1047", "us-ascii"],
  ["ibm500", "utf-8"],
  ["utf-16le", "utf-8"],
  ["shift_jis", "utf-8"],
  ["gb18030", "utf-8"],
  ["utf-8", "utf-16be"],
  ["cp1252", "cp850"],
  ["ibm273", "ibm1047"],
  ["latin1", "ibm1141"],
  ["latin1", "latin1"],
];

test("local to virtual to local is the same, whatever the format, file type, code, line end, charset and cutting", (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom<Format>("U", "T", "F", "V"),
      fc.constantFrom<LocalFile["ftype"]>("T", "V", "B"),
      fc.constantFrom<LocalFile["fcode"]>("binary", "ascii"),
      fc.constantFrom("LF", "CRLF", "NEL"),
      fc.constantFrom(null, ...CHARSETS),
      fc.array(fc.string({ unit: fc.constantFrom("a", "B", "7", " ", "x", "#"), maxLength: 12 }), {
        maxLength: 8,
      }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      (format, ftype, fcode, end, pair, lines, pieces) => {
        const special =
          pair === null
            ? ""
            : ({ shift_jis: "日本", gb18030: "日😀", "utf-16le": "日😀" }[pair[0]] ??
              (pair[1] === "us-ascii" ? "" : "äß"));
        const byLines = (format === "T" && fcode === "ascii") || (format === "V" && ftype === "T");
        const ebcdic = byLines && pair?.[0].startsWith("ibm") === true;
        const lineEnd = end === "NEL" && !ebcdic ? "LF" : (end as "LF" | "CRLF" | "NEL");
        const charset = pair && { local: pair[0], network: pair[1] };
        const encode = (text: string) => (pair ? iconv.encode(text, pair[0], { addBOM: false }) : utf8(text));
        const contents = lines.map((line, index) => (index % 2 === 0 ? line + special : line));
        const separator = { LF: "\n", CRLF: "\r\n", NEL: "\u0085" }[lineEnd];
        if (pair) checkCharset(pair[0]);
        let local = encode(contents.map((line) => line + separator).join(""));
        if (format === "V" && ftype === "V") {
          local = Buffer.concat(
            contents.map(encode).flatMap((one) => [Buffer.from([one.length >> 8, one.length & 255]), one]),
          );
        }
        // any length will do for cutting; an F file has to fit it
        const lrecl = format === "V" ? (ftype === "B" ? 5 : 200) : format === "F" ? 1 : 0;
        const each: LocalFile = { format, lrecl, ftype, fcode, lineEnd, charset };
        const out = run(toVirtual(each), local, pieces);
        const network = (text: string) =>
          pair ? iconv.encode(text, pair[1], { addBOM: false }) : utf8(text);
        if (format === "T" && fcode === "ascii") {
          if (!out.file.equals(network(contents.map((line) => `${line}\r\n`).join("")))) return false;
        }
        if (format === "U" && ftype !== "V") {
          if (!out.file.equals(network(contents.map((line) => line + separator).join("")))) return false;
        }
        const back = run(toLocal(each), out.file, [...pieces].reverse());
        return (
          back.file.equals(local) &&
          back.records === out.records &&
          back.octets === out.octets &&
          back.longest === out.longest &&
          (format !== "V" || ftype === "B" || out.records === contents.length) &&
          out.file.length === out.octets + (format === "V" ? 4 * out.records : 0)
        );
      },
    ),
    { numRuns: 2000 },
  );
  t.pass("2000 files");
  t.end();
});
