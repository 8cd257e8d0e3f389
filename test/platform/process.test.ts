/** Programs run without a shell, in groups of their own, and always come to an end. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { systemClock } from "../../src/platform/clock.ts";
import { type ProgramEnd, type ProgramOptions, runProgram } from "../../src/platform/process.ts";
import { ManualClock } from "../net/manual-clock.ts";

/** Each in a new folder. */
function begin(t: Test, argv: string[], options: Partial<ProgramOptions> = {}) {
  const lines: string[] = [];
  mkdirSync(t.testdirName, { recursive: true });
  t.teardown(() => rmSync(t.testdirName, { recursive: true, force: true }));
  const cwd = mkdtempSync(join(t.testdirName, "run-"));
  const stop = new AbortController();
  const end = runProgram(argv, {
    cwd,
    env: { PATH: process.env.PATH ?? "" },
    timeout: 0,
    line: (text) => lines.push(text),
    signal: stop.signal,
    clock: systemClock,
    ...options,
  });
  return { end, lines, cwd, stop };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const sh = (script: string) => ["sh", "-c", script];

test("how programs end", async (t) => {
  const cases: [what: string, argv: string[], end: Partial<ProgramEnd>][] = [
    ["well", sh("exit 0"), { code: 0, signal: null, ended: "" }],
    ["with a code", sh("exit 42"), { code: 42 }],
    ["by a signal", sh("kill -11 $$"), { code: null, signal: "SIGSEGV" }],
  ];
  for (const [what, argv, end] of cases) t.match(await begin(t, argv).end, end, what);
  const plain = join(t.testdir({ plain: "text" }), "plain");
  for (const [program, code] of [
    ["no-such-program", "ENOENT"],
    [plain, "EACCES"],
    ["/etc", "EACCES"],
    ["bad\0name", "ERR_INVALID_ARG_VALUE"],
  ] as const) {
    const { error } = await begin(t, [program]).end;
    t.equal(error?.code, code, `${JSON.stringify(program)} cannot be started`);
  }
  const none = new AbortController();
  none.abort();
  t.match(
    await begin(t, sh("exit 0"), { signal: none.signal }).end,
    { ended: "stop" },
    "stopped before it began",
  );
});

test("arguments, environment and folder are given as they are", async (t) => {
  const odd = ["a b", "", "$HOME", "`id`", "*", "-n", "line\nend", "漢字", '"'];
  const { end, lines } = begin(t, [
    process.execPath,
    "-e",
    "console.log(JSON.stringify(process.argv.slice(1)))",
    "--",
    ...odd,
  ]);
  await end;
  t.same(JSON.parse(lines.join("")), odd);
  const env = { PATH: process.env.PATH ?? "", ONLY: "this" };
  const told = begin(t, sh("env; pwd"), { env });
  await told.end;
  t.ok(told.lines.includes("ONLY=this"));
  t.ok(told.lines.includes(told.cwd));
  t.notOk(
    told.lines.some((line) => line.startsWith("HOME=")),
    "nothing of our own environment",
  );
});

test("output comes line by line, however it is cut, and in bounded pieces", async (t) => {
  const script = 'printf "one\\r\\ntwo\\nwith"; printf "out end"; printf "error\\n" >&2';
  const { end, lines } = begin(t, sh(script));
  await end;
  t.same(lines.toSorted(), ["error", "one", "two", "without end"]);
  const long = begin(t, [
    process.execPath,
    "-e",
    'process.stdout.write("é".repeat(2500) + "\\n" + "x".repeat(1001))',
  ]);
  await long.end;
  t.same(
    long.lines.map(({ length }) => length),
    [1000, 1000, 500, 1000, 1],
  );
});

test("time-out and stop end the whole group: SIGTERM first, SIGKILL a little later", async (t) => {
  for (const why of ["timeout", "stop"] as const) {
    const clock = new ManualClock();
    const script =
      'trap "echo heard >> heard" TERM; sleep 600 & echo $! > child; while :; do sleep 0.05; done';
    const { end, cwd, stop } = begin(t, sh(script), { clock, timeout: 1000 });
    const child = join(cwd, "child");
    await until(() => existsSync(child) && readFileSync(child, "utf8") !== "");
    const pid = Number(readFileSync(child, "utf8"));
    // before that it is a copy of the shell, which hears signals in its way
    await until(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep"));
    if (why === "stop") stop.abort();
    else clock.advance(1000);
    await until(() => existsSync(join(cwd, "heard")));
    let over = false;
    void end.then(() => {
      over = true;
    });
    await until(() => !alive(pid));
    t.equal(over, false, `${why}: who does not listen to SIGTERM has its grace`);
    clock.advance(5000);
    // what was killed has ended: time for its output to be closed goes by
    const ticking = setInterval(() => clock.advance(1000), 50);
    t.match(await end, { code: null, signal: "SIGKILL", ended: why }, why);
    clearInterval(ticking);
  }
});

test("what a program leaves behind with its output open does not hold it", async (t) => {
  const { end, cwd } = begin(t, sh("sleep 600 & echo $! > left; exit 5"));
  t.match(await end, { code: 5, ended: "" });
  const left = Number(readFileSync(join(cwd, "left"), "utf8"));
  t.ok(alive(left), "that is its own affair");
  process.kill(left, "SIGKILL");
  writeFileSync(join(cwd, "left"), "");
});
