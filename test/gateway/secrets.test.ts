/**
 * Recognisable secrets in every place that a secret can stand, then a day with everything that goes wrong. Afterwards none
 * of them is in anything that was written, told or answered; nor are wrong passwords and tokens that others sent, which
 * are often right ones of somebody else.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { createServer, request as requestHttp } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { inspect } from "node:util";
import { gunzipSync } from "node:zlib";
import { test } from "tap";
import { load } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { Callee } from "./callee.ts";
import { callerToml, data, edit, Raw, session, sfid, ssid } from "./extra.ts";
import { filesBelow, freePorts, type Gateway, partnerToml, site, waitFor } from "./harness.ts";

const chance = randomBytes(24).toString("hex");

const PLANTED = {
  environment: "ENVSEC71",
  file: "FILSEC72",
  credential: "CRDSEC73",
  literal: "LITSEC74",
  keyPassphrase: "key-phrase-75-xyzzy",
  smtp: "smtp-secret-76-xyzzy",
  webhook: "hook-secret-77-xyzzy",
  webhookUrl: "url-secret-78-xyzzy",
  token: `token-79-${chance}`,
  guessed: "GUESSE80",
  answered: "ANSWER81",
  wrongToken: `token-82-${chance}`,
  tooLong: "TOOLONGSECRET83",
  unterminated: "OPENSEC84",
  number: "48151685",
  list: "LSTSEC86",
  misspelt: "KEYSEC87",
  wrongPhrase: "wrong-phrase-88-xyzzy",
  elsewhere: "ELSSEC89",
  inAddress: "URLSEC90",
};

/** A secret in the forms in which it may be found by accident. */
function forms(secret: string): Buffer[] {
  const octets = Buffer.from(secret);
  return [
    octets,
    Buffer.from(octets.toString("hex")),
    Buffer.from(octets.toString("base64").replace(/=+$/, "").slice(0, -1)),
  ];
}

/** One HTTPS request with a token; status and body. */
function api(port: number, path: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const call = request(
      { port, host: "127.0.0.1", path, headers, rejectUnauthorized: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () =>
          resolve(`${response.statusCode} ${JSON.stringify(response.headers)} ${Buffer.concat(pieces)}`),
        );
      },
    );
    call.on("error", reject).end();
  });
}

function local(gateway: Gateway, path: string, method = "GET"): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = requestHttp({ socketPath: gateway.socket, path, method }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve(Buffer.concat(pieces).toString()));
    });
    call.on("error", reject).end();
  });
}

