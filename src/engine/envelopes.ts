/**
 * File security of OFTP 2.0 as the engine uses it: sealing and opening whole files beside the protocol loop, signing
 * and judging end-to-end responses. Our keys are chosen here by usage and validity, a partner's certificates by `Judgement`.
 */
import type { FileSecurity, Transfer } from "../catalog/catalog.ts";
import { SealingPool } from "../cms/pool.ts";
import { CMS_REASONS } from "../cms/reasons.ts";
import { signReceipt, verifyReceipt } from "../cms/receipt.ts";
import { CIPHER_SUITES, type CipherSuite } from "../cms/suites.ts";
import type { Part } from "../config/model.ts";
import type { Eerp, Nerp } from "../oftp/wire/commands.ts";
import type { Clock } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Maker } from "../spool/convert.ts";
import type { Credentials } from "./credentials.ts";
import type { Judged, Judgement } from "./judgement.ts";

/** zlib level: nearly the size of the default at twice the speed. */
const COMPRESSION = 4;
/** Failures of our own side, which may pass: the delivery is tried again. */
const PASSING = new Set(["CYG_CMS_FILE", "CYG_CMS_WORKER"]);

export class Envelopes {
  readonly #credentials: () => Credentials;
  readonly #judgement: () => Judgement;
  readonly #clock: Clock;
  readonly #pool = new SealingPool();

  constructor(credentials: () => Credentials, judgement: () => Judgement, clock: Clock) {
    this.#credentials = credentials;
    this.#judgement = judgement;
    this.#clock = clock;
  }

  /** Makes the envelope of a file for a partner. */
  sealing(part: Part, security: FileSecurity): Maker {
    return async (_disk, source, target) => {
      const credentials = this.#credentials();
      const suite = suiteOf(security);
      const { hash, cipher } = CIPHER_SUITES[suite];
      const [signer] = credentials.own("sign");
      if (security.sign && !signer) throw lacks("a key of this site for sign");
      const judged = security.encrypt ? await this.#judgement().of(part, "encrypt") : NOBODY;
      const [recipient] = judged.good;
      if (security.encrypt && !recipient) throw lacks(`a certificate of ${part.id} for encrypt`, judged);
      const options = {
        ...(security.sign && signer ? { sign: { ...signer, hash } } : {}),
        ...(security.compress ? { compress: { level: COMPRESSION } } : {}),
        ...(security.encrypt && recipient ? { encrypt: { recipients: [recipient], cipher } } : {}),
      };
      const { plain, transmitted } = await this.#pool.run({ kind: "seal", source, target, suite, options });
      return {
        size: transmitted.size,
        sourceSha256: plain.sha256.toString("hex"),
        sha256: "",
        linehash: transmitted.hash.toString("hex"),
      };
    };
  }

  /** Opens the envelope of a partner's file and verifies it. */
  opening(part: Part, { sign, encrypt, compress, cipher }: FileSecurity): Maker {
    return async (disk, source, target) => {
      const suite = suiteOf({ cipher });
      const judged = sign ? await this.#judgement().of(part, "sign") : NOBODY;
      // whatever a partner has compressed, it must not fill the disk
      const largest = Math.floor((await disk.freeSpace(source)) * 0.9);
      const options = {
        expected: { signed: sign, compressed: compress, encrypted: encrypt },
        keys: this.#credentials().own("decrypt"),
        signers: judged.good,
        guard: { largest },
      };
      const job = { kind: "unseal" as const, source, target, suite, options };
      const { plain, transmitted } = await this.#pool.run(job).catch((error: unknown) => {
        throw unproved(error, judged);
      });
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
  signReceipt(response: Eerp | Nerp, { security, linehash }: Transfer): { hsh: Buffer; sig: Buffer } {
    const { hash } = CIPHER_SUITES[suiteOf(security ?? { cipher: 0 })];
    const [signer] = this.#credentials().own("receipt");
    if (!signer) throw lacks("a key of this site for receipt");
    const hsh = Buffer.from(linehash, "hex");
    const sig = signReceipt({ ...response, hsh }, { ...signer, hash }, new Date(this.#clock.now()));
    return { hsh, sig };
  }

  /** Why a response that had to be signed is not good, or undefined. `sent`: hash of the octets that we sent. */
  async judgeReceipt(part: Part, response: Eerp | Nerp, sent: Buffer): Promise<string | undefined> {
    if (response.sig.length === 0) return "it is not signed";
    const { good, refused } = await this.#judgement().of(part, "receipt");
    try {
      verifyReceipt(response, response.sig, sent, good);
      return undefined;
    } catch (error) {
      return [describe(error), ...refused].join("; ");
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** NERP reason of a file that cannot be opened; undefined for a failure that may pass, or is none of this. */
export function nerpReasonOf(error: unknown): number | undefined {
  if (!(error instanceof CygnetError) || PASSING.has(error.code)) return undefined;
  return CMS_REASONS[error.code]?.nerp;
}

/** Compression alone carries no suite: then the hash, which nobody asks for, is that of the default one. */
function suiteOf({ cipher }: Pick<FileSecurity, "cipher">): CipherSuite {
  const suite = String(cipher).padStart(2, "0");
  return suite in CIPHER_SUITES ? (suite as CipherSuite) : "04";
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
