/**
 * An error with a stable code: `CYG_…`, or a Transfer CFT message id or DIAGI where one exists.
 * The message is one sentence for people that says what to do; the cause keeps the original error.
 */
export class CygnetError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CygnetError";
    this.code = code;
  }
}

/** The text of anything thrown, for logs and answers. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for an operating-system error with one of these codes (`ENOENT`, `EEXIST`, …). */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
