/** `cygnet partner import` and `export`: Odette datasheets (PDX) to a partner's configuration, and back. */
import { randomUUID } from "node:crypto";
import { access, mkdir, open, readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { load } from "../config/load.ts";
import type { Configuration } from "../config/model.ts";
import { formatProblem } from "../config/problem.ts";
import type { Datasheet } from "../datasheet/datasheet.ts";
import { datasheetOfPartner, datasheetOfSite } from "../datasheet/from-partner.ts";
import { readDatasheet } from "../datasheet/read.ts";
import { partnerToml } from "../datasheet/to-toml.ts";
import { writeDatasheet } from "../datasheet/write.ts";
import { loadMaterial, type Material } from "../pki/material.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { type CommonOptions, configFile, Failed, print, printJson } from "./context.ts";

/** Adds the commands below `partner`; `command` makes one with the options that all have. */
export function addPartnerCommands(
  command: (name: string, summary: string, details?: string) => Command,
): void {
  command(
    "import",
    "turn a datasheet into a partner's TOML file, for review",
    "Nothing of it is in force before you put the file into a folder that include names.",
  )
    .argument("<file>", "the datasheet (XML)")
    .option("--id <id>", "CFTPART id to give (default: made from the station's name)")
    .option("-o, --out <file>", "where to write (default: beside the main configuration file)")
    .action(partnerImport);

  command("export", "write a datasheet of a partner, or of this site for it", "The password is in it.")
    .argument("<partner>", "which partner")
    .option("--own", "what the partner needs to know of this site")
    .option("--host <name...>", "with --own: names under which this site can be called")
    .option("-o, --out <file>", "where to write (default: standard output)")
    .action(partnerExport);
}

/** Longest file that is read into memory at all, octets. */
const LARGEST = 1024 * 1024;

async function partnerImport(
  file: string,
  options: CommonOptions & { id?: string; out?: string },
): Promise<void> {
  const configuration = await loaded(options);
  const sheet = readDatasheet(await readSmall(file));
  const id = options.id ?? idFor(sheet);
  const out = resolve(options.out ?? join(configuration.directory, `${id.toLowerCase()}.toml`));
  const folder = join(dirname(out), `${basename(out, ".toml")}.files`);
  const { toml, files } = partnerToml(sheet, {
    id,
    ...protocols(configuration),
    experimental: configuration.cftparm.experimental_ciphers,
    reference: (name) => asWritten(configuration, join(folder, name)),
  });
  await absent(out);
  for (const { name, content, mode } of files) await create(join(folder, name), content, mode);
  await create(out, Buffer.from(toml), 0o640);
  if (options.json) return printJson({ id, file: out, files: files.map(({ name }) => join(folder, name)) });
  print(`${out} is written for review; nothing of it is in force.`);
  for (const { name } of files) print(`  beside it: ${join(folder, name)}`);
  const [include] = configuration.includes;
  print(`When it is right: mv ${out} ${include ?? "into a folder that include names"} && cygnet check`);
}

async function partnerExport(
  id: string,
  options: CommonOptions & { own?: boolean; host?: string[]; out?: string },
): Promise<void> {
  const configuration = await loaded(options);
  const occasion = { materials: await materials(configuration), docid: randomUUID(), now: Date.now() };
  const sheet = options.own
    ? datasheetOfSite(configuration, id, options.host ?? [], occasion)
    : datasheetOfPartner(configuration, id, occasion);
  const xml = writeDatasheet(sheet);
  if (options.out === undefined) return void process.stdout.write(xml);
  // it may hold a password
  await create(resolve(options.out), Buffer.from(xml), 0o600);
  if (options.json) printJson({ id, file: resolve(options.out) });
  else print(`${resolve(options.out)} is written`);
}

async function loaded(options: CommonOptions): Promise<Configuration> {
  const result = await load(configFile(options));
  if ("configuration" in result) return result.configuration;
  throw new Failed(result.problems.map((problem) => formatProblem(problem)).join("\n"), 2);
}

async function readSmall(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST)
      throw new CygnetError("CYG_DATASHEET", `${file} has ${size} octets: no datasheet has`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof CygnetError) throw error;
    throw new Failed(`${file} cannot be read: ${describe(error)}`);
  }
}

/** The station's name as an id: letters, digits and "-". */
function idFor({ station, session }: Datasheet): string {
  const name = station.name.normalize("NFKD").toUpperCase().replace(/\p{M}/gu, "");
  const id = name
    .replace(/[^A-Z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 24)
    .replace(/-+$/, "");
  return id || session.ssid.replace(/[^A-Z0-9]+/g, "-");
}

function protocols({ cftprot }: Configuration): { tls: string[]; clear: string[] } {
  const ids = (secure: boolean) =>
    [...cftprot.values()].filter(({ ssl }) => (ssl !== "") === secure).map(({ id }) => id);
  return { tls: ids(true), clear: ids(false) };
}

/** Relative to the main file where it lies below it, as paths in a configuration are read. */
function asWritten({ directory }: Configuration, path: string): string {
  const way = relative(directory, path);
  return way.startsWith("..") || isAbsolute(way) ? path : way;
}

async function materials({ pki }: Configuration): Promise<Map<string, Material>> {
  const found = new Map<string, Material>();
  for (const { id, file, key, keypassw, usage } of pki.values()) {
    if (usage.includes("ca")) continue;
    const password = keypassw ? { password: keypassw.reveal() } : {};
    found.set(id, await loadMaterial({ id, file, ...(key === "" ? {} : { key }), ...password }));
  }
  return found;
}

async function absent(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) throw new Failed(`${path} is there already; nothing is overwritten: move it away or name --out`);
}

async function create(path: string, content: Buffer, mode: number): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    const handle = await open(path, "wx", mode);
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isSystemError(error, "EEXIST")) throw new Failed(`${path} is there already; nothing is overwritten`);
    throw new Failed(`${path} cannot be written: ${describe(error)}`);
  }
}
