/** Longer storms: more kills, larger files, in clear and over both versions of TLS. */
import { test } from "tap";
import type { SiteOptions } from "../gateway/harness.ts";
import { storm } from "../gateway/storm.ts";

const seed = Number(process.env.CYGNET_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const lines: [name: string, options: SiteOptions][] = [
  ["in clear", { prot: ["OFTP"] }],
  ["over TLS 1.2", { prot: ["OFTPS"], version: ["1.2"] }],
  ["over TLS 1.3", { prot: ["OFTPS"], version: ["1.3"] }],
  ["with buffers of 512 octets and a credit of 4", { prot: ["OFTP"], srusize: 512, scredit: 4 }],
  ["without restart", { prot: ["OFTP"], resync: false }],
];
for (const [index, [name, options]] of lines.entries()) {
  test(`200 kills ${name}: nothing lost, nothing twice, nothing partial, all acknowledged`, async (t) => {
    const load = { kills: 200, small: 5000, large: 60, calm: 600_000 };
    await storm(t, { seed: seed + index, ...load, options });
  });
}
