/** The commands of the gateway that a job can carry out (`type = "cftutil"`), as on the command line. */
import { parseArgs } from "node:util";
import { CygnetError, describe } from "../platform/errors.ts";

export type BuiltIn =
  | { name: "send"; part: string; file?: string; idf?: string; nfname?: string }
  | { name: "recv"; part: string }
  | { name: "reload" }
  | { name: "purge" };

const OPTIONS = {
  part: { type: "string", short: "p" },
  idf: { type: "string", short: "i" },
  nfname: { type: "string", short: "n" },
} as const;

/** How each is written; what may be given, and how many files may follow. */
const FORMS = {
  send: {
    usage: "send --part PARTNER [--idf FLOW] [--nfname NAME] [FILE]",
    options: ["part", "idf", "nfname"],
    files: 1,
  },
  recv: { usage: "recv --part PARTNER", options: ["part"], files: 0 },
  reload: { usage: "reload", options: [], files: 0 },
  purge: { usage: "purge", options: [], files: 0 },
} as const;

/**
 * The command that these words mean.
 * @throws CygnetError CYG_JOB_COMMAND with what is wrong and how it is written
 */
export function builtInOf(words: readonly string[]): BuiltIn {
  const [name = "", ...rest] = words;
  if (!Object.hasOwn(FORMS, name)) {
    const known = Object.values(FORMS).map(({ usage }) => usage);
    throw new CygnetError("CYG_JOB_COMMAND", `there is no command "${name}"; known are ${known.join("; ")}`);
  }
  const form: { usage: string; options: readonly string[]; files: number } =
    FORMS[name as keyof typeof FORMS];
  const wrong = (why: string) => new CygnetError("CYG_JOB_COMMAND", `${why}; it is written ${form.usage}`);
  let parsed: { values: { [name: string]: string | undefined }; positionals: string[] };
  try {
    parsed = parseArgs({ args: rest, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw wrong(describe(error));
  }
  const { values, positionals } = parsed;
  const strange = Object.keys(values).find((key) => !form.options.includes(key));
  if (strange !== undefined) throw wrong(`${name} has no option --${strange}`);
  if (form.options.includes("part") && !values.part) throw wrong("--part is missing");
  const [file] = positionals;
  const tooMany = positionals[form.files];
  if (tooMany !== undefined) throw wrong(`"${tooMany}" is one word too many`);
  return { name, ...values, ...(file === undefined ? {} : { file }) } as BuiltIn;
}
