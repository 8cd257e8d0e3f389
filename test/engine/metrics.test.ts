/** The tables of the metrics, and what docs and examples say about them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { parse } from "yaml";
import { metricReference } from "../../scripts/metric-reference.ts";
import { type Definition, METRICS, PROCESS_METRICS } from "../../src/engine/metrics/definitions.ts";
import { countedMessages, countsOf } from "../../src/engine/metrics/heard.ts";
import { catalogue } from "../../src/messages/catalogue.ts";
import type { Severity } from "../../src/messages/journal.ts";
import { projectRoot } from "../../src/platform/root.ts";

const doc = (name: string) => readFileSync(join(projectRoot(), "docs", name), "utf8");
const definitions: ReadonlyMap<string, Definition> = new Map(Object.entries(METRICS));

test("what messages count: messages, variables, metrics and labels are those of the tables", async (t) => {
  const counted = new Set<string>();
  for (const id of countedMessages) {
    const message = catalogue.get(id);
    if (message === undefined) {
      t.fail(`${id} is not in the catalogue of messages`);
      continue;
    }
    const given = new Set<string>();
    const values = Object.fromEntries(message.variables.map(({ name }) => [name, "1"]));
    // what only some of these messages carry beside their declared variables
    const variables = new Proxy<Record<string, string>>(
      { diagi: "1", ...values, ...(id === "CFTT53I" ? { text: "selected" } : {}) },
      {
        get: (all, name: string) => {
          given.add(name);
          return all[name];
        },
      },
    );
    const counts = countsOf({ id, severity: id.slice(-1) as Severity, variables });
    t.ok(counts.length > 1, `${id} counts something of its own`);
    for (const { metric, labels = {}, value = 1 } of counts) {
      const definition = definitions.get(metric);
      t.same(
        Object.keys(labels).sort(),
        [...(definition?.labels ?? [])].sort(),
        `${id}: labels of ${metric}`,
      );
      t.ok(Number.isFinite(value), `${id}: ${metric} has a number`);
      t.not(definition?.kind, "gauge", `${id}: ${metric} is counted`);
      counted.add(metric);
    }
    const declared = new Set([...message.variables.map(({ name }) => name), "diagi"]);
    t.same(
      [...given].filter((name) => !declared.has(name)),
      [],
      `${id} carries what is read of it`,
    );
  }
  const elsewhere = [
    "cygnet_connections_accepted_total",
    "cygnet_connections_refused_total",
    "cygnet_lockouts_total",
  ];
  const counters = [...definitions].filter(([, { kind }]) => kind !== "gauge").map(([name]) => name);
  t.same([...counted, ...elsewhere].sort(), counters.sort(), "every counter is counted");
});

test("names, units and help are as Prometheus wants them", async (t) => {
  for (const [name, { kind, help, labels }] of definitions) {
    t.match(name, /^cygnet_[a-z][a-z_]*[a-z]$/);
    t.equal(kind === "counter", name.endsWith("_total"), `${name}: only counters end in _total`);
    t.match(help, /^[A-Z0-9].*\.$/, `${name} has a sentence`);
    for (const label of labels) t.match(label, /^[a-z]+$/);
    t.notMatch(name, /_(ms|minutes|hours|kb|mb|bytes_total_bytes)$/);
  }
});

/** Names of metrics in an expression, without the endings of a histogram. */
function named(expression: string): string[] {
  const names = expression.match(/\b(cygnet|process|nodejs)_[a-z_]+\b/g) ?? [];
  return names.map((name) => (definitions.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "")));
}

const known = (name: string) => definitions.has(name) || name in PROCESS_METRICS;

test("the reference is current, and every metric that docs and examples name exists", async (t) => {
  t.equal(doc("metrics.md"), metricReference(), "npm run docs");
  for (const file of ["monitoring.md", "metrics.md"]) {
    for (const name of named(doc(file))) t.ok(known(name), `${file}: ${name}`);
  }
});

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Brackets and quotes are paired, and operators stand between something. */
function wellFormed(expression: string): boolean {
  const open: string[] = [];
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (bare.replaceAll('""', "").includes('"')) return false;
  for (const sign of bare) {
    if ("([{".includes(sign)) open.push(sign);
    const at = ")]}".indexOf(sign);
    if (at >= 0 && open.pop() !== "([{"[at]) return false;
  }
  return open.length === 0 && !/[=!<>+*/-]\s*$/.test(expression.trim());
}

test("alert rules", async (t) => {
  const { groups } = parse(doc("monitoring/alerts.yml")) as { groups: { name: string; rules: Rule[] }[] };
  const names = new Set<string>();
  for (const { name, rules } of groups) {
    t.match(name, /^cygnet/);
    for (const { alert, expr, for: wait = "0s", labels, annotations, ...rest } of rules) {
      t.same(rest, {}, `${alert}: no unknown key`);
      t.notOk(names.has(alert), `${alert} stands once`);
      names.add(alert);
      t.match(wait, /^\d+[smhd]$/);
      t.ok(wellFormed(expr), `${alert}: ${expr}`);
      t.match(labels, { severity: /^(critical|warning|info)$/ });
      t.match(annotations, { summary: /\S/, description: /\S/ });
      const metrics = named(expr);
      t.ok(metrics.length > 0 || /\bup\b/.test(expr), `${alert} looks at a metric`);
      for (const metric of metrics) t.ok(known(metric), `${alert}: ${metric}`);
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(
        ([, label]) => label ?? "",
      );
      const carried = metrics.flatMap((metric) => [...(definitions.get(metric)?.labels ?? [])]);
      for (const label of used)
        t.ok([...carried, "instance", "job"].includes(label), `${alert}: $labels.${label}`);
    }
  }
  t.ok(names.size >= 10);
});

test("dashboard", async (t) => {
  const { panels, templating, uid, schemaVersion } = JSON.parse(doc("monitoring/dashboard.json"));
  t.match({ uid, schemaVersion }, { uid: "cygnet", schemaVersion: Number });
  const ids = panels.map(({ id }: { id: number }) => id);
  t.equal(new Set(ids).size, ids.length, "panels have ids of their own");
  for (const { title, type, targets = [], gridPos } of panels) {
    t.match(
      { title, type, gridPos },
      { title: /\S/, type: /\S/, gridPos: { x: Number, y: Number, w: Number, h: Number } },
    );
    if (type !== "row") t.ok(targets.length > 0, `${title} shows something`);
    for (const { expr } of targets) {
      t.ok(wellFormed(expr), `${title}: ${expr}`);
      for (const name of named(expr)) t.ok(known(name), `${title}: ${name}`);
    }
  }
  const queries = templating.list.map(({ query }: { query: unknown }) => JSON.stringify(query)).join(" ");
  for (const name of named(queries)) t.ok(known(name), `variable: ${name}`);
});
