/** The beginnings that the structures of CMS have in common (RFC 5652 sections 3 and 5.2). */
import "reflect-metadata";
import { AsnParser } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { CygnetError } from "../platform/errors.ts";
import { malformed } from "./ber.ts";
import { CONTENT_TYPES, type ContentType, contentTypeName, readObjectIdentifier } from "./content-types.ts";
import {
  type BerReader,
  CONTEXT_0,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  type Reading,
  SEQUENCE,
  type Value,
} from "./reader.ts";
import { octets } from "./transport.ts";

/** Limits in octets; object identifiers and versions have a few. */
const SHORT = 64;
const ALGORITHM = 1_024;
const LIMITS = { berOptions: { maxDepth: 16, maxNodes: 100, maxContentLength: ALGORITHM } };

/** A content that was begun: its body, and all that has to be left at its end, from the inside out. */
export interface Opened {
  body: Value;
  enclosing: readonly Value[];
}

/**
 * The begin of a ContentInfo, up to and with the version of its content. Some products let the content type of the
 * layer around it say what it is, and then leave the ContentInfo out: `bare` allows that.
 * @throws CygnetError CYG_CMS_STRUCTURE for content of another type, CYG_CMS_FORMAT
 */
export function* openContentInfo(
  reader: BerReader,
  wanted: ContentType,
  bare: () => boolean,
): Reading<Opened> {
  const outer = yield* reader.first(SEQUENCE);
  const beginning = yield* reader.next(outer);
  if (bare() && beginning?.tag === INTEGER) {
    yield* reader.content(beginning, SHORT);
    return { body: outer, enclosing: [outer] };
  }
  if (beginning?.tag !== OBJECT_IDENTIFIER) throw malformed("is not that of CMS");
  const found = readObjectIdentifier(yield* reader.content(beginning, SHORT));
  if (found !== CONTENT_TYPES[wanted]) {
    throw new CygnetError(
      "CYG_CMS_STRUCTURE",
      `${wanted} was announced and ${contentTypeName(found)} is what came`,
    );
  }
  const explicit = yield* reader.expect(outer, CONTEXT_0);
  const body = yield* reader.expect(explicit, SEQUENCE);
  yield* reader.content(yield* reader.expect(body, INTEGER), SHORT);
  return { body, enclosing: [body, explicit, outer] };
}

/** The object identifier that comes next. */
export function* objectIdentifierIn(reader: BerReader, parent: Value): Reading<string> {
  return readObjectIdentifier(yield* reader.content(yield* reader.expect(parent, OBJECT_IDENTIFIER), SHORT));
}

/** The AlgorithmIdentifier that comes next; undefined at the end of the parent. */
export function* algorithmIn(reader: BerReader, parent: Value): Reading<AlgorithmIdentifier | undefined> {
  const whole = yield* reader.whole(parent, ALGORITHM);
  if (whole === undefined) return undefined;
  try {
    return AsnParser.parse(octets(whole), AlgorithmIdentifier, LIMITS);
  } catch (cause) {
    throw malformed("names an algorithm that cannot be read", cause);
  }
}

/**
 * EncapsulatedContentInfo: its content goes to `emit`, its type is returned.
 * @param begun called with the type before the content
 */
export function* encapsulated(
  reader: BerReader,
  parent: Value,
  begun: (contentType: string) => void,
  emit: (octets: Buffer) => void,
): Reading<void> {
  const info = yield* reader.expect(parent, SEQUENCE);
  begun(yield* objectIdentifierIn(reader, info));
  const explicit = yield* reader.next(info);
  if (!explicit) {
    throw new CygnetError("CYG_CMS_STRUCTURE", "the content is not in the envelope but detached from it");
  }
  if (explicit.tag !== CONTEXT_0) throw malformed("is not that of its kind of content");
  const string = yield* reader.next(explicit);
  if (!string || (string.tag & ~0x20) !== OCTET_STRING) throw malformed("has no octet string for content");
  yield* reader.octets(string, emit);
  yield* reader.leave(explicit, info);
}
