/** The command line: `cygnet <command>`. Exit 0 done, 1 not done, 2 wrong usage or invalid configuration. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { SORT_KEYS } from "../catalog/order.ts";
import type { Action } from "../catalog/transitions.ts";
import { describe } from "../platform/errors.ts";
import { version } from "../platform/version.ts";
import { activate } from "./activate.ts";
import type { BackupOptions, RestoreOptions } from "./backup.ts";
import { check } from "./check.ts";
import { type CommandOptions, command as commandTransfers } from "./commands.ts";
import { type CommonOptions, Failed, print, printJson } from "./context.ts";
import { explain, list } from "./explain.ts";
import { reload, shut, status } from "./gateway.ts";
import { log } from "./log.ts";
import { metrics } from "./metrics.ts";
import type { MigrateOptions } from "./migrate.ts";
import { addPartnerCommands } from "./partner.ts";
import { addPkiCommands } from "./pki.ts";
import { tslCommands } from "./pki-tsl.ts";
import { tableTarget } from "./table.ts";
import { testPartner } from "./test-partner.ts";
import { display, end, listcat, recv, send } from "./transfers.ts";

const EXIT = `
Exit status: 0 done, 1 not done (the reason is on stderr), 2 wrong usage or invalid configuration.`;

/** Every command with its arguments and options; the manual page and the completion are made from it, too. */
export function program(): Command {
  const cygnet = new Command("cygnet")
    .description("OFTP2 gateway: files dropped into an outbox reach the partner, its files reach the inbox.")
    .version(version())
    .showHelpAfterError('("cygnet help" shows all commands)')
    .addHelpText(
      "after",
      `\nThe configuration is --config FILE, else $CYGNET_CONFIG, else etc/cygnet.toml.${EXIT}`,
    );

  const common = (each: Command): Command =>
    each
      .option("-c, --config <file>", "main configuration file")
      .option("--json", "machine-readable output")
      .addHelpText("after", EXIT);
  const command = (name: string, summary: string, details = "", parent = cygnet): Command =>
    common(
      parent
        .command(name)
        .description(summary + (details === "" ? "" : `\n\n${details}`))
        .summary(summary),
    );
  /** A command that a gateway elsewhere can carry out, too. */
  const far = (name: string, summary: string, details = "", parent = cygnet): Command =>
    remote(command(name, summary, details, parent));

  command(
    "run",
    "run the gateway in the foreground",
    "SIGTERM and Ctrl-C stop it when running transfers have finished (a second one at once; what was cut resumes\n" +
      "at the next start), SIGHUP reloads the configuration. Files that change are taken over by themselves.",
    // loaded only here: the other commands start twice as fast without a gateway
  ).action(async (options: CommonOptions) => (await import("./run.ts")).run(options));

  command(
    "check",
    "validate the configuration",
    "Shows every error at once, each as FILE:LINE:COLUMN: OBJECT: KEY: what is wrong.",
  )
    .option("--plan", "also show what would change in the running gateway")
    .action(check);

  far(
    "reload",
    "put the configuration on disk into force",
    "All of it or nothing: when anything is wrong the running configuration stays as it is.",
  ).action(reload);

  far("status", "show the gateway at a glance").action(status);

  far(
    "metrics",
    "show what monitoring sees",
    "In Prometheus' text format, as GET /metrics gives it; with --json a list of name, labels and value.",
  ).action(metrics);

  command(
    "doctor",
    "look for what is wrong with this machine, the gateway and the way to its partners",
    "Works with the gateway running or stopped, and changes nothing. Each line is ok, WARN or FAIL, with what to do.",
  )
    .option("--deep", "also try TLS with every partner")
    // loaded only here, as it looks at everything
    .action(async (options: CommonOptions & { deep?: boolean }) =>
      (await import("./doctor/doctor.ts")).doctor(options),
    );

  command(
    "backup",
    "save the gateway: catalog, certificates, configuration, files under way",
    "Works with the gateway running or stopped. Keys and passwords are in it only when asked for.",
  )
    .argument("<where>", "file to write, or a folder, in which it gets a name with site and time")
    .option("--with-secrets", "keys and passwords too; whoever can read the file has them")
    .option(
      "--recipient <certificate...>",
      "keys and passwords too, encrypted so that only these can open it (CMS)",
    )
    .option(
      "--keep <count>",
      "in a folder: remove all but so many of this site, the oldest first",
      parseCount,
    )
    .action(async (where: string, options: BackupOptions) =>
      (await import("./backup.ts")).backup(where, options),
    );

  command(
    "restore",
    "make a gateway of a backup",
    "Into an empty place; --config says where the main configuration file is to stand (default: where it was).\n" +
      "Checks everything before it touches anything. See docs/operation.md for what an old backup means to partners.",
  )
    .argument("<file>", "the backup")
    .option("--recipient <certificate>", "certificate for which it was encrypted")
    .option("--key <file>", "its private key")
    .option("--force", "move aside what is there")
    .option("--with-outbox", "put unsent files of a gateway that was running back into the outbox")
    .action(async (file: string, options: RestoreOptions) =>
      (await import("./backup.ts")).restore(file, options),
    );

  far("shut", "stop the gateway", "Running transfers finish first, for up to 30 seconds.")
    .option("--fast", "cut what is running; it resumes at the next start")
    .action(shut);

  far(
    "send",
    "send a file",
    "Sends a copy: what becomes of the file itself is for its flow to say (faction).\n" +
      "With # in front it stands for several: the files of a directory, those that a mask fits (* and ?), or those\n" +
      "that a list names. Without a file, what the flow says (fname).",
  )
    .argument("[file]", "the file")
    .requiredOption("-p, --part <partner>", "whom to send it to")
    .option("-i, --idf <flow>", "flow (default: the partner's)")
    .option("-n, --nfname <name>", "name on the line, symbolic variables allowed")
    .addOption(
      new Option("-s, --state <state>", "hold it for the partner's call, or keep it until start").choices([
        "disp",
        "hold",
        "keep",
      ]),
    )
    .option(
      "--mindate <day>",
      "not before this day: 2026-12-31, or +1 for tomorrow (default: as the flow says)",
    )
    .option("--mintime <time>", "not before this time: 20:00, or +90 minutes")
    .option("--maxdate <day>", "not begun after this day")
    .option("--maxtime <time>", "not begun after this time")
    .option("-w, --wait", "wait until it has ended, with the partner's response where the flow requires one")
    .action(send);

  far("recv", "call a partner and take what it holds for us")
    .requiredOption("-p, --part <partner>", "whom to call")
    .action(recv);

  for (const { action, summary, details } of COMMANDS) {
    const each = selection(
      far(action, summary, details).argument("[idtu...]", "the transfers; else those chosen by the options"),
    ).option("--text <words>", "why, in words, for who looks at the record (DIAGC)");
    if (action === "delete")
      each.option("-f, --force", "also those whose response the partner has not had yet");
    each.action((idtus: string[], options: CommandOptions) => {
      // a command without a choice would mean every transfer there is
      if (idtus.length === 0 && options.part === undefined) {
        each.error('error: name the transfers (IDTU), or choose them with --part ("*": all partners)');
      }
      return commandTransfers(action, idtus, options);
    });
  }

  far(
    "end",
    "give the end-to-end response for a received file",
    'For flows with ackmode = "manual": the partner hears that the file was accepted, or why it was not.',
  )
    .argument("<idtu>", "the transfer (phase Z)")
    .option("--reject <reason>", "refuse it: NERP reason, for example 34 (see explain NERP 34)", parseReason)
    .option("--text <words>", "why, in words, for the partner")
    .action(end);

  for (const name of ["act", "inact"] as const) {
    const opens = name === "act";
    const each = far(
      name,
      `${opens ? "open" : "close"} a partner, a folder or a job`,
      "It stays so over restarts, until the next act or inact, or until the configuration changes the object's state." +
        (opens
          ? "\nA caller's address, or a partner, that was refused too often and is locked out is heard again."
          : ""),
    )
      .argument("<id>", `the partner, the folder or the job${opens ? ", or a caller's address" : ""}`)
      .addOption(
        new Option("--type <type>", "what the id names, where it names several").choices([
          "part",
          "folder",
          "cron",
          ...(opens ? ["address"] : []),
        ]),
      )
      .addOption(
        new Option(
          "--mode <mode>",
          opens
            ? "partner: only we call (requester), only it calls (server)"
            : "partner: only this side of it",
        ).choices(["both", "requester", "server"]),
      );
    if (!opens) each.option("-f, --force", "partner: cut and hold what runs");
    each.action((id: string, options) => activate(name, id, options));
  }

  far(
    "test-partner",
    "call a partner on every path, say hello and good-bye",
    "Shows TLS, the session that was agreed on, or why there is none. No file moves.",
  )
    .argument("<partner>", "whom to call")
    .action(testPartner);

  const listing = far(
    "listcat",
    "list transfers, newest first",
    "States: D waiting, C running, H held, K stopped, Z sent and waiting for the response, X ended.",
  );
  selection(listing)
    .option("-n, --limit <count>", "at most so many (default 100)", parseCount)
    .addOption(
      new Option("--sort <key>", "order; a - in front turns it round").choices(
        SORT_KEYS.flatMap((key) => [key, `-${key}`]),
      ),
    )
    .addOption(
      new Option("--content <level>", "how much of each").choices(["brief", "full"]).default("brief"),
    )
    .action(listcat);

  far("display", "show everything about one transfer").argument("<idtu>", "the transfer").action(display);

  far("log", "show the log")
    .option("-f, --follow", "go on with what comes")
    .option("-t, --trace", "only the protocol trace")
    .option("--audit", "the audit log instead: who did what by command line and HTTP API")
    .addOption(new Option("-l, --level <severity>", "lowest severity shown").choices([..."TIWEF"]))
    .option("-p, --part <partner>", "only lines about this partner")
    .option("-u, --idtu <idtu>", "only lines about this transfer")
    .action(log);

  const pki = cygnet.command("pki").description("keys, certificates and whom to trust");
  addPkiCommands(
    (name, summary, details) => command(name, summary, details, pki),
    (name, summary, details) => far(name, summary, details, pki),
  );
  tslCommands(pki, common);

  command(
    "explain",
    "explain any code: message, DIAGI, DIAGP, ESID, SFNA, EFNA, NERP, TLS alert, error",
    "For example: CFTT75E, CFTN05, DIAGI 302, 302, DIAGP 199, R 00 2F2, ESID 04, SFNA 13, EFNA 11, NERP 34, TLS 48,\n" +
      "CYG_NET_BIND. With --list: all codes of a kind, and without a kind the kinds.",
  )
    .argument("[code...]", "the code, or with --list the kind")
    .option("-a, --list", "show all codes of a kind")
    .action((words: string[], options: { json?: boolean; list?: boolean }) => {
      const asked = words.join(" ");
      if (asked === "" && !options.list)
        cygnet.error("error: a code is needed, for example: cygnet explain DIAGI 302");
      const { found, text, json } = options.list ? list(asked, tableTarget(process.stdout)) : explain(asked);
      if (options.json) printJson(json);
      else if (found) print(text);
      if (!found) throw new Failed(options.json ? "" : text);
    });

  command(
    "migrate",
    "turn a Transfer CFT configuration into this gateway's",
    "Reads the output of CFTUTIL CFTEXT and PKIUTIL PKIEXT, or scripts for them, and writes cygnet.toml, one file\n" +
      "for each partner and the passwords below secrets/. Tells what became of each parameter, and what is left to do.",
  )
    .argument("<file...>", "extracts, later ones on top of earlier ones")
    .option("-o, --out <folder>", "where to write", "cygnet-migrated")
    .option("--force", "write into a folder that is not empty; replaces files of the same name")
    .option("--charset <name>", "charset of the extracts (default: UTF-8, else Windows-1252)")
    // loaded only here, as its rules are many
    .action(async (names: string[], options: MigrateOptions) =>
      (await import("./migrate.ts")).migrate(names, options),
    );

  const about = "partners' datasheets (Odette PDX)";
  const partner = cygnet.command("partner").description(`${about}.`).summary(about);
  addPartnerCommands((name, summary, details) => command(name, summary, details, partner));

  // commands inherit neither of these from their parent once they exist
  for (const each of withAllBelow(cygnet)) each.exitOverride().configureOutput({});
  return cygnet;
}

