/** Who is refused too often waits, and nobody else: with a clock that is moved by hand, and at a real TLS port. */
import { once } from "node:events";
import fc from "fast-check";
import { test } from "tap";
import { Admission } from "../../src/net/admission.ts";
import { type LockoutRules, Lockouts } from "../../src/net/lockouts.ts";
import { serverTls } from "../../src/net/tls.ts";
import { issue, trust } from "./authority.ts";
import { open } from "./gate.ts";
import { ManualClock } from "./manual-clock.ts";
import { client } from "./openssl.ts";
import { Recorder } from "./recorder.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const RULES: LockoutRules = { lockout: 3, lockout_max: 60 * SECOND, lockout_forget: 15 * MINUTE };
const EVERYBODY = { maxcnx: 50, allow: [], deny: [] };

function accounts(rules: Partial<LockoutRules> = {}) {
  const clock = new ManualClock();
  const journal = new Recorder();
  const lockouts = new Lockouts("N1", journal, clock);
  lockouts.update({ ...RULES, ...rules });
  const refuse = (address: string, code: string | null, times = 1) => {
    for (let time = 0; time < times; time++) lockouts.standing(address).refused(code);
  };
  return { clock, journal, lockouts, refuse };
}

test("waits grow from refusal to refusal, up to the bound, and are told of", async (t) => {
  const { clock, journal, lockouts, refuse } = accounts();
  const waits: number[] = [];
  for (let refusal = 1; refusal <= 8; refusal++) {
    refuse("192.0.2.1", "ACME");
    const wait = lockouts.address("192.0.2.1");
    waits.push(wait / SECOND);
    t.equal(lockouts.standing("192.0.2.1").locked("ACME"), wait, "the code from there likewise");
    clock.advance(wait);
    t.equal(lockouts.address("192.0.2.1"), 0, "over when it is over");
  }
  t.same(waits, [0, 0, 10, 20, 40, 60, 60, 60]);
  const first = journal.entries.slice(0, 2).map(({ variables }) => variables);
  t.match(first, [
    { net: "N1", host: "192.0.2.1", n: 3, seconds: 10 },
    { net: "N1", npart: "ACME", n: 3, seconds: 10 },
  ]);
  t.equal(lockouts.count, 12);
});

test("what is said during a wait does not prolong it", async (t) => {
  const { clock, lockouts, refuse } = accounts();
  refuse("192.0.2.1", "ACME", 3);
  clock.advance(9 * SECOND);
  // sessions that were let in before
  refuse("192.0.2.1", "ACME", 20);
  t.equal(lockouts.address("192.0.2.1"), SECOND);
  clock.advance(SECOND);
  t.equal(lockouts.address("192.0.2.1"), 0);
});

test("success and quiet settle what was refused", async (t) => {
  const { clock, lockouts, refuse } = accounts();
  refuse("192.0.2.1", "ACME", 2);
  lockouts.standing("192.0.2.1").accepted("ACME");
  refuse("192.0.2.1", "ACME", 2);
  t.same(lockouts.list(), [], "two and two are no three with a success between them");
  clock.advance(RULES.lockout_forget);
  refuse("192.0.2.1", "ACME", 2);
  t.same(lockouts.list(), [], "nor with a quarter of an hour");
  refuse("192.0.2.1", "ACME");
  t.match(lockouts.list(), [
    { kind: "address" },
    { kind: "code", id: "ACME", refusals: 3, left: 10 * SECOND },
  ]);

  const other = accounts();
  other.refuse("192.0.2.1", "ACME", 2);
  other.lockouts.standing("192.0.2.1").accepted("BETA");
  other.refuse("192.0.2.1", "ACME");
  t.equal(other.lockouts.address("192.0.2.1"), 0, "a partner of one's own opens the address");
  t.ok(other.lockouts.standing("192.0.2.1").locked("ACME") > 0, "but not the code that is guessed at");
});

