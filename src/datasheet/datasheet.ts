/**
 * A partner's datasheet: Odette's OftpCommunicationSetup (PDX), version 1.2 of its schema, with its names. It says what
 * a station is and expects; "inbound" and "outbound" are seen from that station.
 */

/** What the station wants of a service: never, if asked, rather yes, always. */
export type Wish = "forbidden" | "optional" | "preferred" | "required";

export interface Support {
  usage: Wish;
  /** Names of certificates of the same document. */
  certificates: readonly string[];
}

export interface Datasheet {
  /** "1.2", or what an older document says. */
  version: string;
  docid: string;
  /** ISO 8601. */
  docdate: string;
  validfrom: string;
  station: Station;
  /** Ways to call the station. */
  inbound: readonly InboundConnection[];
  /** Ways in which the station calls. */
  outbound: readonly OutboundConnection[];
  /** Cipher suites "01" to "07", the one that it likes best first; empty: not said. */
  ciphers: readonly string[];
  session: SessionSettings;
  /** Files that the station sends, and that it receives; null: not said. */
  outboundFiles: FileSettings | null;
  inboundFiles: FileSettings | null;
  outboundNames: readonly NamePattern[];
  inboundNames: readonly NamePattern[];
  substations: readonly Substation[];
  certificates: readonly SheetCertificate[];
}

export interface Station {
  name: string;
  duns: string;
  company: string;
  /** Address lines, then code and city, then country. */
  address: readonly string[];
  /** Odette id of whoever made the document. */
  issuer: string;
  url: string;
  contacts: readonly Contact[];
}

export interface Contact {
  name: string;
  description: string;
  phones: readonly string[];
  emails: readonly string[];
  url: string;
}

export interface InboundConnection {
  type: "TCP" | "TLS";
  /** "TLSv1.2"; empty: negotiated. */
  versions: readonly string[];
  host: string;
  port: number;
  /** Name of the server certificate; "" = not said. */
  certificate: string;
  clientAuth: Wish | null;
}

export interface OutboundConnection {
  type: "TCP" | "TLS";
  versions: readonly string[];
  addresses: readonly string[];
  clientAuth: Support | null;
}

export interface SessionSettings {
  /** SSIDCODE, without trailing spaces. */
  ssid: string;
  minimum: number | null;
  maximum: number | null;
  /** The password that the station sends; null: not said. */
  password: string | null;
  authentication: Support | null;
}

export interface FileSettings {
  signature: Support;
  encryption: Support;
  compression: Support;
  receipt: Support;
}

export interface NamePattern {
  /** Regular expression (PCRE) for SFIDDSN. */
  pattern: string;
  format: string;
  /** Longest record, octets; null for formats without. */
  lrecl: number | null;
  description: string;
}

export interface Substation {
  name: string;
  /** SFID code, without trailing spaces. */
  sfid: string;
  ciphers: readonly string[];
  outboundFiles: FileSettings | null;
  inboundFiles: FileSettings | null;
}

export interface SheetCertificate {
  name: string;
  subject: string;
  /** DER. */
  der: Buffer;
  /** Its authorities, DER. */
  authorities: readonly Buffer[];
}

/** Namespaces: the schema's, and the common beginning of all versions. */
export const NAMESPACE = "http://www.odette.org/OFTPCommunicationSetup/1.2";
export const NAMESPACES = "http://www.odette.org/OFTPCommunicationSetup";
export const ROOT = "OftpCommunicationSetup";

/** Dataset names under which datasheets travel: the schema's, and one that products use. */
export const DATASHEET_NAMES: readonly string[] = ["OFTPCOMMUNICATIONSETUP", "OFTP_COMMUNICATION_SETUP"];
