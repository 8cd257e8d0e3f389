import { describe } from "../platform/errors.ts";
import { alertName, LOCAL_ALERTS, VERIFY_ALERTS } from "./alerts.ts";
import { NetError, netError } from "./failure.ts";

/** Whose fault it was that TLS failed. */
export interface TlsFailure {
  /** We refused (CFTY13E), the peer sent an alert (CFTY30E), or the line or the clock ended it (CFTY13E, CR 0). */
  readonly origin: "local" | "peer" | "line";
  /** Alert number, 0 when none belongs to it. */
  readonly alert: number;
  readonly name: string;
  readonly error: NetError;
}

const PEER_ALERT = /SSL alert number (\d+)/;

/**
 * Judges the error that ended a handshake, or a session after it. `verifyError` is Node's authorizationError.
 * Node closes without an alert when it refuses a certificate: the number is the one that the refusal stands for.
 */
export function tlsFailure(error: unknown, peer: string, verifyError?: unknown): TlsFailure {
  if (error instanceof NetError) return { origin: "line", alert: 0, name: `none (${error.message})`, error };
  const { code = "", message = "", reason } = error as { code?: string; message?: string; reason?: string };
  const sent = PEER_ALERT.exec(message)?.[1];
  if (sent !== undefined) return failure("peer", Number(sent), peer, "sent the TLS alert", error);
  const refused =
    typeof verifyError === "string"
      ? verifyError
      : verifyError instanceof Error
        ? (verifyError as { code?: string }).code
        : undefined;
  const verification = refused ?? (code in VERIFY_ALERTS ? code : undefined);
  if (verification !== undefined) {
    const why = `showed a certificate that is not accepted: ${verification.toLowerCase().replaceAll("_", " ")};`;
    return failure("local", VERIFY_ALERTS[verification] ?? 46, peer, why, error);
  }
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") {
    return failure("local", 116, peer, "showed no certificate, and one is required;", error);
  }
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code.startsWith("ERR_OSSL_")) {
    const notTls = ["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_HTTP_REQUEST"].includes(code);
    const why = notTls ? "does not speak TLS on this port;" : `broke TLS: ${reason ?? describe(error)};`;
    return failure("local", LOCAL_ALERTS[code] ?? 40, peer, why, error);
  }
  const cut = netError(error, peer);
  return { origin: "line", alert: 0, name: "none (line cut)", error: cut };
}

/** A peer's certificate passed TLS but cannot be read here. */
export function unreadable(cause: unknown, peer: string): TlsFailure {
  return failure("local", 42, peer, `showed a certificate that cannot be read: ${describe(cause)};`, cause);
}

/** True for an error that TLS itself raised, as against the line below it. */
export function isTlsError(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  return /^ERR_(SSL|TLS|OSSL)_/.test(code);
}

function failure(
  origin: "local" | "peer",
  alert: number,
  peer: string,
  why: string,
  cause: unknown,
): TlsFailure {
  const name = alertName(alert);
  const code = origin === "peer" ? "CYG_TLS_ALERT" : "CYG_TLS_REFUSED";
  const message = `${peer} ${why} ${origin === "peer" ? "" : "TLS alert "}${alert} ${name}`;
  return {
    origin,
    alert,
    name,
    error: new NetError(code, { diagi: 260, diagp: `PKI ${alert}` }, message, { cause }),
  };
}
