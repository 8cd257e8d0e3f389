/** Warnings before certificates end: once for each threshold and start, in days that pass by hand. */
import { test } from "tap";
import type { CertificateInUse, Credentials } from "../../src/engine/credentials.ts";
import { ExpiryWatch } from "../../src/engine/expiry.ts";
import { catalogue } from "../../src/messages/catalogue.ts";
import type { MessageVariables } from "../../src/messages/journal.ts";
import { ManualClock } from "../net/manual-clock.ts";
import { make } from "./certificates.ts";

const DAY = 24 * 3600 * 1000;

test("60, 30, 7, 1 days before a certificate ends, and when it has ended", async (t) => {
  const folder = t.testdir();
  const clock = new ManualClock();
  const inUse = async (id: string, part: string, to: number, ca = false): Promise<CertificateInUse> => ({
    id,
    part,
    certificate: await make(folder, id.replace("/", "-"), { from: -10, to, now: 0, ca }),
  });
  const used = [
    await inUse("hub", "", 100),
    await inUse("ACME/12345678", "ACME", 45, false),
    await inUse("root", "", 5000, true),
  ];
  const log: { id: string; variables: MessageVariables }[] = [];
  const watch = new ExpiryWatch(
    () => ({ inUse: () => [...used] }) as unknown as Credentials,
    {
      emit(id, variables = {}) {
        log.push({ id, variables });
        for (const { name, optional } of catalogue.get(id)?.variables ?? [])
          t.ok(optional || variables[name] !== undefined, `${id} has ${name}`);
      },
    },
    clock,
  );
  const told = () => log.splice(0).map(({ id, variables }) => `${id} ${variables.id} ${variables.days}`);
  watch.start();
  t.strictSame(told(), ["CFTS79W ACME/12345678 45"], "at the start");
  watch.check();
  t.strictSame(told(), [], "once");
  const days: [number, string][] = [];
  for (let day = 1; day <= 110; day++) {
    clock.advance(DAY);
    days.push(...told().map((line): [number, string] => [day, line]));
  }
  t.strictSame(days, [
    [15, "CFTS79W ACME/12345678 30"],
    [38, "CFTS79W ACME/12345678 7"],
    [40, "CFTS79W hub 60"],
    [44, "CFTS79W ACME/12345678 1"],
    [46, "CFTS79E ACME/12345678 -1"],
    [70, "CFTS79W hub 30"],
    [93, "CFTS79W hub 7"],
    [99, "CFTS79W hub 1"],
    [101, "CFTS79E hub -1"],
  ]);
  t.strictSame(
    watch.list().map(({ id, days }) => `${id} ${days}`),
    ["ACME/12345678 -65", "hub -10", "root 4890"],
    "what ends first stands first",
  );
  used.push(await inUse("late", "", 111.5, true));
  watch.check();
  const [late] = log;
  t.match(late, { id: "CFTS79W", variables: { type: "ROOT", date: "1970-04-22", days: 1, part: undefined } });
  t.match(late?.variables.fingerprint, /^([0-9A-F]{2}:){31}/);
  watch.stop();
  clock.advance(10 * DAY);
  t.equal(log.length, 1, "stopped");
});
