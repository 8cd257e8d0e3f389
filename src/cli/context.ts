/** What every command shares: which configuration, JSON or not, where to print. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Places, placesOf } from "../config/places.ts";
import { projectRoot } from "../platform/root.ts";

export interface CommonOptions {
  config?: string;
  json?: boolean;
  /** A gateway elsewhere, and who asks it: see target.ts. */
  url?: string;
  tokenFile?: string;
  ca?: string;
  cert?: string;
  key?: string;
}

/** The options that every command shares, and those of its own. */
export function split<T extends CommonOptions>(options: T): [CommonOptions, Omit<T, keyof CommonOptions>] {
  const { config, json, url, tokenFile, ca, cert, key, ...own } = options;
  const shared = Object.entries({ config, json, url, tokenFile, ca, cert, key });
  return [Object.fromEntries(shared.filter(([, value]) => value !== undefined)), own];
}

/** `--config`, else $CYGNET_CONFIG, else etc/cygnet.toml here or in the installation, else /etc/cygnet. */
export function configFile(options: CommonOptions): string {
  const named = options.config ?? process.env.CYGNET_CONFIG;
  if (named) return resolve(named);
  const usual = [resolve("etc/cygnet.toml"), join(projectRoot(), "etc", "cygnet.toml")];
  return usual.find((file) => existsSync(file)) ?? "/etc/cygnet/cygnet.toml";
}

/** Where the gateway of this configuration keeps its things; a warning goes to stderr when it is broken. */
export async function places(options: CommonOptions): Promise<Places> {
  const found = await placesOf(configFile(options));
  if (found.problem) console.error(`cygnet: ${found.problem}`);
  return found;
}

export function print(text: string): void {
  if (text !== "") process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A command that did not do its work: the reason for stderr and the exit status. */
export class Failed extends Error {
  readonly status: number;

  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

/** `10 min ago`-free times: local, to the second. */
export function localTime(iso: string | null): string {
  if (iso === null) return "";
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Octets for people: 999, 1.2k, 34M, 5.6G. */
export function octets(count: number | null): string {
  if (count === null) return "";
  let value = count;
  for (const unit of ["", "k", "M", "G", "T"]) {
    if (value < 1000) return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)}${unit}`;
    value /= 1000;
  }
  return `${Math.round(value)}P`;
}
