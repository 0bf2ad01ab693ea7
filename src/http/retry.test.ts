import { expect, test } from "vitest";
import { parseRetryAfter, retryPauseMilliseconds } from "./retry.ts";

const now = Date.UTC(2026, 10, 23, 12, 0, 0);

test.each([
  ["0", 0],
  ["7", 7],
  [" 120 ", 120],
  ["1000000000", 1_000_000_000],
  ["Mon, 23 Nov 2026 12:00:30 GMT", 30],
  ["Mon, 23 Nov 2026 11:59:00 GMT", 0],
  ["Monday, 23-Nov-26 12:00:30 GMT", 30],
])("understands Retry-After: %s [N07]", (value, seconds) => {
  expect(parseRetryAfter(value, now)).toBe(seconds);
});

test.each([
  undefined,
  "",
  "-1",
  "+1",
  "1.5",
  "1e9",
  "0x10",
  "soon",
  "9".repeat(400),
  "2026-11-23T12:00:30Z",
  "Mon, 99 Foo 2026 12:00:30 GMT",
  `Mon, ${"9".repeat(100_000)}`,
])("ignores Retry-After: %s [N07]", (value) => {
  expect(parseRetryAfter(value, now)).toBeUndefined();
});

test("pauses 100 to 500 milliseconds before a retry [N08]", () => {
  expect(retryPauseMilliseconds((length) => new Uint8Array(length))).toBe(100);
  expect(retryPauseMilliseconds((length) => new Uint8Array(length).fill(255))).toBe(499);
});
