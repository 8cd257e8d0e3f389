/** Text for manual pages: the man(7) macros that both pages use. */

/** Plain text, whatever it contains, as a line or lines of a page. */
export function text(plain: string): string {
  return escaped(plain)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => line.replace(/^(?=[.'])/, "\\&"))
    .join("\n");
}

/** One argument of a macro. */
function argument(plain: string): string {
  return `"${escaped(plain).replaceAll('"', "\\(dq")}"`;
}

function escaped(plain: string): string {
  // a hyphen in front of an option is a minus sign, so that it can be copied from the page
  return plain
    .replaceAll("\\", "\\e")
    .replace(/(?<![A-Za-z])-/g, "\\-")
    .replaceAll("…", "...")
    .replaceAll("’", "'");
}

export const section = (title: string): string => `.SH ${argument(title.toUpperCase())}`;
export const subsection = (title: string): string => `.SS ${argument(title)}`;
export const paragraph = (plain: string): string => `.PP\n${text(plain)}`;
export const bold = (plain: string): string => `.B ${argument(plain)}`;

/** A term and, indented below it, what it means. */
export function item(term: string, ...meaning: string[]): string {
  const [first = "", ...more] = meaning.filter((each) => each !== "");
  return [".TP", bold(term), text(first), ...more.map((each) => `.IP\n${text(each)}`)].join("\n");
}

/** Lines as they are, in a typewriter's letters. */
export function example(lines: readonly string[]): string {
  return [".PP", ".EX", ...lines.map((line) => `\\&  ${escaped(line)}`), ".EE"].join("\n");
}

/** `date` is the day of the page's origin, YYYY-MM-DD. */
export function title(name: string, sectionNumber: number, date: string, version: string): string {
  return `.TH ${argument(name)} ${sectionNumber} ${argument(date)} ${argument(`Cygnet ${version}`)}`;
}
