import { type Message, message, NOTHING } from "../message.ts";

const HANDSHAKE = "ssl version cipher auth host? resumed?";

/**
 * CFTY: TLS. `ctx` is the same in all lines of one TLS session; client lines carry `part`, server lines `prot`.
 * Order of a good session as client: 19I 21I 23I 14I … 11I; as server: 20I 25I 24I 22I 15I … 12I. Which of our
 * conditions takes the place of Transfer CFT's: docs/tls.md.
 */
export const tlsMessages: readonly Message[] = [
  message(
    "CFTY03E",
    "pid cause cr? cs? text",
    "TLS cannot be set up: {text}",
    "A TLS profile could not be made from its keys and certificates, at the start or when the configuration was read again.",
    "Correct the CFTSSL object that the text names; a configuration in force goes on without the change.",
  ),
  message(
    "CFTY04E",
    "pid pkifname cause cr? cs? text?",
    "Certificate file cannot be read: {text}",
    "A file that a [[pki]] object names is missing or may not be read.",
    "Check the path (relative to the main file) and the permissions; then reload.",
  ),
  message(
    "CFTY05E",
    "pid pkifname text",
    "Certificate file is not understood: {text}",
    "A file that a [[pki]] object names holds no certificate or key, or one that does not fit.",
    "Replace the file; `openssl x509 -in FILE -noout -text` shows what is in it.",
  ),
  message(
    "CFTY06E",
    "ctx text",
    "Bad request for a client certificate: {text}",
    "We called, and the way in which the partner asked for our certificate cannot be used.",
    "Tell the partner; its TLS product or its list of authorities is at fault.",
  ),
  message(
    "CFTY07E",
    "ctx? cause? cr? cs? prot? sslpid? host? text?",
    "TLS session given up: {text}",
    "Something that a TLS session needs was not to be had: memory, file descriptors, a seat, or somebody to take it.",
    "Look at the load, maxcnx of the CFTNET, and the limits of the process; the partner will call again.",
  ),
  message("CFTY08I", "pid", "TLS started", "TLS is ready for use.", NOTHING),
  message("CFTY09I", "pid", "TLS stopped", "TLS is no longer in use.", NOTHING),
  message(
    "CFTY10E",
    "pid? ctx text",
    "TLS event out of place: {text}",
    "A network event concerned a TLS session that no longer exists; it was ignored.",
    "Report it if it is repeated.",
  ),
  message("CFTY11I", "ctx part ssl", "Client TLS session closed", "The TLS session has ended.", NOTHING),
  message("CFTY12I", "ctx prot ssl", "Server TLS session closed", "The TLS session has ended.", NOTHING),
  message(
    "CFTY13E",
    "ctx alert cr? part? prot? host? text?",
    "TLS handshake failed here: {text}",
    "This gateway ended the handshake, usually because it does not trust the other side's certificate.",
    "Compare versions, ciphers and trusted certificates (rootcid) with the partner; `cygnet explain TLS <cr>`.",
  ),
  message(
    "CFTY14I",
    `ctx part? ${HANDSHAKE}`,
    "Client TLS handshake done",
    "We called; the line is encrypted now.",
    NOTHING,
  ),
  message(
    "CFTY15I",
    `ctx prot ${HANDSHAKE}`,
    "Server TLS handshake done",
    "A partner called; the line is encrypted now.",
    NOTHING,
  ),
  message(
    "CFTY16I",
    "ctx text",
    "TLS external check: {text}",
    "An external check of certificates had this to say.",
    NOTHING,
  ),
  message("CFTY17I", "ctx text", "TLS security: {text}", "A security function had this to say.", NOTHING),
  message(
    "CFTY18E",
    "ctx? part? text cr?",
    "Certificate check failed: {text}",
    "A certificate or a key could not be used; CR is Transfer CFT's name of what is wrong with it.",
    "Do what the text says; most often the other side has to renew a certificate, or its authority is missing in rootcid.",
  ),
  message(
    "CFTY19I",
    "part ssl ctx pid? host?",
    "Client TLS handshake begins",
    "We called the partner and ask for TLS.",
    NOTHING,
  ),
  message(
    "CFTY20I",
    "prot ssl ctx pid?",
    "Server TLS handshake begins",
    "Somebody called a TLS port.",
    NOTHING,
  ),
  message(
    "CFTY21I",
    "ctx id? rootid?",
    "Server certificate accepted",
    "We called and trust the certificate of the partner.",
    NOTHING,
  ),
  message(
    "CFTY22I",
    "ctx id? rootid?",
    "Client certificate accepted",
    "We were called and trust the certificate of the caller.",
    NOTHING,
  ),
  message("CFTY23I", "ctx id rootid?", "Client certificate presented", "We show this certificate.", NOTHING),
  message("CFTY24I", "ctx id rootid?", "Server certificate presented", "We show this certificate.", NOTHING),
  message("CFTY25I", "ctx host", "TLS caller's address", "Who calls, right behind CFTY20I.", NOTHING),
  message(
    "CFTY26I",
    "ctx role",
    "Anonymous TLS session opened as {role}",
    "The other side showed no certificate, and none is demanded.",
    'Set verify = "required" in the TLS profile if every caller must show one.',
  ),
  message(
    "CFTY28W",
    "ctx file? text",
    "Certificate chain of the partner not stored: {text}",
    "The partner's certificates could not be kept for later; the transfer goes on.",
    "Check free space and permissions of the folder.",
  ),
  message(
    "CFTY75W",
    "ctx? part? text",
    "Certificate used, but: {text}",
    'A certificate is used although not everything about it could be found out; with "prefer" that is enough.',
    "See why the authority cannot be asked: address, network, crlfile. Nothing to do if it passes.",
  ),
  message(
    "CFTY30E",
    "ctx alert cr? part? prot? host? text?",
    "TLS handshake failed at the other side: {text}",
    "The partner ended the handshake with an alert.",
    "Read the partner's log; most often it does not know our certificate or the authority behind it.",
  ),
];
