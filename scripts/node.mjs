// node scripts/node.mjs FILE [ARG ...]: runs FILE with the pinned Node.
import { runtime } from "./runtime.mjs";
import { become } from "./spawn.mjs";

become(runtime(), process.argv.slice(2));
