import { join } from "node:path";
import { inspect } from "node:util";
import { test } from "tap";
import { load } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { ACME, certificate, ENVIRONMENT, edit, folder, MAIN, TODAY, write } from "./site.ts";

type Lines = Record<number, string>;

interface Row {
  fault: string;
  /** Lines of the main file that are replaced, and what is appended (line 45 on). */
  main?: Lines;
  end?: string;
  /** The same for partners.d/acme.toml (line 10 on). */
  acme?: Lines;
  acmeEnd?: string;
  /** More files. */
  files?: Record<string, string | Buffer>;
  /** All problems: `file:line:column`, object, key, and words of the message. */
  expect: [place: string, object: string, key: string, words: string][];
}

const M = "cygnet.toml";
const A = "partners.d/acme.toml";
const PART = "cftpart ACME";
const second = (id: string, more = "") => `[[cftpart]]\nid = "${id}"\nprot = ["OFTP"]\n${more}`;

const ROWS: Row[] = [
  // Reading and syntax
  { fault: "broken TOML", main: { 3: 'part = "HUB' }, expect: [[`${M}:3:12`, "", "", "not TOML"]] },
  { fault: "key twice", main: { 4: 'part = "X"' }, expect: [[`${M}:4:1`, "", "", "redefine"]] },
  {
    fault: "broken TOML in an included file",
    acme: { 2: "id = " },
    expect: [[`${A}:2:6`, "", "", "not TOML"]],
  },
  {
    fault: "number too large",
    main: { 12: "sap = 99999999999999999999" },
    expect: [[`${M}:12:7`, "", "", "64-bit"]],
  },
  {
    fault: "not UTF-8",
    files: { [A]: Buffer.from([0x61, 0xff, 0xfe]) },
    expect: [[`${A}:1:1`, "", "", "UTF-8"]],
  },
  {
    fault: "include directory missing",
    main: { 1: 'include = ["partners.d", "more.d"]' },
    expect: [[`${M}:1:26`, "", "include", "no such directory"]],
  },
  {
    fault: "include is no list",
    main: { 1: "include = 5" },
    acme: {},
    expect: [[`${M}:1:11`, "", "include", "allowed: a list"]],
  },
  {
    fault: "include within an included file",
    acme: { 1: 'include = ["x"]\n[[cftpart]]' },
    expect: [[`${A}:1:1`, "", "include", "cannot include"]],
  },
  // Scripts, jobs, notifications
  {
    fault: "variable that does not exist in a script",
    main: { 42: 'id = "INVOIC"\nexec = ["/bin/true", "&NFNAM"]' },
    expect: [[`${M}:43:8`, "cftsend INVOIC", "exec", 'did you mean "NFNAME"?']],
  },
  {
    fault: "variable as a program",
    main: { 42: 'id = "INVOIC"\nexece = "&FNAME now"' },
    expect: [[`${M}:43:9`, "cftsend INVOIC", "exece", "not for the program"]],
  },
  {
    fault: "default script without a program",
    main: { 4: 'execsf = ["", "x"]' },
    expect: [[`${M}:4:10`, "cftparm", "execsf", "a program must be named"]],
  },
  {
    fault: "_NONE_ with an argument",
    main: { 42: 'id = "INVOIC"\nackexec = "_NONE_ x"' },
    expect: [[`${M}:43:11`, "cftsend INVOIC", "ackexec", "stands alone"]],
  },
  {
    fault: "a script as a table",
    main: { 42: 'id = "INVOIC"\npreexec = { run = "x" }' },
    expect: [[`${M}:43:11`, "cftsend INVOIC", "preexec", "a program and its arguments"]],
  },
  {
    fault: "a script decides, and there is none",
    end: '[[cftrecv]]\nid = "ORDERS"\nackmode = "script"\n',
    expect: [[`${M}:47:11`, "cftrecv ORDERS", "ackmode", "there is none"]],
  },
  {
    fault: "job without a time that exists",
    end: '[[cftcron]]\nid = "J"\ntime = "0 25 * * *"\nexec = "/bin/true"\n',
    expect: [[`${M}:47:8`, "cftcron J", "time", "cron expression"]],
  },
  {
    fault: "job with an unknown command",
    end: '[[cftcron]]\nid = "J"\ntime = "* * * * *"\ntype = "cftutil"\nexec = "delete everything"\n',
    expect: [[`${M}:49:8`, "cftcron J", "exec", "known are send --part PARTNER"]],
  },
  {
    fault: "job with a command for an unknown partner",
    end: '[[cftcron]]\nid = "J"\ntime = "* * * * *"\ntype = "cftutil"\nexec = ["recv", "-p", "ACNE"]\n',
    expect: [[`${M}:49:8`, "cftcron J", "exec", 'did you mean "ACME"?']],
  },
  {
    fault: "job with an option that its command lacks",
    end: '[[cftcron]]\nid = "J"\ntime = "* * * * *"\ntype = "cftutil"\nexec = "recv --part ACME --idf X"\n',
    expect: [[`${M}:49:8`, "cftcron J", "exec", "no option --idf"]],
  },
  {
    fault: "job twice",
    end: '[[cftcron]]\nid = "J"\ntime = "* * * * *"\nexec = "/bin/true"\n'.repeat(2),
    expect: [[`${M}:50:6`, "cftcron J", "id", "already a cftcron J"]],
  },
  {
    fault: "variable of a transfer in a job",
    end: '[[cftcron]]\nid = "J"\ntime = "* * * * *"\nexec = ["/bin/echo", "&IDTU"]\n',
    expect: [[`${M}:48:8`, "cftcron J", "exec", "no variable &IDTU"]],
  },
  {
    fault: "notification of nothing, for nobody",
    end: '[[notify]]\nid = "N"\n',
    expect: [
      [`${M}:45:3`, "notify N", "events", "nothing to tell of"],
      [`${M}:45:3`, "notify N", "mail", "nobody to tell"],
    ],
  },
  {
    fault: "notification by mail without a mail server, of unknown things",
    end: '[[notify]]\nid = "N"\nevents = ["nerp-recieved"]\nmessages = ["CFTH7?W", "CFTT99E"]\npart = ["ACNE"]\nmail = ["ops@example.com"]\n',
    expect: [
      [`${M}:47:11`, "notify N", "events", 'did you mean "nerp-received"?'],
      [`${M}:48:24`, "notify N", "messages", "no message has an id like"],
      [`${M}:49:9`, "notify N", "part", 'did you mean "ACME"?'],
      [`${M}:50:8`, "notify N", "mail", "[smtp]"],
    ],
  },
  {
    fault: "notification to places that are none",
    end: '[smtp]\nhost = "mail"\nsender = "ops@example.com\\r\\nBcc: x@y"\n[[notify]]\nid = "N"\nseverity = "E"\nurl = "https://user:pw@example.com/"\n',
    expect: [
      [`${M}:47:10`, "smtp", "sender", "a mail address"],
      [`${M}:51:7`, "notify N", "url", "without a password"],
    ],
  },
  {
    fault: "signature without a webhook",
    end: '[smtp]\nhost = "mail"\nsender = "a@b"\n[[notify]]\nid = "N"\nseverity = "E"\nmail = ["c@d"]\nsecret = "env:OUT"\n',
    expect: [[`${M}:52:10`, "notify N", "secret", "only a webhook is signed"]],
  },
  // Tables
  {
    fault: "unknown table",
    end: "[cftpram]\nx = 1\n",
    expect: [[`${M}:45:2`, "", "cftpram", 'did you mean "cftparm"?']],
  },
  {
    fault: "unknown key outside tables",
    main: { 1: 'inclde = 1\ninclude = ["partners.d"]' },
    expect: [[`${M}:1:1`, "", "inclde", "no table"]],
  },
  {
    fault: "singleton as a list",
    main: { 43: "[[cftlog]]" },
    expect: [[`${M}:43:3`, "cftlog", "", "write [cftlog]"]],
  },
  {
    fault: "list as a singleton",
    main: { 41: "[cftsend]" },
    expect: [[`${M}:41:2`, "cftsend", "", "write [[cftsend]]"]],
  },
  {
    fault: "singleton twice, in two files",
    acmeEnd: '[cftlog]\nlevel = "W"\n',
    expect: [[`${A}:10:2`, "cftlog", "", "cygnet.toml:43"]],
  },
  {
    fault: "no site",
    main: { 2: "[cftcat]", 3: "", 4: "" },
    expect: [[`${M}:1:1`, "cftparm", "", "the site is missing"]],
  },
  // Keys
  {
    fault: "unknown key",
    acme: { 4: 'nrprat = "O0999ACME"\nnrpart = "O1"' },
    expect: [[`${A}:4:1`, PART, "nrprat", 'did you mean "nrpart"?']],
  },
  {
    fault: "key of another table",
    acme: { 4: "  retryn = 4" },
    expect: [[`${A}:4:3`, PART, "retryn", "belongs to cfttcp"]],
  },
  {
    fault: "key in upper case",
    main: { 12: "SAP = 3305" },
    expect: [[`${M}:12:1`, "cftprot OFTP", "SAP", 'did you mean "sap"?']],
  },
  { fault: "id missing", acme: { 8: "" }, expect: [[`${A}:7:3`, "cfttcp #1", "id", "missing"]] },
  { fault: "part missing", main: { 3: "" }, expect: [[`${M}:2:2`, "cftparm", "part", 'part = "HUB"']] },
  { fault: "prot missing", acme: { 3: "" }, expect: [[`${A}:1:3`, PART, "prot", "missing"]] },
  {
    fault: "workdir missing",
    main: { 39: "" },
    expect: [[`${M}:36:3`, "cftfolder OUTBOX", "workdir", "missing"]],
  },
  {
    fault: "key in an inline table",
    end: 'cftcat = { sx = "30d", ry = 1 }\n',
    main: { 43: 'cftlog = { level = "I" }', 44: "" },
    files: {},
    expect: [
      [`${M}:43:1`, "cftsend INVOIC", "cftlog", "unknown key"],
      [`${M}:45:1`, "cftsend INVOIC", "cftcat", "unknown key"],
    ],
  },
  {
    fault: "dotted key",
    main: { 2: "cftparm.maxtranz = 3", 3: 'cftparm.part = "HUB"', 4: 'cftparm.npart = "O0999HUB"' },
    expect: [[`${M}:2:1`, "cftparm", "maxtranz", 'did you mean "maxtrans"?']],
  },
  // Values
  {
    fault: "id with a slash",
    main: { 42: 'id = "A/B"' },
    expect: [[`${M}:42:6`, "cftsend A/B", "id", 'found "A/B"']],
  },
  {
    fault: "text for a number",
    main: { 12: 'sap = "3305"' },
    expect: [
      [
        `${M}:12:7`,
        "cftprot OFTP",
        "sap",
        'found "3305"; allowed: a whole number, 1 to 65535; example: sap = 6619',
      ],
    ],
  },
  {
    fault: "port out of range",
    main: { 12: "sap = 65536" },
    expect: [[`${M}:12:7`, "cftprot OFTP", "sap", "1 to 65535"]],
  },
  {
    fault: "fraction",
    main: { 4: 'npart = "O1"\nmaxtrans = 1.5' },
    expect: [[`${M}:5:12`, "cftparm", "maxtrans", "found 1.5"]],
  },
  {
    fault: "maxtrans 0",
    main: { 4: 'npart = "O1"\nmaxtrans = 0' },
    expect: [[`${M}:5:12`, "cftparm", "maxtrans", "1 to 1000"]],
  },
  {
    fault: "wrong word",
    main: { 10: 'type = "odete"' },
    expect: [[`${M}:10:8`, "cftprot OFTP", "type", 'did you mean "odette"?']],
  },
  {
    fault: "word for a truth value",
    main: { 12: 'sap = 3305\nresync = "yes"' },
    expect: [[`${M}:13:10`, "cftprot OFTP", "resync", "true or false"]],
  },
  {
    fault: "buffer too small",
    main: { 12: "sap = 3305\nsrusize = 127" },
    expect: [[`${M}:13:11`, "cftprot OFTP", "srusize", "128 to 99999"]],
  },
  {
    fault: "credit too large",
    main: { 12: "sap = 3305\nscredit = 1000" },
    expect: [[`${M}:13:11`, "cftprot OFTP", "scredit", "1 to 999"]],
  },
  {
    fault: "level 3",
    main: { 12: "sap = 3305\nlevel = [5, 3]" },
    expect: [[`${M}:13:13`, "cftprot OFTP", "level", "found 3; allowed: 1, 2, 4, 5"]],
  },
  {
    fault: "no level",
    main: { 12: "sap = 3305\nlevel = []" },
    expect: [[`${M}:13:9`, "cftprot OFTP", "level", "at least 1"]],
  },
  {
    fault: "no duration",
    main: { 12: 'sap = 3305\nrto = "soon"' },
    expect: [[`${M}:13:7`, "cftprot OFTP", "rto", "a number of seconds"]],
  },
  {
    fault: "duration too long",
    main: { 12: 'sap = 3305\nrto = "2h"' },
    expect: [[`${M}:13:7`, "cftprot OFTP", "rto", "0 to 3600"]],
  },
  {
    fault: "negative duration",
    acme: { 9: 'host = "h"\nretryw = -1' },
    expect: [[`${A}:10:10`, "cfttcp ACME", "retryw", "minutes"]],
  },
  {
    fault: "no size",
    main: { 44: 'maxsize = "10 apples"' },
    expect: [[`${M}:44:11`, "cftlog", "maxsize", "octets"]],
  },
  {
    fault: "no time",
    acme: { 4: 'nrpart = "O1"\nomintime = "25:00"' },
    expect: [[`${A}:5:12`, PART, "omintime", "HH:MM"]],
  },
  {
    fault: "no address block",
    main: { 7: 'host = "::1"\nallow = ["10.0.0.0/8", "10.0.0.0/33"]' },
    expect: [[`${M}:8:24`, "cftnet LOCAL", "allow", '"10.0.0.0/33"']],
  },
  {
    fault: "no address",
    main: { 7: 'host = "300.0.0.1"' },
    expect: [[`${M}:7:8`, "cftnet LOCAL", "host", "an IP address"]],
  },
  {
    fault: "five hosts",
    acme: { 9: 'host = ["a", "b", "c", "d", "e"]' },
    expect: [[`${A}:9:8`, "cfttcp ACME", "host", "list of 5"]],
  },
  {
    fault: "five protocols, two the same",
    acme: { 3: 'prot = ["OFTP", "OFTP"]' },
    expect: [[`${A}:3:17`, PART, "prot", "twice"]],
  },
  {
    fault: "cipher suite",
    acme: { 4: 'nrpart = "O1"\ncipher = "11"' },
    expect: [[`${A}:5:10`, PART, "cipher", '"01", "02"']],
  },
  {
    fault: "experimental cipher suites, without the flag",
    main: { 42: 'id = "INVOIC"\ncipher = "10"' },
    acme: { 4: 'nrpart = "O1"\ncipher = "07"' },
    expect: [
      [`${M}:43:10`, "cftsend INVOIC", "cipher", "experimental_ciphers = true"],
      [`${A}:5:10`, PART, "cipher", 'found "07"; allowed: 01 to 06'],
    ],
  },
  {
    fault: "TLS 1.1",
    main: { 23: 'verify = "none"\nversion = ["1.1"]' },
    expect: [[`${M}:24:12`, "cftssl TLS/server", "version", 'found "1.1"']],
  },
  {
    fault: "cron expression",
    main: { 40: 'schedule = "every day"' },
    expect: [[`${M}:40:12`, "cftfolder OUTBOX", "schedule", "cron"]],
  },
  {
    fault: "record format without a record length",
    main: { 42: 'id = "INVOIC"\nfrecfm = "V"' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "frecfm", "flrecl = 80"]],
  },
  {
    fault: "record format that does not exist",
    main: { 42: 'id = "INVOIC"\nfrecfm = "X"' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "frecfm", '"F", "V"']],
  },
  {
    fault: "record length of an unstructured file",
    main: { 42: 'id = "INVOIC"\nflrecl = 80' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "flrecl", "allowed: 0"]],
  },
  {
    fault: "record longer than its length can say",
    main: { 42: 'id = "INVOIC"\nfrecfm = "V"\nftype = "V"\nflrecl = 70000' },
    expect: [[`${M}:45:10`, "cftsend INVOIC", "flrecl", "65535"]],
  },
  {
    fault: "text conversion of records",
    main: { 42: 'id = "INVOIC"\nfcode = "ascii"' },
    expect: [[`${M}:43:9`, "cftsend INVOIC", "fcode", 'frecfm = "T"']],
  },
  {
    fault: "charset that does not exist",
    main: { 42: 'id = "INVOIC"\n[[cftxlate]]\nid = "X"\nfcharset = "UTF-8"\nncharset = "KLINGON"' },
    expect: [[`${M}:46:12`, "cftxlate X", "ncharset", "IBM037"]],
  },
  {
    fault: "conversion that does not exist",
    main: { 42: 'id = "INVOIC"\nxlate = "NONE"' },
    expect: [[`${M}:43:9`, "cftsend INVOIC", "xlate", "there is no cftxlate"]],
  },
  {
    fault: "partner level that its protocol does not have",
    acme: { 4: 'nrpart = "O0999ACME"\nlevel = [4]' },
    main: { 12: "sap = 3305\nlevel = [5]" },
    expect: [
      [`${A}:5:9`, PART, "level", "it has 5"],
      [`${A}:5:9`, PART, "level", "it has 5"],
    ],
  },
  {
    fault: "code in lower case",
    acme: { 4: 'nrpart = "o0999acme"' },
    expect: [[`${A}:4:10`, PART, "nrpart", "OFTP code set"]],
  },
  {
    fault: "code of 26 characters",
    acme: { 4: 'nrpart = "O012345678901234567890123"\nnspart = "O01234567890123456789012345"' },
    expect: [[`${A}:5:10`, PART, "nspart", "1 to 25"]],
  },
  {
    fault: "a date",
    main: { 3: "part = 2026-11-01T00:00:00Z" },
    expect: [[`${M}:3:8`, "cftparm", "part", "found a date"]],
  },
  // Codes
  {
    fault: "site name that is no code",
    main: { 3: 'part = "my_hub"', 4: "" },
    expect: [[`${M}:3:8`, "cftparm", "part", "set npart"]],
  },
  {
    fault: "partner id that is no code",
    acme: { 4: "", 2: 'id = "Acme"', 8: 'id = "Acme"' },
    expect: [[`${A}:2:6`, "cftpart Acme", "id", "SSID code and is none"]],
  },
  {
    fault: "two partners with one code",
    acmeEnd: second("OTHER", 'nrpart = "O0999ACME"'),
    expect: [[`${A}:13:10`, "cftpart OTHER", "nrpart", "cftpart ACME at acme.toml:1"]],
  },
  // Secrets
  {
    fault: "password in the file",
    acme: { 5: 'nspassw = "GEHEIM"' },
    expect: [[`${A}:5:11`, PART, "nspassw", "allow_plain_secrets"]],
  },
  {
    fault: "unknown scheme",
    acme: { 5: 'nspassw = "vault:GEHEIM"' },
    expect: [[`${A}:5:11`, PART, "nspassw", "file:path"]],
  },
  {
    fault: "password as a list",
    acme: { 5: 'nspassw = ["GEHEIM"]' },
    expect: [[`${A}:5:11`, PART, "nspassw", "found a list"]],
  },
  {
    fault: "variable missing",
    acme: { 6: 'nrpassw = "env:NOBODY"' },
    expect: [[`${A}:6:11`, PART, "nrpassw", "NOBODY"]],
  },
  {
    fault: "secret file missing",
    acme: { 6: 'nrpassw = "file:none.txt"' },
    expect: [[`${A}:6:11`, PART, "nrpassw", "no such file"]],
  },
  {
    fault: "no credentials",
    acme: { 6: 'nrpassw = "cred:acme"' },
    expect: [[`${A}:6:11`, PART, "nrpassw", "systemd"]],
  },
  {
    fault: "password too long",
    acme: { 6: 'nrpassw = "env:LONG"' },
    expect: [[`${A}:6:11`, PART, "nrpassw", "found 9 characters"]],
  },
  {
    fault: "password outside the code set",
    acme: { 6: 'nrpassw = "env:ODD"' },
    expect: [[`${A}:6:11`, PART, "nrpassw", "code set"]],
  },
  // References
  {
    fault: "unknown net",
    main: { 11: 'net = "LOCLA"' },
    expect: [[`${M}:11:7`, "cftprot OFTP", "net", 'did you mean "LOCAL"?']],
  },
  {
    fault: "unknown protocol",
    acme: { 3: 'prot = ["OFTPS", "OFTQ"]' },
    expect: [[`${A}:3:18`, PART, "prot", 'no cftprot "OFTQ"']],
  },
  {
    fault: "unknown TLS profile",
    main: { 18: 'ssl = "TSL"' },
    expect: [[`${M}:18:7`, "cftprot OFTPS", "ssl", 'no cftssl "TSL"']],
  },
  {
    fault: "unknown certificate",
    main: { 22: 'usercid = "hug"' },
    expect: [[`${M}:22:11`, "cftssl TLS/server", "usercid", 'did you mean "hub"?']],
  },
  {
    fault: "unknown root",
    main: { 27: 'rootcid = ["ca", "cb"]' },
    expect: [[`${M}:27:18`, "cftssl TLS/client", "rootcid", 'no pki "cb"']],
  },
  {
    fault: "unknown root of a partner",
    acme: { 4: 'rootcid = ["cb"]\nnrpart = "O0999ACME"' },
    expect: [[`${A}:4:12`, PART, "rootcid", 'no pki "cb"']],
  },
  {
    fault: "trust list that was not imported",
    acme: { 4: 'rootcid = ["ca", "@tsl"]\nnrpart = "O0999ACME"' },
    expect: [[`${A}:4:18`, PART, "rootcid", "none was imported"]],
  },
  {
    fault: "some other special authority",
    main: { 27: 'rootcid = ["@all"]' },
    expect: [[`${M}:27:12`, "cftssl TLS/client", "rootcid", 'or "@tsl"']],
  },
  {
    fault: "policy that does not exist",
    acme: { 4: 'crl = "on"\nnrpart = "O0999ACME"' },
    expect: [[`${A}:4:7`, PART, "crl", "require"]],
  },
  {
    fault: "list of revoked certificates that is not there",
    main: { 35: 'usage = ["ca"]\ncrlfile = ["pki/none.crl"]' },
    expect: [[`${M}:36:12`, "pki ca", "crlfile", "no such file"]],
  },
  {
    fault: "list of revoked certificates that is none",
    main: { 35: 'usage = ["ca"]\ncrlfile = ["pki/hub.pem"]' },
    expect: [[`${M}:36:12`, "pki ca", "crlfile", "holds no list"]],
  },
  {
    fault: "list of revoked certificates of somebody who is no authority",
    main: { 31: 'key = "pki/hub.key"\ncrlfile = ["pki/none.crl"]' },
    expect: [
      [`${M}:32:11`, "pki hub", "crlfile", 'does not name "ca"'],
      [`${M}:32:12`, "pki hub", "crlfile", "no such file"],
    ],
  },
  {
    fault: "unknown flow of a partner",
    acme: { 4: 'nrpart = "O1"\nidf = "INVOICE"' },
    expect: [[`${A}:5:7`, PART, "idf", 'did you mean "INVOIC"?']],
  },
  {
    fault: "unknown partner of a folder",
    main: { 40: 'part = "ACNE"' },
    expect: [[`${M}:40:8`, "cftfolder OUTBOX", "part", 'did you mean "ACME"?']],
  },
  {
    fault: "unknown flow of a folder",
    main: { 40: 'idf = "ORDERS"' },
    expect: [[`${M}:40:7`, "cftfolder OUTBOX", "idf", 'no cftsend "ORDERS"']],
  },
  {
    fault: "unknown owner of a certificate",
    main: { 35: 'part = "ACNE"' },
    expect: [[`${M}:35:8`, "pki ca", "part", "ACME"]],
  },
  {
    fault: "cfttcp without a partner",
    acme: { 8: 'id = "BETA"' },
    expect: [[`${A}:8:6`, "cfttcp BETA", "id", 'no cftpart "BETA"']],
  },
  {
    fault: "partner twice",
    acmeEnd: second("ACME", 'nrpart = "O0999B"'),
    expect: [[`${A}:11:6`, PART, "id", "acme.toml:1"]],
  },
  {
    fault: "TLS profile twice",
    main: { 26: 'direct = "server"\nusercid = "hub"' },
    expect: [
      [`${M}:18:7`, "cftprot OFTPS", "ssl", "no client profile"],
      [`${M}:25:6`, "cftssl TLS/server", "id", "cygnet.toml:19"],
    ],
  },
  {
    fault: "listening without a server profile",
    main: { 20: 'id = "OTHER"' },
    expect: [[`${M}:18:7`, "cftprot OFTPS", "ssl", "no server profile"]],
  },
  {
    fault: "calling without a client profile",
    main: { 25: 'id = "OTHER"' },
    expect: [[`${M}:18:7`, "cftprot OFTPS", "ssl", "we call cftpart ACME"]],
  },
  {
    fault: "own profile of a partner is for servers",
    end: '[[cftssl]]\nid = "S"\ndirect = "server"\nverify = "none"\nusercid = "hub"\n',
    acme: { 4: 'nrpart = "O1"\nssl = "S"' },
    expect: [[`${A}:5:7`, PART, "ssl", "no client profile"]],
  },
  {
    fault: "server without certificate",
    main: { 22: "" },
    expect: [[`${M}:19:3`, "cftssl TLS/server", "usercid", "certificate and key"]],
  },
  {
    fault: "verification without roots",
    main: { 27: "" },
    expect: [[`${M}:24:3`, "cftssl TLS/client", "rootcid", "who may have signed"]],
  },
  {
    fault: "a name rule that does not end",
    main: { 27: 'rootcid = ["ca"]\ndnuser = \'("/CN=a/" AND\'' },
    expect: [[`${M}:28:10`, "cftssl TLS/client", "dnuser", "at character 14"]],
  },
  {
    fault: "a name rule with an unknown word",
    main: { 27: 'rootcid = ["ca"]\ndnissuer = \'"/O=a/" XOR "/O=b/"\'' },
    expect: [[`${M}:28:12`, "cftssl TLS/client", "dnissuer", '"XOR" is not AND, OR or NOT']],
  },
  {
    fault: "a pin that is none",
    main: { 27: 'rootcid = ["ca"]\npins = ["r/mIkG3eEpVdm+u/ko/cwxzOMo1bk4TyHIlByibiA5E=", "AA:BB"]' },
    expect: [[`${M}:28:57`, "cftssl TLS/client", "pins", "no SHA-256"]],
  },
  {
    fault: "an unknown group",
    main: { 27: 'rootcid = ["ca"]\ngroups = ["X25519", "P-257"]' },
    expect: [[`${M}:28:21`, "cftssl TLS/client", "groups", '"P-257" is no group']],
  },
  {
    fault: "a depth below nothing",
    main: { 27: 'rootcid = ["ca"]\ndepth = 11' },
    expect: [[`${M}:28:9`, "cftssl TLS/client", "depth", "found 11"]],
  },
  {
    fault: "a chain name with a folder in it",
    main: { 27: 'rootcid = ["ca"]\ncerfname = "../acme"' },
    expect: [[`${M}:28:12`, "cftssl TLS/client", "cerfname", "found"]],
  },
  {
    fault: "the called host of a server",
    main: { 23: 'verify = "optional"\nrootcid = ["ca"]\nhostnames = ["x.example", "&HOST"]' },
    expect: [[`${M}:25:27`, "cftssl TLS/server", "hostnames", "the host that is called"]],
  },
  {
    fault: "pins, and nobody who looks",
    main: { 23: 'verify = "none"\npins = ["r/mIkG3eEpVdm+u/ko/cwxzOMo1bk4TyHIlByibiA5E="]' },
    expect: [[`${M}:24:8`, "cftssl TLS/server", "pins", "looks at no certificate"]],
  },
  {
    fault: "revocation, and nobody who looks",
    main: { 23: 'verify = "none"\ncrl = "require"' },
    expect: [[`${M}:24:7`, "cftssl TLS/server", "crl", "looks at no certificate"]],
  },
  {
    fault: "suites of a partner's profile as a rule",
    end: '[[cftssl]]\nid = "S"\ndirect = "server"\nverify = "none"\nusercid = "hub"\nciphlist = "HIGH:!aNULL"\n[[cftssl]]\nid = "S"\ndirect = "client"\nrootcid = ["ca"]\n',
    acme: { 4: 'nrpart = "O1"\nssl = "S"' },
    expect: [[`${M}:50:12`, "cftssl S/server", "ciphlist", '"HIGH" is not the name of one suite']],
  },
  // Clashes
  {
    fault: "port twice",
    main: { 17: "sap = 3305" },
    expect: [[`${M}:17:7`, "cftprot OFTPS", "sap", "cftprot OFTP at cygnet.toml:8"]],
  },
  {
    fault: "port twice, one on all addresses",
    main: { 7: 'host = "127.0.0.1"\n[[cftnet]]\nid = "ALL"', 16: 'net = "ALL"', 17: "sap = 3305" },
    expect: [[`${M}:19:7`, "cftprot OFTPS", "sap", "taken"]],
  },
  {
    fault: "ports do not pair",
    acme: { 4: 'nrpart = "O1"\nsap = [1, 2, 3]' },
    expect: [[`${A}:5:7`, PART, "sap", "3 ports for 2 protocols"]],
  },
  {
    fault: "folder inside another",
    end: '[[cftfolder]]\nid = "B"\nscandir = "outbox/b"\nworkdir = "work"\n',
    expect: [[`${M}:47:11`, "cftfolder B", "scandir", "cftfolder OUTBOX at cygnet.toml:36"]],
  },
  {
    fault: "folder twice",
    end: '[[cftfolder]]\nid = "B"\nscandir = "./outbox"\nworkdir = "work"\n',
    expect: [[`${M}:47:11`, "cftfolder B", "scandir", "sent twice"]],
  },
  {
    fault: "workdir inside its scandir",
    main: { 39: 'workdir = "outbox/work"' },
    expect: [[`${M}:39:11`, "cftfolder OUTBOX", "workdir", "found again"]],
  },
  {
    fault: "scandir inside another's workdir",
    end: '[[cftfolder]]\nid = "B"\nscandir = "work/b"\nworkdir = "x"\n',
    expect: [[`${M}:47:11`, "cftfolder B", "scandir", "workdir of cftfolder OUTBOX"]],
  },
  {
    fault: "archive inside scandir",
    main: { 39: 'workdir = "work"\narchivedir = "outbox/old"' },
    expect: [[`${M}:40:14`, "cftfolder OUTBOX", "archivedir", "found again"]],
  },
  {
    fault: "schedule and interval",
    main: { 40: 'schedule = "* * * * *"\ninterval = 5' },
    expect: [[`${M}:41:12`, "cftfolder OUTBOX", "interval", "take interval or schedule out"]],
  },
  {
    fault: "socket path too long",
    end: `[admin]\nsocket = "${"x".repeat(110)}"\n`,
    expect: [[`${M}:46:10`, "admin", "socket", "107 octets"]],
  },
  {
    fault: "HTTP API without a certificate, on a partner's port, for nobody in particular",
    end: '[admin]\nlisten = "127.0.0.1:6619"\nrootcid = ["demo"]\n[[apiuser]]\nid = "erp"\nrole = "reed"\n',
    expect: [
      [`${M}:45:2`, "admin", "usercid", 'example: usercid = "gateway"'],
      [`${M}:46:10`, "admin", "listen", "port 6619 is that of"],
      [`${M}:47:12`, "admin", "rootcid", 'there is no pki "demo"'],
      [`${M}:48:3`, "apiuser erp", "token", "nothing says who this is"],
      [`${M}:50:8`, "apiuser erp", "role", 'did you mean "read"?'],
    ],
  },
  {
    fault: "HTTP API at no address, users without secrets",
    end: '[admin]\nlisten = "8443"\n[[apiuser]]\nid = "a"\nrole = "read"\ntoken = "secret in clear"\n[[apiuser]]\nid = "b"\nrole = "read"\ntoken = "file:short"\n[[apiuser]]\nid = "c"\nrole = "read"\ncertificate = "(x"\n',
    files: { short: "tooshort\n" },
    expect: [
      [`${M}:46:10`, "admin", "listen", "an address and a port"],
      [`${M}:50:9`, "apiuser a", "token", "a password written here is refused; allowed: a reference"],
      [`${M}:54:9`, "apiuser b", "token", "openssl rand -hex 32"],
      [`${M}:58:15`, "apiuser c", "certificate", "strings stand in quotation marks"],
      [`${M}:58:15`, "apiuser c", "certificate", "rootcid"],
    ],
  },
  // Names of files
  {
    fault: "unknown variable",
    main: { 42: 'id = "INVOIC"\nnfname = "A.&FROOTS"' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "nfname", 'did you mean "FROOT"?']],
  },
  {
    fault: "variable of the other direction",
    main: { 42: 'id = "INVOIC"\nnfname = "&NFNAME"' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "nfname", "&NFNAME"]],
  },
  {
    fault: "broken variable",
    end: '[[cftrecv]]\nid = "R"\nfname = "in/&(-x"\n',
    expect: [[`${M}:47:9`, "cftrecv R", "fname", "not closed"]],
  },
  {
    fault: "variable that a flow's name does not have",
    main: { 12: 'sap = 3305\nidf = "&6FROOT"' },
    expect: [[`${M}:13:7`, "cftprot OFTP", "idf", "&NIDF &PART"]],
  },
  {
    fault: "name that leaves its working directory",
    end: '[[cftrecv]]\nid = "EDI"\nworkingdir = "inbox/edi"\nfname = "../&NFNAME"\n',
    expect: [[`${M}:48:9`, "cftrecv EDI", "fname", "leaves workingdir"]],
  },
  {
    fault: "demands without a record length",
    end: '[[cftrecv]]\nid = "EDI"\nfcheck = true\nfrecfm = "F"\n',
    expect: [[`${M}:47:10`, "cftrecv EDI", "fcheck", "needs a record length"]],
  },
  {
    fault: "demands of a length without records",
    end: '[[cftrecv]]\nid = "EDI"\nfcheck = true\nflrecl = 80\n',
    expect: [[`${M}:48:10`, "cftrecv EDI", "flrecl", "no records"]],
  },
  {
    fault: "directory without a program",
    main: { 12: 'sap = 3305\nexita = "_NONE_"' },
    expect: [[`${M}:13:9`, "cftprot OFTP", "exita", "a program must be named"]],
  },
  {
    fault: "directory that may take longer than the session waits",
    main: { 12: 'sap = 3305\nexita = "true"\nexitatimeout = "1m"' },
    expect: [[`${M}:14:16`, "cftprot OFTP", "exitatimeout", "less than disctc"]],
  },
  {
    fault: "dataset name of 27 characters",
    main: { 42: 'id = "INVOIC"\nnfname = "ABCDEFGHIJKLMNOPQRSTUVWXYZA"' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "nfname", "27 characters"]],
  },
  {
    fault: "dataset name in lower case",
    main: { 42: 'id = "INVOIC"\nnfname = "invoic"' },
    expect: [[`${M}:43:10`, "cftsend INVOIC", "nfname", 'found "invoic"']],
  },
  // Certificates
  {
    fault: "certificate missing",
    main: { 30: 'file = "pki/none.pem"' },
    expect: [[`${M}:30:8`, "pki hub", "file", "no such file"]],
  },
  {
    fault: "key missing",
    main: { 31: 'key = "pki/none.key"' },
    expect: [[`${M}:31:7`, "pki hub", "key", "no such file"]],
  },
  {
    fault: "key of another certificate",
    main: { 31: 'key = "pki/other.key"' },
    expect: [[`${M}:31:7`, "pki hub", "key", "belongs to no certificate"]],
  },
  {
    fault: "no certificate in the file",
    main: { 34: 'file = "pki/hub.key"' },
    expect: [[`${M}:34:8`, "pki ca", "file", "holds no certificate"]],
  },
  {
    fault: "no key in the file",
    main: { 31: 'key = "cygnet.toml"' },
    expect: [[`${M}:31:7`, "pki hub", "key", "not a private key"]],
  },
  {
    fault: "certificate without key as our own",
    main: { 22: 'usercid = "ca"' },
    expect: [[`${M}:22:11`, "cftssl TLS/server", "usercid", "no private key"]],
  },
  // All at once, in reading order
  {
    fault: "many at once",
    main: { 10: 'type = "x"', 11: 'net = "y"', 44: 'level = "Z"' },
    acme: { 2: "id = 1", 4: 'nrpart = "o"', 9: "host = []" },
    expect: [
      [`${M}:10:8`, "cftprot OFTP", "type", '"x"'],
      [`${M}:11:7`, "cftprot OFTP", "net", '"y"'],
      [`${M}:44:9`, "cftlog", "level", '"Z"'],
      [`${A}:2:6`, "cftpart #1", "id", "found 1"],
      [`${A}:4:10`, "cftpart #1", "nrpart", '"o"'],
      [`${A}:8:6`, "cfttcp ACME", "id", 'no cftpart "ACME"'],
      [`${A}:9:8`, "cfttcp ACME", "host", "found []"],
    ],
  },
];

