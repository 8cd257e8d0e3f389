/** Who asks, and over which way. */
import type { IncomingMessage } from "node:http";
import type { Apiuser } from "../config/model.ts";
import type { Role } from "./roles.ts";

export interface Caller {
  /** Id of the [[apiuser]]; "socket" for whoever can open the control socket. */
  name: string;
  role: Role;
  via: "socket" | "token" | "certificate";
  /** "" over the control socket. */
  address: string;
  /** The [[apiuser]] as it was when it was recognised; null over the control socket. */
  user: Apiuser | null;
}

/** Which listener a request came in by. */
export type Origin = "socket" | "network";

const origins = new WeakMap<IncomingMessage, Origin>();

export function markOrigin(request: IncomingMessage, origin: Origin): void {
  origins.set(request, origin);
}

/** The network, where nobody said otherwise: the way with fewer rights. */
export function originOf(request: IncomingMessage): Origin {
  return origins.get(request) ?? "network";
}

/** Nobody can be told apart there: the operating system says only that they may open it. */
export const SOCKET_CALLER: Caller = {
  name: "socket",
  role: "admin",
  via: "socket",
  address: "",
  user: null,
};

/** Name of a caller in the log of the gateway; Transfer CFT's messages call it USER. */
export function userOf(caller: Caller | null): string {
  return caller === null || caller.via === "socket" ? "operator" : caller.name;
}
