/**
 * What earlier versions of the program left behind opens in this one. `upgrade/vN` is what a gateway had whose catalog's
 * schema was version N: its catalog (two files that came back to it, one for a partner that is not there), its
 * configuration. They are never edited; each new step of the schema gets one of its own, made by the program before it.
 */
import { readdirSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { test } from "tap";
import { openReadOnly } from "../../src/catalog/inspect.ts";
import { schemaVersion } from "../../src/catalog/migrate.ts";
import { MIGRATIONS } from "../../src/catalog/schema.ts";
import { CatalogCopy } from "../../src/catalog/snapshot.ts";
import { Gateway } from "../../src/engine/gateway.ts";
import { submitFile } from "../../src/engine/requests.ts";
import { ensureSelfSigned } from "../../src/pki/generate.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { freePorts, waitFor } from "../gateway/harness.ts";

const PLACE = join(projectRoot(), "test", "catalog", "upgrade");

const VERSIONS = readdirSync(PLACE)
  .map((name) => Number(name.slice(1)))
  .sort((a, b) => a - b);

test("every version of the schema before this one has a fixture", async (t) => {
  const all = MIGRATIONS.map((_, index) => index + 1);
  t.same(
    VERSIONS.filter((version) => version < all.length),
    all.slice(0, -1),
  );
});

for (const version of VERSIONS) {
  test(`catalog and configuration of schema version ${version} go on working`, async (t) => {
    const root = await fs.mkdtemp(join(tmpdir(), "cyg-upgrade-"));
    t.teardown(() => fs.rm(root, { recursive: true, force: true }));
    const rundir = join(root, "var");
    await fs.cp(join(PLACE, `v${version}`), join(root, "etc"), { recursive: true });
    const ports = await freePorts(2);
    for (const file of ["cygnet.toml", "partners.d/loop.toml"]) {
      const path = join(root, "etc", file);
      const text = await fs.readFile(path, "utf8");
      await fs.writeFile(
        path,
        text.replaceAll(`2${version}305`, String(ports[0])).replaceAll(`2${version}619`, String(ports[1])),
      );
    }
    const pki = { certificate: join(rundir, "pki", "demo.pem"), key: join(rundir, "pki", "demo.key") };
    await ensureSelfSigned(pki, { commonName: "upgrade", hosts: ["127.0.0.1", "localhost"], days: 2 });
    const catalog = join(rundir, "catalog.db");
    await fs.writeFile(catalog, gunzipSync(await fs.readFile(join(root, "etc", "catalog.db.gz"))));
    const before = openReadOnly(catalog);
    t.equal(schemaVersion(before), version, "the fixture is what it says");
    before.close();
    const copy = new CatalogCopy(catalog);
    copy.move((path) => path.replace(/^.*?\/var\//, `${rundir}/`));
    const [waiting] = copy.pending();
    copy.close();
    await fs.mkdir(join(rundir, "work", "outbox"), { recursive: true });
    await fs.writeFile(waiting?.workfile ?? "", "three\n");

    const gateway = await Gateway.start(join(root, "etc", "cygnet.toml"), { console: false });
    let stopped = false;
    const stop = async () => {
      if (!stopped) await gateway.stop(true);
      stopped = true;
    };
    t.teardown(stop);
    const records = async () =>
      (await gateway.site.catalog.list({})).sort((a, b) => Number(a.idtu) - Number(b.idtu));
    t.match(await records(), [
      { direct: "send", part: "LOOP", phase: "X", ack: "A", filesize: 6 },
      { direct: "recv", part: "LOOP", phase: "X", ack: "A", bytes: 6 },
      { direct: "send", part: "LOOP", phase: "X", ack: "A" },
      { direct: "recv", part: "LOOP", phase: "X", ack: "A" },
      { direct: "send", part: "NOBODY", phase: "T", phasestep: "D", workfile: waiting?.workfile },
    ]);
    t.match(await gateway.site.catalog.totals(), { send: { X: 2, D: 1 }, recv: { X: 2 } });
    const { idtu } = await submitFile(gateway.site, { part: "LOOP", file: join(root, "etc", "cygnet.toml") });
    t.equal(idtu, "00000006", "numbers go on where they were");
    await waitFor("a new file", async () => (await gateway.site.catalog.get(idtu))?.phase === "X");
    await stop();
    const after = openReadOnly(catalog);
    t.equal(schemaVersion(after), MIGRATIONS.length);
    t.same(
      after.rows("PRAGMA integrity_check").map((row) => Object.values(row)[0]),
      ["ok"],
    );
    after.close();
  });
}
