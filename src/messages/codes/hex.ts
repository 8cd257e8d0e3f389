import type { WrittenRow } from "./meaning.ts";

const TRACE = "Compare the protocol traces of both sides (log level T).";
const SETTINGS = "Compare the settings of both sides: srusize, scredit, direction, restart, compression.";
const REPORT = "Ask whoever runs the product that wrote it; it failed inside.";
const BUILT = "A command could not be built or read.";

function rows(means: string, action: string, names: Readonly<Record<string, string>>): WrittenRow[] {
  return Object.entries(names).map(([code, name]) => [code, name, means, action]);
}

/** The four digits that Transfer CFT puts behind the code or the mnemonic of DIAGP over OFTP. */
export const hexCodes: readonly WrittenRow[] = [
  ...rows("Something inside failed.", REPORT, {
    "0101": "area not allocated",
    "0102": "unknown event at connection",
    "0150": "release failed",
  }),
  ...rows("The negotiation or the answer to it does not suit.", SETTINGS, {
    "0151": "bad restart value",
    "0152": "credit not used up, or zero",
    "0202": "position that came back is too high",
    "0203": "restart options differ",
    "0204": "compression raised",
    "0205": "exchange buffer below 128 octets or above what was proposed",
    "0206": "credit out of bounds",
    "0207": "direction does not suit",
    "0208": "special logic does not suit",
    "0250": "restart not negotiated",
    "0301": '"ODETTE FTP READY" not received',
    "0350": "subrecords do not fit the exchange buffer",
    "0351": "size of a subrecord",
    "0401": "restart asked for and not agreed",
    "0550": "exchange buffer below 128 octets",
    "0551": "bad restart parameter",
  }),
  ...rows("The other side said no or ended it.", "Ask the partner for its log.", {
    "0402": "creation refused",
    "0501": "abort received",
    "0601": "another file than the one selected",
    "0650": "selection refused",
    "0701": "released by the other side",
  }),
  ...rows("The data broke the rules of the protocol.", TRACE, {
    "0750": "data sent without credit",
    "0751": "record larger than the buffer",
  }),
  ...rows(BUILT, TRACE, {
    "0A00": "SSRM",
    "0A02": "SSID",
    "0A03": "answer to SSID",
    "0A04": "SFID",
    "0A05": "EFID",
    "0A06": "ESID",
    "0A07": "CDT",
    "0A08": "CD",
    "0A09": "EERP",
    "0A0A": "DATA",
    "0B00": "acknowledgement of the connection",
    "0B01": "SFPA",
    "0B02": "SFNA",
    "0B03": "EFPA",
    "0B04": "EFNA",
    "0B05": "RTR",
  }),
];
