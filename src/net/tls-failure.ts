import type { PkiCode } from "../pki/trust/trust.ts";
import { describe } from "../platform/errors.ts";
import { alertName, BAD_REQUESTS, LOCAL_ALERTS, PKI_ALERTS, RESOURCES, VERIFY_CODES } from "./alerts.ts";
import { NetError, netError } from "./failure.ts";
import type { Refusal } from "./peer-check.ts";

/** What is told in front of CFTY13E: why it came to that. */
export type Cause =
  /** CFTY18E: the certificate, by Transfer CFT's name of what is wrong with it. */
  | { kind: "certificate"; code: PkiCode; text: string }
  /** CFTY06E: a server's CertificateRequest that cannot be used. */
  | { kind: "request"; text: string }
  /** CFTY07E: something of ours ran out, with Transfer CFT's word and return code for it. */
  | { kind: "resource"; what: "MMALLOC" | "CTXALLOC"; cr: number; text: string };

/** Whose fault it was that TLS failed. */
export interface TlsFailure {
  /** We refused (CFTY13E), the peer sent an alert (CFTY30E), or the line or the clock ended it (CFTY13E, CR 0). */
  readonly origin: "local" | "peer" | "line";
  /** Alert number, 0 when none belongs to it. */
  readonly alert: number;
  readonly name: string;
  readonly error: NetError;
  readonly cause?: Cause;
}

const PEER_ALERT = /SSL alert number (\d+)/;

/**
 * Judges the error that ended a handshake, or a session after it. `verifyError` is Node's authorizationError.
 * Node closes without an alert when it refuses a certificate: the number is the one that the refusal stands for.
 */
export function tlsFailure(error: unknown, peer: string, verifyError?: unknown): TlsFailure {
  if (error instanceof NetError) {
    const cause = error.code === "CYG_NET_DISPLACED" ? tooMany(error.message) : undefined;
    const name = `none (${error.message})`;
    return { origin: "line", alert: 0, name, error, ...(cause && { cause }) };
  }
  const { code = "", message = "", reason } = error as { code?: string; message?: string; reason?: string };
  const sent = PEER_ALERT.exec(message)?.[1];
  if (sent !== undefined) return failure("peer", Number(sent), peer, "sent the TLS alert", error);
  const refused =
    typeof verifyError === "string"
      ? verifyError
      : verifyError instanceof Error
        ? (verifyError as { code?: string }).code
        : undefined;
  const verification = refused ?? (code in VERIFY_CODES ? code : undefined);
  if (verification !== undefined) return refusedCertificate(verificationRefusal(verification), peer, error);
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return failure("local", 116, peer, "showed no certificate, and one is required;", error);
  }
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code.startsWith("ERR_OSSL_")) {
    const notTls = ["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_HTTP_REQUEST"].includes(code);
    const what = reason ?? describe(error);
    const why = notTls ? "does not speak TLS on this port;" : `broke TLS: ${what};`;
    const alert = RESOURCES.includes(code) ? 80 : (LOCAL_ALERTS[code] ?? 40);
    return failure("local", alert, peer, why, error, causeOf(code, what));
  }
  const cut = netError(error, peer);
  const cause = causeOf(code, cut.message);
  return { origin: "line", alert: 0, name: "none (line cut)", error: cut, ...(cause && { cause }) };
}

/** A certificate that TLS itself let pass and a profile does not, or one that TLS refused. */
export function refusedCertificate(refusal: Refusal, peer: string, cause?: unknown): TlsFailure {
  const { code, alert, text } = refusal;
  const why = `showed a certificate that is not accepted: ${text};`;
  return failure("local", alert, peer, why, cause, { kind: "certificate", code, text });
}

/** True when we refused the caller for its certificate, or for showing none: TLS alert 116. */
export function isCertificateRefusal({ origin, alert, cause }: TlsFailure): boolean {
  return origin === "local" && (cause?.kind === "certificate" || alert === 116);
}

/** Node's word for why OpenSSL does not accept a chain. */
export function verificationRefusal(code: string): Refusal {
  const known = VERIFY_CODES[code] ?? "PKI_ERR_OTHERS";
  return { code: known, alert: PKI_ALERTS[known], text: code.toLowerCase().replaceAll("_", " ") };
}

/** True for an error that TLS itself raised, as against the line below it. */
export function isTlsError(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  return /^ERR_(SSL|TLS|OSSL)_/.test(code);
}

function causeOf(code: string, text: string): Cause | undefined {
  if (BAD_REQUESTS.includes(code)) return { kind: "request", text };
  if (RESOURCES.includes(code)) return { kind: "resource", what: "MMALLOC", cr: -3, text };
  return undefined;
}

/** Transfer CFT's "too many contexts". */
function tooMany(text: string): Cause {
  return { kind: "resource", what: "CTXALLOC", cr: -9, text };
}

function failure(
  origin: "local" | "peer",
  alert: number,
  peer: string,
  why: string,
  error: unknown,
  cause?: Cause,
): TlsFailure {
  const name = alertName(alert);
  const code = origin === "peer" ? "CYG_TLS_ALERT" : "CYG_TLS_REFUSED";
  const message = `${peer} ${why} ${origin === "peer" ? "" : "TLS alert "}${alert} ${name}`;
  return {
    origin,
    alert,
    name,
    error: new NetError(code, { diagi: 260, diagp: `PKI ${alert}` }, message, { cause: error }),
    ...(cause && { cause }),
  };
}
