import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { messageReference } from "../../scripts/message-reference.ts";
import { explain, list } from "../../src/cli/explain.ts";
import { type Column, renderTable, tableTarget } from "../../src/cli/table.ts";
import {
  answerText,
  codes,
  diagiOfAnswer,
  diagiOfEsid,
  diagpOfAnswer,
  diagpOfEsid,
  esidText,
  nerpText,
} from "../../src/messages/codes.ts";
import { KINDS, listOf, lookup, written } from "../../src/messages/lookup.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { ANSWERS } from "./transfer-cft.ts";

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
  t.same(missing(DIAGI.split(/\s+/).map((code) => `DIAGI ${code}`)), [], "DIAGI");
  const mnemonics = DIAGP.split(/,\s+/).map((code) => `DIAGP ${code}`);
  t.same(missing(mnemonics), [], "DIAGP");
  t.equal(listOf("HEX").length, 42);
  t.equal(listOf("PKI").length, 18);
  t.same(of("RECOV"), [1, 2, 3, 4, 5, 9, 64, 67, 68, 99, 128]);
  const alerts = [
    0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 90, 100,
  ];
  for (const alert of [...alerts, 110, 111, 112, 113, 114]) t.ok(of("TLS").includes(alert), `TLS ${alert}`);
});

/** DIAGI of Transfer CFT. */
const DIAGI = `0 1 2 3 4 5 6 122 412 415 416 417 418 421 423 424 657 100 101 102 103 104 105 106 107 108 109 110 111 112 113
  114 115 120 121 123 124 126 127 128 129 130 131 132 133 134 135 136 137 138 139 142 145 148 150 152 153 154 155 156 158
  159 160 200 220 221 222 223 224 225 226 230 231 232 233 240 241 243 244 260 261 262 263 264 278 301 302 303 350 351 352
  401 402 403 404 405 406 408 409 410 411 413 414 419 420 425 426 428 430 431 432 433 434 435 436 451 452 453 454 455 456
  457 458 459 460 461 462 463 499 500 600 604 605 610 611 613 614 620 621 626 635 639 660 720 722 730 740 850 904 909 916
  919 920 925 928 930 933 963 970`;

/** DIAGP of Transfer CFT: of its negotiation, of OFTP, general. */
const DIAGP = `CDT, DAT, FMT, IDF, LDT, MSG, PAD, POS, RST, SFI, SSI, VER, ABOI_CD, ABORT_I, CD_ODT, CLOSE_RN, CREA_RN, DSEL_CN,
  END_TFIL, ERR INC, ERR_UFMT, ERRPASSW, EVT, FCON_RN, MSG_RN, MSG_NOAU, NO TURN, NO_FILE, N_REL_I, R_PASSW, SFNA, TFIL,
  VRESID, ABORT, CALL OUT, CATUPDT, COLLECT, CP NONE, CP 45%, DIFFUS, LIST_FI, RECV ALL, MIN CYC, DAY CYC, MON CYC, ERRCOMP,
  ERR LREC, ERR_NCAR, ERR_NREC, ERRPROT, EXAERR, EXARJT, EXATASK, EXIT, FORMAT, HOLD, INACT, INV XFER, LDT_TXT, MALLOC,
  MAXCNX, MAXCV, MAXRETRY, MAXRST, MAXTASK, MAXTRANS, MYSELF, NO AUTH, NO NEW, NO OLD, NO OPEN, NO PARM, NO PART, NO PROT,
  NO XLATE, NOCALL, OPER, OUT TIME, RELEASE, RESTART0, RESTARTF, RTO, SROUT, TIMEOUT, TSK_EXIT, WF RENAM, DUPLICAT, NO EXEC,
  101, 102, 103, 104, 105, 106, 110, 111, 112, 113, 199, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211`;

