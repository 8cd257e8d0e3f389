/** Distinguished names as text (RFC 4514), and whether two texts mean the same name, however a product writes it. */
import type { Name } from "@peculiar/asn1-x509";

/** Object identifier by short name; the first name of each is the one that is written. */
const TYPES: readonly (readonly [string, string])[] = [
  ["CN", "2.5.4.3"],
  ["SN", "2.5.4.4"],
  ["SERIALNUMBER", "2.5.4.5"],
  ["C", "2.5.4.6"],
  ["L", "2.5.4.7"],
  ["ST", "2.5.4.8"],
  ["S", "2.5.4.8"],
  ["STREET", "2.5.4.9"],
  ["O", "2.5.4.10"],
  ["OU", "2.5.4.11"],
  ["T", "2.5.4.12"],
  ["TITLE", "2.5.4.12"],
  ["G", "2.5.4.42"],
  ["GN", "2.5.4.42"],
  ["UID", "0.9.2342.19200300.100.1.1"],
  ["DC", "0.9.2342.19200300.100.1.25"],
  ["E", "1.2.840.113549.1.9.1"],
  ["EMAIL", "1.2.840.113549.1.9.1"],
  ["EMAILADDRESS", "1.2.840.113549.1.9.1"],
];

/** The name with its most specific part first. */
export function nameText(name: Name): string {
  return [...name]
    .reverse()
    .map((part) =>
      part
        .map(({ type, value }) => {
          const short = TYPES.find(([, oid]) => oid === type)?.[0] ?? type;
          return `${short}=${escaped(value.toString())}`;
        })
        .join("+"),
    )
    .join(",");
}

/** Values of one attribute type of a name, by object identifier. */
export function attributesOf(name: Name, oid: string): string[] {
  return name.flatMap((part) =>
    part.filter(({ type }) => type === oid).map(({ value }) => value.toString().trim()),
  );
}

function escaped(value: string): string {
  return value
    .replace(/[\\",+<>;=]/g, "\\$&")
    .replace(/^[ #]/, "\\$&")
    .replace(/ $/, "\\ ");
}

/** The order of the parts, letter case and spaces do not count, nor how an attribute type is written. */
export function sameName(a: string, b: string): boolean {
  const [one, other] = [parts(a), parts(b)];
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

function parts(text: string): string[] {
  const pieces: string[] = [""];
  for (const [character] of text.matchAll(/\\.|./gs)) {
    if (character === "," || character === "+" || character === ";") pieces.push("");
    else pieces[pieces.length - 1] += character.replace(/^\\(?=.)/, "");
  }
  return pieces
    .map((piece) => {
      const [, type = "", value = ""] = /^\s*(?:oid\.)?([^=]*?)\s*=(.*)$/is.exec(piece) ?? [];
      const oid = TYPES.find(([short]) => short === type.toUpperCase())?.[1] ?? type.toLowerCase();
      return `${oid}=${value.replace(/\s/g, "").toLowerCase()}`;
    })
    .filter((piece) => piece !== "=")
    .sort();
}
