import type { WordRow } from "../meaning.ts";

const DISK = "Check the disk that is named, its space and permissions.";
const FORMAT =
  "Compare the record format of the flow (frecfm, flrecl, ftype) with the file, then send it again.";
const RESTORE = "Keep the file for examination; restore the catalog from a backup, or begin a new one.";
const AGAIN = "Nothing to do: it is tried again by itself.";

/** Faults of payload, its formats and the catalog. */
export const fileErrors: readonly WordRow[] = [
  ["CYG_SPOOL_BUSY", "Another step with the same file is in progress.", AGAIN],
  [
    "CYG_SPOOL_CHANGED",
    "A file was written to after it had been taken.",
    "Write under another name and rename the file into the outbox when it is complete; drop it again.",
  ],
  [
    "CYG_SPOOL_DENIED",
    "The gateway has no right to use a file or directory.",
    "Check owner and mode of the directory that is named.",
  ],
  [
    "CYG_SPOOL_DEVICE",
    "Two directories between which files move are not on the same file system.",
    "Put them on the same one.",
  ],
  [
    "CYG_BACKUP_CATALOG",
    "There is no catalog to back up.",
    "Start the gateway once, or name its configuration (--config).",
  ],
  [
    "CYG_BACKUP_FORMAT",
    "A file is no backup, or it was damaged on its way.",
    "Take another copy of it, or an older backup. Nothing was changed.",
  ],
  [
    "CYG_BACKUP_KEY",
    "A backup is encrypted.",
    "Name the recipient's certificate and key: --recipient, --key.",
  ],
  [
    "CYG_BACKUP_PLAIN",
    "The configuration itself holds passwords, and a backup without secrets was asked for.",
    "Say --with-secrets or --recipient, or put the passwords into files (file:).",
  ],
  [
    "CYG_RESTORE_EXISTS",
    "Where a backup is to be restored something stands already.",
    "Look whether it is the right place; --force moves aside what is there.",
  ],
  [
    "CYG_RESTORE_NEWER",
    "A backup was made by a newer program.",
    "Install the version that is named, or a later one, and restore again.",
  ],
  [
    "CYG_RESTORE_UNFINISHED",
    "A restore was cut off, and its files are not all in their place.",
    "Run cygnet restore --force with the same backup again.",
  ],
  [
    "CYG_DISK_LOW",
    "A file system of the gateway has less free space than disk_low allows: nothing more is taken on.",
    "Make room; what was asked for can be asked for again then.",
  ],
  ["CYG_SPOOL_FULL", "The disk or the quota is full.", "Make room; it is tried again."],
  [
    "CYG_SPOOL_TAKEN",
    "A file of this name was put there while this one was on its way, and its flow takes only new names (fdisp).",
    "It lies in failed/<PARTNER>; the partner was told and may send it under another name.",
  ],
  ["CYG_SPOOL_GONE", "A file is not there any more.", "Put it back, or drop it again."],
  [
    "CYG_SPOOL_HANDLES",
    "Too many files are open.",
    "Raise the limit of open files (LimitNOFILE), or lower maxtrans.",
  ],
  ["CYG_SPOOL_IO", "The disk reported an error.", DISK],
  [
    "CYG_SPOOL_SHORT",
    "A half received file has fewer octets than were synced.",
    "Nothing to do: it is received from its beginning.",
  ],
  [
    "CYG_DELIVERY_OUTSIDE",
    "The name under which a file would be delivered leaves the directory of its flow.",
    "Correct fname or workingdir of the CFTRECV, or take the link away that leads out of it.",
  ],
  [
    "CYG_DELIVERY_PART",
    "The partner of a received file is not configured any more.",
    "Configure it again, then `cygnet start` the transfer.",
  ],
  ["CYG_FORMAT_RECORD_TOO_LONG", "A record is longer than the format or its local form allows.", FORMAT],
  ["CYG_FORMAT_RECORD_LENGTH", "A record of a fixed format has another length.", FORMAT],
  [
    "CYG_FORMAT_SHORT_RECORD",
    "The last record of a fixed format is short.",
    "Let it be padded, or correct the file.",
  ],
  [
    "CYG_FORMAT_UNTERMINATED",
    "A file ends inside a record or its length.",
    "The file is incomplete: obtain it again.",
  ],
  [
    "CYG_FORMAT_LINE_END",
    "A record that is to become a line holds a line end.",
    'Keep records apart by their length (ftype = "V").',
  ],
  [
    "CYG_FORMAT_LINE_TOO_LONG",
    "A line of a text file is longer than 2048 characters.",
    "Send the file as unstructured (frecfm U).",
  ],
  [
    "CYG_FORMAT_CONTROL",
    "A text file holds a control character other than line ends.",
    "Send the file as unstructured (frecfm U).",
  ],
  [
    "CYG_FORMAT_CHARACTER",
    "Octets are no character, or the other character set lacks one.",
    "Correct fcode and the character sets of the flow.",
  ],
  ["CYG_FORMAT_CHARSET", "There is no such character set.", "Correct the name; iconv knows the usual ones."],
  ["CYG_FORMAT_OPTIONS", "Parts of a file format contradict each other.", FORMAT],
  ["CYG_CATALOG", "The catalog cannot be used for another reason, which the text tells.", DISK],
  ["CYG_CATALOG_CLOSED", "The catalog is closed: the gateway stops.", "Try again when it has started."],
  ["CYG_CATALOG_DAMAGED", "The file of the catalog is damaged.", RESTORE],
  [
    "CYG_CATALOG_FIELD",
    "A field of a record was to be changed that never changes.",
    "Report it with the log lines around it.",
  ],
  [
    "CYG_CATALOG_FULL",
    "The disk of the catalog is full.",
    "Make room; transfers wait until it can be written.",
  ],
  [
    "CYG_CATALOG_IN_USE",
    "Another gateway works on this catalog.",
    "Stop that one first, or give this one a rundir of its own.",
  ],
  [
    "CYG_CATALOG_THREAD",
    "The thread that makes long lists of the catalog has ended.",
    "Ask for the list again; the thread is started anew.",
  ],
  ["CYG_CATALOG_LOCKED", "Another program holds the catalog.", AGAIN],
  [
    "CYG_CATALOG_MISSING",
    "There is no catalog: no gateway with this configuration has been started yet.",
    "Start the gateway, or name the right configuration with --config.",
  ],
  [
    "CYG_CATALOG_NEWER",
    "A newer version of the program has written the catalog.",
    "Run the newer program, or restore the catalog from before its upgrade.",
  ],
  [
    "CYG_CATALOG_OLDER",
    "An older version of the program has written the catalog.",
    "Start the gateway once: it brings the catalog up to date.",
  ],
  ["CYG_CATALOG_OPEN", "The file of the catalog cannot be opened.", DISK],
  ["CYG_CATALOG_UNKNOWN", "The catalog has no such record.", "`cygnet listcat` shows the transfers."],
  ["CYG_CATALOG_WRITE", "The catalog cannot be written.", DISK],
];