function missing(asked: readonly string[]): string[] {
  return asked.filter((text) => lookup(text).matches.length !== 1);
}

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
  const more: [number, number][] = [
    [23, 630],
    [77, 904],
  ];
  for (const [reason, diagi] of [...ANSWERS, ...more])
    t.equal(diagiOfAnswer(reason), diagi, `answer ${reason}`);
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
    ["CFTN11E", ["MESSAGE CFTN11E"]],
    ["CFTR19", ["MESSAGE CFTR19E"]],
    ["DIAGP 199", ["DIAGP 199"]],
    ["R 0 2F2", ["TCP 00", "TCP 2F2"]],
    ["diagp l 43 3c3", ["TCP 43", "TCP 3C3"]],
    ["L 09 071", ["TCP 09", "TCP 071"]],
    ["SSI 0205", ["DIAGP SSI", "HEX 0205"]],
    ["102 0402", ["DIAGP 102", "HEX 0402"]],
    ["hex 0a0a", ["HEX 0A0A"]],
    ["PKI 48", ["TLS 48"]],
    ["PKIE 45", ["TLS 45"]],
    ["PKI_ERR_CERT_REVOKED", ["PKI PKI_ERR_CERT_REVOKED"]],
    ["e12s05", ["DIAGP E12S05"]],
    ["alert 48", ["TLS 48"]],
    ["unknown_ca", ["TLS 48"]],
    ["TLS alert unknown ca", ["TLS 48"]],
    ["RECOV 67", ["RECOV 67"]],
    ["cyg_net_bind", ["ERROR CYG_NET_BIND"]],
    ["ERROR CYG_NET_BIND", ["ERROR CYG_NET_BIND"]],
    ["CYG_NET_BOND", []],
    ["L ZZ 999", []],
    ["R03", []],
    ["", []],
  ];
  for (const [text, expected] of rows) {
    const found = lookup(text).matches.map(({ kind, code }) => `${kind} ${code}`);
    t.same(found, expected, JSON.stringify(text));
  }
  for (const meaning of codes) {
    const found = lookup(written(meaning)).matches;
    t.ok(found.includes(meaning), `${written(meaning)} as it is written`);
  }
  t.ok(lookup("CYG_NET_BOND").suggestions.includes("CYG_NET_BIND"));
  t.ok(lookup("CFTT99E").suggestions.includes("CFTT79E"));
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
  const unknown = explain("CFTT99E");
  t.equal(unknown.found, false);
  t.match(unknown.text, /CFTT99E is not known\. Did you mean .*CFTT\d9E/);
  t.match(explain("\u001b[2Jx").text, /\\u001b\[2Jx is not known\. Try a message id/);
  t.same(JSON.parse(JSON.stringify(known.json)).matches[0].code, "CFTT75E");
});

test("explain says of Transfer CFT's other messages why they are not written, and of errors what they are", async (t) => {
  t.match(
    explain("CFTP03F").text,
    /^CFTP03F .*\n {2}means .*does not write.*\n {2}do .*CFTS70E.*cygnet check/,
  );
  t.match(explain("CYG_CATALOG_IN_USE").text, /^CYG_CATALOG_IN_USE\n {2}means .*\n {2}do /);
});

test("explain --list: every kind, every code of it", async (t) => {
  const pipe = { tty: false, width: 80, colour: false };
  const kinds = list("", pipe);
  t.same(kinds.text.split("\n").length, Object.keys(KINDS).length);
  t.match(kinds.text, /^NERP\t29\t/m);
  for (const kind of Object.keys(KINDS)) {
    const { found, text, json } = list(kind.toLowerCase(), pipe);
    t.ok(found, kind);
    t.equal(text.split("\n").length, json.length, `${kind}: one line each`);
    t.ok(json.length > 10, `${kind}: ${json.length} codes`);
  }
  t.match(list("NERP", pipe).text, /^34\tFile processing failed$/m);
  t.same(list("errors", pipe).json, list("CYG", pipe).json, "plural and prefix");
  t.match(list("x\u001b", pipe), { found: false, text: /no kind x\\u001b; known are MESSAGE, DIAGI/ });
});

test("every CYG_ code in the source is explained", async (t) => {
  const source = join(projectRoot(), "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.startsWith(join("messages", "codes")),
  );
  const used = files.flatMap((file) =>
    [...readFileSync(join(source, file), "utf8").matchAll(/"(CYG_[A-Z\d_]*[A-Z\d])"/g)].map(
      (match) => match[1] as string,
    ),
  );
  t.ok(used.length > 100, `${used.length} uses in ${files.length} files`);
  const known = new Set(listOf("ERROR").map(({ code }) => code));
  t.same(
    [...new Set(used)].filter((code) => !known.has(code)),
    [],
    "src/messages/codes/errors has a row for each",
  );
});

test("docs/messages.md is current", async (t) => {
  const page = readFileSync(join(projectRoot(), "docs", "messages.md"), "utf8");
  t.equal(page, messageReference(), '"npm run docs" makes it so');
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
