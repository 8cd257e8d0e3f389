/** Certificates: what ends soon, and what partners cannot build a chain from. That keys match is checked with the configuration. */

import { join } from "node:path";
import { loadCredentials } from "../../engine/credentials.ts";
import { openStore, storeDirectory } from "../../pki/folder-store.ts";
import { createTrust } from "../../pki/trust/create.ts";
import { systemClock } from "../../platform/clock.ts";
import { describe } from "../../platform/errors.ts";
import { type Check, type Finding, finding } from "./finding.ts";

const DAY = 24 * 3600 * 1000;
/** Days left that are worth a warning. */
const SOON = 30;

export const checkCertificates: Check = async ({ configuration, places }) => {
  if (configuration === null || configuration.pki.size === 0) return [];
  const findings: Finding[] = [];
  const store = await openStore(storeDirectory(places.rundir));
  const trust = createTrust({ cacheDirectory: join(places.rundir, "pki", "revocation"), clock: systemClock });
  const now = Date.now();
  try {
    const credentials = await loadCredentials(configuration, { store, trust });
    for (const { id, part, certificate } of credentials.inUse()) {
      const { validToDate, validFromDate, fingerprint256 } = certificate;
      const name = `${id}${part && !id.startsWith(`${part}/`) ? ` of ${part}` : ""} (SHA-256 ${fingerprint256.slice(0, 11)}…)`;
      const days = Math.floor((validToDate.getTime() - now) / DAY);
      const until = validToDate.toISOString().slice(0, 10);
      const renew =
        part === ""
          ? "Make a new one beside it and give it to the partners: cygnet pki init, docs/certificates.md."
          : `Ask ${part} for its new certificate: cygnet pki import.`;
      if (days < 0) findings.push(finding("certificates", "fail", `${name} expired on ${until}`, renew));
      else if (validFromDate.getTime() > now) {
        const text = `${name} is not valid before ${validFromDate.toISOString().slice(0, 10)}`;
        findings.push(finding("certificates", "fail", text, "Compare the clock; or use another until then."));
      } else if (days < SOON) {
        const left = `${days} ${days === 1 ? "day" : "days"}`;
        findings.push(finding("certificates", "warn", `${name} expires on ${until}, in ${left}`, renew));
      }
    }
    for (const id of new Set([...configuration.cftssl.values()].map(({ usercid }) => usercid))) {
      if (id === "") continue;
      const { certificate, chain } = credentials.material(id);
      const last = chain.at(-1) ?? certificate;
      const alone = chain.length === 1 && last.subject !== last.issuer;
      if (!alone) continue;
      const text = `${id} was issued by ${last.issuer.replaceAll("\n", ", ")}, whose certificate is not in its file`;
      const action = "Append the issuer's certificate to the file, unless all partners have it.";
      findings.push(finding("certificates", "warn", text, action));
    }
    for (const { text } of store.problems) {
      findings.push(finding("certificates", "warn", text, "cygnet pki list shows what is there."));
    }
    if (findings.length > 0) return findings;
    return [
      finding(
        "certificates",
        "ok",
        `${credentials.inUse().length} in use, all valid for ${SOON} days and more`,
      ),
    ];
  } catch (error) {
    return [
      finding("certificates", "fail", describe(error), "Correct what is named; cygnet check tells more."),
    ];
  }
};
