/** What is recorded for a file that is to be sent, and why it may not go yet. */
import { basename } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import type { Configuration, Part, Send } from "../config/model.ts";
import { substitute } from "../config/symbols.ts";
import type { Activation } from "../config/units.ts";
import { sendVariables } from "../config/variables.ts";
import { utf8 } from "../oftp/wire/codec.ts";
import { datasetName } from "../spool/names.ts";
import type { ClaimTarget } from "../spool/spool.ts";
import { forbidden, networkFlow } from "./flows.ts";
import { lackingFor, wantedSecurity } from "./security.ts";
import type { Site } from "./site.ts";

type Hold = NonNullable<ClaimTarget["hold"]>;

const HELD = "held: the partner fetches it when it calls, or cygnet start sends it";

/** The flow template where the configuration has none. */
const BUILT_IN: Omit<Send, "id"> = {
  nfname: "&FROOT&(-.)FSUF",
  workingdir: "",
  frecfm: "U",
  flrecl: 0,
  fcode: "binary",
  ftype: "T",
  xlate: "",
  preexec: null,
  exec: null,
  ackexec: null,
  exece: null,
  ackstate: "require",
  pri: 128,
  state: "disp",
  duplicat: "",
  acktimeout: 0,
  mintime: null,
  maxtime: null,
  maxduration: 0,
  security: {},
};

/** What is recorded for a file that is to be sent: flow, names, codes. */
export async function describeSend(
  site: Site,
  part: Part,
  idf: string,
  path: string,
  mtimeMs: number,
  asked: { nfname?: string; state?: Send["state"] } = {},
) {
  const { configuration } = site;
  const flowId = idf || part.idf || configuration.cftparm.default;
  const flow: Omit<Send, "id"> =
    configuration.cftsend.get(flowId) ?? configuration.cftsend.get(configuration.cftparm.default) ?? BUILT_IN;
  const variables = sendVariables({
    site: configuration.cftparm.part,
    part,
    idf: flowId,
    nidf: networkFlow(configuration, part, flowId),
    name: basename(path),
    fileDate: new Date(mtimeMs),
    now: new Date(site.clock.now()),
  });
  const name = substitute(asked.nfname ?? flow.nfname, variables);
  const dsn = datasetName(name);
  const hold = (await obstacle(site, part, flowId, flow)) ?? heldBy(asked.state ?? flow.state);
  return {
    ...(hold ? { hold } : {}),
    request: {
      part: part.id,
      idf: flowId,
      nfname: name,
      dsn,
      orig: part.sfidorig,
      dest: part.sfiddest,
      description: dsn === name ? "" : utf8(name, 999).toString("utf8"),
      pri: flow.pri,
      ackstate: flow.ackstate,
      script: flow.preexec && flow.preexec.length > 0 ? ("preexec" as const) : ("" as const),
      coarse: knowsNoCounter(configuration, part),
      security: wantedSecurity(part, flow),
      format: flow.frecfm,
      lrecl: flow.flrecl,
      dupkey: flow.duplicat && substitute(flow.duplicat, variables),
      ...slotOf(flow, site.clock.now()),
    },
  };
}

/** When a send may begin and until when: MINTIME and MAXTIME, counted from the request. */
function slotOf({ mintime, maxtime }: Pick<Send, "mintime" | "maxtime">, now: number) {
  const retryAt = mintime === null ? 0 : momentOf(mintime, now);
  if (maxtime === null) return { retryAt };
  const until = momentOf(maxtime, now);
  // a slot that ends before it begins spans midnight, and so does one that is over for today
  return { retryAt, deadline: until < Math.max(retryAt, now) ? until + DAY : until };
}

const DAY = 24 * 3600 * 1000;

function momentOf(moment: Activation, now: number): number {
  return "after" in moment ? now + moment.after : new Date(now).setHours(0, 0, 0, 0) + moment.at;
}

/** True when nothing newer than OFTP 1.3 is spoken with a partner. */
function knowsNoCounter({ cftprot }: Configuration, part: Part): boolean {
  const levels = part.prot.flatMap((id) => cftprot.get(id)?.level ?? []);
  return levels.every((level) => level < 4 || (part.level !== null && !part.level.includes(level)));
}

/** Why a file is not sent as things are, or undefined: its flow is not allowed, or it lacks what protects it. */
export async function obstacle(
  site: Site,
  part: Part,
  idf: string,
  flow: Pick<Send, "security">,
): Promise<Hold | undefined> {
  const { cftparm, cftsend } = site.configuration;
  if (!cftparm.default_idf && !cftsend.has(idf)) {
    const diagc = `there is no cftsend "${idf}", and default_idf is off`;
    return { step: "K", diagi: 434, diagp: "NO IDF", diagc };
  }
  const denied = forbidden(site.configuration, part, idf, "send");
  if (denied) return { step: "K", diagi: denied.diagi, diagp: "SAUTH", diagc: denied.text };
  return unprotected(site, part, flow);
}

/** A file that must be protected is never sent without: it stops, with what is missing. */
async function unprotected(site: Site, part: Part, flow: Pick<Send, "security">): Promise<Hold | undefined> {
  const wanted = wantedSecurity(part, flow);
  const lacking = wanted ? await lackingFor(site.credentials, site.judgement, part, wanted) : [];
  if (lacking.length === 0) return undefined;
  const diagc = `the file is to be secured, but [[pki]] lacks ${lacking.join(" and ")}; it is not sent without`;
  return { step: "K", diagi: 278, diagp: "SECURITY", diagc };
}

/** How a send is recorded that does not simply wait for its turn (STATE of CFTSEND and of the SEND command). */
function heldBy(state: Send["state"]): Hold | undefined {
  if (state === "disp") return undefined;
  if (state === "hold") return { step: "H", diagi: 0, diagp: "HOLD", diagc: HELD };
  return { step: "K", diagi: 0, diagp: "KEEP", diagc: "kept: cygnet start sends it" };
}

/** True for a send that its partner is to fetch, also while it is claimed. */
export function isHeld({ diagi, diagp }: Pick<Transfer, "diagi" | "diagp">): boolean {
  return diagi === 0 && diagp === "HOLD";
}
