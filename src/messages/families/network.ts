import { type Message, message, NOTHING } from "../message.ts";

/** CFTN: listening ports and TCP. */
export const networkMessages: readonly Message[] = [
  message("CFTN01I", "net host?", "Network resource opened", "A CFTNET object is in use.", NOTHING),
  message(
    "CFTN02I",
    "net prot host? sap?",
    "Protocol is listening",
    "Partners can call this address and port.",
    NOTHING,
  ),
  message("CFTN05I", "net? prot? host? text", "TCP: {text}", "Something worth knowing about TCP.", NOTHING),
  message(
    "CFTN05W",
    "net? prot? host? text",
    "TCP warning: {text}",
    "A call or a connection did not go as it should; the gateway goes on.",
    "Look at the text if it is repeated.",
  ),
  message(
    "CFTN05E",
    "net? prot? host? text",
    "TCP error: {text}",
    "A port could not be opened or a network function failed.",
    "Check that no other program has the port and that the address is this machine's.",
  ),
  message(
    "CFTN36W",
    "limit host? port? net? prot? text?",
    "Incoming call refused at the connection limit: {text}",
    "The network resource has as many connections as maxcnx allows; the caller was disconnected.",
    "Raise maxcnx of the CFTNET object, or ask the partner to call less often.",
  ),
  message(
    "CFTN70I",
    "net host text",
    "No longer locked out: {text}",
    "An operator settled what an address or a code had on its account.",
    NOTHING,
  ),
  message(
    "CFTN70W",
    "net host? npart? n seconds text",
    "Locked out for {seconds} s after {n} refusals: {text}",
    "A caller was refused again and again for its code, its password or its certificate (cftnet.lockout).",
    "If it is a partner: correct nrpart, nrpassw or its certificate, then `cygnet act` with the address or the partner.",
  ),
];
