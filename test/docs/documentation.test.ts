/** What the pages say must be so: links lead somewhere, commands, keys, codes and files exist, examples are valid. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Command } from "commander";
import { test } from "tap";
import { parse } from "toml";
import { program } from "../../src/cli/main.ts";
import { load } from "../../src/config/load.ts";
import { keySchema, tables, validate } from "../../src/config/schemas.ts";
import { METRICS } from "../../src/engine/metrics/definitions.ts";
import { lookup } from "../../src/messages/lookup.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { ACME, certificate, ENVIRONMENT, folder, MAIN, TODAY, write } from "../config/site.ts";
import { type Page, pages, readPage } from "./pages.ts";

const root = projectRoot();
const all = pages();
/** Generated from what they speak of; the tests of their rooms compare them with it. */
const GENERATED = ["docs/configuration.md", "docs/messages.md", "docs/metrics.md"];
const written = all.filter(({ path }) => !GENERATED.includes(path));
const pageOf = (path: string) => all.find((page) => page.path === path) as Page;

test("every link leads to a file that is there, and to a heading of it", (t) => {
  const dead: string[] = [];
  let followed = 0;
  for (const { path, links } of all) {
    for (const { target, line } of links) {
      if (/^[a-z]+:/.test(target)) continue;
      followed += 1;
      const [file = "", anchor] = target.split("#");
      const place = file === "" ? path : normalize(join(dirname(path), file));
      const page = place.endsWith(".md") ? all.find((each) => each.path === place) : undefined;
      const there = existsSync(join(root, place)) && (anchor === undefined || page?.anchors.has(anchor));
      if (!there) dead.push(`${path}:${line}: ${target}`);
    }
  }
  t.same(dead, []);
  t.ok(followed > 100, `${followed} links`);
  t.end();
});

test("the README leads to every page, the index to every decision, and their numbers are their own", (t) => {
  const targets = (page: Page) =>
    page.links.map(({ target }) => normalize(join(dirname(page.path), target.split("#")[0] as string)));
  const pagesOfDocs = globSync("docs/*.md", { cwd: root });
  const linked = new Set(targets(pageOf("README.md")));
  t.same(
    pagesOfDocs.filter((path) => !linked.has(path)),
    [],
    "README.md",
  );
  const records = globSync("docs/decisions/[0-9]*.md", { cwd: root }).sort();
  t.same(targets(pageOf("docs/decisions/README.md")).sort(), records, "docs/decisions/README.md, each once");
  const numbers = records.map((path) => path.slice("docs/decisions/".length, "docs/decisions/".length + 4));
  t.equal(new Set(numbers).size, numbers.length, "numbers");
  for (const [index, path] of records.entries()) {
    const title = readFileSync(join(root, path), "utf8").split("\n", 1)[0] as string;
    t.match(title, new RegExp(`^# ${numbers[index]} \\S`), `${path}: its title begins with its number`);
  }
  t.end();
});

/** What is wrong with the words of a command, from `cygnet` on. */
function faultOf(words: readonly string[]): string | undefined {
  let command: Command = program();
  const rest = words.slice(1);
  if (/^[^a-z-]/.test(rest[0] ?? "")) return undefined; // cygnet <command>, cygnet …
  while (command.commands.length > 0 && /^[a-z]/.test(rest[0] ?? "")) {
    const name = rest.shift() as string;
    const below = command.commands.find((each) => each.name() === name);
    if (below === undefined) return name === "help" ? undefined : `no command "${name}"`;
    command = below;
  }
  for (const [index, word] of rest.entries()) {
    const [flag = "", inline] = word.split("=");
    if (!/^--?[a-z]/.test(flag) || ["--help", "--version"].includes(flag)) continue;
    const option = command.options.find(({ long, short }) => long === flag || short === flag);
    if (option === undefined) return `${command.name()} has no option ${flag}`;
    const value = inline ?? rest[index + 1];
    if (option.argChoices && value !== undefined && !option.argChoices.includes(value))
      return `${flag} does not take ${value}`;
  }
  return undefined;
}

