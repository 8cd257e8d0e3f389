/** Steps of the tests that exchange certificates between two gateways. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { Test } from "tap";
import { type Gateway, octets, type SiteOptions, site, waitFor } from "./harness.ts";

export const SLOW = { timeout: 60_000 };
const EVERYTHING = "sign = true\nencrypt = true\nsigned_eerp = true";
export const SEALED = `[[cftsend]]\nid = "SEALED"\nnfname = "&FROOT"\n${EVERYTHING}\n`;
export const SIGNED = `[[cftsend]]\nid = "SIGNED"\nnfname = "&FROOT"\nsign = true\n`;

/** What stands in the main file for a certificate. */
export function pki(
  id: string,
  file: string,
  { part = "", key = "", usage }: { part?: string; key?: string; usage?: string[] },
) {
  const lines = [`id = "${id}"`, `file = "${file}"`, part && `part = "${part}"`, key && `key = "${key}"`];
  return `[[pki]]\n${[...lines, usage && `usage = ${JSON.stringify(usage)}`].filter(Boolean).join("\n")}\n`;
}
export const theirs = (part: string) => pki("theirs", `pki/${part.toLowerCase()}.pem`, { part });

export async function pair(t: Test, options: SiteOptions = {}): Promise<{ hub: Gateway; acme: Gateway }> {
  const both = await site(t, { prot: ["OFTP"], ...options });
  await Promise.all([both.hub.start(), both.acme.start()]);
  return both;
}

/** A key and a certificate in the folder of a gateway; its fingerprint. `more`: options of `openssl req`. */
export async function make(gateway: Gateway, name: string, ...more: string[]): Promise<string> {
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: join(gateway.directory, "pki"), stdio: "pipe" });
  const made = ["-nodes", "-days", "20", "-subj", `/CN=Cygnet test ${gateway.id.toLowerCase()}`, ...more];
  if (more.includes("-CA")) {
    openssl(
      "req",
      "-new",
      "-newkey",
      "rsa:2048",
      ...made.slice(0, 1),
      ...made.slice(3, 5),
      "-keyout",
      `${name}.key`,
      "-out",
      "csr",
    );
    openssl("x509", "-req", "-in", "csr", ...more, "-days", "20", "-out", `${name}.pem`);
  } else
    openssl("req", "-x509", "-newkey", "rsa:2048", ...made, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  await fs.chmod(join(gateway.directory, "pki", `${name}.key`), 0o600);
  return fingerprintOf(gateway, name);
}

export async function fingerprintOf(gateway: Gateway, name: string): Promise<string> {
  return new X509Certificate(await fs.readFile(join(gateway.directory, "pki", `${name}.pem`))).fingerprint256;
}

export const done = async (t: Test, gateway: Gateway, ...args: string[]) => {
  const result = await gateway.cli(...args, "--json");
  t.equal(result.status, 0, `${args.join(" ")}: ${result.stderr}`);
  return result.json;
};

/** Hands a certificate over and gives the transfer. */
export const exchange = async (t: Test, gateway: Gateway, kind: string, ...more: string[]) =>
  (await done(t, gateway, "pki", "exchange", kind, "--part", gateway.partner, ...more))[0].idtu as string;

export const transferOf = async (gateway: Gateway, idtu: string) =>
  (await gateway.transfers()).find((each) => each.idtu === idtu);
export const answered = (gateway: Gateway, idtu: string, ack: "A" | "N") =>
  waitFor(
    `${gateway.id}: ${ack} for ${idtu}`,
    async () => (await transferOf(gateway, idtu))?.ack === ack,
    SLOW,
  );
export const logged = (gateway: Gateway, id: string, words: string) =>
  waitFor(`${gateway.id} logs ${id}`, () => gateway.messages(id).some((line) => line.includes(words)), SLOW);
export const stateOf = async (t: Test, gateway: Gateway, fingerprint: string) => {
  const all = await done(t, gateway, "pki", "list", "--part", gateway.partner);
  return all.find(
    ({ sha256, source }: { sha256: string; source: string }) => sha256 === fingerprint && source === "store",
  )?.state;
};

/** Sends a file through a flow; resolves with its record when it has its response. */
let count = 0;
export async function passes(gateway: Gateway, flow: string) {
  const name = `F${++count}`;
  await gateway.drop(`${flow}/${name}`, octets(count, 5_000));
  const find = () => gateway.transfer("send", name);
  await waitFor(
    `${gateway.id}: the response to ${name}`,
    async () => ((await find())?.ack ?? "") !== "",
    SLOW,
  );
  return find();
}
