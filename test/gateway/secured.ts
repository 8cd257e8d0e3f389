/**
 * Secured files for tests: every pair of record format, services and cipher suite, with what stands on the local disk
 * and what has to be in the envelope (RFC 5024 section 6.1), made without the gateway's own code.
 */
import { CIPHER_SUITES, type CipherSuite } from "../../src/cms/suites.ts";
import { octets } from "./harness.ts";

export interface Secured {
  /** Flow and dataset name. */
  id: string;
  /** Keys of the [[cftsend]] and [[cftrecv]]. */
  send: string;
  recv: string;
  /** SFIDFMT and SFIDLRECL. */
  fmt: string;
  lrecl: number;
  /** The file on the local disk, and inside the envelope. */
  local: Buffer;
  inner: Buffer;
  sign: boolean;
  compress: boolean;
  encrypt: boolean;
  receipt: boolean;
  suite: CipherSuite;
}

type Shape = Pick<Secured, "send" | "recv" | "fmt" | "lrecl" | "local" | "inner">;

const lines = Array.from({ length: 90 }, (_, n) => "abcdefghij ".repeat(n % 7).slice(0, (n * 13) % 80));
/** Two octets of length before each record. */
const records = Buffer.concat(
  lines.map((line) => Buffer.concat([Buffer.of(0, line.length), Buffer.from(line)])),
);
const text = (end: string): Buffer => Buffer.from(lines.map((line) => line + end).join(""));

/** U, F, V as lines, V as records, T with local line ends. */
function shapes(seed: number): Shape[] {
  const random = octets(seed, 4_000);
  return [
    { send: "", recv: "", fmt: "U", lrecl: 0, local: random, inner: random },
    { send: 'frecfm = "F"\nflrecl = 80', recv: "", fmt: "F", lrecl: 80, local: random, inner: random },
    { send: 'frecfm = "V"\nflrecl = 80', recv: "", fmt: "V", lrecl: 80, local: text("\n"), inner: records },
    {
      ...{ send: 'frecfm = "V"\nflrecl = 80\nftype = "V"', recv: 'ftype = "V"' },
      ...{ fmt: "V", lrecl: 80, local: records, inner: records },
    },
    {
      ...{ send: 'frecfm = "T"\nfcode = "ascii"', recv: 'fcode = "ascii"' },
      ...{ fmt: "T", lrecl: 0, local: text("\n"), inner: text("\r\n") },
    },
  ];
}

/** Every pair of format, services (but for none) and suite, and each with signed responses and without. */
export function pairwise(): Secured[] {
  const rows: Secured[] = [];
  for (let services = 1; services < 8; services++) {
    for (const [index, suite] of (Object.keys(CIPHER_SUITES) as CipherSuite[]).entries()) {
      const [sign, compress, encrypt] = [1, 2, 4].map((bit) => (services & bit) !== 0) as [
        boolean,
        boolean,
        boolean,
      ];
      const shape = shapes(rows.length)[(services + index) % 5] as Shape;
      const receipt = (services + Math.floor(index / 5)) % 2 === 0;
      const security = `sign = ${sign}\ncompress = ${compress}\nencrypt = ${encrypt}\nsigned_eerp = ${receipt}`;
      const send = `${shape.send}\n${security}\ncipher = "${suite}"`;
      rows.push({ ...shape, send, id: `P${services}S${suite}`, sign, compress, encrypt, receipt, suite });
    }
  }
  return rows;
}

/** The [[cftsend]] and the [[cftrecv]] objects of rows. */
export function sendFlows(rows: readonly Pick<Secured, "id" | "send">[]): string {
  return rows.map(({ id, send }) => `[[cftsend]]\nid = "${id}"\nnfname = "${id}"\n${send}\n`).join("");
}

export function recvFlows(rows: readonly Pick<Secured, "id" | "recv">[]): string {
  return rows.map(({ id, recv }) => `[[cftrecv]]\nid = "${id}"\n${recv}\n`).join("");
}

/** Lets a site use the experimental cipher suites. */
export const experimental = (main: string): string =>
  main.replace("[cftparm]\n", "[cftparm]\nexperimental_ciphers = true\n");
