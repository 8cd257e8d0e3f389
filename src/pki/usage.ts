/** What a certificate may serve for. */
export type Usage = "tls" | "sign" | "decrypt" | "encrypt" | "auth" | "receipt" | "ca";

export const USAGES: readonly Usage[] = ["tls", "sign", "decrypt", "encrypt", "auth", "receipt", "ca"];
