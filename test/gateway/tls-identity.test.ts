import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { callerToml, edit, Raw, selfSigned, ssid } from "./extra.ts";
import { site, waitFor } from "./harness.ts";

test("a caller's certificate must be that of the partner whose code it sends: ESID 03", {
  timeout: 600_000,
}, async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"], retryw: "100ms", disctd: "300ms" });
  const pki = join(hub.directory, "pki");
  for (const name of ["third", "strict"]) selfSigned(pki, name, name);
  const server = 'usercid = "own"\nverify  = ';
  await edit(hub, "cygnet.toml", (text) =>
    text.replace(`${server}"none"`, `${server}"optional"\nrootcid = ["root"]`),
  );
  const profile = (id: string, direct: string, more: string) =>
    `[[cftssl]]\nid = "${id}"\ndirect = "${direct}"\nusercid = "own"\n${more}\n`;
  await hub.write(
    "partners.d/raw.toml",
    [
      callerToml("OTHER"),
      callerToml("STRICT", ["OFTPS"], 'ssl = "GUEST"'),
      profile("GUEST", "server", 'rootcid = ["strict"]\ndnuser = \'"/CN=strict/"\'\nversion = ["1.3"]'),
      callerToml("LAX", ["OFTPS"], 'ssl = "CLIENTS"'),
      profile("CLIENTS", "client", 'rootcid = ["root"]'),
      '[[pki]]\nid = "strict"\nfile = "pki/strict.pem"\n',
    ].join("\n"),
  );
  const registered = (file: string) =>
    `\n[[pki]]\nid = "acme-tls"\npart = "ACME"\nusage = ["tls"]\nfile = "pki/${file}.pem"\n`;
  await appendFile(hub.partnerFile, registered("acme"));
  await Promise.all([hub.start(), acme.start()]);
  await waitFor("TLS to be there", () => hub.messages("CFTY08I").length === 1);

  const identity = async (name: string) => ({
    cert: await readFile(join(pki, `${name}.pem`)),
    key: await readFile(join(pki, `${name}.key`)),
  });
  const IN = "SSID";
  const rows: [
    code: string,
    certificate: string,
    outcome: string,
    reason: RegExp | null,
    options?: object,
  ][] = [
    ["ACME", "acme", IN, null],
    ["ACME", "third", "ESID 03", /none of the certificates registered/],
    ["ACME", "", "ESID 03", /no certificate was shown/],
    ["OTHER", "", IN, null],
    ["OTHER", "third", IN, null],
    ["OTHER", "acme", "ESID 03", /registered for ACME/],
    ["STRICT", "strict", IN, null],
    ["STRICT", "strict", "ESID 03", /GUEST asks for TLSv1\.3, not TLSv1\.2/, { maxVersion: "TLSv1.2" }],
    ["STRICT", "third", "ESID 03", /PKI_ERR_CA_NOT_FOUND/],
    ["STRICT", "", "ESID 03", /PKI_ERR_CERT_NOT_FOUND/],
    ["LAX", "", IN, null],
  ];
  for (const [code, certificate, outcome, reason, options] of rows) {
    const name = `${code} with ${certificate || "no certificate"}`;
    const before = hub.messages("CFTT48E").length;
    const own = { ...(certificate ? await identity(certificate) : {}), ...options };
    const raw = await Raw.connect(hub.ports.OFTPS, own);
    await raw.expect("SSRM");
    raw.send(ssid({ code: `O0999${code}`, pswd: `${code}PW` }));
    const answer = await raw.next();
    const seen = answer?.type === "ESID" ? `ESID ${String(answer.reas).padStart(2, "0")}` : answer?.type;
    t.equal(seen, outcome, name);
    raw.close();
    if (!reason) continue;
    await waitFor(`the log of ${name}`, () => hub.messages("CFTT48E").length > before);
    t.match(hub.messages("CFTT48E").at(-1), reason, `${name}: why`);
  }
  await waitFor("the last line", () => hub.messages("CFTT47W").length > 0);
  t.equal(
    hub.messages("CFTT48E").length,
    rows.filter(([, , , reason]) => reason).length,
    "nobody else was refused",
  );
  t.match(hub.messages("CFTH22E").at(-1), /DIAGI=278/);
  t.match(hub.messages("CFTT47W"), [/PART=LAX/], "the missing server profile is said once, for its one call");

  await t.test("and so must the certificate of whom we call", async (t) => {
    await hub.drop("one.bin", "one");
    await waitFor("one.bin", async () => (await hub.transfer("send", "one.bin"))?.state === "X");
    const { number } = (await hub.status()).generation;
    await edit(hub, "partners.d/acme.toml", (text) => text.replace("pki/acme.pem", "pki/third.pem"));
    await waitFor("the reload", async () => (await hub.status()).generation.number > number);
    await hub.drop("two.bin", "two");
    await waitFor("two.bin", async () => (await hub.transfer("send", "two.bin"))?.state === "K");
    t.match(await hub.transfer("send", "two.bin"), {
      diagi: 260,
      diagp: "PKI 46",
      diagc: /registered for the partner/,
    });
    await waitFor("CFTY18E", () => hub.messages("CFTY18E").length > 0);
    t.match(hub.messages("CFTY18E").at(-1), /CR=PKI_ERR_CERT_UNKNOWN/);
  });

  await t.test(
    "files that cannot be read, or make no sense, are told in Transfer CFT's words too",
    async (t) => {
      const broken = async (to: string) => {
        const rejected = hub.messages("CFTS85W").length;
        await edit(hub, "partners.d/acme.toml", (text) =>
          text.replace(/file = "pki\/.*"/, `file = "pki/${to}"`),
        );
        await waitFor("the rejection", () => hub.messages("CFTS85W").length > rejected);
      };
      await broken("nowhere.pem");
      t.match(hub.messages("CFTY04E").at(-1), /PKIFNAME=\S+\/nowhere\.pem CAUSE=FMALLOC CR=-1/);
      await broken("acme.key");
      t.match(hub.messages("CFTY05E").at(-1), /PKIFNAME=\S+\/acme\.key/);
      const rejected = hub.messages("CFTS85W").length;
      await edit(hub, "partners.d/acme.toml", (text) =>
        text.replace(/file = "pki\/.*"/, 'file = "pki/acme.pem"'),
      );
      await edit(hub, "cygnet.toml", (text) =>
        text.replace('direct  = "client"', '$&\nciphlist = "NO-SUCH-SUITE"'),
      );
      await waitFor(
        "the rejection",
        () => hub.messages("CFTS85W").length > rejected && hub.messages("CFTY03E").length > 0,
      );
      t.match(hub.messages("CFTY03E").at(-1), /CAUSE=STARTPKI CR=-1 CS=CYG_TLS_CIPHERS/);
    },
  );
  await hub.kill("SIGTERM");
  t.match(hub.log(), /CFTY09I[^\n]*\n[^\n]*CFTE09I/, "and TLS is gone");
});
