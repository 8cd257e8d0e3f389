/** An object of the new configuration while it is being made. */
import type { Toml } from "./rule.ts";

export class Draft {
  readonly table: string;
  /** For the comment above it: `CFTPART PARIS, cft.conf:12`. */
  readonly origin: string;
  readonly values = new Map<string, Toml>();
  /** What to say behind a key. */
  readonly notes = new Map<string, string>();

  constructor(table: string, origin: string) {
    this.table = table;
    this.origin = origin;
  }

  get id(): string {
    return String(this.values.get("id") ?? "");
  }

  set(key: string, value: Toml, note = ""): void {
    this.values.set(key, value);
    if (note !== "") this.notes.set(key, note);
    else this.notes.delete(key);
  }
}
