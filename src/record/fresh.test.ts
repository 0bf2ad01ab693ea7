// Changes when the contract's rule of freshness does.
import { expect, test } from "vitest";

import { isFresh } from "./fresh.ts";

const start = 1_700_000_000;

function token(lifetime: number): { issuedAt: number; expiresAt: number } {
  return { issuedAt: start, expiresAt: start + lifetime };
}

test("a token is fresh while it is good for as long as asked", () => {
  expect(isFresh(token(3600), 60, start)).toBe(true);
  expect(isFresh(token(3600), 60, start + 3540)).toBe(true);
  expect(isFresh(token(3600), 60, start + 3541)).toBe(false);
  expect(isFresh(token(3600), 3599, start + 1)).toBe(true);
});

test("a token that has ended is never fresh, however little is asked", () => {
  expect(isFresh(token(3600), 0, start + 3599)).toBe(true);
  expect(isFresh(token(3600), 0, start + 3600)).toBe(false);
});

test.each([60, 30, 1])(
  "a token that lives for %i seconds is fresh for half of that [R16]",
  (lifetime) => {
    expect(isFresh(token(lifetime), 60, start)).toBe(true);
    expect(isFresh(token(lifetime), 60, start + lifetime / 2 - 0.1)).toBe(true);
    expect(isFresh(token(lifetime), 60, start + lifetime / 2)).toBe(false);
  },
);

test("a token that lives a little longer than asked is judged by what is left [R16]", () => {
  expect(isFresh(token(61), 60, start + 1)).toBe(true);
  expect(isFresh(token(61), 60, start + 2)).toBe(false);
});

test.each([0, -10])("a token with a lifetime of %i is not fresh", (lifetime) => {
  expect(isFresh(token(lifetime), 60, start)).toBe(false);
  expect(isFresh(token(lifetime), 0, start)).toBe(false);
});

test("a token without a known end is fresh until it is reported", () => {
  expect(isFresh({ issuedAt: start, expiresAt: null }, 60, start + 1e9)).toBe(true);
  expect(isFresh({ issuedAt: start, expiresAt: null }, 60, start - 1e6)).toBe(true);
});

test("a token from the future is not fresh: the clock was moved back [C16]", () => {
  expect(isFresh(token(3600), 60, start - 60)).toBe(true);
  expect(isFresh(token(3600), 60, start - 61)).toBe(false);
});
