/** UCONFSET: what becomes of the unified configuration. First match wins; names in lower case. */
export interface UconfRow {
  /** A name, or its beginning when it ends in a dot. */
  name: string;
  /** Table and key that take the value over; "" = none. */
  table: string;
  key: string;
  why: string;
}

const row = (name: string, why: string, table = "", key = ""): UconfRow => ({ name, table, key, why });

export const UCONF: readonly UconfRow[] = [
  row("cft.server.maxtrans", "0: CFTPARM says how many", "cftparm", "maxtrans"),
  row("cft.cftlog.backup_count", "", "cftlog", "backup_count"),
  row("cft.ssl.", "TLS 1.2 and 1.3 are spoken: version of cftssl narrows them down"),
  row("cft.purge.", "cftcat says how long records are kept"),
  row("cft.default_idf.", "the default flow always serves"),
  row("cft.server.", "set by itself, or not needed"),
  row("cft.multi_node.", "one node: the catalog belongs to one gateway"),
  row("cft.", "a setting of Transfer CFT's processes"),
  row("folder_monitoring.", "write a cftfolder for each folder"),
  row("copilot.", "there is no Copilot: use the command line"),
  row("am.", "who may open the control socket may do everything: use its file rights and groups"),
  row("secure_relay.", "Secure Relay is not supported"),
  row("sentinel.", "monitoring by Sentinel: use the log and `cygnet listcat --json`"),
  row("cg.", "there is no Central Governance: the configuration is files"),
  row("pki.", "certificates are files, named in [[pki]]"),
  row("crypto.", "passwords are in files with rights of their own"),
  row("ssl.", "TLS is set in cftssl"),
  row("acceleration.", "the network is plain TCP"),
  row("aws.", "files are on local disks"),
  row("", "a setting of Transfer CFT's processes"),
];
