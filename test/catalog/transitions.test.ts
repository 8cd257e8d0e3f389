/** Operator's commands over every state, against Transfer CFT's table written out by hand. */
import { test } from "tap";
import { ACTIONS, STATES, statesFor, stepsOf, transitionOf } from "../../src/catalog/transitions.ts";

const COLUMNS = [
  "AD",
  "AH",
  "AC",
  "AK",
  "TD",
  "TH",
  "TC",
  "TK",
  "YD",
  "YH",
  "YC",
  "YK",
  "ZD",
  "ZH",
  "ZC",
  "ZK",
  "XX",
];

// what follows in each column; "." = not allowed, "-" = the record goes, "!" = cut first
const EXPECTED: Record<string, string> = {
  //              AD AH AC  AK TD TH TC  TK YD YH YC YK ZD ZH ZC ZK XX
  "halt send": "   AH .  AH! AH TH .  TH! TH YH .  YH! YH .  .  .  .  .",
  "halt recv": "   AH .  AH! AH TH .  TH! TH YH .  YH! YH .  .  .  .  .",
  "keep send": "   AK AK AK! .  TK TK TK! .  YK YK YK! .  ZK ZK ZK! .  .",
  "keep recv": "   AK AK AK! .  TK TK TK! .  YK YK YK! .  ZK ZK ZK! .  .",
  "start send": "  .  AD .   AD TD TD .   TD .  YD .  YD .  .  .  ZH .",
  "start recv": "  .  .  .   .  .  .  .   TH .  YD .  YD .  .  .  ZH .",
  "resume send": " .  .  .   .  .  TH .   .  .  .  .  .  .  .  .  .  .",
  "resume recv": " .  .  .   .  .  .  .   .  .  .  .  .  .  .  .  .  .",
  "submit send": " .  AD .   AD .  .  .   .  YD YD .  YD ZD .  .  ZD XX",
  "submit recv": " .  AD .   AD .  .  .   .  YD YD .  YD ZD .  .  ZD XX",
  "delete send": " -  -  -!  -  -  -  -!  -  -  -  -!  -  -  -  -!  -  -",
  "delete recv": " -  -  -!  -  -  -  -!  -  -  -  -!  -  -  -  -!  -  -",
};

test("every command in every state and direction does what the table says", async (t) => {
  t.same([...COLUMNS].sort(), [...STATES].sort(), "the table has every state");
  t.same(Object.keys(EXPECTED).length, ACTIONS.length * 2, "and every command");
  for (const [name, line] of Object.entries(EXPECTED)) {
    const [action, direct] = name.split(" ") as ["halt", "send"];
    const cells = line.trim().split(/\s+/);
    t.equal(cells.length, COLUMNS.length, name);
    for (const [index, state] of COLUMNS.entries()) {
      const row = transitionOf(action, direct, state);
      const found = row === undefined ? "." : `${row.to === "" ? "-" : row.to}${row.cut ? "!" : ""}`;
      t.equal(found, cells[index], `${name} in ${state}`);
      if (row && row.to !== "") t.same(Object.values(stepsOf(row.to)).join(""), row.to);
    }
    const allowed = COLUMNS.filter((_, index) => cells[index] !== ".");
    t.same(statesFor(action, direct).sort(), allowed.sort(), `${name}: the states that a refusal names`);
  }
});