test("broken configurations are told with file, line, column, object and key", async (t) => {
  t.ok(ROWS.length >= 60, `${ROWS.length} configurations`);
  const [own, other] = [await certificate(), await certificate()];
  const { path: root, remove } = folder();
  t.teardown(remove);
  for (const { fault, main, end, acme, acmeEnd, files, expect } of ROWS) {
    const site = join(root, String(ROWS.findIndex((row) => row.fault === fault)));
    write(site, { "pki/hub.pem": own.pem, "pki/hub.key": own.key, "pki/other.key": other.key });
    write(site, { [M]: edit(MAIN, main ?? {}, end), [A]: edit(ACME, acme ?? {}, acmeEnd), ...files });
    const result = await load(join(site, M), { environment: ENVIRONMENT, now: TODAY });
    const problems = "problems" in result ? result.problems : [];
    const found = problems.map(({ file, line, column, object, key }) => {
      return [`${file.slice(site.length + 1)}:${line}:${column}`, object, key];
    });
    t.strictSame(
      found,
      expect.map((row) => row.slice(0, 3)),
      `${fault}: place`,
    );
    for (const [index, [, , , words]] of expect.entries()) {
      const problem = problems[index];
      t.match(problem?.message, words, `${fault}: message`);
      if (problem) t.match(formatProblem(problem, site), `${expect[index]?.[0]}: `, `${fault}: printed`);
    }
    const shown = inspect(result, { depth: 20 }) + JSON.stringify(result);
    for (const secret of ["GEHEIM", "HUBPW", "ACMEPW", "NINECHARS"]) {
      t.notMatch(shown, secret, `${fault}: ${secret} is not shown`);
    }
  }
});

