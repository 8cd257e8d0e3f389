/** The tables of RFC 5024 and RFC 2204, taken from the documents apart from the code that is held against them. */

/**
 * Field tables (RFC 5024 section 5.3, RFC 2204 section 5.3): NAME:TYPE(octets). X text, 9 digits, U binary, T UTF-8,
 * C carriage return; n = variable, told by the length field before it.
 */
export const LAYOUT_FACTS: Record<
  string,
  { code: string; "1.3": string | null; "1.4": string | null; "2.0": string }
> = {
  SSRM: {
    code: "I",
    "1.3": "SSRMCMD:X(1) SSRMMSG:X(17) SSRMCR:C(1)",
    "1.4": "SSRMCMD:X(1) SSRMMSG:X(17) SSRMCR:C(1)",
    "2.0": "SSRMCMD:X(1) SSRMMSG:X(17) SSRMCR:C(1)",
  },
  SSID: {
    code: "X",
    "1.3":
      "SSIDCMD:X(1) SSIDLEV:9(1) SSIDCODE:X(25) SSIDPSWD:X(8) SSIDSDEB:9(5) SSIDSR:X(1) SSIDCMPR:X(1) SSIDREST:X(1) SSIDSPEC:X(1) SSIDCRED:9(3) SSIDRSV1:X(5) SSIDUSER:X(8) SSIDCR:C(1)",
    "1.4":
      "SSIDCMD:X(1) SSIDLEV:9(1) SSIDCODE:X(25) SSIDPSWD:X(8) SSIDSDEB:9(5) SSIDSR:X(1) SSIDCMPR:X(1) SSIDREST:X(1) SSIDSPEC:X(1) SSIDCRED:9(3) SSIDRSV1:X(5) SSIDUSER:X(8) SSIDCR:C(1)",
    "2.0":
      "SSIDCMD:X(1) SSIDLEV:9(1) SSIDCODE:X(25) SSIDPSWD:X(8) SSIDSDEB:9(5) SSIDSR:X(1) SSIDCMPR:X(1) SSIDREST:X(1) SSIDSPEC:X(1) SSIDCRED:9(3) SSIDAUTH:X(1) SSIDRSV1:X(4) SSIDUSER:X(8) SSIDCR:C(1)",
  },
  SFID: {
    code: "H",
    "1.3":
      "SFIDCMD:X(1) SFIDDSN:X(26) SFIDRSV1:X(9) SFIDDATE:X(6) SFIDTIME:X(6) SFIDUSER:X(8) SFIDDEST:X(25) SFIDORIG:X(25) SFIDFMT:X(1) SFIDLRECL:9(5) SFIDFSIZ:9(7) SFIDREST:9(9)",
    "1.4":
      "SFIDCMD:X(1) SFIDDSN:X(26) SFIDRSV1:X(3) SFIDDATE:9(8) SFIDTIME:9(10) SFIDUSER:X(8) SFIDDEST:X(25) SFIDORIG:X(25) SFIDFMT:X(1) SFIDLRECL:9(5) SFIDFSIZ:9(7) SFIDREST:9(9)",
    "2.0":
      "SFIDCMD:X(1) SFIDDSN:X(26) SFIDRSV1:X(3) SFIDDATE:9(8) SFIDTIME:9(10) SFIDUSER:X(8) SFIDDEST:X(25) SFIDORIG:X(25) SFIDFMT:X(1) SFIDLRECL:9(5) SFIDFSIZ:9(13) SFIDOSIZ:9(13) SFIDREST:9(17) SFIDSEC:9(2) SFIDCIPH:9(2) SFIDCOMP:9(1) SFIDENV:9(1) SFIDSIGN:X(1) SFIDDESCL:9(3) SFIDDESC:T(n)",
  },
  SFPA: {
    code: "2",
    "1.3": "SFPACMD:X(1) SFPAACNT:9(9)",
    "1.4": "SFPACMD:X(1) SFPAACNT:9(9)",
    "2.0": "SFPACMD:X(1) SFPAACNT:9(17)",
  },
  SFNA: {
    code: "3",
    "1.3": "SFNACMD:X(1) SFNAREAS:9(2) SFNARRTR:X(1)",
    "1.4": "SFNACMD:X(1) SFNAREAS:9(2) SFNARRTR:X(1)",
    "2.0": "SFNACMD:X(1) SFNAREAS:9(2) SFNARRTR:X(1) SFNAREASL:9(3) SFNAREAST:T(n)",
  },
  DATA: {
    code: "D",
    "1.3": "DATACMD:X(1) DATABUF:U(n)",
    "1.4": "DATACMD:X(1) DATABUF:U(n)",
    "2.0": "DATACMD:X(1) DATABUF:U(n)",
  },
  CDT: {
    code: "C",
    "1.3": "CDTCMD:X(1) CDTRSV1:X(2)",
    "1.4": "CDTCMD:X(1) CDTRSV1:X(2)",
    "2.0": "CDTCMD:X(1) CDTRSV1:X(2)",
  },
  EFID: {
    code: "T",
    "1.3": "EFIDCMD:X(1) EFIDRCNT:9(9) EFIDUCNT:9(12)",
    "1.4": "EFIDCMD:X(1) EFIDRCNT:9(9) EFIDUCNT:9(12)",
    "2.0": "EFIDCMD:X(1) EFIDRCNT:9(17) EFIDUCNT:9(17)",
  },
  EFPA: {
    code: "4",
    "1.3": "EFPACMD:X(1) EFPACD:X(1)",
    "1.4": "EFPACMD:X(1) EFPACD:X(1)",
    "2.0": "EFPACMD:X(1) EFPACD:X(1)",
  },
  EFNA: {
    code: "5",
    "1.3": "EFNACMD:X(1) EFNAREAS:9(2)",
    "1.4": "EFNACMD:X(1) EFNAREAS:9(2)",
    "2.0": "EFNACMD:X(1) EFNAREAS:9(2) EFNAREASL:9(3) EFNAREAST:T(n)",
  },
  ESID: {
    code: "F",
    "1.3": "ESIDCMD:X(1) ESIDREAS:9(2) ESIDCR:C(1)",
    "1.4": "ESIDCMD:X(1) ESIDREAS:9(2) ESIDCR:C(1)",
    "2.0": "ESIDCMD:X(1) ESIDREAS:9(2) ESIDREASL:9(3) ESIDREAST:T(n) ESIDCR:C(1)",
  },
  CD: { code: "R", "1.3": "CDCMD:X(1)", "1.4": "CDCMD:X(1)", "2.0": "CDCMD:X(1)" },
  RTR: { code: "P", "1.3": "RTRCMD:X(1)", "1.4": "RTRCMD:X(1)", "2.0": "RTRCMD:X(1)" },
  EERP: {
    code: "E",
    "1.3":
      "EERPCMD:X(1) EERPDSN:X(26) EERPRSV1:X(9) EERPDATE:X(6) EERPTIME:X(6) EERPUSER:X(8) EERPDEST:X(25) EERPORIG:X(25)",
    "1.4":
      "EERPCMD:X(1) EERPDSN:X(26) EERPRSV1:X(3) EERPDATE:9(8) EERPTIME:9(10) EERPUSER:X(8) EERPDEST:X(25) EERPORIG:X(25)",
    "2.0":
      "EERPCMD:X(1) EERPDSN:X(26) EERPRSV1:X(3) EERPDATE:9(8) EERPTIME:9(10) EERPUSER:X(8) EERPDEST:X(25) EERPORIG:X(25) EERPHSHL:U(2) EERPHSH:U(n) EERPSIGL:U(2) EERPSIG:U(n)",
  },
  NERP: {
    code: "N",
    "1.3": null,
    "1.4":
      "NERPCMD:X(1) NERPDSN:X(26) NERPRSV1:X(6) NERPDATE:9(8) NERPTIME:9(10) NERPDEST:X(25) NERPORIG:X(25) NERPCREA:X(25) NERPREAS:9(2)",
    "2.0":
      "NERPCMD:X(1) NERPDSN:X(26) NERPRSV1:X(6) NERPDATE:9(8) NERPTIME:9(10) NERPDEST:X(25) NERPORIG:X(25) NERPCREA:X(25) NERPREAS:9(2) NERPREASL:9(3) NERPREAST:T(n) NERPHSHL:U(2) NERPHSH:U(n) NERPSIGL:U(2) NERPSIG:U(n)",
  },
  SECD: { code: "J", "1.3": null, "1.4": null, "2.0": "SECDCMD:X(1)" },
  AUCH: { code: "A", "1.3": null, "1.4": null, "2.0": "AUCHCMD:X(1) AUCHCHLL:U(2) AUCHCHAL:U(n)" },
  AURP: { code: "S", "1.3": null, "1.4": null, "2.0": "AURPCMD:X(1) AURPRSP:U(20)" },
};

