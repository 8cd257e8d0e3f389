import { type Message, message, TRANSFER } from "../message.ts";

const FILE = `${TRANSFER} fname? diagi? code? text?`;

/** CFTF: local files. `code` is the operating system's. */
export const fileMessages: readonly Message[] = [
  message(
    "CFTF01E",
    "idtu? part idf? idt? fname? diagi? code? text?",
    "File not created: {text}",
    "The file to be received could not be created.",
    "Check folder, permissions and free space.",
  ),
  message(
    "CFTF02E",
    FILE,
    "File not selected: {text}",
    "The file to be sent is not there any more or is no ordinary file.",
    "Put the file back and `cygnet start` the transfer, or delete the record.",
  ),
  message(
    "CFTF04E",
    FILE,
    "File not opened: {text}",
    "The file could not be opened.",
    "Check permissions, then `cygnet start` the transfer.",
  ),
  message(
    "CFTF05E",
    FILE,
    "File not closed: {text}",
    "The file could not be written to its end.",
    "Check the disk; the transfer is repeated from the last safe position.",
  ),
  message(
    "CFTF08E",
    FILE,
    "File not read: {text}",
    "Reading the file failed in the middle of a transfer.",
    "Check the disk, then `cygnet start` the transfer.",
  ),
  message(
    "CFTF09E",
    FILE,
    "File not written: {text}",
    "Writing the file failed in the middle of a transfer.",
    "Check the disk; the transfer goes on from the last safe position.",
  ),
  message(
    "CFTF22E",
    "idtu? part idf? idt? fname? diagi? diagp? text?",
    "File exists and may not be replaced: {text}",
    "The same file is here already.",
    "Nothing to do if the partner repeated itself; otherwise it must send under another name.",
  ),
  message(
    "CFTF23E",
    "idtu? part idf? idt? fname? diagi? code? text?",
    "No space for the file: {text}",
    "The disk is full or the file is larger than the space that is free.",
    "Make room; the transfer is tried again.",
  ),
  message(
    "CFTF25E",
    `${TRANSFER} fname? nfname? code? text?`,
    "File not put in its place: {text}",
    "A complete file could not be given its final name.",
    "Check the target folder; the gateway tries again and keeps the file meanwhile.",
  ),
  message(
    "CFTF30W",
    `${TRANSFER} diagc`,
    "Detail: {diagc}",
    "In plain words, what stands behind the error of the line before.",
    "See the line before.",
  ),
  message(
    "CFTF36W",
    `${TRANSFER} fname? text`,
    "Envelope not as announced: {text}",
    "The file was decrypted, decompressed and verified, but its envelope has something that it should not have: algorithms of another cipher suite than SFIDCIPH says, a signature that does not count beside one that does, octets behind its end.",
    "Nothing to do; the partner may like to know.",
  ),
  message(
    "CFTF37I",
    `${TRANSFER} fname? text`,
    "Envelope made: {text}",
    "Something that is worth knowing about the envelope of a file that is sent.",
    "Where files cannot be compressed, compress = false saves the trial.",
  ),
];
