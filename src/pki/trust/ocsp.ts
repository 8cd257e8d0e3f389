/** One question and answer of OCSP (RFC 6960): octets and values; who is asked, and when, is for `revocation.ts`. */
import "reflect-metadata";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import * as ocsp from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, type Certificate, Extension } from "@peculiar/asn1-x509";
import { CygnetError } from "../../platform/errors.ts";
import { bits, contents, derAt, derIn, whole } from "./der.ts";
import { type Facts, factsOf, nameKey } from "./facts.ts";
import { keyProblem, signatureProblem } from "./signature.ts";

/** What a responder says about a certificate; times in ms since 1970 UTC. */
export interface OcspAnswer {
  status: "good" | "revoked" | "unknown";
  /** Of a revoked one. */
  revokedAt: number;
  reason: string;
  thisUpdate: number;
  nextUpdate: number | null;
}

export interface OcspQuestion {
  /** DER of the OCSPRequest. */
  content: Buffer;
  nonce: Buffer;
}

const SHA1 = "1.3.14.3.2.26";
const NULL = new Uint8Array([5, 0]).buffer;
/** Certificates in an answer that are looked at. */
const MOST_CERTIFICATES = 10;

/** SHA-1 names the certificate here, it protects nothing: it is the one hash that every responder knows. */
function certId(certificate: Facts, issuer: Facts): ocsp.CertID {
  return new ocsp.CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA1, parameters: NULL }),
    issuerNameHash: octetString(sha1(certificate.issuerDer)),
    issuerKeyHash: octetString(sha1(issuer.publicKey)),
    serialNumber: new Uint8Array(certificate.serial).buffer,
  });
}

/** A request for one certificate, with a nonce that the responder may give back or leave out. */
export function ocspQuestion(certificate: Facts, issuer: Facts): OcspQuestion {
  const nonce = randomBytes(16);
  const extension = new Extension({
    extnID: ocsp.id_pkix_ocsp_nonce,
    extnValue: octetString(Buffer.concat([Buffer.from([4, nonce.length]), nonce])),
  });
  const request = new ocsp.OCSPRequest({
    tbsRequest: new ocsp.TBSRequest({
      requestList: [new ocsp.Request({ reqCert: certId(certificate, issuer) })],
      requestExtensions: [extension],
    }),
  });
  return { content: Buffer.from(AsnConvert.serialize(request)), nonce };
}

/**
 * Reads and verifies an answer: by the issuer itself, or by a responder whom the issuer certified for it.
 * Whether it is fresh is for the caller to judge.
 * @param nonce of the question; null for an answer that was kept
 * @throws CygnetError CYG_PKI_OCSP, the message says what is wrong with it
 */
export function readAnswer(
  content: Buffer,
  certificate: Facts,
  issuer: Facts,
  now: number,
  nonce: Buffer | null,
): OcspAnswer {
  let response: ocsp.OCSPResponse;
  let basic: ocsp.BasicOCSPResponse;
  let octets: Buffer;
  try {
    response = AsnConvert.parse(content, ocsp.OCSPResponse);
  } catch (cause) {
    throw new CygnetError("CYG_PKI_OCSP", "the answer is none of OCSP", { cause });
  }
  if (response.responseStatus !== ocsp.OCSPResponseStatus.successful) {
    const name = ocsp.OCSPResponseStatus[response.responseStatus] ?? response.responseStatus;
    throw new CygnetError("CYG_PKI_OCSP", `the responder answers "${name}"`);
  }
  try {
    if (response.responseBytes?.responseType !== ocsp.id_pkix_ocsp_basic)
      throw new Error("not a basic response");
    octets = Buffer.from(response.responseBytes.response.buffer);
    basic = AsnConvert.parse(octets, ocsp.BasicOCSPResponse);
  } catch (cause) {
    throw new CygnetError("CYG_PKI_OCSP", "the answer is none of OCSP", { cause });
  }
  verifyAnswer(octets, basic, issuer, now);
  checkNonce(basic, nonce);
  return answerFor(basic, certId(certificate, issuer));
}

