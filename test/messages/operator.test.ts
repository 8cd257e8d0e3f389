import { test } from "tap";
import { explain } from "../../src/cli/explain.ts";
import { type Column, renderTable, tableTarget } from "../../src/cli/table.ts";
import {
  answerText,
  codes,
  diagiOfAnswer,
  diagiOfEsid,
  diagpOfAnswer,
  diagpOfEsid,
  esidText,
  lookup,
  nerpText,
} from "../../src/messages/codes.ts";

test("codes: each has a kind, a name, a meaning and advice, and none stands twice", async (t) => {
  t.equal(new Set(codes.map(({ kind, code }) => `${kind} ${code}`)).size, codes.length);
  for (const { kind, code, name, means, action } of codes) {
    t.ok(name.length > 1, `${kind} ${code}: name`);
    t.match(means, /^\S.*\.$/, `${kind} ${code}: meaning`);
    t.match(action, /^\S.*\.$/, `${kind} ${code}: advice`);
  }
});

test("codes: the ranges of RFC 5024 and of Transfer CFT's tables are complete", async (t) => {
  const of = (kind: string): number[] =>
    codes.filter((code) => code.kind === kind && /^\d+$/.test(code.code)).map(({ code }) => Number(code));
  const answers = [1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
  t.same(of("ESID"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99], "ESID, 5.3.18");
  t.same(of("SFNA"), [...answers, 99], "SFNA, 5.3.5");
  t.same(of("EFNA"), [...answers, 21, 22, 23, 99], "EFNA, 5.3.10");
  const nerp = [
    3, 4, 9, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
  ];
  t.same(of("NERP"), [...nerp, 50, 90, 99], "NERP, 5.3.13");
  for (const reason of answers) {
    const negative = codes.find(({ kind, code }) => kind === "NERP" && Number(code) === reason + 10);
    t.ok(negative, `NERP of answer ${reason} is the reason plus 10`);
  }
  t.match(nerpText(32), /decompression/, "NERP 32 and 33 cross EFNA 22 and 23");
  t.match(answerText(22), /decryption/);
  const reported = [
    600, 604, 605, 610, 611, 613, 614, 620, 621, 626, 635, 639, 660, 720, 722, 730, 740, 850, 904, 909,
  ];
  for (const code of [...reported, 916, 919, 920, 925, 928, 930, 933, 963, 970]) {
    t.ok(of("DIAGI").includes(code), `DIAGI ${code}`);
  }
});

test("reasons become text, DIAGI and DIAGP", async (t) => {
  t.equal(esidText(3), "User code not known");
  t.equal(esidText("03"), "User code not known");
  t.equal(esidText(77), "Unspecified Abort code", "unknown ESID reasons count as 99");
  t.equal(answerText("13"), "Duplicate file");
  t.equal(answerText(8), "Unspecified reason");
  t.equal(nerpText(34), "File processing failed");
  t.equal(diagpOfAnswer("02"), "102");
  t.equal(diagpOfAnswer(99), "199");
  t.equal(diagpOfEsid("04"), "204");
  const answers: [number, number][] = [
    [1, 610],
    [2, 909],
    [3, 909],
    [4, 639],
    [5, 626],
    [6, 611],
    [10, 620],
    [11, 620],
    [12, 600],
    [13, 613],
    [14, 904],
    [23, 630],
    [99, 904],
    [77, 904],
  ];
  for (const [reason, diagi] of answers) t.equal(diagiOfAnswer(reason), diagi, `answer ${reason}`);
  const ends: [number, boolean, number][] = [
    [3, false, 909],
    [4, false, 909],
    [5, false, 916],
    [8, false, 916],
    [8, true, 916],
    [9, false, 740],
    [10, false, 720],
    [2, true, 730],
    [99, false, 451],
    [99, true, 730],
  ];
  for (const [reason, inFile, diagi] of ends)
    t.equal(diagiOfEsid(reason, inFile), diagi, `ESID ${reason} ${inFile}`);
  for (const { kind, code } of codes) {
    if (kind !== "EFNA" && kind !== "ESID") continue;
    const diagi = kind === "EFNA" ? diagiOfAnswer(code) : diagiOfEsid(code);
    t.equal(lookup(`DIAGI ${diagi}`).matches.length, 1, `${kind} ${code}: DIAGI ${diagi} can be explained`);
  }
});

test("lookup finds codes however they are written", async (t) => {
  const rows: [string, string[]][] = [
    ["CFTT75E", ["MESSAGE CFTT75E"]],
    ["cftt88i+", ["MESSAGE CFTT88I"]],
    ["CFTN05", ["MESSAGE CFTN05I", "MESSAGE CFTN05W", "MESSAGE CFTN05E"]],
    ["DIAGI 302", ["DIAGI 302"]],
    ["diagi=0302", ["DIAGI 302"]],
    ["302", ["DIAGI 302"]],
    ["ESID 03", ["ESID 03"]],
    ["esid3", ["ESID 03"]],
    ["SFNA 02", ["SFNA 02"]],
    ["EFNA-11", ["EFNA 11"]],
    ["EFNA 22", ["EFNA 22"]],
    ["SFNA 22", []],
    ["nerp:034", ["NERP 34"]],
    ["DIAGP 204", ["DIAGP 204"]],
    ["DIAGI 778", ["DIAGI 778"]],
    ["TLS alert 48", ["TLS 48"]],
    ["rto", ["DIAGP RTO"]],
    ["DIAGP no old", ["DIAGP NO OLD"]],
    ["3", ["DIAGI 3", "ESID 03", "SFNA 03", "EFNA 03", "NERP 03"]],
    ["204", ["DIAGP 204"]],
    ["R03", []],
    ["", []],
  ];
  for (const [text, expected] of rows) {
    const found = lookup(text).matches.map(({ kind, code }) => `${kind} ${code}`);
    t.same(found, expected, JSON.stringify(text));
  }
  t.ok(lookup("CFTT95E").suggestions.includes("CFTT75E"));
  t.ok(lookup("ESID 13").suggestions.includes("ESID 03"));
  t.ok(lookup("998").suggestions.length > 0);
  t.same(lookup("x".repeat(100_000)), { matches: [], suggestions: [] });
});

test("explain says what a code means and what to do, or what was meant", async (t) => {
  const known = explain("CFTT75E");
  t.equal(known.found, true);
  t.match(
    known.text,
    /^CFTT75E {2}Connection to the partner failed\n {2}means .*\n {2}do .*\n {2}carries .*DIAGI/,
  );
  t.match(explain("3").text, /DIAGI 3 [\s\S]*ESID 03 [\s\S]*NERP 03/, "every meaning of a bare number");
  const unknown = explain("CFTT95E");
  t.equal(unknown.found, false);
  t.match(unknown.text, /CFTT95E is not known\. Did you mean .*CFTT75E/);
  t.match(explain("\u001b[2Jx").text, /\\u001b\[2Jx is not known\. Try a message id/);
  t.same(JSON.parse(JSON.stringify(known.json)).matches[0].code, "CFTT75E");
});

interface Row {
  part: string;
  size: number;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    title: "PART",
    value: (row) => row.part,
    shrink: true,
    colour: (row) => (row.size > 100 ? "red" : undefined),
  },
  { title: "SIZE", value: (row) => row.size, align: "right" },
];
const ROWS: readonly Row[] = [
  { part: "A", size: 5 },
  { part: "漢字\n\u001b[31m", size: 123 },
  { part: "A_VERY_LONG_PARTNER_NAME", size: 7 },
];

test("tables fit the terminal, and are plain in a pipe", async (t) => {
  const piped = renderTable(COLUMNS, ROWS, { tty: false, width: 10, colour: false });
  t.equal(piped, "A\t5\n漢字\\n\\u001b[31m\t123\nA_VERY_LONG_PARTNER_NAME\t7");
  const wide = renderTable(COLUMNS, ROWS, { tty: true, width: 80, colour: false }).split("\n");
  t.same(wide, [
    "PART                      SIZE",
    "A                            5",
    "漢字\\n\\u001b[31m           123",
    "A_VERY_LONG_PARTNER_NAME     7",
  ]);
  const narrow = renderTable(COLUMNS, ROWS, { tty: true, width: 16, colour: false }).split("\n");
  t.same(narrow[3], "A_VERY_LO…     7");
  t.equal(narrow[2], "漢字\\n\\u0…   123");
  const coloured = renderTable(COLUMNS, ROWS, { tty: true, width: 80, colour: true });
  t.equal(coloured.split("\u001b[31m").length, 2, "one cell is coloured, and by us");
  t.equal(renderTable(COLUMNS, [], { tty: false, width: 80, colour: false }), "");
  t.same(tableTarget({}), { tty: false, width: 80, colour: false });
  const many = Array.from({ length: 200_000 }, (_, size) => ({ part: "P", size }));
  t.equal(renderTable(COLUMNS, many, { tty: true, width: 80, colour: false }).split("\n").length, 200_001);
});
