/**
 * Which of this site's certificates went to which partner over OFTP, and what it answered:
 * `<directory>/<PART>.json`. Kept longer than transfers are.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { isPartName } from "./entry-files.ts";
import { EXCHANGE_KINDS, type ExchangeKind } from "./exchange/kinds.ts";
import { writeWhole } from "./whole-file.ts";

export interface Handover {
  part: string;
  /** SHA-256 of the certificate, `AA:BB:…`, and its [[pki]] id at the time. */
  fingerprint: string;
  id: string;
  kind: ExchangeKind;
  /** Transfer that carried it. */
  idtu: string;
  /** When it was handed over to the catalog, ms since 1970 UTC. */
  at: number;
  /** "" = none yet. */
  answer: "" | "accepted" | "refused";
  /** When the answer came; 0 = not yet. */
  answered: number;
  /** Why it was refused, in the partner's words. */
  text: string;
}

/** Kept for each partner, newest first. */
const MOST = 100;

/** Where a gateway keeps them. */
export function handoverDirectory(rundir: string): string {
  return join(rundir, "pki", "handovers");
}

export class Handovers {
  /** Files that could not be read; they are written anew when there is something to write. */
  readonly problems: string[] = [];
  readonly #directory: string;
  readonly #parts = new Map<string, readonly Handover[]>();
  #work: Promise<unknown> = Promise.resolve();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Reads what there is; a missing folder is an empty one, a file that is not right is told in `problems`.
   * @throws CygnetError CYG_PKI_HANDOVER when the folder itself cannot be read
   */
  static async open(directory: string): Promise<Handovers> {
    const handovers = new Handovers(directory);
    const names = await readdir(directory).catch((error: unknown) => {
      if (isSystemError(error, "ENOENT")) return [];
      throw new CygnetError("CYG_PKI_HANDOVER", `${directory} cannot be read: ${describe(error)}`, {
        cause: error,
      });
    });
    for (const name of names) {
      const part = name.replace(/\.json$/, "");
      if (part === name || !isPartName(part)) continue;
      const path = join(directory, name);
      try {
        handovers.#parts.set(part, await read(path, part));
      } catch (error) {
        handovers.problems.push(
          `${path}: ${describe(error)}: what ${part} answered to certificates is forgotten`,
        );
      }
    }
    return handovers;
  }

  /** Newest first. */
  list(filter: { part?: string; fingerprint?: string } = {}): Handover[] {
    return [...this.#parts.values()]
      .flat()
      .filter(({ part }) => filter.part === undefined || part === filter.part)
      .filter(({ fingerprint }) => filter.fingerprint === undefined || fingerprint === filter.fingerprint)
      .sort((a, b) => b.at - a.at);
  }

  /** Notes that a certificate is on its way; durable when this resolves. */
  note(handover: Omit<Handover, "answer" | "answered" | "text">): Promise<void> {
    const entry: Handover = { ...handover, answer: "", answered: 0, text: "" };
    return this.#change(handover.part, (before) => [entry, ...before].slice(0, MOST));
  }

  /** Notes what the partner said about a transfer. Gives what it is about; undefined when nothing is known of it. */
  async answer(
    { part, idtu }: { part: string; idtu: string },
    answer: "accepted" | "refused",
    text: string,
    at: number,
  ): Promise<Handover | undefined> {
    const found = this.#parts.get(part)?.find((each) => each.idtu === idtu);
    if (found === undefined || found.answer !== "") return found;
    const after: Handover = { ...found, answer, answered: at, text };
    await this.#change(part, (before) => before.map((each) => (each.idtu === idtu ? after : each)));
    return after;
  }

  #change(part: string, change: (before: readonly Handover[]) => readonly Handover[]): Promise<void> {
    const result = this.#work.then(async () => {
      const after = change(this.#parts.get(part) ?? []);
      await writeWhole(join(this.#directory, `${part}.json`), `${JSON.stringify(after, null, 2)}\n`, 0o600);
      this.#parts.set(part, after);
    });
    this.#work = result.catch(() => {}); // whoever asked for it hears of the failure
    return result;
  }
}

async function read(path: string, part: string): Promise<Handover[]> {
  const entries = JSON.parse(await readFile(path, "utf8")) as unknown;
  if (Array.isArray(entries) && entries.every((entry) => isHandover(entry, part))) return entries;
  throw new CygnetError("CYG_PKI_HANDOVER", "it does not hold what this program writes");
}

function isHandover(entry: Record<string, unknown>, part: string): boolean {
  const texts = ["fingerprint", "id", "idtu", "text"].every((key) => typeof entry?.[key] === "string");
  const times = ["at", "answered"].every((key) => Number.isSafeInteger(entry?.[key]));
  const answers: unknown[] = ["", "accepted", "refused"];
  const kinds: readonly unknown[] = EXCHANGE_KINDS;
  return (
    texts && times && entry.part === part && answers.includes(entry.answer) && kinds.includes(entry.kind)
  );
}
