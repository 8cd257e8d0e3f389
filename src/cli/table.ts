import { showControls } from "../messages/escape.ts";

/** A column of a table over rows of type `Row`. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | bigint | null | undefined;
  align?: "left" | "right";
  /** Cut this column when the table is wider than the terminal; the widest such column first. */
  shrink?: boolean;
  /** Terminal colour of a cell; none unless given. */
  colour?: (row: Row) => Colour | undefined;
}

export type Colour = "red" | "yellow" | "green" | "grey";

/** Where a table goes. Taken from the stream by `tableTarget`; given by hand in tests. */
export interface TableTarget {
  tty: boolean;
  /** Columns of the terminal. */
  width: number;
  colour: boolean;
}

const CODES: Readonly<Record<Colour, string>> = { red: "31", yellow: "33", green: "32", grey: "90" };
const GAP = "  ";
const NARROWEST = 6;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Extended_Pictographic})/u;

/** Describes a stream as a target. Colour only on a terminal, and not where NO_COLOR is set. */
export function tableTarget(stream: { isTTY?: boolean; columns?: number }): TableTarget {
  const tty = stream.isTTY === true;
  return { tty, width: stream.columns ?? 80, colour: tty && !process.env.NO_COLOR };
}

/** Columns that a text takes on a terminal. */
function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 1; // the ellipsis
  for (const { segment } of graphemes.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? space + text : text + space;
}

/** Narrows columns that may shrink, the widest first, until the table fits. */
function fit<Row>(columns: readonly Column<Row>[], natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  const total = (): number =>
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  for (;;) {
    const over = total() - available;
    const candidates = widths
      .map((width, index) => ({ width, index }))
      .filter(({ width, index }) => columns[index]?.shrink === true && width > NARROWEST)
      .sort((a, b) => b.width - a.width);
    const [widest, second] = candidates;
    if (over <= 0 || widest === undefined) return widths;
    const step = Math.max(1, Math.min(over, widest.width - Math.max(second?.width ?? NARROWEST, NARROWEST)));
    widths[widest.index] = widest.width - step;
  }
}

/**
 * Renders rows as lines without the last line end. On a terminal: a title line, aligned columns, cut to the width of
 * the terminal. In a pipe: no titles, cells separated by tabs, nothing cut. Control characters in cells are escaped.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  target: TableTarget,
): string {
  const cells = rows.map((row) => columns.map((column) => showControls(String(column.value(row) ?? ""))));
  if (!target.tty) return cells.map((line) => line.join("\t")).join("\n");
  const natural = columns.map((column, index) =>
    cells.reduce((widest, line) => Math.max(widest, widthOf(line[index] as string)), widthOf(column.title)),
  );
  const widths = fit(columns, natural, target.width);
  const line = (texts: readonly string[], paint: (text: string, index: number) => string): string =>
    texts
      .map((text, index) => {
        const width = widths[index] as number;
        return paint(pad(cut(text, width), width, columns[index]?.align ?? "left"), index);
      })
      .join(GAP)
      .trimEnd();
  const head = line(
    columns.map((column) => column.title),
    (text) => text,
  );
  const body = cells.map((texts, at) =>
    line(texts, (text, index) => {
      const colour = target.colour ? columns[index]?.colour?.(rows[at] as Row) : undefined;
      return colour === undefined ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`;
    }),
  );
  return [head, ...body].join("\n");
}
