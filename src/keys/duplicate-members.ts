// Whether a JSON text names a member twice: what two readers could understand differently.

/** Where the text after a string goes on: `start` is that of its opening quotation mark. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === "\\" ? 2 : 1;
  return index + 1;
}

function isSpace(character: string | undefined): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}

function namesTwice(text: string): boolean {
  const open: Set<string>[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === "{") open.push(new Set());
    // A list has a set, too, that stays empty.
    else if (character === "[") open.push(new Set());
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = endOfString(text, index);
      let next = end;
      while (isSpace(text[next])) next += 1;
      if (text[next] === ":") {
        // The same name has more than one spelling: "a" and "\u0061".
        const name = JSON.parse(text.slice(index, end)) as string;
        const names = open.at(-1);
        if (names?.has(name) === true) return true;
        names?.add(name);
      }
      index = end - 1;
    }
  }
  return false;
}

/**
 * True where an object in a JSON text has two members of one name, at any depth. `value` is what the text was read as.
 * @see RFC 7515 section 4 and RFC 7519 section 4: names "MUST be unique"
 */
export function hasDuplicateMembers(text: string, value: unknown): boolean {
  // Nearly every token is written as it would be here, and is read more quickly by what is built in.
  return JSON.stringify(value) !== text && namesTwice(text);
}
