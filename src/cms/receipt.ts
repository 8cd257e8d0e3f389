/** Signed end-to-end responses: EERPSIG and NERPSIG (RFC 5024 sections 5.3.13, 5.3.14, 6.2.2). */
import type { X509Certificate } from "node:crypto";
import { CygnetError } from "../platform/errors.ts";
import { HASHES } from "./hashes.ts";
import { BerStream } from "./reader.ts";
import { type Signing, signersOf } from "./signer-info.ts";
import { SignedDataWriter } from "./signing.ts";
import { type SignedFacts, signedData } from "./verifying.ts";

/** The fields of an EERP or, with `crea`, of a NERP that its signature covers; padded or not. */
export interface Receipt {
  /** Dataset name, X(26). */
  dsn: string;
  /** CCYYMMDD and HHMMSScccc. */
  date: string;
  time: string;
  /** The originator of the file, X(25). */
  dest: string;
  /** The destination of the file, X(25). */
  orig: string;
  /** Who made the NERP, X(25). */
  crea?: string;
  /** Hash of the virtual file as it was transmitted. */
  hsh: Buffer;
}

/** Longest signature that EERPSIGL and NERPSIGL can announce, octets. */
const LARGEST_SIGNATURE = 65_535;

/** Field, octets: in the order in which they are signed. */
const FIELDS = [
  ["dsn", 26],
  ["date", 8],
  ["time", 10],
  ["dest", 25],
  ["orig", 25],
  ["crea", 25],
] as const;

/**
 * The octets that are signed: the fields at full width, then the hash: 94 + h for an EERP, 119 + h for a NERP.
 * @throws CygnetError CYG_CMS_RECEIPT for a field that is too long
 */
export function receiptOctets(receipt: Receipt): Buffer {
  const fields = FIELDS.flatMap(([name, width]) => {
    const value = receipt[name];
    if (value === undefined) return [];
    const octets = Buffer.from(value, "latin1");
    if (octets.length > width) {
      throw new CygnetError(
        "CYG_CMS_RECEIPT",
        `${name} of a response has ${octets.length} octets, not ${width}`,
      );
    }
    return [octets, Buffer.alloc(width - octets.length, " ")];
  });
  return Buffer.concat([...fields, receipt.hsh]);
}

/**
 * The signature of a response: DER SignedData with the signed octets in it, without certificates.
 * @throws CygnetError CYG_CMS_CERTIFICATE, CYG_CMS_RECEIPT (the hash in it is not one by this algorithm)
 */
export function signReceipt(receipt: Receipt, signers: readonly Signing[], time: Date): Buffer {
  const strange = signers.find(({ hash }) => receipt.hsh.length !== HASHES[hash].length);
  if (strange) {
    throw new CygnetError("CYG_CMS_RECEIPT", `the hash of a response is not one by ${strange.hash}`);
  }
  const content = receiptOctets(receipt);
  const writer = new SignedDataWriter(signers, time, content.length);
  const parts: Buffer[] = [];
  const emit = (octets: Buffer): void => {
    parts.push(octets);
  };
  writer.push(content, emit);
  writer.end(emit);
  return Buffer.concat(parts);
}

/**
 * Proves a response: a good signature by one of the signers, over exactly the octets of its own fields, and the hash
 * of the file that was sent. Which certificates may sign for EERPORIG or NERPCREA is for the caller to know.
 * @param sent hash of the file as it was transmitted, by the algorithm of its cipher suite
 * @param experimental take the algorithms of the experimental cipher suites too
 * @throws CygnetError CYG_CMS_RECEIPT (it is for other octets, or another file), CYG_CMS_SIGNATURE,
 * CYG_CMS_STRUCTURE, CYG_CMS_FORMAT
 */
export function verifyReceipt(
  receipt: Receipt,
  signature: Buffer,
  sent: Buffer,
  signers: readonly X509Certificate[],
  experimental = false,
): SignedFacts {
  if (signature.length > LARGEST_SIGNATURE) {
    throw new CygnetError("CYG_CMS_FORMAT", `${signature.length} octets are too long for a signature`);
  }
  const content: Buffer[] = [];
  const allowed = { signers: signersOf(signers), experimental };
  const stream = new BerStream((reader) =>
    signedData(reader, allowed, () => false, { emit: (octets) => content.push(octets) }),
  );
  stream.push(signature);
  const facts = stream.end();
  if (!Buffer.concat(content).equals(receiptOctets(receipt))) {
    throw new CygnetError("CYG_CMS_RECEIPT", "what is signed is not what the response says");
  }
  if (!receipt.hsh.equals(sent)) {
    throw new CygnetError("CYG_CMS_RECEIPT", "the response is for a file with other octets than ours");
  }
  return facts;
}
