import { createSecureContext } from "node:tls";
import { nameRule } from "../../pki/name-rule.ts";
import { parsePin } from "../../pki/pins.ts";
import { describe } from "../../platform/errors.ts";
import type { Cftssl } from "../generated.ts";
import { keySchema } from "../schemas.ts";
import type { Item, Scene } from "./scene.ts";

/** TLS profiles: whom they trust, that what they ask can be asked, and that they are not left open by mistake. */
export function checkProfiles(scene: Scene): void {
  for (const item of scene.list("cftssl")) {
    checkTrust(scene, item);
    checkDemands(scene, item);
    checkGroups(scene, item);
    checkPartnerSuites(scene, item);
    if (item.value.keylog) {
      const message = `the secrets of all its sessions are written to ${scene.runtimePath(item.value.keylog)}: whoever reads that file reads the sessions; take keylog away when the search is over`;
      scene.findings.warning(item.entry, { key: "keylog" }, "CYG_CONFIG_ADVICE", message);
    }
  }
}

function checkTrust(scene: Scene, { entry, value }: Item<Cftssl>): void {
  if (value.direct === "server" && value.usercid === "") {
    const message = 'a server profile needs our certificate and key; example: usercid = "hub"';
    scene.findings.problem(entry, { key: "usercid" }, "CYG_CONFIG_REQUIRED", message);
  }
  const looks = value.verify !== undefined && value.verify !== "none";
  if (looks && value.rootcid?.length === 0 && value.pins?.length === 0) {
    const message = `verify = "${value.verify}" needs to know who may have signed, or which keys are known; example: rootcid = ["demo-ca"]`;
    scene.findings.problem(entry, { key: "rootcid" }, "CYG_CONFIG_REQUIRED", message);
  }
}

/** Keys that say something about the other side's certificate; with verify = "none" nobody would look. */
const DEMANDS = [
  "depth",
  "dnuser",
  "dnissuer",
  "keyext",
  "hostnames",
  "pins",
  "crl",
  "ocsp",
  "cerfname",
] as const;

function checkDemands(scene: Scene, { entry, value }: Item<Cftssl>): void {
  const wrong = (key: string, message: string, element?: number) =>
    scene.findings.problem(entry, { key, element }, "CYG_CONFIG_VALUE", message);
  if (value.verify === "none") {
    for (const key of DEMANDS) {
      if (JSON.stringify(value[key]) === JSON.stringify(keySchema("cftssl", key)?.default)) continue;
      wrong(key, 'verify = "none" looks at no certificate; take the key away, or set verify = "required"');
    }
  }
  for (const key of ["dnuser", "dnissuer"] as const) {
    const fault = faultOf(() => nameRule(value[key] ?? ""));
    if (fault) wrong(key, fault);
  }
  for (const [element, pin] of (value.pins ?? []).entries()) {
    const fault = faultOf(() => parsePin(pin));
    if (fault) wrong("pins", fault, element);
  }
  const host = value.direct === "server" ? (value.hostnames ?? []).indexOf("&HOST") : -1;
  if (host >= 0) {
    wrong(
      "hostnames",
      '"&HOST" is the host that is called: a server profile has none; write the names',
      host,
    );
  }
}

function checkGroups(scene: Scene, { entry, value }: Item<Cftssl>): void {
  for (const [element, group] of (value.groups ?? []).entries()) {
    if (faultOf(() => createSecureContext({ ecdhCurve: group, ca: [] })) === undefined) continue;
    const message = `"${group}" is no group that is known here; examples: "X25519", "P-256", "P-384", "X25519MLKEM768"`;
    scene.findings.problem(entry, { key: "groups", element }, "CYG_CONFIG_VALUE", message);
  }
}

/** The server profile of a partner is compared with what was negotiated before it was known: by name. */
function checkPartnerSuites(scene: Scene, { entry, value }: Item<Cftssl>): void {
  const isPartners = scene.list("cftpart").some((part) => part.value.ssl === value.id);
  if (value.direct !== "server" || !isPartners) return;
  const suites = (value.ciphlist ?? "").split(/[\s,:]+/).filter((name) => name !== "");
  const odd = suites.find((name) => !/^(\d+|TLS_\w+|[A-Z0-9]+(-[A-Z0-9]+)+)$/.test(name));
  if (odd === undefined) return;
  const message = `"${odd}" is not the name of one suite, and this profile is compared with partners' suites by name; example: ciphlist = "ECDHE-RSA-AES256-GCM-SHA384"`;
  scene.findings.problem(entry, { key: "ciphlist" }, "CYG_CONFIG_VALUE", message);
}

function faultOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return describe(error);
  }
}
