/** Who may read what a gateway writes, and what it does when it may not read or write itself. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "tap";
import { callerToml, data, edit, session, sfid } from "./extra.ts";
import { type Gateway, site, waitFor } from "./harness.ts";

/** Everything below a folder, and the folder: path, mode, kind. */
async function tree(
  folder: string,
): Promise<{ path: string; mode: number; kind: "directory" | "file" | "socket" | "other" }[]> {
  const all = [folder];
  for (const entry of await fs.readdir(folder, { withFileTypes: true, recursive: true })) {
    all.push(join(entry.parentPath, entry.name));
  }
  return Promise.all(
    all.map(async (path) => {
      const status = await fs.lstat(path);
      const kind = status.isDirectory()
        ? "directory"
        : status.isFile()
          ? "file"
          : status.isSocket()
            ? "socket"
            : "other";
      return { path: relative(folder, path) || ".", mode: status.mode & 0o7777, kind };
    }),
  );
}

test("after a day's work nobody but owner and group can read anything, and secrets only the owner", {
  timeout: 180_000,
}, async (t) => {
  const before = process.umask(0o027);
  t.teardown(() => process.umask(before));
  const { hub, acme } = await site(t, {
    prot: ["OFTPS"],
    hub: {
      more: `
[cftaccnt]
fname = "account/account.jsonl"

[[pki]]
id = "spare"
file = "var/pki/spare.pem"
key = "var/pki/spare.key"
`,
    },
  });
  await edit(hub, "cygnet.toml", (text) =>
    text
      .replace('workdir = "work/outbox"', 'workdir = "work/outbox"\narchivedir = "archive"')
      .replace('usercid = "own"', 'usercid = "own"\nkeylog = "log/tls.keys"')
      .replace('rootcid = ["root"]', 'rootcid = ["root"]\ncerfname = "seen"')
      .replace("[[cftrecv]]", '[[cftrecv]]\nexec = ["scripts/note"]')
      .replace("maxtrans = 64", 'maxtrans = 64\nexecse = ["scripts/note"]'),
  );
  await hub.write("scripts/note", "#!/bin/sh\nenv > note.$$\n");
  await fs.chmod(join(hub.directory, "scripts", "note"), 0o755);
  await hub.write("partners.d/raw.toml", callerToml("RAW"));
  // whoever starts it may have any umask
  for (const gateway of [hub, acme]) gateway.umask = 0;
  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("out.dat", "to the archive");
  await acme.drop("in.dat", "to the inbox");
  const raw = await session(hub.ports.OFTP);
  raw.send(sfid({ dsn: "HALF" }));
  await raw.expect("SFPA");
  raw.buffer(data("half of it"));
  raw.close();
  await waitFor("both files", async () => {
    const sent = await hub.transfer("send", "out.dat");
    const got = await hub.transfer("recv", "in.dat");
    return sent?.ack === "A" && got?.state === "X";
  });
  await hub.drop("wrong.dat", "kept as failed");
  await waitFor("the second file", async () => (await hub.transfer("send", "wrong.dat"))?.ack === "A");
  await waitFor("the half file", async () => (await hub.transfers({ part: "RAW", state: "H" })).length === 1);
  await waitFor(
    "accounting",
    async () => (await fs.readdir(join(hub.rundir, "account")).catch(() => [])).length > 0,
  );
  t.match(await hub.cli("reload"), { status: 0 });

  const found = await tree(hub.rundir);
  const names = found.map(({ path }) => path);
  for (const expected of [
    "catalog.db",
    "control.sock",
    "log/cygnet.log",
    "log/tls.keys",
    "inbox/ACME/in.dat",
    "archive",
    "pki/spare.key",
    "account/account.jsonl",
  ]) {
    t.ok(names.includes(expected), `${expected} was written`);
  }
  t.ok(
    names.some((name) => /^note\.\d+$/.test(name)),
    "a script has written with the gateway's umask",
  );
  t.ok(
    names.some((name) => name.startsWith("pki/peers/")),
    "the partner's certificate was kept",
  );
  t.same(
    found.filter(({ mode }) => (mode & 0o007) !== 0).map(({ path, mode }) => `${path} ${mode.toString(8)}`),
    [],
    "nothing for others",
  );
  t.same(
    found.filter(({ mode, kind }) => kind === "file" && (mode & 0o6000) !== 0),
    [],
    "no set-uid, no set-gid",
  );
  const secret = /\.key$|\.keys$|\.p12$/;
  for (const { path, mode } of found.filter(({ path }) => secret.test(path)))
    t.equal(mode, 0o600, `${path} is the owner's alone`);
  t.match(
    found.find(({ kind }) => kind === "socket"),
    { path: "control.sock", mode: 0o660 },
  );
});

/** Takes from root what lets it pass by the rights of files; undefined where that cannot be done. */
function plainRights(): readonly string[] | undefined {
  if (process.getuid?.() !== 0) return [];
  const rights = "-dac_override,-dac_read_search,-fowner";
  const launcher = ["setpriv", `--inh-caps=${rights}`, `--bounding-set=${rights}`];
  try {
    execFileSync(launcher[0] as string, [...launcher.slice(1), "true"], { stdio: "ignore" });
    return launcher;
  } catch {
    return undefined;
  }
}

const launcher = plainRights();

