/**
 * Conversion between charsets by iconv-lite, or octet by octet with a table. Nothing is replaced silently: octets
 * that are no character in their charset, and characters that the other charset lacks, are errors. U+FFFD, which
 * stands for what could not be read, counts as such even where it was sent on purpose.
 *
 * A byte order mark is a character like any other: it is kept, and refused where the other charset lacks it.
 */
import iconv from "iconv-lite";
import { isEbcdic } from "./ebcdic.ts";
import { FormatError } from "./format.ts";
import type { Emit, Stage } from "./stage.ts";

const UNREADABLE = "\ufffd";
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Octets that a character's code has at least, and of which its length is a multiple. */
function codeUnit(charset: string): number {
  const name = iconv._canonicalizeEncoding(charset);
  return /^(utf16|ucs2)/.test(name) ? 2 : /^(utf32|ucs4)/.test(name) ? 4 : 1;
}

function isUtf8(charset: string): boolean {
  return /^(utf8|unicode11utf8)$/.test(iconv._canonicalizeEncoding(charset));
}

/** @throws FormatError CYG_FORMAT_CHARSET when there is no such charset */
export function checkCharset(charset: string): void {
  // asking for EBCDIC first sees to it that its code pages are known
  if (isEbcdic(charset) || iconv.encodingExists(charset)) return;
  throw new FormatError("CYG_FORMAT_CHARSET", `there is no charset "${charset}"`, 0, 0);
}

// straight from the codec: looking a charset up by name costs more than converting a line
const decoder = (codec: iconv.Codec): iconv.DecoderStream => new codec.decoder({ stripBOM: false }, codec);
const encoder = (codec: iconv.Codec): iconv.EncoderStream => new codec.encoder({ addBOM: false }, codec);

/** Converts a text, however its octets are cut; after `end` it is ready for another text. */
export class CharsetConverter implements Stage {
  readonly #from: string;
  readonly #to: string;
  readonly #record: () => number;
  readonly #newLines: boolean;
  readonly #checked: boolean;
  readonly #unit: number;
  readonly #fromCodec: iconv.Codec;
  readonly #toCodec: iconv.Codec;
  #decoder: iconv.DecoderStream;
  #encoder: iconv.EncoderStream;
  /** Reads back what was written. */
  #mirror: iconv.DecoderStream;
  /** Written, and not yet read back. */
  #unread = "";
  /** Octets taken before the chunk under way, and those of them that are an unfinished character. */
  #taken = 0;
  #carry: Buffer = Buffer.alloc(0);
  #highSurrogate = "";

  /**
   * @param record number of the record that is being read, for errors; 0 = none
   * @param newLines EBCDIC's NEL ends a line: it becomes LF
   */
  constructor(from: string, to: string, record: () => number, newLines = false) {
    checkCharset(from);
    checkCharset(to);
    this.#from = from;
    this.#to = to;
    this.#record = record;
    this.#newLines = newLines && isEbcdic(from);
    this.#checked = !isUtf8(to);
    this.#unit = codeUnit(from);
    this.#fromCodec = iconv.getCodec(from);
    this.#toCodec = iconv.getCodec(to);
    this.#decoder = decoder(this.#fromCodec);
    this.#encoder = encoder(this.#toCodec);
    this.#mirror = decoder(this.#toCodec);
  }

  push(chunk: Buffer, emit: Emit): void {
    this.#convert(this.#decode(chunk), false, emit);
    this.#taken += chunk.length;
  }

  /**
   * iconv-lite's decoder for two and four octets loses characters when a chunk completes one of an upper plane
   * that the chunk before began: it makes room for two octets of UTF-16 an octet read. So it never has to
   * complete one: the unfinished octets are taken from it and put before the next chunk.
   */
  #decode(chunk: Buffer): string {
    const text = this.#decoder.write(this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk);
    const { prevBytes = [] } = this.#decoder as { prevBytes?: readonly number[] };
    this.#carry = Buffer.from(prevBytes);
    if (prevBytes.length > 0) this.#decoder = decoder(this.#fromCodec);
    return text;
  }

  end(emit: Emit): void {
    const whole = this.#taken % this.#unit === 0 && this.#carry.length === 0;
    this.#convert((this.#decoder.end() ?? "") + (whole ? "" : UNREADABLE), true, emit);
    const rest = this.#encoder.end();
    if (rest !== undefined && rest.length > 0) {
      this.#readBack("", rest);
      emit(rest);
    }
    this.#readBack("", Buffer.alloc(0), this.#mirror.end() ?? "");
    if (this.#unread !== "") throw this.#lacking(0);
    this.#taken = 0;
    this.#carry = Buffer.alloc(0);
    this.#decoder = decoder(this.#fromCodec);
    this.#encoder = encoder(this.#toCodec);
    this.#mirror = decoder(this.#toCodec);
  }

  #convert(decoded: string, last: boolean, emit: Emit): void {
    let text = this.#highSurrogate + decoded;
    this.#highSurrogate = "";
    if (!last && /[\ud800-\udbff]$/.test(text)) {
      this.#highSurrogate = text.slice(-1);
      text = text.slice(0, -1);
    }
    const bad = this.#firstUnreadable(text);
    // what stands before goes on first: it decides in which record the fault lies
    if (bad >= 0) this.#encode(text.slice(0, bad), emit);
    if (bad >= 0) throw this.#unreadable(text.slice(0, bad));
    this.#encode(text, emit);
  }

  #firstUnreadable(text: string): number {
    const replaced = text.indexOf(UNREADABLE);
    if (text.isWellFormed()) return replaced;
    const lone = text.search(LONE);
    return replaced < 0 ? lone : Math.min(replaced, lone);
  }

  #encode(text: string, emit: Emit): void {
    if (text === "") return;
    const lines = this.#newLines ? text.replaceAll("\u0085", "\n") : text;
    const octets = this.#encoder.write(lines);
    if (this.#checked) this.#readBack(lines, octets);
    if (octets.length > 0) emit(octets);
  }

  /** iconv-lite writes "?" for what the charset lacks: only reading it again tells. */
  #readBack(text: string, octets: Buffer, rest = ""): void {
    const unread = this.#unread + text;
    const back = this.#mirror.write(octets) + rest;
    if (!unread.startsWith(back)) {
      this.#unread = unread;
      let at = 0;
      while (unread[at] === back[at]) at++;
      throw this.#lacking(at);
    }
    this.#unread = unread.slice(back.length);
  }

  #lacking(at: number): FormatError {
    const before = this.#unread[at - 1] ?? "";
    const from = /[\ud800-\udbff]/.test(before) ? at - 1 : at;
    const code = (this.#unread.codePointAt(from) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const what = `the charset ${this.#to} lacks the character U+${code}`;
    return this.#error(what, this.#unread.slice(0, from));
  }

  #unreadable(before: string): FormatError {
    return this.#error(`what follows is no character in the charset ${this.#from}`, before);
  }

  #error(what: string, before: string): FormatError {
    const offset = this.#taken + iconv.encode(before, this.#from).length;
    return new FormatError("CYG_FORMAT_CHARACTER", what, this.#record(), offset);
  }
}
