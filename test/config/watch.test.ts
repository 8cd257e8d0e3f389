import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { watchConfiguration } from "../../src/config/watch.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { folder, write } from "./site.ts";

/** A clock whose timers fire when told, and that tells when one is set. */
class HandClock implements Clock {
  #pending: (() => void) | undefined;
  #set: (() => void) | undefined;
  waits: number[] = [];
  now = () => 0;
  monotonic = () => 0;

  timer(milliseconds: number, fire: () => void) {
    this.waits.push(milliseconds);
    this.#pending = fire;
    this.#set?.();
    return {
      cancel: () => {
        if (this.#pending === fire) this.#pending = undefined;
      },
    };
  }

  /** Resolves when a timer is set after this call. */
  next(): Promise<void> {
    return new Promise((done) => {
      this.#set = done;
    });
  }

  get armed(): boolean {
    return this.#pending !== undefined;
  }

  fire(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.();
  }
}

test("one call per burst for every way in which files change; other files do not count", async (t) => {
  const { path: root, remove } = folder();
  const file = join(root, "cygnet.toml");
  const partners = join(root, "partners.d");
  write(root, { "cygnet.toml": "a = 1\n", "partners.d/acme.toml": "b = 1\n", "other.toml": "" });
  const outside = join(root, "far", "away");
  write(root, { "far/away/one.toml": "" });
  const clock = new HandClock();
  let calls = 0;
  const failures: unknown[] = [];
  const target = { file, includes: [partners, outside] };
  const watch = watchConfiguration(
    target,
    () => calls++,
    (error) => failures.push(error),
    clock,
  );
  t.teardown(async () => {
    await watch.close();
    remove();
  });
  await watch.ready;

  const steps: [how: string, act: () => void][] = [
    ["written in place", () => writeFileSync(file, "a = 2\n")],
    [
      "saved by renaming",
      () => {
        writeFileSync(join(root, ".cygnet.toml.swp"), "a = 3\n");
        renameSync(join(root, ".cygnet.toml.swp"), file);
      },
    ],
    ["written in place again, after the rename", () => appendFileSync(file, "# more\n")],
    ["included file changed", () => appendFileSync(join(partners, "acme.toml"), "c = 1\n")],
    ["new included file", () => writeFileSync(join(partners, "beta.toml"), "d = 1\n")],
    ["included file removed", () => rmSync(join(partners, "beta.toml"))],
    [
      "included file renamed in",
      () => {
        writeFileSync(join(root, "gamma.tmp"), "e = 1\n");
        renameSync(join(root, "gamma.tmp"), join(partners, "gamma.toml"));
      },
    ],
    ["main file deleted", () => rmSync(file)],
    ["main file made anew", () => writeFileSync(file, "a = 4\n")],
    ["include directory removed", () => rmSync(partners, { recursive: true })],
    ["include directory made anew", () => mkdirSync(partners)],
    ["distant include directory removed", () => rmSync(join(root, "far"), { recursive: true })],
    ["distant include directory made anew", () => mkdirSync(outside, { recursive: true })],
    ["file in a distant include directory", () => writeFileSync(join(outside, "two.toml"), "")],
    ["file in the new directory", () => writeFileSync(join(partners, "acme.toml"), "b = 2\n")],
  ];
  for (const [how, act] of steps) {
    const before = calls;
    const seen = clock.next();
    act();
    await seen;
    clock.fire();
    t.equal(calls, before + 1, how);
  }
  t.strictSame([...new Set(clock.waits)], [300], "300 ms of quiet");

  // Half-written: each part starts the wait anew, and the call comes once, after the last.
  const settled = calls;
  for (const part of ["[cft", "parm]\n", 'part = "HUB"\n']) {
    const seen = clock.next();
    appendFileSync(file, part);
    await seen;
  }
  t.equal(calls, settled, "no call while the file is being written");
  clock.fire();
  t.equal(calls, settled + 1, "one call when it is whole");
  t.notOk(clock.armed);

  // Other files: what follows them on the same watch is seen, they are not.
  const count = clock.waits.length;
  for (const name of ["other.toml", "cygnet.toml~", "partners.d/notes.txt", "partners.d/.acme.toml.swp"]) {
    writeFileSync(join(root, name), "x");
  }
  const seen = clock.next();
  writeFileSync(join(partners, "last.toml"), "");
  await seen;
  t.ok(clock.waits.length <= count + 2, "others do not start a wait");
  clock.fire();

  // Other include directories.
  mkdirSync(join(root, "more.d"));
  await watch.follow([partners, join(root, "more.d")]);
  const followed = clock.next();
  writeFileSync(join(root, "more.d", "x.toml"), "");
  await followed;
  clock.fire();

  await watch.close();
  const last = calls;
  writeFileSync(file, "closed");
  clock.fire();
  t.equal(calls, last, "nothing after close");
  t.strictSame(failures, []);
});