test("a main file that is not there is a problem, not an exception", async (t) => {
  const { path: root, remove } = folder();
  t.teardown(remove);
  const result = await load(join(root, "none.toml"));
  t.match(result, { problems: [{ code: "CYG_CONFIG_READ", line: 1, column: 1 }] });
});

const ADVICE: {
  about: string;
  main?: Lines;
  end?: string;
  acme?: Lines;
  expect: [string, string, string];
}[] = [
  {
    about: "signing without a key for it",
    main: { 31: 'key = "pki/hub.key"\nusage = ["tls"]', 42: 'id = "INVOIC"\nsign = true' },
    expect: [`${M}:44:8`, "sign", "state K"],
  },
  {
    about: "encryption without the partner's certificate",
    acme: { 4: 'nrpart = "O1"\nencrypt = true' },
    expect: [`${A}:5:11`, "encrypt", "never sent unprotected"],
  },
  {
    about: "directory that nobody can run",
    main: { 12: 'sap = 3305\nexita = ["scripts/none.sh"]' },
    expect: [`${M}:13:9`, "exita", "no program that this user can run"],
  },
  {
    about: "demands that nothing checks",
    end: '[[cftrecv]]\nid = "EDI"\nfrecfm = "T"\n',
    expect: [`${M}:47:10`, "frecfm", "fcheck = true"],
  },
  { about: "timer for ever", main: { 12: "sap = 3305\nrto = 0" }, expect: [`${M}:13:7`, "rto", "for ever"] },
  {
    about: "code without O",
    acme: { 4: 'nrpart = "0999ACME"' },
    expect: [`${A}:4:10`, "nrpart", 'does not begin with "O"'],
  },
  {
    about: "expired certificate",
    main: { 34: 'file = "pki/old.pem"' },
    expect: [`${M}:34:8`, "file", "expired on 2026-11-05"],
  },
  {
    about: "certificate of tomorrow",
    main: { 34: 'file = "pki/new.pem"' },
    expect: [`${M}:34:8`, "file", "valid from 2026-11-20"],
  },
  { about: "key for everybody", main: { 31: 'key = "pki/open.key"' }, expect: [`${M}:31:7`, "key", "chmod"] },
  {
    about: "secret for everybody",
    acme: { 5: 'nspassw = "file:open.txt"' },
    expect: [`${A}:5:11`, "nspassw", "chmod"],
  },
  {
    about: "session secrets in a file",
    main: { 27: 'rootcid = ["ca"]\nkeylog = "tls.keys"' },
    expect: [`${M}:28:10`, "keylog", "whoever reads that file reads the sessions"],
  },
  {
    about: "root that is none",
    main: { 35: 'usage = ["sign"]' },
    expect: [`${M}:27:12`, "rootcid", 'does not name "ca"'],
  },
];

