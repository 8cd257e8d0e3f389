/** The three dataset names under which certificates travel (Odette OP08 2.5). */

/** "Here is mine, send me yours"; "here is mine"; "here is mine, stop using the old one now". */
export type ExchangeKind = "request" | "deliver" | "replace";

const NAMES: Readonly<Record<ExchangeKind, string>> = {
  request: "ODETTE_CERTIFICATE_REQUEST",
  deliver: "ODETTE_CERTIFICATE_DELIVER",
  replace: "ODETTE_CERTIFICATE_REPLACE",
};

export const EXCHANGE_KINDS = Object.keys(NAMES) as readonly ExchangeKind[];

/** Longest file with one certificate that is looked at, octets. */
export const LARGEST_CERTIFICATE_FILE = 64 * 1024;

/** The dataset name of a kind: the only ones that we send with "_". */
export function exchangeName(kind: ExchangeKind): string {
  return NAMES[kind];
}

/** What a dataset name means; undefined for the name of an ordinary file. Small letters make no difference. */
export function exchangeKindOf(dsn: string): ExchangeKind | undefined {
  const name = dsn.trimEnd().toUpperCase();
  return EXCHANGE_KINDS.find((kind) => NAMES[kind] === name);
}

/** How such a transfer is named in the catalog, in place of a flow. */
export function exchangeFlow(kind: ExchangeKind): string {
  return `CERT_${kind.toUpperCase()}`;
}
