/**
 * Where a gateway keeps its things, read leniently: the command line must reach a running gateway also while the
 * configuration on disk is broken. What cannot be read has its default.
 */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { load } from "./load.ts";

export interface Places {
  rundir: string;
  /** Control socket. */
  socket: string;
  catalog: string;
  log: string;
  /** Audit log. */
  audit: string;
  /** What is wrong with the configuration on disk; undefined when nothing is. */
  problem?: string;
}

export async function placesOf(mainFile: string): Promise<Places> {
  const result = await load(mainFile);
  if ("configuration" in result) {
    const { cftparm, admin, cftcat, cftlog } = result.configuration;
    const { socket, audit } = admin;
    return { rundir: cftparm.rundir, socket, audit, catalog: cftcat.fname, log: cftlog.fname };
  }
  const text = await readFile(mainFile, "utf8").catch(() => "");
  const key = (table: string, name: string, otherwise: string): string => {
    const section = text.split(/^\s*\[/m).find((part) => part.startsWith(`${table}]`)) ?? "";
    return new RegExp(`^\\s*${name}\\s*=\\s*["']([^"']*)["']`, "m").exec(section)?.[1] ?? otherwise;
  };
  const rundir = resolve(dirname(mainFile), key("cftparm", "rundir", "var"));
  return {
    rundir,
    socket: resolve(rundir, key("admin", "socket", "control.sock")),
    catalog: resolve(rundir, key("cftcat", "fname", "catalog.db")),
    log: resolve(rundir, key("cftlog", "fname", join("log", "cygnet.log"))),
    audit: resolve(rundir, key("admin", "audit", join("log", "audit.log"))),
    problem: `the configuration ${mainFile} has errors; "cygnet check" shows them`,
  };
}
