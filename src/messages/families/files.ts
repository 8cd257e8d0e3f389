import { type Message, message, NOTHING, TRANSFER } from "../message.ts";

const FILE = `${TRANSFER} code? diagi? fname? text?`;
const INCOMING = "idtu? part idf? idt? fname? code? diagi? text?";
const PLACED = `${TRANSFER} fname? nfname? time? text?`;

/** CFTF: local files. `code` is the operating system's. */
export const fileMessages: readonly Message[] = [
  message(
    "CFTF01E",
    INCOMING,
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
    "CFTF02W",
    FILE,
    "File not there, ignored: {text}",
    "The file that was to be sent is not there, and its flow does not mind (filenotfound); the request has ended.",
    NOTHING,
  ),
  message(
    "CFTF04E",
    FILE,
    "File not opened: {text}",
    "The file could not be opened.",
    "Check permissions, then `cygnet start` the transfer.",
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
    "idtu? part idf? idt? diagp? fname? diagi? text?",
    "File exists and may not be replaced: {text}",
    "The same file is here already.",
    "Nothing to do if the partner repeated itself; otherwise it must send under another name.",
  ),
  message(
    "CFTF23E",
    INCOMING,
    "No space for the file: {text}",
    "The disk is full or the file is larger than the space that is free.",
    "Make room; the transfer is tried again.",
  ),
  message(
    "CFTF25E",
    `${TRANSFER} code? fname? nfname? text?`,
    "File not put in its place: {text}",
    "A complete file could not be given its final name.",
    "Check the target folder; the gateway tries again and keeps the file meanwhile.",
  ),
  message(
    "CFTF32E",
    PLACED,
    "File not put in its place, given up: {text}",
    "All attempts to give a complete file its final name are used; it lies in the folder for failed files (DIAGI 142).",
    "Remove the cause and take the file from there; the partner was told that it was not delivered.",
  ),
  message(
    "CFTF33I",
    PLACED,
    "File put in its place after all",
    "An earlier attempt to give the file its final name had failed; this one has not.",
    NOTHING,
  ),
  message(
    "CFTF34E",
    PLACED,
    "File to be put in its place is gone: {text}",
    "The complete file is not in the work folder any more.",
    "Find out who removed it; ask the partner to send it again.",
  ),
  message(
    "CFTF35W",
    PLACED,
    "File not put in its place yet",
    "The file could not be given its final name; the next attempt is at the time given.",
    "Remove the cause that the line before names; the rest happens by itself.",
  ),
  message(
    "CFTF46E",
    "idtu? part? idf? idt? fname? diagi? text?",
    "File outside its working directory: {text}",
    "The file to be sent, or the name under which a file would be delivered, lies outside workingdir of its flow (145, 148).",
    "Correct workingdir or fname of the flow, or give a file below workingdir.",
  ),
  message(
    "CFTF27E",
    "idtu? part idf? idt? fname? diagi? text?",
    "File attributes refused: {text}",
    "Format or record length of the file are not those that the flow demands (139).",
    "Compare frecfm and flrecl of the CFTRECV with what the partner sends.",
  ),
  message(
    "CFTF51W",
    "source archive reason idtu? part? idf?",
    "File not archived: {reason}",
    "A file that has been sent could not be put into the archive; it stays where it is.",
    "Check the folder of the archive.",
  ),
  message(
    "CFTF70W",
    `${TRANSFER} fname? text`,
    "Envelope not as announced: {text}",
    "The file was decrypted, decompressed and verified, but its envelope has something that it should not have: algorithms of another cipher suite than SFIDCIPH says, a signature that does not count beside one that does, octets behind its end.",
    "Nothing to do; the partner may like to know.",
  ),
  message(
    "CFTF71I",
    `${TRANSFER} fname? text`,
    "Envelope made: {text}",
    "Something that is worth knowing about the envelope of a file that is sent.",
    "Where files cannot be compressed, compress = false saves the trial.",
  ),
];
