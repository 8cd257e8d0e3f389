/**
 * CFTUTIL scripts and the output of CFTEXT as a list of commands. A command goes on as long as `NAME = value`
 * follows: commas between parameters, and where lines end, make no difference. What cannot be understood becomes a
 * problem with its line, and reading goes on behind it.
 */
import { Scanner, type SyntaxProblem } from "./scanner.ts";
import type { ListValue, TextValue, Value } from "./value.ts";

export interface Parameter {
  /** Capitals. */
  name: string;
  value: Value;
  line: number;
}

/** One command, for example `CFTPART` with its parameters. */
export interface Statement {
  /** Capitals. */
  command: string;
  parameters: readonly Parameter[];
  line: number;
}

export interface Parsed {
  statements: readonly Statement[];
  problems: readonly SyntaxProblem[];
}

/** Lists in lists: Transfer CFT has none deeper than two. */
const DEEPEST = 8;

/** Reads a text. Throws nothing; takes time in proportion to the length of the text. */
export function parseExtract(text: string): Parsed {
  const parser = new Parser(text.replace(/\r\n?/g, "\n"));
  return parser.parse();
}

class Parser {
  readonly #scan: Scanner;
  readonly #statements: Statement[] = [];

  constructor(text: string) {
    this.#scan = new Scanner(text);
  }

  parse(): Parsed {
    const scan = this.#scan;
    for (scan.skipBlank(); !scan.ended; scan.skipBlank()) {
      if (/[,;>]/.test(scan.peek())) scan.at += 1;
      else if (scan.atParameter) this.#orphan();
      else this.#statement();
    }
    return {
      statements: this.#statements,
      problems: [...scan.problems].sort((a, b) => a.line - b.line),
    };
  }

