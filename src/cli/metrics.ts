/** `cygnet metrics`: what /metrics says, in Prometheus' text format or as JSON. */
import { askText } from "./client.ts";
import { type CommonOptions, print, printJson } from "./context.ts";
import { targetOf } from "./target.ts";

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export async function metrics(options: CommonOptions): Promise<void> {
  const text = await askText(await targetOf(options), "/metrics");
  if (options.json) printJson(samplesOf(text));
  else print(text.trimEnd());
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** The samples of a text in Prometheus' format; a value that is no finite number is null in JSON. */
export function samplesOf(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = line.startsWith("#") ? [] : (SAMPLE.exec(line) ?? []);
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, key = "", quoted = ""]) => [key, unescaped(quoted)]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, sign: string) => (sign === "n" ? "\n" : sign));
}
