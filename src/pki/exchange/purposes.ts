/** What the certificate of a partner may serve for, by its own words. */
import type { X509Certificate } from "node:crypto";
import { permits } from "../key-usage.ts";
import type { Usage } from "../usage.ts";

/** Uses of a partner's certificate for files and sessions; TLS has its own trust. */
const USES: readonly Usage[] = ["encrypt", "sign", "auth", "receipt"];

/** Usages that its KeyUsage extension allows; all of them where it has none. */
export function purposesOf(certificate: X509Certificate): Usage[] {
  return USES.filter((usage) => permits(certificate, usage));
}
