import { parseSpace } from "../units.ts";
import type { Scene } from "./scene.ts";

/** The alert does not come before the warning. Shares and octets are compared each with their own kind. */
export function checkSpace(scene: Scene): void {
  const entry = scene.single("cftparm");
  const { disk_low, disk_alert } = scene.tree.cftparm ?? {};
  // the defaults give way to what is written: only two written ones can clash
  if (!entry?.written.has("disk_low") || !entry.written.has("disk_alert")) return;
  if (disk_low === undefined || disk_alert === undefined) return;
  const [low, alert] = [parseSpace(disk_low), parseSpace(disk_alert)];
  const more = (["percent", "octets"] as const).some(
    (kind) => (alert[kind] ?? 0) > (low[kind] ?? Number.POSITIVE_INFINITY),
  );
  if (!more || low.octets === 0) return;
  const message = `${JSON.stringify(disk_alert)} is more than disk_low = ${JSON.stringify(disk_low)}: the alert would come before the warning`;
  scene.findings.problem(entry, { key: "disk_alert" }, "CYG_CONFIG_CLASH", message);
}
