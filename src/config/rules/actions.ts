/** What a flow says about its files and times fits together. */
import type { Cftsend } from "../generated.ts";
import type { Entry } from "../sources.ts";
import { parseDay } from "../units.ts";
import { REQUEST_VARIABLES, SEND_VARIABLES } from "../variables.ts";
import { checkTemplate } from "./flows.ts";
import type { Loose, Scene } from "./scene.ts";

/** Keys of cftsend that act on files and requests. */
export function checkActions(scene: Scene, entry: Entry, flow: Loose<Cftsend>): void {
  const { fname = "", selfname = "", faction = "none", archivefname = "" } = flow;
  const wrong = (key: string, message: string) =>
    scene.findings.problem(entry, { key }, "CYG_CONFIG_VALUE", message);
  const idle = (key: string, message: string) =>
    scene.findings.warning(entry, { key }, "CYG_CONFIG_ADVICE", message);
  if (fname !== "") checkTemplate(scene, entry, "fname", REQUEST_VARIABLES);
  if (selfname !== "") checkTemplate(scene, entry, "selfname", REQUEST_VARIABLES);
  if (archivefname !== "") checkTemplate(scene, entry, "archivefname", SEND_VARIABLES);
  const several = /^[#@]/.test(fname);
  if (!several && /[*?]/.test(fname)) {
    wrong(
      "fname",
      `found "${fname}"; a mask stands for several files with # in front; example: fname = "#${fname}"`,
    );
  }
  if (selfname !== "" && !several) {
    wrong(
      "selfname",
      `names files of a directory that fname says with # in front; example: fname = "#reports"`,
    );
  }
  if (faction === "archive" && archivefname === "") {
    wrong(
      "faction",
      'found "archive" without a place for it; example: archivefname = "archive/&PART/&SFNAME"',
    );
  }
  if (faction !== "archive" && archivefname !== "")
    idle("archivefname", 'has no effect without faction = "archive"');
  const [first, last] = [flow.mindate, flow.maxdate].map((text) => parseDay(text ?? ""));
  if (first && last && "on" in first && "on" in last && compare(first.on, last.on) > 0) {
    wrong("maxdate", `found "${flow.maxdate}", which is before mindate, "${flow.mindate}"`);
  }
  if ((flow.cycle ?? 0) > 0) return;
  for (const key of ["tcycle", "cycdate", "cyctime"] as const) {
    if (entry.written.has(key) && flow[key])
      idle(key, "has no effect without cycle: what is asked for is sent once");
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  return (
    new Date(a[0] ?? 0, a[1] ?? 0, a[2] ?? 0).getTime() - new Date(b[0] ?? 0, b[1] ?? 0, b[2] ?? 0).getTime()
  );
}
