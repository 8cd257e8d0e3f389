/** Long work in the main loop, cut into pieces between which everything else goes on. */
import { setImmediate as turn } from "node:timers/promises";

/** How long a piece may be, ms. */
const PIECE = 8;

/** For one piece of long work: call it often; it waits for the next turn of the loop when the piece is long enough. */
export function breather(): () => Promise<void> | undefined {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun < PIECE) return undefined;
    return turn().then(() => {
      begun = performance.now();
    });
  };
}
