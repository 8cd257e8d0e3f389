/** `cygnet pki export`: a certificate for somebody else. Never a private key. */
import { resolve } from "node:path";
import { knownCertificates, pick } from "../../engine/certificates/known.ts";
import { writeNew } from "../../pki/whole-file.ts";
import { type CommonOptions, Failed, print, printJson } from "../context.ts";
import { openScope } from "./scope.ts";

export interface ExportOptions extends CommonOptions {
  part?: string;
  der?: boolean;
  chain?: boolean;
  out?: string;
}

export async function exportCertificate(wanted: string, options: ExportOptions): Promise<void> {
  if (options.der && options.chain) throw new Failed("DER holds one certificate: choose --der or --chain", 2);
  const { certificate, chain } = pick(
    await knownCertificates(await openScope(options), (text) => console.error(`warning: ${text}`)),
    wanted,
    options.part,
  );
  const pem = (options.chain ? chain : [certificate]).map((one) => one.toString()).join("");
  const content = options.der ? certificate.raw : pem;
  if (options.out !== undefined) {
    const path = resolve(options.out);
    if (!(await writeNew(path, content, 0o644)))
      throw new Failed(`${path} is there already; nothing was changed`);
    if (options.json) printJson({ file: path, sha256: certificate.fingerprint256 });
    else print(`${path}  SHA-256 ${certificate.fingerprint256}`);
  } else if (options.json) {
    printJson({ pem, sha256: certificate.fingerprint256 });
  } else if (options.der && process.stdout.isTTY) {
    throw new Failed("DER is not for a terminal: give --out FILE");
  } else process.stdout.write(content);
}
