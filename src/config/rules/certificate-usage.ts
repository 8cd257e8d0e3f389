/** What the certificates of a configuration and of the store may be used for. */
import type { Usage } from "../../pki/usage.ts";
import type { Pki } from "../generated.ts";
import type { Loose, Scene } from "./scene.ts";

/** What a certificate is for when nothing is said; `part` is its owner, "" = this site. */
export function defaultUsage(hasKey: boolean, part: string): Usage[] {
  if (hasKey) return ["tls", "sign", "decrypt", "auth", "receipt"];
  return part ? ["encrypt", "sign", "auth", "receipt"] : ["ca"];
}

/** What a `[[pki]]` is for: as written, else by what it holds and whose it is. */
export function usageOf(scene: Scene, pki: Loose<Pki>): readonly Usage[] {
  const hasKey = scene.pkiFacts.get(pki.id ?? "")?.hasKey ?? Boolean(pki.key);
  return pki.usage ?? defaultUsage(hasKey, pki.part ?? "");
}

/** True when somebody ("" = this site) has a certificate for a use, in [[pki]] or in the store. */
export function hasCertificateFor(scene: Scene, part: string, usage: Usage): boolean {
  const configured = scene.list("pki").some(({ value }) => {
    const hasKey = scene.pkiFacts.get(value.id ?? "")?.hasKey ?? true;
    const counts = (value.part ?? "") === part && value.state !== "inact" && (part !== "" || hasKey);
    return counts && usageOf(scene, value).includes(usage);
  });
  return (
    configured ||
    scene.stored.some((one) => one.state === "active" && one.part === part && one.usage.includes(usage))
  );
}
