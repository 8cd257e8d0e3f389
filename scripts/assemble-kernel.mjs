// Assembles the kernel of the exchange buffers: node scripts/assemble-kernel.mjs src/oftp/wire/subrecords.generated.ts
// The result is a module with the octets in it, so that it goes wherever the compiled sources go.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const output = process.argv[2];
if (!output) {
  console.error("usage: assemble-kernel.mjs OUTPUT.ts");
  process.exit(2);
}
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "src", "oftp", "wire", "subrecords.wat");
const { parseWat } = await wabt();
const module = parseWat(source, readFileSync(source, "utf8"), { simd: true, bulk_memory: true });
module.validate();
const octets = Buffer.from(module.toBinary({}).buffer).toString("base64");
writeFileSync(
  output,
  `/** Made from subrecords.wat by scripts/assemble-kernel.mjs. */\nexport const KERNEL = "${octets}";\n`,
);
