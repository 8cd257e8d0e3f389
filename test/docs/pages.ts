/** The pages of the documentation as a reader sees them: headings, links, code within sentences, fenced examples. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/platform/root.ts";

export interface Fence {
  /** Behind the opening fence: `toml`, `sh` …, or nothing. */
  language: string;
  text: string;
  /** Of its first line, from 1. */
  line: number;
}

export interface Page {
  /** Relative to the project. */
  path: string;
  anchors: ReadonlySet<string>;
  links: readonly { target: string; line: number }[];
  /** What stands between backticks outside fences. */
  spans: readonly { text: string; line: number }[];
  fences: readonly Fence[];
}

/** The anchor that a heading gets: its words in small letters, joined by dashes. */
function anchorOf(heading: string): string {
  const words = heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, "");
  return words.trim().replaceAll(" ", "-");
}

export function readPage(path: string): Page {
  const anchors = new Set<string>();
  const links: { target: string; line: number }[] = [];
  const spans: { text: string; line: number }[] = [];
  const fences: Fence[] = [];
  let open: { language: string; lines: string[]; line: number } | undefined;
  // a link or a span may go on in the next line: paragraphs are looked at as a whole
  let paragraph = "";
  let begin = 1;
  const lineOf = (index: number) => begin + paragraph.slice(0, index).split("\n").length - 1;
  const look = () => {
    const bare = paragraph.replace(/`[^`]+`/g, (code) => code.replace(/[^\n]/g, "_"));
    for (const { 1: text = "", index } of paragraph.matchAll(/`([^`]+)`/g))
      spans.push({ text: text.replaceAll("\n", " "), line: lineOf(index) });
    for (const { 1: target = "", index } of bare.matchAll(/\]\(([^)\s]+)\)/g))
      links.push({
        target: paragraph.slice(paragraph.indexOf("](", index) + 2).slice(0, target.length),
        line: lineOf(index),
      });
    paragraph = "";
  };
  for (const [index, line] of readFileSync(join(projectRoot(), path), "utf8").split("\n").entries()) {
    const fence = /^\s*```(\w*)$/.exec(line);
    if (open) {
      if (!fence) open.lines.push(line);
      else {
        fences.push({ language: open.language, text: `${open.lines.join("\n")}\n`, line: open.line });
        open = undefined;
      }
      continue;
    }
    if (fence || line.trim() === "") look();
    if (fence) open = { language: fence[1] ?? "", lines: [], line: index + 2 };
    else if (line.trim() !== "") {
      if (paragraph === "") begin = index + 1;
      paragraph += `${line}\n`;
    }
    const heading = /^#{1,6} (.*)$/.exec(line);
    if (heading && !fence) anchors.add(anchorOf(heading[1] as string));
  }
  look();
  if (open) throw new Error(`${path}:${open.line}: this example does not end`);
  return { path, anchors, links, spans, fences };
}

/** Every page that is kept by hand or generated, in the order of their paths. */
export function pages(): Page[] {
  const found = globSync(["*.md", "docs/**/*.md"], { cwd: projectRoot() });
  return found.sort().map(readPage);
}
