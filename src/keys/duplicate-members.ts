// Whether a JSON text names a member twice: what two readers could understand differently.

import { deepestTokenJson } from "../core/limits.ts";

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

const quote = 0x22;
const space = 0x20;

/**
 * How many names a JSON text has, by its colons: what follows a quotation mark follows a name, or is inside of a string.
 * So it may count too many, and never too few. Undefined where there is space before a colon: it takes a closer look.
 */
function countNames(text: string): number | undefined {
  let names = 0;
  for (let colon = text.indexOf(":"); colon !== -1; colon = text.indexOf(":", colon + 1)) {
    const before = text.charCodeAt(colon - 1);
    if (before === quote) names += 1;
    else if (before <= space) return undefined;
  }
  return names;
}

/** Members of all objects in a value. @throws {RangeError} for what nobody writes into a token by nesting. */
function countMembers(value: object, depth: number): number {
  if (depth > deepestTokenJson) throw new RangeError("It is nested too deeply.");
  const isList = Array.isArray(value);
  const entries: readonly unknown[] = isList ? value : Object.values(value);
  let members = isList ? 0 : entries.length;
  for (const entry of entries) {
    if (typeof entry === "object" && entry !== null) members += countMembers(entry, depth + 1);
  }
  return members;
}

/**
 * True where an object in a JSON text has two members of one name, at any depth. `value` is what it was read as.
 * @throws {RangeError} for what is nested too deeply.
 * @see RFC 7515 section 4 and RFC 7519 section 4: names "MUST be unique"
 */
export function hasDuplicateMembers(text: string, value: object): boolean {
  // Of two members of one name only one is left in the value. To count takes a tenth of the time of reading it again.
  return countNames(text) !== countMembers(value, 0) && namesTwice(text);
}
