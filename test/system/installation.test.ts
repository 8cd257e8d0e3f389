/**
 * The package on a machine of its own, systemd as process 1: installation, the service with all its restrictions,
 * reload, credentials, watchdog, low ports, upgrade, removal, purge. No network.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { makeDebianPackage } from "../../scripts/package/debian.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { waitFor } from "../gateway/harness.ts";
import { Machine, noMachine } from "./machine.ts";

const LOOP = "/etc/cygnet/partners.d/loop.toml";
const patient = { timeout: 300_000, every: 250 };

/** Two packages that differ in their version and in the configuration file that they bring. */
function packages(place: string): [string, string] {
  const first = makeDebianPackage({ root: projectRoot(), out: place, compression: "none" });
  const tree = join(place, "tree");
  execFileSync("dpkg-deb", ["-R", first, tree]);
  const edit = (file: string, change: (text: string) => string) =>
    writeFileSync(join(tree, file), change(readFileSync(join(tree, file), "utf8")));
  edit("DEBIAN/control", (text) => text.replace(/^Version: .*$/m, "Version: 999"));
  edit("etc/cygnet/cygnet.toml", (text) => `${text}\n# a line of the next version\n`);
  edit("usr/lib/cygnet/package.json", (text) => text.replace(/"version": "[^"]+"/, '"version": "999.0.0"'));
  edit("DEBIAN/md5sums", (text) => text.replace(/^.* usr\/lib\/cygnet\/package\.json\n/m, ""));
  const second = join(place, "next.deb");
  execFileSync("dpkg-deb", ["-Znone", "--root-owner-group", "--build", tree, second], { stdio: "ignore" });
  rmSync(tree, { recursive: true });
  return [first, second];
}

test("from installation to purge", { skip: noMachine, timeout: 1_800_000 }, async (t) => {
  const place = mkdtempSync("/var/tmp/cygnet-installation-test-");
  t.teardown(() => rmSync(place, { recursive: true, force: true }));
  const [first, second] = packages(place);
  const machine = await Machine.boot(t);
  machine.put(first, "/root/one.deb");
  machine.put(second, "/root/two.deb");
  const run = (line: string) => machine.run(line);
  const good = async (line: string, pattern: RegExp = /(?:)/) => {
    const { status, text } = await run(line);
    t.match(text, pattern, line);
    if (!t.equal(status, 0, `${line}: done`)) t.comment(text);
    return text;
  };
  const show = async (property: string) =>
    (await run(`systemctl show --property=${property} --value cygnet`)).text.trim();
  const becomes = (property: string, value: RegExp) =>
    waitFor(`${property} to become ${value}`, async () => value.test(await show(property)), patient);

  const step = async (name: string, body: () => Promise<void>) => {
    t.comment(name);
    await body();
  };

  await step("installs, starts, listens for this machine alone", async () => {
    await good("dpkg -i /root/one.deb");
    await good("dpkg --audit", /^$/);
    await good("systemd-analyze verify --man=no cygnet.service", /^$/);
    await good("systemctl is-enabled cygnet", /enabled/);
    t.equal(await show("ActiveState"), "active");
    t.match(await show("StatusText"), /generation 1, listening on OFTPS 127\.0\.0\.1:6619/);
    const pid = await show("MainPID");
    t.match(
      readFileSync(join(machine.root, "etc/passwd"), "utf8"),
      /^cygnet:.*:\/var\/lib\/cygnet:\/usr\/sbin\/nologin$/m,
    );
    await good(
      `grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/${pid}/status`,
      /Uid:\s+[1-9]\d*\s[\s\S]*CapEff:\s+0+\nCapBnd:\s+0+\nNoNewPrivs:\s+1\nSeccomp:\s+2/,
    );
    await good(
      "find /etc/cygnet /var/lib/cygnet -perm /o=rwx -not -path '*/cygnet.toml' -not -type l",
      /^(\/var\/lib\/cygnet\/pki\/[^\n]*\n)*$/,
    );
  });

  await step("a file goes through, sealed, from a folder that the service may read", async () => {
    await good(`cp /usr/share/doc/cygnet/examples/loop.toml ${LOOP}`);
    await good("cygnet check", /is good/);
    await good(
      `sed -i 's/^nspart/sign = true\\nencrypt = true\\ncompress = true\\nsigned_eerp = true\\nnspart/' ${LOOP}`,
    );
    await good("cygnet pki init hub --org Example --country DE --write", /hub\.pem/);
    await good(
      `printf '[[pki]]\\nid = "loop"\\npart = "LOOP"\\nfile = "/var/lib/cygnet/pki/hub.pem"\\n' >> ${LOOP}`,
    );
    await good("systemctl reload cygnet");
    await good("cygnet test-partner LOOP", /good/);
    await good("cygnet send --part LOOP --wait /etc/cygnet/cygnet.toml", /state X, ack A/);
    await good("cmp /etc/cygnet/cygnet.toml /var/lib/cygnet/inbox/LOOP/cygnet.toml");
    await good("setfacl -m u:backup:x /var/lib/cygnet /var/lib/cygnet/outbox");
    await good("setfacl -m u:backup:rwx -m d:u:backup:rwx -m d:u:cygnet:rwx /var/lib/cygnet/outbox/LOOP");
    await good(
      "echo order > /srv/order; cd /srv && runuser -u backup -- cp order /var/lib/cygnet/outbox/LOOP/order.tmp",
    );
    await good(
      "cd /srv && runuser -u backup -- mv /var/lib/cygnet/outbox/LOOP/order.tmp /var/lib/cygnet/outbox/LOOP/order",
    );
    await waitFor(
      "the dropped file",
      async () => (await run("cmp /srv/order /var/lib/cygnet/inbox/LOOP/order")).status === 0,
      patient,
    );
  });

  await step("the doctor, a backup every night, and back", async () => {
    const { text, status } = await run("cygnet doctor");
    t.equal(status, 0, text);
    t.notMatch(text, /FAIL/);
    t.match(text, /service +cygnet\.service is active \(running\), enabled/);
    t.match((await run("runuser -u cygnet -- cygnet doctor")).text, /ok +gateway +running/);
    t.not((await run("systemctl is-enabled cygnet-backup.timer")).status, 0, "only where somebody wants it");
    await good("systemctl enable --now cygnet-backup.timer && systemctl list-timers", /cygnet-backup/);
    await good(
      "systemctl start cygnet-backup.service; journalctl -u cygnet-backup",
      /octets, the gateway as of/,
    );
    await good(
      "ls -l /var/backups/cygnet",
      /^-rw------- 1 cygnet cygnet .* cygnet-SITE-\d{8}T\d{6}\.tar\.gz$/m,
    );
    await good("cygnet backup /root/whole.tar.gz --with-secrets", /the gateway as of/);
    const before = await good("cygnet listcat --limit 1000 | cut -f 1-6");
    t.not((await run("cygnet restore /root/whole.tar.gz")).status, 0, "a gateway runs");
    await good("systemctl stop cygnet");
    await good("cygnet restore /root/whole.tar.gz --force", /is restored/);
    await good("systemctl start cygnet");
    t.equal(await good("cygnet listcat --limit 1000 | cut -f 1-6"), before);
    t.notMatch((await run("cygnet doctor")).text, /FAIL/);
    await good("stat --format=%a:%U:%G /var/lib/cygnet/pki/site.key", /^600:cygnet:cygnet$/m);
    await good("cygnet send --part LOOP --wait /etc/cygnet/cygnet.toml", /state X, ack A/);
    await good(
      "cp -a /var/lib/cygnet/before-restore-*/inbox/LOOP/. /var/lib/cygnet/inbox/LOOP/; rm -r /var/lib/cygnet/before-restore-* /etc/cygnet/*.before-restore-* /etc/cygnet/*/*.before-restore-*",
    );
  });

  await step("the guide's steps to a first partner", async () => {
    await good('sed -i \'s/^usercid = "site"/usercid = "hub"/\' /etc/cygnet/cygnet.toml');
    await good("cygnet pki export hub --out /etc/cygnet/partners.d/supplier-ca.pem");
    for (const name of ["supplier.in", "supplier.out"]) {
      await good(`echo SECRET | install -m 640 -g cygnet /dev/stdin /etc/cygnet/secrets/${name}`);
    }
    await good("cp /usr/share/doc/cygnet/examples/supplier.toml /etc/cygnet/partners.d/");
    await good("cygnet check", /is good/);
    await good("cygnet reload");
    await good("test -d /var/lib/cygnet/outbox/SUPPLIER");
    await good("rm /etc/cygnet/partners.d/supplier* /etc/cygnet/secrets/supplier*");
    await good('sed -i \'s/^usercid = "hub"/usercid = "site"/\' /etc/cygnet/cygnet.toml; cygnet reload');
  });

  await step("a broken configuration fails the reload and changes nothing", async () => {
    await good("echo nonsense > /etc/cygnet/partners.d/broken.toml");
    t.not((await run("systemctl reload cygnet")).status, 0);
    t.equal(await show("ActiveState"), "active");
    await good("rm /etc/cygnet/partners.d/broken.toml; cygnet reload");
  });

  await step("credentials and secrets", async () => {
    await good(
      "printf 'PASS1\\n' > /etc/cygnet/credentials/loop.in; chmod 600 /etc/cygnet/credentials/loop.in",
    );
    await good("printf 'PASS1\\n' | install -m 640 -g cygnet /dev/stdin /etc/cygnet/secrets/loop.out");
    await good(
      `sed -i 's/^nspart/nspassw = "file:secrets\\/loop.out"\\nnrpassw = "cred:secret_loop.in"\\nnspart/' ${LOOP}`,
    );
    t.not((await run("cygnet check")).status, 0, "a new credential needs a restart");
    await good("systemctl restart cygnet");
    await good("cygnet check", /is good/);
    await good("runuser -u cygnet -- cygnet check", /is good/);
    t.not((await run("runuser -u cygnet -- cat /etc/cygnet/credentials/loop.in")).status, 0);
    await good("cygnet send --part LOOP --wait /etc/cygnet/cygnet.toml", /state X, ack A/);
    t.notMatch(
      (await run("journalctl -u cygnet; cygnet status; cygnet log")).text,
      /PASS1/,
      "no output shows one",
    );
  });

  await step(
    "an upgrade keeps what was changed, and starts anew only when the configuration is good",
    async () => {
      await good("sed -i 's/^npart .*/npart = \"O0013MINE\"/' /etc/cygnet/cygnet.toml; cygnet reload");
      const before = await show("MainPID");
      await good("echo nonsense > /etc/cygnet/partners.d/broken.toml");
      await good("dpkg --force-confold -i /root/two.deb", /does not accept the configuration/);
      t.equal(await show("MainPID"), before, "the old one goes on");
      await good("rm /etc/cygnet/partners.d/broken.toml");
      await good("dpkg --force-confold -i /root/two.deb");
      t.not(await show("MainPID"), before, "the new one runs");
      await good("cygnet --version", /^999\.0\.0$/m);
      await good("grep O0013MINE /etc/cygnet/cygnet.toml");
      await good("grep 'next version' /etc/cygnet/cygnet.toml.dpkg-dist");
      await good("cygnet listcat --limit 1000", /cygnet\.toml/);
      await good("stat --format=%a:%U:%G /etc/cygnet", /^750:root:cygnet$/m);
      await good("systemctl stop cygnet; dpkg --force-confold -i /root/two.deb");
      t.equal(await show("ActiveState"), "inactive", "what was stopped stays stopped");
      await good("systemctl start cygnet");
    },
  );

  await step("low ports and the watchdog", async () => {
    await good(
      "mkdir -p /etc/systemd/system/cygnet.service.d; cp /usr/share/doc/cygnet/examples/low-ports.conf /etc/systemd/system/cygnet.service.d",
    );
    await good(
      "printf '[Service]\\nWatchdogSec=5s\\nRestartSec=1s\\n' > /etc/systemd/system/cygnet.service.d/watchdog.conf",
    );
    await good(
      "systemctl daemon-reload; systemctl stop cygnet; sed -i 's/^sap .*/sap = 619/' /etc/cygnet/cygnet.toml; systemctl start cygnet",
    );
    t.match(await show("StatusText"), /127\.0\.0\.1:619/);
    const pid = await show("MainPID");
    await waitFor(
      "twice the watchdog's time",
      async () => /transfers running/.test(await show("StatusText")),
      patient,
    );
    await good("sleep 10");
    t.equal(await show("MainPID"), pid, "while it lives it is left alone");
    await good(`kill -STOP ${pid}`);
    await becomes("NRestarts", /^[1-9]/);
    await becomes("ActiveState", /^active$/);
    t.not(await show("MainPID"), pid);
    await good("journalctl -u cygnet", /Watchdog timeout/);
  });

  await step("an invalid configuration at start is told and not tried again", async () => {
    await good("systemctl stop cygnet; echo nonsense > /etc/cygnet/partners.d/broken.toml");
    t.not((await run("systemctl start cygnet")).status, 0);
    await becomes("ActiveState", /^failed$/);
    t.equal(await show("ExecMainStatus"), "2");
    await good("rm /etc/cygnet/partners.d/broken.toml; systemctl start cygnet");
  });

  await step("removal keeps configuration and data; purge keeps files that wait", async () => {
    await good("dpkg -r cygnet");
    t.not((await run("systemctl is-active cygnet")).status, 0);
    await good("ls /etc/cygnet/cygnet.toml /var/lib/cygnet/catalog.db");
    await good("! test -e /usr/lib/cygnet && ! test -e /usr/bin/cygnet");
    await good("dpkg -P cygnet", /files wait/);
    await good("! test -e /etc/cygnet && ls /var/lib/cygnet/inbox/LOOP", /order/);
    await good("dpkg -i /root/one.deb");
    await good("rm -r /var/lib/cygnet/inbox/LOOP /etc/systemd/system/cygnet.service.d; dpkg -P cygnet");
    await good("! test -e /etc/cygnet && ! test -e /var/lib/cygnet && ! systemctl cat cygnet");
    await good("ls /var/backups/cygnet", /cygnet-SITE/);
    await good(
      "! test -L /etc/systemd/system/timers.target.wants/cygnet-backup.timer; rm -r /var/backups/cygnet",
    );
    await good(
      "find / -xdev -name '*cygnet*' -not -path '/proc/*' -not -path '/root/*' -not -path '/sys/*' -not -path '/var/log/*'",
      /^(\/(run|tmp|var\/tmp)[^\n]*\n)*$/,
    );
  });
});
