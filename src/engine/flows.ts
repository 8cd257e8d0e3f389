/**
 * Which flow a file belongs to and whether the partner may send or take it (CFTIDF, CFTAUTH; Transfer CFT's order of
 * resolution). Pure.
 */
import type { Configuration, Part, Prot } from "../config/model.ts";
import { substitute } from "../config/symbols.ts";
import { flowVariables } from "../config/variables.ts";
import { wildmat } from "../platform/wildmat.ts";

/** A flow that may not be used: DIAGI, message and words for our side. */
export interface Forbidden {
  diagi: number;
  message: string;
  text: string;
}

/**
 * The flow of a received file: CFTIDF of the partner, then of all partners, else what `idf` of the protocol makes of the
 * dataset name, or that itself, where a template is called so, else the partner's default, else the site's.
 */
export function receivedFlow(
  { cftidf, cftrecv, cftparm }: Configuration,
  part: Part,
  prot: Pick<Prot, "idf">,
  dsn: string,
): { idf: string } | { forbidden: Forbidden } {
  const mapped = [...cftidf.values()].filter(({ type, nidf }) => type === "recv" && wildmat(nidf, dsn));
  const own = mapped.filter((each) => each.part === part.id);
  const general = mapped.filter((each) => each.part === "");
  const best = exactFirst(own)[0] ?? exactFirst(general)[0];
  if (best) return { idf: best.id };
  const meant = prot.idf === "" ? "" : substitute(prot.idf, flowVariables(part, dsn)).trimEnd();
  for (const name of [meant, dsn]) if (cftrecv.has(name)) return { idf: name };
  if (cftparm.default_idf) return { idf: part.idf || cftparm.default };
  const text = `"${dsn}" stands for no flow, and default_idf is off`;
  return { forbidden: { diagi: 434, message: "CFTT64E", text } };
}

/** The name of a flow on the line (&NIDF): CFTIDF of the partner, then of all partners, else its id. */
export function networkFlow({ cftidf }: Configuration, part: Part, idf: string): string {
  const mapped = [...cftidf.values()].filter(({ type, id }) => type === "send" && id === idf);
  const found = mapped.find((each) => each.part === part.id) ?? mapped.find((each) => each.part === "");
  return found?.nidf ?? idf;
}

/** Why a flow may not be used with a partner, or undefined. */
export function forbidden(
  { cftauth }: Configuration,
  part: Part,
  idf: string,
  direct: "send" | "recv",
): Forbidden | undefined {
  const key = direct === "send" ? "sauth" : "rauth";
  const id = part[key];
  if (id === "*") return undefined;
  const list = cftauth.get(id);
  const diagi = direct === "send" ? 411 : 413;
  if (list === undefined) {
    return {
      diagi,
      message: "CFTT18E",
      text: `${key} of ${part.id} names the cftauth "${id}", which does not exist`,
    };
  }
  if (list.idf.some((mask) => wildmat(mask, idf)) !== list.deny) return undefined;
  const why = list.deny ? "denies" : "does not allow";
  return { diagi, message: "CFTT25E", text: `${key} of ${part.id} (cftauth ${id}) ${why} flow ${idf}` };
}

/** A name that is meant exactly before a mask, a longer mask before a shorter one. */
function exactFirst<T extends { nidf: string }>(rows: readonly T[]): T[] {
  const weight = ({ nidf }: T) => (/[*?]/.test(nidf) ? nidf.length : 1000);
  return [...rows].sort((a, b) => weight(b) - weight(a));
}
