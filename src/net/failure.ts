import { getSystemErrorMap } from "node:util";
import { CygnetError, describe } from "../platform/errors.ts";

/** A connection that could not be made or did not last, with Transfer CFT's diagnostics for the catalog. */
export class NetError extends CygnetError {
  /** 260 TLS, 301 unknown name, 302 line refused, cut or timed out, 303 network parameter. */
  readonly diagi: number;
  /** `L rr ddd` or `R rr ddd` (local or remote, reason, diagnostic in hexadecimal); `PKI n` (alert) for TLS. */
  readonly diagp: string;

  constructor(
    code: string,
    diagnosis: { diagi: number; diagp: string },
    message: string,
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
    this.name = "NetError";
    this.diagi = diagnosis.diagi;
    this.diagp = diagnosis.diagp;
  }
}

interface Row {
  code: string;
  diagi: number;
  diagp: string;
  text: string;
}

const refused: Row = {
  code: "CYG_NET_REFUSED",
  diagi: 302,
  diagp: "R 00 468",
  text: "refused the connection",
};
const cut: Row = { code: "CYG_NET_CUT", diagi: 302, diagp: "R 00 2F0", text: "cut the connection" };
const late: Row = { code: "CYG_NET_TIMEOUT", diagi: 302, diagp: "L 01 280", text: "did not answer in time" };
const unknown: Row = {
  code: "CYG_NET_NAME",
  diagi: 301,
  diagp: "L 43 3C3",
  text: "is not a known host name",
};
const unreachable: Row = { code: "CYG_NET_UNREACHABLE", diagi: 302, diagp: "", text: "cannot be reached" };
const local: Row = {
  code: "CYG_NET_SOURCE",
  diagi: 303,
  diagp: "",
  text: "cannot be called from this address",
};

/** System errors of a line. DIAGP reasons and diagnostics: Transfer CFT's TCP table; "" = computed from the errno. */
const ROWS: Readonly<Record<string, Row>> = {
  ECONNREFUSED: refused,
  ECONNRESET: cut,
  ECONNABORTED: cut,
  EPIPE: cut,
  ETIMEDOUT: late,
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  EADDRNOTAVAIL: local,
  EINVAL: local,
  ENOTFOUND: unknown,
  ENODATA: unknown,
  EAI_NONAME: unknown,
  EAI_NODATA: unknown,
  // The name server did not answer: worth another try, unlike a name that does not exist.
  EAI_AGAIN: {
    code: "CYG_NET_RESOLVER",
    diagi: 302,
    diagp: "L 09 3C4",
    text: "could not be looked up just now",
  },
};

/**
 * Turns whatever a socket failed with into a NetError. `peer` names the other side in the message.
 * An error that is a NetError already is given back as it is.
 */
export function netError(error: unknown, peer: string): NetError {
  if (error instanceof NetError) return error;
  // Several addresses tried: the first is the preferred one, and its reason stands for all.
  const single = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const { code = "", errno } = single as { code?: string; errno?: number };
  const row = ROWS[code] ?? { ...unreachable, code: "CYG_NET_FAILED", text: "failed" };
  const diagp = row.diagp || `L 09 ${errnoHex(errno)}`;
  return new NetError(row.code, { diagi: row.diagi, diagp }, `${peer} ${row.text} (${detail(error)})`, {
    cause: error,
  });
}

function detail(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  const known = getSystemErrorMap().get((error as { errno?: number }).errno ?? 0);
  return known ? `${known[0]}, ${known[1]}` : describe(error);
}

function errnoHex(errno: number | undefined): string {
  const value = Math.abs(errno ?? 0);
  return (value < 0x1f4 ? value : 0).toString(16).toUpperCase().padStart(3, "0");
}

/** The time limit of a call or a handshake passed. */
export function timedOut(peer: string, milliseconds: number, during: string): NetError {
  return new NetError(late.code, late, `${peer} ${late.text} (${during}, limit ${milliseconds / 1000} s)`);
}
