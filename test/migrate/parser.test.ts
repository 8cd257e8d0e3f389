/** The syntax of CFTUTIL scripts and of CFTEXT: what is understood, and what is told about the rest. */
import * as fc from "fast-check";
import { test } from "tap";
import { decodeExtract } from "../../src/migrate/octets.ts";
import { parseExtract } from "../../src/migrate/parser.ts";
import { showValue } from "../../src/migrate/value.ts";

/** Statements as one text each, `COMMAND@line NAME=value …`, and problems as `line: words`. */
function read(text: string): { statements: string[]; problems: string[] } {
  const { statements, problems } = parseExtract(text);
  return {
    statements: statements.map(({ command, parameters, line }) =>
      [`${command}@${line}`, ...parameters.map(({ name, value }) => `${name}=${showValue(value)}`)].join(" "),
    ),
    problems: problems.map(({ line, message }) => `${line}: ${message}`),
  };
}

const ROWS: readonly { name: string; text: string; statements: string[]; problems?: RegExp[] }[] = [
  {
    name: "CFTEXT: quotes, alignment, a comma behind each line but the last",
    text: "CFTPART      ID          = 'PARIS',\n             PROT        = ('OFTP','OFTPS'),\n             MODE        = 'REPLACE'\n",
    statements: ["CFTPART@1 ID='PARIS' PROT=('OFTP', 'OFTPS') MODE='REPLACE'"],
  },
  {
    name: "any letters, any blanks, no commas, several commands on a line",
    text: "cftpart id=a Prot = ( b , c )sap=3305\tCFTTCP ID=A,HOST=h.example CFTTCP id=b",
    statements: ["CFTPART@1 ID=a PROT=(b, c) SAP=3305", "CFTTCP@1 ID=A HOST=h.example", "CFTTCP@1 ID=b"],
  },
  {
    name: "a comma in front of the next command, semicolons, empty lines, CR LF",
    text: "CFTNET ID=A,\r\n\r\n  HOST=h,\r\nCFTNET ID=B; CFTNET ID=C;\r\n",
    statements: ["CFTNET@1 ID=A HOST=h", "CFTNET@4 ID=B", "CFTNET@4 ID=C"],
  },
  {
    name: "the value or the equals sign on a line of its own, a backslash at the end of a line",
    text: "CFTNET ID\n= A, \\\n HOST =\n   h\n",
    statements: ["CFTNET@1 ID=A HOST=h"],
  },
  {
    name: "comments of every kind, where they may stand",
    text: "/* one\n line */ CFTNET /* x */ ID=A, // not here\n* column one\n# shell\n  // two\n HOST=h /* behind */\n/* MAXCNX=5, */\nCFTNET ID=B",
    statements: ["CFTNET@2 ID=A HOST=h", "CFTNET@8 ID=B"],
    problems: [/^2: this is no parameter/, /^2: this is no parameter/, /^2: this is no parameter/],
  },
  {
    name: "a comment that is never closed swallows no object",
    text: "/* open\nCFTNET ID=A\n/* closed */\nCFTNET ID=B\n/* open",
    statements: ["CFTNET@2 ID=A", "CFTNET@4 ID=B"],
    problems: [/^1: this comment is not closed/, /^5: this comment is not closed/],
  },
  {
    name: "quotes: doubled inside, the other kind inside, blanks kept, commas and parentheses kept",
    text: `CFTPARM A='l''atelier', B="say ""yes""", C='"', D=" x ", E='(a,b)', F='', G="it's"`,
    statements: [`CFTPARM@1 A='l'atelier' B="say "yes"" C='"' D=" x " E='(a,b)' F='' G="it's"`],
  },
  {
    name: "quotes that a word processor turned",
    text: "CFTPARM A=‘x’, B=“y z”, C=(‘a’,’b’)",
    statements: [`CFTPARM@1 A='x' B="y z" C=('a', 'b')`],
  },
  {
    name: "a quote that is not closed ends with its line",
    text: "CFTPART ID=A, NSPASSW='secret,\n  PROT=OFTP\nCFTPART ID=B",
    statements: ["CFTPART@1 ID=A NSPASSW='secret' PROT=OFTP", "CFTPART@3 ID=B"],
    problems: [/^1: this quote is not closed/],
  },
  {
    name: "a quote that is not closed ends before the next parameter",
    text: "CFTPART COMMENT='it is, well, NSPASSW=secret, ID=A\n",
    statements: ["CFTPART@1 COMMENT='it is, well' NSPASSW=secret ID=A"],
    problems: [/^1: this quote is not closed/],
  },
  {
    name: "a list that is not closed ends before the next parameter on its line, but has attributes of names",
    text: "CFTPART PROT=(A, B, NSPASSW='secret', ID=A\nCFTSSL DNUSER=(CN=x, O = y, emailAddress=z)",
    statements: [
      "CFTPART@1 PROT=(A, B) NSPASSW='secret' ID=A",
      "CFTSSL@2 DNUSER=(CN=x, O, =, y, emailAddress=z)",
    ],
    problems: [/^1: this list is not closed/],
  },
  {
    name: "a text in quotes over several lines",
    text: "CFTPART COMMENT='one\n    two ''three''\n four', ID=A",
    statements: ["CFTPART@1 COMMENT='one two 'three' four' ID=A"],
    problems: [/^1: .*over 3 lines/],
  },
  {
    name: "lists: nested, over lines, with comments, empty, with operators, of one",
    text: "CFTSSL A=(a,(b,c),'d e'),\n B=(a\n  /* x */ b,\n  ,c),\n C=(), D=('CN=x' AND ! \"O=y\"), E=(0)",
    statements: [`CFTSSL@1 A=(a, (b, c), 'd e') B=(a, b, c) C=() D=('CN=x', AND, !, "O=y") E=(0)`],
  },
  {
    name: "a list that is not closed ends before the next parameter or command",
    text: "CFTPARM NET=(A,B,\n PROT=(C\nCFTPART ID=X\nCFTPARM NET=(D",
    statements: ["CFTPARM@1 NET=(A, B) PROT=(C)", "CFTPART@3 ID=X", "CFTPARM@4 NET=(D)"],
    problems: [/^1: this list is not closed/, /^2: this list is not closed/, /^4: this list is not closed/],
  },
  {
    name: "parentheses, equals signs and stars within a value belong to it",
    text: "CFTSEND FNAME=LIB/FILE(MEMBER), NFNAME=&FROOT&(-.)FSUF, PARM=RING=x, SELFNAME=/data/*.txt",
    statements: ["CFTSEND@1 FNAME=LIB/FILE(MEMBER) NFNAME=&FROOT&(-.)FSUF PARM=RING=x SELFNAME=/data/*.txt"],
  },
  {
    name: "a table goes on over lines that end in a hyphen; a lone hyphen is a value",
    text: "CFTXLATE TABLE=0001-\n0203-\n  0405,\n ID=A\nCFTFOLDER RENAMESEPARATOR=-\n ID=B",
    statements: ["CFTXLATE@1 TABLE=000102030405 ID=A", "CFTFOLDER@5 RENAMESEPARATOR=- ID=B"],
  },
  {
    name: "blanks in a value without quotes",
    text: "CFTPART COMMENT=call Mrs Lee, ID=A, COMMENT=and then\nCFTPART ID=B COMMENT=x y PROT=OFTP",
    statements: [
      "CFTPART@1 COMMENT=call Mrs Lee ID=A COMMENT=and then",
      "CFTPART@2 ID=B COMMENT=x y PROT=OFTP",
    ],
    problems: [/^1: the value of COMMENT has blanks/, /^1: /, /^2: /],
  },
  {
    name: "empty values, missing values",
    text: "CFTPART ID=, PROT=\n SAP=3305,\n NSPART=",
    statements: ["CFTPART@1 ID= PROT= SAP=3305 NSPART="],
    problems: [/^1: PROT has no value/, /^3: NSPART has no value/],
  },
  {
    name: "how scripts call CFTUTIL and PKIUTIL",
    text: "CFTUTIL CFTPART ID=A\n/opt/cft/bin/CFTUTIL /m=2 uconfset id=x,value=1\n> PKIUTIL PKICER ID=C\nCFTUTIL #other.txt\n/END\nEXIT",
    statements: ["CFTPART@1 ID=A", "UCONFSET@2 ID=x VALUE=1", "PKICER@3 ID=C"],
    problems: [/^4: this reads another file/],
  },
  {
    name: "cut off: behind a comma, within a name, within a command",
    text: "CFTPART ID=A,\n",
    statements: ["CFTPART@1 ID=A"],
    problems: [/^1: the text ends behind a comma/],
  },
  {
    name: "what is no command at all",
    text: "%!?\nID=LOST, PROT=X\n123 abc\nCFTPART ID=A, 'loose' )",
    statements: ["CFTPART@4 ID=A"],
    problems: [
      /^1: this is no command/,
      /^2: ID stands outside/,
      /^2: PROT stands outside/,
      /^3: this is no command/,
      /^4: this is no parameter/,
      /^4: this is no parameter/,
    ],
  },
];

