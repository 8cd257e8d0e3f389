import { nameRule } from "../../pki/name-rule.ts";
import { describe } from "../../platform/errors.ts";
import { nameOf, whereIs } from "../findings.ts";
import { hostPortOf } from "../schemas.ts";
import type { Entry } from "../sources.ts";
import { didYouMean } from "../suggestion.ts";
import type { Scene } from "./scene.ts";

/** The HTTP API: it shows a certificate, its port is free, and whoever is let in is told apart from others. */
export function checkAdministration(scene: Scene): void {
  const admin = scene.single("admin");
  const { listen, usercid, rootcid = [] } = scene.tree.admin ?? {};
  if (admin) {
    for (const [element, id] of [usercid || undefined, ...rootcid].entries()) {
      if (id !== undefined) checkCertificate(scene, admin, id, element);
    }
    if (listen) {
      if (usercid === "") {
        const message = 'the HTTP API needs a certificate to show; example: usercid = "gateway"';
        scene.findings.problem(admin, { key: "usercid" }, "CYG_CONFIG_REQUIRED", message);
      }
      checkPort(scene, admin, listen);
      if (scene.list("apiuser").length === 0) {
        const message = "nobody can use the HTTP API: there is no [[apiuser]]";
        scene.findings.warning(admin, { key: "listen" }, "CYG_CONFIG_ADVICE", message);
      }
    }
  }
  checkUsers(scene, rootcid);
}

/** Element 0 is usercid, those behind it rootcid. */
function checkCertificate(scene: Scene, admin: Entry, id: string, element: number): void {
  const spot = element === 0 ? { key: "usercid" } : { key: "rootcid", element: element - 1 };
  const found = scene.find("pki", id)?.value;
  if (found === undefined) {
    const known = scene.ids("pki");
    const choice = known.length > 0 ? `known are ${known.join(", ")}` : "there is no [[pki]] yet";
    const message = `there is no pki "${id}"${didYouMean(id, known)}; ${choice}`;
    return scene.findings.problem(admin, spot, "CYG_CONFIG_REFERENCE", message);
  }
  const message =
    found.state === "inact"
      ? `pki "${id}" is out of use (state = "inact"); name another one, or set state = "act" there`
      : element === 0 && scene.pkiFacts.get(id)?.hasKey === false
        ? `pki "${id}" has no private key, so the HTTP API cannot show it; add key = "pki/${id}.key" there`
        : undefined;
  if (message) scene.findings.problem(admin, spot, "CYG_CONFIG_CERTIFICATE", message);
}

function checkPort(scene: Scene, admin: Entry, listen: string): void {
  const { port } = hostPortOf(listen) ?? {};
  const other = scene.list("cftprot").find(({ value }) => value.sap !== undefined && value.sap === port);
  if (other === undefined) return;
  const message = `port ${port} is that of ${nameOf(other.entry)} at ${whereIs(other.entry)}; give each its own port`;
  scene.findings.problem(admin, { key: "listen" }, "CYG_CONFIG_CLASH", message);
}

function checkUsers(scene: Scene, rootcid: readonly string[]): void {
  for (const { entry, value } of scene.list("apiuser")) {
    const { token, certificate } = value;
    if (token === "" && certificate === "") {
      const message =
        'nothing says who this is; examples: token = "file:secrets/erp.token", certificate = "\\"/CN=erp/\\""';
      scene.findings.problem(entry, { key: "token" }, "CYG_CONFIG_REQUIRED", message);
    }
    if (!certificate) continue;
    try {
      nameRule(certificate);
    } catch (error) {
      scene.findings.problem(entry, { key: "certificate" }, "CYG_CONFIG_VALUE", describe(error));
    }
    if (rootcid.length > 0) continue;
    const message =
      'certificates of callers are not asked for; name their authorities: [admin] rootcid = ["office-ca"]';
    scene.findings.problem(entry, { key: "certificate" }, "CYG_CONFIG_REQUIRED", message);
  }
}