test("rights that are lost: what needs them waits with a reason, the rest goes on, and all is well when they are back", {
  timeout: 240_000,
  skip: launcher === undefined && "setpriv is not to be had",
}, async (t) => {
  const { hub, acme } = await site(t, { retryw: "1s", schedule: "* * * * * *" });
  hub.launcher = launcher ?? [];
  await hub.write("partners.d/raw.toml", callerToml("RAW"));
  await fs.mkdir(join(hub.rundir, "outbox", "RAW"), { recursive: true });
  await Promise.all([hub.start(), acme.start()]);
  const { pid } = hub;
  await hub.drop("first.dat", "all is well");
  await acme.drop("inward.dat", "all is well");
  await waitFor("the first files", async () => {
    const [there, here] = [
      await hub.transfer("send", "first.dat"),
      await acme.transfer("send", "inward.dat"),
    ];
    return there?.ack === "A" && here?.ack === "A";
  });
  const said = (gateway: Gateway, pattern: RegExp) =>
    gateway
      .log()
      .split("\n")
      .some((line) => pattern.test(line));
  /** Takes rights away, has something done, and gives them back; in the end everything is as it should be. */
  const without = async (path: string, mode: number, during: () => Promise<void>) => {
    const { mode: whole } = await fs.stat(path);
    await fs.chmod(path, mode);
    try {
      await during();
    } finally {
      await fs.chmod(path, whole & 0o7777);
    }
  };

  await t.test("one folder of the outbox", async (t) => {
    await without(join(hub.rundir, "outbox", "RAW"), 0, async () => {
      await waitFor("the complaint", () => said(hub, /CFTR20W .*outbox\/RAW/));
      await hub.drop("beside.dat", "the others go on");
      await waitFor("the other folder", async () => (await hub.transfer("send", "beside.dat"))?.ack === "A");
    });
    const lines = hub.messages("CFTR20W").length;
    await hub.drop("later.dat", "and again");
    await waitFor("the next file", async () => (await hub.transfer("send", "later.dat"))?.ack === "A");
    t.ok(lines <= 2, "it is said once, not with every look");
  });

  await t.test("the outbox", async (t) => {
    await without(join(hub.rundir, "outbox"), 0, async () => {
      await waitFor("the complaint", () => said(hub, /CFTR20E .*check owner and mode/));
    });
    await hub.drop("after.dat", "found by the next look");
    await waitFor("the file", async () => (await hub.transfer("send", "after.dat"))?.ack === "A");
    t.equal((await hub.status()).pid, pid);
  });

  await t.test("the work folder, when a file is to be taken", async (t) => {
    await without(join(hub.rundir, "work", "outbox"), 0o500, async () => {
      await hub.drop("stays.dat", "in the outbox");
      await waitFor("the complaint", () =>
        said(hub, /stays\.dat.*check owner and mode|check owner and mode.*stays\.dat/),
      );
      t.ok((await fs.readdir(hub.outbox())).includes("stays.dat"), "it stays where it was");
      t.match(await hub.cli("listcat"), { status: 0 });
    });
    // it is looked at again after half a minute, or by the next start
    t.equal(await fs.readFile(hub.outbox("stays.dat"), "utf8"), "in the outbox");
  });

  await t.test("the work folder, when a file is to be received", async (t) => {
    await without(join(hub.rundir, "work", "recv"), 0o500, async () => {
      await acme.drop("offered.dat", "try later");
      await waitFor("the refusal", () => said(hub, /CFTF01E .*DIAGI=101/));
      const why = async () => (await acme.transfer("send", "offered.dat"))?.diagc ?? "";
      await waitFor("the partner's record", async () => /cannot be created at present/.test(await why()));
    });
    await waitFor("the file", async () => (await acme.transfer("send", "offered.dat"))?.ack === "A");
    t.match(await fs.readFile(hub.inbox("offered.dat"), "utf8"), /try later/);
  });

  await t.test("the inbox, when a file is to be delivered", async (t) => {
    await without(join(hub.rundir, "inbox", "ACME"), 0o500, async () => {
      await acme.drop("delivered.dat", "received once");
      await waitFor("the complaint", () => said(hub, /CFTF25E .*check owner and mode/));
      // the record is written between the two messages
      await waitFor("what comes next", () => said(hub, /CFTF35W/));
      const [waiting] = await hub.transfers({ direct: "recv", state: "Y" });
      const why = { phase: "Y", diagc: /check owner and mode/ };
      t.match(waiting, why, "received, and its reason is in the record");
      t.not(
        (await acme.transfer("send", "delivered.dat"))?.ack,
        "A",
        "no response before it stands in its place",
      );
    });
    await waitFor("the response", async () => (await acme.transfer("send", "delivered.dat"))?.ack === "A");
    t.match(await fs.readFile(hub.inbox("delivered.dat"), "utf8"), /received once/);
    t.equal(hub.messages("CFTF33I").length, 1);
  });

  await t.test("a file that may not be read", async (t) => {
    await hub.drop(".closed.tmp", "nobody's");
    await fs.chmod(hub.outbox(".closed.tmp"), 0);
    await fs.rename(hub.outbox(".closed.tmp"), hub.outbox("closed.dat"));
    await waitFor("a record or a complaint", async () => {
      const record = await hub.transfer("send", "closed.dat");
      return (record !== undefined && record.diagc !== "") || said(hub, /closed\.dat/);
    });
    const record = await hub.transfer("send", "closed.dat");
    t.not(record?.ack, "A");
    await hub.drop("last.dat", "it lives");
    await waitFor("the file behind it", async () => (await hub.transfer("send", "last.dat"))?.ack === "A");
    t.equal((await hub.status()).pid, pid, "one process, all the time");
  });

  await t.test("a start finds what was left", async (t) => {
    await fs.rm(hub.outbox("closed.dat"), { force: true });
    await hub.kill("SIGTERM");
    await hub.start();
    await waitFor("the file", async () => (await hub.transfer("send", "stays.dat"))?.ack === "A");
    t.match(await fs.readFile(acme.inbox("stays.dat"), "utf8"), /in the outbox/);
  });
});
