/** The padding of content ciphers (PKCS#7; RFC 5652 section 6.3). */

/**
 * How many octets at the end of the content are padding; undefined when they are not. The whole last block is looked
 * at whatever it holds, so that the time taken says nothing about it.
 * @param content decrypted, at least one block
 */
export function paddingOf(content: Buffer, block: number): number | undefined {
  const count = content[content.length - 1] as number;
  let wrong = Number(count === 0) | Number(count > block);
  for (let back = 1; back <= block; back++) {
    wrong |= Number(back <= count) & Number(content[content.length - back] !== count);
  }
  return wrong === 0 ? count : undefined;
}
