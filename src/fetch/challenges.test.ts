// `WWW-Authenticate` as servers write it, and as a hostile one may.

import { expect, test } from "vitest";
import { parseChallenges, tokenChallenge, wordsOf } from "./challenges.ts";

type Row = readonly [header: string, challenges: Readonly<Record<string, string>>[]];

function plain(header: string | null) {
  return parseChallenges(header).map(({ scheme, parameters }) => ({
    scheme,
    ...Object.fromEntries(parameters),
  }));
}

test.each<Row>([
  ["Bearer", [{ scheme: "bearer" }]],
  [
    'Bearer realm="x", error="invalid_token"',
    [{ scheme: "bearer", realm: "x", error: "invalid_token" }],
  ],
  [
    'bearer Error=invalid_token , SCOPE = "a b"',
    [{ scheme: "bearer", error: "invalid_token", scope: "a b" }],
  ],
  [
    'Basic realm="a, b=\\"c\\"", Bearer scope="x"',
    [
      { scheme: "basic", realm: 'a, b="c"' },
      { scheme: "bearer", scope: "x" },
    ],
  ],
  ["Negotiate, Bearer realm=x", [{ scheme: "negotiate" }, { scheme: "bearer", realm: "x" }]],
  [
    'Negotiate YWJj==, DPoP algs="ES256", error=x',
    [{ scheme: "negotiate" }, { scheme: "dpop", algs: "ES256", error: "x" }],
  ],
  [", ,Bearer ,, error=a,", [{ scheme: "bearer", error: "a" }]],
  ["Bearer abc=, Basic", [{ scheme: "bearer" }, { scheme: "basic" }]],
  ['Bearer realm=""', [{ scheme: "bearer", realm: "" }]],
  // A fault ends the reading; what is sound before it stays, and its own challenge does not.
  ['Basic realm="x", Bearer error="open', [{ scheme: "basic", realm: "x" }]],
  ['Bearer error="a" error="b"', []],
  ["Bearer error=a, error=b, Basic realm=x", [{ scheme: "basic", realm: "x" }]],
  ['Bearer error=a"b"', []],
  ["Bearer error=", [{ scheme: "bearer" }]],
  ["=x", []],
  ['"x"', []],
  ["Bearer\nerror=a", []],
  ["", []],
])("reads %j [D22]", (header, challenges) => {
  expect(plain(header)).toEqual(challenges);
});

test("what is too long, too many or hostile is read in no time, and not at all [D22]", () => {
  expect(plain(null)).toEqual([]);
  expect(plain(`Bearer realm="${"x".repeat(20_000)}"`)).toEqual([]);
  expect(plain("Basic, ".repeat(1000))).toHaveLength(20);
  const many = Array.from({ length: 100 }, (_, index) => `p${String(index)}=1`).join(", ");
  expect(plain(`Bearer ${many}`)).toEqual([]);
  for (const hostile of ['"\\', "a=", ",", "a ", "=", '"']) {
    expect(Array.isArray(plain(`Bearer ${hostile.repeat(16_000 / hostile.length)}`))).toBe(true);
  }
});

test("of several challenges the one that tells an error counts, and none of another scheme", () => {
  const header =
    'Basic error="x", Bearer scope="a", DPoP error="invalid_token", resource_metadata="u"';
  expect(Object.fromEntries(tokenChallenge(header))).toEqual({
    error: "invalid_token",
    resource_metadata: "u",
  });
  const silent = 'Bearer scope="a", DPoP scope="b", resource_metadata="u"';
  expect(Object.fromEntries(tokenChallenge(silent))).toEqual({
    scope: "a",
    resource_metadata: "u",
  });
  expect(tokenChallenge("Basic realm=x").size).toBe(0);
});

test.each([
  ["a b  a", ["a", "b"]],
  [" ", undefined],
  [undefined, undefined],
  ['a "b"', undefined],
  ["a\tb", undefined],
  ["ä", undefined],
  [Array.from({ length: 51 }, (_, index) => `s${String(index)}`).join(" "), undefined],
  ["x".repeat(3000), undefined],
])("scopes that cannot be requested are not: %j [D17]", (value, words) => {
  expect(wordsOf(value)).toEqual(words);
});
