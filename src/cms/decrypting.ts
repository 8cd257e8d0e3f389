/**
 * Reads EnvelopedData: decrypted content streams through, the verdict on key and padding comes last
 * (RFC 5652 section 6).
 *
 * Invariant: whatever is wrong with the encrypted key or the padding is one and the same error, at the very end.
 */
import "reflect-metadata";
import { createDecipheriv, type X509Certificate } from "node:crypto";
import { RecipientInfo } from "@peculiar/asn1-cms";
import { AsnParser, OctetString } from "@peculiar/asn1-schema";
import type { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { CygnetError } from "../platform/errors.ts";
import { malformed } from "./ber.ts";
import { algorithmIn, objectIdentifierIn, openContentInfo } from "./content-info.ts";
import type { Emit } from "./frame.ts";
import type { Hash } from "./hashes.ts";
import { paddingOf } from "./padding.ts";
import { type BerReader, CONTEXT_0, CONTEXT_1, type Reading, SEQUENCE, SET, type Value } from "./reader.ts";
import { type ContentCipher, contentCipher, type Suite, suiteOf } from "./suites.ts";
import { type Attempt, attempts, octets, type RecipientKey, unwrap } from "./transport.ts";

/** What is known of an envelope that could be opened. */
export interface EncryptedFacts {
  /** Our certificate that it was for. */
  recipient: X509Certificate;
  cipher: Suite;
  /** How its key travelled: RSAES-OAEP with this hash; undefined = RSA PKCS#1 v1.5. */
  oaep: Hash | undefined;
}

const MOST_RECIPIENTS = 100;
/** Octets of one RecipientInfo; 16,384-bit keys with long names stay below. */
const LARGEST_RECIPIENT = 8 * 1024;
const LIMITS = { berOptions: { maxDepth: 32, maxNodes: 4_000, maxContentLength: LARGEST_RECIPIENT } };
const IMPLICIT_0 = 0x80;

/**
 * The description of EnvelopedData for a `BerStream`.
 * @param experimental whether RSAES-OAEP is allowed
 * @param begun called with the type of the content before the first of it
 * @throws CygnetError CYG_CMS_RECIPIENT, CYG_CMS_ALGORITHM, CYG_CMS_DECRYPT, CYG_CMS_STRUCTURE, CYG_CMS_FORMAT
 */
export function* envelopedData(
  reader: BerReader,
  { keys, experimental }: { keys: readonly RecipientKey[]; experimental: boolean },
  begun: (contentType: string) => void,
  emit: Emit,
): Reading<EncryptedFacts> {
  const { body, enclosing } = yield* openContentInfo(reader, "envelopedData", () => false);
  const tried = attempts(yield* recipientsIn(reader, body), keys, experimental);
  const info = yield* reader.expect(body, SEQUENCE);
  begun(yield* objectIdentifierIn(reader, info));
  const { cipher, iv } = cipherOf(yield* algorithmIn(reader, info));
  // every attempt is made, whichever succeeds
  const unwrapped = tried.map((attempt) => ({ ...unwrap(attempt, cipher), attempt }));
  const { contentKey, right, attempt } = unwrapped.find((each) => each.right) ?? (unwrapped[0] as Unwrapped);
  const content = new PaddedContent(cipher, contentKey, iv);
  const string = yield* reader.next(info);
  if (string?.tag !== IMPLICIT_0 && string?.tag !== CONTEXT_0) {
    throw new CygnetError("CYG_CMS_STRUCTURE", "there is no encrypted content in the envelope");
  }
  yield* reader.octets(string, (encrypted) => content.push(encrypted, emit));
  yield* reader.leave(info);
  const attributes = yield* reader.next(body);
  if (attributes) {
    if (attributes.tag !== CONTEXT_1) throw malformed("holds more than it should");
    yield* reader.skip(attributes);
  }
  yield* reader.leave(...enclosing);
  if (!content.end(emit) || !right) throw undecipherable();
  const { own, oaep } = attempt;
  return { recipient: own.certificate, cipher: suiteOf(cipher), oaep };
}

type Unwrapped = ReturnType<typeof unwrap> & { attempt: Attempt };

function* recipientsIn(reader: BerReader, body: Value): Reading<RecipientInfo[]> {
  let part = yield* reader.next(body);
  if (part?.tag === CONTEXT_0) {
    yield* reader.skip(part);
    part = yield* reader.next(body);
  }
  if (part?.tag !== SET) throw malformed("names no recipients");
  const found: RecipientInfo[] = [];
  for (;;) {
    const whole = yield* reader.whole(part, LARGEST_RECIPIENT);
    if (!whole) return found;
    if (found.length === MOST_RECIPIENTS) throw malformed(`has more than ${MOST_RECIPIENTS} recipients`);
    try {
      found.push(AsnParser.parse(octets(whole), RecipientInfo, LIMITS));
    } catch (cause) {
      throw malformed("has a recipient that cannot be read", cause);
    }
  }
}

function cipherOf(algorithm: AlgorithmIdentifier | undefined): { cipher: ContentCipher; iv: Buffer } {
  const cipher = algorithm && contentCipher(algorithm.algorithm);
  if (!cipher) {
    const name = algorithm?.algorithm ?? "none";
    throw new CygnetError("CYG_CMS_ALGORITHM", `content cipher ${name} is neither 3DES nor AES-256`);
  }
  let iv: Buffer;
  try {
    iv = Buffer.from(AsnParser.parse(algorithm.parameters ?? new ArrayBuffer(0), OctetString, LIMITS).buffer);
  } catch (cause) {
    throw malformed("has an initialisation vector that cannot be read", cause);
  }
  if (iv.length !== cipher.block) throw malformed("has an initialisation vector of the wrong size");
  return { cipher, iv };
}

/** Decrypted content with its last block held back, as only the end shows which one is the last. */
class PaddedContent {
  readonly #block: number;
  readonly #machine;
  #held = Buffer.alloc(0);
  #octets = 0;

  constructor(cipher: ContentCipher, key: Buffer, iv: Buffer) {
    this.#block = cipher.block;
    this.#machine = createDecipheriv(cipher.name, key, iv).setAutoPadding(false);
  }

  push(encrypted: Buffer, emit: Emit): void {
    this.#octets += encrypted.length;
    const content = this.#machine.update(encrypted);
    if (content.length === 0) return;
    if (this.#held.length > 0) emit(this.#held);
    const last = content.length - this.#block;
    if (last > 0) emit(content.subarray(0, last));
    this.#held = Buffer.from(content.subarray(last));
  }

  /** Takes the padding off the last block; false when there is none, or no whole block. */
  end(emit: Emit): boolean {
    if (this.#octets === 0 || this.#octets % this.#block !== 0) return false;
    const padding = paddingOf(this.#held, this.#block);
    if (padding === undefined) return false;
    emit(this.#held.subarray(0, this.#block - padding));
    return true;
  }
}

function undecipherable(): CygnetError {
  return new CygnetError("CYG_CMS_DECRYPT", "the content cannot be decrypted with our key");
}
