/** File names that come from elsewhere are data: here they become names that this site can trust. */
import { createHash } from "node:crypto";

/** Octets of a safe name, leaving room for a suffix below the 255 of common file systems. */
const LONGEST_NAME = 200;
const LONGEST_FILE_NAME = 255;
const LONGEST_EXTENSION = 20;
/** RFC 5024 section 5.3.3: SFIDDSN is X(26). */
const LONGEST_DSN = 26;

/** Controls and format characters (which can reverse what a reader sees), line separators, separators of paths. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\<>:"|?*]/gu;
/** A percent sign that would read as one of our own. */
const AMBIGUOUS_PERCENT = /%(?=[0-9A-F]{2})/g;
/** Devices on Windows, with any extension: inboxes are often shared with it. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))/i;

/**
 * One path component for any text: never empty, never "." or "..", at most 200 octets in UTF-8, the same on
 * every system. What a name must not have is percent-encoded, so different texts give different names; a name
 * that is too long keeps its beginning and its extension around a hash of the whole.
 */
export function safeName(text: string): string {
  const name = text
    .toWellFormed()
    .replace(AMBIGUOUS_PERCENT, "%25")
    .replace(UNSAFE, percentEncoded)
    .replace(/^\.|[. ]$/g, percentEncoded)
    .replace(DEVICE, (device) => percentEncoded(device[0] as string) + device.slice(1));
  if (name === "") return "unnamed";
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  const { stem, extension } = splitName(name);
  const tail = `~${digest(text).slice(0, 12)}${extension}`;
  return cut(stem, LONGEST_NAME - Buffer.byteLength(tail)) + tail;
}

/** `name.ext` with a suffix, `name~2.ext`: what a taken name becomes. Stays within 255 octets. */
export function suffixedName(name: string, suffix: string): string {
  const { stem, extension } = splitName(name);
  const tail = `~${suffix}${extension}`;
  return cut(stem, LONGEST_FILE_NAME - Buffer.byteLength(tail)) + tail;
}

/**
 * A legal dataset name (digits, A to Z, & ( ) - . /; 1 to 26 characters) for a local name: accents fall away,
 * letters become capitals, other characters "-". One that is too long keeps its beginning and its extension
 * around a hash; one that `taken` says is in use gets a counter instead.
 */
export function datasetName(text: string, taken: (name: string) => boolean = () => false): string {
  const name =
    text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toUpperCase()
      .replace(/[^0-9A-Z&()\-./]/gu, "-") || "UNNAMED";
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 6 ? name.slice(dot) : "";
  const stem = name.slice(0, name.length - extension.length);
  const withTail = (tail: string): string =>
    stem.slice(0, LONGEST_DSN - tail.length - extension.length) + tail + extension;
  const short =
    name.length <= LONGEST_DSN
      ? name
      : withTail(
          `-${BigInt(`0x${digest(text)}`)
            .toString(36)
            .slice(0, 6)
            .toUpperCase()}`,
        );
  if (!taken(short)) return short;
  for (let counter = 2; ; counter += 1) {
    const counted = withTail(`-${counter}`);
    if (!taken(counted)) return counted;
  }
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)]
    .map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

/** The extension with its dot; "" where there is none, or where what follows the last dot is too long for one. */
function splitName(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  if (dot <= 0 || Buffer.byteLength(name.slice(dot)) > LONGEST_EXTENSION)
    return { stem: name, extension: "" };
  return { stem: name.slice(0, dot), extension: name.slice(dot) };
}

/** The longest beginning of `text` that fits `octets` of UTF-8 without splitting a character. */
function cut(text: string, octets: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= octets) return text;
  let end = octets;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString();
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
