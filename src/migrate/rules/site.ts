/** CFTPARM, CFTCAT, CFTLOG, CFTACCNT: the site, its catalog, log and accounting. */
import { instead } from "../convert.ts";
import { heeded, type Kind, kind, none, nones, same, to } from "../rule.ts";

const TASKS = "Transfer CFT's processes: the gateway needs no sizes for them";
const SCRIPTS =
  'scripts written for Transfer CFT call CFTUTIL: see "Scripts" in docs/coming-from-transfer-cft.md';
const LOADED = "objects that CFTPARM does not name are left out";
const OWN_FILE = "the gateway has its own file, below rundir";
const MONITORING = "monitoring by Sentinel: Prometheus reads GET /metrics, programs follow GET /v1/events";
const ALARMS = "the gateway's catalog grows with the disk and is never full";

export const PARM: Kind = kind("CFTPARM", "the site", [
  heeded("ID", "there is one site in a configuration: nothing refers to its id"),
  same("PART"),
  same("NPART"),
  same("MAXTRANS"),
  same("DEFAULT", undefined, { also: ["DEFAUT"] }),
  heeded("NET", LOADED),
  heeded("PROT", LOADED),
  heeded("CAT", LOADED),
  heeded("LOG", LOADED),
  heeded("ACCNT", LOADED),
  none("COM", "commands come through the control socket of the gateway"),
  none("KEY", "no licence key is needed", { secret: true }),
  none("PARTFNAM", "partners are files in partners.d"),
  none("CRONTABS", "there are no groups of jobs: every [[cftcron]] counts"),
  same("RCVALLER", "a call takes whatever the partner holds, file by file", { idle: ["STOP"] }),
  same("SNDINDFILEERR", "there are no lists of files to send", { idle: ["CONTINUE"] }),
  none("USERCTRL", "files are opened with the rights of the gateway's own user", { idle: ["NO"] }),
  ...nones("MAXTASK TRANTASK WAITTASK WAITRESP BUFSIZE FBUFSIZE", TASKS),
  ...nones("SSLMTASK SSLTTASK SSLWTASK SSLWRESP", TASKS),
  none("LENAPPL", "there is no CFTAPPL"),
  ...nones("EXECSF EXECSM EXECRF EXECRM EXECSFA EXECSMA EXECSE EXECRE", SCRIPTS),
  ...nones("EXITBOT EXITEOT", "compiled exits cannot be loaded"),
  none("PKIPASSW", "keys are in files of their own, each with a passphrase of its own or none", {
    secret: true,
  }),
  none("SECFNAME", "access management of Transfer CFT: the control socket is protected by its file rights"),
  ...nones("TRKSEND TRKRECV TRKPART", MONITORING),
  none("TRACE", "cftpart.trace logs every protocol command of a partner"),
]);

const KEPT = "migrate writes Transfer CFT's default out";

export const CAT: Kind = kind("CFTCAT", "the catalog", [
  heeded("ID", "there is one catalog: nothing refers to its id"),
  none("FNAME", OWN_FILE),
  ...["SX", "SH", "ST", "RX", "RH"].map((parameter) =>
    same(parameter, undefined, { missing: { value: "10", keep: true, why: KEPT } }),
  ),
  ...nones("SY RT RY", "such records stay until somebody ends them"),
  same("TIMEP", "old records are removed all day long"),
  same("RKERROR"),
  same("WSCAN", "waiting transfers are looked at when something changes, not by the clock"),
  none("UPDAT", "restart positions are kept on disk as the data is synced"),
  none("CACHE", "the catalog caches by itself"),
  ...nones("TLVWARN TLVCLEAR TLVWRATE TLVWEXEC TLVCEXEC", ALARMS),
]);

const versions = instead({ "23": "V23", "24": "V24" }, "the version, with its letter");

export const LOG: Kind = kind("CFTLOG", "the log", [
  heeded("ID", "there is one log: nothing refers to its id"),
  ...nones("FNAME AFNAME", OWN_FILE),
  {
    ...to("FORMAT", "format", versions),
    missing: { value: "V23", keep: true, why: KEPT },
  },
  same("CONTENT", "log level I has everything; `cygnet log --level` shows less", { idle: ["FULL"] }),
  none("LENGTH", "lines are never folded"),
  none("MAXREC", "a new file is begun by size (cftlog.maxsize)", { idle: ["0"] }),
  same("SWITCH", "a new file is begun by size (cftlog.maxsize)"),
  none("EXEC", "old log files are numbered and removed by themselves (cftlog.backup_count)"),
  ...nones(
    "OPERMSG NOTIFY",
    "there is no operator's console: follow the log (`cygnet log -f --level W`), or have people told by [[notify]]",
    {
      idle: ["0"],
    },
  ),
]);

export const ACCNT: Kind = kind(
  "CFTACCNT",
  "accounting",
  [
    heeded("ID", "there is one accounting file: nothing refers to its id"),
    none("TYPE", "accounting goes to a file", { idle: ["FILE"] }),
    ...nones("FNAME AFNAME", OWN_FILE),
    none("FORMAT", "records are JSON lines, not fixed columns"),
    none("LANGUAGE", "records are JSON lines: no padding"),
    none("MAXREC", "a new file is begun by size", { idle: ["0"] }),
    same("SWITCH"),
    none("EXEC", "old files are numbered and kept (cftaccnt.backup_count)"),
    none("ACCID", "accounting of z/OS"),
  ],
  {
    why: "accounting is JSON lines, not fixed columns: add [cftaccnt], see docs/scripts-and-notifications.md",
  },
);

export const SITE_KINDS: readonly Kind[] = [PARM, CAT, LOG, ACCNT];