/** The options that name a gateway elsewhere: see target.ts. */
function remote(command: Command): Command {
  return command
    .option(
      "--url <address>",
      "a gateway elsewhere: https://HOST:PORT (default: $CYGNET_URL, else the one here)",
    )
    .option(
      "--token-file <file>",
      "with --url: file with the token (default: $CYGNET_TOKEN_FILE, $CYGNET_TOKEN)",
    )
    .option(
      "--ca <file>",
      "with --url: authority of its certificate (default: $CYGNET_CA, else the system's)",
    )
    .option("--cert <file>", "with --url: our client certificate (default: $CYGNET_CERT)")
    .option("--key <file>", "with --url: its key (default: $CYGNET_KEY)");
}

/** Transfer CFT's commands on transfers. */
const COMMANDS: readonly { action: Action; summary: string; details: string }[] = [
  {
    action: "halt",
    summary: "hold transfers (state H)",
    details: "A running one is cut; start, or the partner's next call, lets it go on from where it was.",
  },
  {
    action: "keep",
    summary: "stop transfers (state K)",
    details: "As halt, but a partner's file is refused, too, until start.",
  },
  {
    action: "start",
    summary: "start held or stopped transfers again, or waiting ones at once",
    details: "Their tries are forgotten. A partner's file goes on when the partner offers it again (recv).",
  },
  {
    action: "resume",
    summary: "offer held sends with a diagnostic to the partner again",
    details: "They wait in H until the partner calls and fetches them.",
  },
  {
    action: "submit",
    summary: "run the script of the current phase again",
    details: "Of an ended transfer: its end-of-transfer script.",
  },
  {
    action: "delete",
    summary: "delete records",
    details:
      "A running transfer is cut first. The file of a send that had not ended is kept in failed/<PARTNER>/.",
  },
];

