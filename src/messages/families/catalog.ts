import { type Message, message, NOTHING, TRANSFER } from "../message.ts";

/** CFTC: the catalog. */
export const catalogMessages: readonly Message[] = [
  message(
    "CFTC01W",
    "n text?",
    "Catalog is nearly full: {text}",
    "The disk of the catalog has little space left.",
    "Make room, or shorten how long records are kept.",
  ),
  message(
    "CFTC01E",
    "text",
    "Catalog cannot be written: {text}",
    "Without the catalog nothing is sent or received; transfers wait.",
    "Check the disk and the permissions of the catalog file.",
  ),
  message(
    "CFTC03W",
    `${TRANSFER} time`,
    "Transfer waits for its time",
    "The partner may not be called now; the next attempt is at the time given.",
    "Nothing to do, unless the window of the CFTPART is wrong.",
  ),
  message(
    "CFTC04W",
    `${TRANSFER} state? text?`,
    "Record not deleted: {text}",
    "A record whose transfer is running is not deleted.",
    "`cygnet halt` the transfer first, then delete it.",
  ),
  message(
    "CFTC05W",
    `${TRANSFER} text?`,
    "Record not deleted, the catalog failed: {text}",
    "The catalog could not delete the record.",
    "Check the disk and the permissions of the catalog file, then delete it again.",
  ),
  message(
    "CFTC06E",
    `${TRANSFER} text?`,
    "Record not updated: {text}",
    "The catalog could not write what has happened to the transfer.",
    "Check the disk and the permissions of the catalog file.",
  ),
  message(
    "CFTC07I",
    `${TRANSFER} state? direct? user?`,
    "Catalog record deleted by command",
    "An operator deleted the record.",
    NOTHING,
  ),
  message("CFTC08I", "text", "Catalog: {text}", "What a purge or the recovery at start has done.", NOTHING),
  message(
    "CFTC12I",
    `${TRANSFER} state? direct?`,
    "Catalog record deleted by purge",
    "The record was older than its retention.",
    NOTHING,
  ),
  message(
    "CFTC70E",
    "idtu? part? idf? text",
    "An operator is needed: {text}",
    "The gateway cannot finish this work by itself and keeps everything as it is.",
    "Do what the text says, then `cygnet start` the transfer.",
  ),
];