  #orphan(): void {
    const at = this.#scan.at;
    const { name } = this.#parameter();
    this.#scan.problem(`${name} stands outside of any command: left out`, at);
  }

  #statement(): void {
    const scan = this.#scan;
    const at = scan.at;
    const line = scan.line();
    const word = scan.word().replace(/;$/, "");
    const command = word.toUpperCase();
    if (/(?:^|\/)(?:CFTUTIL|PKIUTIL)$/.test(command)) return this.#utility();
    if (!/^\/?[A-Z]\w*$/.test(command)) {
      scan.problem("this is no command: the line is left out", at);
      if (scan.at === at) scan.at += 1;
      scan.skipLine();
      return;
    }
    const parameters = scan.text[scan.at - 1] === ";" ? [] : this.#parameters();
    if (command !== "/END" && command !== "EXIT") this.#statements.push({ command, parameters, line });
  }

  /** `CFTUTIL /m=2 CFTPART …`: the command follows on the same line. */
  #utility(): void {
    const scan = this.#scan;
    for (;;) {
      scan.skipSpaces();
      if (scan.peek() === "#" || scan.peek() === "@") {
        scan.problem("this reads another file: give it to migrate too");
        return scan.skipLine();
      }
      if (scan.peek() !== "/") return;
      scan.at += 1;
      scan.word();
      if (scan.peek() === "=") {
        scan.at += 1;
        scan.word();
      }
    }
  }

  #parameters(): Parameter[] {
    const scan = this.#scan;
    const found: Parameter[] = [];
    let comma = false;
    for (;;) {
      const before = scan.at;
      scan.skipBlank();
      if (scan.ended) {
        if (comma) scan.problem("the text ends behind a comma: is it cut off?", before);
        return found;
      }
      if (scan.peek() === ";") {
        scan.at += 1;
        return found;
      }
      if (scan.peek() === ",") {
        scan.at += 1;
        comma = true;
      } else if (scan.atParameter) {
        found.push(this.#parameter());
        comma = false;
      } else if (scan.startsLine() || /^(?:CFT|PKI|UCONF)/i.test(scan.text.slice(scan.at, scan.at + 5))) {
        return found;
      } else {
        scan.problem("this is no parameter: NAME = value is expected, and a value with blanks needs quotes");
        this.#skipOdd();
        comma = false;
      }
    }
  }

  /** Over a word or a single character that fits nowhere. */
  #skipOdd(): void {
    const { at } = this.#scan;
    if (this.#scan.atQuote) this.#scan.quoted();
    else this.#scan.word();
    if (this.#scan.at === at) this.#scan.at += 1;
  }

  #parameter(): Parameter {
    const scan = this.#scan;
    const line = scan.line();
    const name = scan.word().toUpperCase();
    scan.skipBlank("blocks");
    scan.at += 1; // the equals sign
    return { name, value: this.#value(name, line), line };
  }

  #value(name: string, line: number): Value {
    const scan = this.#scan;
    const nothing: TextValue = { kind: "text", text: "", quote: "", line };
    scan.skipSpaces();
    if (scan.peek() === "\n") {
      const here = scan.at;
      scan.skipBlank("blocks");
      if (scan.ended || scan.peek() === "," || scan.atParameter || scan.atCommand) {
        if (scan.peek() !== ",") scan.at = here;
        scan.problem(`${name} has no value`, here);
        return nothing;
      }
    }
    if (scan.ended) {
      scan.problem(`${name} has no value: is the text cut off?`);
      return nothing;
    }
    if (scan.peek() === "," || scan.text.startsWith("/*", scan.at)) return nothing;
    if (scan.peek() === "(") return this.#list(1);
    if (!scan.atQuote) return this.#plain(name);
    const value = scan.quoted();
    if (!scan.ended && !/[\s,;)/]/.test(scan.peek())) {
      scan.problem("something stands right behind the closing quote: left out");
      this.#skipOdd();
    }
    return value;
  }

  /** A value without quotes: up to a blank or comma outside parentheses. */
  #plain(name: string): TextValue {
    const scan = this.#scan;
    const start = scan.at;
    const line = scan.line();
    let text = this.#plainWord(false);
    // a table of octets goes on over lines that end in a hyphen
    while (text.length > 1 && text.endsWith("-") && scan.peek() === "\n") {
      const here = scan.at;
      scan.skipBlank("blocks");
      if (scan.ended || scan.atParameter || scan.atCommand || scan.peek() === ",") {
        scan.at = here;
        break;
      }
      text = text.slice(0, -1) + this.#plainWord(false);
    }
    const here = scan.at;
    scan.skipSpaces();
    const behind = scan.at;
    const done = scan.ended || /[\n,;#\\]/.test(scan.peek()) || scan.text.startsWith("/*", scan.at);
    if (done || scan.atParameter || scan.atObject || behind === here)
      return { kind: "text", text, quote: "", line };
    while (!scan.ended && !/[\n,]/.test(scan.peek()) && !scan.atParameter && !scan.atObject) {
      const at = scan.at;
      scan.word();
      if (scan.at === at) scan.at += 1;
      scan.skipSpaces();
    }
    scan.problem(
      `the value of ${name} has blanks and no quotes: taken up to the comma or the end of the line`,
      start,
    );
    return { kind: "text", text: scan.text.slice(start, scan.at).trim(), quote: "", line };
  }

  /** One word of a value; parentheses within it belong to it, as in `&(-.)FSUF` or `LIBRARY(MEMBER)`. */
  #plainWord(inList: boolean): string {
    const scan = this.#scan;
    const start = scan.at;
    let depth = 0;
    for (; !scan.ended; scan.at += 1) {
      const next = scan.peek();
      if (/\s/.test(next) || (next === "," && depth === 0)) break;
      if (next === ";" && /^;(?:\s|$)/.test(scan.text.slice(scan.at, scan.at + 2))) break;
      if (next === "(") depth += 1;
      if (next === ")" && depth === 0 && inList) break;
      if (next === ")" && depth > 0) depth -= 1;
    }
    if (depth > 0) scan.problem("a parenthesis is not closed", start);
    return scan.text.slice(start, scan.at);
  }

  #list(depth: number): ListValue {
    const scan = this.#scan;
    const start = scan.at;
    const items: Value[] = [];
    const line = scan.line();
    scan.at += 1;
    for (;;) {
      scan.skipBlank("blocks");
      const lost = scan.ended || scan.atParameterInList || scan.atCommand;
      if (lost) {
        scan.problem("this list is not closed: it ends before the next parameter or command", start);
        break;
      }
      if (scan.peek() === ")") {
        scan.at += 1;
        break;
      }
      if (scan.peek() === ",") scan.at += 1;
      else if (scan.atQuote) items.push(scan.quoted());
      else if (scan.peek() !== "(") items.push(this.#item());
      else if (depth < DEEPEST) items.push(this.#list(depth + 1));
      else {
        scan.problem(`lists are nested deeper than ${DEEPEST}: a parenthesis is left out`);
        scan.at += 1;
      }
    }
    return { kind: "list", items, line };
  }

  #item(): TextValue {
    const scan = this.#scan;
    const line = scan.line();
    const at = scan.at;
    const text = this.#plainWord(true);
    if (scan.at === at) scan.at += 1; // a semicolon, which ends no list
    return { kind: "text", text, quote: "", line };
  }
}
