/** What goes where on a Debian machine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { program } from "../../src/cli/main.ts";
import { billOfMaterials, type Product } from "./bill.ts";
import { productionPackages } from "./closure.ts";
import { commandManual } from "./command-manual.ts";
import { bashCompletion } from "./completion.ts";
import { configurationManual } from "./configuration-manual.ts";
import { debianChangelog, writeControl } from "./control.ts";
import { copyrightFile } from "./licences.ts";
import type { Tree } from "./tree.ts";

const HOME = "usr/lib/cygnet";
const DOC = "usr/share/doc/cygnet";
const UNITS = "usr/lib/systemd/system";

/** Of no use to a running program: types, maps, documents; at the top of a package tests, examples and programs. */
const DISPENSABLE = [
  /\.(map|md|markdown|html|css|sh|ts|mts|cts|tsbuildinfo|flow|yml|yaml)$/i,
  /(^|\/)\./,
  /^(test|tests|__tests__|docs?|docsify|examples?|bench|benchmarks?|coverage|integration|scripts|bin)\//i,
  /^bin\.m?js$/,
];

/** Fills the tree from the built project in `root`. `time` is that of the sources, in seconds since 1970. */
export function stage(tree: Tree, root: string, time: number): void {
  const product = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Product;
  const { modules, runtime } = productionPackages(root);
  const packed = (text: string) => gzipSync(text, { level: 9 });
  const date = new Date(time * 1000).toISOString().slice(0, 10);

  tree.copyAll(join(root, "dist", "src"), `${HOME}/dist/src`, (path) => isCurrent(root, path));
  tree.copyAll(join(root, "schemas"), `${HOME}/schemas`, (path) => path.endsWith(".schema.json"));
  for (const { path } of modules) {
    // packages inside a package have an entry of their own
    const own = (file: string) =>
      !file.startsWith("node_modules/") && !DISPENSABLE.some((pattern) => pattern.test(file));
    tree.copyAll(join(root, path), `${HOME}/${path}`, (file) => own(file) && !isLicence(file));
  }
  tree.copy(join(root, runtime.path, "bin", "node"), `${HOME}/bin/node`, 0o755);
  tree.copy(join(root, "systemd", "notify-socket"), `${HOME}/systemd/notify-socket`, 0o755);
  const { name, version, description, license } = product;
  tree.write(
    `${HOME}/package.json`,
    `${JSON.stringify({ name, version, description, license, type: "module" }, null, 2)}\n`,
  );
  tree.write(`${HOME}/sbom.cdx.json`, billOfMaterials(product, [...modules, runtime], time));

  tree.copy(join(root, "package", "cygnet"), "usr/bin/cygnet", 0o755);
  tree.copy(join(root, "package", "cygnet-setup"), "usr/sbin/cygnet-setup", 0o755);
  tree.copy(join(root, "image", "answers.example"), `${DOC}/examples/answers`);
  tree.copy(join(root, "package", "cygnet.toml"), "etc/cygnet/cygnet.toml");
  tree.folder("etc/cygnet/partners.d");
  for (const unit of [
    "cygnet.service",
    "cygnet-setup.service",
    "cygnet-backup.service",
    "cygnet-backup.timer",
  ]) {
    tree.copy(join(root, "systemd", unit), `${UNITS}/${unit}`);
  }
  tree.copy(join(root, "systemd", "cygnet.sysusers"), "usr/lib/sysusers.d/cygnet.conf");
  tree.copy(join(root, "systemd", "cygnet.tmpfiles"), "usr/lib/tmpfiles.d/cygnet.conf");

  tree.write("usr/share/man/man1/cygnet.1.gz", packed(commandManual(program(), date)));
  tree.write("usr/share/man/man5/cygnet.toml.5.gz", packed(configurationManual(version, date)));
  tree.write(
    "usr/share/man/man8/cygnet-setup.8.gz",
    packed(readFileSync(join(root, "package", "cygnet-setup.8"), "utf8")),
  );
  tree.write("usr/share/bash-completion/completions/cygnet", bashCompletion(program()));

  tree.write(`${DOC}/copyright`, copyrightFile(root, [...modules, runtime]));
  tree.write(
    `${DOC}/changelog.gz`,
    packed(debianChangelog(readFileSync(join(root, "CHANGELOG.md"), "utf8"), version, time)),
  );
  tree.copyAll(join(root, "docs"), DOC, () => true);
  tree.copyAll(join(root, "package", "examples"), `${DOC}/examples`, () => true);
  for (const dropIn of ["low-ports.conf", "encrypted-credentials.conf"]) {
    tree.copy(join(root, "systemd", dropIn), `${DOC}/examples/${dropIn}`);
  }
  tree.copy(join(root, "package", "debian", "lintian-overrides"), "usr/share/lintian/overrides/cygnet");
  writeControl(tree, version, join(root, "package", "debian"));
}

/** Compiled from a source that is still there. */
function isCurrent(root: string, path: string): boolean {
  return path.endsWith(".js") && existsSync(join(root, "src", path.replace(/js$/, "ts")));
}

/** The texts of licences are all in the copyright file. */
function isLicence(path: string): boolean {
  return (
    /(^|\/)(licen[cs]e|copying|notice|copyright)([.-][^/]*)?$/i.test(path) && !/\.(c|m)?js(on)?$/.test(path)
  );
}
