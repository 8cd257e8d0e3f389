/** The files of the package while it is made: a folder that becomes the file system of a Debian machine. */
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { CygnetError } from "../../src/platform/errors.ts";

export class Tree {
  readonly root: string;

  /** `root` must be an empty folder. */
  constructor(root: string) {
    this.root = root;
  }

  /** Absolute path of a place in the tree. */
  at(path: string): string {
    return join(this.root, path);
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), content);
    chmodSync(this.at(path), mode);
  }

  copy(from: string, path: string, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    copyFileSync(from, this.at(path));
    chmodSync(this.at(path), mode);
  }

  folder(path: string): void {
    mkdirSync(this.at(path), { recursive: true });
  }

  link(target: string, path: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    symlinkSync(target, this.at(path));
  }

  /** Copies what `wanted` says yes to: it is asked for each file with its path below `from`. */
  copyAll(from: string, path: string, wanted: (relative: string) => boolean): void {
    for (const each of filesBelow(from)) if (wanted(each)) this.copy(join(from, each), join(path, each));
  }

  /** Every file and link, sorted, without the control files. */
  get files(): string[] {
    return filesBelow(this.root).filter((path) => !path.startsWith("DEBIAN/"));
  }

  /** Gives all that is in the tree one time and folders one mode, so that only contents count. */
  settle(seconds: number): void {
    const visit = (path: string) => {
      const status = lstatSync(path);
      if (status.isDirectory()) {
        chmodSync(path, 0o755);
        for (const name of readdirSync(path)) visit(join(path, name));
      }
      lutimesSync(path, seconds, seconds);
    };
    visit(this.root);
  }
}

/** Paths of files below a folder, sorted. Links are files when `root` was made by a Tree, and refused elsewhere. */
function filesBelow(root: string, below = ""): string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name);
      if (entry.isDirectory()) return filesBelow(root, path);
      if (entry.isFile() || entry.isSymbolicLink()) return [path];
      throw new CygnetError("CYG_PACKAGE_FILE", `${join(root, path)} is neither a file nor a folder`);
    });
}
