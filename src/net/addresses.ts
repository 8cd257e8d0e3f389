import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { CygnetError } from "../platform/errors.ts";

/** An address as people write it: without zone, and IPv4 when it is IPv4 mapped into IPv6 (`::ffff:192.0.2.1`). */
export function plainAddress(address: string): string {
  const bare = address.split("%", 1)[0] as string;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  return mapped ?? bare;
}

/** What one caller can choose its addresses from: an IPv4 address is alone, an IPv6 address stands for its /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.toLowerCase().split("::", 2);
  const groups = (text = "") => text.split(":").filter((group) => group !== "");
  const [first, last] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const all = [...first, ...new Array<string>(zeros).fill("0"), ...last];
  const short = all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${short.join(":")}::/64`;
}

/** A set of CIDR blocks. Empty = nothing is in it. */
export interface AddressSet {
  readonly empty: boolean;
  has(address: string): boolean;
}

/**
 * Compiles CIDR blocks or single addresses, IPv4 and IPv6.
 * Errors: CYG_NET_CIDR names the block that is none.
 */
export function addressSet(blocks: readonly string[]): AddressSet {
  const list = new BlockList();
  for (const block of blocks) add(list, block);
  return {
    empty: blocks.length === 0,
    has(address) {
      const plain = plainAddress(address);
      return list.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
    },
  };
}

function add(list: BlockList, block: string): void {
  const [text = "", length, more] = block.trim().split("/");
  const written = isIP(text);
  const bits = written === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (written === 0 || more !== undefined || !(prefix <= bits)) {
    throw new CygnetError(
      "CYG_NET_CIDR",
      `"${block}" is not an address block; write for example 192.0.2.0/24 or 2001:db8::/32`,
    );
  }
  const plain = plainAddress(text);
  // A block of mapped addresses is a block of IPv4 addresses, as callers are compared in their plain form.
  const shortened = written === 6 && isIPv4(plain) && prefix >= 96;
  list.addSubnet(
    shortened ? plain : text,
    shortened ? prefix - 96 : prefix,
    written === 4 || shortened ? "ipv4" : "ipv6",
  );
}

/** Where to listen. */
export interface Binding {
  host: string;
  ipv6Only: boolean;
}

/**
 * The binding that a configured host stands for. `INADDR_ANY` is every address of both families, `IN4ADDR_ANY` and
 * `0.0.0.0` every IPv4 address, `IN6ADDR_ANY` and `::` every IPv6 address: so "0.0.0.0" and "::" go together.
 */
export function binding(host: string): Binding {
  switch (host.toUpperCase()) {
    case "INADDR_ANY":
      return { host: "::", ipv6Only: false };
    case "IN4ADDR_ANY":
      return { host: "0.0.0.0", ipv6Only: false };
    case "IN6ADDR_ANY":
    case "::":
      return { host: "::", ipv6Only: true };
    default:
      return { host, ipv6Only: false };
  }
}
