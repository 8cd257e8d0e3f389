/**
 * Between a local file and its virtual representation, as a stream, before a file is sent and after it was received.
 *
 * | format | ftype | local file                                                                           |
 * |--------|-------|--------------------------------------------------------------------------------------|
 * | U      | any   | the same octets                                                                      |
 * | T      | any   | fcode binary: the same octets; ascii: local line ends, CR LF on the wire             |
 * | F      | any   | records back to back                                                                 |
 * | V      | T     | one record a line                                                                    |
 * | V      | V     | each record behind its length, two octets, big-endian                                |
 * | V      | B     | contents back to back: cut every lrecl octets on sending, boundaries lost on receipt |
 *
 * Reading lines, LF and CR LF both end one, in EBCDIC also NEL (15) beside LF (25); a CR elsewhere is data. A last
 * line without line end is a record (V), and gets its CR LF (T). An empty file has no records; an empty line is an
 * empty record.
 */
import { LONGEST_RECORD, PREFIX } from "./format.ts";
import { FromCrLf, LINE_ENDS, LineReader, ToCrLf } from "./lines.ts";
import type { LocalFile } from "./local-file.ts";
import { Plan, type Transform } from "./plan.ts";
import { CuttingReader, PrefixedReader } from "./prefixed.ts";
import type { Emit } from "./stage.ts";

export type { LocalFile, Translation } from "./local-file.ts";
export type { Summary, Transform } from "./plan.ts";

/** From a local file to what is sent. */
export function toVirtual(options: LocalFile): Transform {
  const plan = new Plan(options, "local", "network");
  const { format, ftype, fcode } = options;
  if (format === "U") return plan.run([...plan.whole(), plan.counting()]);
  if (format === "T") {
    const convert =
      fcode === "ascii" ? [...plan.toLines(true), new ToCrLf(), ...plan.fromLines()] : plan.whole();
    return plan.run([...convert, ...plan.checking(), plan.counting()]);
  }
  if (format === "F") return plan.run([...plan.whole(), plan.fixed(options.pad ?? null)]);
  const write = (record: Buffer, emit: Emit): void => {
    plan.count(record);
    emit(lengthOf(record, PREFIX));
    emit(record);
  };
  if (ftype === "T") {
    const read = plan.records(new LineReader(plan.longestLine), plan.fromLines(), write);
    return plan.run([...plan.toLines(true), read]);
  }
  if (ftype === "V") {
    return plan.run([plan.records(new PrefixedReader(2, LONGEST_RECORD), plan.whole(), write)]);
  }
  const cutting = new CuttingReader(plan.longest);
  return plan.run([...plan.whole(), plan.records(cutting, [], write)]);
}

/** From what was received to a local file. */
export function toLocal(options: LocalFile): Transform {
  const plan = new Plan(options, "network", "local");
  const { format, ftype, fcode, lineEnd = "LF" } = options;
  if (format === "U") return plan.run([plan.counting(), ...plan.whole()]);
  if (format === "T") {
    const convert =
      fcode === "ascii" ? [...plan.toLines(false), new FromCrLf(lineEnd), ...plan.fromLines()] : plan.whole();
    return plan.run([...plan.checking(), plan.counting(), ...convert]);
  }
  if (format === "F") return plan.run([plan.fixed(null), ...plan.whole()]);
  const reader = new PrefixedReader(PREFIX, plan.longest);
  if (ftype === "T") {
    const write = (record: Buffer, emit: Emit): void => {
      if (options.lineEndInRecord !== "keep") plan.refuseLineEnd(record);
      emit(record);
      emit(LINE_ENDS[lineEnd]);
    };
    return plan.run([plan.counted(reader, plan.toLines(false), write), ...plan.fromLines()]);
  }
  if (ftype === "V") {
    const write = (record: Buffer, emit: Emit): void => {
      if (record.length > 0xffff) throw plan.tooLong(record, 0xffff);
      emit(lengthOf(record, 2));
      emit(record);
    };
    return plan.run([plan.counted(reader, plan.whole(), write)]);
  }
  return plan.run([plan.counted(reader, [], (record, emit) => emit(record)), ...plan.whole()]);
}

function lengthOf(record: Buffer, width: 2 | 4): Buffer {
  const length = Buffer.allocUnsafe(width);
  length.writeUIntBE(record.length, 0, width);
  return length;
}
