/**
 * File security of OFTP 2.0 as the engine uses it: sealing and opening whole files beside the protocol loop, signing
 * and judging end-to-end responses. Our keys are chosen here by usage and validity, a partner's certificates by `Judgement`.
 */
import type { FileSecurity, Transfer } from "../catalog/catalog.ts";
import type { RecipientKey } from "../cms/enveloped.ts";
import type { Hash } from "../cms/hashes.ts";
import type { UnsealFacts } from "../cms/opening.ts";
import { SealingPool } from "../cms/pool.ts";
import { CMS_REASONS, type Reasons } from "../cms/reasons.ts";
import { signReceipt, verifyReceipt } from "../cms/receipt.ts";
import { type Algorithms, CIPHER_SUITES, type CipherSuite, cipherSuite } from "../cms/suites.ts";
import type { Configuration, Part } from "../config/model.ts";
import type { Eerp, Nerp } from "../oftp/wire/commands.ts";
import type { Handovers } from "../pki/handovers.ts";
import type { Clock } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Maker } from "../spool/convert.ts";
import type { Credentials } from "./credentials.ts";
import { signersFor } from "./exchange/signers.ts";
import type { Judged, Judgement } from "./judgement.ts";

/** zlib level: nearly the size of the default at twice the speed. */
const COMPRESSION = 4;
/** Failures of our own side, which may pass: the delivery is tried again. */
const PASSING = new Set(["CYG_CMS_FILE", "CYG_CMS_WORKER"]);

/** The current generation. */
interface Current {
  configuration: Configuration;
  credentials: Credentials;
  judgement: Judgement;
  handovers: Pick<Handovers, "list">;
}

export class Envelopes {
  readonly #site: () => Current;
  readonly #clock: Clock;
  readonly #pool = new SealingPool();

  /** @param site asked for each file anew */
  constructor(site: () => Current, clock: Clock) {
    this.#site = site;
    this.#clock = clock;
  }

