// JSON from outside without the one member name that means something to JavaScript. Changes when there is another one.

/**
 * What a JSON text means, without members called `__proto__` at any depth: whoever copies or merges the value later must
 * not reach a prototype by it (P05).
 * @throws {SyntaxError} for what is no JSON, {RangeError} for JSON that is nested without end.
 */
export function parsePlainJson(text: string): unknown {
  return JSON.parse(text, (name: string, value: unknown) =>
    name === "__proto__" ? undefined : value,
  );
}
