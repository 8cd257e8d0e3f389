/** The image, as far as it can be tried without a machine: its file system boots, sets itself up and works. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { makeDebianPackage } from "../../scripts/package/debian.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { waitFor } from "../gateway/harness.ts";
import { Machine, noMachine } from "./machine.ts";

test("an image sets itself up at its first boot", { skip: noMachine, timeout: 1_800_000 }, async (t) => {
  const place = mkdtempSync("/var/tmp/cygnet-image-test-");
  t.teardown(() => rmSync(place, { recursive: true, force: true }));
  const root = projectRoot();
  const deb = makeDebianPackage({ root, out: place, compression: "none" });
  const answers = join(place, "answers");
  const lines = ["SITE=HUB", "CODE=O0013000001HUB", "HOST=oftp.example.com", "ORGANISATION=Example GmbH"];
  writeFileSync(
    answers,
    [...lines, "COUNTRY=DE", "CERTIFICATE=self", "LISTEN=all", "ALLOW=192.0.2.0/24 2001:db8::/32", ""].join(
      "\n",
    ),
  );
  const build = join(root, "image", "build.sh");
  const machine = await Machine.boot(t, (tree) => {
    execFileSync(build, ["--answers", answers, "--tree", tree, deb], { stdio: "ignore" });
  });
  const good = async (line: string, pattern: RegExp = /(?:)/) => {
    const { status, text } = await machine.run(line);
    t.match(text, pattern, line);
    t.equal(status, 0, `${line}: done`);
    return text;
  };
  await waitFor(
    "the first steps",
    async () => (await machine.run("test -e /var/lib/cygnet-setup.done")).status === 0,
    { timeout: 120_000, every: 500 },
  ).catch(async (error: unknown) => {
    t.comment(
      (
        await machine.run(
          "systemctl list-jobs; journalctl -b -u cygnet-setup -u nftables -u cygnet | tail -n 50",
        )
      ).text,
    );
    throw error;
  });
  await good("journalctl -u cygnet-setup", /The firewall lets partners in/);
  await good("systemctl is-active cygnet", /active/);
  await good("cygnet status", /site +HUB, running[\s\S]*(0\.0\.0\.0|::):6619 TLS/);
  await good("cygnet pki show hub", /O0013000001HUB/);
  await good("grep -c '^usercid = \"hub\"' /etc/cygnet/cygnet.toml", /^2$/m);
  await good(
    "cat /etc/nftables.d/cygnet.nft",
    /ip saddr 192\.0\.2\.0\/24 tcp dport 6619 accept\n.*ip6 saddr 2001:db8::\/32/,
  );
  const rules = await machine.run("systemctl is-active --quiet nftables && nft list table inet filter");
  if (rules.status === 0) t.match(rules.text, /192\.0\.2\.0\/24 tcp dport 6619 accept/);
  t.notMatch((await machine.run("cygnet doctor")).text, /FAIL/);
  await good("cygnet-setup --answers /etc/cygnet/answers", /stays/);
  await good("cygnet check", /is good/);
  t.match(await machine.run("printf 'SITE=a b\\n' > /root/bad; cygnet-setup --answers /root/bad"), {
    status: 1,
    text: /SITE=a b does not fit/,
  });
  await good(
    "printf 'HUB2\\nO0013000001HUB\\noftp.example.com\\n\\n\\nrequest\\nall\\n\\n' | cygnet-setup",
    /give the request to your authority/,
  );
  await good("ls /var/lib/cygnet/pki/hub2.csr /var/lib/cygnet/pki/hub2.key");
  await good("cygnet check", /is good/);
});