test("syntax of extracts", (t) => {
  for (const { name, text, statements, problems = [] } of ROWS) {
    const found = read(text);
    t.strictSame(found.statements, statements, name);
    t.equal(found.problems.length, problems.length, `${name}: problems ${found.problems.join(" | ")}`);
    for (const [index, pattern] of problems.entries()) t.match(found.problems[index], pattern, name);
    t.notMatch(found.problems.join(), /secret/, "problems show no values");
  }
  t.end();
});

test("an extract may be cut anywhere", (t) => {
  const text = ROWS.map((row) => row.text).join("\n");
  for (let length = 0; length < text.length; length += 1) parseExtract(text.slice(0, length));
  t.pass(`${text.length} cuts`);
  t.end();
});

test("no text makes the parser throw, hang or lose the line", (t) => {
  const piece = fc.constantFrom(
    ..."CFTPART|CFTUTIL|ID|=|,|(|)|'|\"|''|/*|*/|//|#|*|\n|\r\n| |\t|;|\\|-|&|‘|”|x|A=B|\0|\ud800|PROT=(|@|>".split(
      "|",
    ),
  );
  const texts = fc.array(fc.oneof({ weight: 9, arbitrary: piece }, fc.string()), { maxLength: 60 });
  fc.assert(
    fc.property(texts, (pieces) => {
      const text = pieces.join("");
      const lines = text.split(/\r\n?|\n/).length;
      const { statements, problems } = parseExtract(text);
      for (const { line } of [...problems, ...statements, ...statements.flatMap((one) => one.parameters)]) {
        if (!(line >= 1 && line <= lines)) throw new Error(`line ${line} of ${lines}`);
      }
    }),
    { numRuns: 3000 },
  );
  t.pass("3000 texts");
  t.end();
});

