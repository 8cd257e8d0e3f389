import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "tap";
import { wildmat } from "../../src/platform/wildmat.ts";
import { datasetName, safeName, suffixedName } from "../../src/spool/names.ts";

const DANGEROUS = [
  "/",
  "\\",
  "\0",
  ".",
  "..",
  "%",
  "%2F",
  " ",
  "\u202e",
  "con",
  "nul.",
  "ü",
  "😀",
  "\ud800",
  "\n",
  "~",
];
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc
    .array(fc.oneof(fc.constantFrom(...DANGEROUS), fc.string({ maxLength: 5 })))
    .map((parts) => parts.join("")),
);

test("safeName: what a partner may send, and what becomes of it", (t) => {
  const rows: [string, string][] = [
    ["INVOIC.EDI", "INVOIC.EDI"],
    ["Zeichnung Türgriff v3.CATPart", "Zeichnung Türgriff v3.CATPart"],
    ["", "unnamed"],
    [".", "%2E"],
    ["..", "%2E%2E"],
    ["../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"],
    ["/etc/passwd", "%2Fetc%2Fpasswd"],
    ["..\\..\\boot.ini", "%2E.%5C..%5Cboot.ini"],
    ["C:\\x", "C%3A%5Cx"],
    ["a\0b", "a%00b"],
    ["a\r\nb", "a%0D%0Ab"],
    [".hidden", "%2Ehidden"],
    ["a.", "a%2E"],
    ["a ", "a%20"],
    ["con", "%63on"],
    ["NUL.txt", "%4EUL.txt"],
    ["COM1", "%43OM1"],
    ["CONTRACT.txt", "CONTRACT.txt"],
    ["100%", "100%"],
    ["a%2Fb", "a%252Fb"],
    ["txt.\u202eexe", "txt.%E2%80%AEexe"],
    ["what?*", "what%3F%2A"],
  ];
  for (const [text, name] of rows) t.equal(safeName(text), name, JSON.stringify(text));
  const long = safeName(`${"ü".repeat(300)}.edifact`);
  t.match(long, /^ü+~[0-9a-f]{12}\.edifact$/);
  t.ok(Buffer.byteLength(long) <= 200 && Buffer.byteLength(long) >= 198);
  t.not(long, safeName(`${"ü".repeat(301)}.edifact`));
  t.end();
});

test("safeName is one component that stays in its directory, for any text; different texts stay different", (t) => {
  const dir = t.testdir({ in: {} });
  fc.assert(
    fc.property(anyText, anyText, (text, other) => {
      const name = safeName(text);
      if (!/^(?!\.)[^/\\\p{Cc}]*[^/\\\p{Cc}. ]$/u.test(name))
        throw new Error(`unsafe: ${JSON.stringify(name)}`);
      if (Buffer.byteLength(name) > 200 || Buffer.byteLength(suffixedName(name, "00000001-2")) > 255) {
        throw new Error("too long");
      }
      if (
        text.toWellFormed() !== other.toWellFormed() &&
        text !== "" &&
        other !== "" &&
        name === safeName(other)
      ) {
        throw new Error("collision");
      }
    }),
    { numRuns: 3000 },
  );
  const names = fc.sample(anyText, 300).map(safeName);
  for (const name of names) writeFileSync(join(dir, "in", name), "");
  t.same(readdirSync(join(dir, "in")).sort(), [...new Set(names)].sort(), "real files, all inside");
  t.same(readdirSync(dir), ["in"]);
  t.notOk(existsSync(join(dir, "..", "etc")));
  t.end();
});

test("suffixedName keeps the extension, and stays within 255 octets", (t) => {
  t.equal(suffixedName("a.txt", "2"), "a~2.txt");
  t.equal(suffixedName("a", "2"), "a~2");
  t.equal(suffixedName("a.tar.gz", "9"), "a.tar~9.gz");
  t.equal(suffixedName(".profile", "2"), ".profile~2");
  t.equal(Buffer.byteLength(suffixedName(`${"x".repeat(251)}.txt`, "00000001")), 255);
  t.end();
});

test("datasetName: legal SFIDDSN (1 to 26 characters of 0-9 A-Z & ( ) - . /) for any local name", (t) => {
  const rows: [string, string][] = [
    ["invoice.edi", "INVOICE.EDI"],
    ["Zeichnung Türgriff.dxf", "ZEICHNUNG-TURGRIFF.DXF"],
    ["Straße_1.txt", "STRASSE-1.TXT"],
    ["a&b(c)-d.e/f", "A&B(C)-D.E/F"],
    ["", "UNNAMED"],
    ["日本", "--"],
    ["ABCDEFGHIJKLMNOPQRSTUV.TXT", "ABCDEFGHIJKLMNOPQRSTUV.TXT"],
  ];
  for (const [text, name] of rows) t.equal(datasetName(text), name, text);
  const long = datasetName("a-very-long-name-of-a-drawing.CATPart");
  t.match(long, /^A-VERY-LONG-NAME-OF-[0-9A-Z-]{6}/);
  t.not(long, datasetName("a-very-long-name-of-a-drawinh.CATPart"), "the tail tells long names apart");
  t.match(datasetName("drawing-of-a-very-long-name.step"), /^DRAWING-OF-A-V-[0-9A-Z]{6}\.STEP$/);
  const used = new Set<string>();
  for (let at = 0; at < 120; at += 1)
    used.add(datasetName("ABCDEFGHIJKLMNOPQRSTUV.TXT", (name) => used.has(name)));
  t.equal(used.size, 120);
  t.ok(used.has("ABCDEFGHIJKLMNOPQRST-2.TXT"));
  fc.assert(
    fc.property(anyText, fc.nat(150), (text, taken) => {
      let asked = 0;
      const name = datasetName(text, () => asked++ < taken);
      if (!/^[0-9A-Z&()\-./]{1,26}$/.test(name)) throw new Error(`illegal: ${JSON.stringify(name)}`);
    }),
    { numRuns: 2000 },
  );
  t.end();
});

test("wildmat", (t) => {
  const rows: [string, string, boolean][] = [
    ["*", "", true],
    ["*.edi", "a.edi", true],
    ["*.edi", "a.EDI", false],
    ["*.edi", "a.edi.bak", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["?", "😀", true],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[^a-c]x", "dx", true],
    ["[]-]x", "]x", true],
    ["[a-]x", "-x", true],
    ["[x", "[x", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "aXbYbZ", false],
    ["", "a", false],
    ["(a|b).+", "(a|b).+", true],
  ];
  for (const [pattern, name, expected] of rows)
    t.equal(wildmat(pattern, name), expected, `${pattern} ${name}`);
  const started = performance.now();
  t.equal(wildmat("*a".repeat(50), "a".repeat(5000).concat("b")), false);
  t.ok(performance.now() - started < 1000, "no pattern makes it slow");
  t.end();
});
