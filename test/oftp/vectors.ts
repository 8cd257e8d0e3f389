/**
 * Worked examples of the commands: octets set from the field tables of RFC 5024 and RFC 2204
 * section 5.3, apart from the code under test. Station A is O017700000ALPHA0001PLANT1, B is O0013000000BETA0002.
 */
import type { Command } from "../../src/oftp/wire/commands.ts";
import type { Level } from "../../src/oftp/wire/level.ts";

export interface Vector {
  title: string;
  level: Level;
  /** Stream transmission header in hex. */
  sth: string;
  octets: Buffer;
  command: Command;
}

/** Octets of a hex text; white space counts for nothing. */
export function octets(hex: string): Buffer {
  return Buffer.from(hex.replace(/\s/g, ""), "hex");
}

const NONE = Buffer.alloc(0);

export const VECTORS: readonly Vector[] = [
  {
    title: "SSRM, OFTP 2.0: SSRM, all versions",
    level: 5,
    sth: "10000017",
    octets: octets("494F444554544520465450205245414459200D"),
    command: { type: "SSRM", message: "ODETTE FTP READY " },
  },
  {
    title: "SSID, OFTP 1.3: A offers 1.3 the RFC 2204 way (level 1)",
    level: 1,
    sth: "10000041",
    octets: octets(`
    58314F303137373030303030414C50484130303031504C414E5431414C504841
    50572030323034384259594E303037202020202020202020202020200D
  `),
    command: {
      type: "SSID",
      lev: 1,
      code: "O017700000ALPHA0001PLANT1",
      pswd: "ALPHAPW",
      sdeb: 2048,
      sr: "B",
      cmpr: true,
      rest: true,
      spec: false,
      cred: 7,
      user: "",
      auth: false,
    },
  },
  {
    title: "SSID, OFTP 1.4: A offers 1.4 (level 4)",
    level: 4,
    sth: "10000041",
    octets: octets(`
    58344F303137373030303030414C50484130303031504C414E5431414C504841
    50572030343039364259594E303230202020202020202020202020200D
  `),
    command: {
      type: "SSID",
      lev: 4,
      code: "O017700000ALPHA0001PLANT1",
      pswd: "ALPHAPW",
      sdeb: 4096,
      sr: "B",
      cmpr: true,
      rest: true,
      spec: false,
      cred: 20,
      user: "",
      auth: false,
    },
  },
  {
    title: "SSID, OFTP 2.0: A offers 2.0 (level 5)",
    level: 5,
    sth: "10000041",
    octets: octets(`
    58354F303137373030303030414C50484130303031504C414E5431414C504841
    50572036353533354259594E3036344E2020202020202020202020200D
  `),
    command: {
      type: "SSID",
      lev: 5,
      code: "O017700000ALPHA0001PLANT1",
      pswd: "ALPHAPW",
      sdeb: 65535,
      sr: "B",
      cmpr: true,
      rest: true,
      spec: false,
      cred: 64,
      auth: false,
      user: "",
    },
  },
  {
    title: "SSID, OFTP 2.0: B answers: buffer 32768, credit 20, no restart",
    level: 5,
    sth: "10000041",
    octets: octets(`
    58354F3030313330303030303042455441303030322020202020204245544150
    573031333237363842594E4E3032304E2020202020202020202020200D
  `),
    command: {
      type: "SSID",
      lev: 5,
      code: "O0013000000BETA0002",
      pswd: "BETAPW01",
      sdeb: 32768,
      sr: "B",
      cmpr: true,
      rest: false,
      spec: false,
      cred: 20,
      auth: false,
      user: "",
    },
  },
  {
    title: "SFID, OFTP 1.3: Variable-record file",
    level: 1,
    sth: "10000084",
    octets: octets(`
    48534E41524B2E54585420202020202020202020202020202020202020202020
    2020202032363031313531303330313520202020202020204F30303133303030
    30303042455441303030322020202020204F303137373030303030414C504841
    30303031504C414E543156303030363030303030303031303030303030303030
  `),
    command: {
      type: "SFID",
      dsn: "SNARK.TXT",
      date: "260115",
      time: "103015",
      user: "",
      dest: "O0013000000BETA0002",
      orig: "O017700000ALPHA0001PLANT1",
      fmt: "V",
      lrecl: 60,
      fsiz: 1n,
      rest: 0n,
      osiz: 0n,
      sec: 0,
      ciph: 0,
      comp: 0,
      env: 0,
      sign: false,
      desc: "",
    },
  },
  {
    title: "SFID, OFTP 1.4: The same file",
    level: 4,
    sth: "10000084",
    octets: octets(`
    48534E41524B2E54585420202020202020202020202020202020202020203230
    3236303131353130333031353030303120202020202020204F30303133303030
    30303042455441303030322020202020204F303137373030303030414C504841
    30303031504C414E543156303030363030303030303031303030303030303030
  `),
    command: {
      type: "SFID",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      user: "",
      dest: "O0013000000BETA0002",
      orig: "O017700000ALPHA0001PLANT1",
      fmt: "V",
      lrecl: 60,
      fsiz: 1n,
      rest: 0n,
      osiz: 0n,
      sec: 0,
      ciph: 0,
      comp: 0,
      env: 0,
      sign: false,
      desc: "",
    },
  },
  {
    title: "SFID, OFTP 2.0: The same file, no services, no description",
    level: 5,
    sth: "100000A9",
    octets: octets(`
    48534E41524B2E54585420202020202020202020202020202020202020203230
    3236303131353130333031353030303120202020202020204F30303133303030
    30303042455441303030322020202020204F303137373030303030414C504841
    30303031504C414E543156303030363030303030303030303030303031303030
    3030303030303030303130303030303030303030303030303030303030303030
    304E303030
  `),
    command: {
      type: "SFID",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      user: "",
      dest: "O0013000000BETA0002",
      orig: "O017700000ALPHA0001PLANT1",
      fmt: "V",
      lrecl: 60,
      fsiz: 1n,
      osiz: 1n,
      rest: 0n,
      sec: 0,
      ciph: 0,
      comp: 0,
      env: 0,
      sign: false,
      desc: "",
    },
  },
  {
    title:
      "SFID, OFTP 2.0: Encrypted, signed, compressed file, signed EERP wanted, restart offered at block 5, UTF-8 description",
    level: 5,
    sth: "100000C7",
    octets: octets(`
    48454E4730303030303030303030303039383331363030343030322020203230
    3236303131353130333031353030303120202020202020204F30303133303030
    30303042455441303030322020202020204F303137373030303030414C504841
    30303031504C414E543155303030303030303030303030303030303039303030
    3030303030303030313430303030303030303030303030303030353033303631
    31593033305A656963686E756E672054C3BC7267726966662076332E43415450
    617274
  `),
    command: {
      type: "SFID",
      dsn: "ENG00000000000098316004002",
      date: "20260115",
      time: "1030150001",
      user: "",
      dest: "O0013000000BETA0002",
      orig: "O017700000ALPHA0001PLANT1",
      fmt: "U",
      lrecl: 0,
      fsiz: 9n,
      osiz: 14n,
      rest: 5n,
      sec: 3,
      ciph: 6,
      comp: 1,
      env: 1,
      sign: true,
      desc: "Zeichnung Türgriff v3.CATPart",
    },
  },
  {
    title: "SFPA, OFTP 1.4: Accept from the start",
    level: 4,
    sth: "1000000E",
    octets: octets("32303030303030303030"),
    command: { type: "SFPA", acnt: 0n },
  },
  {
    title: "SFPA, OFTP 2.0: Accept restart at 5",
    level: 5,
    sth: "10000016",
    octets: octets("323030303030303030303030303030303035"),
    command: { type: "SFPA", acnt: 5n },
  },
  {
    title: "SFNA, OFTP 1.3: Invalid destination, do not retry",
    level: 1,
    sth: "10000008",
    octets: octets("3330324E"),
    command: { type: "SFNA", reas: 2, rrtr: false, reast: "" },
  },
  {
    title: "SFNA, OFTP 2.0: File too big at present, retry later",
    level: 5,
    sth: "10000018",
    octets: octets("333036593031334E6F206469736B207370616365"),
    command: { type: "SFNA", reas: 6, rrtr: true, reast: "No disk space" },
  },
  {
    title: "SFNA, OFTP 2.0: Duplicate, no text",
    level: 5,
    sth: "1000000B",
    octets: octets("3331334E303030"),
    command: { type: "SFNA", reas: 13, rrtr: false, reast: "" },
  },
  {
    title: "CDT, OFTP 2.0: Credit",
    level: 5,
    sth: "10000007",
    octets: octets("432020"),
    command: { type: "CDT" },
  },
  {
    title: "EFPA, OFTP 2.0: End file accepted, keep the turn",
    level: 5,
    sth: "10000006",
    octets: octets("344E"),
    command: { type: "EFPA", cd: false },
  },
  {
    title: "EFPA, OFTP 2.0: End file accepted, turn requested",
    level: 5,
    sth: "10000006",
    octets: octets("3459"),
    command: { type: "EFPA", cd: true },
  },
  {
    title: "CD, OFTP 2.0: Change direction",
    level: 5,
    sth: "10000005",
    octets: octets("52"),
    command: { type: "CD" },
  },
  {
    title: "RTR, OFTP 2.0: Ready to receive",
    level: 5,
    sth: "10000005",
    octets: octets("50"),
    command: { type: "RTR" },
  },
  {
    title: "SECD, OFTP 2.0: Security change direction",
    level: 5,
    sth: "10000005",
    octets: octets("4A"),
    command: { type: "SECD" },
  },
  {
    title: "EFID, OFTP 1.4: V file: 9 records, 359 octets",
    level: 4,
    sth: "1000001A",
    octets: octets("54303030303030303039303030303030303030333539"),
    command: { type: "EFID", rcnt: 9n, ucnt: 359n },
  },
  {
    title: "EFID, OFTP 2.0: The same",
    level: 5,
    sth: "10000027",
    octets: octets(`
    5430303030303030303030303030303030393030303030303030303030303030
    333539
  `),
    command: { type: "EFID", rcnt: 9n, ucnt: 359n },
  },
  {
    title: "EFID, OFTP 2.0: U or secured file of 8546 octets",
    level: 5,
    sth: "10000027",
    octets: octets(`
    5430303030303030303030303030303030303030303030303030303030303038
    353436
  `),
    command: { type: "EFID", rcnt: 0n, ucnt: 8546n },
  },
  {
    title: "EFNA, OFTP 1.3: Invalid byte count",
    level: 1,
    sth: "10000007",
    octets: octets("353131"),
    command: { type: "EFNA", reas: 11, reast: "" },
  },
  {
    title: "EFNA, OFTP 2.0: Invalid file signature",
    level: 5,
    sth: "10000023",
    octets: octets("3532313032355369676E617475726520646F6573206E6F7420766572696679"),
    command: { type: "EFNA", reas: 21, reast: "Signature does not verify" },
  },
  {
    title: "EERP, OFTP 1.3: B acknowledges the file (DEST = A, ORIG = B)",
    level: 1,
    sth: "1000006E",
    octets: octets(`
    45534E41524B2E54585420202020202020202020202020202020202020202020
    2020202032363031313531303330313520202020202020204F30313737303030
    3030414C50484130303031504C414E54314F3030313330303030303042455441
    30303032202020202020
  `),
    command: {
      type: "EERP",
      dsn: "SNARK.TXT",
      date: "260115",
      time: "103015",
      user: "",
      dest: "O017700000ALPHA0001PLANT1",
      orig: "O0013000000BETA0002",
      hsh: NONE,
      sig: NONE,
    },
  },
  {
    title: "EERP, OFTP 1.4: The same",
    level: 4,
    sth: "1000006E",
    octets: octets(`
    45534E41524B2E54585420202020202020202020202020202020202020203230
    3236303131353130333031353030303120202020202020204F30313737303030
    3030414C50484130303031504C414E54314F3030313330303030303042455441
    30303032202020202020
  `),
    command: {
      type: "EERP",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      user: "",
      dest: "O017700000ALPHA0001PLANT1",
      orig: "O0013000000BETA0002",
      hsh: NONE,
      sig: NONE,
    },
  },
  {
    title: "EERP, OFTP 2.0: Unsigned",
    level: 5,
    sth: "10000072",
    octets: octets(`
    45534E41524B2E54585420202020202020202020202020202020202020203230
    3236303131353130333031353030303120202020202020204F30313737303030
    3030414C50484130303031504C414E54314F3030313330303030303042455441
    3030303220202020202000000000
  `),
    command: {
      type: "EERP",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      user: "",
      dest: "O017700000ALPHA0001PLANT1",
      orig: "O0013000000BETA0002",
      hsh: NONE,
      sig: NONE,
    },
  },
  {
    title: "NERP, OFTP 1.4: Intermediary reports: invalid destination at the next hop",
    level: 4,
    sth: "10000084",
    octets: octets(`
    4E534E41524B2E54585420202020202020202020202020202020202020202020
    203230323630313135313033303135303030314F303137373030303030414C50
    484130303031504C414E54314F30303133303030303030424554413030303220
    20202020204F3031373730303030303052454C41593031202020202020203132
  `),
    command: {
      type: "NERP",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      dest: "O017700000ALPHA0001PLANT1",
      orig: "O0013000000BETA0002",
      crea: "O0177000000RELAY01",
      reas: 12,
      reast: "",
      hsh: NONE,
      sig: NONE,
    },
  },
  {
    title: "NERP, OFTP 2.0: Recipient reports: processing failed, unsigned, with text",
    level: 5,
    sth: "100000A5",
    octets: octets(`
    4E534E41524B2E54585420202020202020202020202020202020202020202020
    203230323630313135313033303135303030314F303137373030303030414C50
    484130303031504C414E54314F30303133303030303030424554413030303220
    20202020204F3030313330303030303042455441303030322020202020203334
    30323653796E746178206572726F7220696E207365676D656E74203132000000
    00
  `),
    command: {
      type: "NERP",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      dest: "O017700000ALPHA0001PLANT1",
      orig: "O0013000000BETA0002",
      crea: "O0013000000BETA0002",
      reas: 34,
      reast: "Syntax error in segment 12",
      hsh: NONE,
      sig: NONE,
    },
  },
  {
    title: "NERP, OFTP 2.0: Minimal 2.0 NERP",
    level: 5,
    sth: "1000008B",
    octets: octets(`
    4E534E41524B2E54585420202020202020202020202020202020202020202020
    203230323630313135313033303135303030314F303137373030303030414C50
    484130303031504C414E54314F30303133303030303030424554413030303220
    20202020204F3030313330303030303042455441303030322020202020203939
    30303000000000
  `),
    command: {
      type: "NERP",
      dsn: "SNARK.TXT",
      date: "20260115",
      time: "1030150001",
      dest: "O017700000ALPHA0001PLANT1",
      orig: "O0013000000BETA0002",
      crea: "O0013000000BETA0002",
      reas: 99,
      reast: "",
      hsh: NONE,
      sig: NONE,
    },
  },
  {
    title: "ESID, OFTP 1.3: Normal end, short form",
    level: 1,
    sth: "10000008",
    octets: octets("4630300D"),
    command: { type: "ESID", reas: 0, reast: "" },
  },
  {
    title: "ESID, OFTP 1.3: Invalid password, short form",
    level: 1,
    sth: "10000008",
    octets: octets("4630340D"),
    command: { type: "ESID", reas: 4, reast: "" },
  },
  {
    title: "ESID, OFTP 2.0: Normal end, no text",
    level: 5,
    sth: "1000000B",
    octets: octets("4630303030300D"),
    command: { type: "ESID", reas: 0, reast: "" },
  },
  {
    title: "ESID, OFTP 2.0: Normal end with text",
    level: 5,
    sth: "10000025",
    octets: octets(`
    4630303032364E6F726D616C2073657373696F6E207465726D696E6174696F6E
    0D
  `),
    command: { type: "ESID", reas: 0, reast: "Normal session termination" },
  },
  {
    title: "ESID, OFTP 2.0: Protocol violation",
    level: 5,
    sth: "1000001A",
    octets: octets("4630323031354372656469742065786365656465640D"),
    command: { type: "ESID", reas: 2, reast: "Credit exceeded" },
  },
  {
    title: "AURP, OFTP 2.0: AURP for the challenge octets 01…14 hex",
    level: 5,
    sth: "10000019",
    octets: octets("530102030405060708090A0B0C0D0E0F1011121314"),
    command: { type: "AURP", rsp: Buffer.from([...Array(20).keys()].map((n) => n + 1)) },
  },
];

