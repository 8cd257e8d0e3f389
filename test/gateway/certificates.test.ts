/** Certificates exchanged over OFTP between two gateways: asked for, delivered, refused, and what level it takes. */
import { join } from "node:path";
import { test } from "tap";
import {
  answered,
  done,
  exchange,
  fingerprintOf,
  logged,
  pair,
  passes,
  SEALED,
  SLOW,
  stateOf,
  transferOf,
} from "./handing-over.ts";
import { filesBelow, waitFor } from "./harness.ts";

test("request, accepted by hand on both sides: answered by deliver, then files are sealed and signed with them", async (t) => {
  const { hub, acme } = await pair(t, { more: SEALED });
  const [ofHub, ofAcme] = [await fingerprintOf(hub, "hub"), await fingerprintOf(acme, "acme")];
  const request = await exchange(t, hub, "request");
  await logged(acme, "CFTH91W", ofHub);
  await waitFor("it has arrived", async () => (await transferOf(hub, request))?.state === "Z", SLOW);
  t.match(await transferOf(hub, request), {
    idf: "CERT_REQUEST",
    nfname: "ODETTE_CERTIFICATE_REQUEST",
    ack: "",
  });
  const [waiting] = await acme.transfers({ direct: "recv" });
  t.match(waiting, { idf: "CERT_REQUEST", phase: "Z", phasestep: "H", ack: "" });
  t.equal(await stateOf(t, acme, ofHub), "pending");
  t.equal((await acme.cli("end", waiting?.idtu ?? "")).status, 1, "nobody answers it without a decision");
  t.strictSame(await filesBelow(join(acme.rundir, "inbox")), [], "a certificate is no file for the inbox");

  // the gateway dies, and somebody decides while it is down
  await acme.kill("SIGKILL");
  await done(t, acme, "pki", "accept", ofHub.slice(0, 11));
  await acme.start();
  await answered(hub, request, "A");
  await logged(hub, "CFTH91W", ofAcme);
  t.equal(
    (await acme.transfers({ direct: "send" })).length,
    1,
    "one answer, although it was looked at twice",
  );
  await done(t, hub, "pki", "accept", ofAcme);
  const [deliver] = await acme.transfers({ direct: "send" });
  t.equal(deliver?.idf, "CERT_DELIVER");
  await answered(acme, deliver?.idtu ?? "", "A");

  t.match(await passes(hub, "SEALED"), { ack: "A" });
  t.match(await passes(acme, "SEALED"), { ack: "A" });
  for (const [gateway, partner, kind] of [
    [hub, "ACME", "request"],
    [acme, "HUB", "deliver"],
  ] as const) {
    await logged(gateway, "CFTH94I", "");
    const own = await done(t, gateway, "pki", "show", "own");
    t.match(
      own.handovers,
      [{ part: partner, kind, answer: "accepted" }],
      "what became of it stands beside it",
    );
  }
  t.match((await hub.cli("pki", "show", "own")).stdout, /requested from ACME \d{4}-\d\d-\d\d, accepted/);
  t.match((await hub.cli("pki", "list")).stdout, /ACME accepted/);

  // the same once more: nothing new, answered at once
  await answered(hub, await exchange(t, hub, "deliver"), "A");
  t.equal((await done(t, acme, "pki", "list", "--part", "HUB")).length, 1);
  t.strictSame(await filesBelow(join(acme.rundir, "work")), [], "no work file is left");
});

test("refused: the sender hears why, and the certificate goes on being refused until somebody thinks better of it", async (t) => {
  const { hub, acme } = await pair(t);
  const fingerprint = await fingerprintOf(hub, "hub");
  const first = await exchange(t, hub, "deliver");
  await logged(acme, "CFTH91W", fingerprint);
  const second = await exchange(t, hub, "deliver");
  await waitFor("both wait", async () => (await acme.transfers({ state: "Z" })).length === 2, SLOW);
  await done(t, acme, "pki", "refuse", fingerprint, "--note", "not before December");
  for (const idtu of [first, second]) {
    await answered(hub, idtu, "N");
    t.match(await transferOf(hub, idtu), { diagp: "NERP 34" });
    t.match((await transferOf(hub, idtu))?.diagc, "not before December");
  }
  await logged(hub, "CFTH94W", "not before December");
  t.match((await done(t, hub, "pki", "show", "own")).handovers, [{ answer: "refused" }]);
  await answered(hub, await exchange(t, hub, "deliver"), "N");
  await done(t, acme, "pki", "accept", fingerprint);
  await answered(hub, await exchange(t, hub, "deliver"), "A");
});

test("below level 5 a certificate stays here and says why", async (t) => {
  const { hub, acme } = await pair(t, { acme: { level: [4, 2, 1] } });
  const held = await exchange(t, hub, "deliver");
  await waitFor("it is held", async () => (await transferOf(hub, held))?.state === "H", SLOW);
  t.match((await transferOf(hub, held))?.diagc, /level 5.*this session has level 4/);
  t.strictSame(await acme.transfers(), [], "not even offered");
  const refused = await acme.cli("pki", "exchange", "deliver", "--part", "HUB");
  t.equal(refused.status, 1);
  t.match(refused.stderr, /level 5/);
  for (const [args, words] of [
    [["--part", "NOBODY"], /no partner NOBODY; known are ACME/],
    [
      ["--part", "ACME", "--id", "root"],
      /no \[\[pki\]\] of this site with a key has the id root; known are own/,
    ],
  ] as const) {
    const { status, stderr } = await hub.cli("pki", "exchange", "deliver", ...args);
    t.equal(status, 1);
    t.match(stderr, words);
  }
  t.equal((await hub.cli("pki", "exchange", "steal", "--part", "ACME")).status, 2);
});
