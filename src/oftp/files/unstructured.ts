/** Formats U and T alone, as callers that know no other use them. */
export { framedSize } from "./batch.ts";
export { StreamPacker as DataPacker } from "./packing.ts";
export { BLOCK, blocks, sizeInBlocks } from "./restart.ts";
