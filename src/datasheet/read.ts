/** From the XML of a datasheet to its value. Optional parts may be missing; what is there must be right. */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Element } from "@xmldom/xmldom";
import { CygnetError } from "../platform/errors.ts";
import {
  type Contact,
  type Datasheet,
  type FileSettings,
  type InboundConnection,
  NAMESPACES,
  type NamePattern,
  type OutboundConnection,
  ROOT,
  type SessionSettings,
  type SheetCertificate,
  type Station,
  type Substation,
  type Support,
  type Wish,
} from "./datasheet.ts";
import { child, children, parseXml, text, texts } from "./xml.ts";

const WISHES: readonly string[] = ["forbidden", "optional", "preferred", "required"];
/** SSIDCODE and SFID codes: RFC 5024 appendix B, as the configuration takes them. */
const HOST = /^(?=.{1,253}$)[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*$/;
const CODE = /^[0-9A-Z&()./-][0-9A-Z &()./-]{0,24}$/;

/**
 * Reads a datasheet.
 * @throws CygnetError CYG_XML, CYG_DATASHEET with every fault that was found
 */
export function readDatasheet(content: Buffer): Datasheet {
  const root = parseXml(content);
  if (root.localName !== ROOT || !(root.namespaceURI ?? "").startsWith(NAMESPACES)) {
    throw new CygnetError(
      "CYG_DATASHEET",
      `the root element is ${root.localName} of namespace "${root.namespaceURI ?? ""}"; a datasheet has ${ROOT} of ${NAMESPACES}/1.2`,
    );
  }
  const faults: string[] = [];
  const sheet = new Reader(faults).sheet(root);
  if (faults.length > 0)
    throw new CygnetError("CYG_DATASHEET", `the datasheet is not right: ${faults.join("; ")}`);
  return sheet;
}

class Reader {
  readonly #faults: string[];

  constructor(faults: string[]) {
    this.#faults = faults;
  }

  sheet(root: Element): Datasheet {
    const sheet: Datasheet = {
      version: root.getAttribute("version") ?? "",
      docid: root.getAttribute("docid") ?? "",
      docdate: root.getAttribute("docdate") ?? "",
      validfrom: root.getAttribute("validfrom") ?? "",
      station: this.#station(child(root, "StationInformation")),
      inbound: children(child(root, "InboundCommunicationSettings"), "InboundConnectionSettings").map(
        (each) => this.#inbound(each),
      ),
      outbound: children(child(root, "OutboundCommunicationSettings"), "OutboundConnectionSettings").map(
        (each) => this.#outbound(each),
      ),
      ciphers: this.#ciphers(root),
      session: this.#session(child(root, "SessionSettings")),
      outboundFiles: this.#files(child(root, "OutboundFileSettings")),
      inboundFiles: this.#files(child(root, "InboundFileSettings")),
      outboundNames: this.#names(child(root, "OutboundDsnList")),
      inboundNames: this.#names(child(root, "InboundDsnList")),
      substations: children(child(root, "SubStations"), "SubStationInformation").map((each) =>
        this.#substation(each),
      ),
      certificates: children(child(root, "Certificates"), "Certificate").map((each) =>
        this.#certificate(each),
      ),
    };
    this.#references(sheet);
    return sheet;
  }

  #fault(text: string): void {
    this.#faults.push(text);
  }

  #required(parent: Element | undefined, name: string): string {
    const value = text(parent, name);
    if (value === undefined || value === "") this.#fault(`${parent?.localName ?? ROOT} lacks ${name}`);
    return value ?? "";
  }

  #code(parent: Element | undefined, name: string): string {
    const value = this.#required(parent, name);
    if (value !== "" && !CODE.test(value)) this.#fault(`${name} "${value}" is no code of OFTP`);
    return value;
  }

  #station(station: Element | undefined): Station {
    const company = child(station, "CompanyInfo");
    const town = [text(company, "ZIPCode"), text(company, "City")].filter(Boolean).join(" ");
    return {
      name: this.#required(station, "Name"),
      duns: text(station, "DUNS") ?? "",
      company: text(company, "Name") ?? "",
      address: [...texts(company, "AddressLine"), town, text(company, "Country") ?? ""].filter(Boolean),
      issuer: text(station, "IssuerIDCode") ?? "",
      url: text(station, "InfoDocumentURL") ?? "",
      contacts: children(child(station, "Contacts"), "Contact").map(contact),
    };
  }

  #inbound(connection: Element): InboundConnection {
    const port = Number(this.#required(connection, "ServerPort"));
    if (!Number.isInteger(port) || port < 1 || port > 65_535) this.#fault(`ServerPort ${port} is no port`);
    const host = this.#required(connection, "ServerHost");
    if (host !== "" && isIP(host) === 0 && !HOST.test(host)) this.#fault(`ServerHost "${host}" is no host`);
    const clientAuth = child(connection, "TLSClientAuth");
    return {
      type: this.#type(connection),
      versions: texts(connection, "TLSVersion"),
      host,
      port,
      certificate: text(connection, "CertificateRef") ?? "",
      clientAuth: clientAuth ? this.#support(clientAuth).usage : null,
    };
  }

  #outbound(connection: Element): OutboundConnection {
    const clientAuth = child(connection, "TLSClientAuth");
    return {
      type: this.#type(connection),
      versions: texts(connection, "TLSVersion"),
      addresses: texts(connection, "OutboundIP"),
      clientAuth: clientAuth ? this.#support(clientAuth) : null,
    };
  }

  #type(connection: Element): "TCP" | "TLS" {
    const type = connection.getAttribute("type") || "TLS";
    if (type !== "TCP" && type !== "TLS")
      this.#fault(`type "${type}" of a connection is neither TCP nor TLS`);
    return type === "TCP" ? "TCP" : "TLS";
  }

  #ciphers(parent: Element): string[] {
    const setting = child(parent, "CipherSetting");
    if (setting === undefined) return [];
    const ciphers = [this.#required(setting, "PrimaryCipher"), ...texts(setting, "AlternateCipher")];
    for (const cipher of ciphers) if (!/^\d\d$/.test(cipher)) this.#fault(`"${cipher}" is no cipher suite`);
    return ciphers;
  }

  #session(session: Element | undefined): SessionSettings {
    const authentication = child(session, "SecureAuthentication");
    // spaces at its end do not matter on the line; those at its beginning do
    const password = child(session, "Password")?.textContent?.trimEnd() ?? null;
    if (password !== null && password.length > 8) this.#fault("Password is longer than 8 characters");
    return {
      ssid: this.#code(session, "OdetteIDCodeSSID"),
      minimum: this.#level(session, "MinimumProtocolReleaseLevel"),
      maximum: this.#level(session, "MaximumProtocolReleaseLevel"),
      password,
      authentication: authentication ? this.#support(authentication) : null,
    };
  }

  #level(session: Element | undefined, name: string): number | null {
    const value = text(session, name);
    if (value === undefined) return null;
    if (!/^[1245]$/.test(value)) this.#fault(`${name} "${value}" is none of 1, 2, 4 and 5`);
    return Number(value);
  }

  #files(settings: Element | undefined): FileSettings | null {
    if (settings === undefined) return null;
    const service = (name: string): Support => {
      const found = child(settings, name);
      if (found) return this.#support(found);
      this.#fault(`${settings.localName} lacks ${name}`);
      return { usage: "optional", certificates: [] };
    };
    return {
      signature: service("FileSignature"),
      encryption: service("FileEncryption"),
      compression: service("FileCompression"),
      receipt: service("EERPSignature"),
    };
  }

  #support(element: Element): Support {
    const usage = element.getAttribute("usage") ?? "";
    if (!WISHES.includes(usage)) {
      this.#fault(`usage "${usage}" of ${element.localName} is none of ${WISHES.join(", ")}`);
    }
    return { usage: usage as Wish, certificates: texts(element, "CertificateRef") };
  }

  #names(list: Element | undefined): NamePattern[] {
    return children(list, "dsn").map((dsn) => {
      const lrecl = text(dsn, "maximumRecordSize");
      return {
        pattern: this.#required(dsn, "pattern"),
        format: text(dsn, "fileFormat") ?? "",
        lrecl: lrecl === undefined ? null : Number(lrecl),
        description: text(dsn, "descriptionShort") ?? "",
      };
    });
  }

  #substation(station: Element): Substation {
    return {
      name: text(station, "Name") ?? "",
      sfid: this.#code(station, "OdetteIDCodeSFID"),
      ciphers: this.#ciphers(station),
      outboundFiles: this.#files(child(station, "OutboundFileSettings")),
      inboundFiles: this.#files(child(station, "InboundFileSettings")),
    };
  }

  #certificate(element: Element): SheetCertificate {
    const name = element.getAttribute("name") ?? "";
    if (name === "") this.#fault("a Certificate has no name");
    const der = (base64: string): Buffer => {
      try {
        return new X509Certificate(Buffer.from(base64, "base64")).raw;
      } catch {
        this.#fault(`certificate "${name}" cannot be read`);
        return Buffer.alloc(0);
      }
    };
    return {
      name,
      subject: text(element, "SubjectName") ?? "",
      der: der(this.#required(element, "X509Certificate")),
      authorities: texts(element, "X509CACertificate").map(der),
    };
  }

  /** Every certificate that is named must be in the document. */
  #references(sheet: Datasheet): void {
    const known = new Set(sheet.certificates.map(({ name }) => name));
    for (const name of referenced(sheet)) {
      if (!known.has(name)) this.#fault(`certificate "${name}" is named, but not in the document`);
    }
  }
}

function contact(element: Element): Contact {
  return {
    name: text(element, "Name") ?? "",
    description: text(element, "Description") ?? "",
    phones: texts(element, "Phone"),
    emails: texts(element, "Email"),
    url: text(element, "URL") ?? "",
  };
}

function referenced(sheet: Datasheet): Set<string> {
  const all = [sheet, ...sheet.substations];
  const supports = all.flatMap(({ inboundFiles, outboundFiles }) =>
    [inboundFiles, outboundFiles].flatMap((files) => (files ? Object.values(files) : [])),
  ) as Support[];
  const names = [
    ...supports.flatMap(({ certificates }) => certificates),
    ...sheet.inbound.map(({ certificate }) => certificate),
    ...sheet.outbound.flatMap(({ clientAuth }) => clientAuth?.certificates ?? []),
    ...(sheet.session.authentication?.certificates ?? []),
  ];
  return new Set(names.filter((name) => name !== ""));
}
