/** Every code that an operator can meet, in plain words, and what the engine writes for the protocol's reasons. */
import { catalogue, messages } from "./catalogue.ts";
import { diagiCodes } from "./codes/diagi.ts";
import { diagpNames } from "./codes/diagp.ts";
import type { CodeKind, CodeRow, Meaning } from "./codes/meaning.ts";
import { answerReasons, endOnlyReasons, esidReasons, nerpReasons } from "./codes/oftp-reasons.ts";
import { tlsAlerts } from "./codes/tls-alerts.ts";
import type { Message } from "./message.ts";

export { diagiOfAnswer, diagiOfEsid, diagpOfAnswer, diagpOfEsid } from "./codes/answers.ts";
export type { CodeKind, Meaning } from "./codes/meaning.ts";

/** What a look-up gives: everything that the text can mean, or else what may have been meant. */
export interface Lookup {
  matches: Meaning[];
  suggestions: string[];
}

/** A reason as the wire carries it. */
function reasonDigits(code: number): string {
  return String(code).padStart(2, "0");
}

function meanings(kind: CodeKind, rows: readonly CodeRow[], digits: (code: number) => string): Meaning[] {
  return rows.map(([code, name, means, action]) => ({ kind, code: digits(code), name, means, action }));
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

/** Every code, kind by kind, in the order in which a bare number is answered. */
export const codes: readonly Meaning[] = [
  ...messages.map(ofMessage),
  ...meanings("DIAGI", diagiCodes, String),
  ...meanings("DIAGP", diagpRows, String),
  ...diagpNames.map(([code, means, action]) => ({ kind: "DIAGP", code, name: code, means, action }) as const),
  ...meanings("ESID", esidReasons, reasonDigits),
  ...meanings(
    "SFNA",
    answerReasons.filter(([code]) => !endOnlyReasons.has(code)),
    reasonDigits,
  ),
  ...meanings("EFNA", answerReasons, reasonDigits),
  ...meanings("NERP", nerpReasons, reasonDigits),
  ...meanings("TLS", tlsAlerts, String),
];

const byKey = new Map(codes.map((meaning) => [key(meaning.kind, meaning.code), meaning]));
const NUMBERED: readonly CodeKind[] = ["DIAGI", "DIAGP", "ESID", "SFNA", "EFNA", "NERP", "TLS"];

function key(kind: CodeKind, code: string): string {
  return /^\d+$/.test(code) ? `${kind} ${Number(code)}` : `${kind} ${code}`;
}

/** DIAGI above 500 that has no row of its own: the partner reports its code less 500. */
function reportedDiagi(code: number): Meaning | undefined {
  const local = code > 500 && code < 1000 ? byKey.get(key("DIAGI", String(code - 500))) : undefined;
  if (local === undefined) return undefined;
  return {
    kind: "DIAGI",
    code: String(code),
    name: `${local.name} (reported by the partner)`,
    means: `The partner reports its code ${local.code}. There: ${local.means}`,
    action: "The cause lies at the partner: ask for its log.",
  };
}

function numbered(kind: CodeKind, code: number): Meaning | undefined {
  return byKey.get(key(kind, String(code))) ?? (kind === "DIAGI" ? reportedDiagi(code) : undefined);
}

/** Changes of single characters that turn one text into the other. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const change = (above[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(change, (above[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    above = current;
  }
  return above[b.length] as number;
}

function written(meaning: Meaning): string {
  return meaning.kind === "MESSAGE" ? meaning.code : `${meaning.kind} ${meaning.code}`;
}

/** Codes that differ from the text by two characters at most, a bare number by one. */
function nearest(text: string): string[] {
  const asked = text.slice(0, 40);
  const bare = /^\d+$/.test(asked);
  const ranked = codes.map((meaning) => ({
    code: written(meaning),
    far: distance(asked, bare ? meaning.code : written(meaning)),
  }));
  const near = ranked.filter(({ far }) => far <= (bare ? 1 : 2)).sort((a, b) => a.far - b.far);
  return near.slice(0, 5).map(({ code }) => code);
}

/** The messages of an id; without its severity letter (`CFTT75`) those of every severity. */
function ofId(text: string): Meaning[] {
  return messages.filter(({ id }) => id === text || id.slice(0, -1) === text).map(ofMessage);
}

/**
 * Finds what a code means: a message id with or without its severity (`CFTT75E`), a kind and a number (`DIAGI 302`,
 * `esid 3`, `NERP-34`, `EFNA=11`), a mnemonic that DIAGP shows (`RTO`), or a bare number, which may have several meanings. Case, leading zeros, and what
 * stands between kind and number do not matter.
 */
export function lookup(text: string): Lookup {
  const asked = text.trim().toUpperCase().replace(/\+$/, "");
  const ids = ofId(asked);
  if (ids.length > 0) return { matches: ids, suggestions: [] };
  const named = byKey.get(key("DIAGP", asked.replace(/^DIAGP\s+/, "")));
  if (named !== undefined && named.code === named.name) return { matches: [named], suggestions: [] };
  const parts = /^(?:([A-Z]+)[\s:=#-]*)?(?:REASON\s+|ALERT\s+)?(\d{1,4})$/.exec(asked);
  if (parts !== null) {
    const kinds = parts[1] === undefined ? NUMBERED : NUMBERED.filter((kind) => kind === parts[1]);
    const matches = kinds
      .map((kind) => numbered(kind, Number(parts[2])))
      .filter((match) => match !== undefined);
    if (matches.length > 0) return { matches, suggestions: [] };
  }
  return { matches: [], suggestions: nearest(asked) };
}

/** A message of the catalogue by its id; for `cygnet explain`. */
export function messageOf(id: string): Message | undefined {
  return catalogue.get(id);
}

function reasonText(kind: CodeKind, reason: number | string): string {
  return byKey.get(key(kind, String(reason)))?.name ?? byKey.get(key(kind, "99"))?.name ?? "";
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
