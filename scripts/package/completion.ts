/** Completion for bash, from the tree of commands. */
import type { Command, Option } from "commander";

/** The script, to be sourced by bash (bash-completion loads it by its name). */
export function bashCompletion(program: Command): string {
  const commands = withPaths(program);
  return `# Completion for cygnet(1) in bash: made from the commands themselves, do not edit.
_cygnet() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local path= skip= index word words= values=
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ -n $skip ]]; then skip=; continue; fi
    case "$path $word" in
${matching(
  commands.flatMap(({ path, command }) =>
    valued(command).flatMap(({ names }) => names.map((name) => `${path} ${name}`)),
  ),
  "skip=1",
)}
${matching(
  commands.filter(({ path }) => path !== "").map(({ path }) => parentAndName(path)),
  `path="\${path:+$path }$word"`,
)}
    esac
  done
  case "$path $previous" in
${valueCases(commands)}
  esac
  case "$path" in
${commands.map(wordsCase).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $values == files && $current != -* ]] && COMPREPLY+=($(compgen -f -- "$current"))
  return 0
}
complete -o filenames -F _cygnet cygnet
`;
}

interface Placed {
  /** Names below the program, "" for itself. */
  path: string;
  command: Command;
}

function withPaths(command: Command, path = ""): Placed[] {
  const below = command.commands.flatMap((each) =>
    withPaths(each, path === "" ? each.name() : `${path} ${each.name()}`),
  );
  return [{ path, command }, ...below];
}

/** Options that take a value, each with its names and, where there are such, the values that it may have. */
function valued(command: Command): { names: string[]; choices: readonly string[]; files: boolean }[] {
  return command.options
    .filter((option) => option.required || option.optional)
    .map((option) => ({
      names: names(option),
      choices: option.argChoices ?? [],
      files: /<(file|folder|path|certificate)>/.test(option.flags),
    }));
}

function names(option: Option): string[] {
  return [option.short, option.long].filter((name) => name !== undefined && name !== null);
}

function parentAndName(path: string): string {
  const at = path.lastIndexOf(" ");
  return at < 0 ? ` ${path}` : path;
}

const quoted = (word: string): string => `"${word}"`;

function matching(words: readonly string[], action: string, indent = 6): string {
  return `${" ".repeat(indent)}${words.map(quoted).join(" | ")}) ${action} ;;`;
}

/** What may follow an option that takes a value; options of the same kind stand in one line. */
function valueCases(commands: readonly Placed[]): string {
  const patterns = new Map<string, string[]>();
  for (const { path, command } of commands) {
    for (const { names, choices, files } of valued(command)) {
      const words = files ? '-f -- "$current"' : `-W ${quoted(choices.join(" "))} -- "$current"`;
      const action = files || choices.length > 0 ? `COMPREPLY=($(compgen ${words})); return 0` : "return 0";
      patterns.set(action, [...(patterns.get(action) ?? []), ...names.map((name) => `${path} ${name}`)]);
    }
  }
  return [...patterns].map(([action, words]) => matching(words, action, 4)).join("\n");
}

function wordsCase({ path, command }: Placed): string {
  const words = [
    ...command.commands.map((each) => each.name()),
    ...command.options.flatMap(names),
    ...(command.commands.length > 0 ? ["help"] : []),
    "--help",
  ];
  const takesFiles = command.registeredArguments.some((argument) => argument.name() === "file");
  return `    ${quoted(path)}) words=${quoted(words.join(" "))}${takesFiles ? "; values=files" : ""} ;;`;
}
