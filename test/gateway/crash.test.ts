/** Processes that die and disks that fill up, from the outside. */
import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { allEnded, ended } from "./arrivals.ts";
import { hashTree, site, waitFor } from "./harness.ts";
import { storm } from "./storm.ts";

const MiB = 1024 * 1024;

const seed = Number(process.env.CYGNET_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));

test("SIGKILL 30 times in an exchange: nothing lost, nothing twice, nothing partial, all acknowledged", async (t) => {
  await storm(t, {
    seed,
    kills: 30,
    small: 500,
    large: 10,
    calm: 60_000,
    options: { prot: ["OFTPS"] },
  });
});

for (const { name, of } of [
  { name: "the whole of rundir", of: "" },
  { name: "the folder of half-received files alone", of: "work/recv" },
]) {
  test(`a full disk under ${name}: files wait or stop with a reason, and go on when there is space`, async (t) => {
    // small buffers make it slow enough to fill the disk in the middle
    const slow = { srusize: 2048, scredit: 8 };
    const { hub, acme } = await site(t, { retryw: "300ms", disctd: "200ms", ...slow });
    const disk = await tinyDisk(t, join(acme.rundir, of), 48 * MiB);
    if (!disk) return t.comment("not tried: mounting a file system is not allowed here");
    await Promise.all([hub.start(), acme.start()]);
    const pid = acme.pid;
    const expected = new Map([["first.bin", await hub.drop("first.bin", { size: 1000, seed: 1 })]]);
    await allEnded(t, [{ from: hub, to: acme, expected }], 10_000);

    await disk.leave(20 * MiB);
    expected.set("big.bin", await hub.drop("big.bin", { size: 16 * MiB, seed: 2 }));
    await waitFor(
      "the file to be under way",
      async () => (await acme.status()).sessions.some(({ bytes }) => (bytes ?? 0) > MiB),
      { every: 10 },
    );
    await disk.leave(0);
    const reason = async (name: string) => (await hub.transfer("send", name))?.diagc ?? "";
    await waitFor("the reason at the sender", async () => (await reason("big.bin")) !== "");
    t.match(await reason("big.bin"), /could not be written|cannot be created|not enough space/);
    t.match(acme.log() + acme.consoleTail(), /no space left on device/, "the receiver says it in full");
    expected.set("next.bin", await hub.drop("next.bin", { size: 3 * MiB, seed: 3 }));
    await waitFor("the next one to be refused", async () => (await reason("next.bin")) !== "");
    t.same(await hashTree(acme.inbox()), new Map([...expected].slice(0, 1)), "nothing partial is visible");
    t.match(await acme.status(), { pid, state: "running" }, "the process lives");

    await disk.leave(40 * MiB);
    await waitFor("everything, with an operator's start where a file is held", async () => {
      for (const { idtu, state } of await hub.transfers({ direct: "send" })) {
        if (state === "H") t.match(await hub.cli("start", idtu), { status: 0 });
      }
      return ended(await hub.transfers(), 3) && ended(await acme.transfers(), 3);
    });
    t.same(Object.fromEntries(await hashTree(acme.inbox())), Object.fromEntries([...expected].sort()));
  });
}

/** A small file system of its own in a directory, gone again at the end; undefined when mounting is not allowed. */
async function tinyDisk(t: Test, directory: string, size: number) {
  await fs.mkdir(directory, { recursive: true });
  const options = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory];
  const mounted = await new Promise<boolean>((resolve) =>
    execFile("mount", options, (error) => resolve(error === null)),
  );
  if (!mounted) return undefined;
  // lazily: the gateway, which is killed later, still has files open there
  t.teardown(() => new Promise<void>((resolve) => execFile("umount", ["-l", directory], () => resolve())));
  const ballast = join(directory, "ballast");
  return {
    /** Fills the disk up, or makes room, until so many octets are free (to the page). */
    async leave(free: number): Promise<void> {
      await fs.rm(ballast, { force: true });
      const { bavail, bsize } = await fs.statfs(directory);
      await fs.writeFile(ballast, Buffer.alloc(Math.max(bavail * bsize - free, 0))).catch((error) => {
        // the gateway was quicker: full is what was wanted
        if (error.code !== "ENOSPC") throw error;
      });
    },
  };
}
