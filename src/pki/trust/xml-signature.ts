/**
 * XML signatures (XML-DSig, enveloped) of lists that a known signer publishes.
 *
 * Invariants
 * - What is given back was signed, octet by octet: the canonical form that the signature covers, never the document that
 *   it was found in. Whatever else a document holds does not exist for the caller (signature wrapping).
 * - Keys and certificates inside the document are not looked at: the signer is known beforehand.
 */
import type { X509Certificate } from "node:crypto";
import { DOMParser, type Document, type Element } from "@xmldom/xmldom";
import { SignedXml } from "xml-crypto";
import { CygnetError, describe } from "../../platform/errors.ts";

const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const LARGEST = 16 * 1024 * 1024;
const SIGNATURES = [
  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
  "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
];
const HASHES = ["http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmlenc#sha512"];
/** The document itself and, where a signature follows XAdES, its signed properties. */
const MOST_REFERENCES = 2;

export interface SignedDocument {
  /** Root element of what was signed. */
  root: Element;
  signer: X509Certificate;
}

/**
 * Parses XML strictly: no document type, hence no entities of its own.
 * @throws CygnetError CYG_XML_SYNTAX
 */
export function parseXml(text: string): Document {
  if (text.length > LARGEST) throw new CygnetError("CYG_XML_SYNTAX", "it is larger than 16 MiB");
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) {
    throw new CygnetError("CYG_XML_SYNTAX", "it has a document type declaration, which is not taken");
  }
  const onError = (level: string, message: string): void => {
    throw new Error(`${level}: ${message}`);
  };
  try {
    return new DOMParser({ onError }).parseFromString(text, "text/xml");
  } catch (cause) {
    throw new CygnetError("CYG_XML_SYNTAX", `it is not well-formed XML: ${firstLine(cause)}`, { cause });
  }
}

/**
 * Verifies a signature over a whole document by one of the signers and gives what was signed.
 * @throws CygnetError CYG_XML_SYNTAX, CYG_XML_SIGNATURE
 */
export function verifyEnveloped(text: string, signers: readonly X509Certificate[]): SignedDocument {
  const document = parseXml(text);
  const root = document.documentElement as Element;
  const signature = soleSignature(root);
  const target = referenceTo(root, signature);
  const reasons: string[] = [];
  for (const signer of signers) {
    const verifier = new SignedXml({ publicCert: signer.toString(), getCertFromKeyInfo: () => null });
    restrict(verifier.SignatureAlgorithms, SIGNATURES);
    restrict(verifier.HashAlgorithms, HASHES);
    try {
      verifier.loadSignature(signature as unknown as Parameters<SignedXml["loadSignature"]>[0]);
      if (!verifier.checkSignature(text)) {
        reasons.push("what is signed has been changed");
        continue;
      }
      const canonical = verifier.getSignedReferences()[target];
      if (canonical === undefined) throw new Error("the signature does not cover the document");
      return { root: parseXml(canonical).documentElement as Element, signer };
    } catch (error) {
      reasons.push(firstLine(error));
    }
  }
  const who = signers.map((signer) => signer.fingerprint256.slice(0, 23)).join(", ");
  const why = [...new Set(reasons)].join("; ") || "no signer was named";
  throw new CygnetError(
    "CYG_XML_SIGNATURE",
    `it is not signed by the signer that is known (${who}…): ${why}`,
  );
}

/** The one signature, a child of the root. */
function soleSignature(root: Element): Element {
  const all = [...root.getElementsByTagNameNS(DSIG, "Signature")];
  const [only] = all;
  if (!only) throw new CygnetError("CYG_XML_SIGNATURE", "it is not signed");
  if (all.length > 1 || only.parentNode !== root) {
    throw new CygnetError("CYG_XML_SIGNATURE", "its signature is not in the one place where it belongs");
  }
  return only;
}

/** Which reference of the signature means the whole document: by "" or by the Id of the root, and nothing cut out. */
function referenceTo(root: Element, signature: Element): number {
  const references = [...signature.getElementsByTagNameNS(DSIG, "Reference")].filter(
    ({ parentNode }) => parentNode?.localName === "SignedInfo",
  );
  const ids = ["Id", "ID", "id"].flatMap((name) => root.getAttribute(name) || []);
  const index = references.findIndex((reference) => {
    const uri = reference.getAttribute("URI") ?? "";
    return uri === "" || ids.includes(uri.slice(1));
  });
  if (index < 0 || references.length > MOST_REFERENCES) {
    throw new CygnetError("CYG_XML_SIGNATURE", "its signature does not cover the whole document");
  }
  return index;
}

/** The library knows more than is safe (SHA-1): what is not listed does not exist. */
function restrict(algorithms: Record<string, unknown>, allowed: readonly string[]): void {
  for (const name of Object.keys(algorithms)) if (!allowed.includes(name)) delete algorithms[name];
}

function firstLine(error: unknown): string {
  return (describe(error).split("\n")[0] ?? "").slice(0, 200);
}
