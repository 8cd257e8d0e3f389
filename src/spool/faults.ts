import { CygnetError, describe, isSystemError } from "../platform/errors.ts";

interface Fault {
  codes: readonly string[];
  code: string;
  /** Transfer CFT's diagnostic (file codes 100 to 160). */
  diagi: number;
  advice: string;
}

const FAULTS: readonly Fault[] = [
  {
    codes: ["ENOSPC", "EDQUOT"],
    code: "CYG_SPOOL_FULL",
    diagi: 111,
    advice: "the disk or quota is full: make room",
  },
  {
    codes: ["EACCES", "EPERM", "EROFS"],
    code: "CYG_SPOOL_DENIED",
    diagi: 115,
    advice: "the gateway has no right to do that: check owner and mode of the directory",
  },
  { codes: ["ENOENT", "ENOTDIR"], code: "CYG_SPOOL_GONE", diagi: 110, advice: "it is not there" },
  {
    codes: ["EXDEV"],
    code: "CYG_SPOOL_DEVICE",
    diagi: 142,
    advice: "both directories must be on the same file system",
  },
  { codes: ["EMFILE", "ENFILE"], code: "CYG_SPOOL_HANDLES", diagi: 104, advice: "too many files are open" },
];

const OTHER: Fault = { codes: [], code: "CYG_SPOOL_IO", diagi: 100, advice: "the disk reported an error" };

function faultOf(error: unknown): Fault {
  return FAULTS.find((fault) => isSystemError(error, ...fault.codes)) ?? OTHER;
}

/** A failed step as an error for people: what was being done, why it failed, what helps. */
export function spoolError(error: unknown, doing: string): CygnetError {
  if (error instanceof CygnetError) return error;
  const { code, advice } = faultOf(error);
  return new CygnetError(code, `${doing} failed, ${advice} (${describe(error)}).`, { cause: error });
}

/** Transfer CFT's diagnostic for a failed step of the spool; takes the system's error or ours around it. */
export function spoolDiagnostic(error: unknown): number {
  return faultOf(error instanceof CygnetError && error.cause !== undefined ? error.cause : error).diagi;
}
