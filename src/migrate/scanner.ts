/**
 * Characters of a CFTUTIL script: blanks, the kinds of comments, words, quoted texts. Looks ahead, but every
 * method that consumes moves forward, and none looks further than a bounded number of times at one character.
 */
import type { TextValue } from "./value.ts";

/** A fault in the text of an extract. Never shows a value, which may be a password. */
export interface SyntaxProblem {
  /** From 1. */
  line: number;
  message: string;
}

/** Longest text in quotes that goes over several lines; Transfer CFT's longest values have 512 characters. */
const LONGEST_QUOTED = 4096;
const QUOTES: Readonly<Record<string, { close: RegExp; quote: "'" | '"' }>> = {
  "'": { close: /'/, quote: "'" },
  '"': { close: /"/, quote: '"' },
  // as word processors and web pages turn them
  "‘": { close: /[‘’']/, quote: "'" },
  "’": { close: /[‘’']/, quote: "'" },
  "“": { close: /[“”"]/, quote: '"' },
  "”": { close: /[“”"]/, quote: '"' },
};
const PARAMETER = /[A-Za-z][\w.]*\s*=/y;
/** Attributes of distinguished names, which lists may have without quotes. */
const ATTRIBUTE = /^(?:[A-Za-z]{1,2}|UID|emailAddress|serialNumber|street)\s*=/i;
/** A line that begins a command: an object or a command of the PKI or of UCONF, then a parameter or nothing. */
const COMMAND = /(?:CFT|PKI|UCONF)[A-Za-z]+\s+(?:[A-Za-z][\w.]*\s*=|CFT|PKI|\/)/iy;

export class Scanner {
  readonly text: string;
  readonly problems: SyntaxProblem[] = [];
  at = 0;
  readonly #lines: number[] = [];
  /** Where the next end of a comment stands; -1 = nowhere, undefined = not looked for. */
  #commentEnd: number | undefined;

  constructor(text: string) {
    this.text = text;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) this.#lines.push(end);
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** The character here; "" at the end. */
  peek(): string {
    return this.text[this.at] ?? "";
  }

  /** Line of a place, from 1. */
  line(at = this.at): number {
    let [low, high] = [0, this.#lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }

  problem(message: string, at = this.at): void {
    this.problems.push({ line: this.line(at), message });
  }

  /** True when only blanks stand before this place on its line. */
  startsLine(at = this.at): boolean {
    for (let before = at - 1; before >= 0; before -= 1) {
      const character = this.text[before];
      if (character === "\n") return true;
      if (character !== " " && character !== "\t") return false;
    }
    return true;
  }

  /** Over blanks on this line. */
  skipSpaces(): void {
    while (/[^\S\n]/.test(this.peek()) && !this.ended) this.at += 1;
  }

  /** Over blanks, ends of lines, backslashes at ends of lines, and comments where `comments` allows all kinds. */
  skipBlank(comments: "all" | "blocks" = "all"): void {
    for (;;) {
      const before = this.at;
      while (!this.ended && /\s/.test(this.peek())) this.at += 1;
      if (this.peek() === "\\" && /\\[^\S\n]*(?:\n|$)/y.test(this.text.slice(this.at, this.at + 80)))
        this.at += 1;
      else if (this.text.startsWith("/*", this.at)) this.#skipBlock();
      else if (comments === "all" && this.#beginsLineComment()) this.skipLine();
      if (this.at === before) return;
    }
  }

  /** To the end of this line. */
  skipLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  /** `//`, `#` and, in the first column, `*`; a `#` behind a value too. */
  #beginsLineComment(): boolean {
    if (this.peek() === "#") return true;
    if (this.text.startsWith("//", this.at)) return this.startsLine();
    return this.peek() === "*" && (this.at === 0 || this.text[this.at - 1] === "\n");
  }

  /**
   * Over a comment. One that is never closed, or in which another begins on a later line, ends with its line: it
   * must not swallow the objects that follow.
   */
  #skipBlock(): void {
    const start = this.at;
    if (this.#commentEnd === undefined || (this.#commentEnd >= 0 && this.#commentEnd < start + 2)) {
      this.#commentEnd = this.text.indexOf("*/", start + 2);
    }
    const end = this.#commentEnd;
    const lineEnd = this.text.indexOf("\n", start);
    const inner = this.text.indexOf("/*", start + 2);
    if (end >= 0 && (inner < 0 || inner > end || lineEnd < 0 || inner < lineEnd)) {
      this.at = end + 2;
      return;
    }
    this.problem("this comment is not closed with */: taken as one line");
    this.skipLine();
  }

  /** True where `NAME =` stands. */
  get atParameter(): boolean {
    PARAMETER.lastIndex = this.at;
    return PARAMETER.test(this.text);
  }

  /** Within a list: true where `NAME =` stands and is no attribute of a distinguished name. */
  get atParameterInList(): boolean {
    return this.atParameter && (this.startsLine() || !ATTRIBUTE.test(this.text.slice(this.at, this.at + 16)));
  }

  /** True where the name of an object stands and a parameter behind it. */
  get atObject(): boolean {
    COMMAND.lastIndex = this.at;
    return COMMAND.test(this.text);
  }

  /** True where an object begins, at the beginning of a line. */
  get atCommand(): boolean {
    return this.atObject && this.startsLine();
  }

  /** The characters of a name or command: up to blanks, separators, quotes, parentheses. "" where there is none. */
  word(): string {
    const start = this.at;
    while (!this.ended && !/[\s,=()'"‘’“”]/.test(this.peek())) this.at += 1;
    return this.text.slice(start, this.at);
  }

  get atQuote(): boolean {
    return this.peek() in QUOTES;
  }

  /** A text in quotes; a quote within it is doubled. Ends at the end of its line where no closing quote fits. */
  quoted(): TextValue {
    const start = this.at;
    const { close, quote } = QUOTES[this.peek()] as { close: RegExp; quote: "'" | '"' };
    const line = this.line();
    let text = "";
    let lines = 1;
    this.at += 1;
    for (;;) {
      const character = this.peek();
      if (close.test(character) && character !== "") {
        this.at += 1;
        if (!close.test(this.peek()) || this.ended) break;
        text += character;
      } else if (character === "\n" || this.ended) {
        if (this.ended || !this.#goesOn(start, close, lines)) return this.#unclosed(start, quote, line);
        lines += 1;
        text = `${text.trimEnd()} `;
        while (/\s/.test(this.text[this.at + 1] ?? "")) this.at += 1;
      } else text += character;
      this.at += 1;
    }
    if (lines > 1) {
      this.problem(`a text in quotes goes over ${lines} lines: joined with blanks`, start);
    }
    return { kind: "text", text, quote, line };
  }

  /**
   * At the end of a line within quotes: is the closing quote on one of the next lines, before anything begins?
   * Looks for it once; later lines must only not begin anything.
   */
  #goesOn(start: number, close: RegExp, lines: number): boolean {
    const end = start + LONGEST_QUOTED;
    for (let at = this.at + 1; at < Math.min(end, this.text.length); ) {
      const stop = this.text.indexOf("\n", at);
      const line = this.text.slice(at, Math.min(stop < 0 ? this.text.length : stop, end));
      if (/^\s*(?:[A-Za-z][\w.]*\s*=|(?:CFT|PKI|UCONF)[A-Za-z]+\s)/i.test(line)) return false;
      if (lines > 1 || close.test(line)) return true;
      at += line.length + 1;
    }
    return false;
  }

  #unclosed(start: number, quote: "'" | '"', line: number): TextValue {
    this.at = start + 1;
    this.problem(
      "this quote is not closed: the value ends with its line or before the next parameter",
      start,
    );
    const from = this.at;
    this.skipLine();
    const rest = this.text.slice(from, this.at);
    // what looks like the next parameter is one: a password must not end up in somebody's comment
    const next = rest.search(/,[^\S\n]*[A-Za-z][\w.]*[^\S\n]*=/);
    if (next >= 0) this.at = from + next;
    return {
      kind: "text",
      text: (next < 0 ? rest : rest.slice(0, next)).replace(/[\s,]+$/, ""),
      quote,
      line,
    };
  }
}
