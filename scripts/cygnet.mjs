#!/usr/bin/env node
// The command line of a checkout: sets up what is missing, then runs `cygnet` with the pinned Node.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, runtime } from "./runtime.mjs";
import { become } from "./spawn.mjs";

const main = join(root, "dist", "src", "cli", "main.js");
if (!existsSync(main)) {
  console.error('cygnet: not built yet; run "npm run build" first');
  process.exit(1);
}
become(runtime(), ["--disable-warning=ExperimentalWarning", main, ...process.argv.slice(2)]);
