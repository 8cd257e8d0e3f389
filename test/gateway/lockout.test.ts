/** Who guesses waits, and nobody else does: real sockets from several addresses of this machine. */
import { connect } from "node:net";
import { test } from "tap";
import type { Ssid } from "../../src/oftp/wire/commands.ts";
import { frame } from "../../src/oftp/wire/stream.ts";
import { callerToml, edit, Raw, ssid } from "./extra.ts";
import { site, waitFor } from "./harness.ts";

/** One session from an address of this machine: "open", "ESID 04", or "closed" when nothing was said. */
async function visit(port: number, from: string, who: Partial<Ssid> = {}): Promise<string> {
  const raw = Raw.accept(connect({ host: "127.0.0.1", port, localAddress: from }));
  const first = await raw.next();
  if (first === null) return "closed";
  raw.send(ssid(who));
  const answer = await raw.next();
  if (answer?.type === "ESID") {
    raw.close();
    return `ESID ${String(answer.reas).padStart(2, "0")}`;
  }
  raw.close();
  return answer?.type === "SSID" ? "open" : "closed";
}

test("repeated refusals, by address and by code", { timeout: 180_000 }, async (t) => {
  const { hub } = await site(t, { lockout: 3 });
  await edit(hub, "cygnet.toml", (text) =>
    text.replace("lockout = 3", 'lockout = 3\nlockout_max = "1h"\nlockout_forget = "1h"'),
  );
  await hub.write("partners.d/raw.toml", callerToml("RAW") + callerToml("BETA"));
  await hub.start();
  const port = hub.ports.OFTP;
  const wrong = { pswd: "GUESS" };
  const beta = { code: "O0999BETA", pswd: "BETAPW" };

  await t.test("an address", async (t) => {
    for (const who of [wrong, { code: "O0999NOBODY" }])
      t.match(await visit(port, "127.0.0.2", who), /ESID 0[34]/);
    t.equal(await visit(port, "127.0.0.2"), "open", "the right password settles it");
    for (let time = 0; time < 3; time++) t.equal(await visit(port, "127.0.0.2", wrong), "ESID 04");
    t.equal(await visit(port, "127.0.0.2"), "closed", "not a word");
    t.equal(await visit(port, "127.0.0.1"), "open", "the partner from its own address");
    t.equal(await visit(port, "127.0.0.1", beta), "open", "and another");
    const [line] = hub.messages("CFTN70W");
    t.match(line, /Locked out for \d+ s after 3 refusals: address 127\.0\.0\.2 <NET=LOCAL HOST=127\.0\.0\.2/);
    await waitFor("the word of the closed call", () =>
      hub.messages("CFTN05W").some((text) => /locked out/.test(text)),
    );
    const { lockouts } = await hub.status();
    t.match(
      new Set(lockouts.map(({ net, kind, id }) => `${net} ${kind} ${id}`)),
      new Set(["LOCAL address 127.0.0.2", "LOCAL code O0999RAW"]),
    );
    t.match(
      (await hub.cli("status")).stdout,
      /locked out address 127\.0\.0\.2 on LOCAL until .*: 3 refusals/,
    );
    t.match((await hub.cli("metrics")).stdout, /cygnet_lockouts\{net="LOCAL",kind="address"\} 1\n/);
  });

  await t.test("an operator hears it again", async (t) => {
    t.match(await hub.cli("act", "127.0.0.9"), { status: 1, stderr: /not locked out/ });
    t.match(await hub.cli("inact", "127.0.0.2"), { status: 1, stderr: /cftnet.deny/ });
    t.match(await hub.cli("act", "127.0.0.2"), { status: 0, stdout: /address 127\.0\.0\.2: heard/ });
    t.equal(await visit(port, "127.0.0.2"), "open");
    t.equal(hub.messages("CFTN70I").length, 1);
  });

  await t.test("a code, guessed at from many addresses", async (t) => {
    for (const last of [4, 5, 6]) t.equal(await visit(port, `127.0.0.${last}`, wrong), "ESID 04");
    t.equal(await visit(port, "127.0.0.5"), "ESID 08", "even with the right password");
    const told = () =>
      hub.messages("CFTH22E").some((line) => /locked out .*DIAGI=425 HOST=127\.0\.0\.5/.test(line));
    await waitFor("the word of it", told);
    t.equal(await visit(port, "127.0.0.5", beta), "open", "another partner behind the same address");
    t.equal(await visit(port, "127.0.0.7"), "open", "the partner from an address that did nothing");
    t.match(await hub.cli("act", "RAW"), { status: 0 });
    t.equal(await visit(port, "127.0.0.5"), "open");
  });

  await t.test("a reload that switches it off lets everybody in", async (t) => {
    for (let time = 0; time < 3; time++) await visit(port, "127.0.0.8", wrong);
    t.equal(await visit(port, "127.0.0.8"), "closed");
    await edit(hub, "cygnet.toml", (text) => text.replace("lockout = 3", "lockout = 0"));
    await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
    t.equal(await visit(port, "127.0.0.8"), "open");
    for (let time = 0; time < 5; time++) t.equal(await visit(port, "127.0.0.8", wrong), "ESID 04");
  });

  await t.test("nobody gets much memory before it has said who it is", async (t) => {
    const raw = await Raw.connect(port);
    await raw.expect("SSRM");
    raw.buffer("X".repeat(2049));
    t.equal(await raw.outcome(), "ESID 07");
    const known = await Raw.connect(port);
    await known.open({ sdeb: 99_999 });
    known.bytes(frame(Buffer.alloc(2049, "X")));
    t.equal(await known.outcome(), "ESID 06", "afterwards it is only not understood");
  });
});
