/** Writes SignedData around content that streams through it (RFC 5652 section 5; RFC 5024 section 6.2). */
import "reflect-metadata";
import { createHash, type Hash as HashMachine } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CygnetError } from "../platform/errors.ts";
import { encoded } from "./ber.ts";
import { CONTENT_TYPES, objectIdentifier } from "./content-types.ts";
import { type Emit, Frame } from "./frame.ts";
import { HASHES, type Hash, hashAlgorithm } from "./hashes.ts";
import {
  type SignedAttributes,
  type Signing,
  signAttributes,
  signatureSize,
  signedAttributes,
  signerInfo,
} from "./signer-info.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;
const OCTET_STRING = 0x04;
const VERSION_1 = Buffer.from("020101", "hex");
/** SignedData is the third enclosure; its signerInfos stand behind the content. */
const SIGNED_DATA = 2;

/** Signatures by signed attributes, one of each signer; the content is in it, certificates are not. */
export class SignedDataWriter {
  /** Octets of the whole, when the size of the content is known. */
  readonly total: number | undefined;
  readonly #signers: readonly Signing[];
  readonly #time: Date;
  readonly #machines: ReadonlyMap<Hash, HashMachine>;
  readonly #frame: Frame;
  /** Of the content, by each hash that is signed; when it has ended. */
  digests: ReadonlyMap<Hash, Buffer> = new Map();

  /**
   * @param size octets of the content, when known
   * @throws CygnetError CYG_CMS_CERTIFICATE
   */
  constructor(signers: readonly Signing[], time: Date, size: number | undefined) {
    if (signers.length === 0) {
      throw new CygnetError("CYG_CMS_CERTIFICATE", "there is no certificate to sign with");
    }
    this.#signers = signers;
    this.#time = time;
    this.#machines = new Map(signers.map(({ hash }) => [hash, createHash(hash)]));
    const hashes = [...this.#machines.keys()].map((hash) =>
      Buffer.from(AsnConvert.serialize(hashAlgorithm(hash))),
    );
    const blank = this.#signerInfos(
      ({ hash }) => Buffer.alloc(HASHES[hash].length),
      (_, signing) => Buffer.alloc(signatureSize(signing)),
    );
    this.#frame = new Frame(
      [
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.signedData)] },
        { tag: EXPLICIT_0 },
        { tag: SEQUENCE, before: [VERSION_1, setOf(hashes)], after: blank.length },
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.data)] },
        { tag: EXPLICIT_0 },
      ],
      OCTET_STRING,
      size,
    );
    this.total = this.#frame.total;
  }

  push(content: Buffer, emit: Emit): void {
    for (const machine of this.#machines.values()) machine.update(content);
    this.#frame.push(content, emit);
  }

  end(emit: Emit): void {
    this.digests = new Map([...this.#machines].map(([hash, machine]) => [hash, machine.digest()]));
    const infos = this.#signerInfos(({ hash }) => this.digests.get(hash) as Buffer, signAttributes);
    this.#frame.end(emit, infos, SIGNED_DATA);
  }

  #signerInfos(
    digest: (signing: Signing) => Buffer,
    sign: (attributes: SignedAttributes, signing: Signing) => Buffer,
  ): Buffer {
    return setOf(
      this.#signers.map((signing) => {
        const attributes = signedAttributes(digest(signing), this.#time);
        return signerInfo(signing, attributes, sign(attributes, signing));
      }),
    );
  }
}

/** SET OF, in the order of DER. */
function setOf(members: readonly Buffer[]): Buffer {
  return encoded({ tag: SET, content: Buffer.concat(members.toSorted(Buffer.compare)) });
}
