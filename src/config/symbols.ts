/**
 * Symbolic variables in Transfer CFT's syntax. Between `&` and the name stand, each optional and in this order:
 *
 *   < >            left (default) or right justification, where a length is given
 *   + -            upper or lower case
 *   :              no padding to the length
 *   (-text)        prefix, (+text) suffix: only where the value is not empty; (=text) instead of an empty value;
 *                  texts may hold variables, `&)` is a closing parenthesis
 *   n  p.  p.n     the first n characters, from position p on, n characters from p; 0 counts as not given
 *   %c s  %c s.  %c s.e  %c .e     fields s to e of the value as cut by the character c, counted from 1
 *
 * The field is cut first, then the slice is taken. `&.NAME` stays as the text `&NAME`.
 */
import { CygnetError } from "../platform/errors.ts";

interface Variable {
  /** Upper case. */
  name: string;
  /** Index of the `&` in the template. */
  at: number;
  right: boolean;
  letters: "" | "+" | "-";
  pad: boolean;
  prefix: Part[];
  suffix: Part[];
  alternate: Part[];
  /** 0 = not given. */
  from: number;
  length: number;
  field?: { separator: string; first: number; last: number };
}

type Part = string | Variable;

/**
 * The template with every variable replaced. Names of `variables` are upper case; case does not matter in the
 * template. Throws CYG_SYMBOL for a variable that `variables` lacks and for broken syntax.
 */
export function substitute(template: string, variables: Readonly<Record<string, string>>): string {
  return render(parse(template), variables, template);
}

/** Every variable that a template names, upper case, in order, with its index. Throws CYG_SYMBOL for broken syntax. */
export function variablesIn(template: string): { name: string; at: number }[] {
  const found: { name: string; at: number }[] = [];
  const visit = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (typeof part === "string") continue;
      found.push({ name: part.name, at: part.at });
      for (const inner of [part.prefix, part.suffix, part.alternate]) visit(inner);
    }
  };
  visit(parse(template));
  return found.sort((a, b) => a.at - b.at);
}

function render(
  parts: readonly Part[],
  variables: Readonly<Record<string, string>>,
  template: string,
): string {
  return parts.map((part) => (typeof part === "string" ? part : value(part, variables, template))).join("");
}

function value(part: Variable, variables: Readonly<Record<string, string>>, template: string): string {
  if (!Object.hasOwn(variables, part.name)) throw unknown(part.name, template);
  let text = (variables[part.name] as string).replace(/ +$/, "");
  if (part.field) {
    const { separator, first, last } = part.field;
    text = text
      .split(separator)
      .slice(first - 1, last)
      .join(separator);
  }
  const from = Math.max(part.from, 1) - 1;
  text = part.length > 0 ? text.slice(from, from + part.length) : text.slice(from);
  if (part.letters === "+") text = text.toUpperCase();
  if (part.letters === "-") text = text.toLowerCase();
  const empty = text === "";
  if (empty && part.alternate.length > 0) return render(part.alternate, variables, template);
  if (part.pad) text = part.right ? text.padStart(part.length) : text.padEnd(part.length);
  if (empty) return text;
  return render(part.prefix, variables, template) + text + render(part.suffix, variables, template);
}

function unknown(name: string, template: string): CygnetError {
  return new CygnetError("CYG_SYMBOL", `"${template}": there is no variable &${name} here`);
}

function parse(template: string): Part[] {
  return new Parser(template).parts(false);
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Literals and variables up to the end or, inside parentheses, up to the closing one, which is consumed. */
  parts(inside: boolean): Part[] {
    const parts: Part[] = [];
    let literal = "";
    for (;;) {
      const rest = this.#text.slice(this.#at);
      const plain = this.#take(inside ? /[^&)]+/y : /[^&]+/y);
      if (plain !== undefined) literal += plain[0];
      else if (rest === "" && inside) throw this.#broken("a parenthesis is not closed");
      else if (rest === "") break;
      else if (inside && this.#take(/\)/y)) break;
      else if (inside && this.#take(/&\)/y)) literal += ")";
      else if (/^&\.[A-Za-z]/.test(rest)) literal += this.#literal();
      else {
        if (literal !== "") parts.push(literal);
        literal = "";
        parts.push(this.#variable());
      }
    }
    if (literal !== "") parts.push(literal);
    return parts;
  }

  #literal(): string {
    this.#at += 2;
    return "&";
  }

  #variable(): Variable {
    const at = this.#at;
    const [, justify, letters = "", colon] = this.#take(/&([<>])?([+-])?(:)?/y) ?? [];
    const texts: Record<string, Part[]> = {};
    for (let sign = this.#take(/\(([-+=])/y)?.[1]; sign; sign = this.#take(/\(([-+=])/y)?.[1]) {
      texts[sign] = this.parts(true);
    }
    const [, position, length, only] = this.#take(/(\d+)\.(\d*)|(\d+)/y) ?? [];
    const field = this.#take(/%(.)(?:(\d+)?(\.)?(\d+)?)/sy);
    const name = this.#take(/[A-Za-z][A-Za-z0-9]*/y)?.[0];
    if (name === undefined) throw this.#broken('a variable name is missing after "&"');
    const variable: Variable = {
      name: name.toUpperCase(),
      at,
      right: justify === ">",
      letters: letters as Variable["letters"],
      pad: colon === undefined,
      prefix: texts["-"] ?? [],
      suffix: texts["+"] ?? [],
      alternate: texts["="] ?? [],
      from: Number(position ?? 0),
      length: Number(length || only || 0),
    };
    if (field) {
      const [, separator = "", first, dot, last] = field;
      const begin = Math.max(Number(first ?? 1), 1);
      const end = last !== undefined ? Number(last) : dot || first === undefined ? Infinity : begin;
      variable.field = { separator, first: begin, last: end };
    }
    return variable;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match ?? undefined;
  }

  #broken(why: string): CygnetError {
    return new CygnetError("CYG_SYMBOL", `"${this.#text}": ${why} at character ${this.#at + 1}`);
  }
}
