/** UCONFSET: what becomes of the unified configuration. First match wins; names in lower case. */
export interface UconfRow {
  /** A name, or its beginning when it ends in a dot. */
  name: string;
  /** Table and key that take the value over; "" = none. */
  table: string;
  key: string;
  /** The value for the key; undefined = it asks for nothing, or is not understood. */
  convert: (value: string) => string | number | boolean | undefined;
  why: string;
}

const row = (
  name: string,
  why: string,
  table = "",
  key = "",
  convert: UconfRow["convert"] = count,
): UconfRow => ({ name, table, key, convert, why });

function count(value: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined;
}

function yesOrNo(value: string): boolean | undefined {
  const word = value.toLowerCase();
  return ["yes", "no"].includes(word) ? word === "yes" : undefined;
}

/** Days, or a number with D, H or M behind it. */
function age(value: string): string | number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,5})([DHM])$/i.exec(value) ?? [];
  return number === "" ? count(value) : `${Number(number)}${unit.toLowerCase()}`;
}

export const UCONF: readonly UconfRow[] = [
  row("cft.server.maxtrans", "0: CFTPARM says how many", "cftparm", "maxtrans"),
  row("cft.cftlog.backup_count", "", "cftlog", "backup_count"),
  row("cft.default_idf.enable", "", "cftparm", "default_idf", yesOrNo),
  ...["sx", "sh", "st", "rx", "rh"].map((key) =>
    row(`cft.purge.${key}`, "-1: CFTCAT says how long", "cftcat", key, age),
  ),
  row("cft.ssl.", "TLS 1.2 and 1.3 are spoken: version of cftssl narrows them down"),
  row("cft.purge.", "cftcat says how long records are kept"),
  row("cft.server.", "set by itself, or not needed"),
  row("cft.multi_node.", "one node: the catalog belongs to one gateway"),
  row("cft.", "a setting of Transfer CFT's processes"),
  row("folder_monitoring.", "write a cftfolder for each folder"),
  row("copilot.", "there is no Copilot: use the command line or the HTTP API ([admin] listen)"),
  row(
    "am.",
    "there are three roles: [[apiuser]] with role read, operate or admin; who may open the control socket may do everything",
  ),
  row("secure_relay.", "Secure Relay is not supported"),
  row("sentinel.", "monitoring by Sentinel: Prometheus reads GET /metrics, programs follow GET /v1/events"),
  row("cg.", "there is no Central Governance: the configuration is files"),
  row("pki.", "certificates are files, named in [[pki]]"),
  row("crypto.", "passwords are in files with rights of their own"),
  row("ssl.", "TLS is set in cftssl"),
  row("acceleration.", "the network is plain TCP"),
  row("aws.", "files are on local disks"),
  row("", "a setting of Transfer CFT's processes"),
];