/** State tables (RFC 5024 section 9): cells in the order of `states`. */
export const STATE_FACTS: Record<string, { states: string; events: Record<string, string> }> = {
  S: {
    states: "IDLE I_WF_NC I_WF_RM I_WF_SSID A_NC_ONLY A_WF_CONRS WF_AUCH WF_AURP WF_SECD Other",
    events: {
      F_CONNECT_RQ: "A X X X X X X X X X",
      N_CON_CF: "X C X X X X X X X X",
      SSRM: "X X H X X X L L L X",
      SSID: "X X X D E F L L L F",
      N_CON_IND: "B X X X X X X X X X",
      F_CONNECT_RS: "X U U U U G X X X U",
      ESID: "X X X F X X F F F X",
      AUCH: "X X U U X X I L L U",
      AURP: "X X U U X X L K L U",
      SECD: "X X U U X X L L J U",
    },
  },
  E: {
    states: "IDLE I_WF_NC WF_NDISC Other",
    events: {
      "TIME-OUT": "X X A B",
      F_ABORT_RQ: "X A X C",
      N_RST_IND: "X X A D",
      N_DISC_IND: "X E F G",
      "Invalid Buffer": "X X H I",
    },
  },
  P: {
    states: "IDLESP IDLESPCD WF_RTR WF_CD ERSTWFCD NRSTWFCD SFSTWFCD CDSTWFCD OPOP OPO OPOWFC WF_NDISC Other",
    events: {
      F_EERP_RQ: "A A W F W W U U U U U U U",
      F_NERP_RQ: "Y Y W Z W W U U U U U U U",
      F_START_FILE_RQ: "B B W G W W U U U U U X U",
      SFPA: "C C C C C C C C K C C S C",
      SFNA: "C C C C C C C C L C C S C",
      CD: "C C C H R Z1 I J C C C S C",
      F_DATA_RQ: "U U U U U U U U U M U S U",
      CDT: "C C C C C C C C C P O S C",
      F_CD_RQ: "D U W T W W U U U U U X U",
      "F_REL_RQ(Ok)": "U E U U U U U U U U U X U",
      "F_REL_RQ(Err)": "Q Q Q Q Q Q Q Q Q Q Q S Q",
      RTR: "C C N C C C C C C C C S C",
    },
  },
  Q: {
    states: "OPO OPOWFC CLOP",
    events: {
      F_CLOSE_FILE_RQ: "A E U",
      EFPA: "B B C",
      EFNA: "B B D",
    },
  },
  L: {
    states: "IDLELI IDLELICD OPIP OPI CLIP RTRP",
    events: {
      SFID: "A A B B B B",
      DATA: "B B B I B B",
      EFID: "B B B J B B",
      F_START_FILE_RS: "U U H U U U",
      F_CLOSE_FILE_RS: "U U U U K U",
      CD: "C B B B B B",
      "ESID R=Normal": "D F D D D D",
      "ESID R=Error": "D D D D D D",
      EERP: "E E B B B B",
      NERP: "L L B B B B",
      F_RTR_RS: "U U U U U M",
    },
  },
};

