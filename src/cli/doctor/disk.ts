/** Room on every file system that the gateway writes to. */
import { statfs } from "node:fs/promises";
import { surveyDisks } from "../../engine/disk-space.ts";
import { systemFileSystem } from "../../platform/filesystem.ts";
import { type Check, finding } from "./finding.ts";

/** Share of free inodes below which there is a warning. */
const INODES = 0.05;
const ROOM = "Make room (archive, failed, old logs, inboxes), or enlarge the file system.";

export const checkDisks: Check = async ({ configuration }) => {
  if (configuration === null) return [];
  const disks = await surveyDisks(configuration, systemFileSystem);
  const levels = { ok: "ok", low: "warn", alert: "fail" } as const;
  const space = disks.map(({ level, text }) =>
    finding("disk", levels[level], text, level === "ok" ? "" : `${ROOM} Nothing new is taken on until then.`),
  );
  const inodes = await Promise.all(
    disks.map(async ({ path }) => {
      const { files, ffree } = await statfs(path);
      const scarce = files > 0 && ffree / files < INODES;
      const text = `${ffree} of ${files} inodes are free on the file system of ${path}`;
      return scarce ? [finding("disk", "warn", text, "Delete small files that nobody needs.")] : [];
    }),
  );
  return [...space, ...inodes.flat()];
};
