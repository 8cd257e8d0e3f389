/** Writes EnvelopedData around content that streams through it (RFC 5652 section 6; RFC 5024 section 6.4). */
import "reflect-metadata";
import { type Cipheriv, createCipheriv, randomBytes, type X509Certificate } from "node:crypto";
import { ContentEncryptionAlgorithmIdentifier } from "@peculiar/asn1-cms";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { CygnetError } from "../platform/errors.ts";
import { encoded } from "./ber.ts";
import { CONTENT_TYPES, objectIdentifier } from "./content-types.ts";
import { type Emit, Frame } from "./frame.ts";
import type { Hash } from "./hashes.ts";
import { CONTENT_CIPHERS, newContentKey, type Suite } from "./suites.ts";
import { octets, transport } from "./transport.ts";

/** For whom, under which content cipher. Each recipient can open the envelope alone. */
export interface Encryption {
  recipients: readonly X509Certificate[];
  cipher: Suite;
  /** The hash of RSAES-OAEP, by which the content key travels then; RSA PKCS#1 v1.5 without it. */
  oaep?: Hash;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;
const IMPLICIT_0 = 0x80;
const VERSION_0 = Buffer.from("020100", "hex");

export class EnvelopedDataWriter {
  /** Octets of the whole, when the size of the content is known. */
  readonly total: number | undefined;
  readonly #cipher: Cipheriv;
  readonly #frame: Frame;

  /** @throws CygnetError CYG_CMS_CERTIFICATE */
  constructor({ recipients, cipher, oaep }: Encryption, size: number | undefined) {
    if (recipients.length === 0) {
      throw new CygnetError("CYG_CMS_CERTIFICATE", "there is no certificate to encrypt for");
    }
    const { oid, name, block } = CONTENT_CIPHERS[cipher];
    const key = newContentKey(CONTENT_CIPHERS[cipher]);
    const iv = randomBytes(block);
    this.#cipher = createCipheriv(name, key, iv);
    const infos = recipients.map((each) => Buffer.from(AsnConvert.serialize(transport(key, each, oaep))));
    const algorithm = new ContentEncryptionAlgorithmIdentifier({
      algorithm: oid,
      parameters: AsnConvert.serialize(new OctetString(octets(iv))),
    });
    const recipientInfos = encoded({ tag: SET, content: Buffer.concat(infos.toSorted(Buffer.compare)) });
    this.#frame = new Frame(
      [
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.envelopedData)] },
        { tag: EXPLICIT_0 },
        { tag: SEQUENCE, before: [VERSION_0, recipientInfos] },
        {
          tag: SEQUENCE,
          before: [objectIdentifier(CONTENT_TYPES.data), Buffer.from(AsnConvert.serialize(algorithm))],
        },
      ],
      IMPLICIT_0,
      size === undefined ? undefined : size + block - (size % block),
    );
    this.total = this.#frame.total;
  }

  push(content: Buffer, emit: Emit): void {
    this.#frame.push(this.#cipher.update(content), emit);
  }

  end(emit: Emit): void {
    this.#frame.push(this.#cipher.final(), emit);
    this.#frame.end(emit);
  }
}