test("time grows with the length of the text, whatever is in it", (t) => {
  const size = 400_000;
  const began = performance.now();
  for (const unit of [
    "/*\n",
    "'\n",
    "'a\n",
    "(",
    "A=(\n",
    "A=",
    "A='\n",
    " ",
    "\\\n",
    "CFTPART ID=A-\n",
    "'' ",
    "=",
    "#\n",
  ]) {
    parseExtract(unit.repeat(size / unit.length));
  }
  t.ok(performance.now() - began < 60_000, "13 hostile texts of 400 kB in less than a minute");
  t.end();
});

test("charsets", (t) => {
  const text = "CFTPART COMMENT='Müller'\n";
  const rows: [string, Uint8Array, string?][] = [
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${text}`)],
    ["Windows-1252", Buffer.from(text, "latin1")],
    ["UTF-16, little end first", Buffer.from(`\ufeff${text}`, "utf16le")],
    ["UTF-16, big end first", Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
    // C F T P A R T _ C O M M E N T = ' M ü l l e r ' NEL in IBM1047
    ["EBCDIC", Buffer.from("c3c6e3d7c1d9e340c3d6d4d4c5d5e37e7dd4dc939385997d15", "hex"), "IBM1047"],
  ];
  for (const [name, octets, charset] of rows) {
    t.strictSame(read(decodeExtract(octets, charset)).statements, ["CFTPART@1 COMMENT='Müller'"], name);
  }
  t.throws(() => decodeExtract(Buffer.from(text), "klingon"), { code: "CYG_FORMAT_CHARSET" });
  t.end();
});
