/**
 * One file of 4 GiB, signed, compressed, encrypted, with a signed response: it arrives as it was, and neither gateway
 * ever takes more than 300 MB of memory. CYGNET_LONG_MIB makes it another size.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { residentMemory } from "../gateway/extra.ts";
import { filesBelow, hashFile, octets, site, waitFor } from "../gateway/harness.ts";

const MIB = Number(process.env.CYGNET_LONG_MIB ?? 4096);
const PIECE = 1024 * 1024;
const LIMIT = 300;
const security = "sign = true\ncompress = true\nencrypt = true\nsigned_eerp = true";
const pki = (part: string) =>
  `[[pki]]\nid = "theirs"\npart = "${part}"\nfile = "pki/${part.toLowerCase()}.pem"\n`;

/** Lines of text and octets of chance in turn, no two pieces the same; gives its SHA-256. */
async function mixed(path: string): Promise<string> {
  const hash = createHash("sha256");
  const handle = await fs.open(path, "w");
  const text = Buffer.from(
    "LIN+1++4711:IN'QTY+113:25:PCE'DTM+137:20261120:102'\r\n".repeat(PIECE / 50),
  ).subarray(0, PIECE);
  const pieces = [Buffer.from(text), octets(1, PIECE)];
  for (let at = 0; at < MIB; at++) {
    const piece = pieces[at % 2] as Buffer;
    piece.write(String(at).padStart(12, "0"), 500_000, "latin1");
    hash.update(piece);
    await handle.write(piece);
  }
  await handle.close();
  return hash.digest("hex");
}

test(`${MIB} MiB with every service: they arrive, in less than ${LIMIT} MB of memory at each side`, {
  timeout: 3_000_000,
}, async (t) => {
  const { hub, acme } = await site(t, {
    ...{
      prot: ["OFTP"],
      hub: { more: `${pki("ACME")}[[cftsend]]\nid = "BIG"\nnfname = "BIG"\n${security}\n` },
    },
    acme: { more: pki("HUB") },
  });
  await Promise.all([hub.start(), acme.start()]);
  await fs.mkdir(hub.outbox("BIG"), { recursive: true });
  const aside = hub.outbox("BIG", ".aside");
  const sha256 = await mixed(aside);
  const begun = performance.now();
  await fs.rename(aside, hub.outbox("BIG", "file"));
  const written = async (): Promise<number> => {
    const files = [...(await paths(hub.rundir)), ...(await paths(acme.rundir))];
    const sizes = await Promise.all(
      files.map((path) =>
        fs.stat(path).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  await waitFor("it is acknowledged", async () => (await hub.transfers({ state: "X" })).length === 1, {
    ...{ timeout: 300_000, every: 1_000, progress: written },
  });
  const seconds = (performance.now() - begun) / 1000;
  t.match(await hub.transfers(), [{ ack: "A" }]);
  t.equal(await hashFile(acme.inbox("BIG")), sha256, "what arrived is what was sent");
  for (const gateway of [hub, acme]) {
    const most = residentMemory(gateway.pid, "most") * 1.048576;
    t.ok(most < LIMIT, `${gateway.id}: ${most.toFixed(0)} MB`);
    t.comment(`${gateway.id}: ${most.toFixed(0)} MB at most`);
  }
  t.comment(
    `${seconds.toFixed(0)} s from outbox to response, ${((MIB * PIECE) / seconds / 1e6).toFixed(0)} MB/s`,
  );
});

async function paths(rundir: string): Promise<string[]> {
  return (await filesBelow(join(rundir, "work"))).map((name) => join(rundir, "work", name));
}
