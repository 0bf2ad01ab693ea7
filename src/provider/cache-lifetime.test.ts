// Changes with how cache headers are read.
import { expect, test } from "vitest";
import { lifetimeSeconds } from "./cache-lifetime.ts";

const now = Date.UTC(2026, 10, 23, 12);
const fallback = 86_400;

test.each<[string, Record<string, string>, number]>([
  ["no header", {}, fallback],
  ["max-age", { "cache-control": "public, max-age=7200" }, 7200],
  ["max-age less Age", { "cache-control": "max-age=7200", age: "1000" }, 6200],
  ["a short max-age", { "cache-control": "max-age=1" }, 300],
  ["no-store", { "cache-control": "no-store" }, 300],
  ["max-age beside no-cache", { "cache-control": "no-cache, max-age=900" }, 900],
  ["Expires", { expires: new Date(now + 3_600_000).toUTCString() }, 3600],
  ["Expires in the past", { expires: new Date(now - 1000).toUTCString() }, 300],
  ["Expires: 0", { expires: "0" }, 300],
  ["max-age wins over Expires", { "cache-control": "max-age=600", expires: "0" }, 600],
  ["s-maxage is for proxies", { "cache-control": "s-maxage=900" }, fallback],
  ["an absurd max-age [F-S2]", { "cache-control": "max-age=999999999999" }, 86_400],
  ["ten years [F-S2]", { "cache-control": "max-age=315360000" }, 86_400],
  [
    "an Expires in ten years [F-S2]",
    { expires: new Date(now + 315_360_000_000).toUTCString() },
    86_400,
  ],
])("%s", (_name, headers, expected) => {
  expect(lifetimeSeconds(headers, fallback, now)).toBe(expected);
});
