/** The stages from which the transforms are built, and what they count together. */
import { CharsetConverter } from "./charset.ts";
import { type Counts, FormatError, LONGEST_RECORD } from "./format.ts";
import { LINE_ENDS, type RecordReader } from "./lines.ts";
import { checkOptions, inEbcdic, type LocalFile } from "./local-file.ts";
import { hasAsciiLineEnds, isSingleOctet, OctetConverter, octetOf, TableConverter } from "./octet-tables.ts";
import { chain, type Emit, Gathering, type Stage } from "./stage.ts";
import { TextCheck } from "./text.ts";

/** What the virtual representation holds; `longest` is its longest record, 0 for U and T. */
export interface Summary extends Counts {
  longest: number;
}

export interface Transform {
  /**
   * @returns what is ready; the buffers are the caller's own
   * @throws FormatError with record and octet of the first fault
   */
  push(chunk: Buffer): Buffer[];
  end(): Summary & { buffers: Buffer[] };
}

/** Writes one record; what it emits is used before it is called again. */
export type Write = (record: Buffer, emit: Emit) => void;

/** The stages that a transform may need, and what they count together. */
export class Plan {
  readonly #options: LocalFile;
  readonly #from: "local" | "network";
  readonly #to: "local" | "network";
  readonly #summary: Summary = { records: 0, octets: 0, longest: 0 };
  /** Number of the record under way, 0 outside records. */
  readonly #record = (): number => (this.#hasRecords ? this.#summary.records + 1 : 0);
  readonly #hasRecords: boolean;
  readonly #newLine: Buffer | number | null;

  constructor(options: LocalFile, from: "local" | "network", to: "local" | "network") {
    checkOptions(options, from === "local");
    this.#options = options;
    this.#from = from;
    this.#to = to;
    this.#hasRecords = options.format === "V";
    this.#newLine = this.#findNewLine();
  }

  /** Octets that a record may have. */
  get longest(): number {
    return this.#options.lrecl || LONGEST_RECORD;
  }

  /** Octets that a line may have before its charset is converted: the record's length is checked behind it. */
  get longestLine(): number {
    return this.#options.charset ? 4 * LONGEST_RECORD : this.longest;
  }

  /** Conversion where line ends do not matter. */
  whole(): Stage[] {
    const { charset } = this.#options;
    if (!charset) return [];
    if ("table" in charset) return [new TableConverter(charset.table)];
    return this.#convert(charset[this.#from], charset[this.#to], false);
  }

  /**
   * To the charset in which line ends are looked for.
   * @param newLines NEL ends lines, too
   */
  toLines(newLines: boolean): Stage[] {
    const { charset } = this.#options;
    if (!charset) return [];
    if ("local" in charset) return this.#convert(charset[this.#from], this.#lineCharset(charset), newLines);
    return this.#from === "local" ? [new TableConverter(charset.table)] : [];
  }

  /** And on from there. */
  fromLines(): Stage[] {
    const { charset } = this.#options;
    if (!charset) return [];
    if ("local" in charset) return this.#convert(this.#lineCharset(charset), charset[this.#to], false);
    return this.#to === "local" ? [new TableConverter(charset.table)] : [];
  }

