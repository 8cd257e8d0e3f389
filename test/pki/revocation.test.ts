/** Revocation by lists and by OCSP, under every policy, with every way in which an answer can be missing or wrong. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import { createTrust } from "../../src/pki/trust/create.ts";
import { systemFetch } from "../../src/pki/trust/fetch.ts";
import type { RevocationPolicy, Trust, TrustVerdict } from "../../src/pki/trust/trust.ts";
import { CA, type Issued, LEAF, SmallCa } from "./small-ca.ts";
import { type Answer, ShiftedClock, type Web, web } from "./web.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GARBAGE = Buffer.from("<html>not what you want</html>");

interface Scene {
  ca: SmallCa;
  web: Web;
  clock: ShiftedClock;
  root: Issued;
  other: Issued;
  leaf: Issued;
  /** Also under the root, to be revoked or asked for instead. */
  sibling: Issued;
  /** `patience`: ms until an answer is given up. */
  trust(name?: string, patience?: number): Trust;
  judge(trust: Trust, crl: RevocationPolicy, ocsp: RevocationPolicy, more?: More): Promise<TrustVerdict>;
}

interface More {
  of?: Issued;
  crlfiles?: string[];
}

async function scene(t: Test): Promise<Scene> {
  const ca = new SmallCa(t.testdir());
  const site = await web(t);
  const clock = new ShiftedClock();
  const root = ca.issue("root", { extensions: CA, days: 200 });
  const other = ca.issue("other", { cn: "root", extensions: CA, days: 200 });
  const where = [
    `crlDistributionPoints = URI:${site.url("list")}`,
    `authorityInfoAccess = OCSP;URI:${site.url("ocsp")}`,
  ];
  const [leaf, sibling] = ["leaf", "sibling"].map((name) =>
    ca.issue(name, { issuer: root, days: 200, extensions: [...LEAF, ...where] }),
  ) as [Issued, Issued];
  let count = 0;
  return {
    ca,
    web: site,
    clock,
    root,
    other,
    leaf,
    sibling,
    trust: (name = `cache${count++}`, patience = 60_000) =>
      createTrust({ cacheDirectory: ca.at(name), clock, fetch: systemFetch(clock, patience) }),
    judge: (trust, crl, ocsp, { of = leaf, crlfiles = [] } = {}) =>
      trust.judge({
        certificate: of.certificate,
        intermediates: [],
        anchors: [root.certificate],
        purpose: "sign",
        crl,
        ocsp,
        crlfiles,
      }),
  };
}

/** What a verdict comes to: good, good with a note, or a code. */
function seen(verdict: TrustVerdict): string {
  if (!verdict.trusted) return verdict.code;
  return verdict.notes.length > 0 ? "noted" : "good";
}

function words(verdict: TrustVerdict): string {
  return verdict.trusted ? verdict.notes.join("; ") : verdict.text;
}

const REVOKED = "PKI_ERR_CERT_REVOKED";
const UNKNOWN = "PKI_ERR_CERT_UNKNOWN";

