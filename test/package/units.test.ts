/** The unit and what goes with it, read as files: what systemd-analyze needs a machine for is in test/system. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { projectRoot } from "../../src/platform/root.ts";

const read = (...path: string[]) => readFileSync(join(projectRoot(), ...path), "utf8");

/** Sections of a unit file; each key with all that was given to it. */
function unit(text: string): Map<string, Map<string, string[]>> {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name) {
      section = new Map();
      sections.set(name, section);
    } else if (key) section.set(key, [...(section.get(key) ?? []), value]);
    else throw new Error(`not a line of a unit: ${line}`);
  }
  return sections;
}

test("cygnet.service says what the gateway keeps", async (t) => {
  const service = unit(read("systemd", "cygnet.service"));
  const one = (key: string) => service.get("Service")?.get(key)?.join("|");
  const expected: Record<string, string> = {
    Type: "notify",
    NotifyAccess: "main",
    User: "cygnet",
    ExecStart: "/usr/lib/cygnet/systemd/notify-socket /usr/bin/cygnet run",
    ExecReload: "/usr/bin/cygnet reload",
    Restart: "on-failure",
    RestartPreventExitStatus: "2",
    CapabilityBoundingSet: "",
    ProtectSystem: "strict",
    NoNewPrivileges: "yes",
    LimitCORE: "0",
    StateDirectory: "cygnet",
    SystemCallFilter: "@system-service|~@privileged @resources",
  };
  for (const [key, value] of Object.entries(expected)) t.equal(one(key), value, key);
  const gateway = read("src", "engine", "gateway.ts");
  const [, grace = ""] = /const GRACE = ([\d_]+);/.exec(gateway) ?? [];
  const [, goodBye = ""] = /const GOOD_BYE = ([\d_]+);/.exec(gateway) ?? [];
  const longest = (Number(grace.replace("_", "")) + Number(goodBye.replace("_", ""))) / 1000;
  t.ok(
    longest > 0 && Number.parseInt(one("TimeoutStopSec") ?? "", 10) >= longest + 20,
    "a stop may end by itself",
  );
  t.equal(service.get("Unit")?.get("StartLimitIntervalSec")?.[0], "0", "it is tried again for ever");
  t.same(service.get("Install")?.get("WantedBy"), ["multi-user.target"]);
});

test("drop-ins name keys of the service only, and low ports no more than they need", async (t) => {
  const low = unit(read("systemd", "low-ports.conf")).get("Service");
  t.same(low?.get("AmbientCapabilities"), ["CAP_NET_BIND_SERVICE"]);
  t.same(low?.get("CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"]);
  t.same([...unit(read("systemd", "encrypted-credentials.conf")).keys()], ["Service"]);
});

test("sysusers and tmpfiles", async (t) => {
  const lines = (name: string) =>
    read("systemd", name)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
  t.match(lines("cygnet.sysusers"), [/^u cygnet - "[^"]+" \/var\/lib\/cygnet \/usr\/sbin\/nologin$/]);
  const folders = lines("cygnet.tmpfiles").map((line) => line.split(/\s+/));
  t.ok(
    folders.every(([type, , mode]) => type === "d" && mode?.endsWith("0")),
    "nothing for everybody",
  );
  t.same(
    folders.filter(([, , , user]) => user !== "root").map(([, path]) => path),
    ["/var/lib/cygnet", "/var/backups/cygnet"],
    "the gateway owns its data and not its configuration",
  );
  t.same(folders.at(-1), ["d", "/etc/cygnet/credentials", "0700", "root", "root", "-"]);
});

test("shell scripts are scripts for sh", async (t) => {
  for (const path of ["cygnet", "cygnet-setup", "debian/postinst", "debian/prerm", "debian/postrm"]) {
    execFileSync("sh", ["-n", join(projectRoot(), "package", path)]);
    t.match(read("package", path), /^#!\/bin\/sh\n/, path);
  }
});

test("the nightly backup is as locked up as the gateway, and only for those who want it", async (t) => {
  const main = unit(read("systemd", "cygnet.service")).get("Service");
  const backup = unit(read("systemd", "cygnet-backup.service"));
  const own = backup.get("Service");
  const fences = [...(main?.keys() ?? [])].filter((key) =>
    /^(Protect|Private|Restrict|SystemCall|Capab|NoNew|Lock|Device)/.test(key),
  );
  // its own are narrower: it needs no network
  for (const key of fences.filter((each) => !/AddressFamilies|PreventExitStatus/.test(each))) {
    t.same(own?.get(key), main?.get(key), key);
  }
  t.same(own?.get("RestrictAddressFamilies"), ["AF_UNIX"]);
  t.same(own?.get("ReadWritePaths"), ["/var/lib/cygnet /var/backups/cygnet"]);
  t.notOk(backup.has("Install"));
  t.notMatch(read("package", "debian", "postinst"), /cygnet-backup/, "nothing enables its timer");
});
