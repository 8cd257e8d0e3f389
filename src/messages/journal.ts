/** Severity: I information, W warning, E error, F fatal (Transfer CFT's letters); T is our trace level below I. */
export type Severity = "T" | "I" | "W" | "E" | "F";

/** Variables of a message, by Transfer CFT's names in lower case (part, idf, idtu, ids, ctx, prot, host, diagi, …). */
export type MessageVariables = Record<string, string | number | bigint | undefined>;

/** Where every event of the gateway's life goes. Ids are Transfer CFT's (`CFTT57I`) or ours (`CFTH70I` and up). */
export interface Journal {
  /** Writes a message of the catalogue. Unknown ids and missing variables are errors that tests catch. */
  emit(id: string, variables?: MessageVariables): void;
}