test("lists of revoked certificates: what is answered, under each policy", async (t) => {
  const all = await scene(t);
  const { ca, root, other, leaf, sibling, clock } = all;
  const idp = (...lines: string[]) => ["issuingDistributionPoint = critical, @idp", "[idp]", ...lines];
  const good = ca.crl(root, [sibling]);
  const chunk = Buffer.alloc(1024 * 1024);
  interface Row {
    name: string;
    page?: Answer | undefined;
    days?: number;
    patience?: number;
    prefer: string;
    require: string;
    text?: RegExp;
  }
  const unknown = { prefer: "noted", require: UNKNOWN };
  const revoked = { prefer: REVOKED, require: REVOKED };
  const fine = { prefer: "good", require: "good" };
  const rows: Row[] = [
    { name: "not on it", page: good, ...fine },
    { name: "nobody on it", page: ca.crl(root, []), ...fine },
    { name: "PEM instead of DER", page: ca.crl(root, [sibling], { pem: true }), ...fine },
    { name: "on it", page: ca.crl(root, [sibling, leaf]), ...revoked, text: /revoked on .*keyCompromise/ },
    {
      name: "10 days too old",
      page: good,
      days: 12,
      prefer: "noted",
      require: UNKNOWN,
      text: /should have been replaced/,
    },
    { name: "20 days too old", page: good, days: 22, ...unknown },
    { name: "too old, and on it", page: ca.crl(root, [leaf]), days: 40, ...revoked },
    { name: "of tomorrow", page: ca.crl(root, [], { from: 24, until: 72 }), ...unknown, text: /future/ },
    {
      name: "signed by another authority of that name",
      page: ca.crl(other, []),
      ...unknown,
      text: /not good/,
    },
    { name: "revoked by another authority of that name", page: ca.crl(other, [leaf]), ...unknown },
    { name: "signed with SHA-1", page: ca.crl(root, [], { hash: "sha1" }), ...unknown, text: /weak/ },
    {
      name: "only what has changed",
      page: ca.crl(root, [], { extensions: ["2.5.29.27 = critical, DER:020101"] }),
      ...unknown,
      text: /delta/,
    },
    {
      name: "an unknown critical extension",
      page: ca.crl(root, [], { extensions: ["1.2.3.4 = critical, DER:0500"] }),
      ...unknown,
    },
    { name: "of users only", page: ca.crl(root, [], { extensions: idp("onlyuser = TRUE") }), ...fine },
    { name: "of authorities only", page: ca.crl(root, [], { extensions: idp("onlyCA = TRUE") }), ...unknown },
    { name: "indirect", page: ca.crl(root, [], { extensions: idp("indirectCRL = TRUE") }), ...unknown },
    {
      name: "for this address",
      page: ca.crl(root, [], { extensions: idp(`fullname = URI:${all.web.url("list")}`) }),
      ...fine,
    },
    {
      name: "for another address",
      page: ca.crl(root, [], { extensions: idp("fullname = URI:http://127.0.0.1/x") }),
      ...unknown,
    },
    { name: "changed by one bit", page: changed(good, good.length - 1), ...unknown },
    { name: "cut off", page: good.subarray(0, 60), ...unknown },
    { name: "garbage", page: GARBAGE, ...unknown, text: /not a list/ },
    { name: "empty", page: Buffer.alloc(0), ...unknown },
    { name: "not there", page: undefined, ...unknown, text: /HTTP 404/ },
    { name: "moved", page: redirect("/moved"), ...fine },
    { name: "moved for ever", page: redirect("/list"), ...unknown, text: /redirections/ },
    {
      name: "moved to a file",
      page: redirect("file:///etc/hostname"),
      ...unknown,
      text: /not an http address/,
    },
    { name: "no answer", page: () => {}, patience: 100, ...unknown, text: /no answer/ },
    {
      name: "an answer without end",
      page: async (_, response) => {
        while (!response.destroyed) {
          if (!response.write(chunk)) await Promise.race([drained(response), closed(response)]);
        }
      },
      ...unknown,
    },
    {
      name: "cut off in the middle",
      page: (_, response) =>
        void response.writeHead(200, { "content-length": 5000 }).write(good, () => response.destroy()),
      ...unknown,
    },
  ];
  all.web.pages.set("moved", good);
  for (const { name, page, days = 0, patience, text, ...expected } of rows) {
    for (const policy of ["off", "prefer", "require"] as const) {
      clock.shift = days * DAY;
      if (page) all.web.pages.set("list", page);
      else all.web.pages.delete("list");
      const verdict = await all.judge(all.trust(undefined, patience), policy, "off");
      t.equal(
        seen(verdict),
        policy === "off" ? "good" : expected[policy],
        `${name}, ${policy}: ${words(verdict)}`,
      );
      if (text && policy !== "off") t.match(words(verdict), text, name);
    }
  }
});

