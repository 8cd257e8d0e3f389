/** A partner whose certificates must chain to an authority: revoked, they prove and protect nothing any more. */
import { copyFileSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { CA, LEAF, SmallCa } from "../pki/small-ca.ts";
import { type Gateway, site, waitFor } from "./harness.ts";

const flow = (id: string, lines: string) => `[[cftsend]]\nid = "${id}"\nnfname = "${id}"\n${lines}\n`;
const registered = (part: string) => `[[pki]]
id = "theirs"
part = "${part}"
file = "pki/${part.toLowerCase()}.pem"
`;
const AUTHORITY = `[[pki]]
id = "acme-ca"
file = "pki/acme-ca.pem"
usage = ["ca"]
crlfile = ["pki/acme-ca.crl"]
`;

/** Adds keys to the partner object. */
async function partner(gateway: Gateway, lines: string): Promise<void> {
  const text = await fs.readFile(gateway.partnerFile, "utf8");
  await fs.writeFile(gateway.partnerFile, text.replace(/^(id\s*=.*\n)/m, `$1${lines}\n`));
}

test("rootcid and crl: good until it is revoked, then nothing; and good again when it was a mistake", async (t) => {
  const { hub, acme } = await site(t, {
    prot: ["OFTP"],
    hub: {
      more: registered("ACME") + AUTHORITY + flow("E", "encrypt = true") + flow("R", "signed_eerp = true"),
    },
    acme: {
      more: `${registered("HUB") + flow("S", "sign = true")}[[cftrecv]]\nid = "R"\nackmode = "manual"\n`,
    },
  });
  const ca = new SmallCa(join(hub.directory, "ca"));
  const rsa = { newkey: "rsa:2048" };
  const root = ca.issue("acme-ca", { extensions: CA, ...rsa });
  const leaf = ca.issue("acme", { issuer: root, extensions: LEAF, ...rsa });
  for (const { directory } of [hub, acme]) copyFileSync(leaf.file, join(directory, "pki", "acme.pem"));
  copyFileSync(leaf.key, join(acme.directory, "pki", "acme.key"));
  copyFileSync(root.file, join(hub.directory, "pki", "acme-ca.pem"));
  const list = (revoked: boolean, until = 48) => {
    const content = ca.crl(root, revoked ? [leaf] : [], { from: -72, until, pem: true });
    writeFileSync(join(hub.directory, "pki", "acme-ca.crl"), content);
  };
  list(false);
  await partner(hub, 'rootcid = ["acme-ca"]\ncrl = "require"');
  await Promise.all([hub.start(), acme.start()]);
  const sent = async (gateway: Gateway, idf: string) =>
    (await gateway.transfers({ direct: "send" })).filter((transfer) => transfer.idf === idf);

  await acme.drop("S/file", "signed");
  await hub.drop("E/file", "encrypted");
  await hub.drop("R/file", "to be receipted");
  await waitFor("signed and encrypted files are delivered", async () =>
    [...(await sent(acme, "S")), ...(await sent(hub, "E"))].every(({ ack }) => ack === "A"),
  );
  await waitFor("the third waits for its receipt", async () => (await sent(hub, "R"))[0]?.state === "Z");
  t.strictSame(hub.messages("CFTY18E"), []);

  list(false, -24);
  t.equal((await hub.cli("reload")).status, 0, "a list that is out of date");
  await acme.drop("S/meanwhile", "signed while nobody can tell");
  await waitFor("it is tried again later", () => hub.messages("CFTF25E").length > 0);
  t.match(hub.messages("CFTF25E").join(), /PKI_ERR_CERT_UNKNOWN/);
  list(false);
  t.equal((await hub.cli("reload")).status, 0);
  const meanwhile = async () => (await sent(acme, "S")).filter(({ ack }) => ack === "A").length === 2;
  await waitFor("it is delivered when somebody can", meanwhile, { timeout: 60_000 });

  list(true);
  t.equal((await hub.cli("reload")).status, 0, "a new list is something new");
  await acme.drop("S/again", "signed by a revoked certificate");
  await waitFor("the response is negative", async () =>
    (await sent(acme, "S")).some(({ ack }) => ack === "N"),
  );
  t.match(
    (await sent(acme, "S")).find(({ ack }) => ack === "N"),
    { diagp: "NERP 31" },
  );
  t.equal((await fs.readdir(hub.inbox())).length, 2, "it is not in the inbox");
  t.match(
    hub.messages("CFTY18E").join(),
    /PKI_ERR_CERT_REVOKED: certificate "CN=acme.*was revoked on .*sign of ACME/,
  );

  await hub.drop("E/again", "not to be encrypted for it");
  await waitFor("it stops here", async () => (await sent(hub, "E")).some(({ state }) => state === "K"));
  const stopped = (await sent(hub, "E")).find(({ state }) => state === "K");
  t.match(stopped, { diagi: 278, diagp: "SECURITY" });
  const shown = await hub.cli("display", stopped?.idtu ?? "");
  t.match(shown.stdout, /PKI_ERR_CERT_REVOKED/, "why, in words");
  t.match(await hub.cli("start", stopped?.idtu ?? ""), { status: 1, stderr: /PKI_ERR_CERT_REVOKED/ });

  const [held] = await acme.transfers({ direct: "recv", state: "Z" });
  t.equal((await acme.cli("end", held?.idtu ?? "")).status, 0);
  await waitFor("its receipt came", () => hub.messages("CFTH79E").length > 0);
  t.match(hub.messages("CFTH79E").join(), /PKI_ERR_CERT_REVOKED/);
  t.match((await sent(hub, "R"))[0], { state: "Z", ack: "" }, "and does not count");

  for (const gateway of [hub, acme]) {
    await partner(gateway, 'require = ["auth"]');
    t.equal((await gateway.cli("reload")).status, 0);
  }
  t.not((await acme.cli("test-partner", "HUB")).status, 0, "no session with it either");
  t.match(hub.messages("CFTH23E").join(), /secure authentication.*PKI_ERR_CERT_REVOKED/);

  list(false);
  t.equal((await hub.cli("reload")).status, 0);
  t.equal((await hub.cli("start", stopped?.idtu ?? "")).status, 0);
  await waitFor("it is delivered after all, over an authenticated session", async () =>
    (await sent(hub, "E")).every(({ ack }) => ack === "A"),
  );
});
