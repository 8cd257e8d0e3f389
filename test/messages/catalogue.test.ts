import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { test } from "tap";
import { catalogue, messages } from "../../src/messages/catalogue.ts";
import { escapeControls, unescapeControls } from "../../src/messages/escape.ts";
import { absentMessages } from "../../src/messages/families/absent.ts";
import type { Severity } from "../../src/messages/journal.ts";
import { inlineNames, type Layout, render } from "../../src/messages/layout.ts";
import type { Message } from "../../src/messages/message.ts";
import { matches, parseLine } from "../../src/messages/reader.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { ABSENT, WRITTEN } from "./transfer-cft.ts";

/** Ids of our own that other rooms count on. */
const OWN = `
  CFTH70W CFTH71W CFTH72W CFTH73I CFTH74W CFTH75T CFTH75I CFTH76W CFTH77E CFTH78W CFTH79E CFTH97E CFTH98W CFTH99I CFTH99W
  CFTC70E CFTS70E CFTS75I CFTS76W CFTS77E CFTR70W CFTR71W`;

const LAYOUTS: readonly Layout[] = ["V23", "V24", "json"];
const TIME = new Date(2026, 10, 20, 9, 14, 5, 120).getTime();
/** Variables that layout V23 cuts to 8 characters. */
const CUT = ["part", "npart", "idf", "idm", "prot", "net", "ssl", "id", "list", "object", "user"];

// biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

/** What variables may hold: in every position of every message. */
const VALUES: readonly [string, string][] = [
  ["a word", "value"],
  ["a long identifier", "IDENTIFIER_LONGER_THAN_8"],
  ["a sentence", "no route to host, tried 3 times"],
  ["line ends", "one\ntwo\r\nthree\u2028four\u0085five"],
  ["a forged line", "x\n2026-11-20 09:14:05.120 CFTT58I Transfer complete <IDTU=00000001 PART=EVIL>"],
  ["a forged block", "x <IDTU=00000001 PART=EVIL>"],
  ["quotes and backslashes", 'C:\\new\\"table" \\u0041 PART=EVIL'],
  ["terminal commands", "\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnp.exe"],
  ["beyond ASCII", "Grüße 漢字 🦢 \ud800 half"],
  ["nothing but a quote", '"'],
  ["a number of octets", "99999999999999999999"],
];

function fill(message: Message, value: string): Record<string, string> {
  return Object.fromEntries(message.variables.map(({ name }) => [name, value]));
}

test("catalogue: every message is there once and complete", async (t) => {
  for (const id of OWN.trim().split(/\s+/)) t.ok(catalogue.has(id), `${id} is in the catalogue`);
  t.equal(catalogue.size, messages.length, "no id stands twice");
  for (const row of messages) {
    t.match(row.id, /^CFT[A-Z]\d\d[TIWEF]$/, `${row.id} is an id`);
    t.equal(row.severity, row.id.at(-1), `${row.id}: severity is the letter`);
    const names = row.variables.map(({ name }) => name);
    t.equal(new Set(names).size, names.length, `${row.id}: no variable twice`);
    t.ok(
      names.every((name) => /^[a-z][a-z0-9]*$/.test(name)),
      `${row.id}: names are lower case`,
    );
    t.ok(
      inlineNames(row.text).every((name) => names.includes(name)),
      `${row.id}: text uses its own variables`,
    );
    t.match(row.text, /^[A-Z]/, `${row.id}: text begins with a word`);
    t.match(row.means, /^\S.*\.$/, `${row.id}: has an explanation`);
    t.match(row.action, /^\S.*\.$/, `${row.id}: says what to do`);
    t.notOk(
      names.some((name) => /passw|secret|private|pin$/.test(name)),
      `${row.id}: has no place for a secret`,
    );
  }
});

