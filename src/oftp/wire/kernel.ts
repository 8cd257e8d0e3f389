/**
 * The kernel of the exchange buffers: `subrecords.wat`, assembled by the build, and the memory that it works in.
 *
 *   64 KiB    where results stand
 *   128 KiB   room for a source from elsewhere, used within one call
 *   slots     512 KiB each, lent to those who read, pack, unpack and write
 *   64 KiB    that loads past the last slot may reach
 *
 * Invariants
 * - The memory never grows: that would take its buffers away from writes under way.
 * - What is not touched costs nothing; what all slots together may cost is bounded, and who finds none does without.
 * - Where the processor or the runtime has no WebAssembly with 128-bit moves there are no slots, and all is done by
 *   `subrecords.ts`.
 */
import { KERNEL } from "./subrecords.generated.ts";

/** What the kernel exports; positions are addresses in its memory. */
interface Exports {
  literals(from: number, at: number, count: number): void;
  compressed(from: number, to: number, at: number, limit: number, last: number): number;
  unpack(from: number, end: number, at: number, room: number): number;
}

/** As much of the runtime's WebAssembly as is used here. */
interface Assembly {
  validate(octets: Uint8Array): boolean;
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (octets: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { exports: Exports };
}

const PAGE = 64 * 1024;
const SOURCE = PAGE;
const SOURCE_ROOM = 2 * PAGE;
const FIRST_SLOT = SOURCE + SOURCE_ROOM;
const SLOTS = 128;

/** Octets of a slot. */
export const SLOT = 512 * 1024;

function load(): { exports: Exports; buffer: ArrayBuffer } | undefined {
  const { WebAssembly } = globalThis as { WebAssembly?: Assembly };
  if (WebAssembly === undefined) return undefined;
  const octets = Buffer.from(KERNEL, "base64");
  if (!WebAssembly.validate(octets)) return undefined;
  const pages = (FIRST_SLOT + SLOTS * SLOT + PAGE) / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(octets), { gateway: { memory } });
  return { exports, buffer: memory.buffer };
}

const loaded = load();
const memory = loaded?.buffer ?? new ArrayBuffer(SLOT);
const octets = Buffer.from(memory);
const free: Buffer[] = Array.from({ length: loaded ? SLOTS : 0 }, (_, index) => {
  const at = FIRST_SLOT + (SLOTS - 1 - index) * SLOT;
  return octets.subarray(at, at + SLOT);
});

/** Nothing stands within a memory that was not made, so nobody calls a kernel that is not there. */
export const kernel = loaded?.exports as Exports;

/** Source position, target position, records and "compressed" of the last call. */
export const results = new Int32Array(memory, 0, 4);

/** True when the octets stand in the kernel's memory. */
export function isWithin(buffer: Buffer): boolean {
  return buffer.buffer === memory;
}

/** Address of octets `from` to `to` of a buffer, which are copied where they stand elsewhere; -1 when they are too many. */
export function addressOf(source: Buffer, from: number, to: number): number {
  if (isWithin(source)) return source.byteOffset + from;
  // loads reach past the end
  if (to - from > SOURCE_ROOM - 128) return -1;
  source.copy(octets, SOURCE, from, to);
  return SOURCE;
}

/**
 * Memory in which packing and unpacking are fastest: SLOT octets, with whatever they held before; undefined when all is
 * lent. To be given back once nobody reads or writes it any more, the disk and the line included.
 */
export function takeSlot(): Buffer | undefined {
  return free.pop();
}

/** Gives a slot back; buffers that are none are left to the runtime. */
export function giveSlot(slot: Buffer): void {
  if (isWithin(slot)) free.push(slot);
}

/** Slots that nobody has. */
export function freeSlots(): number {
  return free.length;
}
