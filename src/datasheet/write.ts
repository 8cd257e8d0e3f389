/** From the value of a datasheet to its XML, in the order of the schema, version 1.2. */
import type { Datasheet, FileSettings, NamePattern, Support } from "./datasheet.ts";
import { NAMESPACE, ROOT } from "./datasheet.ts";
import { escapeXml } from "./xml.ts";

/** An element: its name, attributes, and text or children. Empty text leaves an optional element out. */
interface Node {
  name: string;
  attributes?: Readonly<Record<string, string>>;
  content: string | readonly (Node | null)[];
}

/** The document, UTF-8. */
export function writeDatasheet(sheet: Datasheet): string {
  const { station, session } = sheet;
  const root: Node = {
    name: ROOT,
    attributes: {
      "xmlns:ocs": NAMESPACE,
      version: "1.2",
      docid: sheet.docid,
      docdate: sheet.docdate,
      validfrom: sheet.validfrom,
    },
    content: [
      group("StationInformation", [
        optional("DUNS", station.duns),
        leaf("Name", station.name),
        group("CompanyInfo", [
          leaf("Name", station.company || station.name),
          ...station.address.map((line) => leaf("AddressLine", line)),
        ]),
        leaf("IssuerIDCode", station.issuer),
        optional("InfoDocumentURL", station.url),
        list(
          "Contacts",
          station.contacts.map((contact) =>
            group("Contact", [
              leaf("Name", contact.name),
              optional("Description", contact.description),
              ...contact.phones.map((phone) => leaf("Phone", phone)),
              ...contact.emails.map((email) => leaf("Email", email)),
              optional("URL", contact.url),
            ]),
          ),
        ),
      ]),
      list(
        "InboundCommunicationSettings",
        sheet.inbound.map(({ type, versions, host, port, certificate, clientAuth }) => ({
          name: "InboundConnectionSettings",
          attributes: { type },
          content: [
            ...versions.map((version) => leaf("TLSVersion", version)),
            leaf("ServerHost", host),
            leaf("ServerPort", String(port)),
            optional("CertificateRef", certificate),
            clientAuth && support("TLSClientAuth", { usage: clientAuth, certificates: [] }),
          ],
        })),
      ),
      list(
        "OutboundCommunicationSettings",
        sheet.outbound.map(({ type, versions, addresses, clientAuth }) => ({
          name: "OutboundConnectionSettings",
          attributes: { type },
          content: [
            ...versions.map((version) => leaf("TLSVersion", version)),
            ...addresses.map((address) => leaf("OutboundIP", address)),
            clientAuth && support("TLSClientAuth", clientAuth),
          ],
        })),
      ),
      ciphers(sheet.ciphers),
      group("SessionSettings", [
        leaf("OdetteIDCodeSSID", session.ssid),
        optional("MinimumProtocolReleaseLevel", session.minimum === null ? "" : String(session.minimum)),
        optional("MaximumProtocolReleaseLevel", session.maximum === null ? "" : String(session.maximum)),
        session.password === null ? null : leaf("Password", session.password),
        session.authentication && support("SecureAuthentication", session.authentication),
      ]),
      files("OutboundFileSettings", sheet.outboundFiles),
      files("InboundFileSettings", sheet.inboundFiles),
      patterns("OutboundDsnList", sheet.outboundNames),
      patterns("InboundDsnList", sheet.inboundNames),
      list(
        "SubStations",
        sheet.substations.map((each) =>
          group("SubStationInformation", [
            leaf("Name", each.name),
            leaf("OdetteIDCodeSFID", each.sfid),
            files("OutboundFileSettings", each.outboundFiles),
            files("InboundFileSettings", each.inboundFiles),
            ciphers(each.ciphers),
          ]),
        ),
      ),
      list(
        "Certificates",
        sheet.certificates.map(({ name, subject, der, authorities }) => ({
          name: "Certificate",
          attributes: { name },
          content: [
            leaf("SubjectName", subject),
            leaf("X509Certificate", der.toString("base64")),
            ...authorities.map((authority) => leaf("X509CACertificate", authority.toString("base64"))),
          ],
        })),
      ),
    ],
  };
  return `<?xml version="1.0" encoding="utf-8"?>\n${render(root, "")}`;
}

function render({ name, attributes = {}, content }: Node, indent: string): string {
  const said = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const begin = `${indent}<ocs:${name}${said.join("")}`;
  if (typeof content === "string") return `${begin}>${escapeXml(content)}</ocs:${name}>\n`;
  const inside = content.flatMap((each) => (each ? [render(each, `${indent}  `)] : []));
  return inside.length === 0 ? `${begin}/>\n` : `${begin}>\n${inside.join("")}${indent}</ocs:${name}>\n`;
}

const leaf = (name: string, content: string): Node => ({ name, content });
const optional = (name: string, content: string): Node | null =>
  content === "" ? null : leaf(name, content);
const group = (name: string, content: readonly (Node | null)[]): Node => ({ name, content });

function list(name: string, content: readonly Node[]): Node | null {
  return content.length === 0 ? null : { name, content };
}

function support(name: string, { usage, certificates }: Support): Node {
  return { name, attributes: { usage }, content: certificates.map((each) => leaf("CertificateRef", each)) };
}

function ciphers(suites: readonly string[]): Node | null {
  return list(
    "CipherSetting",
    suites.map((suite, index) => leaf(index === 0 ? "PrimaryCipher" : "AlternateCipher", suite)),
  );
}

function files(name: string, settings: FileSettings | null): Node | null {
  if (settings === null) return null;
  return group(name, [
    support("FileSignature", settings.signature),
    support("FileEncryption", settings.encryption),
    support("FileCompression", settings.compression),
    support("EERPSignature", settings.receipt),
  ]);
}

function patterns(name: string, all: readonly NamePattern[]): Node | null {
  return list(
    name,
    all.map(({ pattern, format, lrecl, description }) =>
      group("dsn", [
        leaf("pattern", pattern),
        leaf("fileFormat", format),
        optional("maximumRecordSize", lrecl === null ? "" : String(lrecl)),
        leaf("descriptionShort", description),
      ]),
    ),
  );
}