  /** Our keys that sign for a partner: one, or all where it wants that. */
  #signers(part: Part, usage: "sign" | "receipt"): readonly RecipientKey[] {
    const { credentials, handovers } = this.#site();
    return serving(part, signersFor(credentials.own(usage), handovers.list({ part: part.id })));
  }

  /**
   * Makes the envelope of a file for a partner.
   * @param note told, in words, what is worth knowing about it
   */
  sealing(part: Part, security: FileSecurity, note: (text: string) => void): Maker {
    return async (disk, source, target) => {
      const { judgement } = this.#site();
      const suite = suiteOf(security);
      const { hash, cipher, rsa } = CIPHER_SUITES[suite];
      const oaep = oaepOf(CIPHER_SUITES[suite]);
      const signers = this.#signers(part, "sign");
      if (security.sign && signers.length === 0) throw lacks("a key of this site for sign");
      const judged = security.encrypt ? await judgement.of(part, "encrypt") : NOBODY;
      const recipients = serving(part, judged.good);
      if (security.encrypt && recipients.length === 0) {
        throw lacks(`a certificate of ${part.id} for encrypt`, judged);
      }
      const options = {
        ...(security.sign ? { sign: signers.map((signer) => ({ ...signer, hash, rsa })) } : {}),
        ...(security.compress ? { compress: { level: COMPRESSION } } : {}),
        ...(security.encrypt ? { encrypt: { recipients, cipher, ...(oaep ? { oaep } : {}) } } : {}),
      };
      const { size } = await disk.status(source);
      const job = { kind: "seal", source, target, suite, size, options } as const;
      const { plain, transmitted, facts } = await this.#pool.run(job);
      const { stored, blocks } = facts.compressed ?? { stored: 0, blocks: 0 };
      if (stored > 0) note(`${stored} of its ${blocks} blocks cannot be compressed and travel as they are`);
      return {
        size: transmitted.size,
        sourceSha256: plain.sha256.toString("hex"),
        sha256: "",
        linehash: transmitted.hash.toString("hex"),
      };
    };
  }

  /**
   * Opens the envelope of a partner's file and verifies it.
   * @param note told, in words, what is odd about an envelope that is good
   */
  opening(part: Part, security: FileSecurity, note: (text: string) => void): Maker {
    return async (disk, source, target) => {
      const { sign, encrypt, compress, cipher, original = 0 } = security;
      const { configuration, credentials, judgement } = this.#site();
      const suite = suiteOf({ cipher });
      const judged = sign ? await judgement.of(part, "sign") : NOBODY;
      const largest = Math.floor((await disk.space(source)).free * 0.9);
      if (original > largest) throw noRoom(original, largest);
      const options = {
        expected: { signed: sign, compressed: compress, encrypted: encrypt },
        keys: credentials.openers(),
        signers: judged.good,
        experimental: configuration.cftparm.experimental_ciphers,
        // whatever a partner has compressed, it must not fill the disk
        guard: { original, largest },
      };
      const { size } = await disk.status(source);
      const job = { kind: "unseal", source, target, suite, size, options } as const;
      const { plain, transmitted, facts } = await this.#pool.run(job).catch((error: unknown) => {
        throw unproved(error, judged);
      });
      for (const text of oddities(facts, suite)) note(text);
      return {
        size: plain.size,
        sourceSha256: "",
        sha256: plain.sha256.toString("hex"),
        linehash: transmitted.hash.toString("hex"),
      };
    };
  }

  /**
   * Hash and signature of a response to a received file.
   * @throws CygnetError when there is no key for it
   */
  signReceipt(
    part: Part,
    response: Eerp | Nerp,
    { security, linehash }: Transfer,
  ): { hsh: Buffer; sig: Buffer } {
    const { hash, rsa } = CIPHER_SUITES[suiteOf(security ?? { cipher: 0 })];
    const signers = this.#signers(part, "receipt");
    if (signers.length === 0) throw lacks("a key of this site for receipt");
    const hsh = Buffer.from(linehash, "hex");
    const signings = signers.map((signer) => ({ ...signer, hash, rsa }));
    return { hsh, sig: signReceipt({ ...response, hsh }, signings, new Date(this.#clock.now())) };
  }

  /** Why a response that had to be signed is not good, or undefined. `sent`: hash of the octets that we sent. */
  async judgeReceipt(part: Part, response: Eerp | Nerp, sent: Buffer): Promise<string | undefined> {
    if (response.sig.length === 0) return "it is not signed";
    const { configuration, judgement } = this.#site();
    const { experimental_ciphers: experimental } = configuration.cftparm;
    const { good, refused } = await judgement.of(part, "receipt");
    try {
      verifyReceipt(response, response.sig, sent, good, experimental);
      return undefined;
    } catch (error) {
      return [describe(error), ...refused].join("; ");
    }
  }

  /** True when a small envelope would be opened at once. */
  get free(): boolean {
    return this.#pool.free;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Reasons of a file that cannot be opened; undefined for a failure that may pass, or is none of this. */
export function reasonsOf(error: unknown): Reasons | undefined {
  if (!(error instanceof CygnetError) || PASSING.has(error.code)) return undefined;
  return CMS_REASONS[error.code];
}

/** Compression alone carries no suite: then the hash, which nobody asks for, is that of the default one. */
function suiteOf({ cipher }: Pick<FileSecurity, "cipher">): CipherSuite {
  return cipherSuite(cipher, true) ?? "04";
}

/** Of the certificates that could serve, the newest first: that one, or all where the partner wants that. */
function serving<T>({ changeover }: Part, usable: readonly T[]): readonly T[] {
  return changeover === "all" ? usable : usable.slice(0, 1);
}

/** What is not as it was announced, or not as it should be, in an envelope that was opened all the same. */
function oddities({ signed, encrypted, ignored }: UnsealFacts, suite: CipherSuite): string[] {
  const announced = CIPHER_SUITES[suite];
  const found: string[] = [];
  if (signed && (signed.hash !== announced.hash || signed.rsa !== announced.rsa)) {
    found.push(`it is signed with ${signed.hash} (${signed.rsa}), which is not of cipher suite ${suite}`);
  }
  if (encrypted && (encrypted.cipher !== announced.cipher || encrypted.oaep !== oaepOf(announced))) {
    const transport = encrypted.oaep ? `OAEP ${encrypted.oaep}` : "pkcs1";
    found.push(
      `it is encrypted with ${encrypted.cipher} (${transport}), which is not of cipher suite ${suite}`,
    );
  }
  found.push(...(signed?.others ?? []));
  if (ignored > 0) found.push(`${ignored} octets behind it were ignored`);
  return found;
}

function oaepOf({ rsa, hash }: Algorithms): Hash | undefined {
  return rsa === "pkcs1" ? undefined : hash;
}

/** The disk is ours: what does not fit now is tried again. */
function noRoom(original: number, largest: number): CygnetError {
  const text = `the file in the envelope has ${original} octets, and there is room for ${largest}`;
  return new CygnetError("CYG_CMS_FILE", text);
}

/** The hash algorithm of a file's cipher suite. */
export function hashOf(security: FileSecurity | null): string {
  return CIPHER_SUITES[suiteOf(security ?? { cipher: 0 })].hash;
}

const NOBODY: Judged = { good: [], refused: [], passing: false };

/**
 * What a signature that is by nobody whom we may believe means: also that those whom we know may not be believed. Where
 * that is only because somebody could not be asked, the failure is one that may pass.
 */
function unproved(error: unknown, { refused, passing }: Judged): unknown {
  if (!(error instanceof CygnetError) || error.code !== "CYG_CMS_SIGNATURE" || refused.length === 0)
    return error;
  const code = passing ? "CYG_SECURITY_UNANSWERED" : error.code;
  return new CygnetError(code, [error.message, ...refused].join("; "), { cause: error });
}

function lacks(what: string, { refused }: Judged = NOBODY): CygnetError {
  const why = refused.map((text) => `; ${text}`).join("");
  return new CygnetError("CYG_SECURITY_KEY", `[[pki]] lacks ${what}; the file is not sent without${why}`);
}
