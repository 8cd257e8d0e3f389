/**
 * Matches a name against a wildmat pattern (Transfer CFT's default filter type): `*` any text, `?` any one
 * character, `[a-z]` and `[^a-z]` sets, `\` takes the next character as it is; all else stands for itself,
 * capitals and small letters apart. Time grows with the product of both lengths at most, whatever the pattern.
 */
export function wildmat(pattern: string, name: string): boolean {
  const tokens = tokenize(pattern);
  const text = [...name];
  let token = 0;
  let at = 0;
  /** Where to go back to when a match fails after a star: the star, and the text that it has not swallowed yet. */
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const current = tokens[token];
    if (current === "*") {
      star = token;
      resume = at;
      token += 1;
    } else if (current?.(text[at] as string)) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      resume += 1;
      at = resume;
      token = star + 1;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

type Token = "*" | ((character: string) => boolean);

function tokenize(pattern: string): Token[] {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] as string;
    if (character === "*") {
      tokens.push("*");
    } else if (character === "?") {
      tokens.push(() => true);
    } else if (character === "[") {
      // A "]" directly behind the opening belongs to the set.
      const negated = characters[at + 1] === "^";
      const first = at + (negated ? 2 : 1);
      const end = characters.indexOf("]", first + 1);
      if (end < 0) {
        tokens.push(literal(character));
      } else {
        const set = characters.slice(first, end);
        tokens.push((candidate) => inSet(set, candidate) !== negated);
        at = end;
      }
    } else if (character === "\\" && at + 1 < characters.length) {
      at += 1;
      tokens.push(literal(characters[at] as string));
    } else {
      tokens.push(literal(character));
    }
  }
  return tokens;
}

function literal(expected: string): Token {
  return (character) => character === expected;
}

function inSet(set: readonly string[], character: string): boolean {
  for (let at = 0; at < set.length; at += 1) {
    const low = set[at] as string;
    const high = set[at + 2];
    if (set[at + 1] === "-" && high !== undefined) {
      if (low <= character && character <= high) return true;
      at += 2;
    } else if (low === character) {
      return true;
    }
  }
  return false;
}
