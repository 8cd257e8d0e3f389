/** Stands in rundir while a restore puts its files there: a gateway does not start beside it. */
export const RESTORE_MARK = ".restoring";