test("what is allowed but doubtful is a warning in its place", async (t) => {
  const { chmodSync } = await import("node:fs");
  const [own, old, young] = [await certificate(), await certificate(-20, -10), await certificate(5, 20)];
  const { path: root, remove } = folder();
  t.teardown(remove);
  write(root, {
    "pki/hub.pem": own.pem,
    "pki/hub.key": own.key,
    "pki/open.key": own.key,
    "open.txt": "HUBPW\n",
  });
  write(root, { "pki/old.pem": old.pem, "pki/new.pem": young.pem });
  for (const name of ["pki/open.key", "open.txt"]) chmodSync(join(root, name), 0o644);
  for (const { about, main, end, acme, expect } of [
    { about: "nothing", expect: undefined },
    ...ADVICE,
  ] as typeof ADVICE) {
    write(root, { [M]: edit(MAIN, main ?? {}, end), [A]: edit(ACME, acme ?? {}) });
    const result = await load(join(root, M), { environment: ENVIRONMENT, now: TODAY });
    t.ok("configuration" in result, `${about}: accepted`);
    const found = result.warnings.map(({ file, line, column, key }) => [
      `${file.slice(root.length + 1)}:${line}:${column}`,
      key,
    ]);
    t.strictSame(found, expect ? [expect.slice(0, 2)] : [], `${about}: place`);
    if (expect) t.match(result.warnings[0]?.message, expect[2], `${about}: message`);
  }
});
