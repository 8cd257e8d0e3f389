import type { CodeRow, WrittenRow } from "./meaning.ts";

const AGAIN = "Nothing to do: the gateway calls again; look at the line if it is repeated.";
const ADDRESS = "Correct host and sap of the partner.";
const LOCAL = "Check this machine: addresses, routes, open files.";
const LINE = "See who cuts the line: the partner, a firewall, or the network.";

/** First part (rr) of a DIAGP `L rr ddd` (found here) or `R rr ddd` (from the other side). */
export const tcpReasons: readonly WrittenRow[] = [
  ["00", "refused or cut by the other side", "The other side refused the call or closed the line.", LINE],
  ["01", "time-out", "The other side did not answer in time.", AGAIN],
  ["02", "resources", "A resource is missing.", LOCAL],
  ["03", "memory", "There was no memory.", LOCAL],
  ["04", "bad access point", "The port is not one that can be used.", ADDRESS],
  ["08", "bad parameter", "A parameter of the network is wrong.", LOCAL],
  ["09", "other", "The system gave another reason, which the second part tells.", AGAIN],
  [
    "0B",
    "no outgoing resource",
    "There is no network resource for outgoing calls.",
    "Check the CFTNET and CFTPROT of the partner.",
  ],
  ["43", "bad address", "The address or name of the partner is wrong.", ADDRESS],
];

/** Second part (ddd), hexadecimal; below 1F4 it is the number of the operating system's error. */
export const tcpDiagnostics: readonly WrittenRow[] = [
  [
    "23D",
    "maxcnx reached",
    "As many connections as allowed are open.",
    "Raise maxcnx of the CFTNET, or wait.",
  ],
  [
    "280",
    "connection time-out",
    "The call was not answered in time.",
    "Check address and firewalls; `cygnet test-partner` helps.",
  ],
  ...["2F0", "2F1", "2F2", "2F3", "2F4", "2F5", "2F6", "2F7", "2F8"].map(
    (code) => [code, closed(code), "The other side closed the connection.", LINE] as const,
  ),
  ["3C3", "host unknown", "The name of the host is not known.", ADDRESS],
  [
    "3C4",
    "host not found just now",
    "The name server did not answer.",
    "Check the name server of this machine.",
  ],
  ["468", "refused", "Nobody listens on that port, or a firewall refuses it.", ADDRESS],
];

function closed(code: string): string {
  if (code === "2F2") return "closed by the other side while data was written";
  return code === "2F5" ? "closed by the other side while data was read" : "closed by the other side";
}

/** RECOV of CFTH10E: what kind of failure it was, and so whether the call is repeated. */
export const recoveries: readonly CodeRow[] = [
  [1, "normal disconnection", "The line was closed in good order.", AGAIN],
  [2, "time-out", "An answer did not come in time.", AGAIN],
  [3, "resources or procedure", "A resource was missing or a step went wrong.", AGAIN],
  [4, "contexts", "No further line can be held.", AGAIN],
  [5, "maxcnx, incoming", "The limit of incoming connections is reached.", AGAIN],
  [9, "other, passing", "Something else that passes.", AGAIN],
  [64, "syntax", "The address is not written as it must be.", ADDRESS],
  [67, "remote address", "The address of the partner is wrong.", ADDRESS],
  [68, "local address", "The address of this side is wrong.", LOCAL],
  [99, "temporary", "Something that passes.", AGAIN],
  [128, "network", "The network failed.", AGAIN],
];
