/** Which gateway a command talks to: the one of the configuration over its control socket, or one elsewhere by HTTPS. */
import { readFileSync } from "node:fs";
import { CygnetError, describe } from "../platform/errors.ts";
import { type CommonOptions, Failed, places } from "./context.ts";

/** A gateway elsewhere. */
export interface Remote {
  url: URL;
  /** null: a client certificate says who asks. */
  token: string | null;
  /** PEM; undefined = the authorities of the system. */
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/** Path of a control socket, or a gateway elsewhere. */
export type Target = string | Remote;

/** `--url` and what belongs to it, else the environment; null when a command is meant for the gateway here. */
export function remoteTarget(options: CommonOptions, environment = process.env): Remote | null {
  const address = options.url ?? environment.CYGNET_URL;
  if (!address) return null;
  const url = URL.parse(address);
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.search !== "") {
    const text = `${address} is no address of a gateway; it is written https://HOST:PORT`;
    throw new Failed(text, 2);
  }
  const pick = (option: string | undefined, name: string) => option ?? environment[name] ?? "";
  const file = (path: string) => (path === "" ? undefined : read(path));
  const tokenFile = pick(options.tokenFile, "CYGNET_TOKEN_FILE");
  const token = tokenFile === "" ? (environment.CYGNET_TOKEN ?? "") : read(tokenFile).trim();
  const cert = file(pick(options.cert, "CYGNET_CERT"));
  if (token === "" && cert === undefined) {
    const text =
      "nothing says who asks: --token-file FILE or $CYGNET_TOKEN_FILE, or --cert FILE and --key FILE";
    throw new Failed(text, 2);
  }
  return {
    url,
    token: token === "" ? null : token,
    ca: file(pick(options.ca, "CYGNET_CA")),
    cert,
    key: file(pick(options.key, "CYGNET_KEY")),
  };
}

/** Where the command goes. */
export async function targetOf(options: CommonOptions): Promise<Target> {
  return remoteTarget(options) ?? (await places(options)).socket;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CygnetError("CYG_REQUEST_FILE", `${path} cannot be read: ${describe(error)}`, { cause: error });
  }
}
