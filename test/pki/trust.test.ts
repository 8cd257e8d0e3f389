/** Paths: who is believed, for what, and what must be right on the way to an anchor (RFC 5280 section 6). */
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { test } from "tap";
import { createTrust } from "../../src/pki/trust/create.ts";
import type { PkiCode, Purpose, TrustQuestion } from "../../src/pki/trust/trust.ts";
import { CA, IDENTIFIERS, type Issued, LEAF, SmallCa, type Wish } from "./small-ca.ts";
import { ShiftedClock } from "./web.ts";

const DAY = 24 * 3600 * 1000;
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const OFF = { intermediates: [], crl: "off", ocsp: "off" } as const;

test("who is believed, and who is not", async (t) => {
  const ca = new SmallCa(t.testdir());
  const clock = new ShiftedClock();
  const trust = createTrust({ cacheDirectory: ca.at("cache"), clock });

  const root = ca.issue("root", { extensions: [...CA, ...IDENTIFIERS] });
  const inter = ca.issue("inter", { issuer: root, extensions: [...CA, ...IDENTIFIERS] });
  const under = (name: string, wish: Wish = {}) => ca.issue(name, { issuer: inter, ...wish });
  const good = under("good", { extensions: [...LEAF, ...IDENTIFIERS] });
  const alone = ca.issue("alone");
  const sha1Root = ca.issue("sha1-root", { extensions: CA, hash: "sha1" });
  const rsaRoot = ca.issue("rsa-root", { extensions: CA, newkey: "rsa:2048" });
  const impostor = ca.issue("impostor", { cn: "root", extensions: CA });
  const short = ca.issue("short", { extensions: ["basicConstraints = critical, CA:true, pathlen:0"] });
  const belowShort = ca.issue("below-short", { issuer: short, extensions: CA });
  const unsigning = ca.issue("unsigning", {
    issuer: root,
    extensions: ["basicConstraints = critical, CA:true", "keyUsage = critical, cRLSign"],
  });
  const oldInter = ca.issue("old-inter", { issuer: root, extensions: CA, days: 2 });
  const sha1Inter = ca.issue("sha1-inter", { issuer: root, extensions: CA, hash: "sha1" });
  const constrained = (name: string, rule: string) =>
    ca.issue(name, { issuer: root, extensions: [...CA, `nameConstraints = critical, ${rule}`] });
  const onlyExample = constrained(
    "only-example",
    "permitted;DNS:example.com, permitted;IP:10.0.0.0/255.0.0.0",
  );
  const noEvil = constrained("no-evil", "excluded;DNS:evil.example");
  const onlyUri = constrained("only-uri", "permitted;URI:.example.com");
  const named = (issuer: Issued, name: string, names: string) =>
    ca.issue(name, { issuer, extensions: [...LEAF, `subjectAltName = ${names}`] });
  const tampered = new X509Certificate(
    ((raw) => {
      raw[raw.length - 1] = (raw[raw.length - 1] as number) ^ 1;
      return raw;
    })(Buffer.from(good.certificate.raw)),
  );

  interface Row {
    name: string;
    leaf: Issued | X509Certificate;
    between?: Issued[];
    anchors?: Issued[];
    purpose?: Purpose;
    depth?: number;
    days?: number;
    /** Refused, and so; else trusted with so many certificates. */
    expect: PkiCode | number;
    text?: RegExp;
  }
  const rows: Row[] = [
    { name: "leaf, intermediate, root", leaf: good, expect: 3 },
    { name: "an intermediate authority as the anchor", leaf: good, between: [], anchors: [inter], expect: 2 },
    { name: "pinned, self-signed", leaf: alone, between: [], anchors: [alone], expect: 1 },
    { name: "pinned, issued by somebody unknown", leaf: good, between: [], anchors: [good], expect: 1 },
    { name: "several anchors", leaf: good, anchors: [alone, impostor, root], expect: 3 },
    {
      name: "intermediate missing",
      leaf: good,
      between: [],
      expect: "PKI_ERR_CA_NOT_FOUND",
      text: /"CN=good.*usage "ca"/,
    },
    { name: "root not trusted", leaf: good, anchors: [alone], expect: "PKI_ERR_CA_NOT_FOUND" },
    {
      name: "coming along is not being trusted",
      leaf: good,
      between: [inter, root],
      anchors: [alone],
      expect: "PKI_ERR_CA_NOT_FOUND",
    },
    { name: "nobody is trusted", leaf: good, anchors: [], expect: "PKI_ERR_CA_NOT_FOUND", text: /rootcid/ },
    { name: "self-signed and not pinned", leaf: alone, expect: "PKI_ERR_CA_NOT_FOUND", text: /self-signed/ },
    {
      name: "a root of the same name with another key",
      leaf: good,
      anchors: [impostor],
      expect: "PKI_ERR_CERT_BAD_SIGN",
    },
    { name: "changed by one bit", leaf: tampered, expect: "PKI_ERR_CERT_BAD_SIGN" },
    {
      name: "changed by one bit, next to the genuine one",
      leaf: tampered,
      between: [inter, good],
      expect: "PKI_ERR_CERT_BAD_SIGN",
    },
    { name: "expired", leaf: good, days: 31, expect: "PKI_ERR_CERT_EXPIRED", text: /"CN=good/ },
    { name: "pinned and expired", leaf: alone, anchors: [alone], days: 31, expect: "PKI_ERR_CERT_EXPIRED" },
    { name: "not valid yet", leaf: good, days: -1, expect: "PKI_ERR_CERT_NOT_VALID" },
    {
      name: "authority expired",
      leaf: ca.issue("of-old", { issuer: oldInter }),
      between: [oldInter],
      days: 3,
      expect: "PKI_ERR_CERT_EXPIRED",
      text: /"CN=old-inter/,
    },
    {
      name: "issued by a leaf",
      leaf: ca.issue("of-leaf", { issuer: good }),
      between: [good, inter],
      expect: "PKI_ERR_CERT_BAD_CA",
      text: /not the certificate of an authority/,
    },
    {
      name: "issued by a pinned leaf",
      leaf: ca.issue("of-pinned", { issuer: alone }),
      anchors: [alone],
      expect: "PKI_ERR_CERT_BAD_CA",
    },
    {
      name: "pathlen 0 and one below",
      leaf: ca.issue("deep", { issuer: belowShort }),
      between: [belowShort],
      anchors: [short],
      expect: "PKI_ERR_CERT_BAD_CA",
      text: /allows 0 authorities/,
    },
    {
      name: "pathlen 0 and none below",
      leaf: ca.issue("shallow", { issuer: short }),
      anchors: [short],
      expect: 2,
    },
    {
      name: "an authority that may not sign certificates",
      leaf: ca.issue("of-unsigning", { issuer: unsigning }),
      between: [unsigning],
      expect: "PKI_ERR_CERT_BAD_CA",
      text: /KeyUsage/,
    },
    { name: "too far away", leaf: good, depth: 1, expect: "PKI_ERR_CERT_BAD_CA", text: /more than 1/ },
    { name: "just near enough", leaf: good, depth: 2, expect: 3 },
    {
      name: "leaf signed with SHA-1",
      leaf: under("sha1-leaf", { hash: "sha1" }),
      expect: "PKI_ERR_CERT_ALGO_UNSUPPORTED",
      text: /SHA-256/,
    },
    {
      name: "leaf signed with MD5",
      leaf: ca.issue("md5-leaf", { issuer: rsaRoot, hash: "md5" }),
      anchors: [rsaRoot],
      expect: "PKI_ERR_CERT_ALGO_UNSUPPORTED",
    },
    {
      name: "intermediate signed with SHA-1",
      leaf: ca.issue("of-sha1", { issuer: sha1Inter }),
      between: [sha1Inter],
      expect: "PKI_ERR_CERT_ALGO_UNSUPPORTED",
    },
    {
      name: "an intermediate signed with SHA-1 as the anchor",
      leaf: ca.issue("of-sha1-2", { issuer: sha1Inter }),
      anchors: [sha1Inter],
      expect: 2,
    },
    {
      name: "root signed with SHA-1 by itself",
      leaf: ca.issue("of-sha1-root", { issuer: sha1Root }),
      anchors: [sha1Root],
      expect: 2,
    },
    {
      name: "RSA 1024",
      leaf: under("rsa1024", { newkey: "rsa:1024" }),
      expect: "PKI_ERR_BAD_KEY",
      text: /1024 bits/,
    },
    {
      name: "RSA 1024, pinned",
      leaf: ca.issue("rsa1024p", { newkey: "rsa:1024" }),
      purpose: "sign",
      expect: "PKI_ERR_CA_NOT_FOUND",
    },
    { name: "RSA 2048", leaf: under("rsa2048", { newkey: "rsa:2048" }), expect: 3 },
    {
      name: "an unknown critical extension",
      leaf: under("critical", { extensions: [...LEAF, "1.2.3.4 = critical, DER:0500"] }),
      expect: "PKI_ERR_CERT_UNSUPPORTED",
      text: /1\.2\.3\.4/,
    },
    {
      name: "an unknown extension that is not critical",
      leaf: under("uncritical", { extensions: [...LEAF, "1.2.3.4 = DER:0500"] }),
      expect: 3,
    },
    {
      name: "within name constraints",
      leaf: named(onlyExample, "in", "DNS:www.example.com, IP:10.1.2.3"),
      between: [onlyExample],
      expect: 3,
    },
    {
      name: "outside name constraints",
      leaf: named(onlyExample, "out", "DNS:www.example.org"),
      between: [onlyExample],
      expect: "PKI_ERR_CERT_BAD_CA",
      text: /may certify/,
    },
    {
      name: "a name that only ends like the permitted one",
      leaf: named(onlyExample, "ends", "DNS:badexample.com"),
      between: [onlyExample],
      expect: "PKI_ERR_CERT_BAD_CA",
    },
    {
      name: "an address outside",
      leaf: named(onlyExample, "ip", "IP:11.1.2.3"),
      between: [onlyExample],
      expect: "PKI_ERR_CERT_BAD_CA",
    },
    {
      name: "an excluded name",
      leaf: named(noEvil, "evil", "DNS:good.example, DNS:www.evil.example"),
      between: [noEvil],
      expect: "PKI_ERR_CERT_BAD_CA",
      text: /excluded/,
    },
    {
      name: "no excluded name",
      leaf: named(noEvil, "not-evil", "DNS:good.example"),
      between: [noEvil],
      expect: 3,
    },
    {
      name: "constraints of a kind that is not understood",
      leaf: named(onlyUri, "uri", "DNS:x.example"),
      between: [onlyUri],
      expect: "PKI_ERR_CERT_BAD_CA",
      text: /not supported/,
    },
    { name: "an authority, asked for as such", leaf: inter, between: [], purpose: "ca", expect: 2 },
    { name: "a leaf, asked for as an authority", leaf: good, purpose: "ca", expect: "PKI_ERR_CERT_BAD_CA" },
  ];
  for (const {
    name,
    leaf,
    between = [inter],
    anchors = [root],
    purpose = "sign",
    depth,
    days = 0,
    expect,
    text,
  } of rows) {
    clock.shift = days * DAY;
    const verdict = await trust.judge({
      ...OFF,
      certificate: leaf instanceof X509Certificate ? leaf : leaf.certificate,
      intermediates: between.map(({ certificate }) => certificate),
      anchors: anchors.map(({ certificate }) => certificate),
      purpose,
      ...(depth === undefined ? {} : { depth }),
    });
    const seen = verdict.trusted ? verdict.path.length : verdict.code;
    t.equal(seen, expect, verdict.trusted ? name : `${name}: ${verdict.text}`);
    if (text) t.match(verdict.trusted ? "" : verdict.text, text, name);
  }
});

test("a certificate serves only for what its usages allow; without usages for everything", async (t) => {
  const ca = new SmallCa(t.testdir());
  const trust = createTrust({ cacheDirectory: ca.at("cache"), clock: new ShiftedClock() });
  const purposes: Purpose[] = ["tls-server", "tls-client", "sign", "encrypt", "auth", "receipt"];
  const usage = (words: string) => [`keyUsage = critical, ${words}`];
  const extended = (words: string) => [`extendedKeyUsage = ${words}`];
  for (const { name, extensions, allowed } of [
    { name: "odette", extensions: LEAF, allowed: purposes },
    { name: "none", extensions: ["basicConstraints = CA:false"], allowed: purposes },
    {
      name: "signature",
      extensions: usage("digitalSignature"),
      allowed: ["tls-server", "tls-client", "sign", "receipt"],
    },
    { name: "repudiation", extensions: usage("nonRepudiation"), allowed: ["sign", "receipt"] },
    {
      name: "encipherment",
      extensions: usage("keyEncipherment"),
      allowed: ["tls-server", "tls-client", "encrypt", "auth"],
    },
    { name: "data", extensions: usage("dataEncipherment"), allowed: ["encrypt", "auth"] },
    { name: "certsign", extensions: usage("keyCertSign"), allowed: [] },
    {
      name: "server",
      extensions: extended("serverAuth"),
      allowed: ["tls-server", "sign", "encrypt", "auth", "receipt"],
    },
    {
      name: "email",
      extensions: extended("emailProtection"),
      allowed: ["sign", "encrypt", "auth", "receipt"],
    },
    { name: "code", extensions: extended("codeSigning"), allowed: [] },
    { name: "any", extensions: extended("anyExtendedKeyUsage"), allowed: purposes },
  ]) {
    const { certificate } = ca.issue(name, { extensions });
    const seen: Purpose[] = [];
    for (const purpose of purposes) {
      const verdict = await trust.judge({ ...OFF, certificate, anchors: [certificate], purpose });
      if (verdict.trusted) seen.push(purpose);
      else t.equal(verdict.code, "PKI_ERR_CERT_UNSUPPORTED", `${name} ${purpose}`);
    }
    t.strictSame(seen, allowed, name);
  }
});

test("cross-signed authorities, loops and heaps of candidates: an answer, and soon", async (t) => {
  const ca = new SmallCa(t.testdir());
  const trust = createTrust({ cacheDirectory: ca.at("cache"), clock: new ShiftedClock() });
  const judge = (leaf: Issued, between: Issued[], anchors: Issued[]) =>
    trust.judge({
      ...OFF,
      certificate: leaf.certificate,
      intermediates: between.map(({ certificate }) => certificate),
      anchors: anchors.map(({ certificate }) => certificate),
      purpose: "sign",
    } satisfies TrustQuestion);

  const east = ca.issue("east", { extensions: CA });
  const west = ca.issue("west", { extensions: CA });
  const eastByWest = ca.issue("east-by-west", { cn: "east", issuer: west, key: east.key, extensions: CA });
  const westByEast = ca.issue("west-by-east", { cn: "west", issuer: east, key: west.key, extensions: CA });
  const leaf = ca.issue("leaf", { issuer: east });
  const crossed = [eastByWest, westByEast];
  t.match(await judge(leaf, crossed, [west]), { trusted: true, path: { length: 3 } }, "by the other root");
  t.match(await judge(leaf, crossed, [east]), { trusted: true, path: { length: 2 } }, "by its own");
  const stranger = ca.issue("stranger", { extensions: CA });
  t.match(
    await judge(leaf, crossed, [stranger]),
    { trusted: false, code: "PKI_ERR_CA_NOT_FOUND" },
    "a loop ends",
  );

  // one of two ways up is broken: the other one counts
  const expired = ca.issue("east-short", {
    cn: "east",
    issuer: west,
    key: east.key,
    extensions: ["basicConstraints = CA:false"],
  });
  t.match(await judge(leaf, [expired, eastByWest], [west]), { trusted: true }, "the good one of two ways");

  // authorities of one name, each certifying each: exponentially many ways
  const heap: Issued[] = [];
  const keys = [1, 2, 3, 4, 5].map((n) => ca.issue(`heap${n}`, { cn: "heap", extensions: CA }));
  for (const above of keys) {
    for (const below of keys) {
      if (above !== below) {
        heap.push(
          ca.issue(`heap-${above.name}-${below.name}`, {
            cn: "heap",
            issuer: above,
            key: below.key,
            extensions: CA,
          }),
        );
      }
    }
  }
  const inHeap = ca.issue("in-heap", { issuer: keys[0] as Issued });
  t.match(await judge(inHeap, heap, [stranger]), { trusted: false }, "bounded work");
  t.match(await judge(inHeap, heap, [keys[4] as Issued]), { trusted: true }, "and yet found");

  // openssl makes no such certificate: one that allows signing in one place and not in another
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const keys2 = await webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=twice",
    signingAlgorithm: P256,
    keys: keys2,
    extensions: [keyEncipherment, digitalSignature].map((flag) => new x509.KeyUsagesExtension(flag, true)),
  });
  const ambiguous = { ...stranger, certificate: new X509Certificate(Buffer.from(made.rawData)) };
  const refused = { trusted: false, code: "PKI_ERR_CERT_BAD" };
  t.match(await judge(ambiguous, [], [ambiguous]), refused, "an extension twice");
  t.match(await judge(leaf, [ambiguous], [ambiguous, east]), { trusted: true }, "it does not bother others");
});
