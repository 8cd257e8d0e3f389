/** Writes SignedData around content that streams through it (RFC 5652 section 5; RFC 5024 section 6.2). */
import "reflect-metadata";
import { createHash } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { encoded } from "./ber.ts";
import { CONTENT_TYPES, objectIdentifier } from "./content-types.ts";
import { type Emit, Frame } from "./frame.ts";
import { HASHES, hashAlgorithm } from "./hashes.ts";
import { type Signing, signAttributes, signatureSize, signedAttributes, signerInfo } from "./signer-info.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;
const OCTET_STRING = 0x04;
const VERSION_1 = Buffer.from("020101", "hex");
/** SignedData is the third enclosure; its signerInfos stand behind the content. */
const SIGNED_DATA = 2;

/** One signature, by signed attributes; the content is in it, the certificate is not. */
export class SignedDataWriter {
  /** Octets of the whole, when the size of the content is known. */
  readonly total: number | undefined;
  readonly #signing: Signing;
  readonly #time: Date;
  readonly #hash;
  readonly #frame: Frame;

  /** @throws CygnetError CYG_CMS_CERTIFICATE */
  constructor(signing: Signing, time: Date, size: number | undefined) {
    this.#signing = signing;
    this.#time = time;
    this.#hash = createHash(signing.hash);
    const hash = Buffer.from(AsnConvert.serialize(hashAlgorithm(signing.hash)));
    const blank = this.#signerInfos(Buffer.alloc(HASHES[signing.hash].length), (_) =>
      Buffer.alloc(signatureSize(signing)),
    );
    this.#frame = new Frame(
      [
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.signedData)] },
        { tag: EXPLICIT_0 },
        { tag: SEQUENCE, before: [VERSION_1, encoded({ tag: SET, content: hash })], after: blank.length },
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.data)] },
        { tag: EXPLICIT_0 },
      ],
      OCTET_STRING,
      size,
    );
    this.total = this.#frame.total;
  }

  push(content: Buffer, emit: Emit): void {
    this.#hash.update(content);
    this.#frame.push(content, emit);
  }

  end(emit: Emit): void {
    const infos = this.#signerInfos(this.#hash.digest(), (attributes) =>
      signAttributes(attributes, this.#signing),
    );
    this.#frame.end(emit, infos, SIGNED_DATA);
  }

  #signerInfos(digest: Buffer, sign: (attributes: ReturnType<typeof signedAttributes>) => Buffer): Buffer {
    const attributes = signedAttributes(digest, this.#time);
    return encoded({ tag: SET, content: signerInfo(this.#signing, attributes, sign(attributes)) });
  }
}
