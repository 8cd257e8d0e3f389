import { constants, createHash } from "node:crypto";
import * as tls from "node:tls";
import type { Material } from "../pki/material.ts";
import type { Trust } from "../pki/trust/trust.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { cipherList } from "./ciphers.ts";
import { judgedByTls } from "./examine.ts";
import { type KeyLog, openKeyLog } from "./key-log.ts";
import type { Demands } from "./peer-check.ts";
import { ClientSessions, SESSION_LIFE, ServerSessions } from "./resumption.ts";

export type TlsVersion = "1.2" | "1.3";

/** What a CFTSSL profile says about one direction, with its certificates loaded. */
export interface TlsProfile {
  /** Id of the CFTSSL object, for messages. */
  id: string;
  /** Our certificate and key; null only for a client that has none. */
  material: Material | null;
  /** Whose certificates we accept: exactly these, never the system's. Any of them ends a chain, root or not. */
  roots: readonly Material[];
  /**
   * Server: do not ask for the caller's certificate; ask and go on without a good one; insist on one.
   * Client: "none" takes any certificate; anything else insists on a good one.
   */
  verify: "none" | "optional" | "required";
  /** Empty = 1.2 and 1.3. Older versions do not exist for us (RFC 8996). */
  versions: readonly TlsVersion[];
  /** OpenSSL cipher list or Transfer CFT's numbers; "" = suites with forward secrecy and authenticated encryption. */
  ciphers: string;
  /** Key exchange groups by OpenSSL's names, the preferred first; absent or empty = the library's. */
  groups?: readonly string[];
  /** What a certificate must satisfy besides leading to a root. */
  demands?: Demands;
  /** Who judges paths and revocation. */
  trust: Trust;
  /** Sessions may be taken up again. */
  cache?: boolean;
  /** As client: name the host that is called (SNI). Absent = yes. */
  sni?: boolean;
  /** File for session secrets, absolute; "" or absent = none. */
  keylog?: string;
  /** Root name of the files that keep partners' chains, absolute; "" or absent = they are not kept. */
  cerfname?: string;
}

/** A checked server profile. A new one may be put in its place at any time: each connection takes what is there. */
export interface ServerTls {
  readonly profile: TlsProfile;
  readonly options: tls.TlsOptions;
  readonly context: tls.SecureContext;
  readonly sessions: ServerSessions;
  readonly keylog: KeyLog | null;
}

/** A checked client profile. */
export interface ClientTls {
  readonly profile: TlsProfile;
  readonly context: tls.SecureContext;
  readonly sessions: ClientSessions;
  readonly keylog: KeyLog | null;
}

/** After this time, ms, a server makes new ticket keys: who gets hold of one reads no older TLS 1.2 sessions with it. */
const TICKET_KEY_LIFE = 24 * 3600 * 1000;

/**
 * Checks and prepares a server profile. Sessions that it lets be taken up again are known to it alone: another profile,
 * also one of the same name, starts anew.
 * Errors: CYG_TLS_MATERIAL (no certificate or key, or not usable), CYG_TLS_ROOTS, CYG_TLS_CIPHERS, CYG_TLS_GROUPS,
 * CYG_TLS_KEYLOG.
 */
export function serverTls(profile: TlsProfile, clock: Clock = systemClock): ServerTls {
  if (!profile.material) {
    throw new CygnetError("CYG_TLS_MATERIAL", `${profile.id}: a TLS server needs a certificate (usercid)`);
  }
  const options: tls.TlsOptions = {
    ...contextOptions(profile),
    requestCert: profile.verify !== "none",
    rejectUnauthorized: profile.verify === "required" && judgedByTls(profile),
  };
  let context = secureContext(profile, options);
  let made = clock.monotonic();
  return {
    profile,
    options,
    get context() {
      if (profile.cache && clock.monotonic() - made > TICKET_KEY_LIFE) {
        context = secureContext(profile, options);
        made = clock.monotonic();
      }
      return context;
    },
    sessions: new ServerSessions(),
    keylog: profile.keylog ? openKeyLog(profile.keylog) : null,
  };
}

/**
 * Checks and prepares a client profile. The server's chain is verified against the profile's roots and nothing else.
 * Its host name is compared only where the profile names hosts: partners are identified by the configured roots, their
 * certificates often carry no name of the host that is called, and SSIDCODE and password follow.
 * Errors as for {@link serverTls}.
 */
export function clientTls(profile: TlsProfile): ClientTls {
  return {
    profile,
    context: secureContext(profile, contextOptions(profile)),
    sessions: new ClientSessions(),
    keylog: profile.keylog ? openKeyLog(profile.keylog) : null,
  };
}

function contextOptions(profile: TlsProfile): tls.SecureContextOptions {
  const { material, roots, verify, versions, demands = {}, groups = [], cache = false } = profile;
  if (verify !== "none" && roots.length === 0 && (demands.pins ?? []).length === 0) {
    throw new CygnetError(
      "CYG_TLS_ROOTS",
      `${profile.id}: verify = "${verify}" needs rootcid, the certificates that may have signed the other side's, or pins`,
    );
  }
  if (material && !material.key) {
    throw new CygnetError(
      "CYG_TLS_MATERIAL",
      `${profile.id}: the certificate ${material.id} has no private key`,
    );
  }
  return {
    // An empty list keeps the bundled roots of the runtime out; undefined would let them in.
    ca: verify === "none" ? [] : roots.flatMap((root) => root.all.map((one) => one.toString())),
    allowPartialTrustChain: true,
    ...(material?.key && {
      cert: material.pem,
      key: material.key.export({ format: "pem", type: "pkcs8" }) as string,
    }),
    minVersion: versions.length === 0 || versions.includes("1.2") ? "TLSv1.2" : "TLSv1.3",
    maxVersion: versions.length === 0 || versions.includes("1.3") ? "TLSv1.3" : "TLSv1.2",
    ciphers: suites(profile),
    honorCipherOrder: true,
    dhparam: "auto",
    ...(groups.length > 0 && { ecdhCurve: groups.join(":") }),
    // Callers of one profile must not take up sessions of another, which may have asked them for less.
    sessionIdContext: createHash("sha256").update(profile.id).digest("hex").slice(0, 32),
    sessionTimeout: SESSION_LIFE,
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION |
      constants.SSL_OP_NO_COMPRESSION |
      (cache ? 0 : constants.SSL_OP_NO_TICKET),
  };
}

function suites({ id, ciphers, versions }: TlsProfile): string {
  try {
    return cipherList(ciphers, versions);
  } catch (cause) {
    throw new CygnetError("CYG_TLS_CIPHERS", `${id}: ${describe(cause)}`, { cause });
  }
}

function secureContext(profile: TlsProfile, options: tls.SecureContextOptions): tls.SecureContext {
  try {
    return tls.createSecureContext(options);
  } catch (cause) {
    const code = String((cause as { code?: string }).code);
    if (/ECDH curve/.test(describe(cause))) {
      throw new CygnetError(
        "CYG_TLS_GROUPS",
        `${profile.id}: groups ${(profile.groups ?? []).join(", ")} names one that is not known here`,
        { cause },
      );
    }
    if (/CIPHER/.test(code)) {
      throw new CygnetError(
        "CYG_TLS_CIPHERS",
        `${profile.id}: ciphlist "${profile.ciphers}" names no suite that is known here`,
        { cause },
      );
    }
    throw new CygnetError("CYG_TLS_MATERIAL", `${profile.id}: ${describe(cause)}`, { cause });
  }
}
