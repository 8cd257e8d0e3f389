/** npm run package [-- --out FOLDER] [--compression xz|none]: makes the Debian package. */
import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { describe } from "../../src/platform/errors.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { makeDebianPackage } from "./debian.ts";

const USAGE = "usage: npm run package [-- --out FOLDER] [--compression xz|none]";

try {
  const root = projectRoot();
  const { values } = parseArgs({ options: { out: { type: "string" }, compression: { type: "string" } } });
  const { out = join(root, "build"), compression = "xz" } = values;
  if (compression !== "xz" && compression !== "none") throw new Error(USAGE);
  const file = makeDebianPackage({ root, out, compression });
  console.log(`${relative(process.cwd(), file)}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
} catch (error) {
  console.error(`package: ${describe(error)}`);
  process.exitCode = 1;
}