test("lists from files, addresses that cannot be asked, and certificates that name none", async (t) => {
  const all = await scene(t);
  const { ca, root, leaf, sibling, web: site } = all;
  const file = (name: string, content: Buffer) => {
    writeFileSync(ca.at(name), content);
    return ca.at(name);
  };
  const current = file("current.crl", ca.crl(root, [sibling], { pem: true }));
  t.equal(seen(await all.judge(all.trust(), "require", "off", { crlfiles: [current] })), "good");
  t.strictSame(site.asked, [], "a current list at hand: nobody is asked");
  t.equal(
    seen(await all.judge(all.trust(), "require", "off", { crlfiles: [current], of: sibling })),
    REVOKED,
  );
  const trust = all.trust();
  const changing = file("changing.crl", ca.crl(root, []));
  t.equal(seen(await all.judge(trust, "require", "off", { crlfiles: [changing] })), "good");
  file("changing.crl", ca.crl(root, [leaf, sibling]));
  t.equal(
    seen(await all.judge(trust, "require", "off", { crlfiles: [changing] })),
    REVOKED,
    "a new file is seen",
  );

  const old = file("old.crl", ca.crl(root, [], { from: -72, until: -48 }));
  site.pages.set("list", ca.crl(root, []));
  t.equal(
    seen(await all.judge(all.trust(), "require", "off", { crlfiles: [old] })),
    "good",
    "an old file: the address",
  );
  const foreign = file("foreign.crl", ca.crl(all.other, [leaf]));
  const garbage = file("garbage.crl", GARBAGE);
  const bad = await all.judge(all.trust(), "require", "off", {
    crlfiles: [foreign, garbage, ca.at("no.crl")],
  });
  t.equal(seen(bad), "good", "files that are no use do not hinder");
  t.equal(
    seen(await all.judge(all.trust(), "prefer", "off", { crlfiles: [file("on.crl", ca.crl(root, [leaf]))] })),
    REVOKED,
  );

  const ldap = ca.issue("ldap", {
    issuer: root,
    extensions: [...LEAF, "crlDistributionPoints = URI:ldap://127.0.0.1/x, URI:file:///etc/hostname"],
  });
  const noted = await all.judge(all.trust(), "prefer", "off", { of: ldap });
  t.match(words(noted), /ldap:.*not an address.*file:/, "addresses that are not asked are named");
  const bare = ca.issue("bare", { issuer: root });
  t.equal(seen(await all.judge(all.trust(), "prefer", "prefer", { of: bare })), "noted");
  const refused = await all.judge(all.trust(), "require", "off", { of: bare });
  t.equal(seen(refused), UNKNOWN);
  t.match(words(refused), /no address.*crlfile/);

  // pinned: revocation counts when the issuer is known, and "require" demands that it is
  const pinned = (crl: RevocationPolicy, intermediates: Issued[], of = leaf) =>
    all.trust().judge({
      certificate: of.certificate,
      intermediates: intermediates.map(({ certificate }) => certificate),
      anchors: [of.certificate],
      purpose: "sign",
      crl,
      ocsp: "off",
    });
  site.pages.set("list", ca.crl(root, [leaf]));
  t.equal(seen(await pinned("off", [root])), "good");
  t.equal(seen(await pinned("prefer", [root])), REVOKED, "pinned and revoked");
  t.equal(seen(await pinned("prefer", [])), "noted");
  t.equal(seen(await pinned("prefer", [all.other])), "noted", "an issuer by name only is none");
  t.equal(seen(await pinned("require", [])), UNKNOWN);
  t.equal(
    seen(await pinned("require", [], ca.issue("alone"))),
    "good",
    "nobody but itself could revoke a root",
  );
});

