/** The DIAGI of a file that cannot be read as it has to be. Pure. */
import { FormatError } from "../oftp/files/format.ts";
import { CygnetError, isSystemError } from "../platform/errors.ts";

/** 126 records, 153 overwritten meanwhile, 110 gone, 104 anything else. */
export function unreadableAs(error: unknown): 104 | 110 | 126 | 153 {
  if (error instanceof FormatError) return 126;
  if (error instanceof CygnetError && error.code === "CYG_SPOOL_OVERWRITTEN") return 153;
  return isSystemError(error instanceof CygnetError ? error.cause : error, "ENOENT") ? 110 : 104;
}
