import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { plan } from "../../src/config/diff.ts";
import { load } from "../../src/config/load.ts";
import type { Configuration } from "../../src/config/model.ts";

const PARTNERS = 620;

const partner = (id: string, password: string, more = ""): string => `[[cftpart]]
id = "${id}"
prot = ["OFTP"]
nrpart = "O0013${id}"
nrpassw = "${password}"
${more}
[[cfttcp]]
id = "${id}"
host = "127.0.0.1"
`;

test("hundreds of partners: what has changed is seen, and what is wrong is told where it stands", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "cyg-many-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(
    join(dir, "cygnet.toml"),
    `include = ["partners.d"]
[cftparm]
part = "HUB"
npart = "O0013HUB"
allow_plain_secrets = true
[[cftnet]]
id = "NET"
host = "127.0.0.1"
[[cftprot]]
id = "OFTP"
type = "odette"
net = "NET"
`,
  );
  const folder = join(dir, "partners.d");
  mkdirSync(folder);
  const ids = Array.from({ length: PARTNERS }, (_, at) => `P${String(at).padStart(4, "0")}`);
  const fileOf = (id: string): string => join(folder, `${id}.toml`);
  for (const id of ids) writeFileSync(fileOf(id), partner(id, "OLD"));
  const loaded = async (): Promise<Configuration> => {
    const result = await load(join(dir, "cygnet.toml"));
    if ("problems" in result) throw new Error(result.problems.map(({ message }) => message).join("\n"));
    return result.configuration;
  };
  const first = await loaded();
  t.equal(first.cftpart.size, PARTNERS);
  t.same(plan(first, await loaded()), [], "nothing has changed");

  // the same size, and the same time of the last change of its contents
  const at = new Date(1_700_000_000_000);
  const changed = ids[555] as string;
  for (const password of ["NEW", "TOO"]) {
    const before = await loaded();
    writeFileSync(fileOf(changed), partner(changed, password));
    utimesSync(fileOf(changed), at, at);
    const after = await loaded();
    t.equal(after.cftpart.get(changed)?.nrpassw.reveal(), password);
    t.match(plan(before, after), [{ object: "cftpart", id: changed, keys: [{ key: "nrpassw" }] }]);
    t.equal(plan(before, after).length, 1);
  }

  const wrong = [ids[3], ids[299], ids[619]] as string[];
  for (const id of wrong) writeFileSync(fileOf(id), partner(id, "OLD", 'state = "sleeping"'));
  const result = await load(join(dir, "cygnet.toml"));
  const problems = "problems" in result ? result.problems : [];
  t.same(
    problems.map(({ file, line, object, key }) => [file, line, object, key]),
    wrong.map((id) => [fileOf(id), 6, `cftpart ${id}`, "state"]),
  );
  for (const id of wrong) writeFileSync(fileOf(id), partner(id, "OLD"));
  const last = ids[619] as string;
  writeFileSync(fileOf(last), readFileSync(fileOf(last), "utf8").replaceAll(last, ids[0] as string));
  const twice = await load(join(dir, "cygnet.toml"));
  t.match("problems" in twice && twice.problems[0], { code: "CYG_CONFIG_DUPLICATE", file: fileOf(last) });
});
