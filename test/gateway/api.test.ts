/** The HTTP API: every route answers as its own description says, and only to those who may. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type Test, test } from "tap";
import { ask } from "../../src/cli/client.ts";
import { readEvents, type ServerEvent } from "../../src/cli/events.ts";
import { issue } from "../net/authority.ts";

import { type Answer, ApiClient, adminToml, newToken, type Tokens, type Wish } from "./api-client.ts";
import { freePorts, type Gateway, site, waitFor } from "./harness.ts";

interface Operation {
  operationId: string;
  "x-role": string;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** HUB with the HTTP API and its partner ACME, both running. */
async function running(
  t: Test,
  more = "",
): Promise<{ hub: Gateway; acme: Gateway; api: ApiClient; tokens: Tokens }> {
  const tokens = { reader: newToken(), operator: newToken(), boss: newToken() };
  const [port = 0] = await freePorts(1);
  const { hub, acme } = await site(t, {
    prot: ["OFTP"],
    hub: { more: adminToml(port, { ...tokens, boss: sha256(tokens.boss) }, more) },
  });
  await hub.write("secrets/reader", `${tokens.reader}\n`);
  // a file may hold the hash as well
  await hub.write("secrets/operator", sha256(tokens.operator));
  for (const name of ["reader", "operator"]) await fs.chmod(join(hub.directory, "secrets", name), 0o600);
  await Promise.all([hub.start(), acme.start()]);
  return { hub, acme, tokens, api: new ApiClient(port, join(hub.directory, "pki", "hub.pem")) };
}

/** Judges answers by the document. */
class Judge {
  readonly operations = new Map<string, Operation & { method: string; path: string }>();
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(document: Document) {
    this.#ajv.addSchema({ $id: "document", components: document.components });
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        this.operations.set(operation.operationId, { ...operation, path, method: method.toUpperCase() });
      }
    }
  }

  /** What is wrong with an answer; "" = nothing. */
  faults(id: string, { status, json, text, headers }: Answer): string {
    const described = this.operations.get(id)?.responses[String(status)];
    if (described === undefined) return `${id} has no answer ${status}: ${text}`;
    const type = (headers["content-type"] ?? "").split(";")[0] ?? "";
    const schema = described.content?.[type]?.schema;
    if (schema === undefined) return `${id} ${status} is no ${type}`;
    if (type !== "application/json") return "";
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components'));
    const validate = this.#ajv.compile(absolute);
    return validate(json)
      ? ""
      : `${id} ${status}: ${this.#ajv.errorsText(validate.errors)}: ${text.slice(0, 500)}`;
  }
}