test("no secret leaves its place", { timeout: 300_000 }, async (t) => {
  const heard: string[] = [];
  const hook = createServer((call, response) => {
    let body = "";
    call.setEncoding("utf8").on("data", (piece: string) => {
      body += piece;
    });
    call.on("end", () => {
      heard.push(JSON.stringify(call.headers), body);
      response.writeHead(200).end("thanks");
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  const hookPort = (hook.address() as AddressInfo).port;
  const back = await Callee.listen(async (raw) => {
    await raw.send({ type: "SSRM", message: "ODETTE FTP READY " }).expect("SSID");
    raw.send(ssid({ code: "O0999BACK", pswd: PLANTED.answered }));
    await raw.rest();
  });
  t.teardown(() => {
    hook.closeAllConnections();
    hook.close();
    back.close();
  });
  const [apiPort = 0, nobody = 0] = await freePorts(2);
  const { hub, acme } = await site(t, {
    prot: ["OFTPS"],
    hub: {
      logLevel: "T",
      more: `
[admin]
listen = "127.0.0.1:${apiPort}"
usercid = "own"

[[apiuser]]
id = "ERP"
role = "admin"
token = "file:secrets/token"

[smtp]
host = "127.0.0.1"
port = ${nobody}
tls = "none"
user = "hub"
passw = "file:secrets/smtp"
sender = "hub@example.com"

[[notify]]
id = "HOOK"
events = ["transfer-failed", "session-refused", "reload-rejected", "gateway-started", "partner-unreachable"]
severity = "W"
url = "http://127.0.0.1:${hookPort}/${PLANTED.webhookUrl}"
secret = "file:secrets/hook"
mail = ["operator@example.com"]
`,
    },
  });
  process.env.CYGNET_TEST_SECRET = PLANTED.environment;
  process.env.CREDENTIALS_DIRECTORY = join(hub.directory, "credentials");
  t.teardown(() => {
    delete process.env.CYGNET_TEST_SECRET;
    delete process.env.CREDENTIALS_DIRECTORY;
  });
  const secret = async (name: string, text: string) => {
    await hub.write(name, `${text}\n`);
    await fs.chmod(join(hub.directory, name), 0o600);
  };
  await secret("secrets/acme", PLANTED.file);
  await secret("secrets/token", PLANTED.token);
  await secret("secrets/smtp", PLANTED.smtp);
  await secret("secrets/hook", PLANTED.webhook);
  await secret("secrets/phrase", PLANTED.keyPassphrase);
  await secret("credentials/raw", PLANTED.credential);
  const key = join(hub.directory, "pki", "hub.key");
  const locked = join(hub.directory, "pki", "hub.locked");
  execFileSync("openssl", [
    "pkcs8",
    "-topk8",
    "-v2",
    "aes256",
    "-in",
    key,
    "-out",
    locked,
    "-passout",
    `pass:${PLANTED.keyPassphrase}`,
  ]);
  const material = (await fs.readFile(key, "utf8")).split("\n").slice(3, 6);
  await fs.rm(key);
  await edit(hub, "cygnet.toml", (text) =>
    text
      .replace('key   = "pki/hub.key"', 'key   = "pki/hub.locked"\nkeypassw = "file:secrets/phrase"')
      .replace(
        'nfname   = "&FROOT&(-.)FSUF"',
        'nfname   = "&FROOT&(-.)FSUF"\nexec = ["scripts/show", "&PART"]\nexece = ["scripts/show"]',
      ),
  );
  await hub.write("scripts/show", "#!/bin/sh\nenv\nenv > env.$$\nset\ncat /proc/$PPID/cmdline\n");
  await fs.chmod(join(hub.directory, "scripts", "show"), 0o755);
  await edit(hub, "partners.d/acme.toml", (text) =>
    text
      .replace(/nspassw = .*/, 'nspassw = "env:CYGNET_TEST_SECRET"')
      .replace(/nrpassw = .*/, 'nrpassw = "file:secrets/acme"\ntrace = true'),
  );
  await edit(acme, "partners.d/hub.toml", (text) =>
    text
      .replace(/nspassw = .*/, `nspassw = "${PLANTED.file}"`)
      .replace(/nrpassw = .*/, `nrpassw = "${PLANTED.environment}"`),
  );
  const raw = (more = "") =>
    callerToml("RAW", ["OFTP", "OFTPS"], more)
      .replace('nspassw = "HUBPW"', `nspassw = "${PLANTED.literal}"`)
      .replace('nrpassw = "RAWPW"', 'nrpassw = "cred:raw"\ntrace = true');
  await hub.write("partners.d/raw.toml", raw());
  const ports = { OFTP: back.port, OFTPS: nobody };
  const common = { ours: "O0999HUB", sends: PLANTED.literal, expects: "BACKPW", ports };
  await hub.write(
    "partners.d/back.toml",
    partnerToml({ ...common, id: "BACK", theirs: "O0999BACK", retryw: "1h" }),
  );

  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await hub.cli(...args);
    heard.push(stdout, stderr);
    return { status, stdout, stderr };
  };

  t.match(await run("check"), { status: 0 });
  await Promise.all([hub.start(), acme.start()]);

  await t.test("files, calls, commands", async (t) => {
    await hub.drop("invoice", "a file");
    await waitFor("the response", async () => (await hub.transfer("send", "invoice"))?.ack === "A");
    const known = { pswd: PLANTED.credential };
    const line = await session(hub.ports.OFTP, known);
    line.send(sfid());
    await line.expect("SFPA");
    line.buffer(data("hello")).send({ type: "EFID", rcnt: 0n, ucnt: 5n });
    await line.expect("EFPA");
    line.close();
    for (const who of [{ pswd: PLANTED.guessed }, { code: "O0999NOBODY", pswd: PLANTED.guessed }]) {
      const stranger = await Raw.connect(hub.ports.OFTP);
      await stranger.expect("SSRM");
      t.match(await stranger.send(ssid(who)).outcome(), /ESID 0[34]/);
    }
    await hub.write("for-back", "text");
    t.match(await run("send", "--part", "BACK", join(hub.directory, "for-back")), { status: 0 });
    await waitFor("the wrong answer", () => hub.messages("CFTT19E").some((text) => text.includes("BACK")));
    const clear = await Raw.connect(hub.ports.OFTPS);
    clear.bytes(Buffer.from("not TLS at all, whatever\r\n"));
    await clear.rest().catch(() => []);
    await new Promise<void>((resolve) => {
      const socket = connect({
        host: "127.0.0.1",
        port: hub.ports.OFTPS,
        maxVersion: "TLSv1.2",
        ciphers: "NULL:@SECLEVEL=0",
        rejectUnauthorized: false,
      });
      socket.on("error", () => resolve()).on("close", () => resolve());
    });
    const idtu = (await hub.transfer("send", "invoice"))?.idtu ?? "";
    const rows: string[][] = [
      ["status"],
      ["listcat", "--json", "--content", "full"],
      ["display", idtu, "--json"],
      ["log"],
      ["pki", "list", "--json"],
      ["test-partner", "BACK", "--json"],
      ["doctor", "--json"],
      ["partner", "export", "ACME", "--out", join(hub.directory, "given", "acme.xml")],
    ];
    for (const row of rows) t.not((await run(...row)).stdout, "", row.join(" "));
    const sheet = await fs.stat(join(hub.directory, "given", "acme.xml"));
    t.equal(
      sheet.mode & 0o777,
      0o600,
      "the datasheet has the password by its nature, and is the user's alone",
    );
  });

  await t.test("the API: whatever can be looked at, and wrong tokens", async (t) => {
    t.match(await api(apiPort, "/v1/status", PLANTED.token), /^200 /);
    const wrong = await api(apiPort, "/v1/status", PLANTED.wrongToken);
    t.match(wrong, /^401 /);
    heard.push(wrong);
    const paths = [
      "/v1/status",
      "/v1/sessions",
      "/v1/generations",
      "/v1/transfers",
      "/v1/partners",
      "/metrics",
      "/readyz",
    ];
    for (const where of ["/v1/openapi.json", "/openapi.json"]) {
      const found = JSON.parse(await local(hub, where)) as { paths?: Record<string, { get?: unknown }> };
      for (const [path, { get }] of Object.entries(found.paths ?? {})) {
        const endless = path.endsWith("/events");
        if (get && !endless) paths.push(path.replace("{id}", "ACME").replace("{idtu}", "00000001"));
      }
    }
    for (const path of new Set(paths)) heard.push(await local(hub, path));
  });

  await t.test("reloads that are rejected say what is wrong without showing it", async (t) => {
    const rows: [what: string, change: (text: string) => string][] = [
      ["a password that is too long", (text) => text.replace('"cred:raw"', `"${PLANTED.tooLong}"`)],
      ["a string without an end", (text) => text.replace('"cred:raw"', `"${PLANTED.unterminated}`)],
      ["a number", (text) => text.replace('"cred:raw"', PLANTED.number)],
      ["a list", (text) => text.replace('"cred:raw"', `["${PLANTED.list}"]`)],
      [
        "a key that is misspelt",
        (text) => text.replace("nrpassw =", `nrpaswd = "${PLANTED.misspelt}"\nnrpassw =`),
      ],
      [
        "a key of another object",
        (text) => text.replace("nrpassw =", `keypassw = "${PLANTED.elsewhere}"\nnrpassw =`),
      ],
      ["a bare word", (text) => text.replace('"cred:raw"', PLANTED.unterminated)],
      [
        "a webhook with a password in its address",
        (text) =>
          `${text}\n[[notify]]\nid = "BAD"\nevents = ["transfer-failed"]\nurl = "https://me:${PLANTED.inAddress}@127.0.0.1/"\n`,
      ],
      [
        "a key that stands twice",
        (text) => text.replace("nrpassw =", `nrpassw = "${PLANTED.list}"\nnrpassw =`),
      ],
    ];
    for (const [what, change] of rows) {
      await hub.write("partners.d/raw.toml", change(raw()));
      heard.push(await local(hub, "/v1/reload", "POST"));
      t.match(heard.at(-1), /"accepted":false.*raw\.toml:\d+/, what);
      const result = await load(hub.config);
      if (!("problems" in result)) throw new Error(`${what} is let in`);
      heard.push(JSON.stringify(result), ...result.problems.map((problem) => formatProblem(problem)));
    }
    await run("check", "--json");
    await run("status");
    await hub.write("partners.d/raw.toml", raw('comment = "right again"'));
    await edit(hub, "cygnet.toml", (text) => text.replace('format = "V24"', 'format = "json"'));
    t.match(await run("check", "--plan"), { status: 0 });
    t.match(await run("reload"), { status: 0 });
    await hub.drop("second", "another file");
    await waitFor("the response", async () => (await hub.transfer("send", "second"))?.ack === "A");
  });

  let saved = Buffer.alloc(0);
  await t.test("a backup has no secret unless it is asked for", async (t) => {
    const file = join(hub.directory, "given", "saved.tar.gz");
    t.match(await run("backup", file), { status: 1, stderr: /passwords stand in the configuration itself/ });
    await secret("secrets/literal", PLANTED.literal);
    for (const name of ["partners.d/raw.toml", "partners.d/back.toml"]) {
      await edit(hub, name, (text) =>
        text
          .replaceAll(`"${PLANTED.literal}"`, '"file:secrets/literal"')
          .replace('"BACKPW"', '"file:secrets/literal"'),
      );
    }
    t.match(await run("backup", file), { status: 0 });
    t.equal((await fs.stat(file)).mode & 0o777, 0o600);
    saved = gunzipSync(await fs.readFile(file));
    t.ok(saved.includes("file:secrets/literal"), "the configuration is in it");
  });

  await t.test("the configuration in memory, as a crash report or a debugger would print it", async (t) => {
    const result = await load(hub.config);
    if ("problems" in result) throw new Error(inspect(result.problems));
    heard.push(inspect(result, { depth: null, showHidden: true }));
    heard.push(JSON.stringify(result, (_, value) => (value instanceof Map ? [...value] : value)));
    t.match(heard.at(-1), /"\[secret\]"/);
  });

  await t.test("a stop, and a start that fails over a wrong pass phrase", async (t) => {
    t.match(await run("shut"), { status: 0 });
    await hub.exited();
    await secret("secrets/phrase", PLANTED.wrongPhrase);
    await t.rejects(hub.start(), /ended at its start/);
    await run("check");
  });

  await t.test("nothing of it is found anywhere", async (t) => {
    await acme.kill("SIGTERM");
    const places: [where: string, octets: Buffer][] = heard.map((text, index) => [
      `answer ${index}: ${text.slice(0, 60)}`,
      Buffer.from(text),
    ]);
    // it names the webhook, as the configuration does
    places.push([
      "the backup",
      Buffer.from(saved.toString("latin1").replaceAll(PLANTED.webhookUrl, ""), "latin1"),
    ]);
    let files = 0;
    for (const gateway of [hub, acme]) {
      places.push([`console of ${gateway.id}`, await fs.readFile(gateway.console)]);
      for (const name of await filesBelow(gateway.rundir)) {
        places.push([
          `${gateway.id}: ${name}`,
          Buffer.concat([Buffer.from(name), await fs.readFile(join(gateway.rundir, name))]),
        ]);
        files += 1;
      }
    }
    t.ok(files > 10 && heard.length > 40, `${files} files, ${heard.length} answers`);
    t.match(heard.join("\n"), /"event":"session-refused"/, "the webhook was told");
    t.ok(
      places.some(([where]) => /env\.\d+$/.test(where)),
      "the script has written what it was given",
    );
    const needles = Object.entries({
      ...PLANTED,
      ...Object.fromEntries(material.map((line, index) => [`key ${index}`, line])),
    });
    for (const [name, text] of needles) {
      const found = places.filter(([, octets]) => forms(text).some((form) => octets.includes(form)));
      t.same(
        found.map(([where]) => where),
        [],
        `${name} is nowhere`,
      );
    }
    t.ok(
      places.some(([, octets]) => octets.includes("O0999BACK")),
      "what may be told can be found",
    );
  });
});