/** The rows of Transfer CFT's table: its id, whether it has the key block, its variables in order. */
function transferCft(): { id: string; keyed: boolean; names: string[] }[] {
  return WRITTEN.trim()
    .split("\n")
    .flatMap((line) => {
      const words = line.split(" ");
      const ids = words.filter((word) => word.startsWith("CFT"));
      const rest = words.slice(ids.length);
      const names = rest.flatMap((name) => (name === "K" ? ["part", "idf", "idt"] : [name]));
      return ids.map((id) => ({ id, keyed: rest.includes("K"), names }));
    });
}

test("catalogue: Transfer CFT's messages carry its variables in its order, in both layouts", async (t) => {
  const rows = transferCft();
  for (const { id, keyed, names } of rows) {
    const message = catalogue.get(id);
    if (message === undefined) {
      t.fail(`${id} is in the catalogue`);
      continue;
    }
    const own = message.variables.map(({ name }) => name);
    t.same(
      own.filter((name) => names.includes(name) && !inlineNames(message.text).includes(name)),
      names.filter((name) => !inlineNames(message.text).includes(name)),
      `${id}: order`,
    );
    const variables = Object.fromEntries(own.map((name) => [name, `${name}-of-many-letters`]));
    const event = { time: TIME, message, variables };
    const beside = own.filter((name) => !inlineNames(message.text).includes(name));
    const long = beside.map((name) => `${name.toUpperCase()}=${name}-of-many-letters`);
    const text = message.text.replace(/\{(\w+)\}/g, "$1-of-many-letters");
    const block = long.length === 0 ? "" : ` <${long.join(" ")}>`;
    t.equal(render(event, "V24"), `2026-11-20 09:14:05.120 ${id} ${text}${block}`);
    if (keyed)
      t.match(block, /^ <(\w+=\S+ )*IDTU=idtu-of-many-letters PART=/, `${id}: IDTU before the key block`);
    const short = beside
      .filter((name) => name !== "idtu")
      .map((name) => {
        const value = `${name}-of-many-letters`;
        return `${name.toUpperCase()}=${CUT.includes(name) ? value.slice(0, 8) : value}`;
      });
    t.equal(render(event, "V23"), ["2026-11-20 09:14:05.120", id, ...short, text].join(" "));
  }
  const theirs = new Set(rows.map(({ id }) => id));
  t.equal(theirs.size, rows.length, "no row stands twice");
  const ours = messages.filter(({ id }) => !theirs.has(id));
  for (const { id } of ours)
    t.match(id, /^CFT[A-Z][789]\d/, `${id} is ours: its number is free in Transfer CFT`);
});

test("catalogue: what Transfer CFT would say and this gateway does not is told apart", async (t) => {
  const absent = absentMessages.flatMap(([ids]) => ids.split(" "));
  t.equal(new Set(absent).size, absent.length, "no id stands twice");
  for (const id of absent) {
    t.match(id, /^CFT[A-Z]\d\d[IWEF]$/);
    t.notOk(catalogue.has(id), `${id} is not also written`);
  }
  for (const id of ABSENT.trim().split(/\s+/)) t.ok(absent.includes(id), `${id} is explained`);
  for (const [, , , action] of absentMessages) {
    for (const [id] of action.matchAll(/CFT[A-Z]\d\d[A-Z]/g))
      t.ok(catalogue.has(id), `${id} is written instead`);
  }
});

test("catalogue: every message is written somewhere: what is never written is absent", async (t) => {
  const source = join(projectRoot(), "src");
  const names = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const code = names.filter((name) => !/^messages\/(families|codes|events)/.test(name));
  const texts = await Promise.all(code.map((name) => readFile(join(source, name), "utf8")));
  const written = new Set(texts.flatMap((text) => text.match(/CFT[A-Z]\d\d[IWEFT]/g) ?? []));
  for (const { id } of messages) t.ok(written.has(id), `${id} is written`);
});

