/** A curve as an SVG picture: both axes logarithmic, a line for each series, every point with its value as a tip. */

export interface Series {
  name: string;
  points: readonly { x: number; y: number }[];
}

export interface Picture {
  title: string;
  /** What stands on the axes, with the unit. */
  x: string;
  y: string;
  series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 20;
const TOP = 50;
const BOTTOM = 60;
const COLOURS = ["#1f6feb", "#d1242f", "#1a7f37", "#8250df"];

const decades = (values: readonly number[]): [number, number] => {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  return [low, high === low ? low + 1 : high];
};

function label(value: number): string {
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (value >= size) return `${value / size}${letter}`;
  }
  return String(value);
}

const text = (x: number, y: number, words: string, more = ""): string =>
  `<text x="${x}" y="${y}" ${more}>${words.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;

/** The picture as a document of its own; readable in light and dark. */
export function svg({ title, x, y, series }: Picture): string {
  const all = series.flatMap(({ points }) => points);
  const [x0, x1] = decades(all.map((point) => point.x));
  const [y0, y1] = decades(all.map((point) => point.y));
  const at = (value: number, low: number, high: number, from: number, to: number): number =>
    Math.round((from + ((Math.log10(value) - low) / (high - low)) * (to - from)) * 10) / 10;
  const across = (value: number): number => at(value, x0, x1, LEFT, WIDTH - RIGHT);
  const up = (value: number): number => at(value, y0, y1, HEIGHT - BOTTOM, TOP);
  const lines: string[] = [];
  for (let power = x0; power <= x1; power++) {
    const place = across(10 ** power);
    lines.push(`<line x1="${place}" x2="${place}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="grid"/>`);
    lines.push(text(place, HEIGHT - BOTTOM + 18, label(10 ** power), 'text-anchor="middle"'));
  }
  for (let power = y0; power <= y1; power++) {
    const place = up(10 ** power);
    lines.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${place}" y2="${place}" class="grid"/>`);
    lines.push(text(LEFT - 8, place + 4, label(10 ** power), 'text-anchor="end"'));
  }
  for (const [index, { name, points }] of series.entries()) {
    const colour = COLOURS[index % COLOURS.length];
    const way = points.map((point) => `${across(point.x)},${up(point.y)}`).join(" ");
    lines.push(`<polyline points="${way}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const point of points) {
      const tip = `${name}: ${point.y.toPrecision(3)} at ${label(point.x)}`;
      lines.push(
        `<circle cx="${across(point.x)}" cy="${up(point.y)}" r="3.5" fill="${colour}"><title>${tip}</title></circle>`,
      );
    }
    lines.push(text(LEFT + 12 + index * 190, TOP - 12, name, `fill="${colour}"`));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<style>.grid{stroke:#8885}text{fill:#656d76}</style>
${text(LEFT, 20, title, 'font-size="15"')}
${lines.join("\n")}
${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x, 'text-anchor="middle"')}
${text(0, 0, y, `text-anchor="middle" transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"`)}
</svg>
`;
}
