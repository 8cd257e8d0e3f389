/**
 * Commands to exchange buffers and back, driven by the field tables. Knows no socket and no clock.
 *
 * Strict in what it writes; what it tolerates on reading is named, so that the caller can log or refuse it:
 * `cr-missing`, `esid-form`, `trailing-fields-missing`, `cdt-short`, `numeric-flag`, `padding-after-command`.
 */
import { CygnetError } from "../../platform/errors.ts";
import type { Command } from "./commands.ts";
import { type CommandName, column, type Field, LAYOUTS, type Layout } from "./layout.ts";
import type { Level } from "./level.ts";

/** A buffer that cannot be decoded. `esid` is the reason to end the session with (RFC 5024 section 5.3.3.15). */
export class WireError extends CygnetError {
  readonly esid: number;

  constructor(esid: 1 | 6 | 7, message: string) {
    super("CYG_OFTP_WIRE", message);
    this.esid = esid;
  }
}

const NAMES = new Map<number, CommandName>(
  Object.entries(LAYOUTS).map(([name, layout]) => [layout.code, name as CommandName]),
);

const READY = "ODETTE FTP READY ";
const CR = 0x0d;
const SPACE = 0x20;
/** The same CR with the parity bit of a seven-bit line (RFC 5024 section 5.3.1). */
const CR_PARITY = 0x8d;

/**
 * Encodes a command at a level.
 * @throws CygnetError CYG_OFTP_FIELD when a value does not fit its field or the level lacks the command
 */
export function encode(command: Command, level: Level): Buffer {
  const layout: Layout = LAYOUTS[command.type];
  if (layout.since > level) throw unfit(command.type, `does not exist at SSIDLEV ${level}`);
  const parts: Buffer[] = [Buffer.of(layout.code)];
  const values = command as unknown as Record<string, unknown>;
  for (const field of layout.fields) {
    const width = field.width[column(level)];
    if (width > 0) parts.push(encodeField(command.type, field, width, values[field.name]));
  }
  return Buffer.concat(parts);
}

function unfit(where: string, why: string): CygnetError {
  return new CygnetError("CYG_OFTP_FIELD", `${where} ${why}`);
}

function encodeField(command: CommandName, field: Field, width: number, value: unknown): Buffer {
  const where = `${command}${field.name.toUpperCase()}`;
  switch (field.kind) {
    case "X": {
      const text = value as string;
      if (text.length > width || /[^\x20-\x7e]/.test(text)) {
        throw unfit(where, `takes at most ${width} printable ASCII characters`);
      }
      return Buffer.from(text.padEnd(width), "latin1");
    }
    case "N":
    case "B":
      return digits(where, value as number | bigint, width);
    case "D":
      return stamp(where, value as string, width, dateAs);
    case "H":
      return stamp(where, value as string, width, timeAs);
    case "F":
      return Buffer.of((value as boolean) ? 0x59 : 0x4e);
    case "Z":
      return Buffer.alloc(width, SPACE);
    case "M":
      return Buffer.from(READY, "latin1");
    case "C":
      return Buffer.of(CR);
    case "O": {
      const octets = value as Buffer;
      if (octets.length !== width) throw unfit(where, `takes exactly ${width} octets`);
      return octets;
    }
    case "T": {
      const text = utf8(value as string, 999);
      return Buffer.concat([digits(where, text.length, width), text]);
    }
    case "U": {
      const octets = value as Buffer;
      if (octets.length > 0xffff) throw unfit(where, "takes at most 65535 octets");
      const length = Buffer.alloc(width);
      length.writeUInt16BE(octets.length);
      return Buffer.concat([length, octets]);
    }
  }
}

function digits(where: string, value: number | bigint, width: number): Buffer {
  const text = value.toString();
  if (!/^\d+$/.test(text) || text.length > width)
    throw unfit(where, `takes a number of at most ${width} digits`);
  return Buffer.from(text.padStart(width, "0"), "latin1");
}

function stamp(
  where: string,
  value: string,
  width: number,
  as: (value: string, width: number) => string,
): Buffer {
  const text = as(value, width);
  if (text.length !== width || !/^\d+$/.test(text)) throw unfit(where, `takes ${width} digits`);
  return Buffer.from(text, "latin1");
}

/** Century rule of store and forward between levels: years from 70 are 19YY, the others 20YY. */
function dateAs(value: string, width: number): string {
  if (value.length === 8 && width === 6) return value.slice(2);
  if (value.length === 6 && width === 8) return (value >= "70" ? "19" : "20") + value;
  return value;
}

function timeAs(value: string, width: number): string {
  return value.length > width ? value.slice(0, width) : value.padEnd(width, "0");
}

/** UTF-8 octets of a text, cut at a code point to at most `limit` octets. */
export function utf8(text: string, limit: number): Buffer {
  const octets = Buffer.from(text, "utf8");
  if (octets.length <= limit) return octets;
  let end = limit;
  while (end > 0 && ((octets[end] as number) & 0xc0) === 0x80) end--;
  return octets.subarray(0, end);
}

/**
 * Decodes one exchange buffer that is not DATA.
 * @param level the negotiated level; before the SSIDs only SSRM, SSID and ESID exist, alike at every level
 * @param tolerated called with the name of each tolerance that was needed
 * @throws WireError with the ESID reason
 */