/** The options that choose transfers, for lists and commands alike. */
function selection(command: Command): Command {
  return command
    .option("-p, --part <partner>", 'only this partner; "*" and "?" make it a mask')
    .option("-i, --idf <flow>", "only this flow, or a mask")
    .addOption(new Option("-d, --direct <direction>", "only one direction").choices(["send", "recv"]))
    .addOption(new Option("-s, --state <state>", "only this state").choices([..."AYZXDHCK"]))
    .addOption(new Option("--phase <phase>", "only this phase").choices([..."ATYZX"]))
    .addOption(new Option("--phasestep <step>", "only this step").choices([..."DHCKX"]))
    .option("--pidtu <idtu>", "only what was made of this transfer: children of a broadcast")
    .option("--diagi <code>", 'only this diagnostic; "error": any but 0', parseDiagi)
    .addOption(new Option("--ack <ack>", "only with this response").choices(["A", "N"]))
    .addOption(
      new Option("--mode <mode>", "only those in which we called, or were called").choices([
        "requester",
        "server",
      ]),
    )
    .option("--since <when>", "requested since: 2h, 3d, 2026-11-20 or 2026-11-20T08:00", parseSince)
    .option("--until <when>", "requested before", parseSince);
}

function parseDiagi(text: string): number | "error" {
  if (text.toLowerCase() === "error") return "error";
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('a DIAGI, or "error", is needed');
  return Number(text);
}

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}

function parseReason(text: string): string {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError("a NERP reason from 3 to 99 is needed");
  return text;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("a number from 1 to 9999999 is needed");
  return Number(text);
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseSince(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count && unit) return Date.now() - Number(count) * (UNITS[unit] as number);
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("examples: 30m, 2h, 3d, 2026-11-20, 2026-11-20T08:00");
  return at;
}

if (import.meta.main) {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
  });

  try {
    await program().parseAsync();
    process.exit(0);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    const message = describe(error);
    if (message !== "") console.error(`cygnet: ${message}`);
    process.exit(error instanceof Failed ? error.status : 1);
  }
}
