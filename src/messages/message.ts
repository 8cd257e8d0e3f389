import type { Severity } from "./journal.ts";

/** A variable of a message: its name in lower case, and whether a message may go without it. */
export interface MessageVariable {
  name: string;
  optional: boolean;
}

/**
 * One row of the message catalogue.
 * `text` holds `{name}` where a variable belongs into the sentence; the other variables stand beside the text as
 * `KEY=value`, in the order of `variables`: behind it in layout V24, before it in layout V23.
 */
export interface Message {
  id: string;
  severity: Severity;
  variables: readonly MessageVariable[];
  text: string;
  /** One sentence: what has happened. */
  means: string;
  /** What to do about it. */
  action: string;
}

/** What identifies a transfer in a message: the common key block of Transfer CFT. */
export const TRANSFER = "idtu part idf idt?";

/** Action of messages that only inform. */
export const NOTHING = "Nothing to do.";

/**
 * A row of the catalogue.
 * @param id `CFT`, family letter, two digits, severity letter.
 * @param variables Names in order, separated by spaces; `?` behind a name makes it optional.
 */
export function message(id: string, variables: string, text: string, means: string, action: string): Message {
  const names = variables.split(" ").filter((name) => name !== "");
  return {
    id,
    severity: id.slice(-1) as Severity,
    variables: names.map((name) => ({ name: name.replace("?", ""), optional: name.endsWith("?") })),
    text,
    means,
    action,
  };
}
