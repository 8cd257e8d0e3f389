/**
 * OpenSSH as a reference: a real sshd on loopback with keys and a port of its own below a folder, and sftp batches
 * against it. `CYGNET_SSHD` names the server where it is not on the usual paths.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "./pair.ts";

/**
 * As root, sshd wants an account and an empty directory of its own. Where the machine has none they are put there for
 * this one process (a mount namespace).
 */
const FURNISHED = `mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mount --bind "$0" /etc/passwd && exec "$@"`;

export interface SftpServer {
  /** Puts files, each synced at the server before its answer (`put -f`); seconds from start to end of the client. */
  put(files: readonly string[]): number;
  /** Where they arrive. */
  inbox: string;
  stop(): void;
}

function find(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Starts sshd below `folder`; a text that says why not where there is none. */
export async function startSftp(folder: string): Promise<SftpServer | string> {
  const sshd = process.env.CYGNET_SSHD ?? find("sshd");
  const sftp = find("sftp");
  const keygen = find("ssh-keygen");
  if (!sshd || !sftp || !keygen)
    return "no OpenSSH server and client on this machine (CYGNET_SSHD names a server)";
  const inbox = join(folder, "inbox");
  mkdirSync(inbox, { recursive: true });
  for (const key of ["host", "client"]) {
    execFileSync(keygen, ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, key)]);
  }
  const port = await freePort();
  const settings = {
    ...{ Port: port, ListenAddress: "127.0.0.1", HostKey: join(folder, "host"), PidFile: "none" },
    ...{ AuthorizedKeysFile: join(folder, "client.pub"), StrictModes: "no", UsePAM: "no" },
    ...{ PasswordAuthentication: "no", Subsystem: "sftp internal-sftp" },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  writeFileSync(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
  const command = [sshd, "-D", "-e", "-f", join(folder, "sshd_config")];
  const accounts = readFileSync("/etc/passwd", "utf8");
  if (process.getuid?.() === 0 && !accounts.includes("\nsshd:")) {
    const passwd = join(folder, "passwd");
    writeFileSync(passwd, `${accounts}sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n`);
    command.unshift("unshare", "--mount", "sh", "-c", FURNISHED, passwd);
  }
  const [program = "", ...rest] = command;
  const server = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  if (!(await listens(port, server))) return `sshd does not start: ${said.trim().split("\n").at(-1)}`;
  const options = [
    ...["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"],
    ...[`IdentityFile=${join(folder, "client")}`, "IdentitiesOnly=yes"],
  ].flatMap((option) => ["-o", option]);
  const batch = join(folder, "batch");
  return {
    inbox,
    put(files) {
      writeFileSync(batch, files.map((file) => `put -f "${file}"\n`).join(""));
      const to = `${userInfo().username}@127.0.0.1:${inbox}`;
      const begun = performance.now();
      execFileSync(sftp, ["-q", ...options, "-P", String(port), "-b", batch, to], { stdio: "ignore" });
      return (performance.now() - begun) / 1000;
    },
    stop: () => void server.kill(),
  };
}

/** Waits until somebody listens on a port; false when the server has ended instead. */
async function listens(port: number, server: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 200 && server.exitCode === null; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
