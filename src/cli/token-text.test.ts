// Every form in which a token is printed, with characters that mean something to its reader.

import { expect, test } from "vitest";
import { tokenText } from "./token-text.ts";

function printed(token: string, flags: Record<string, boolean | string>): string {
  return tokenText(
    { token, tokenType: "Bearer", expiresAt: undefined, scopes: [], source: "cache" },
    flags,
  );
}

test.each([
  [{}, "abc-._~+/=\n"],
  [{ header: true }, "Authorization: Bearer abc-._~+/=\n"],
  [{ format: "header" }, "Authorization: Bearer abc-._~+/=\n"],
  [{ format: "bearer" }, "Bearer abc-._~+/=\n"],
  [{ format: "curl" }, 'header = "Authorization: Bearer abc-._~+/="\n'],
  [{ format: "env" }, "export LATCHKEY_ACCESS_TOKEN='abc-._~+/='\n"],
])("%j", (flags, expected) => {
  expect(printed("abc-._~+/=", flags)).toBe(expected);
});

test("nothing in a token ends the quotes around it", () => {
  const hostile = `a"b\\c'd$(id)\`id\``;
  expect(printed(hostile, { format: "curl" })).toBe(
    `header = "Authorization: Bearer a\\"b\\\\c'd$(id)\`id\`"\n`,
  );
  expect(printed(hostile, { format: "env" })).toBe(
    `export LATCHKEY_ACCESS_TOKEN='a"b\\c'\\''d$(id)\`id\`'\n`,
  );
});
