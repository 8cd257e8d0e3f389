/** cygnet(1), from the command line's own help. */
import type { Argument, Command, Option } from "commander";
import { bold, example, item, paragraph, section, subsection, text, title } from "./roff.ts";

/** The page. `date` is YYYY-MM-DD. */
export function commandManual(program: Command, date: string): string {
  const version = program.version() ?? "";
  return [
    title("CYGNET", 1, date, version),
    section("Name"),
    text("cygnet - OFTP2 gateway"),
    section("Synopsis"),
    ".SY cygnet",
    ".I command",
    "[options]",
    ".YS",
    section("Description"),
    text(program.description()),
    paragraph(
      'The gateway itself is "cygnet run", which systemd runs as cygnet.service. The other commands validate its configuration, talk to the running gateway over its control socket, or read its files.',
    ),
    section("Commands"),
    ...leaves(program).map(([name, command]) => describeCommand(name, command)),
    section("Options of every command"),
    item("-c, --config <file>", "Main configuration file, in place of /etc/cygnet/cygnet.toml."),
    item("--json", "Machine-readable output."),
    item("--help", "Say what a command takes."),
    section("Exit status"),
    item("0", "Done."),
    item("1", "Not done; the reason is on standard error."),
    item("2", "Wrong usage or invalid configuration."),
    section("Environment"),
    item("CYGNET_CONFIG", "Main configuration file, where --config names none."),
    item(
      "CYGNET_URL, CYGNET_CA",
      "A gateway elsewhere and the authority of its certificate, as --url and --ca.",
    ),
    item(
      "CYGNET_TOKEN_FILE, CYGNET_TOKEN",
      "File with the token for it, as --token-file, or the token itself.",
    ),
    item("CYGNET_CERT, CYGNET_KEY", "Client certificate and key for it, as --cert and --key."),
    item(
      "CREDENTIALS_DIRECTORY",
      'Where "cred:" references look. The installed command uses that of the running service, if it may.',
    ),
    section("Files"),
    item("/etc/cygnet/cygnet.toml, /etc/cygnet/partners.d/*.toml", "The configuration: cygnet.toml(5)."),
    item("/etc/cygnet/secrets/", 'Passwords as "file:secrets/NAME", read again at each reload.'),
    item("/etc/cygnet/credentials/", 'Passwords as "cred:secret_NAME", read when the service starts.'),
    item("/var/lib/cygnet/outbox/PARTNER/", "Files dropped here are sent."),
    item("/var/lib/cygnet/inbox/PARTNER/", "Files that arrived; complete from the moment they are visible."),
    item("/var/lib/cygnet/log/cygnet.log", "The log; the journal of cygnet.service has it, too."),
    item("/var/lib/cygnet/log/audit.log", "Who did what by command line and HTTP API: cygnet log --audit."),
    item("/usr/share/doc/cygnet/examples/", "A partner's file, and drop-ins for the service."),
    section("Examples"),
    example([
      "cygnet check --plan",
      "cygnet send --part SUPPLIER --wait /srv/out/orders.edi",
      "cygnet listcat --since 2h --state K",
      "cygnet explain DIAGI 302",
    ]),
    section("See also"),
    ".BR cygnet.toml (5),",
    ".BR systemctl (1),",
    ".BR journalctl (1)",
    "",
  ].join("\n");
}

/** Long names of the options that stand in a section of their own. */
const COMMON = ["--config", "--json"];

/** Commands that do something, with their full names, in the order of the help. */
export function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((each) => {
    const name = [...path, each.name()];
    return each.commands.length > 0 ? leaves(each, name) : [[name.join(" "), each] as [string, Command]];
  });
}

function describeCommand(name: string, command: Command): string {
  const parts = command.registeredArguments;
  const usage = [name, ...parts.map(argumentTerm)].join(" ");
  return [
    subsection(usage),
    ...command
      .description()
      .split("\n\n")
      .map((part, index) => paragraph(index === 0 ? sentence(part) : part)),
    ...parts.filter(({ description }) => description !== "").map(describeArgument),
    ...command.options.filter(({ long }) => !COMMON.includes(long ?? "")).map(describeOption),
  ].join("\n");
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function argumentTerm(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function describeArgument(argument: Argument): string {
  return [".TP", bold(argumentTerm(argument)), text(sentence(argument.description))].join("\n");
}

function describeOption(option: Option): string {
  const choices = option.argChoices ? `One of ${option.argChoices.join(", ")}.` : "";
  const fallback =
    option.defaultValue === undefined
      ? ""
      : `Default: ${option.defaultValueDescription ?? String(option.defaultValue)}.`;
  const mandatory = option.mandatory ? "Must be given." : "";
  const sentence = `${option.description.charAt(0).toUpperCase()}${option.description.slice(1)}.`;
  return item(option.flags, [sentence, choices, fallback, mandatory].filter((each) => each !== "").join(" "));
}
