/** Garbled exchange buffers, a hundred thousand of them. */
import { test } from "tap";
import { mutation } from "../gateway/mutation.ts";

const seed = Number(process.env.CYGNET_MUTATION_SEED ?? Math.floor(Math.random() * 2 ** 31));

// at once, not when the test is over
const progress = (text: string) => void process.stderr.write(`# ${text}\n`);

test("100,000 changed exchange buffers: the gateway lives, answers or closes, and takes no file that was not sent", {
  timeout: 3_500_000,
}, async (t) => {
  await mutation(t, { seed, called: 75_000, calling: 25_000, progress });
});
