/** Thousands of partners: what they cost at rest, how soon a file of theirs is claimed, and a reload that changes one. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lag } from "./delays.ts";
import { median } from "./figures.ts";
import { type Site, startAlone, stop } from "./pair.ts";
import { LAG, pause } from "./small-files.ts";

export interface PartnerFigures {
  partners: number;
  /** Percent of a core while nothing happens. */
  idle: number;
  /** Milliseconds from a rename into an outbox (of a file that has been still) to its record; median and worst. */
  claim: { median: number; worst: number };
  /** Milliseconds of a reload that changes one partner, and how late the main loop was meanwhile. */
  reload: { median: number; worst: number; late: number };
  /** Seconds to the first answer. */
  start: number;
}

/** Of the configuration that `startAlone` writes, ms. */
const IDLE_DELAY = 100;
const REST = 10_000;

function partnerFile(id: string, password: string): string {
  return `[[cftpart]]
id = "${id}"
prot = ["OFTP"]
nrpart = "O0013${id}"
nrpassw = "${password}"
state = "activeserv"
[[cfttcp]]
id = "${id}"
host = "127.0.0.1"
`;
}

/** Processor seconds that a process has had. */
export function processorTime({ process: { pid } }: Site): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user = 0, system = 0] = fields.split(" ").slice(11, 13).map(Number);
  return (user + system) / 100;
}

export async function partnerFigures(
  folder: string,
  { partners, runs }: { partners: number; runs: number },
): Promise<PartnerFigures> {
  const home = join(folder, `partners-${partners}`);
  const included = join(home, "partners.d");
  mkdirSync(included, { recursive: true });
  const ids = Array.from({ length: partners }, (_, index) => `P${String(index).padStart(5, "0")}`);
  for (const id of ids) writeFileSync(join(included, `${id}.toml`), partnerFile(id, "OLD"));
  const begun = performance.now();
  const site = await startAlone(home, { top: 'include = ["partners.d"]', interval: "5m", flags: LAG });
  const start = (performance.now() - begun) / 1000;
  try {
    await settled(site);
    const before = processorTime(site);
    await pause(REST);
    const idle = ((processorTime(site) - before) / (REST / 1000)) * 100;
    const claims: number[] = [];
    for (let run = 0; run < runs * 3; run++) {
      claims.push(await claimed(site, ids[(run * 7919) % partners] as string));
    }
    await lag(site);
    const reloads: number[] = [];
    for (let run = 0; run < runs; run++) {
      const id = ids[(run * 104_729) % partners] as string;
      writeFileSync(join(included, `${id}.toml`), partnerFile(id, `NEW${run}`));
      const asked = performance.now();
      await site.ask("POST", "/reload");
      reloads.push(performance.now() - asked);
    }
    const late = (await lag(site)).p99;
    return {
      ...{ partners, idle, start },
      claim: { median: median(claims), worst: Math.max(...claims) },
      reload: { median: median(reloads), worst: Math.max(...reloads), late },
    };
  } finally {
    await stop(site);
  }
}

/** Waits until the work of the start is over. */
async function settled(site: Site): Promise<void> {
  for (let before = -1, now = processorTime(site); now - before > 0.05; now = processorTime(site)) {
    before = now;
    await pause(1_000);
  }
}

/** Renames a file into a partner's outbox that has been still for the idle delay; ms until its record is there. */
async function claimed(site: Site, part: string): Promise<number> {
  const file = join(site.rundir, "work", `claimed-${part}`);
  writeFileSync(file, "a small file");
  await pause(IDLE_DELAY * 2);
  const count = async (): Promise<number> =>
    (await site.ask<unknown[]>("GET", `/transfers?part=${part}&limit=100`)).length;
  const before = await count();
  const begun = performance.now();
  renameSync(file, join(site.rundir, "outbox", part, `${begun}.dat`));
  while ((await count()) === before) await pause(5);
  return performance.now() - begun;
}