test("what was fetched is kept: over restarts, shared, refreshed daily, and no more trusted than the network", async (t) => {
  const all = await scene(t);
  const { ca, root, leaf, sibling, clock, web: site } = all;
  site.pages.set("list", ca.crl(root, [sibling], { until: 72 }));
  const trust = all.trust("kept");
  const verdicts = await Promise.all([1, 2, 3, 4, 5].map(() => all.judge(trust, "require", "off")));
  t.strictSame(verdicts.map(seen), Array(5).fill("good"));
  t.equal(site.asked.length, 1, "five at the same time: one fetch");
  await all.judge(trust, "require", "off", { of: sibling });
  t.equal(site.asked.length, 1, "and none for another certificate of the issuer");

  site.pages.delete("list");
  t.equal(
    seen(await all.judge(all.trust("kept"), "require", "off")),
    "good",
    "after a restart, with nobody to ask",
  );
  t.equal(site.asked.length, 1);
  const [name = ""] = readdirSync(ca.at("kept"));
  t.match(name, /\.download$/, "nothing is left aside");
  clock.shift = 25 * HOUR;
  t.equal(
    seen(await all.judge(trust, "require", "off")),
    "good",
    "a day later, not reachable: the one that is kept",
  );
  t.equal(site.asked.length, 2, "but it was asked for");
  await all.judge(trust, "require", "off");
  t.equal(site.asked.length, 2, "and not again at once");
  site.pages.set("list", ca.crl(root, [leaf], { until: 72 }));
  clock.shift += 2 * 60_000;
  t.equal(seen(await all.judge(trust, "require", "off")), REVOKED, "then the new one counts");

  const path = join(ca.at("kept"), name);
  for (const damage of [
    Buffer.alloc(0),
    GARBAGE,
    readFileSync(path).subarray(0, 100),
    changed(readFileSync(path), 300),
  ]) {
    writeFileSync(path, damage);
    const asked = site.asked.length;
    clock.shift += 10 * 60_000;
    const verdict = await all.judge(all.trust("kept"), "require", "off");
    t.not(seen(verdict), "good", "what is damaged on disk makes nothing good");
    if (seen(verdict) === REVOKED) t.equal(site.asked.length, asked + 1, "it is fetched again");
  }
  writeFileSync(ca.at("file"), "");
  const nowhere = createTrust({ cacheDirectory: join(ca.at("file"), "x"), clock });
  t.equal(
    seen(await all.judge(nowhere, "require", "off", { of: leaf })),
    REVOKED,
    "a folder that cannot be written",
  );
});