test("a code is guarded against many addresses, and only against those", async (t) => {
  const { clock, lockouts, refuse } = accounts();
  for (const last of [1, 2, 3]) refuse(`192.0.2.${last}`, "ACME");
  for (const last of [1, 2, 3]) {
    t.equal(lockouts.address(`192.0.2.${last}`), 0, "each address for itself may speak");
    t.equal(lockouts.standing(`192.0.2.${last}`).locked("ACME"), 10 * SECOND, "not for this code");
    t.equal(lockouts.standing(`192.0.2.${last}`).locked("BETA"), 0, "for another");
  }
  t.equal(lockouts.standing("192.0.2.9").locked("ACME"), 0, "the partner from its own address");
  clock.advance(RULES.lockout_forget - 1);
  for (let time = 0; time < 4; time++) {
    refuse("192.0.2.1", "ACME");
    clock.advance(70 * SECOND);
  }
  refuse("192.0.2.1", "ACME");
  t.ok(lockouts.standing("192.0.2.1").locked("ACME") > 0);
  t.equal(
    lockouts.standing("192.0.2.2").locked("ACME"),
    0,
    "one that was refused once is free after its own quiet",
  );
});

test("strangers' codes and certificates count for the address alone; a network of IPv6 is one address", async (t) => {
  const { lockouts, refuse } = accounts();
  for (const host of ["2001:db8:0:1::5", "2001:db8::1:0:0:0:6", "2001:0db8:0000:0001:ffff::1"])
    refuse(host, null);
  t.ok(lockouts.address("2001:db8:0:1:aaaa:bbbb:cccc:dddd") > 0);
  t.equal(lockouts.address("2001:db8:0:2::5"), 0);
  t.same(
    lockouts.list().map(({ kind, id }) => [kind, id]),
    [["address", "2001:db8:0:1::/64"]],
  );
  t.ok(lockouts.clear("2001:db8:0:1::77"), "an operator may name any address of it");
  t.equal(lockouts.address("2001:db8:0:1::5"), 0);
});

test("an operator settles an address, or a partner's code with all who were refused with it", async (t) => {
  const { journal, lockouts, refuse } = accounts();
  refuse("192.0.2.1", "ACME", 5);
  refuse("192.0.2.2", "BETA", 5);
  t.ok(lockouts.clear("ACME"));
  t.equal(lockouts.address("192.0.2.1"), 0);
  t.ok(lockouts.address("192.0.2.2") > 0);
  t.ok(lockouts.clear("192.0.2.2"));
  t.equal(lockouts.standing("192.0.2.2").locked("BETA"), 0);
  t.notOk(lockouts.clear("192.0.2.2"), "nothing is left");
  t.equal(journal.ids().filter((id) => id === "CFTN70I").length, 2);
});

test("0 locks nobody out, and a reload to 0 settles everything", async (t) => {
  const { lockouts, refuse } = accounts({ lockout: 0 });
  refuse("192.0.2.1", "ACME", 100);
  t.equal(lockouts.address("192.0.2.1"), 0);
  lockouts.update(RULES);
  refuse("192.0.2.1", "ACME", 100);
  t.ok(lockouts.address("192.0.2.1") > 0);
  lockouts.update({ ...RULES, lockout: 0 });
  t.equal(lockouts.address("192.0.2.1"), 0);
});

test("a partner with a wrong password is heard a few minutes after it was corrected, whenever that is", async (t) => {
  const rules = { lockout: 10, lockout_max: 5 * MINUTE, lockout_forget: 15 * MINUTE };
  for (const every of [5 * SECOND, MINUTE, 20 * MINUTE]) {
    const { clock, lockouts, refuse } = accounts(rules);
    const heard = () =>
      lockouts.address("192.0.2.1") === 0 && lockouts.standing("192.0.2.1").locked("ACME") === 0;
    for (let now = 0; now < 24 * 60 * MINUTE; now += every) {
      if (heard()) refuse("192.0.2.1", "ACME");
      clock.advance(every);
    }
    let waited = 0;
    while (!heard()) {
      clock.advance(every);
      waited += every;
    }
    t.ok(waited <= rules.lockout_max + every, `calling every ${every / SECOND} s: ${waited / SECOND} s`);
  }
});

