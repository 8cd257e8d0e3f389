/** From what an operator types to what it means. */
import { type CodeKind, codes, type Meaning, meaningOf } from "./codes.ts";
import { composed } from "./composed.ts";

/** What a look-up gives: everything that the text can mean, or else what may have been meant. */
export interface Lookup {
  matches: Meaning[];
  suggestions: string[];
}

/** Kinds that a bare number may be of, in the order of the answer. */
const BARE: readonly CodeKind[] = ["DIAGI", "DIAGP", "ESID", "SFNA", "EFNA", "NERP", "TLS"];
/** Kinds that are written before their number. */
const NUMBERED: readonly CodeKind[] = [...BARE, "RECOV"];
/** Kinds whose codes are words. */
const WORDS: readonly CodeKind[] = ["DIAGP", "PKI", "ERROR"];

/** Every kind, and what it is about. */
export const KINDS: Readonly<Record<CodeKind, string>> = {
  MESSAGE: "messages of the log",
  DIAGI: "diagnostic code of a transfer",
  DIAGP: "diagnostic of the protocol: 100 + SFNA or EFNA, 200 + ESID, or a word",
  HEX: "four hexadecimal digits behind a DIAGP",
  TCP: "the two parts of a DIAGP L rr ddd or R rr ddd",
  RECOV: "kind of a failed call (CFTH10E)",
  ESID: "reason of the end of a session",
  SFNA: "reason for which a file was refused",
  EFNA: "reason for which the end of a file was refused",
  NERP: "reason of a negative end response",
  TLS: "TLS alert",
  PKI: "what is wrong with a certificate (CFTY18E)",
  ERROR: "errors of this program",
};

/** The kind that a text names, in any case, with or without a plural's s. */
export function kindOf(text: string): CodeKind | undefined {
  const asked = text.trim().toUpperCase();
  const kinds = Object.keys(KINDS) as CodeKind[];
  return (
    kinds.find((kind) => kind === asked || `${kind}S` === asked) ?? (asked === "CYG" ? "ERROR" : undefined)
  );
}

/** All codes of a kind, in the order of their table. */
export function listOf(kind: CodeKind): Meaning[] {
  return codes.filter((meaning) => meaning.kind === kind);
}

/** DIAGI above 500 that has no row of its own: the partner reports its code less 500. */
function reportedDiagi(code: number): Meaning | undefined {
  const local = code > 500 && code < 1000 ? meaningOf("DIAGI", String(code - 500)) : undefined;
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
  return meaningOf(kind, String(code)) ?? (kind === "DIAGI" ? reportedDiagi(code) : undefined);
}

/** The messages of an id; without its severity letter (`CFTT75`) those of every severity. */
function ofId(asked: string): Meaning[] {
  if (!/^CFT[A-Z]\d\d[A-Z]?$/.test(asked)) return [];
  return codes.filter(
    ({ kind, code }) => kind === "MESSAGE" && (code === asked || code.slice(0, -1) === asked),
  );
}

/** A word that is a code, or the name of a TLS alert. */
function ofWord(asked: string): Meaning[] {
  const word = asked.replace(/^(?:DIAGP|PKI|ERROR)[\s:=]+/, "");
  const found = WORDS.map((kind) => meaningOf(kind, word)).find((meaning) => meaning?.name === word);
  if (found !== undefined) return [found];
  const alert = asked
    .replace(/^(?:TLS\s+)?(?:ALERT\s+)?/, "")
    .toLowerCase()
    .replaceAll(" ", "_");
  return codes.filter(({ kind, name }) => kind === "TLS" && name === alert);
}

function ofNumber(asked: string): Meaning[] {
  const parts = /^(?:([A-Z]+)[\s:=#-]*)?(?:REASON\s+|ALERT\s+)?(\d{1,4})$/.exec(asked);
  if (parts === null) return [];
  const named = parts[1] === "ALERT" ? "TLS" : parts[1];
  const kinds = named === undefined ? BARE : NUMBERED.filter((kind) => kind === named);
  return kinds.map((kind) => numbered(kind, Number(parts[2]))).filter((found) => found !== undefined);
}

function ofDigits(asked: string): Meaning[] {
  const parts = /^(HEX|TCP)[\s:=]+([\dA-F]{2,4})$/.exec(asked);
  const found = parts === null ? undefined : meaningOf(parts[1] as CodeKind, parts[2] as string);
  return found === undefined ? [] : [found];
}

/**
 * Finds what a code means: a message id with or without its severity (`CFTT75E`), a kind and a number (`DIAGI 302`,
 * `esid 3`, `NERP-34`, `EFNA=11`), a whole DIAGP (`R 00 2F2`, `SSI 0205`, `PKI 48`), a mnemonic (`RTO`), the name of a TLS
 * alert, a code of this program (`CYG_NET_BIND`), or a bare number, which may have several meanings. Case, leading
 * zeros, and what stands between kind and number do not matter.
 */
export function lookup(text: string): Lookup {
  const asked = text.trim().toUpperCase().replace(/\+$/, "");
  for (const find of [ofId, ofWord, ofNumber, ofDigits, composed]) {
    const matches = find(asked);
    if (matches.length > 0) return { matches, suggestions: [] };
  }
  return { matches: [], suggestions: nearest(asked) };
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

/** A code as it is typed. */
export function written({ kind, code }: Meaning): string {
  return kind === "MESSAGE" || kind === "ERROR" || kind === "PKI" ? code : `${kind} ${code}`;
}

/** Codes that differ from the text by two characters at most, a bare number by one. */
function nearest(text: string): string[] {
  const asked = text.slice(0, 40);
  const bare = /^\d+$/.test(asked);
  const ranked = codes
    .filter(({ kind }) => !bare || BARE.includes(kind))
    .map((meaning) => ({
      code: written(meaning),
      far: distance(asked, bare ? meaning.code : written(meaning)),
    }));
  const near = ranked.filter(({ far }) => far <= (bare ? 1 : 2)).sort((a, b) => a.far - b.far);
  return near.slice(0, 5).map(({ code }) => code);
}