/**
 * A whole session at level 1 with buffer 128, credit 1, no compression and no restart: the file HELLO of five
 * octets and its response. Who sends, what, octets on the line with their headers.
 */
export const SESSION: readonly (readonly ["I" | "R", string, Buffer])[] = [
  ["R", "SSRM", octets("10000017494F444554544520465450205245414459200D")],
  [
    "I",
    "SSID",
    octets(`
    1000004158314120202020202020202020202020202020202020202020202041
    202020202020203030313238424E4E4E30303120202020202020202020202020
    0D
  `),
  ],
  [
    "R",
    "SSID",
    octets(`
    1000004158314220202020202020202020202020202020202020202020202042
    202020202020203030313238424E4E4E30303120202020202020202020202020
    0D
  `),
  ],
  [
    "I",
    "SFID",
    octets(`
    100000844848454C4C4F20202020202020202020202020202020202020202020
    2020202020202020323630313135313033303135202020202020202042202020
    2020202020202020202020202020202020202020204120202020202020202020
    2020202020202020202020202020553030303030303030303030313030303030
    30303030
  `),
  ],
  ["R", "SFPA", octets("1000000E32303030303030303030")],
  ["I", "DATA", octets("1000000B448548454C4C4F")],
  ["R", "CDT", octets("10000007432020")],
  ["I", "EFID", octets("1000001A54303030303030303030303030303030303030303035")],
  ["R", "EFPA", octets("10000006344E")],
  ["I", "CD", octets("1000000552")],
  [
    "R",
    "EERP",
    octets(`
    1000006E4548454C4C4F20202020202020202020202020202020202020202020
    2020202020202020323630313135313033303135202020202020202041202020
    2020202020202020202020202020202020202020204220202020202020202020
    2020202020202020202020202020
  `),
  ],
  ["I", "RTR", octets("1000000550")],
  ["R", "CD", octets("1000000552")],
  ["I", "ESID", octets("100000084630300D")],
];

/** What is signed for the response to a file of 25 octets under cipher suite 06: 94 octets of identity, SHA-512. */
export const TO_BE_SIGNED = {
  file: octets("4F4654503220544553542046494C4520434F4E54454E540D0A"),
  octets: octets(`
    534E41524B2E5458542020202020202020202020202020202020323032363031
    3135313033303135303030314F303137373030303030414C5048413030303150
    4C414E54314F303031333030303030304245544130303032202020202020887B
    61016219EF404D1F819517B2A3B80E3BDE56365BDAE5B510F3D7E2C6929BA257
    6C3C686602B060CE133E827FFBE0784152EEFF19D57029D504D82F5F050C
  `),
};
