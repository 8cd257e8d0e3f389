/** Every code that an operator can meet, in plain words, and what the engine writes for the protocol's reasons. */
import { catalogue, messages } from "./catalogue.ts";
import { diagiCodes } from "./codes/diagi.ts";
import { diagpNames } from "./codes/diagp.ts";
import { configurationErrors } from "./codes/errors/configuration.ts";
import { fileErrors } from "./codes/errors/files.ts";
import { runningErrors } from "./codes/errors/running.ts";
import { securityErrors } from "./codes/errors/security.ts";
import { hexCodes } from "./codes/hex.ts";
import type { CodeKind, CodeRow, Meaning, WordRow, WrittenRow } from "./codes/meaning.ts";
import { recoveries, tcpDiagnostics, tcpReasons } from "./codes/network.ts";
import { answerReasons, endOnlyReasons, esidReasons, nerpReasons } from "./codes/oftp-reasons.ts";
import { pkiNames } from "./codes/pki.ts";
import { tlsAlerts } from "./codes/tls-alerts.ts";
import { type AbsentRow, absentMessages } from "./families/absent.ts";
import type { Message } from "./message.ts";

export { diagiOfAnswer, diagiOfEsid, diagpOfAnswer, diagpOfEsid } from "./codes/answers.ts";
export type { CodeKind, Meaning } from "./codes/meaning.ts";

/** A reason as the wire carries it. */
function reasonDigits(code: number): string {
  return String(code).padStart(2, "0");
}

function numbered(kind: CodeKind, rows: readonly CodeRow[], digits: (code: number) => string): Meaning[] {
  return rows.map(([code, name, means, action]) => ({ kind, code: digits(code), name, means, action }));
}

function written(kind: CodeKind, rows: readonly WrittenRow[]): Meaning[] {
  return rows.map(([code, name, means, action]) => ({ kind, code, name, means, action }));
}

function words(kind: CodeKind, rows: readonly WordRow[]): Meaning[] {
  return rows.map(([code, means, action]) => ({ kind, code, name: code, means, action }));
}

/** DIAGP of answers and session ends, derived as Transfer CFT does: 100 or 200 plus the reason. */
const diagpRows: readonly CodeRow[] = [
  ...answerReasons.map(
    ([code, name, means, action]) => [100 + code, `${name} (SFNA/EFNA)`, means, action] as const,
  ),
  ...esidReasons.map(([code, name, means, action]) => [200 + code, `${name} (ESID)`, means, action] as const),
];

function ofMessage(message: Message): Meaning {
  const name = message.text.replace(/[: ]*\{\w+\}$/, "").replace(/\{(\w+)\}/g, "<$1>");
  return { kind: "MESSAGE", code: message.id, name, means: message.means, action: message.action };
}

function ofAbsent([ids, name, why, action]: AbsentRow): Meaning[] {
  const means = `A message of Transfer CFT that this gateway does not write. ${why}`;
  return ids.split(" ").map((code) => ({ kind: "MESSAGE", code, name, means, action }));
}

/** Every code, kind by kind, in the order in which a bare number is answered. */
export const codes: readonly Meaning[] = [
  ...messages.map(ofMessage),
  ...absentMessages.flatMap(ofAbsent),
  ...numbered("DIAGI", diagiCodes, String),
  ...numbered("DIAGP", diagpRows, String),
  ...words("DIAGP", diagpNames),
  ...written("HEX", hexCodes),
  ...written("TCP", [...tcpReasons, ...tcpDiagnostics]),
  ...numbered("RECOV", recoveries, String),
  ...numbered("ESID", esidReasons, reasonDigits),
  ...numbered(
    "SFNA",
    answerReasons.filter(([code]) => !endOnlyReasons.has(code)),
    reasonDigits,
  ),
  ...numbered("EFNA", answerReasons, reasonDigits),
  ...numbered("NERP", nerpReasons, reasonDigits),
  ...numbered("TLS", tlsAlerts, String),
  ...words("PKI", pkiNames),
  ...words("ERROR", [...configurationErrors, ...securityErrors, ...fileErrors, ...runningErrors]),
];

const byKey = new Map(codes.map((meaning) => [key(meaning.kind, meaning.code), meaning]));

/** Leading zeros do not count, except where they are written as part of the code. */
function key(kind: CodeKind, code: string): string {
  const counted = kind !== "HEX" && kind !== "TCP" && /^\d+$/.test(code);
  return `${kind} ${counted ? Number(code) : code}`;
}

/** What a code of a kind means, and undefined when there is no such code. */
export function meaningOf(kind: CodeKind, code: string): Meaning | undefined {
  return byKey.get(key(kind, code));
}

/** A message of the catalogue by its id; for `cygnet explain`. */
export function messageOf(id: string): Message | undefined {
  return catalogue.get(id);
}

function reasonText(kind: CodeKind, reason: number | string): string {
  return meaningOf(kind, String(reason))?.name ?? meaningOf(kind, "99")?.name ?? "";
}

/** The standard's text of an ESID reason; unknown reasons count as 99 (RFC 5024 leaves them open). */
export function esidText(reason: number | string): string {
  return reasonText("ESID", reason);
}

/** The standard's text of an SFNA or EFNA reason; unknown reasons count as 99. */
export function answerText(reason: number | string): string {
  return reasonText("EFNA", reason);
}

/** Every NERPREAS of RFC 5024. */
export const NERP_REASONS: ReadonlySet<number> = new Set(nerpReasons.map(([code]) => code));

/** The standard's text of a NERP reason; unknown reasons count as 99. */
export function nerpText(reason: number | string): string {
  return reasonText("NERP", reason);
}
