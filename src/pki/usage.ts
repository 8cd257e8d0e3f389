/** What a certificate may serve for. */
export type Usage = "tls" | "sign" | "decrypt" | "encrypt" | "auth" | "receipt" | "ca";
