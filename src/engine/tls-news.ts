/** What Transfer CFT's TLS task tells of itself: that it is there, and why it cannot be (CFTY03E, 04E, 05E, 08I, 09I). */
import type { Configuration } from "../config/model.ts";
import type { Problem } from "../config/problem.ts";
import type { Journal } from "../messages/journal.ts";
import { CygnetError, describe } from "../platform/errors.ts";

const { pid } = process;

/** TLS is in use as long as there is a profile. `null` = before the start, or after the end. */
export function tellTls(journal: Journal, before: Configuration | null, after: Configuration | null): void {
  const uses = (configuration: Configuration | null) => (configuration?.cftssl.size ?? 0) > 0;
  if (uses(before) === uses(after)) return;
  journal.emit(uses(after) ? "CFTY08I" : "CFTY09I", { pid });
}

/** Tells an error of `loadCredentials`; other errors are not TLS's. */
export function tellTlsError(journal: Journal, error: unknown): void {
  if (!(error instanceof CygnetError)) return;
  const { code, message } = error;
  if (code === "CYG_PKI_FILE") unreadable(journal, message);
  else if (code.startsWith("CYG_PKI_"))
    journal.emit("CFTY05E", { pid, pkifname: fileIn(message), text: message });
  else if (code.startsWith("CYG_TLS_")) {
    journal.emit("CFTY03E", { pid, cause: "STARTPKI", cr: -1, cs: code, text: describe(error) });
  }
}

/** Tells a problem of the configuration that concerns a certificate file. */
export function tellTlsProblem(journal: Journal, { code, object, message }: Problem): void {
  if (!object.startsWith("pki ")) return;
  if (code === "CYG_CONFIG_FILE" || code === "CYG_CONFIG_FILE_MISSING") unreadable(journal, message, code);
  if (code === "CYG_CONFIG_CERTIFICATE")
    journal.emit("CFTY05E", { pid, pkifname: fileIn(message), text: message });
}

/** FMALLOC -1: not found, -9: any other reason. */
function unreadable(journal: Journal, text: string, code = ""): void {
  const missing = code === "CYG_CONFIG_FILE_MISSING" || /does not exist/.test(text);
  journal.emit("CFTY04E", { pid, pkifname: fileIn(text), cause: "FMALLOC", cr: missing ? -1 : -9, text });
}

/** The path that an error begins with, perhaps behind an id: paths are absolute. */
function fileIn(text: string): string {
  return /(?:^|: |key )(\/.*?)(?=:| does | may | is | holds | has | belongs |$)/.exec(text)?.[1] ?? "";
}
