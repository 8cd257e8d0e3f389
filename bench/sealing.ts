/** The jobs of the security benchmark, and the same work by the openssl command. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SealJob, UnsealJob } from "../src/cms/job.ts";
import type { RecipientKey } from "../src/cms/transport.ts";
import { ensureSelfSigned } from "../src/pki/generate.ts";

interface Owner extends RecipientKey {
  pem: string;
  secret: string;
}

/** Who signs, and for whom it is encrypted. */
export interface Owners {
  signer: Owner;
  recipient: Owner;
}

export async function owners(folder: string): Promise<Owners> {
  const make = async (name: string): Promise<Owner> => {
    const [pem, secret] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    await ensureSelfSigned({ certificate: pem, key: secret }, { commonName: name, hosts: [], days: 9 });
    const certificate = new X509Certificate(readFileSync(pem));
    return { certificate, key: createPrivateKey(readFileSync(secret)), pem, secret };
  };
  return { signer: await make("signer"), recipient: await make("recipient") };
}

/** @param level of zlib, or null for no compression */
export function sealJob(
  { signer, recipient }: Owners,
  source: string,
  target: string,
  level: number | null,
): SealJob {
  const options = {
    sign: [{ certificate: signer.certificate, key: signer.key, hash: "sha256" as const }],
    encrypt: { recipients: [recipient.certificate], cipher: "aes256" as const },
    ...(level === null ? {} : { compress: { level } }),
  };
  return { kind: "seal", source, target, suite: "04", options };
}

/** @param original octets of the plain file */
export function unsealJob(
  { signer, recipient }: Owners,
  source: string,
  target: string,
  original: number,
  compressed: boolean,
): UnsealJob {
  const { certificate, key } = recipient;
  const options = {
    expected: { signed: true, compressed, encrypted: true },
    keys: [{ certificate, key }],
    signers: [signer.certificate],
    guard: { original },
  };
  return { kind: "unseal", source, target, suite: "04", options };
}

const cms = (...args: string[]): void => {
  execFileSync("openssl", ["cms", ...args], { stdio: ["ignore", "ignore", "pipe"] });
};

/** Two commands over a file between them, streaming, and a sync at the end, as ours has one. */
export function signAndEncrypt(
  { signer, recipient }: Owners,
  from: string,
  to: string,
  folder: string,
): void {
  const middle = join(folder, "openssl.middle");
  const who = ["-signer", signer.pem, "-inkey", signer.secret, "-md", "sha256"];
  const form = ["-binary", "-stream", "-outform", "DER"];
  cms("-sign", ...form, "-nodetach", "-nocerts", "-nosmimecap", "-in", from, "-out", middle, ...who);
  cms("-encrypt", ...form, "-aes-256-cbc", "-in", middle, "-out", to, recipient.pem);
  execFileSync("sync", [to]);
}

export function verifyAndDecrypt(
  { signer, recipient }: Owners,
  from: string,
  to: string,
  folder: string,
): void {
  const middle = join(folder, "openssl.middle");
  const who = ["-recip", recipient.pem, "-inkey", recipient.secret];
  cms("-decrypt", "-binary", "-inform", "DER", "-in", from, "-out", middle, ...who);
  cms(
    "-verify",
    "-binary",
    "-inform",
    "DER",
    "-in",
    middle,
    "-out",
    to,
    "-certfile",
    signer.pem,
    "-noverify",
  );
  execFileSync("sync", [to]);
}
