/** Garbled exchange buffers, thousands of them. */
import { test } from "tap";
import { mutation } from "./mutation.ts";

const seed = Number(process.env.CYGNET_MUTATION_SEED ?? Math.floor(Math.random() * 2 ** 31));

test("5,000 changed exchange buffers: the gateway lives, answers or closes, and takes no file that was not sent", {
  timeout: 600_000,
}, async (t) => {
  await mutation(t, { seed, called: 3800, calling: 1200, progress: () => {} });
});