export function decode(buffer: Buffer, level: Level, tolerated: (name: string) => void = () => {}): Command {
  const name = buffer.length > 0 ? NAMES.get(buffer[0] as number) : undefined;
  if (name === undefined) throw new WireError(1, `command octet ${hex(buffer[0])} is not known`);
  const layout: Layout = LAYOUTS[name];
  if (layout.since > level) throw new WireError(1, `${name} does not exist at SSIDLEV ${level}`);
  if (name === "ESID") return decodeEsid(buffer, level, tolerated);
  // an SSID tells its own level: SSIDAUTH is a reserved octet below 2.0
  const at: Level = name !== "SSID" ? level : (buffer[1] ?? 0) >= 0x35 ? 5 : 4;
  const reader = new Reader(name, buffer, tolerated);
  const command: Record<string, unknown> = { type: name };
  for (const field of layout.fields) {
    const width = field.width[column(at)];
    if (field.kind === "Z") reader.skip(width, name === "CDT");
    else if (field.kind === "C") reader.carriageReturn();
    else command[field.name] = width > 0 ? reader.field(field, width) : neutral(field);
  }
  reader.finish(name === "SSRM" || name === "SSID");
  return command as unknown as Command;
}

/** ESID comes short or long whatever the level (RFC 5024 says nothing before the SSIDs): its shape tells. */
function decodeEsid(buffer: Buffer, level: Level, tolerated: (name: string) => void): Command {
  const reader = new Reader("ESID", buffer, tolerated);
  const reas = reader.field({ name: "reas", kind: "N", width: [2, 2, 2] }, 2) as number;
  const long = buffer.length >= 6 && /^\d{3}$/.test(buffer.toString("latin1", 3, 6));
  if (long !== (level === 5)) tolerated("esid-form");
  const reast = long ? (reader.field({ name: "reast", kind: "T", width: [3, 3, 3] }, 3) as string) : "";
  reader.carriageReturn();
  reader.finish(true);
  return { type: "ESID", reas, reast };
}

function neutral(field: Field): unknown {
  switch (field.kind) {
    case "N":
      return 0;
    case "B":
      return 0n;
    case "F":
      return false;
    case "U":
    case "O":
      return Buffer.alloc(0);
    default:
      return "";
  }
}

const hex = (octet: number | undefined): string => (octet ?? 0).toString(16).padStart(2, "0").toUpperCase();

class Reader {
  #at = 1;
  readonly #name: CommandName;
  readonly #buffer: Buffer;
  readonly #tolerated: (name: string) => void;

  constructor(name: CommandName, buffer: Buffer, tolerated: (name: string) => void) {
    this.#name = name;
    this.#buffer = buffer;
    this.#tolerated = tolerated;
  }

  field(field: Field, width: number): unknown {
    const where = `${this.#name}${field.name.toUpperCase()}`;
    // products leave out trailing variable fields of OFTP 2.0 altogether: they count as empty
    const variable = field.kind === "T" || field.kind === "U";
    if (variable && this.#name !== "AUCH" && this.#at === this.#buffer.length) {
      this.#tolerated("trailing-fields-missing");
      return neutral(field);
    }
    const octets = this.#take(where, width);
    const text = octets.toString("latin1");
    switch (field.kind) {
      case "X":
        return text.replace(/ +$/, "");
      case "N":
        return Number(this.#digits(where, text));
      case "B":
        return this.#digits(where, text);
      case "D":
      case "H":
        if (!/^\d+$/.test(text)) throw new WireError(6, `${where} holds something else than digits`);
        return text;
      case "F":
        return this.#flag(where, text);
      case "M":
        if (text.trimEnd() !== READY.trimEnd())
          throw new WireError(6, `${where} is not "${READY.trimEnd()}"`);
        return text;
      case "O":
        return Buffer.from(octets);
      case "T":
        return this.#take(where, Number(this.#digits(where, text))).toString("utf8");
      case "U":
        return Buffer.from(this.#take(where, octets.readUInt16BE(0)));
      default:
        throw new WireError(6, `${where} cannot be read`);
    }
  }

  skip(width: number, optional: boolean): void {
    if (optional && this.#at === this.#buffer.length) this.#tolerated("cdt-short");
    else this.#take(this.#name, width);
  }

  carriageReturn(): void {
    const octet = this.#buffer[this.#at];
    if (octet === CR || octet === CR_PARITY) this.#at++;
    else if (octet === undefined) this.#tolerated("cr-missing");
    else throw new WireError(7, `${this.#name} does not end in a carriage return`);
  }

  finish(padded: boolean): void {
    const rest = this.#buffer.subarray(this.#at);
    if (rest.length === 0) return;
    if (padded && rest.every((octet) => octet === SPACE || octet === CR))
      this.#tolerated("padding-after-command");
    else throw new WireError(7, `${this.#name} is ${rest.length} octets longer than its fields`);
  }

  #take(where: string, width: number): Buffer {
    if (this.#at + width > this.#buffer.length) {
      throw new WireError(
        7,
        `${where} ends after octet ${this.#buffer.length}, ${this.#at + width} are needed`,
      );
    }
    this.#at += width;
    return this.#buffer.subarray(this.#at - width, this.#at);
  }

  /** Leading spaces count as zeros, all spaces as 0: the field needs it. */
  #digits(where: string, text: string): bigint {
    const number = text.replace(/^ +/, "");
    if (!/^\d*$/.test(number)) throw new WireError(6, `${where} holds something else than digits`);
    return BigInt(number === "" ? 0 : number);
  }

  #flag(where: string, text: string): boolean {
    if (text === "Y" || text === "N") return text === "Y";
    if (text === "1" || text === "0") {
      this.#tolerated("numeric-flag");
      return text === "1";
    }
    if (text === " " && where === "SSIDAUTH") return false;
    throw new WireError(6, `${where} is neither Y nor N`);
  }
}
