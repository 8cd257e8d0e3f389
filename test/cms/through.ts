/** Contents through the transforms, whole in memory, in chunks of any sizes. */

import type { Emit } from "../../src/cms/frame.ts";
import { type UnsealFacts, type UnsealOptions, unseal } from "../../src/cms/opening.ts";
import { type SealFacts, type SealOptions, seal, type Transform } from "../../src/cms/sealing.ts";
import { CygnetError } from "../../src/platform/errors.ts";

/** Sizes of chunks, used in turn; the memory of each chunk is overwritten as soon as that is allowed. */
export async function through<Facts>(
  make: (emit: Emit) => Transform<Facts>,
  content: Buffer,
  sizes: readonly number[] = [256 * 1024],
): Promise<{ octets: Buffer; facts: Facts }> {
  const out: Buffer[] = [];
  const transform = make((octets) => out.push(Buffer.from(octets)));
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const chunk = Buffer.from(content.subarray(at, at + (sizes[turn % sizes.length] as number)));
    at += chunk.length;
    await transform.push(chunk);
    chunk.fill(0xee);
  }
  const facts = await transform.end();
  return { octets: Buffer.concat(out), facts };
}

export async function sealed(content: Buffer, options: SealOptions, sizes?: number[]): Promise<Buffer> {
  return (await through((emit) => seal(options, emit), content, sizes)).octets;
}

export function opened(
  octets: Buffer,
  options: UnsealOptions,
  sizes?: number[],
): Promise<{ octets: Buffer; facts: UnsealFacts }> {
  return through((emit) => unseal(options, emit), octets, sizes);
}

export function sealedWithFacts(
  content: Buffer,
  options: SealOptions,
): Promise<{ octets: Buffer; facts: SealFacts }> {
  return through((emit) => seal(options, emit), content);
}

/** What a rejected promise was rejected with; anything but an error of this room is thrown on. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<CygnetError> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (error instanceof CygnetError && error.code.startsWith("CYG_CMS_")) return error;
    throw error;
  }
  throw new Error("nothing failed");
}
