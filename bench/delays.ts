/**
 * What a large secured file does to others: a third partner offers files that are refused, over and over, to the gateway
 * that opens the large file, and to the one that seals it, while they do and while they do nothing.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { session, sfid } from "../test/gateway/extra.ts";
import { type Site, startPair, stop } from "./pair.ts";

/** Milliseconds. */
export interface Spread {
  p50: number;
  p99: number;
  most: number;
}

export interface Delay {
  during: string;
  /** How many round trips were measured. */
  trips: number;
  trip: Spread;
  /** How late the main loop of the gateway was. */
  loop: Spread;
}

/** A partner that only calls, and whose offers are refused since they are for somebody else. */
const THIRD = `
[[cftpart]]
id = "RAW"
prot = ["OFTP"]
nspassw = "HUBPW"
nrpart = "O0999RAW"
nrpassw = "RAWPW"
state = "activeserv"
`;
const LAG = fileURLToPath(new URL("./lag.js", import.meta.url));
/** Between two round trips, ms: one session that is not in a hurry. */
const PAUSE = 2;
const IDLE_TRIPS = 1_500;

export async function delays(folder: string, plain: string): Promise<Delay[]> {
  const options = { tls: false, secured: true, more: THIRD, flags: ["--import", LAG] };
  const { sender, receiver } = await startPair(join(folder, "pair"), options);
  try {
    const idle = await measured(receiver, "nothing", (trips) => trips < IDLE_TRIPS);
    const seals = async () => await inPhase(sender, "send", "T");
    await sender.ask("POST", "/transfers", { part: receiver.name, file: plain });
    const sealing = await measured(sender, "sealing", seals);
    while (!(await inPhase(receiver, "recv", "Y"))) await pause(20);
    const opening = await measured(receiver, "opening", async () => await inPhase(receiver, "recv", "Y"));
    while (!(await inPhase(sender, "send", "X"))) await pause(100);
    return [idle, sealing, opening];
  } finally {
    await stop(sender, receiver);
  }
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function inPhase(site: Site, direct: string, phase: string): Promise<boolean> {
  const found = await site.ask<{ phase: string; formsize?: number }[]>(
    "GET",
    `/transfers?direct=${direct}&limit=1`,
  );
  return found[0]?.phase === phase;
}

/** Round trips as long as that goes on, which is asked every hundred. */
async function measured(
  site: Site,
  during: string,
  goesOn: (trips: number) => boolean | Promise<boolean>,
): Promise<Delay> {
  const raw = await session(site.port);
  await lag(site);
  const times: number[] = [];
  do {
    for (let count = 0; count < 100; count++) {
      const begun = performance.now();
      raw.send(sfid({ dest: "O0999NOBODY" }));
      await raw.expect("SFNA");
      times.push(performance.now() - begun);
      await pause(PAUSE);
    }
  } while (await goesOn(times.length));
  raw.close();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] as number;
  return {
    during,
    trips: times.length,
    trip: { p50: at(0.5), p99: at(0.99), most: at(1) },
    loop: await lag(site),
  };
}

/** How late the main loop was since this was asked last. */
export async function lag(site: Site): Promise<Spread> {
  const file = join(site.rundir, "..", "lag.json");
  rmSync(file, { force: true });
  site.process.kill("SIGUSR2");
  while (!existsSync(file)) await pause(5);
  return JSON.parse(readFileSync(file, "utf8")) as Spread;
}
