import { constants } from "node:crypto";
import * as tls from "node:tls";
import type { Material } from "../pki/material.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { cipherList } from "./ciphers.ts";

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
}

/** A checked server profile. A new one may be put in its place at any time: each connection takes what is there. */
export interface ServerTls {
  readonly profile: TlsProfile;
  readonly options: tls.TlsOptions;
  readonly context: tls.SecureContext;
}

/** A checked client profile. */
export interface ClientTls {
  readonly profile: TlsProfile;
  readonly context: tls.SecureContext;
}

/**
 * Checks and prepares a server profile.
 * Errors: CYG_TLS_MATERIAL (no certificate or key, or not usable), CYG_TLS_ROOTS, CYG_TLS_CIPHERS.
 */
export function serverTls(profile: TlsProfile): ServerTls {
  if (!profile.material) {
    throw new CygnetError("CYG_TLS_MATERIAL", `${profile.id}: a TLS server needs a certificate (usercid)`);
  }
  const options: tls.TlsOptions = {
    ...contextOptions(profile),
    requestCert: profile.verify !== "none",
    rejectUnauthorized: profile.verify === "required",
  };
  return { profile, options, context: secureContext(profile, options) };
}

/**
 * Checks and prepares a client profile. The server's chain is verified against the profile's roots and nothing else.
 * Its certificate's host name is not compared: partners are identified by the configured roots, their certificates
 * often carry no name of the host that is called, and SSIDCODE and password follow.
 * Errors as for {@link serverTls}.
 */
export function clientTls(profile: TlsProfile): ClientTls {
  return { profile, context: secureContext(profile, contextOptions(profile)) };
}

function contextOptions(profile: TlsProfile): tls.SecureContextOptions {
  const { material, roots, verify, versions } = profile;
  if (verify !== "none" && roots.length === 0) {
    throw new CygnetError(
      "CYG_TLS_ROOTS",
      `${profile.id}: verify = "${verify}" needs rootcid, the certificates that may have signed the other side's`,
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
    ciphers: cipherList(profile.ciphers, versions),
    honorCipherOrder: true,
    dhparam: "auto",
    // Resumption would carry an identity past the day its certificate was withdrawn: each session proves itself anew.
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION,
  };
}

function secureContext(profile: TlsProfile, options: tls.SecureContextOptions): tls.SecureContext {
  try {
    return tls.createSecureContext(options);
  } catch (cause) {
    const code = String((cause as { code?: string }).code);
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
