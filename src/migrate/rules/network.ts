/** CFTNET, CFTPROT, CFTTCP: where to listen, how to speak, how to reach a partner. */
import { advised, instead, listenOn, port } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { type Source, word } from "../objects.ts";
import { heeded, type Kind, kind, none, nones, same, to } from "../rule.ts";
import type { Site } from "../site.ts";

const PESIT = "belongs to PeSIT";
const RELAY = "Secure Relay is not supported: listen in the DMZ with a second gateway or a TCP relay";
const NEGOTIATED =
  "both sides agree on the smaller value: without this line the gateway offers more and is faster";

export const NET: Kind = kind("CFTNET", "a network resource", [
  same("ID"),
  none("TYPE", "the network is TCP/IP", { idle: ["TCP"] }),
  to("HOST", "host", listenOn),
  same("MAXCNX"),
  heeded("CLASS", "the CFTTCP of the class is carried over; calls go out on the system's routes"),
  same("CALL", 'a protocol without sap does not listen; a partner with state = "activeserv" is not called', {
    idle: ["INOUT"],
  }),
  same("SRCHOST", "calls go out from the address that the system's routes choose"),
  same("SRCPORTS", "calls go out from a port that the system chooses"),
  none("PROTOCOL", "calls through a SOCKS proxy are not supported"),
  ...nones("INET PORT USER PARM", "belongs to a proxy"),
  none("PASSWORD", "belongs to a proxy", { secret: true }),
  ...nones("RECALLHOST SSLTERM", RELAY, { idle: ["NO"] }),
]);

export const PROT: Kind = kind(
  "CFTPROT",
  "a protocol",
  [
    same("ID"),
    same("TYPE"),
    same("NET"),
    to("SAP", "sap", port),
    same("SSL"),
    same("SSH", "this version has no SFTP"),
    to("SRUSIZE", "srusize", advised(NEGOTIATED)),
    none("RRUSIZE", "one size serves both directions: srusize"),
    to("SCREDIT", "scredit", advised(NEGOTIATED)),
    none("RCREDIT", "one credit serves both directions: scredit"),
    to("SCOMP", "scomp", instead({ "15": "1" }, "OFTP has one kind of compression")),
    none("RCOMP", "one switch serves both directions: scomp"),
    same("RESYNC", undefined, {
      missing: { value: "NO", keep: false, why: "restart is offered: a partner without it says no" },
    }),
    ...["RESTART", "RTO", "DISCTC", "DISCTD", "DISCTS", "DISCTR", "SRIN", "SROUT"].map((name) => same(name)),
    same("EERP", "end-to-end responses are recognised with their codes in either order", { idle: ["91"] }),
    none("TCP", "only the framing of RFC 2204 and RFC 5024 exists: the partner must use TCP=OFTP", {
      idle: ["OFTP"],
    }),
    none("REVERSE", "a session always serves both directions", { idle: ["YES"] }),
    none("PAD", "special logic for lines without error correction: not needed on TCP", { idle: ["NO"] }),
    same("IDF"),
    same("DYNAM", "unknown callers are refused: write a cftpart for each partner"),
    none("EXITA", "compiled exits cannot be loaded: write a program for exita", { guard: true }),
    ...["SPACING", "RPACING"].map((name) => same(name, "belongs to PeSIT and SFTP")),
    ...nones("PROF CONCAT MULTART SEGMENT SCHKW RCHKW LOGON HIDE99 SSERV RSERV", PESIT),
    ...nones("CTO CYCLE TURN SIGFNAME NACK PART", PESIT),
  ],
  { shape: shapeProtocol },
);

function shapeProtocol(draft: Draft, object: Source, site: Site): void {
  if (draft.values.get("ssl") && draft.values.get("type") === "odette" && !draft.values.has("level")) {
    const why = "Transfer CFT speaks OFTP 1.x over TLS too: these partners do, until they change";
    draft.set("level", [5, 4, 2, 1], why);
    site.tell("changed", object, "(level)", "cftprot.level = [5, 4, 2, 1]", why);
  }
  if (word(object, "SRIN") === "NONE") {
    const why = "no calls are taken: the protocol does not listen";
    draft.values.delete("sap");
    site.tell("changed", object, "SRIN", "no cftprot.sap", why);
    if (object.given.has("SAP")) site.tell("changed", object, "SAP", "", why);
  }
  if (word(object, "SROUT") === "NONE") {
    site.tell("without", object, "SROUT", "", 'to call none of its partners, give them state = "activeserv"');
  }
}

const WINDOW = "one window for each partner, on cftpart, whatever the network";

export const TCP: Kind = kind(
  "CFTTCP",
  "how to reach a partner",
  [
    same("ID"),
    same("HOST"),
    heeded("CLASS", "the CFTTCP of the class is carried over; calls go out on the system's routes"),
    ...["CNXIN", "CNXOUT", "CNXINOUT", "RETRYW", "RETRYN", "RETRYM"].map((name) => same(name)),
    none("VERIFY", "callers are not compared with HOST: list their addresses in cftnet.allow", {
      idle: ["0"],
      guard: true,
    }),
    ...["OMINTIME", "IMINTIME"].map((name) => same(name, WINDOW, { idle: ["0", "00000000"] })),
    ...["OMAXTIME", "IMAXTIME"].map((name) => same(name, WINDOW, { idle: ["23595999"] })),
  ],
  {
    identity: [
      ["ID", ""],
      ["CLASS", "1"],
    ],
  },
);

export const NETWORK_KINDS: readonly Kind[] = [NET, PROT, TCP];