test("every route: its answers are as described, and each role may what it may", async (t) => {
  const { hub, acme, api, tokens } = await running(t);
  const { json } = await api.call("GET", "/v1/openapi.json", { token: tokens.reader });
  const document = json as Document;
  t.match(document.openapi, /^3\.1\./);
  const judge = new Judge(document);

  const sent = await api.call("PUT", "/v1/uploads/first.edi?part=ACME", {
    token: tokens.operator,
    body: Buffer.from("first"),
  });
  const { idtu } = sent.json as { idtu: string };
  const pem = await fs.readFile(join(hub.directory, "pki", "acme.pem"), "utf8");
  await fs.writeFile(join(hub.directory, "local.edi"), "from the gateway's own disk");
  await waitFor(
    "the first file to end",
    async () => (await hub.transfer("send", "first.edi"))?.state === "X",
  );

  interface Call {
    path?: Record<string, string>;
    query?: string;
    body?: unknown;
    /** Statuses that are as good; 200 unless said. */
    status?: readonly number[];
  }
  // in this order; "shut" is tried last, by itself
  const calls: Record<string, Call | Call[]> = {
    status: {},
    self: {},
    openapi: {},
    metrics: {},
    sessions: {},
    generations: {},
    transfers: [
      {},
      { query: "direct=send&state=X&limit=1" },
      { query: "limit=many", status: [400] },
      { query: "colour=red", status: [400] },
      { query: "after=nonsense", status: [400] },
    ],
    transfer: [{ path: { idtu } }, { path: { idtu: "99999999" }, status: [404] }],
    upload: [
      { path: { name: "second.edi" }, query: "part=ACME", body: Buffer.from("second") },
      { path: { name: "second.edi" }, query: "part=NOBODY", body: Buffer.from("second"), status: [404] },
      { path: { name: "..%2Fsecond.edi" }, query: "part=ACME", body: Buffer.from("second"), status: [400] },
      { path: { name: "third.edi" }, query: "part=ACME", body: { not: "octets" }, status: [415] },
    ],
    send: [
      { body: { part: "ACME", file: join(hub.directory, "local.edi") } },
      { body: { part: "ACME", file: "local.edi" }, status: [400] },
      { body: { part: "ACME", file: "/etc/passwd", colour: "red" }, status: [400] },
      { status: [400] },
    ],
    commandTransfers: [
      { body: { action: "submit", select: { idtu } } },
      { body: { action: "halt", select: {} }, status: [400] },
      { body: { action: "halt", force: "yes", select: { idtu } }, status: [400] },
    ],
    endTransfer: [
      { path: { idtu }, status: [409] },
      { path: { idtu: "99999999" }, status: [404] },
    ],
    partners: {},
    partner: [{ path: { id: "ACME" } }, { path: { id: "NOBODY" }, status: [404] }],
    testPartner: [{ path: { id: "ACME" } }, { path: { id: "NOBODY" }, status: [404] }],
    callPartner: [
      { path: { id: "ACME" }, status: [200, 409] },
      { path: { id: "NOBODY" }, status: [404] },
    ],
    folders: {},
    jobs: {},
    activate: [
      { body: { command: "inact", id: "OUTBOX" } },
      { body: { command: "act", id: "OUTBOX" } },
      { body: { command: "act", id: "NOTHING" }, status: [404] },
    ],
    certificates: {},
    certificate: [{ path: { which: "own" } }, { path: { which: "unknown" }, status: [404] }],
    importCertificates: [
      { body: { part: "ACME", certificates: pem, usage: ["encrypt"] } },
      { body: { part: "ACME", certificates: "no certificate" }, status: [400] },
      { body: { part: "NOBODY", certificates: pem }, status: [404] },
    ],
    acceptCertificate: [
      { path: { which: fingerprint(pem) }, body: { note: "compared" } },
      { path: { which: "own" }, status: [409] },
    ],
    retireCertificate: { path: { which: fingerprint(pem) } },
    refuseCertificate: [
      { path: { which: fingerprint(pem) }, status: [409] },
      { path: { which: "0123456789" }, status: [404] },
    ],
    refreshStore: {},
    exchangeCertificates: [
      { body: { part: "ACME", kind: "deliver" } },
      { body: { part: "NOBODY", kind: "deliver" }, status: [404] },
    ],
    configuration: {},
    plan: {},
    reload: {},
    explain: { path: { code: "CFTT57I" } },
    codes: [{ query: "kind=NERP" }, { query: "kind=NONE", status: [400] }],
    log: [{}, { query: "level=I&id=CFTI&limit=5" }, { query: "level=X", status: [400] }],
    audit: {},
    events: { query: "type=weather", status: [400] },
    shut: { body: { fast: "yes" }, status: [400] },
  };

  const wishOf = ({ body }: Call, token?: string): Wish => ({
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  });
  const pathOf = (template: string, { path = {}, query }: Call) => {
    const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => path[name] ?? "0");
    return query === undefined ? filled : `${filled}?${query}`;
  };
  const named = new Set(
    [...judge.operations.values()]
      .filter((each) => each["x-role"] !== "anyone")
      .map((each) => each.operationId),
  );
  t.same(
    [...named].filter((id) => !(id in calls)),
    [],
    "every route is called",
  );
  const ranks = ["read", "operate", "admin"];
  const holders = [tokens.reader, tokens.operator, tokens.boss];
  for (const [id, either] of Object.entries(calls)) {
    const operation = judge.operations.get(id);
    if (operation === undefined) {
      t.fail(`there is no operation ${id}`);
      continue;
    }
    const list = Array.isArray(either) ? either : [either];
    const [first = {}] = list;
    const { method, path } = operation;
    const rank = ranks.indexOf(operation["x-role"]);
    const nobody = await api.call(method, pathOf(path, first), wishOf(first));
    t.equal(nobody.status, 401, `${id}: nobody`);
    t.equal(judge.faults(id, nobody), "");
    if (rank > 0) {
      const lower = await api.call(method, pathOf(path, first), wishOf(first, holders[rank - 1]));
      t.equal(lower.status, 403, `${id}: ${ranks[rank - 1]}`);
      t.equal(judge.faults(id, lower), "");
    }
    // the file of the gateway's own disk is for the highest role, whatever the route says
    const holder = id === "send" ? tokens.boss : holders[rank];
    for (const call of list) {
      const answer = await api.call(method, pathOf(path, call), wishOf(call, holder));
      t.ok(
        (call.status ?? [200]).includes(answer.status),
        `${id} ${JSON.stringify(call.query ?? call.path ?? "")}: ${answer.status} ${answer.text.slice(0, 200)}`,
      );
      t.equal(judge.faults(id, answer), "", `${id}: as described`);
    }
  }
  const refused = await api.call("POST", "/v1/transfers", {
    token: tokens.operator,
    body: { part: "ACME", file: "/etc/passwd" },
  });
  t.match(
    refused,
    { status: 403, json: { code: "CYG_API_ROLE" } },
    "files of the gateway's disk are for admin",
  );
  t.match(await api.call("GET", "/v1/nothing", { token: tokens.reader }), {
    status: 404,
    json: { code: "CYG_ADMIN_PATH" },
  });
  t.match(await api.call("GET", "/v1/nothing"), { status: 401 }, "what there is, strangers do not learn");
  t.match(await api.call("DELETE", "/v1/transfers", { token: tokens.boss }), { status: 404 });
  const large = await api
    .call("POST", "/v1/plan", { token: tokens.boss, body: { filler: "x".repeat(2_000_000) } })
    .catch((error: Error) => error);
  t.match(large, { status: 413, json: { code: "CYG_ADMIN_REQUEST" } }, "a body has its limit");

  const arrived = async () =>
    (await acme.transfers({ direct: "recv", state: "X" })).map(({ sha256 }) => sha256);
  for (const content of ["first", "second", "from the gateway's own disk"]) {
    const hash = createHash("sha256").update(content).digest("hex");
    await waitFor(content, async () => (await arrived()).includes(hash));
  }

  const torn = await api.begin("PUT", "/v1/uploads/torn.edi?part=ACME", tokens.operator, 1_000_000);
  torn.write("half of it");
  const copies = () => fs.readdir(join(hub.rundir, "work", "submit"));
  await waitFor("the copy to be begun", async () => (await copies()).length === 1);
  torn.destroy();
  await waitFor("the copy to be gone", async () => (await copies()).length === 0);
  t.notOk(
    (await hub.transfers()).some(({ fname }) => fname === "torn.edi"),
    "a torn upload leaves nothing",
  );

  await t.test("pages of a list meet each record once, in every order", async (t) => {
    for (const sort of ["kdate", "-kdate", "idtu", "part", "-filesize", "bdate", "-edate", "fname"]) {
      const whole = (await hub.transfers({ sort })).map((one) => one.idtu);
      const met: string[] = [];
      let next = `/v1/transfers?sort=${sort}&limit=2`;
      while (next !== "") {
        const page = await api.call("GET", next, { token: tokens.reader });
        met.push(...(page.json as { idtu: string }[]).map((one) => one.idtu));
        next = /<([^>]+)>/.exec(String(page.headers.link ?? ""))?.[1] ?? "";
      }
      t.same(met, whole, sort);
    }
  });

  const audit = (await api.call("GET", "/v1/audit?limit=10000", { token: tokens.boss })).json as Record<
    string,
    unknown
  >[];
  t.ok(
    audit.some(
      ({ who, via, action, status }) =>
        who === "operator" && via === "token" && action === "upload" && status === 200,
    ),
  );
  t.ok(
    audit.some(
      ({ who, action, status, code }) =>
        who === "reader" && action === "activate" && status === 403 && code === "CYG_API_ROLE",
    ),
  );
  t.ok(audit.some(({ who, address, status }) => who === "" && address === "127.0.0.1" && status === 401));
  t.notOk(
    audit.some(({ action, status }) => action === "" && status === 200),
    "looking is not noted",
  );

  const everything =
    (
      await Promise.all(
        ["configuration", "log?limit=10000", "status"].map((path) =>
          api.call("GET", `/v1/${path}`, { token: tokens.boss }),
        ),
      )
    )
      .map(({ text }) => text)
      .join("") +
    (await fs.readFile(join(hub.rundir, "log", "audit.log"), "utf8")) +
    hub.log();
  for (const secret of [
    ...Object.values(tokens),
    ...Object.values(tokens).map((one) => sha256(one)),
    "HUBPW",
    "ACMEPW",
  ]) {
    t.notOk(everything.includes(secret), "no secret is shown");
  }
  t.match(everything, /\[secret\]/);

  const answer = await api.call("POST", "/v1/shut", { token: tokens.boss, body: { fast: true } });
  t.equal(judge.faults("shut", answer), "");
  t.match(await hub.exited(), { code: 0 }, "it stops when it is asked to");
});