test("OCSP: what is answered, under each policy, alone and next to a list", async (t) => {
  const all = await scene(t);
  const { ca, root, other, leaf, sibling, clock, web: site } = all;
  const delegate = (name: string, issuer: Issued, extensions: string[]) =>
    ca.issue(name, { issuer, extensions });
  const signing = ["extendedKeyUsage = OCSPSigning"];
  const appointed = delegate("appointed", root, signing);
  const selfMade = delegate("self-made", other, signing);
  const unappointed = delegate("unappointed", root, LEAF);
  const answering =
    (wish: Partial<Parameters<SmallCa["answer"]>[1]>): Answer =>
    async (_, response, body) => {
      response.end(await ca.answer(body, { issuer: root, valid: [leaf], ...wish }));
    };
  const replayed = await (async () => {
    let kept: Buffer = GARBAGE;
    site.pages.set("ocsp", async (_, response, body) => {
      kept = await ca.answer(body, { issuer: root, valid: [sibling] });
      response.end(kept);
    });
    t.equal(seen(await all.judge(all.trust(), "off", "require", { of: sibling })), "good");
    return kept;
  })();
  const unknown = { prefer: "noted", require: UNKNOWN };
  const revoked = { prefer: REVOKED, require: REVOKED };
  const fine = { prefer: "good", require: "good" };
  const rows: {
    name: string;
    page?: Answer;
    prefer: string;
    require: string;
    text?: RegExp;
    days?: number;
    patience?: number;
  }[] = [
    { name: "good", page: answering({}), ...fine },
    { name: "good, and it does not say until when", page: answering({ minutes: 0 }), ...fine },
    { name: "good, by an appointed responder", page: answering({ signer: appointed }), ...fine },
    { name: "revoked", page: answering({ revoked: [leaf], valid: [] }), ...revoked, text: /keyCompromise/ },
    { name: "not known to it", page: answering({ valid: [] }), ...unknown, text: /does not know/ },
    { name: "signed by an authority of that name", page: answering({ signer: other }), ...unknown },
    {
      name: "signed by a responder of that authority",
      page: answering({ signer: selfMade }),
      ...unknown,
      text: /not certified by/,
    },
    {
      name: "signed by somebody who is not appointed",
      page: answering({ signer: unappointed }),
      ...unknown,
      text: /may not sign/,
    },
    {
      name: "revoked, says somebody who is not appointed",
      page: answering({ signer: unappointed, revoked: [leaf], valid: [] }),
      ...unknown,
    },
    {
      name: "the answer for another certificate",
      page: replayed,
      ...unknown,
      text: /another question|another certificate/,
    },
    { name: "try later", page: Buffer.from("30030a0103", "hex"), ...unknown, text: /tryLater/ },
    { name: "garbage", page: GARBAGE, ...unknown },
    { name: "out of date", page: answering({ minutes: 1 }), days: 1, ...unknown, text: /out of date/ },
    { name: "not there", ...unknown, text: /HTTP 404/ },
    { name: "no answer", page: () => {}, patience: 100, ...unknown, text: /no answer/ },
    { name: "too long", page: Buffer.alloc(300_000, 1), ...unknown, text: /more than/ },
  ];
  for (const { name, page, days = 0, patience, text, ...expected } of rows) {
    for (const policy of ["off", "prefer", "require"] as const) {
      clock.shift = days * DAY;
      if (page) site.pages.set("ocsp", page);
      else site.pages.delete("ocsp");
      const verdict = await all.judge(all.trust(undefined, patience), "off", policy);
      t.equal(
        seen(verdict),
        policy === "off" ? "good" : expected[policy],
        `${name}, ${policy}: ${words(verdict)}`,
      );
      if (text && policy !== "off") t.match(words(verdict), text, name);
    }
  }
  clock.shift = 0;

  const lists = { good: ca.crl(root, [sibling]), revoked: ca.crl(root, [leaf]), none: undefined };
  const answers = {
    good: answering({}),
    revoked: answering({ revoked: [leaf], valid: [] }),
    none: undefined,
  };
  for (const [crl, ocsp, policies, expected] of [
    ["good", "good", ["require", "require"], "good"],
    ["revoked", "good", ["prefer", "require"], REVOKED],
    ["good", "revoked", ["require", "prefer"], REVOKED],
    ["none", "good", ["prefer", "require"], "noted"],
    ["none", "good", ["require", "require"], UNKNOWN],
    ["good", "none", ["require", "require"], UNKNOWN],
    ["none", "revoked", ["require", "prefer"], REVOKED],
    ["none", "none", ["prefer", "prefer"], "noted"],
  ] as const) {
    for (const [name, page] of [
      ["list", lists[crl]],
      ["ocsp", answers[ocsp]],
    ] as const) {
      if (page) site.pages.set(name, page);
      else site.pages.delete(name);
    }
    const verdict = await all.judge(all.trust(), ...(policies as [RevocationPolicy, RevocationPolicy]));
    t.equal(seen(verdict), expected, `list ${crl}, OCSP ${ocsp}, policies ${policies.join(" and ")}`);
  }

  site.pages.set("ocsp", answering({}));
  const trust = all.trust();
  await Promise.all([1, 2, 3].map(() => all.judge(trust, "off", "require")));
  const asked = site.asked.length;
  clock.shift = 30 * 60_000;
  t.equal(seen(await all.judge(trust, "off", "require")), "good");
  t.equal(site.asked.length, asked, "an answer serves until it ends");
  clock.shift = 2 * HOUR;
  await all.judge(trust, "off", "require");
  t.equal(site.asked.length, asked + 1, "then it is asked again");
});

