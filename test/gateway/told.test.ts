/** What the log says of a file on its way, of lines that break, and of an end that nobody foresaw; layouts V24 and V23. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { callerToml, edit, session } from "./extra.ts";
import { site, waitFor } from "./harness.ts";

const LATIN = `
[[cftxlate]]
id = "LATIN"
fcharset = "UTF-8"
ncharset = "ISO-8859-1"
[[cftsend]]
id = "TEXT"
frecfm = "T"
fcode = "ascii"
xlate = "LATIN"
`;

/** Ends a gateway from within, the way a fault does. */
const FAULT = `process.on("SIGUSR2", () => { throw new Error("nobody foresaw this"); });\n`;

test("messages of a file, in both layouts", { timeout: 240_000 }, async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"], disctd: "2s", hub: { more: LATIN } });
  await edit(acme, "cygnet.toml", (text) => text.replace('format = "V24"', 'format = "V23"'));
  await hub.write("partners.d/raw.toml", callerToml("RAW", ["OFTP"]));
  await hub.write("fault.mjs", FAULT);
  process.env.NODE_OPTIONS = `--import ${join(hub.directory, "fault.mjs")}`;
  await hub.start();
  delete process.env.NODE_OPTIONS;
  await acme.start();
  await waitFor("the folder to be told of", () => hub.messages("CFTR20I").length === 1);
  t.match(hub.messages("CFTR20I")[0], /Folder: \/.*\/outbox is watched <ID=OUTBOX>$/);

  await hub.drop("TEXT/grüße.txt", "Grüße\n");
  await waitFor("its end", async () => (await hub.transfer("send", "grüße.txt"))?.state === "X");
  const record = await hub.transfer("send", "grüße.txt");
  // the log is written a little later than what it tells of
  const only = async (gateway: typeof hub, id: string): Promise<string> => {
    await waitFor(`${id} of ${gateway.id}`, () => gateway.messages(id).length > 0);
    const lines = gateway.messages(id);
    t.equal(lines.length, 1, `${gateway.id} says ${id} once`);
    return lines[0] ?? "";
  };
  const k = `IDTU=${record?.idtu} PART=ACME IDF=TEXT`;
  t.match(await only(hub, "CFTT94I"), `<${k} FCHARSET=UTF-8 NCHARSET=ISO-8859-1>`);
  t.match(await only(hub, "CFTH57I"), new RegExp(`<PART=ACME IDS=\\d+ IDF=TEXT IDTU=${record?.idtu}>`));
  t.match(await only(hub, "CFTT86I"), new RegExp(`FNAME=\\S*grüße\\.txt"? SIZE=7 .*IDTU=${record?.idtu}`));
  t.match(await only(hub, "CFTH58I"), /<PART=ACME IDS=\d+ NIDT=GR\S+ T=2 /);
  t.match(await only(hub, "CFTT89I"), new RegExp(`File put away: DELETE <${k} FILE=`));
  t.match(await only(acme, "CFTH60I"), /PART=HUB IDS=\d+ .*NIDT=GR/);
  for (const gateway of [hub, acme]) t.match(await only(gateway, "CFTH61I"), /PROTOCOL="?ODETTE level 5/);
  t.match(await only(acme, "CFTH57I"), /CFTH57I PART=HUB IDS=\d+ IDF=DEFAULT Transfer selected/);
  t.match(await only(acme, "CFTT86I"), /CFTT86I FNAME=GR\S+ SIZE=1024 .*File name and size/);
  t.match(await only(acme, "CFTH58I"), /CFTH58I PART=HUB IDS=\d+ NIDT=GR\S+ T=\d+ .*Transfer released/);

  const raw = await session(hub.ports.OFTP);
  await waitFor("the session", async () => (await hub.status()).sessions.some(({ part }) => part === "RAW"));
  raw.socket.resetAndDestroy();
  await waitFor("the broken line", () => hub.messages("CFTH03E").length === 1);
  t.match(await only(hub, "CFTH03E"), /the line broke: ECONNRESET <PART=RAW NCS=ECONNRESET NET=LOCAL IDS=/);

  // a folder that is gone, and a change of the configuration that is told key by key
  await fs.rename(join(hub.rundir, "outbox"), join(hub.rundir, "elsewhere"));
  await waitFor("the folder to be missed", () => hub.messages("CFTR20E").length > 0);
  t.match(hub.messages("CFTR20E")[0], /outbox/);
  await fs.rename(join(hub.rundir, "elsewhere"), join(hub.rundir, "outbox"));
  await edit(hub, "partners.d/raw.toml", (text) => text.replace('"RAWPW"', '"OTHER"'));
  await waitFor("the change", () => hub.messages("CFTS75I").length > 0);
  t.match(hub.messages("CFTS75I").join("\n"), /RAW[\s\S]*nrpassw/);

  process.kill(hub.pid, "SIGUSR2");
  t.match(await hub.exited(), { code: 70 });
  t.match(await only(hub, "CFTS77E"), /nobody foresaw this/);
  await hub.start();
  t.equal((await hub.transfer("send", "grüße.txt"))?.state, "X", "what was on disk is there");
  await fs.rm(join(hub.directory, "fault.mjs"));
});
