// JSON from outside without the one member name that means something to JavaScript.

/** The name as it is, or a character that is written by its number: only these can give it. */
function mayHaveIt(text: string): boolean {
  // Faster than one pattern for both, and one character is found faster than two.
  if (text.includes("__proto__")) return true;
  return text.indexOf("\\") !== -1 && text.includes("\\u");
}

/**
 * What a JSON text means, without members called `__proto__` at any depth: whoever copies or merges the value later must
 * not reach a prototype by it (P05).
 * @throws {SyntaxError} for what is no JSON, {RangeError} for JSON that is nested without end.
 */
export function parsePlainJson(text: string): unknown {
  // To look at each member takes longer than to check a signature.
  if (!mayHaveIt(text)) return JSON.parse(text);
  return JSON.parse(text, (name: string, value: unknown) =>
    name === "__proto__" ? undefined : value,
  );
}