function verifyAnswer(octets: Buffer, basic: ocsp.BasicOCSPResponse, issuer: Facts, now: number): void {
  const [tbs, algorithm, signature] = [...derIn(octets, derAt(octets, 0))];
  if (!tbs || !algorithm || !signature) throw new CygnetError("CYG_PKI_OCSP", "the answer is not signed");
  const { responderID } = basic.tbsResponseData;
  const responders = [issuer, ...(basic.certs ?? []).slice(0, MOST_CERTIFICATES).flatMap(readable)].filter(
    (each) => isMeant(responderID, each),
  );
  if (responders.length === 0) throw new CygnetError("CYG_PKI_OCSP", "who signed the answer is not known");
  let why = "";
  for (const responder of responders) {
    const problem =
      unauthorised(responder, issuer, now) ??
      signatureProblem(whole(octets, tbs), whole(octets, algorithm), bits(octets, signature), responder.key);
    if (problem === undefined) return;
    why = problem === "bad" ? "the signature is not good" : problem;
  }
  throw new CygnetError("CYG_PKI_OCSP", `the answer cannot be believed: ${why}`);
}

function readable(certificate: Certificate): Facts[] {
  try {
    return [factsOf(new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))))];
  } catch {
    return []; // one that cannot be read has signed nothing that could be believed
  }
}

function isMeant({ byName, byKey }: ocsp.ResponderID, responder: Facts): boolean {
  if (byKey) return Buffer.from(byKey.buffer).equals(sha1(responder.publicKey));
  return byName !== undefined && nameKey(byName) === responder.subject;
}

/** Why somebody other than the issuer may not answer for it (RFC 6960 section 4.2.2.2). */
function unauthorised(responder: Facts, issuer: Facts, now: number): string | undefined {
  if (responder.publicKey.equals(issuer.publicKey)) return undefined;
  const { label, algorithm, extendedKeyUsage, notBefore, notAfter } = responder;
  if (!extendedKeyUsage?.includes(ocsp.id_kp_OCSPSigning)) return `${label} may not sign answers`;
  if (now < notBefore || now > notAfter) return `${label} is outside its validity`;
  if (keyProblem(responder.key)) return `${label} has a weak key`;
  const signed =
    responder.issuer === issuer.subject &&
    algorithm !== null &&
    signatureProblem(responder.signed, algorithm, responder.signature, issuer.key) === undefined;
  return signed ? undefined : `${label} was not certified by ${issuer.label}`;
}

function checkNonce(basic: ocsp.BasicOCSPResponse, nonce: Buffer | null): void {
  const extension = basic.tbsResponseData.responseExtensions?.find(
    ({ extnID }) => extnID === ocsp.id_pkix_ocsp_nonce,
  );
  if (nonce === null || extension === undefined) return;
  const value = Buffer.from(extension.extnValue.buffer);
  // some wrap it as they should, some do not
  const inner = value[0] === 4 && value[1] === value.length - 2 ? contents(value, derAt(value, 0)) : value;
  if (!inner.equals(nonce) && !value.equals(nonce)) {
    throw new CygnetError("CYG_PKI_OCSP", "the answer is to another question (nonce)");
  }
}

function answerFor(basic: ocsp.BasicOCSPResponse, asked: ocsp.CertID): OcspAnswer {
  const found = basic.tbsResponseData.responses.find(({ certID }) => sameCertificate(certID, asked));
  if (!found) throw new CygnetError("CYG_PKI_OCSP", "the answer is about another certificate");
  if (found.singleExtensions?.some(({ critical }) => critical)) {
    throw new CygnetError("CYG_PKI_OCSP", "the answer has critical extensions that are not understood here");
  }
  const { revoked, good } = found.certStatus;
  return {
    status: revoked ? "revoked" : good === undefined ? "unknown" : "good",
    revokedAt: revoked?.revocationTime.getTime() ?? 0,
    reason: revoked?.revocationReason?.toJSON() ?? "",
    thisUpdate: found.thisUpdate.getTime(),
    nextUpdate: found.nextUpdate?.getTime() ?? null,
  };
}

function sameCertificate(one: ocsp.CertID, other: ocsp.CertID): boolean {
  const same = (a: ArrayBuffer, b: ArrayBuffer) => Buffer.from(a).equals(Buffer.from(b));
  return (
    one.hashAlgorithm.algorithm === other.hashAlgorithm.algorithm &&
    same(one.issuerNameHash.buffer, other.issuerNameHash.buffer) &&
    same(one.issuerKeyHash.buffer, other.issuerKeyHash.buffer) &&
    same(one.serialNumber, other.serialNumber)
  );
}

function sha1(octets: Buffer): Buffer {
  return createHash("sha1").update(octets).digest();
}

function octetString(octets: Buffer): OctetString {
  return new OctetString(new Uint8Array(octets));
}
