/** Who is told of what: by mail through a real SMTP listener, by webhooks to a real HTTP server. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo, createServer as createTcp, type Socket } from "node:net";
import { join } from "node:path";
import { createSecureContext, TLSSocket } from "node:tls";
import { type Test, test } from "tap";
import type { Notify } from "../../src/config/model.ts";
import { keySchema } from "../../src/config/schemas.ts";
import { Secret } from "../../src/config/secret.ts";
import { mailOf } from "../../src/engine/notify/mail.ts";
import { NoticeQueue, REFUSED } from "../../src/engine/notify/queue.ts";
import { type Notice, selects } from "../../src/engine/notify/selection.ts";
import { Storm } from "../../src/engine/notify/storm.ts";
import { Unreachable } from "../../src/engine/notify/unreachable.ts";
import { catalogue } from "../../src/messages/catalogue.ts";
import { events } from "../../src/messages/events.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { ManualClock } from "../net/manual-clock.ts";
import { filesBelow, type Gateway, site, waitFor } from "./harness.ts";

interface Call {
  headers: IncomingHttpHeaders;
  text: string;
  body: Notice;
}

/** A webhook that answers what it is told to. */
async function webhook(t: Test, answers: (call: Call) => number = () => 204) {
  const calls: Call[] = [];
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const text = Buffer.concat(pieces).toString();
      const call = { headers: request.headers, text, body: JSON.parse(text) as Notice };
      const status = answers(call);
      if (status < 300) calls.push(call);
      if (status === 0) return; // never answers
      response.writeHead(status, status === 302 ? { location: "http://127.0.0.1:1/" } : {}).end("thanks");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/s3cret`, calls };
}

interface Mail {
  from: string;
  to: string[];
  user: string;
  secure: boolean;
  text: string;
}

/** As much of a mail server as a mail needs: RFC 5321, STARTTLS (RFC 3207), AUTH PLAIN (RFC 4954). */
async function mailServer(t: Test, tls: { key: string; cert: string }, implicit = false) {
  const mails: Mail[] = [];
  const context = createSecureContext(tls);
  const serve = (socket: Socket, secure: boolean) => {
    let mail: Mail = { from: "", to: [], user: "", secure, text: "" };
    let data: string[] | null = null;
    let rest = "";
    const say = (text: string) => socket.write(`${text}\r\n`);
    const hear = (line: string) => {
      if (data) {
        if (line !== ".") return data.push(line.replace(/^\.\./, "."));
        mails.push({ ...mail, text: data.join("\n") });
        mail = { ...mail, from: "", to: [], text: "" };
        data = null;
        return say("250 kept");
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === "EHLO") return say(`250-mail\r\n${secure ? "" : "250-STARTTLS\r\n"}250 AUTH PLAIN`);
      if (verb === "STAR") {
        say("220 go on");
        socket.removeAllListeners("data");
        return serve(new TLSSocket(socket, { isServer: true, secureContext: context }), true);
      }
      if (verb === "AUTH") {
        mail.user = Buffer.from(line.split(" ").at(-1) ?? "", "base64")
          .toString()
          .split("\0")
          .slice(1)
          .join(":");
        return say("235 welcome");
      }
      if (verb === "MAIL") mail.from = /<(.*?)>/.exec(line)?.[1] ?? "";
      if (verb === "RCPT") mail.to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
      if (verb === "RCPT" && line.includes("nobody@")) return say("550 no such user");
      if (verb === "DATA") {
        data = [];
        return say("354 go on");
      }
      say(verb === "QUIT" ? "221 bye" : "250 well");
      if (verb === "QUIT") socket.end();
    };
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) hear(line);
    });
    return socket;
  };
  const open = new Set<Socket>();
  const server = createTcp((socket) => {
    open.add(socket);
    if (!implicit) return void serve(socket, false).write("220 mail\r\n");
    serve(new TLSSocket(socket, { isServer: true, secureContext: context }), true).write("220 mail\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, mails };
}

async function append(gateway: Gateway, text: string): Promise<void> {
  const before = await fs.readFile(gateway.config, "utf8");
  await gateway.write("cygnet.toml", `${before}\n${text}`);
}

test("a webhook and mails tell of what a gateway meets", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"], hub: { retryw: "200ms" } });
  const key = readFileSync(join(hub.directory, "pki/hub.key"), "utf8");
  const cert = readFileSync(join(hub.directory, "pki/hub.pem"), "utf8");
  const first = await mailServer(t, { key, cert });
  const second = await mailServer(t, { key, cert }, true);
  let failures = 2;
  const hook = await webhook(t, () => (failures-- > 0 ? 503 : 204));
  const other = await webhook(t, ({ body }) => (body.message === "CFTI14I" ? 410 : 200));
  await hub.write("secrets/hook", "k3y\n");
  await hub.write("secrets/smtp", "pa55\n");
  for (const name of ["hook", "smtp"]) await fs.chmod(join(hub.directory, "secrets", name), 0o600);
  const smtp = (port: number, tls: string) =>
    `[smtp]\nhost = "localhost"\nport = ${port}\ntls = "${tls}"\nuser = "hub"\npassw = "file:secrets/smtp"\nsender = "hub@example.com"\n`;
  await append(
    hub,
    `${smtp(first.port, "starttls")}
[[notify]]
id = "HOOK"
events = ["gateway-started", "gateway-stopped", "reload-rejected", "partner-unreachable", "nerp-received"]
part = []
unreachable = "500ms"
url = "${hook.url}"
secret = "file:secrets/hook"
[[notify]]
id = "ACME_ONLY"
messages = ["CFTT5?I", "CFTI14I"]
part = ["AC*"]
url = "${other.url}"
[[notify]]
id = "MAIL"
events = ["gateway-started", "reload-rejected"]
mail = ["ops@example.com", "night@example.com"]
[[notify]]
id = "NOBODY"
events = ["gateway-started"]
mail = ["nobody@example.com"]
`,
  );
  process.env.NODE_EXTRA_CA_CERTS = join(hub.directory, "pki/hub.pem");
  await hub.start();
  delete process.env.NODE_EXTRA_CA_CERTS;
  await waitFor("the mail", () => first.mails.length === 1);
  const [mail] = first.mails;
  t.match(mail, {
    from: "hub@example.com",
    to: ["ops@example.com", "night@example.com"],
    user: "hub:pa55",
    secure: true,
  });
  t.match(mail?.text, /^Subject: \[HUB\] I CFTI14I Start complete$/m);
  t.match(mail?.text, /^Auto-Submitted: auto-generated$/m);
  await waitFor("a mail that is refused for good", () =>
    hub.messages("CFTS83W").some((line) => line.includes("ID=NOBODY") && line.includes("given up")),
  );

  await hub.drop("LOST.DAT", "nobody takes it");
  await waitFor("the trouble with the hook", () =>
    hub.messages("CFTS83W").some((line) => line.includes("ID=HOOK")),
  );
  t.notMatch(hub.log(), /s3cret/, "the path of a hook is not told: it is often its password");
  await waitFor("the start, at the third attempt", () => hook.calls.length > 0, { timeout: 60_000 });
  const [call] = hook.calls;
  t.equal(
    call?.headers["x-cygnet-signature"],
    `sha256=${createHmac("sha256", "k3y")
      .update(call?.text ?? "")
      .digest("hex")}`,
    "the signature is over the octets of the body",
  );
  t.match(call?.body, {
    notify: "HOOK",
    site: "HUB",
    event: "gateway-started",
    severity: "I",
    message: "CFTI14I",
  });
  t.equal(call?.headers["x-cygnet-delivery"], call?.body.id);
  t.match(call?.headers["content-type"], "application/json");
  await waitFor(
    "a partner that is not reached",
    () => hook.calls.some(({ body }) => body.event === "partner-unreachable"),
    { timeout: 60_000 },
  );
  const lost = hook.calls.filter(({ body }) => body.event === "partner-unreachable");
  t.match(lost[0]?.body, { message: "CFTS84W", severity: "W", variables: { part: "ACME" } });
  t.equal(lost.length, 1, "once");
  await waitFor("the hook to be well", () =>
    hub.messages("CFTS83I").some((line) => line.includes("ID=HOOK")),
  );

  await acme.start();
  await waitFor("the sessions with ACME", () => other.calls.some(({ body }) => body.message === "CFTT51I"), {
    timeout: 60_000,
  });
  t.ok(other.calls.every(({ body }) => body.variables.part === "ACME" && /^CFTT5.I$/.test(body.message)));
  t.notOk(other.calls[0]?.headers["x-cygnet-signature"], "no secret, no signature");

  const good = await fs.readFile(hub.config, "utf8");
  await hub.write("cygnet.toml", good.replace("maxtrans = 64", "maxtrans = 0"));
  await waitFor("a rejected reload", () => hook.calls.some(({ body }) => body.event === "reload-rejected"));
  await waitFor("its mail", () => first.mails.length === 2);
  t.match(first.mails[1]?.text, /maxtrans/);
  const moved = good.replace(`port = ${first.port}`, `port = ${second.port}`).replace('"starttls"', '"tls"');
  await hub.write("cygnet.toml", moved);
  await waitFor("the reload", () => hub.messages("CFTS43I").length > 0);
  await hub.write("cygnet.toml", moved.replace("maxtrans = 64", "maxtrans = 0"));
  await waitFor("a mail by the other server", () => second.mails.length === 1);
  t.match(second.mails[0], { secure: true, user: "hub:pa55" });
  await hub.write("cygnet.toml", moved);
  t.equal((await hub.cli("shut")).status, 0);
  t.ok(
    hook.calls.some(({ body }) => body.event === "gateway-stopped"),
    "the last notice goes out before the end",
  );
  for (const secret of ["k3y", "pa55"]) t.notMatch(hub.log(), secret, "no secret in the log");
});

const NOTIFY: Notify = {
  ...{ id: "N", state: "active", events: [], messages: [], severity: "none", part: [], unreachable: 900_000 },
  ...{ mail: [], url: new Secret(""), secret: new Secret(""), timeout: 10_000, limit: 3, interval: 60_000 },
};

test("what waits outlives a kill and a change of the place: at least once, under its id", async (t) => {
  const { hub } = await site(t, { prot: ["OFTP"] });
  let up = false;
  const tried: string[] = [];
  const first = await webhook(t, ({ body }) => {
    tried.push(body.id);
    return up ? 204 : 503;
  });
  const folder = join(hub.rundir, "work", "notices");
  const waiting = async () => (await filesBelow(folder)).filter((name) => name.endsWith(".json"));
  const told = (url: string) => `\n[[notify]]\nid = "HOOK"\nurl = "${url}"\nevents = ["gateway-started"]\n`;
  const plain = await fs.readFile(hub.config, "utf8");
  await hub.write("cygnet.toml", plain + told(first.url));
  await hub.start();
  await waitFor("the first attempt", () => tried.length > 0);
  t.equal((await waiting()).length, 1);
  const [id] = tried;
  await hub.kill("SIGKILL");

  // what is not whole, or of somebody else, is cleared away
  const [path = ""] = await waiting();
  await fs.writeFile(join(folder, path.replace(/json$/, "json.new")), "{");
  await fs.writeFile(join(folder, path.replace(/^(.*\/)\d+/, "$1000000000000001")), '{"since":1,"not');
  await fs.mkdir(join(folder, "of-nobody"));
  await hub.start();
  await waitFor("the second start's notice", async () => (await waiting()).length === 2);
  t.notSame(await filesBelow(folder), [], "both wait");
  t.same(
    (await filesBelow(folder)).filter((name) => !name.endsWith(".json")),
    [],
  );
  t.notOk((await fs.readdir(folder)).includes("of-nobody"));
  await waitFor("another attempt", () => tried.length > 1);
  t.equal(tried[1], id, "the oldest first");

  up = true;
  await hub.kill("SIGTERM");
  t.same(
    first.calls.map(({ body }) => body.message),
    ["CFTI14I", "CFTI14I"],
    "a stop delivers what it can",
  );
  t.equal(first.calls[0]?.body.id, id);
  t.same(await waiting(), []);

  up = false;
  const second = await webhook(t);
  tried.length = 0;
  await hub.start();
  await waitFor("the attempt that fails", () => tried.length > 0);
  await hub.write("cygnet.toml", plain + told(second.url));
  await waitFor("the other place", () => second.calls.length > 0);
  t.equal(second.calls[0]?.body.id, tried[0], "what waited goes to the new place");
  await hub.write("cygnet.toml", plain);
  await waitFor("nothing to be kept", async () => (await fs.readdir(folder)).length === 0);
});

test("what a notification is about", (t) => {
  const cases: [
    what: string,
    notify: Partial<Notify>,
    id: string,
    part: string | undefined,
    selected: boolean,
  ][] = [
    ["an event", { events: ["nerp-received"] }, "CFTH72W", "ACME", true],
    ["another event", { events: ["nerp-received"] }, "CFTH73I", "ACME", false],
    ["a message", { messages: ["CFTT58I"] }, "CFTT58I", "ACME", true],
    ["a mask", { messages: ["CFTT*E"] }, "CFTT03E", "ACME", true],
    ["a mask that does not fit", { messages: ["CFTT*E"] }, "CFTT58I", "ACME", false],
    ["a severity", { severity: "W" }, "CFTH72W", "ACME", true],
    ["a higher one", { severity: "W" }, "CFTI01F", undefined, true],
    ["a lower one", { severity: "W" }, "CFTT58I", "ACME", false],
    ["a partner", { severity: "I", part: ["ACME"] }, "CFTT58I", "ACME", true],
    ["a mask of partners", { severity: "I", part: ["X", "AC?E"] }, "CFTT58I", "ACME", true],
    ["another partner", { severity: "I", part: ["X*"] }, "CFTT58I", "ACME", false],
    ["no partner, where one is asked for", { severity: "I", part: ["*"] }, "CFTI14I", undefined, false],
    ["one that is not active", { severity: "I", state: "noactive" }, "CFTT58I", "ACME", false],
    [
      "trouble with notifications themselves",
      { severity: "I", messages: ["*"] },
      "CFTS83W",
      undefined,
      false,
    ],
  ];
  for (const [what, notify, id, part, selected] of cases) {
    const severity = id.at(-1) as "I";
    t.equal(selects({ ...NOTIFY, ...notify }, { id, severity, variables: { part } }), selected, what);
  }
  for (const [name, ids] of Object.entries(events)) {
    for (const id of ids) t.ok(catalogue.has(id), `${name}: ${id} is in the catalogue`);
  }
  t.same(keySchema("notify", "events")?.items?.enum, Object.keys(events), "the schema names the same events");
  t.end();
});

test("a storm becomes a few notices and a summary", (t) => {
  const storm = new Storm(3, 1000);
  t.same(
    [0, 1, 2, 3, 4].map((at) => storm.admit(at, at < 4 ? "A" : "B")),
    [true, true, true, false, false],
  );
  t.equal(storm.dueAt, 1000);
  t.equal(storm.admit(2000, "A"), false, "what is held is told first");
  t.same(
    [...storm.release(2000)],
    [
      ["A", 2],
      ["B", 1],
    ],
  );
  t.equal(storm.dueAt, null);
  t.same(
    [2001, 2002, 2003].map((at) => storm.admit(at, "A")),
    [true, true, false],
    "the summary counts",
  );
  storm.release(3001);
  t.equal(storm.admit(4001, "A"), true, "a quiet interval later everything is told again");
  t.end();
});

const notice = (id: string): Notice => ({
  ...{
    id,
    notify: "N",
    site: "HUB",
    at: "2026-11-20T09:14:05.120Z",
    event: "",
    severity: "E",
    message: "CFTT03E",
  },
  ...{ text: "All attempts used", action: "Find out why.", variables: { part: "ACME" } },
});

test("a queue keeps order, tries again with growing waits, and is bounded in number and age", async (t) => {
  const clock = new ManualClock();
  const [delivered, troubles]: [string[], string[]] = [[], []];
  let fault: Error | null = null;
  let attempts = 0;
  const queue = new NoticeQueue(
    {
      deliver: async ({ id }) => {
        attempts += 1;
        if (fault) throw fault;
        delivered.push(id);
      },
      troubled: (text) => troubles.push(text),
      recovered: () => troubles.push("recovered"),
    },
    clock,
    { fraction: () => 0.5, bytes: (count) => Buffer.alloc(count) },
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  queue.push(notice("1"));
  queue.push(notice("2"));
  await settled();
  t.same(delivered, ["1", "2"]);
  fault = new Error("down");
  attempts = 0;
  queue.push(notice("3"));
  queue.push(notice("4"));
  await settled();
  for (const [wait, count] of [
    [4_999, 1],
    [1, 2],
    [15_000, 3],
    [60_000, 4],
    [300_000, 5],
    [900_000, 6],
    [900_000, 7],
  ] as const) {
    clock.advance(wait);
    await settled();
    t.equal(attempts, count, `after ${wait} ms more`);
  }
  t.same(troubles, ["down"], "told once");
  fault = null;
  clock.advance(900_000);
  await settled();
  t.same(delivered.slice(2), ["3", "4"]);
  t.same(troubles, ["down", "recovered"]);

  fault = new CygnetError(REFUSED, "no such hook");
  queue.push(notice("5"));
  await settled();
  t.equal(troubles.pop(), "no such hook; given up", "what is refused is not repeated");
  fault = new Error("down");
  for (let at = 0; at < 1200; at += 1) queue.push(notice(String(at)));
  await settled();
  t.equal(queue.length, 1000, "bounded in number");
  for (let passed = 0; passed < 25 * 3600_000; passed += 900_000) {
    clock.advance(900_000);
    await settled();
  }
  t.equal(queue.length, 0, "and in age");
  queue.push(notice("last"));
  await settled();
  await queue.close(1000);
  t.equal(troubles.at(-1), "down; given up", "the end gives each one more chance");
});

test("a queue that closes does not wait for who does not answer", async (t) => {
  const clock = new ManualClock();
  const hears: AbortSignal[] = [];
  const queue = new NoticeQueue(
    {
      deliver: (_, signal) => {
        hears.push(signal);
        return new Promise(() => {});
      },
      troubled: () => {},
      recovered: () => {},
    },
    clock,
    { fraction: () => 0, bytes: (count) => Buffer.alloc(count) },
  );
  queue.push(notice("1"));
  await new Promise((resolve) => setImmediate(resolve));
  const closing = queue.close(2000);
  clock.advance(2000);
  await closing;
  t.equal(hears[0]?.aborted, true);
});

test("a partner is unreachable from its first failure on, once, until a session opens", (t) => {
  const clock = new ManualClock();
  const told: string[] = [];
  const unreachable = new Unreachable(clock, 1000, (part, why) => told.push(`${part}: ${why}`));
  const hear = (id: string, part: string, text = "") =>
    unreachable.hear({ id, severity: "E", time: 0, text, variables: { part } });
  hear("CFTH10E", "A", "refused");
  hear("CFTH10E", "B", "refused");
  clock.advance(500);
  hear("CFTH11E", "A", "wrong code");
  hear("CFTH56I", "B");
  clock.advance(499);
  t.same(told, []);
  clock.advance(1);
  t.same(told, ["A: wrong code"]);
  hear("CFTH10E", "A", "refused");
  clock.advance(5000);
  t.equal(told.length, 1, "once");
  hear("CFTH56I", "A");
  hear("CFTH10E", "A", "again");
  clock.advance(1000);
  t.same(told.slice(1), ["A: again"], "a new outage");
  hear("CFTH10E", "C");
  unreachable.close();
  clock.advance(5000);
  t.equal(told.length, 2);
  t.end();
});

test("a mail is one plain message whatever its variables hold", (t) => {
  const { subject, text } = mailOf({
    ...notice("x"),
    text: `one\r\nBcc: everybody@example.com ${"long ".repeat(100)}`,
    variables: { fname: "a\r\n.\r\nMAIL FROM:<x>", part: "ACME" },
  });
  t.notMatch(subject, /[\r\n]/);
  t.ok(subject.length <= 120);
  t.match(subject, /^\[HUB\] E CFTT03E one Bcc/);
  t.match(text, /fname {6}a \. MAIL FROM/, "a value is one line");
  t.end();
});
