/** Certificates: ours and the partners', and an operator's word on those that partners sent. */
import { X509Certificate } from "node:crypto";
import { decide, VERBS } from "../../engine/certificates/decide.ts";
import {
  type CertificateScope,
  handoversOf,
  knownCertificates,
  pick,
  recordOf,
} from "../../engine/certificates/known.ts";
import { type TakeOptions, takeCertificates, takenRecord } from "../../engine/certificates/take.ts";
import type { Gateway } from "../../engine/gateway.ts";
import { USAGES } from "../../pki/usage.ts";
import { CygnetError } from "../../platform/errors.ts";
import type { Topic } from "../api.ts";
import { about, extended, flag, instant, integer, list, nullable, object, oneOf, text } from "../schema.ts";

const RECORD = object({
  id: text,
  part: text,
  source: oneOf("pki", "store"),
  state: oneOf("act", "inact", "pending", "active", "retired", "refused"),
  usage: list(text),
  own: flag,
  subject: text,
  issuer: text,
  serial: text,
  from: instant,
  until: instant,
  days: integer,
  sha256: text,
  sha1: text,
  key: text,
  keyusage: nullable(list(text)),
  extkeyusage: nullable(list(text)),
  names: text,
  ca: flag,
  chain: list(text),
  file: text,
  origin: text,
  at: nullable(instant),
  changed: nullable(instant),
  idtu: text,
  note: text,
});

const DETAIL = extended(RECORD, {
  handovers: list(object({ part: text, kind: text, idtu: text, at: instant, answer: text, text })),
});

const OWNER = object({ "part?": text });
const WHICH = object({
  which: about(text, "id of a [[pki]], or a SHA-256 fingerprint or its first eight digits or more"),
});
const UNKNOWN = { 404: "there is no such certificate, or several" };

type Which = { Params: { which: string } };

export const certificateTopic: Topic = (api, { gateway }) => {
  const tag = "certificates";
  const { site } = gateway;
  const handovers = () => site.handovers;
  const inStore = async <T>(work: () => Promise<T>): Promise<T> => {
    let done: Promise<T> | undefined;
    await gateway.refreshStore(() => {
      done = work();
      return done;
    });
    return done as Promise<T>;
  };
  const nobody = () => {}; // what cannot be read was told at the reload

  api.get(
    "/certificates",
    {
      ...{ id: "certificates", tag, role: "read" },
      summary: "Certificates of the configuration and of the store",
      answer: list(DETAIL),
    },
    async () =>
      (await knownCertificates(scopeOf(gateway), nobody)).map((one) => ({
        ...recordOf(one),
        handovers: handoversOf(handovers(), one),
      })),
  );

  api.get<Which & { Querystring: { part?: string } }>(
    "/certificates/:which",
    {
      ...{ id: "certificate", tag, role: "read", params: WHICH, query: OWNER, also: UNKNOWN },
      summary: "Everything about one certificate",
      answer: DETAIL,
    },
    async ({ params: { which }, query: { part } }) => {
      const found = pick(await knownCertificates(scopeOf(gateway), nobody), which, part);
      return { ...recordOf(found), handovers: handoversOf(handovers(), found) };
    },
  );

  api.post<{ Body: TakeOptions & { part: string; certificates: string } }>(
    "/certificates",
    {
      ...{ id: "importCertificates", tag, role: "admin" },
      summary: "Takes in a partner's certificates; they wait until they are accepted, unless this says so",
      body: object({
        part: text,
        certificates: about(text, "PEM"),
        "usage?": { ...list(oneOf(...USAGES)), minItems: 1 },
        "accept?": flag,
        "note?": text,
      }),
      answer: object({
        kept: list(
          object({
            part: text,
            sha256: text,
            state: oneOf("pending", "active", "retired", "refused"),
            usage: list(text),
            subject: text,
            until: instant,
          }),
        ),
        warnings: list(text),
      }),
      also: { 404: "there is no such partner" },
    },
    async ({ body: { part, certificates, ...options } }) => {
      const given = parse(certificates);
      return inStore(async () => takenRecord(await takeCertificates(scopeOf(gateway), part, given, options)));
    },
  );

  for (const verb of VERBS) {
    api.post<Which & { Body: { part?: string; note?: string } | null }>(
      `/certificates/:which/${verb}`,
      {
        ...{ id: `${verb}Certificate`, tag, role: "admin", params: WHICH },
        summary: `An operator's word on a certificate of the store: ${verb}`,
        body: nullable(object({ "part?": text, "note?": text })),
        answer: object({ changed: flag, certificate: RECORD, warnings: list(text) }),
        also: { ...UNKNOWN, 409: "its state does not allow it" },
      },
      async ({ params: { which }, body }) => {
        const { part, note } = body ?? {};
        return inStore(() => decide(scopeOf(gateway), verb, which, { part, note }));
      },
    );
  }
};

function scopeOf({ site: { configuration, store } }: Gateway): CertificateScope {
  return { configuration, store, partners: [...configuration.cftpart.keys()] };
}

/** @throws CygnetError CYG_PKI_CERTIFICATE */
function parse(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw new CygnetError("CYG_PKI_CERTIFICATE", "there is no certificate in it; PEM is expected");
  }
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new CygnetError("CYG_PKI_CERTIFICATE", "it is no certificate", { cause: error });
    }
  });
}
