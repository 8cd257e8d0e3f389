import type { WordRow } from "../meaning.ts";

const PLACE = "Correct the place that is named; `cygnet check` shows all faults at once.";
const CHECK = "Read the text: it says what was found, what is allowed and gives an example.";

/** Faults of the configuration. */
export const configurationErrors: readonly WordRow[] = [
  [
    "CYG_CONFIG_READ",
    "A file of the configuration cannot be read.",
    "Check that it exists and that the gateway may read it.",
  ],
  ["CYG_CONFIG_SYNTAX", "A file of the configuration is not TOML in UTF-8.", PLACE],
  [
    "CYG_CONFIG_UNKNOWN",
    "A table or key does not exist.",
    "Correct its name; the text suggests one that is near.",
  ],
  ["CYG_CONFIG_VALUE", "A value is not one that the key takes.", CHECK],
  ["CYG_CONFIG_REQUIRED", "A key is missing.", "Add it; the text gives an example."],
  ["CYG_CONFIG_REFERENCE", "An id is named that no object has.", "Add the object, or correct the id."],
  ["CYG_CONFIG_DUPLICATE", "Two objects have the same id.", "Rename or remove one of them."],
  ["CYG_CONFIG_CLASH", "Two things in the configuration cannot both be.", CHECK],
  [
    "CYG_CONFIG_SECRET",
    "A password is not a reference, or what it refers to cannot be read.",
    'Write "file:PATH", "env:NAME" or "cred:NAME", and see that the gateway may read it.',
  ],
  ["CYG_CONFIG_SYMBOL", "A name with symbolic variables is not written as it must be.", CHECK],
  ["CYG_CONFIG_FILE", "A file that the configuration names cannot be used.", CHECK],
  [
    "CYG_CONFIG_FILE_MISSING",
    "A file that the configuration names does not exist.",
    "Put the file there, or correct its name.",
  ],
  ["CYG_CONFIG_CERTIFICATE", "A certificate or key that the configuration names cannot be used.", CHECK],
  [
    "CYG_CONFIG_ADVICE",
    "The configuration is accepted, but this part of it is probably not meant so.",
    "Change it, or keep it knowingly.",
  ],
  ["CYG_CONFIG_REJECTED", "The configuration has faults; nothing of it is in force.", PLACE],
  ["CYG_DURATION", "A text is no duration.", 'Write for example "90s", "5m" or "2h".'],
  ["CYG_SIZE", "A text is no size.", 'Write for example "10MB" or "10MiB".'],
  [
    "CYG_SYMBOL",
    "A name with symbolic variables names one that does not exist, or is not well written.",
    "docs/configuration.md lists the variables and their forms.",
  ],
  [
    "CYG_FOLDER_DEVICE",
    "Two directories of a CFTFOLDER are not on the same file system.",
    "Put scandir and workdir on the same one: a file is taken by renaming it.",
  ],
];
