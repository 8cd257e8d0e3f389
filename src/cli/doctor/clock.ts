/** The clock: whether something keeps it right, and whether it can be right at all. */
import { existsSync } from "node:fs";
import { type Check, finding } from "./finding.ts";
import { run } from "./program.ts";

/** Before this program was written. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** How far behind the newest record the clock may be, ms. */
const SLACK = 60_000;
const SET = "Set the clock and let it be kept: apt install systemd-timesyncd, then timedatectl set-ntp true.";

export const checkClock: Check = async ({ catalog }) => {
  const now = Date.now();
  const written = new Date(now).toISOString();
  const newest = catalog?.newest ?? null;
  if (now < EARLIEST) return [finding("clock", "fail", `it says ${written}, which is in the past`, SET)];
  if (newest !== null && newest > now + SLACK) {
    const text = `it says ${written}, but the catalog has a record of ${new Date(newest).toISOString()}`;
    return [finding("clock", "fail", text, `${SET} Certificates and retries depend on it.`)];
  }
  const kept = await synchronised();
  if (kept === true) return [finding("clock", "ok", `${written}, synchronised`)];
  const how = kept === false ? "nothing synchronises it" : "whether it is synchronised is not known here";
  return [
    finding("clock", "warn", `${written}; ${how}`, kept === false ? SET : "Compare it with another clock."),
  ];
};

/** undefined = the machine does not tell. */
async function synchronised(): Promise<boolean | undefined> {
  if (existsSync("/run/systemd/timesync/synchronized")) return true;
  const said = await run(["timedatectl", "show", "-p", "NTPSynchronized", "--value"]);
  return said === null || !/^(yes|no)$/.test(said) ? undefined : said === "yes";
}
