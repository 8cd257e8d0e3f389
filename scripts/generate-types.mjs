// Generates TypeScript types from schemas/: node scripts/generate-types.mjs src/config/generated.ts
// The types describe the configuration after validation: a key with a default is always there.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const output = process.argv[2];
if (!output) {
  console.error("usage: generate-types.mjs OUTPUT.ts");
  process.exit(2);
}
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "schemas");
const schemas = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith(".schema.json"))
    .map((name) => [name, JSON.parse(readFileSync(join(folder, name), "utf8"))]),
);
const shared = schemas.get("defs.schema.json").$defs;

/** A copy with shared shapes put in place, tables referred to by name, and defaulted keys required. */
function bundle(node) {
  if (Array.isArray(node)) return node.map(bundle);
  if (typeof node !== "object" || node === null) return node;
  const { $ref, $id, $schema, ...rest } = node;
  const copy = Object.fromEntries(
    Object.entries(rest)
      .filter(([name]) => name !== "examples" && name !== "default" && !name.startsWith("x-"))
      .map(([name, value]) => [name, name === "properties" ? each(value) : bundle(value)]),
  );
  if (rest.properties) {
    const defaulted = Object.keys(rest.properties).filter((name) => "default" in rest.properties[name]);
    copy.required = [...new Set([...(rest.required ?? []), ...defaulted])];
  }
  if (!$ref) return copy;
  const [file, shape] = $ref.split("#/$defs/");
  if (shape) return { ...bundle(shared[shape]), ...copy };
  return { $ref: `#/definitions/${schemas.get(file).title}` };
}

/** A map of properties: its keys are names from the configuration, not words of the schema language. */
function each(properties) {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, bundle(value)]));
}

const root = bundle(schemas.get("cygnet.schema.json"));
root.definitions = Object.fromEntries(
  [...schemas]
    .filter(([name]) => name !== "defs.schema.json" && name !== "cygnet.schema.json")
    .map(([, schema]) => [schema.title, bundle(schema)]),
);
const banner = "// Generated from schemas/ by scripts/generate-types.mjs: do not edit.";
const types = await compile(root, "Cygnet", {
  bannerComment: banner,
  additionalProperties: false,
  ignoreMinAndMaxItems: true,
  cwd: folder,
});
writeFileSync(output, types);
