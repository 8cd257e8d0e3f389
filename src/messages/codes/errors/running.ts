import type { WordRow } from "../meaning.ts";

const LINE =
  "Check host and port of the partner, name resolution and firewalls; `cygnet test-partner` helps.";
const AGAIN = "Nothing to do: the gateway calls again by itself.";
const REPORT = "Report it with the log lines around it.";
const WRITTEN = "Correct the command; `cygnet <command> --help` shows how it is written.";
const OUTLET = "Check address, account and network; it is tried again.";

/** Faults of lines, commands, jobs and notifications. */
export const runningErrors: readonly WordRow[] = [
  [
    "CYG_NET_BIND",
    "A port could not be opened.",
    "Check that no other program has it and that the address is this machine's.",
  ],
  ["CYG_NET_CIDR", "A text is no block of addresses.", "Write for example 192.0.2.0/24 or 2001:db8::/32."],
  ["CYG_NET_CLOSING", "A connection was cut because its port is being closed.", "Nothing to do."],
  ["CYG_NET_CUT", "The other side cut the connection.", AGAIN],
  [
    "CYG_NET_DISPLACED",
    "A caller that said nothing gave way to a new one.",
    "Raise maxcnx of the CFTNET if it is repeated, or find out who calls and says nothing.",
  ],
  ["CYG_NET_FAILED", "A call or a connection failed for another reason, which the text tells.", LINE],
  ["CYG_NET_NAME", "The name of the partner's host is not known.", LINE],
  [
    "CYG_NET_FULL",
    "The network resource has as many connections as maxcnx allows: nobody is called over it.",
    "Nothing to do: it is tried again; or raise maxcnx of the CFTNET object.",
  ],
  ["CYG_NET_REFUSED", "Nobody listens at the partner's address, or a firewall refuses the call.", LINE],
  [
    "CYG_NET_RESOLVER",
    "The name server did not answer.",
    "Check the name server of this machine; the gateway calls again.",
  ],
  [
    "CYG_NET_SOURCE",
    "The partner cannot be called from the address of this machine.",
    "Check the addresses and routes of this machine.",
  ],
  ["CYG_NET_TIMEOUT", "The partner's address did not answer in time.", LINE],
  ["CYG_NET_UNREACHABLE", "The network has no way to the partner.", LINE],
  [
    "CYG_NOT_CALLED",
    "The partner is not called; the text says why.",
    "Do what the text says, then try again.",
  ],
  [
    "CYG_NOT_RUNNING",
    "No gateway with this configuration is running.",
    "Start it, or name the right configuration with --config.",
  ],
  ["CYG_DENIED", "The control socket may not be opened by this user.", "Join the group of the gateway."],
  [
    "CYG_NOT_READY",
    "The gateway cannot take new work at the moment; /readyz says so.",
    "Look at the text: a stop, a closed port or a full disk.",
  ],
  [
    "CYG_NOT_ALIVE",
    "The gateway cannot write its catalog; /healthz says so.",
    "Look for a disk that is slow or full, and for a program that holds a lock on the catalog.",
  ],
  ["CYG_ADMIN", "The gateway gave an answer that was not expected.", REPORT],
  ["CYG_ADMIN_REQUEST", "A request to the gateway is not well written.", WRITTEN],
  [
    "CYG_ADMIN_RUNNING",
    "A gateway with this control socket is running already.",
    "Stop it first, or give this one a rundir of its own.",
  ],
  [
    "CYG_ADMIN_SOCKET",
    "The control socket cannot be opened.",
    "Check the directory that is named: the gateway must be able to write there.",
  ],
  [
    "CYG_NOTIFY_SOCKET",
    "The service manager is to be told of the gateway's state, and the socket for it is not open.",
    "Start the gateway by its systemd unit, or without CYGNET_NOTIFY_FD in its environment.",
  ],
  ["CYG_INTERNAL", "The gateway failed inside while it answered a request.", REPORT],
  ["CYG_ADMIN_PATH", "The HTTP API has no such path.", "`GET /v1/openapi.json` shows all that there is."],
  [
    "CYG_API_READERS",
    "Too many programs read events of the gateway.",
    "Close readers that nobody needs; each keeps a connection.",
  ],
  [
    "CYG_API_LOCKED",
    "Too many wrong tokens came from this address; nothing is looked at until the wait is over.",
    "Correct the token, then wait as long as Retry-After says.",
  ],
  [
    "CYG_API_ROLE",
    "The role of the caller does not allow it.",
    "Ask somebody with the role, or raise role of the APIUSER.",
  ],
  [
    "CYG_API_UNKNOWN",
    "The HTTP API does not know who asks.",
    "Give a token (--token-file) or a certificate that belongs to an APIUSER.",
  ],
  [
    "CYG_CERTIFICATE_STATE",
    "A command does not apply to the state of the certificate.",
    "The text says what does.",
  ],
  [
    "CYG_CERTIFICATE_UNKNOWN",
    "There is no such certificate, or several are meant.",
    "`cygnet pki list` shows all; add digits of the fingerprint, or --part.",
  ],
  [
    "CYG_PKI_USAGE",
    "A certificate does not permit what it is to be used for.",
    "Choose another --usage, or ask the partner for a certificate with the right KeyUsage.",
  ],
  [
    "CYG_REQUEST_UPLOAD",
    "The octets of a file broke off on their way to the gateway.",
    "Send it again; nothing of it was kept.",
  ],
  ["CYG_REQUEST_CURSOR", "The cursor of a list belongs to another list.", "Begin again with the first page."],
  ["CYG_UNKNOWN_TRANSFER", "The catalog has no such transfer.", "`cygnet listcat` shows the transfers."],
  [
    "CYG_REQUEST_OUTSIDE",
    "The file of a request lies outside workingdir of its flow.",
    "Name a file below that directory, without symbolic links on the way, or choose another flow.",
  ],
  [
    "CYG_REQUEST_FILE",
    "The file of a request cannot be used.",
    "Name an ordinary file that the gateway may read, with its absolute path.",
  ],
  [
    "CYG_REQUEST_OBJECT",
    "A command names no object, or may mean two.",
    "Say which with --type; `cygnet status` shows what there is.",
  ],
  [
    "CYG_REQUEST_PART",
    "A command names a partner that does not exist or cannot be called.",
    "`cygnet status` shows the partners.",
  ],
  ["CYG_REQUEST_REASON", "A number is no NERP reason.", "`cygnet explain --list NERP` shows them all."],
  [
    "CYG_REQUEST_STATE",
    "A command does not apply to the state of the transfer.",
    "Look at the record with `cygnet display`; the text names the states it applies to.",
  ],
  [
    "CYG_JOB_CALL",
    "A job was to call a partner that is not called; the text says why.",
    "Do what the text says.",
  ],
  ["CYG_JOB_COMMAND", "The command of a job is not well written.", "Write it as the text shows."],
  ["CYG_JOB_FAILED", "A job did not end well.", "Look at its output in the log."],
  [
    "CYG_JOB_RELOAD",
    "A job was to read the configuration again, and it was not accepted.",
    "`cygnet check` shows all faults at once.",
  ],
  ["CYG_JOB_UNKNOWN", "There is no such job.", "The text names those that there are."],
  ["CYG_NOTIFY_MAIL", "A mail could not be delivered.", OUTLET],
  [
    "CYG_NOTIFY_REFUSED",
    "The mail server or the webhook refuses the notification for good.",
    "Check address, account and what it takes.",
  ],
  ["CYG_NOTIFY_STOPPED", "A notification was under way when the gateway stopped.", "Nothing to do."],
  ["CYG_NOTIFY_WEBHOOK", "A webhook could not be reached or gave an error.", OUTLET],
  ["CYG_MESSAGE_UNKNOWN", "A message was to be logged that the catalogue does not know.", REPORT],
  ["CYG_MESSAGE_VARIABLES", "A message was to be logged without its variables.", REPORT],
];
