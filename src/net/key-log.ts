import { chmodSync, closeSync, openSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { CygnetError, describe } from "../platform/errors.ts";

/** Where the secrets of TLS sessions are written for Wireshark: whoever reads the file reads the sessions. */
export interface KeyLog {
  /** Appends a line in NSS format, its line end included. */
  write(line: Buffer, failed: (text: string) => void): void;
}

/**
 * Makes the file, readable by its owner alone; what is in it stays.
 * Errors: CYG_TLS_KEYLOG.
 */
export function openKeyLog(file: string): KeyLog {
  try {
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
  } catch (cause) {
    throw new CygnetError("CYG_TLS_KEYLOG", `the key log ${file} cannot be written: ${describe(cause)}`, {
      cause,
    });
  }
  return {
    write(line, failed) {
      appendFile(file, line, { mode: 0o600 }).catch((error: unknown) =>
        failed(`the key log ${file} cannot be written: ${describe(error)}`),
      );
    },
  };
}
