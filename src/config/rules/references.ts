import { TSL_ID } from "../../pki/trust/tsl-store.ts";
import { nameOf, whereIs } from "../findings.ts";
import type { Entry } from "../sources.ts";
import { didYouMean } from "../suggestion.ts";
import type { ListTable, Scene } from "./scene.ts";

const LISTS: readonly ListTable[] = [
  "cftnet",
  "cftprot",
  "cftpart",
  "cfttcp",
  "cftssl",
  "cftdest",
  "cftauth",
  "cftsend",
  "cftrecv",
  "cftfolder",
  "cftxlate",
  "cftcron",
  "pki",
  "notify",
  "apiuser",
];

/** Whether there is an imported trust list is seen where certificates are. */
const TRUST_LIST = new RegExp(`^${TSL_ID}$`);

/** Keys that name an object of another table; "" names none. */
const REFERENCES: readonly {
  from: ListTable;
  key: string;
  to: ListTable;
  /** Another table whose ids may stand there too. */
  or?: ListTable;
  except?: RegExp;
}[] = [
  { from: "cftprot", key: "net", to: "cftnet" },
  { from: "cftprot", key: "ssl", to: "cftssl" },
  { from: "cftpart", key: "prot", to: "cftprot" },
  { from: "cftpart", key: "ssl", to: "cftssl" },
  { from: "cftpart", key: "idf", to: "cftsend" },
  { from: "cftpart", key: "ipart", to: "cftpart" },
  { from: "cftpart", key: "sauth", to: "cftauth", except: /^\*$/ },
  { from: "cftpart", key: "rauth", to: "cftauth", except: /^\*$/ },
  { from: "cftdest", key: "part", to: "cftpart" },
  { from: "cftidf", key: "part", to: "cftpart" },
  { from: "cfttcp", key: "id", to: "cftpart" },
  { from: "cftssl", key: "usercid", to: "pki" },
  { from: "cftssl", key: "rootcid", to: "pki", except: TRUST_LIST },
  { from: "cftpart", key: "rootcid", to: "pki", except: TRUST_LIST },
  { from: "cftsend", key: "xlate", to: "cftxlate" },
  { from: "cftrecv", key: "xlate", to: "cftxlate" },
  { from: "cftfolder", key: "part", to: "cftpart", or: "cftdest", except: /^\(/ },
  { from: "cftfolder", key: "idf", to: "cftsend", except: /^\(/ },
  { from: "pki", key: "part", to: "cftpart" },
];

/** Ids are unique within their table, and every id that is named exists. */
export function checkReferences(scene: Scene): void {
  for (const table of LISTS) checkUnique(scene, table);
  for (const { from, key, to, or, except } of REFERENCES) {
    const known = [...scene.ids(to), ...(or ? scene.ids(or) : [])];
    // A flow may also be one that exists by default.
    if (to === "cftsend") known.push(scene.tree.cftparm?.default ?? "DEFAULT");
    const exists = new Set(known);
    for (const { entry } of scene.list(from)) {
      const value = entry.value[key];
      for (const [index, id] of (Array.isArray(value) ? value : [value]).entries()) {
        if (typeof id !== "string" || id === "" || except?.test(id) || exists.has(id)) continue;
        const element = Array.isArray(value) ? index : undefined;
        const choice =
          known.length > 0 ? `known are ${[...new Set(known)].join(", ")}` : `there is no [[${to}]] yet`;
        const message = `there is no ${to} "${id}"${didYouMean(id, known)}; ${choice}`;
        scene.findings.problem(entry, { key, element }, "CYG_CONFIG_REFERENCE", message);
      }
    }
  }
}

/** cftssl is known by id and direction, all others by id. */
function checkUnique(scene: Scene, table: ListTable): void {
  const seen = new Map<string, Entry>();
  for (const { entry, value } of scene.list(table)) {
    if (value.id === undefined || (table === "cftssl" && entry.value.direct === undefined)) continue;
    const first = seen.get(nameOf(entry));
    if (first) {
      const message = `there is already a ${nameOf(entry)} at ${whereIs(first)}; each id may stand once`;
      scene.findings.problem(entry, { key: "id" }, "CYG_CONFIG_DUPLICATE", message);
    } else seen.set(nameOf(entry), entry);
  }
}
