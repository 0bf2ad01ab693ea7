// What counts as the address at which a browser ended. Changes when people paste otherwise.
import { expect, test } from "vitest";
import { readPastedRedirect } from "./paste.ts";

const redirectUri = "http://127.0.0.1:8765/callback";
const address = `${redirectUri}?code=secret-code&state=s1`;

function problemOf(text: string): string {
  const result = readPastedRedirect(text, redirectUri);
  return "problem" in result ? result.problem : "";
}

test.for([
  address,
  `  ${address}\r\n`,
  `"${address}"`,
  `'${address}'`,
  `<${address}>`,
  `\`${address}\``,
  ` <"${address}"> `,
  `${address}#`,
  `HTTP://127.0.0.1:8765/callback?code=secret-code&state=s1`,
])("reads %j", (text) => {
  const result = readPastedRedirect(text, redirectUri);
  expect("parameters" in result && [...result.parameters]).toEqual([
    ["code", "secret-code"],
    ["state", "s1"],
  ]);
});

test("keeps repeated parameters, for the caller to refuse [A07]", () => {
  const result = readPastedRedirect(`${address}&state=s2`, redirectUri);
  expect("parameters" in result && result.parameters.getAll("state")).toEqual(["s1", "s2"]);
});

test.for([
  ["", "Nothing was pasted."],
  ["''", "Nothing was pasted."],
  ["code=secret-code&state=s1", "not one whole address"],
  [`${address} ${address}`, "not one whole address"],
  [`${address}\n${address}`, "not one whole address"],
  [address.replace("8765", "8766"), "another address"],
  [address.replace("http:", "https:"), "another address"],
  [address.replace("127.0.0.1", "localhost"), "another address"],
  [address.replace("/callback", "/callback/"), "another address"],
  [address.replace("//", "//evil@"), "another address"],
  ["javascript:alert(1)?code=secret-code", "another address"],
  [
    `https://id.example.com/authorize?response_type=code&redirect_uri=${encodeURIComponent(redirectUri)}`,
    "the address to open",
  ],
  [redirectUri, "nothing after the path"],
  [`${redirectUri}?`, "nothing after the path"],
  [`${address}${"x".repeat(10_000)}`, "too long"],
  ["'".repeat(1_000_000), "too long"],
] as const)("says what is wrong with %#", ([text, words]) => {
  const problem = problemOf(text);
  expect(problem).toContain(words);
  expect(problem).toContain(redirectUri);
  // Nothing that was pasted is repeated: it may hold the code.
  expect(problem).not.toContain("secret-code");
});

test("a redirect URI of a scheme without an origin is compared as well", () => {
  const own = "com.example.app:/callback";
  expect("parameters" in readPastedRedirect(`${own}?code=c`, own)).toBe(true);
  expect("problem" in readPastedRedirect("com.example.other:/callback?code=c", own)).toBe(true);
});