function fingerprint(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return createHash("sha256").update(der).digest("hex");
}

test("who may come in: tokens, certificates, lock-out, limits, and reloads", async (t) => {
  const { hub, api, tokens } = await running(t);
  const self = (wish: Wish) => api.call("GET", "/v1/self", wish);
  const reload = () => ask<{ accepted: boolean; reasons?: string[] }>(hub.socket, "POST", "/reload");
  const edit = async (change: (toml: string) => string) => {
    await fs.writeFile(hub.config, change(await fs.readFile(hub.config, "utf8")));
    return reload();
  };
  t.match(await self({ token: tokens.reader }), {
    status: 200,
    json: { name: "reader", role: "read", via: "token", address: "127.0.0.1" },
  });
  t.match(
    (await self({ token: tokens.boss })).json,
    { name: "boss", role: "admin" },
    "a hash in the configuration",
  );
  t.match(
    (await self({ token: tokens.operator, maxVersion: "TLSv1.2" })).json,
    { name: "operator" },
    "a hash in a file, TLS 1.2",
  );
  t.match(await ask(hub.socket, "GET", "/self"), {
    name: "socket",
    role: "admin",
    via: "socket",
    address: "",
  });
  t.match((await self({})).headers, { "www-authenticate": /Bearer/, "cache-control": "no-store" });
  for (const authorization of [
    "Bearer",
    "Basic cmVhZGVyOng=",
    `Bearer ${tokens.reader}x`,
    `Bearer ${sha256(tokens.boss)}`,
  ]) {
    t.match(
      await self({ headers: { authorization }, from: "127.0.0.9" }),
      { status: 401 },
      authorization.slice(0, 8),
    );
  }
  await t.rejects(plainRequest(api.port), "there is no HTTP without TLS");

  await t.test("lock-out", async (t) => {
    const from = "127.0.0.2";
    const wrong = () => self({ token: newToken(), from });
    for (let guess = 0; guess < 4; guess += 1) t.equal((await wrong()).status, 401);
    t.equal((await wrong()).status, 401, "the fifth begins it");
    const right = await self({ token: tokens.reader, from });
    t.match(
      right,
      { status: 429, json: { code: "CYG_API_LOCKED" }, headers: { "retry-after": "1" } },
      "also for a right token",
    );
    t.equal((await self({ token: tokens.reader })).status, 200, "others do not notice");
    t.match(hub.log(), /CFTR90W.*127\.0\.0\.2/);
    await waitFor(
      "the end of the wait",
      async () => (await self({ token: tokens.reader, from })).status === 200,
    );
    t.equal((await wrong()).status, 401);
    t.equal((await self({ token: tokens.reader, from })).headers["retry-after"], "2", "the wait grows");
  });

  await t.test("client certificates", async (t) => {
    const folder = join(hub.directory, "pki");
    const ca = await issue(folder, "office", { ca: true });
    const erp = await issue(folder, "erp", { issuer: ca, subject: "O=Example, CN=erp" });
    const other = await issue(folder, "other", { issuer: ca, subject: "O=Example, CN=other" });
    const stranger = await issue(folder, "stranger", { subject: "O=Example, CN=erp" });
    const refused = await edit(
      (toml) => `${toml}\n[[apiuser]]\nid = "erp"\nrole = "operate"\ncertificate = '"/CN=erp/"'\n`,
    );
    t.match(refused, { accepted: false, reasons: [/rootcid/] }, "nobody could come in by it");
    t.match(
      await edit(
        (toml) =>
          `${toml.replace('usercid = "own"\n\n', 'usercid = "own"\nrootcid = ["office"]\n')}\n[[pki]]\nid = "office"\nfile = "pki/office.pem"\nusage = ["ca"]\n`,
      ),
      { accepted: true },
    );
    const shows = async (one: { certificate: string; key: string }) =>
      self({ cert: await fs.readFile(one.certificate, "utf8"), key: await fs.readFile(one.key, "utf8") });
    t.match(await shows(erp), { status: 200, json: { name: "erp", role: "operate", via: "certificate" } });
    t.match(await shows(other), { status: 401, json: { message: /CN=other/ } });
    t.match(await shows(stranger), { status: 401 }, "a name that nobody vouches for");
    t.equal((await self({ token: tokens.reader })).status, 200, "tokens still do");
  });

  await t.test("a reload changes roles, users, certificate and address, or nothing", async (t) => {
    t.match(await edit((toml) => toml.replace('role = "read"', 'role = "operate"')), { accepted: true });
    t.match((await self({ token: tokens.reader })).json, { role: "operate" });
    t.match(await edit((toml) => toml.replace('id = "reader"', 'id = "reader"\nstate = "noactive"')), {
      accepted: true,
    });
    t.equal((await self({ token: tokens.reader, from: "127.0.0.3" })).status, 401);
    await fs.cp(join(hub.directory, "pki", "acme.pem"), join(hub.directory, "pki", "hub.pem"));
    await fs.cp(join(hub.directory, "pki", "acme.key"), join(hub.directory, "pki", "hub.key"));
    t.match(await reload(), { accepted: true });
    await t.rejects(
      self({ token: tokens.boss }),
      { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
      "another certificate is shown",
    );
    const renewed = new ApiClient(api.port, join(hub.directory, "pki", "hub.pem"));
    t.equal((await renewed.call("GET", "/v1/self", { token: tokens.boss })).status, 200);

    const held = createServer().listen(0, "127.0.0.1");
    await once(held, "listening");
    const taken = (held.address() as AddressInfo).port;
    const [port = 0] = await freePorts(1);
    const moved = (to: number) => edit((toml) => toml.replace(/127\.0\.0\.1:\d+"/, `127.0.0.1:${to}"`));
    t.match(await moved(taken), { accepted: false, reasons: [/cannot be opened/] });
    held.close();
    t.equal(
      (await renewed.call("GET", "/v1/self", { token: tokens.boss })).status,
      200,
      "the old port goes on",
    );
    // an answer that has begun when the address changes comes to its end
    const stream = await renewed.open("GET", "/v1/events", { token: tokens.boss });
    t.match(await moved(port), { accepted: true });
    await t.rejects(renewed.call("GET", "/v1/self", { token: tokens.boss }), { code: "ECONNREFUSED" });
    const at = new ApiClient(port, join(hub.directory, "pki", "hub.pem"));
    t.equal((await at.call("GET", "/v1/self", { token: tokens.boss })).status, 200);
    t.match(await edit((toml) => toml.replace("[admin]\n", "[admin]\nmaxcnx_host = 1\n")), {
      accepted: true,
    });
    await t.rejects(
      at.call("GET", "/v1/self", { token: tokens.boss }),
      "one connection from an address, and the stream is it",
    );
    stream.destroy();
    await waitFor("the seat", () =>
      at.call("GET", "/v1/self", { token: tokens.boss }).then(
        () => true,
        () => false,
      ),
    );
    t.match(await edit((toml) => toml.replace("[admin]\n", '[admin]\ndeny = ["127.0.0.0/8"]\n')), {
      accepted: true,
    });
    await t.rejects(at.call("GET", "/v1/self", { token: tokens.boss }));
    t.match(await edit((toml) => toml.replace(/listen .*\n/, "")), { accepted: true }, "no port at all");
    await t.rejects(at.call("GET", "/v1/self", { token: tokens.boss }), { code: "ECONNREFUSED" });
  });
});

async function plainRequest(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("latin1");
  if (!text.startsWith("HTTP/")) throw new Error("no HTTP was spoken");
  return text;
}

test("events: what happens, filtered, and resumed where a reader was cut off", async (t) => {
  const { hub, api, tokens } = await running(t);
  const token = tokens.reader;
  const open = async (query: string, last?: string) => {
    const headers = { accept: "text/event-stream", ...(last === undefined ? {} : { "last-event-id": last }) };
    const stream = await api.open("GET", `/v1/events${query}`, { token, headers });
    t.match(stream.headers["content-type"], /^text\/event-stream/);
    return stream;
  };
  /** Reads until one satisfies `enough`; gives all of them. */
  const until = async (stream: IncomingMessage, enough: (event: ServerEvent) => boolean) => {
    const seen: ServerEvent[] = [];
    for await (const event of readEvents(stream)) {
      seen.push(event);
      if (enough(event)) break;
    }
    return seen;
  };
  const ended = ({ event, data }: ServerEvent) => event === "transfer" && JSON.parse(data).state === "X";

  const all = await open("");
  await hub.drop("one.edi", "one");
  const seen = await until(all, ended);
  const states = seen.filter(({ event }) => event === "transfer").map(({ data }) => JSON.parse(data).state);
  t.match(
    states.join(""),
    /^[DC].*X$/,
    "from a first state to the last; what comes together is told together",
  );
  t.ok(seen.some(({ event, data }) => event === "session" && JSON.parse(data).what === "agreed"));
  t.ok(seen.some(({ event, data }) => event === "message" && JSON.parse(data).id === "CFTR12I"));
  const ids = seen.map(({ id }) => Number(id.split("-")[1]));
  t.same(
    ids,
    ids.map((_, index) => (ids[0] as number) + index),
    "no event is missing",
  );

  const half = seen[Math.floor(seen.length / 2)]?.id as string;
  const again = await until(await open("", half), ended);
  const rest = seen.slice(Math.floor(seen.length / 2) + 1);
  t.same(again, rest, "resumed behind the last event that was seen");
  const [gap] = await until(await open("", "deadbeef-12"), () => true);
  t.match(gap, { event: "gap" }, "an id of another run");
  t.match(gap?.id, /^[0-9a-f]{8}-\d+$/, "and where to go on from");

  const messages = await open("?type=message,configuration&level=W");
  const transfers = await open("?type=transfer&part=ACME");
  const toml = await fs.readFile(hub.config, "utf8");
  await fs.appendFile(hub.config, "\n[cftlog]\n");
  const [warning] = await until(messages, ({ event }) => event === "configuration");
  t.match(JSON.parse(warning?.data ?? "{}").severity, /[WE]/, "what is wrong is told first");
  await hub.drop("two.edi", "two");
  t.ok((await until(transfers, ended)).every(({ event }) => event === "transfer"));

  // who loses the right loses the stream
  const mine = await open("");
  await hub.write("secrets/reader", newToken());
  await fs.writeFile(hub.config, toml);
  t.match(await ask(hub.socket, "POST", "/reload"), { accepted: true });
  await until(mine, () => false);
  t.pass("the stream has ended");
  for (const stream of [all, messages, transfers]) stream.destroy();
});

test("the command line talks to a gateway elsewhere as to the one here", async (t) => {
  const { hub, acme, api, tokens } = await running(t);
  const away = t.testdir({});
  const files: Record<string, string> = {};
  for (const [name, token] of Object.entries(tokens)) {
    files[name] = join(away, name);
    await fs.writeFile(files[name], `${token}\n`, { mode: 0o600 });
  }
  const ca = join(hub.directory, "pki", "hub.pem");
  const url = `https://localhost:${api.port}`;
  const environment = { ...process.env, CYGNET_URL: url, CYGNET_CA: ca };
  // it runs where there is no configuration and no gateway
  const cygnet = (who: keyof Tokens, ...args: string[]) =>
    cygnetIn(away, { ...environment, CYGNET_TOKEN_FILE: files[who] }, args);
  const file = join(away, "from-afar.edi");
  await fs.writeFile(file, "octets from elsewhere");

  t.match(await cygnet("reader", "status"), { status: 0, stdout: /^site +HUB/ });
  t.match(await cygnet("reader", "send", file, "--part", "ACME"), {
    status: 1,
    stderr: /role operate; reader has the role read/,
  });
  const sent = await cygnet("operator", "send", file, "--part", "ACME", "--wait", "--json");
  t.match(sent, { status: 0 }, sent.stderr);
  const { idtu, ...record } = JSON.parse(sent.stdout);
  t.match(record, { state: "X", ack: "A", fname: "from-afar.edi" });
  const arrived = (await acme.transfers({ direct: "recv" }))[0]?.fname ?? "";
  t.equal(await fs.readFile(arrived, "utf8"), "octets from elsewhere");
  t.match(await cygnet("reader", "display", idtu), { status: 0, stdout: /from-afar/ });
  t.match(await cygnet("reader", "listcat", "--json", "--limit", "1"), {
    status: 0,
    stdout: new RegExp(idtu),
  });
  t.match(await cygnet("operator", "send", join(away, "none"), "--part", "ACME"), {
    status: 1,
    stderr: /ENOENT/,
  });
  t.match(await cygnet("operator", "send", file, "--part", "NOBODY"), {
    status: 1,
    stderr: /there is no partner NOBODY/,
  });
  t.match(await cygnet("operator", "inact", "OUTBOX"), { status: 0, stdout: "folder OUTBOX: noactive\n" });
  t.match(await cygnet("operator", "test-partner", "ACME"), { status: 0, stdout: /good/ });
  t.match(await cygnet("boss", "reload"), { status: 0, stdout: /nothing has changed/ });
  t.match(await cygnet("reader", "log", "--level", "I"), { status: 0, stdout: /CFTR12I/ });
  t.match(await cygnet("boss", "log", "--audit"), { status: 0, stdout: /operator 127.0.0.1: upload .*200/ });
  t.match(await cygnet("reader", "pki", "list"), { status: 0, stdout: /^own\t/ });
  const theirs = join(hub.directory, "pki", "acme.pem");
  t.match(await cygnet("boss", "pki", "import", theirs, "--part", "ACME"), { status: 0, stdout: /It waits/ });
  const print = fingerprint(await fs.readFile(theirs, "utf8")).slice(0, 16);
  t.match(await cygnet("boss", "pki", "accept", print), { status: 0, stdout: /is in use now/ });
  t.match(hub.log(), /CFTS78I.*active/, "the gateway has done it, and says so");
  t.match(await cygnet("boss", "pki", "import", theirs, "--id", "own"), {
    status: 2,
    stderr: /private keys do not travel/,
  });

  const bad = async (changed: Record<string, string | undefined>, ...args: string[]) =>
    cygnetIn(away, { ...environment, CYGNET_TOKEN_FILE: files.reader, ...changed }, args);
  t.match(
    await bad({ CYGNET_CA: undefined }, "status"),
    { status: 1, stderr: /--ca FILE/ },
    "nobody vouches for it",
  );
  t.match(
    await bad({ CYGNET_URL: "http://localhost:1" }, "status"),
    { status: 2, stderr: /https:\/\// },
    "never in clear",
  );
  t.match(await bad({ CYGNET_TOKEN_FILE: undefined }, "status"), { status: 2, stderr: /--token-file/ });
  t.match(await bad({}, "status", "--url", "https://localhost:1"), {
    status: 1,
    stderr: /no gateway answers/,
  });

  const follower = spawn(process.execPath, [MAIN, "log", "-f", "--json"], {
    cwd: away,
    env: { ...environment, CYGNET_TOKEN_FILE: files.reader },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => follower.kill());
  let followed = "";
  follower.stdout.on("data", (chunk: Buffer) => {
    followed += String(chunk);
  });
  await waitFor("what was", () => followed.includes("CFTI14I"));
  await ask(hub.socket, "POST", "/activations", { command: "act", id: "OUTBOX", kind: "folder" });
  const before = hub.messages("CFTR12I").length;
  await waitFor(
    "what comes",
    () => followed.split("\n").filter((line) => line.includes('"CFTR12I"')).length === before,
  );
  t.match(await cygnet("boss", "shut", "--fast"), { status: 0, stdout: /has stopped/ });
});

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

function cygnetIn(
  cwd: string,
  env: NodeJS.ProcessEnv,
  args: string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", MAIN, ...args],
      { cwd, env },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : error.code;
        if (typeof status === "number") resolve({ status, stdout, stderr });
        else reject(error);
      },
    );
  });
}