/**
 * What each state makes of each command received, all tables read together: `table-transition`; v = protocol
 * violation, d = ended by the partner, . = ignored. ESID0 = reason 00, ESIDx = any other. What the tables leave open:
 * an ESID that crosses ours on the line is as good as the partner's close (E-A), or both would wait for it.
 */
export const MATRIX = `
State       SSRM  SSID  SECD  AUCH  AURP  SFID  SFPA  SFNA  DATA  CDT  EFID  EFPA  EFNA  CD    EERP  NERP  RTR  ESID0  ESIDx
I_WF_RM     S-H   v     v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  d      d
I_WF_SSID   v     S-D   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  S-F    S-F
A_NC_ONLY   v     S-E   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  d      d
A_WF_CONRS  v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  d      d
WF_AUCH     S-L   S-L   S-L   S-I   S-L   v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  S-F    S-F
WF_AURP     S-L   S-L   S-L   S-L   S-K   v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  S-F    S-F
WF_SECD     S-L   S-L   S-J   S-L   S-L   v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  S-F    S-F
IDLESP      v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  d      d
IDLESPCD    v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-C  d      d
WF_RTR      v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-C   v     v     P-N  d      d
OPOP        v     S-F   v     v     v     v     P-K   P-L   v     P-C  v     v     v     P-C   v     v     P-C  d      d
OPO         v     S-F   v     v     v     v     P-C   P-C   v     P-P  v     Q-B   Q-B   P-C   v     v     P-C  d      d
OPOWFC      v     S-F   v     v     v     v     P-C   P-C   v     P-O  v     Q-B   Q-B   P-C   v     v     P-C  d      d
CLOP        v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     Q-C   Q-D   P-C   v     v     P-C  d      d
WF_CD       v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-H   v     v     P-C  d      d
ERSTWFCD    v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-R   v     v     P-C  d      d
NRSTWFCD    v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-Z1  v     v     P-C  d      d
SFSTWFCD    v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-I   v     v     P-C  d      d
CDSTWFCD    v     S-F   v     v     v     v     P-C   P-C   v     P-C  v     v     v     P-J   v     v     P-C  d      d
IDLELI      v     S-F   v     v     v     L-A   P-C   P-C   L-B   P-C  L-B   v     v     L-C   L-E   L-L   P-C  L-D    L-D
IDLELICD    v     S-F   v     v     v     L-A   P-C   P-C   L-B   P-C  L-B   v     v     L-B   L-E   L-L   P-C  L-F    L-D
OPIP        v     S-F   v     v     v     L-B   P-C   P-C   L-B   P-C  L-B   v     v     L-B   L-B   L-B   P-C  L-D    L-D
OPI         v     S-F   v     v     v     L-B   P-C   P-C   L-I   P-C  L-J   v     v     L-B   L-B   L-B   P-C  L-D    L-D
CLIP        v     S-F   v     v     v     L-B   P-C   P-C   L-B   P-C  L-B   v     v     L-B   L-B   L-B   P-C  L-D    L-D
RTRP        v     S-F   v     v     v     L-B   P-C   P-C   L-B   P-C  L-B   v     v     L-B   L-B   L-B   P-C  L-D    L-D
WF_NDISC    .     .     .     .     .     .     .     .     .     .    .     .     .     .     .     .     .    E-A    E-A
`;
