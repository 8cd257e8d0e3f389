import type { Kind } from "../rule.ts";
import { FLOW_KINDS } from "./flows.ts";
import { NETWORK_KINDS } from "./network.ts";
import { PARTNER_KINDS } from "./partners.ts";
import { SECURITY_KINDS } from "./security.ts";
import { SERVICE_KINDS } from "./services.ts";
import { SITE_KINDS } from "./site.ts";

/** All objects of Transfer CFT that are known, in the order in which they are translated. */
export const KINDS: readonly Kind[] = [
  ...SITE_KINDS,
  ...NETWORK_KINDS,
  ...PARTNER_KINDS,
  ...SECURITY_KINDS,
  ...FLOW_KINDS,
  ...SERVICE_KINDS,
];
