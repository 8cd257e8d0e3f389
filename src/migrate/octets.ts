import iconv from "iconv-lite";
import { checkCharset } from "../oftp/files/charset.ts";

/**
 * The text of an extract: in `charset` where one is named, else by its byte order mark, else UTF-8, else
 * Windows-1252, which every octet is a character of. Throws CYG_FORMAT_CHARSET for an unknown charset.
 */
export function decodeExtract(octets: Uint8Array, charset?: string): string {
  if (charset !== undefined) {
    checkCharset(charset);
    return iconv.decode(Buffer.from(octets), charset).replace(/\x85/g, "\n");
  }
  const [first, second] = octets;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(octets);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(octets);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    return new TextDecoder("windows-1252").decode(octets); // not UTF-8, which is all that the error tells
  }
}