/** Commands of an example: from `cygnet` to what is no part of it any more. */
function commandsOf(text: string): string[] {
  const joined = text.replace(/\\\n/g, " ");
  return joined.split("\n").flatMap((line) => {
    const start = /^\s*(?:\$ )?(?:sudo )?(?:npm run -s )?(cygnet (?:-- )?.*)$/.exec(line)?.[1];
    return start ? [start.replace("cygnet -- ", "cygnet ")] : [];
  });
}

/** Words as a shell cuts them, up to a comment, a pipe, or an explanation behind three blanks. */
function wordsOf(command: string): string[] {
  const [own = ""] = command.split(/ {3,}(?=[^-\s])|\s#\s?|\s?[|;&>]/);
  return (own.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^["'[]|["'\].,:]$/g, ""));
}

test("every command that is shown exists, with its options and their words", (t) => {
  const faults: string[] = [];
  let seen = 0;
  const commands = program().commands.map((each) => each.name());
  for (const { path, fences, spans } of written) {
    const shown = [
      ...fences
        .filter(({ language }) => ["", "sh"].includes(language))
        .flatMap(({ text, line }) => commandsOf(text).map((command) => ({ command, line }))),
      ...spans.flatMap(({ text, line }) => {
        const first = /^([a-z-]+) [^=]/.exec(text)?.[1] ?? "";
        if (first !== "cygnet" && !commands.includes(first)) return [];
        return [{ command: first === "cygnet" ? text : `cygnet ${text}`, line }];
      }),
    ];
    for (const { command, line } of shown) {
      seen += 1;
      const fault = faultOf(wordsOf(command));
      if (fault) faults.push(`${path}:${line}: ${command}: ${fault}`);
    }
  }
  t.same(faults, []);
  t.ok(seen > 150, `${seen} commands`);
  const scripts = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts);
  const texts = all.map(({ path }) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  const run = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/npm run (?:-s )?([a-z:]+)/g)].map(([, name = ""]) => ({ path, name })),
  );
  t.same(
    run.filter(({ name }) => !scripts.includes(name)),
    [],
    "scripts of package.json",
  );
  const table = pageOf("README.md").spans.map(({ text }) => text.split(" ")[0]);
  t.same(
    commands.filter((name) => !table.includes(name)),
    [],
    "README.md names every command",
  );
  t.end();
});

/** Whether some table takes this line of a configuration, its value included. */
function isTaken(line: string): boolean {
  let value: Record<string, unknown>;
  try {
    value = parse(line) as Record<string, unknown>;
  } catch {
    return false;
  }
  const key = Object.keys(value)[0] as string;
  return [...tables()]
    .filter(([table]) => keySchema(table, key) !== undefined)
    .some(([table, schema]) => {
      // a copy: what is missing gets its default
      const row = { ...value };
      const faults = validate({ [table]: schema["x-single"] ? row : [row] });
      return faults.every(({ keyword }) => keyword === "required");
    });
}

test("every table, key, message, code, metric and file that a sentence names exists", (t) => {
  const files = globSync("{bench,docs,etc,image,package,schemas,scripts,src,systemd,test}/**", { cwd: root });
  const metrics = new Set(Object.keys(METRICS));
  const checks: readonly (readonly [RegExp, (parts: readonly string[], whole: string) => boolean])[] = [
    [/^\[{1,2}([a-z]+)\]{1,2}$/, ([table = ""]) => table === "include" || tables().has(table)],
    [
      /^\[{0,2}([a-z]+)(?:\.|\]{1,2} )([a-z_]+)$/,
      ([table = "", key = ""]) => !tables().has(table) || keySchema(table, key) !== undefined,
    ],
    [/^([a-z_]+) = (?!.*…)\S.*$/, (_, whole) => isTaken(whole)],
    [/^(CFT[A-Z]\d\d[A-Z])$/, ([id = ""]) => lookup(id).matches.length > 0],
    [/^(CYG_[A-Z_]+[A-Z])$/, ([code = ""]) => lookup(code).matches.length > 0],
    [/^(cygnet_[a-z_]+)$/, ([metric = ""]) => metrics.has(metric)],
    [
      /^([\w./-]+\.(?:ts|mjs|wat|md))$/,
      ([name = ""]) => existsSync(join(root, name)) || files.some((file) => `/${file}`.endsWith(`/${name}`)),
    ],
    [
      /^((?:src|test|scripts|schemas|docs|bench|image|systemd|package)\/[\w./-]*)$/,
      ([path = ""]) => existsSync(join(root, path)),
    ],
  ];
  const faults: string[] = [];
  let seen = 0;
  for (const { path, spans } of written) {
    for (const { text, line } of spans) {
      for (const [form, holds] of checks) {
        const parts = form.exec(text);
        if (parts === null) continue;
        seen += 1;
        if (!holds(parts.slice(1), text)) faults.push(`${path}:${line}: ${text}`);
      }
    }
  }
  t.same(faults, []);
  t.ok(seen > 400, `${seen} names`);
  t.end();
});

