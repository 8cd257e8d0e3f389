/** cygnet.toml(5), from the schemas of the configuration. */
import { allowed, show } from "../../src/config/schema-problems.ts";
import { complete, type KeySchema, keySchema, tables } from "../../src/config/schemas.ts";
import { example, item, paragraph, section, subsection, text, title } from "./roff.ts";

const EFFECTS: Record<string, string> = {
  now: "A change acts at once.",
  new: "A change acts on the next session or transfer.",
  listen: "A change opens the listener anew; live sessions stay.",
  restart: "A change needs a restart.",
};

/** The page. `date` is YYYY-MM-DD. */
export function configurationManual(version: string, date: string): string {
  return [
    title("CYGNET.TOML", 5, date, version),
    section("Name"),
    text("cygnet.toml - configuration of the Cygnet OFTP2 gateway"),
    section("Synopsis"),
    text("/etc/cygnet/cygnet.toml, /etc/cygnet/partners.d/*.toml"),
    section("Description"),
    text(
      "TOML files with Transfer CFT's objects and keys in lower case. Tables in double brackets may appear many times, in any file; those in single brackets once. The running gateway takes a change over when a file is saved, all of it or nothing.",
    ),
    paragraph(
      'Durations are numbers in the unit of the key, or texts such as "500ms", "90s", "5m", "2h", "30d". Sizes are octets, or texts such as "10MB" (10 million) and "10MiB".',
    ),
    section("Secrets"),
    text("Passwords are references, never written into the configuration itself:"),
    item(
      "file:PATH",
      "The first line of a file, relative to the main file. Read again at each reload. Give it to root and the group cygnet, mode 0640, below /etc/cygnet/secrets.",
    ),
    item(
      "cred:NAME",
      "A credential of the service. Each file FILE of /etc/cygnet/credentials, which root alone can read, is cred:secret_FILE. Others come from LoadCredential= and LoadCredentialEncrypted= of a drop-in. Read when the service starts: a new one needs a restart.",
    ),
    item("env:NAME", "A variable of the gateway's environment."),
    section("Outside tables"),
    keyItem("include", false, keySchema("", "include") ?? {}),
    section("Tables"),
    ...[...tables()].map(([name, schema]) =>
      [
        subsection(schema["x-single"] ? `[${name}]` : `[[${name}]]`),
        text(schema.description),
        ...Object.entries(schema.properties).map(([key, own]) =>
          keyItem(key, schema.required.includes(key), complete(own)),
        ),
      ].join("\n"),
    ),
    section("Example"),
    text("A partner, in a file of its own below /etc/cygnet/partners.d:"),
    example([
      "[[cftpart]]",
      'id      = "SUPPLIER"',
      'prot    = ["OFTPS"]',
      'nrpart  = "O0013THEIRCODE"',
      'nspassw = "file:secrets/supplier.out"',
      'nrpassw = "file:secrets/supplier.in"',
      "",
      "[[cfttcp]]",
      'id   = "SUPPLIER"',
      'host = "oftp.supplier.example"',
    ]),
    section("See also"),
    ".BR cygnet (1)",
    "",
  ].join("\n");
}

function keyItem(key: string, required: boolean, schema: KeySchema): string {
  const meaning = (schema.description ?? "").replace(/ A change [^.]*\.$/, "");
  const effect = EFFECTS[schema["x-reload"] ?? ""] ?? "";
  const fallback = schema["x-default"] ?? (schema.default === undefined ? "none" : show(schema.default));
  const value = `Takes ${allowed(schema)}. ${required ? "Must be given." : `Default: ${fallback}.`}`;
  const given = schema.examples?.[0] === undefined ? "" : `Example: ${key} = ${show(schema.examples[0])}`;
  return item(key, `${meaning} ${effect}`, value, given);
}
