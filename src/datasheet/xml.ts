/**
 * XML from outside, as a tree. What a document may be is bounded before and after the parser: no document type
 * definition and so no entity of its own, a size, a depth and a number of elements.
 */
import { DOMParser, type Element } from "@xmldom/xmldom";
import { CygnetError, describe } from "../platform/errors.ts";

/** A datasheet with a dozen certificates has 50 KiB. */
const LARGEST = 1024 * 1024;
const DEEPEST = 24;
const MOST_ELEMENTS = 20_000;
const ELEMENT = 1;

/**
 * The root element of a document.
 * @throws CygnetError CYG_XML for what is not well-formed, too big, too deep, or has a document type definition
 */
export function parseXml(content: Buffer): Element {
  if (content.length > LARGEST) throw refused(`it has ${content.length} octets, more than ${LARGEST}`);
  const text = decode(content);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw refused("it has a document type definition; remove it, nothing here needs one");
  }
  bound(text);
  let root: Element | null | undefined;
  try {
    const parser = new DOMParser({
      locator: false,
      onError: (level, message) => {
        if (level !== "warning") throw new Error(String(message));
      },
    });
    root = parser.parseFromString(text, "text/xml").documentElement;
  } catch (cause) {
    const [reason] = describe(cause).split("\n");
    throw new CygnetError("CYG_XML", `the XML document cannot be read: ${reason}`, { cause });
  }
  if (!root) throw refused("it has no root element");
  return root;
}

function refused(why: string): CygnetError {
  return new CygnetError("CYG_XML", `the XML document cannot be read: ${why}`);
}

/** UTF-8 or, where the document says so, ISO 8859-1. */
function decode(content: Buffer): string {
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]+)["']/.exec(
    content.toString("latin1", 0, 300),
  )?.[1];
  if (/^(?:iso-8859-1|latin1|us-ascii)$/i.test(declared ?? "")) return content.toString("latin1");
  if (declared !== undefined && !/^utf-?8$/i.test(declared)) {
    throw refused(`its encoding is ${declared}; allowed are UTF-8 and ISO-8859-1`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw refused("it is not valid UTF-8");
  }
}

/** What is no element: how it begins and ends. */
const ASIDES = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
] as const;

/** Depth and number of elements, counted in one pass without building anything. */
function bound(text: string): void {
  let depth = 0;
  let count = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const aside = ASIDES.find(([begin]) => text.startsWith(begin, at));
    if (aside) {
      at = after(text, aside[1], at + aside[0].length);
      continue;
    }
    const closing = text[at + 1] === "/";
    at = endOfTag(text, at + 1);
    if (closing) depth -= 1;
    else {
      count += 1;
      if (text[at - 2] !== "/") depth += 1;
    }
    if (depth > DEEPEST) throw refused(`its elements stand more than ${DEEPEST} deep`);
    if (count > MOST_ELEMENTS) throw refused(`it has more than ${MOST_ELEMENTS} elements`);
  }
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  if (at < 0) throw refused(`"${end}" is missing`);
  return at + end.length;
}

/** Behind the ">" of a tag; one inside an attribute's quotes does not count. */
function endOfTag(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === ">") return at + 1;
    if (character === '"' || character === "'") at = after(text, character, at + 1) - 1;
  }
  throw refused('">" is missing');
}

/** The child elements of this name (without prefix), in their parent's namespace. */
export function children(parent: Element | undefined, name: string): Element[] {
  if (parent === undefined) return [];
  const found: Element[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) {
    if (node.nodeType !== ELEMENT) continue;
    const element = node as Element;
    if (element.localName === name && element.namespaceURI === parent.namespaceURI) found.push(element);
  }
  return found;
}

/** The first child element of this name. */
export function child(parent: Element | undefined, name: string): Element | undefined {
  return children(parent, name)[0];
}

/** The trimmed text of the first child of this name; undefined where there is none. */
export function text(parent: Element | undefined, name: string): string | undefined {
  return child(parent, name)?.textContent?.trim();
}

/** The trimmed texts of all children of this name. */
export function texts(parent: Element | undefined, name: string): string[] {
  return children(parent, name).map((each) => (each.textContent ?? "").trim());
}

/** Text for an XML document: what XML cannot hold is left out. */
export function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