test("every address of the API that is shown exists", (t) => {
  const { paths } = JSON.parse(readFileSync(join(root, "docs/openapi.json"), "utf8"));
  const forms = Object.keys(paths).map((path) => new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`));
  const shown = written.flatMap(({ path: page, fences, spans }) => [
    ...fences.flatMap(({ text, line }) =>
      [
        ...text.matchAll(
          /\$api(\/[\w./%-]+)|https?:\/\/[\w.:]+(\/(?:v1\/|metrics|healthz|readyz)[\w./%-]*)/g,
        ),
      ].map(([, below, whole = `/v1${below}`]) => ({ address: whole, place: `${page}:${line}` })),
    ),
    ...spans.flatMap(({ text, line }) => {
      const address = /^(?:(?:GET|POST|PUT) )?(\/(?:v1\/|metrics|healthz|readyz)[\w./{}-]*)/.exec(text)?.[1];
      return address === undefined ? [] : [{ address, place: `${page}:${line}` }];
    }),
  ]);
  t.same(
    shown.filter(({ address }) => !forms.some((form) => form.test(address))),
    [],
  );
  t.ok(shown.length > 20, `${shown.length} addresses`);
  t.end();
});

test("every example of a configuration is one, or a part of one", async (t) => {
  const { pem, key } = await certificate();
  // a site with the partners that the examples name, and none of their flows
  const base = `${MAIN.replace('[[cftsend]]\nid = "INVOIC"\n', "")}[[cftpart]]\nid = "GLOBEX"\nprot = ["OFTP"]\n`;
  let seen = 0;
  for (const { path, fences } of written) {
    for (const { text, line } of fences.filter(({ language }) => language === "toml")) {
      seen += 1;
      const title = `${path}:${line}`;
      const tree = parse(text) as Record<string, unknown>;
      const whole = "cftparm" in tree && "cftnet" in tree;
      // [cftparm] alone is a part: the rest of it stands elsewhere
      const faults = validate(tree).filter(
        ({ instancePath, keyword }) => whole || instancePath !== "/cftparm" || keyword !== "required",
      );
      t.same(
        faults.map(({ instancePath, message }) => `${instancePath}: ${message}`),
        [],
        title,
      );
      // those of the manual of operation also fit into a site
      if (path !== "docs/operation.md") continue;
      const site = folder();
      write(site.path, {
        "cygnet.toml": whole ? text : `${base}${text}`,
        ...(whole ? {} : { "partners.d/acme.toml": ACME, "pki/hub.pem": pem, "pki/hub.key": key }),
      });
      const result = await load(join(site.path, "cygnet.toml"), { environment: ENVIRONMENT, now: TODAY });
      t.same("problems" in result ? result.problems : [], [], `${title}: in a site`);
      site.remove();
    }
  }
  t.ok(seen >= 20, `${seen} examples`);
});

test("a page that says something wrong is noticed", (t) => {
  const words = (command: string) => faultOf(wordsOf(command));
  t.equal(words("cygnet lstcat --state H"), 'no command "lstcat"');
  t.equal(words("cygnet listcat --stat H"), "listcat has no option --stat");
  t.equal(words("cygnet listcat --state Q"), "--state does not take Q");
  t.equal(words("cygnet pki exchang request"), 'no command "exchang"');
  t.equal(words("cygnet log -f --level W   # follow"), undefined);
  t.same(commandsOf("$ npm run -s cygnet -- check \\\n  --plan\n"), ["cygnet check    --plan"]);
  const { links, anchors, spans, fences } = readPage("docs/api.md");
  t.ok(
    links.length > 0 && anchors.has("turning-it-on") && spans.length > 50 && fences.length > 5,
    "a page is read",
  );
  t.end();
});