test("property: whatever others do, who was not refused is heard", async (t) => {
  const attacker = fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1");
  const code = fc.constantFrom("ACME", "BETA", null);
  const step = fc.record({ attacker, code, wait: fc.nat(2 * MINUTE), success: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, lockouts } = accounts();
      const honest = lockouts.standing("198.51.100.7");
      for (const { attacker, code, wait, success } of steps) {
        const standing = lockouts.standing(attacker);
        if (success && code) standing.accepted(code);
        else standing.refused(code);
        clock.advance(wait);
        if (lockouts.address("198.51.100.7") > 0 || honest.locked("ACME") > 0 || honest.locked("BETA") > 0)
          return false;
        if (lockouts.list().some(({ left }) => left > RULES.lockout_max)) return false;
      }
      return true;
    }),
  );
  t.pass("held for 100 histories");
});

test("memory is bounded: the oldest accounts make room", async (t) => {
  const { lockouts, refuse } = accounts({ lockout: 1 });
  const name = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  for (let index = 0; index < 10_001; index++) refuse(name(index), "ACME");
  t.equal(lockouts.address(name(0)), 0);
  t.ok(lockouts.address(name(1)) > 0 && lockouts.address(name(10_000)) > 0);
  t.equal(lockouts.list().length, 10_001, "ten thousand addresses and one code");
});

test("at the door: who is locked out is not heard, and half of the seats is all that silence gets", async (t) => {
  const [clock, journal] = [new ManualClock(), new Recorder()];
  const admission = new Admission("N1", { ...EVERYBODY, ...RULES, maxcnx: 20 }, journal, clock);
  const enter = (address: string) => admission.enter(address, 1, "OFTP", () => {});
  const seat = enter("192.0.2.1");
  for (let time = 0; time < 3; time++) seat?.standing?.refused(null);
  t.equal(enter("192.0.2.1"), null);
  t.match(admission.counters, { locked: 1, accepted: 1 });
  t.match(journal.find("CFTN05W"), { host: "192.0.2.1", text: /locked out for another 10 s/ });
  t.ok(enter("192.0.2.2"), "others are heard");
  clock.advance(10 * SECOND);
  t.ok(enter("192.0.2.1"));

  const flood = Array.from({ length: 15 }, () => enter("203.0.113.5"));
  t.equal(flood.filter((each) => each !== null).length, 10, "one address, ten silent seats of twenty");
  t.ok(enter("192.0.2.3"), "and the others have theirs");
  for (const each of flood) each?.recognised();
  t.ok(enter("203.0.113.5"), "who is recognised is not silent");
});

test("at a real port: a caller whose certificate is refused again and again", {
  timeout: 120_000,
}, async (t) => {
  const folder = t.testdir();
  const ca = await issue(folder, "ca", { ca: true });
  const server = await issue(folder, "hub", { issuer: ca });
  const good = await issue(folder, "good", { issuer: ca });
  const foreign = await issue(folder, "foreign");
  const tls = serverTls({
    id: "TLS",
    material: server.material,
    roots: [ca.material],
    verify: "required",
    versions: [],
    ciphers: "",
    trust,
  });
  const clock = new ManualClock();
  const gate = await open(() => tls, undefined, { clock, ...RULES });
  t.teardown(() => gate.listener.drop());
  const refused = () => gate.journal.ids().filter((id) => id === "CFTY13E").length;
  const show = ({ certificate, key }: typeof good) => ["-cert", certificate, "-key", key];
  for (const [index, args] of [[], show(foreign), []].entries()) {
    const caller = client(gate.port, ...args);
    while (refused() <= index) await once(gate.journal, "entry");
    await caller.ended;
  }
  t.match(gate.journal.find("CFTN70W"), { host: "127.0.0.1", n: 3 });
  await client(gate.port, ...show(good)).ended;
  t.match(gate.admission.counters, { locked: 1 }, "not even the right certificate is looked at");
  t.equal(gate.connections.length, 0);
  clock.advance(10 * SECOND);
  const caller = client(gate.port, ...show(good));
  await gate.journal.until("CFTY15I");
  await caller.ended;
  t.equal(refused(), 3);
});