  /**
   * Lines are cut where CR and LF are 0D and 0A: in the network's charset behind a table, and where both charsets
   * have single octets in one of the two; else in UTF-8, as for NEL at the end of lines, which ASCII lacks.
   */
  #lineCharset({ local, network }: { local: string; network: string }): string {
    if (this.#options.lineEnd !== "NEL" && isSingleOctet(local) && isSingleOctet(network)) {
      if (hasAsciiLineEnds(network)) return network;
      if (hasAsciiLineEnds(local)) return local;
    }
    return "utf-8";
  }

  #convert(from: string, to: string, newLines: boolean): Stage[] {
    if (from === to) return [];
    const single = isSingleOctet(from) && isSingleOctet(to);
    return [new (single ? OctetConverter : CharsetConverter)(from, to, this.#record, newLines)];
  }

  checking(): Stage[] {
    return this.#options.checkText === true ? [new TextCheck()] : [];
  }

  counting(): Stage {
    return {
      push: (chunk, emit) => {
        this.#summary.octets += chunk.length;
        emit(chunk);
      },
      end: () => {},
    };
  }

  /** F records, back to back on both sides: only their number and the last one's length are of interest. */
  fixed(pad: number | null): Stage {
    const { lrecl } = this.#options;
    const summary = this.#summary;
    return {
      push: (chunk, emit) => {
        summary.octets += chunk.length;
        summary.records = Math.floor(summary.octets / lrecl);
        emit(chunk);
      },
      end: (emit) => {
        const short = summary.octets % lrecl;
        if (short > 0) {
          if (pad === null) {
            const what = `the last record has ${short} octets, not ${lrecl}`;
            throw new FormatError("CYG_FORMAT_SHORT_RECORD", what, summary.records + 1, summary.octets);
          }
          emit(Buffer.alloc(lrecl - short, pad));
          summary.octets += lrecl - short;
          summary.records++;
        }
        summary.longest = summary.records > 0 ? lrecl : 0;
      },
    };
  }

  /** Reads records, converts each by itself, and writes it. */
  records(reader: RecordReader, stages: readonly Stage[], write: Write): Stage {
    const convert = chain(stages);
    const each = (emit: Emit) => (record: Buffer) => {
      if (stages.length === 0) return write(record, emit);
      const parts: Buffer[] = [];
      const gather = (octets: Buffer): void => void parts.push(octets);
      convert.push(record, gather);
      convert.end(gather);
      write(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), emit);
    };
    return {
      push: (chunk, emit) => reader.push(chunk, each(emit)),
      end: (emit) => reader.end(each(emit)),
    };
  }

  /** Like `records`, where what is read is the virtual representation. */
  counted(reader: RecordReader, stages: readonly Stage[], write: Write): Stage {
    const convert = this.records({ push: (record, each) => each(record), end: () => {} }, stages, write);
    const each = (emit: Emit) => (record: Buffer) => {
      convert.push(record, emit);
      this.count(record);
    };
    return {
      push: (chunk, emit) => reader.push(chunk, each(emit)),
      end: (emit) => reader.end(each(emit)),
    };
  }

  /** Counts a record of the virtual representation. */
  count(record: Buffer): void {
    if (record.length > this.longest) throw this.tooLong(record, this.longest);
    this.#summary.records++;
    this.#summary.octets += record.length;
    this.#summary.longest = Math.max(this.#summary.longest, record.length);
  }

  tooLong(record: Buffer, longest: number): FormatError {
    const what = `a record of ${record.length} octets is longer than ${longest}`;
    return new FormatError("CYG_FORMAT_RECORD_TOO_LONG", what, this.#record(), this.#summary.octets);
  }

  /** A line end inside a record would make two lines of it; a CR at its end would be lost in the line end. */
  refuseLineEnd(record: Buffer): void {
    const newLine = this.#newLine;
    const split = record.includes(0x0a) || (newLine !== null && record.includes(newLine));
    if (!split && (this.#options.lineEnd === "CRLF" || record[record.length - 1] !== 0x0d)) return;
    const what = 'a record holds a line end: it can be kept with ftype "V" only';
    throw new FormatError("CYG_FORMAT_LINE_END", what, this.#record(), this.#summary.octets);
  }

  /** NEL where lines are cut, if it ends one in the local file and there is such a character. */
  #findNewLine(): Buffer | number | null {
    const { charset } = this.#options;
    if (!charset || "table" in charset || !inEbcdic(this.#options)) return null;
    const lines = this.#lineCharset(charset);
    return lines === "utf-8" ? LINE_ENDS.NEL : octetOf(LINE_ENDS.NEL.toString(), lines);
  }

  run(stages: readonly Stage[]): Transform {
    const through = chain(stages);
    const gathering = new Gathering();
    const add = (octets: Buffer): void => gathering.add(octets);
    return {
      push: (chunk) => {
        through.push(chunk, add);
        return gathering.take();
      },
      end: () => {
        through.end(add);
        return { ...this.#summary, buffers: gathering.take() };
      },
    };
  }
}
