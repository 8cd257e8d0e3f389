import { type Message, message, NOTHING } from "../message.ts";

/** CFTR, CFTX: commands, watched folders, rights. */
export const requestMessages: readonly Message[] = [
  message(
    "CFTR09E",
    "cmd key? text",
    "Command not understood: {text}",
    "A command was missing something or had a wrong value; it was not done.",
    "Correct the command; `cygnet <command> --help` shows how.",
  ),
  message(
    "CFTR12I",
    "cmd idtu? part? idf? idt? user? text?",
    "Command accepted: {text}",
    "A command was accepted and is being done.",
    NOTHING,
  ),
  message(
    "CFTR13E",
    "cmd idtu idt?",
    "Transfer of the command not found",
    "The catalog holds no such transfer.",
    "`cygnet listcat` shows the transfers.",
  ),
  message(
    "CFTR14W",
    "cmd part text?",
    "Command concerned no transfer: {text}",
    "Nothing was waiting for this partner; the command counts for what comes later.",
    NOTHING,
  ),
  message(
    "CFTR20I",
    "id? part? idf? idtu? file? text",
    "Folder: {text}",
    "Something worth knowing about a watched folder.",
    NOTHING,
  ),
  message(
    "CFTR20W",
    "id? part? idf? file? text",
    "Folder warning: {text}",
    "A watched folder or a file in it needs attention.",
    "Read the text; the file stays where it is.",
  ),
  message(
    "CFTR20E",
    "id? part? idf? file? text",
    "Folder error: {text}",
    "A watched folder or a file in it could not be worked on; the gateway tries again.",
    "Check that the folder exists and that the gateway may read and write it.",
  ),
  message(
    "CFTR20F",
    "id? text",
    "Folder not watched: {text}",
    "A folder cannot be watched at all.",
    "Correct the CFTFOLDER object or the folder on disk.",
  ),
  message(
    "CFTR22E",
    "cmd idtu part? idf? idt? phase?",
    "Transfer cannot be started from its state",
    "START does not apply to the state of this transfer.",
    "Look at the record with `cygnet display`.",
  ),
  message(
    "CFTR70W",
    "id file name",
    "File waits: its directory names no partner",
    "A file lies below a directory whose name is no CFTPART.",
    "Move the file to the outbox of a partner, or configure the partner.",
  ),
  message(
    "CFTR71W",
    "id? part? idf? ids? file? fname? reason diagi? text?",
    "File refused: {text}",
    "A file dropped into a folder, or offered by a partner, does not satisfy the rules; it stays where it is.",
    "Do what the text says; `cygnet explain SFNA <reason>` where the reason is a number.",
  ),
  message(
    "CFTX01W",
    "action object user? id? fname? owner?",
    "Access denied: {action}",
    "Somebody asked for something without having the right to it.",
    "Give the right, or find out who asks.",
  ),
];