for (const layout of LAYOUTS) {
  test(`layout ${layout}: every message is one harmless line and parses back, whatever its variables hold`, async (t) => {
    for (const row of messages) {
      const wrong: unknown[] = [];
      for (const [what, value] of VALUES) {
        const variables = fill(row, value);
        const line = render({ time: TIME, message: row, variables }, layout);
        if (HARMFUL.test(line)) wrong.push({ what, line });
        const expected = { ...variables };
        if (layout === "V23") {
          delete expected.idtu;
          const cut = row.variables.filter(
            ({ name }) => CUT.includes(name) && !row.text.includes(`{${name}}`),
          );
          for (const { name } of cut) expected[name] = value.slice(0, 8);
        }
        const entry = parseLine(line);
        const same =
          entry?.id === row.id &&
          entry.severity === row.severity &&
          entry.time === TIME &&
          isDeepStrictEqual(entry.variables, expected);
        if (!same) wrong.push({ what, line, read: entry?.variables });
      }
      t.same(wrong, [], row.id);
    }
  });
}

test("layouts look as documented", async (t) => {
  const message = catalogue.get("CFTT57I") as Message;
  const variables = {
    idtu: "00000042",
    part: "PARTNER_PARIS",
    idf: "INVOICE",
    ids: 7,
    role: "SSL requester",
  };
  const event = { time: TIME, message, variables };
  const head = "2026-11-20 09:14:05.120 CFTT57I";
  t.equal(
    render(event, "V24"),
    `${head} Transfer started as SSL requester <IDTU=00000042 PART=PARTNER_PARIS IDF=INVOICE IDS=7>`,
  );
  t.equal(render(event, "V23"), `${head} PART=PARTNER_ IDF=INVOICE IDS=7 Transfer started as SSL requester`);
  t.same(JSON.parse(render(event, "json")), {
    time: new Date(TIME).toISOString(),
    level: "I",
    id: "CFTT57I",
    text: "Transfer started as SSL requester",
    variables,
  });
  const lost = catalogue.get("CFTH10E") as Message;
  t.equal(
    render({ time: TIME, message: lost, variables: { part: "P", extra: 5n, host: undefined } }, "V24"),
    "2026-11-20 09:14:05.120 CFTH10E Outgoing call failed <PART=P EXTRA=5>",
    "absent optional variables leave no trace, unforeseen ones are kept",
  );
  t.match(
    render({ time: TIME, message, variables: {} }, "V24"),
    /Transfer started as <IDTU="" PART="" IDF="" IDS="">$/,
    "missing variables are shown as empty",
  );
});

test("reader: what is none of ours gives null; filters", async (t) => {
  const foreign = [
    "",
    "hello",
    "{",
    "{}",
    '{"id":1}',
    "null",
    "[]",
    '{"time":"x","id":"y","text":"z","level":"Q"}',
  ];
  for (const line of [...foreign, "2026-11-20 09:14:05 CFTT57I x", "09:14:05.120 CFTT57I x"]) {
    t.equal(parseLine(line), null, JSON.stringify(line));
  }
  const message = catalogue.get("CFTT71E") as Message;
  const variables = { idtu: "00000042", part: "PARTNER_PARIS", idf: "I", diagi: 909 };
  const rows: [Layout, Parameters<typeof matches>[1], boolean][] = [
    ["V24", {}, true],
    ["V24", { level: "W" }, true],
    ["V24", { level: "F" }, false],
    ["V24", { part: "PARTNER_PARIS", idtu: "00000042" }, true],
    ["V24", { part: "PARTNER_" }, false],
    ["V24", { idtu: "00000043" }, false],
    ["V23", { part: "PARTNER_PARIS" }, true],
    ["V23", { part: "PARTNER" }, false],
    ["V23", { idtu: "00000042" }, false],
    ["json", { part: "PARTNER_PARIS", idtu: "00000042", level: "E" as Severity }, true],
    ["json", { part: "OTHER" }, false],
  ];
  for (const [layout, filter, expected] of rows) {
    const entry = parseLine(render({ time: TIME, message, variables }, layout));
    t.equal(entry && matches(entry, filter), expected, `${layout} ${JSON.stringify(filter)}`);
  }
});

test("escaping loses nothing", async (t) => {
  for (const [what, value] of VALUES) t.equal(unescapeControls(escapeControls(value)), value, what);
});
