import { randomBytes } from "node:crypto";

/** Chance as the gateway sees it. Tests supply a seeded one. */
export interface Random {
  /** Uniform in [0, 1), for jitter. */
  fraction(): number;
  /** Cryptographically strong octets. */
  bytes(count: number): Buffer;
}

export const systemRandom: Random = { fraction: () => Math.random(), bytes: (count) => randomBytes(count) };
