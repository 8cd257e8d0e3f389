/** CFTFOLDER, CFTCRON and what has no counterpart at all. */

import { bySchema } from "../by-schema.ts";
import { directory, instead } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { type Source, word } from "../objects.ts";
import { type Converter, type Kind, kind, none, nones, same, to, unknownHere } from "../rule.ts";
import type { Site } from "../site.ts";
import { texts } from "../value.ts";

/** `(0)`, which without quotes reads as a list of one. */
const level: Converter = (value, { site, kind: { table }, row }) => {
  const text = texts(value)[0]?.text.trim() ?? "";
  if (/^\(?[01]\)?$/.test(text)) return { value: `(${text.replace(/\D/g, "")})` };
  return bySchema(value, site.keys.key(table, row.key) ?? {}, site);
};

export const FOLDER: Kind = kind(
  "CFTFOLDER",
  "a watched directory",
  [
    same("ID"),
    same("STATE"),
    to("SCANDIR", "scandir", directory("outbox")),
    to("WORKDIR", "workdir", directory("work")),
    to("ARCHIVEDIR", "archivedir", directory("archive")),
    to(
      "METHOD",
      "method",
      instead({ FILE: "move" }, "files are always taken out of the folder before they are sent"),
    ),
    to("PART", "part", level),
    to("IDF", "idf", level),
    none("ENABLESUBDIR", "subdirectories are always looked at", { idle: ["YES"] }),
    ...["INTERVAL", "FILEIDLEDELAY", "FILECOUNT", "FILESIZEMIN", "FILESIZEMAX"].map((name) => same(name)),
    ...["INCLUDEFILTER", "EXCLUDEFILTER", "USEFSEVENTS"].map((name) => same(name)),
    none("FILTERTYPE", "patterns are WILDMAT's", { idle: ["WILDMAT"] }),
    none("RESUBMITCHANGED", "a file is taken once: what is dropped again is sent again", {
      also: ["RESUBMITCHANGES"],
    }),
    none("RENAMEMETHOD", "claimed files get names of their own and keep theirs for the line", {
      idle: ["NONE"],
    }),
    none("RENAMESEPARATOR", "claimed files get names of their own and keep theirs for the line"),
    ...nones("USERID GROUPID", "files are opened with the rights of the gateway's own user"),
  ],
  { shape: shapeFolder },
);

/** Without its filter a folder would send what it must not: better none. */
function shapeFolder(draft: Draft, object: Source, site: Site): void {
  const type = word(object, "FILTERTYPE", "WILDMAT");
  const filters = ["INCLUDEFILTER", "EXCLUDEFILTER"].filter((name) => word(object, name) !== "");
  if (type === "WILDMAT" || filters.length === 0) return;
  const why = `a filter of type ${type}: write it with * and ?, then set state = "active"`;
  for (const name of filters) {
    draft.values.delete(name.toLowerCase());
    site.tell("without", object, name, "", why);
  }
  draft.set("state", "noactive", why);
  site.tell("changed", object, "FILTERTYPE", 'cftfolder.state = "noactive"', why);
  site.todo.push(`rewrite the filter of cftfolder ${draft.id} (${type}) and set its state to "active"`);
}

export const CRON: Kind = kind(
  "CFTCRON",
  "a job",
  [
    same("ID"),
    same("CRONTAB"),
    same("TIME"),
    none(
      "EXEC",
      'scripts written for Transfer CFT call CFTUTIL: see "Scripts" in docs/coming-from-transfer-cft.md',
    ),
    ...["PARM", "STATE", "EXECPOLICY", "TYPE"].map((name) => same(name)),
    none("USERID", "everything runs with the rights of the gateway's own user"),
  ],
  {
    why: "times and scripts are written in another way: add [[cftcron]], see docs/scripts-and-notifications.md",
    todo: "write a [[cftcron]] for it, with a program for exec",
  },
);

export const SERVICE_KINDS: readonly Kind[] = [
  FOLDER,
  CRON,
  unknownHere(
    "CFTCOM",
    "a way for commands to come in",
    "commands come through the control socket or the HTTP API: `cygnet send` and the others",
  ),
  unknownHere("CFTEXIT", "a compiled exit", "compiled exits cannot be loaded"),
  unknownHere(
    "CFTAPPL",
    "owners of transfers",
    "everything belongs to the gateway's own user; there are no owners",
  ),
  unknownHere(
    "CFTROLE",
    "a role",
    "there are three roles: [[apiuser]] with role read, operate or admin; who may open the control socket may do everything",
  ),
  unknownHere(
    "CFTPRIV",
    "a privilege",
    "there are three roles: [[apiuser]] with role read, operate or admin; who may open the control socket may do everything",
  ),
  unknownHere("CFTUIPREF", "a layout of Copilot", "there is no Copilot"),
  unknownHere("CFTETB", "a protocol that is no longer used", "only OFTP is spoken"),
  ...["CFTX25", "CFTSNA", "CFTLU62", "CFTASY", "CFTDNA", "CFTDSA"].map((command) =>
    unknownHere(command, "a network that is no longer used", "the network is TCP/IP"),
  ),
];

/** Commands of CFTUTIL that are no configuration. */
export const COMMANDS: readonly string[] = [
  ..."SEND RECV HALT KEEP START RESUME SUBMIT END DELETE PURGE LISTCAT DISPLAY LISTLOG LISTPARM LISTPART".split(
    " ",
  ),
  ..."CFTEXT LISTUCONF UCONFGET ABOUT HELP ACT INACT SWAITCAT WLOG SWITCH RECONFIG MQUERY CLEARCMD LISTCOM".split(
    " ",
  ),
  ..."SHUT CFTFILE CONFIG COPYFILE KSTATE LISTPKI PKIEXT PKIFILE PKIKEYDEL LISTNODE CHECK WAIT TURN".split(
    " ",
  ),
];
