/** What is made from the command line and the schemas: manual pages and completion. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { commandManual, leaves } from "../../scripts/package/command-manual.ts";
import { bashCompletion } from "../../scripts/package/completion.ts";
import { configurationManual } from "../../scripts/package/configuration-manual.ts";
import * as roff from "../../scripts/package/roff.ts";
import { program } from "../../src/cli/main.ts";
import { tables } from "../../src/config/schemas.ts";

const MACROS = new Set([
  ".TH",
  ".SH",
  ".SS",
  ".PP",
  ".TP",
  ".IP",
  ".B",
  ".BR",
  ".I",
  ".EX",
  ".EE",
  ".SY",
  ".YS",
]);

test("text is escaped", async (t) => {
  const rows: [string, string][] = [
    ["a\\b", "a\\eb"],
    [".profile", "\\&.profile"],
    ["'quoted'", "\\&'quoted'"],
    ["use --json, -c or a-b", "use \\-\\-json, \\-c or a-b"],
    ["one\n\n  .two", "one\n\\&.two"],
  ];
  for (const [plain, escaped] of rows) t.equal(roff.text(plain), escaped);
  t.equal(roff.bold('say "x"'), '.B "say \\(dqx\\(dq"');
  t.equal(roff.example(["# a", ".b"]), ".PP\n.EX\n\\&  # a\n\\&  .b\n.EE");
});

test("manual pages name every command, option, table and key", async (t) => {
  const commands = commandManual(program(), "2026-11-20");
  const named = (page: string, term: string) => page.includes(`\n${roff.bold(term)}\n`);
  const all = leaves(program());
  t.ok(all.length > 15);
  for (const [name, command] of all) {
    t.ok(commands.includes(`\n.SS "${roff.text(name)}`), name);
    const missing = command.options.filter(({ flags }) => !named(commands, flags)).map(({ flags }) => flags);
    t.same(missing, [], `options of ${name}`);
  }
  const keys = configurationManual("0.1.0", "2026-11-20");
  for (const [name, { properties }] of tables()) {
    t.match(keys, new RegExp(`^\\.SS "\\[+${name}\\]+"$`, "m"), name);
    t.same(
      Object.keys(properties).filter((key) => !named(keys, key)),
      [],
      `keys of ${name}`,
    );
  }
  for (const page of [commands, keys]) {
    const strange = page
      .split("\n")
      .filter((line) => /^[.']/.test(line) && !MACROS.has(line.split(" ")[0] ?? ""));
    t.same(strange, [], "no line is a macro by accident");
    t.notMatch(page, /undefined|\[object/);
  }
});

test("completion knows commands, options, values and files", async (t) => {
  const folder = t.testdir({ "orders.edi": "", "cygnet.toml": "" });
  writeFileSync(join(folder, "completion"), bashCompletion(program()));
  const ask = (...words: string[]) => {
    const script =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
      '. ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cygnet; printf "%s\\n" "${COMPREPLY[@]}"';
    const text = execFileSync("bash", ["-uc", script, "bash", "cygnet", ...words], {
      cwd: folder,
      encoding: "utf8",
    });
    return text.split("\n").filter((word) => word !== "");
  };
  t.same(ask("list"), ["listcat"]);
  t.same(ask("listcat", "--st"), ["--state"]);
  t.same(ask("listcat", "--direct", ""), ["send", "recv"]);
  t.same(ask("listcat", "-p", "listcat", "--dir"), ["--direct"], "a value is not taken for a command");
  t.same(ask("pki", "im"), ["import"]);
  t.same(ask("pki", "tsl", "sh"), ["show"]);
  t.same(ask("check", "--config", "cyg"), ["cygnet.toml"]);
  t.same(ask("send", "--part", ""), [], "nothing is invented where values are not known");
  t.same(ask("send", "ord"), ["orders.edi"]);
  t.same(ask("status", "ord"), [], "no files for a command that takes none");
});
