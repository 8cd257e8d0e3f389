/**
 * Transfer CFT's expressions over distinguished names (DNUSER, DNISSUER): strings that must or must not stand in the
 * name, joined with AND, OR, `!` and parentheses, for example `("/O=ACME/" AND ! "/OU=test/")`.
 */
import { CygnetError } from "../platform/errors.ts";

/** Whether a name in the form of {@link slashName} is acceptable. */
export type NameRule = (name: string) => boolean;

interface Token {
  kind: "text" | "and" | "or" | "not" | "(" | ")";
  value: string;
  /** Place in the expression, from 1. */
  at: number;
}

/**
 * Compiles an expression: strings in double quotes (`\"` and `\\` inside), AND, OR, `!` or NOT, parentheses; AND binds
 * closer than OR. Text without any quotation mark is one string. "" = every name is acceptable.
 * Errors: CYG_PKI_NAME_RULE with the place and what was expected there.
 */
export function nameRule(expression: string): NameRule {
  const plain = expression.trim();
  if (plain === "") return () => true;
  if (!plain.includes('"')) {
    const bracket = plain.search(/[()!]/);
    if (bracket >= 0)
      throw wrong(expression.indexOf(plain) + bracket + 1, "strings stand in quotation marks");
    return (name) => name.includes(plain);
  }
  const tokens = scan(expression);
  let next = 0;
  const take = (...kinds: Token["kind"][]): Token | undefined => {
    const token = tokens[next];
    if (!token || !kinds.includes(token.kind)) return undefined;
    next++;
    return token;
  };
  const here = () => tokens[next]?.at ?? expression.length + 1;
  const either = (): NameRule => {
    const parts = [both()];
    while (take("or")) parts.push(both());
    return (name) => parts.some((part) => part(name));
  };
  const both = (): NameRule => {
    const parts = [single()];
    while (take("and")) parts.push(single());
    return (name) => parts.every((part) => part(name));
  };
  const single = (): NameRule => {
    if (take("not")) {
      const part = single();
      return (name) => !part(name);
    }
    if (take("(")) {
      const part = either();
      if (!take(")")) throw wrong(here(), "AND, OR or ) is expected");
      return part;
    }
    const text = take("text");
    if (!text) throw wrong(here(), 'a string such as "/O=ACME/" is expected');
    return (name) => name.includes(text.value);
  };
  const rule = either();
  if (next < tokens.length) throw wrong(here(), "AND or OR is expected between strings");
  return rule;
}

const WORDS: Readonly<Record<string, Token["kind"]>> = { AND: "and", OR: "or", NOT: "not" };

function scan(expression: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s+|"((?:[^"\\]|\\.)*)"|([()!])|([A-Za-z]+)/y;
  while (pattern.lastIndex < expression.length) {
    const at = pattern.lastIndex + 1;
    const [, text, sign, word] = pattern.exec(expression) ?? [];
    if (pattern.lastIndex === 0) {
      throw wrong(
        at,
        expression[at - 1] === '"' ? "this quotation mark has no end" : "this is not understood",
      );
    }
    if (text !== undefined) {
      const value = text.replace(/\\(["\\])/g, "$1");
      if (value === "") throw wrong(at, "an empty string stands in every name");
      tokens.push({ kind: "text", value, at });
    } else if (sign !== undefined) {
      tokens.push({ kind: sign === "!" ? "not" : (sign as "(" | ")"), value: sign, at });
    } else if (word !== undefined) {
      const kind = WORDS[word.toUpperCase()];
      if (kind === undefined) throw wrong(at, `"${word}" is not AND, OR or NOT`);
      tokens.push({ kind, value: word, at });
    }
  }
  return tokens;
}

function wrong(at: number, why: string): CygnetError {
  return new CygnetError(
    "CYG_PKI_NAME_RULE",
    `at character ${at}: ${why}; example: ("/CN=acme/" OR "/CN=acme2/")`,
  );
}

/**
 * A name as Transfer CFT writes it, in the order of the certificate: `/C=FR/O=ACME/CN=acme/`. A slash within a value is
 * written `\2F`, so that no value can look like another part of the name; the slash at the end lets a string reach to
 * the end of a value. "" for no name.
 * @param name As Node gives it: one part on each line, everything unprintable escaped.
 */
export function slashName(name: string | undefined): string {
  const parts = (name ?? "").split("\n").filter((part) => part !== "");
  return parts.length === 0 ? "" : `/${parts.map((part) => part.replaceAll("/", "\\2F")).join("/")}/`;
}