test("a responder of openssl on a port of its own", async (t) => {
  const ca = new SmallCa(t.testdir());
  const port = await freePort();
  const root = ca.issue("root", { extensions: CA });
  const [good, taken] = ["good", "taken"].map((name) =>
    ca.issue(name, {
      issuer: root,
      extensions: [...LEAF, `authorityInfoAccess = OCSP;URI:http://127.0.0.1:${port}`],
    }),
  ) as [Issued, Issued];
  const index = ca.index(root, [taken], [good]);
  const responder = spawn(
    "openssl",
    [
      "ocsp",
      "-index",
      index,
      "-CA",
      root.file,
      "-rsigner",
      root.file,
      "-rkey",
      root.key,
      "-port",
      String(port),
      "-nmin",
      "5",
    ],
    { stdio: "ignore" },
  );
  t.teardown(() => responder.kill("SIGKILL"));
  const clock = new ShiftedClock();
  const trust = createTrust({ cacheDirectory: ca.at("cache"), clock });
  const judge = ({ certificate }: Issued) =>
    trust.judge({
      certificate,
      intermediates: [],
      anchors: [root.certificate],
      purpose: "sign",
      crl: "off",
      ocsp: "require",
    });
  let verdict = await judge(good);
  for (let tries = 0; !verdict.trusted && tries < 100; tries++) {
    t.equal(verdict.code, UNKNOWN, "not listening yet");
    await new Promise((resolve) => setTimeout(resolve, 100));
    clock.shift += 2 * 60_000; // past the rest after a failure
    verdict = await judge(good);
  }
  t.equal(seen(verdict), "good");
  t.equal(seen(await judge(taken)), REVOKED);
});

test("authorities on the way are asked about, too; one good answer is enough for them", async (t) => {
  const all = await scene(t);
  const { ca, root, web: site } = all;
  const inter = ca.issue("inter", {
    issuer: root,
    extensions: [...CA, `crlDistributionPoints = URI:${site.url("roots")}`],
  });
  const end = ca.issue("end", {
    issuer: inter,
    extensions: [
      ...LEAF,
      `crlDistributionPoints = URI:${site.url("ends")}`,
      `authorityInfoAccess = OCSP;URI:${site.url("ask")}`,
    ],
  });
  const judge = (crl: RevocationPolicy, ocsp: RevocationPolicy) =>
    all.trust().judge({
      certificate: end.certificate,
      intermediates: [inter.certificate],
      anchors: [root.certificate],
      purpose: "sign",
      crl,
      ocsp,
    });
  site.pages.set("roots", ca.crl(root, []));
  site.pages.set("ends", ca.crl(inter, []));
  site.pages.set("ask", async (_, response, body) => {
    response.end(await ca.answer(body, { issuer: inter, valid: [end] }));
  });
  t.equal(seen(await judge("require", "require")), "good", "the authority has no responder, but a list");
  t.equal(seen(await judge("off", "require")), UNKNOWN, "neither");
  site.pages.set("roots", ca.crl(root, [inter]));
  const verdict = await judge("prefer", "off");
  t.equal(seen(verdict), REVOKED);
  t.match(words(verdict), /"CN=inter/, "it is the authority that was revoked");
  site.pages.delete("roots");
  t.equal(seen(await judge("require", "off")), UNKNOWN);
});

function changed(octets: Buffer, at: number): Buffer {
  const copy = Buffer.from(octets);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

function redirect(location: string): Answer {
  return (_, response) => void response.writeHead(302, { location }).end();
}

function drained(response: { once(event: "drain", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => void response.once("drain", resolve));
}

function closed(response: { once(event: "close", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => void response.once("close", resolve));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
