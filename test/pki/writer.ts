/** Adds certificates to a store until it is killed; tells each on stdout once the store says that it is kept. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { openStore } from "../../src/pki/folder-store.ts";

const [directory = "", ...files] = process.argv.slice(2);
const store = await openStore(directory);
const certificates = files.map((file) => new X509Certificate(readFileSync(file)));
for (let round = 0; ; round++) {
  for (const certificate of certificates) {
    const part = `P${round}`;
    const entry = { part, certificate, usage: [], state: "pending", origin: "import" } as const;
    const { fingerprint } = await store.add({ ...entry, at: round, idtu: "", note: "" });
    process.stdout.write(`${part} ${fingerprint} pending\n`);
    await store.change({ part, fingerprint }, { state: "active", note: "good" });
    process.stdout.write(`${part} ${fingerprint} active\n`);
  }
}
