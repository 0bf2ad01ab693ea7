// How events look, and when they are printed.

import { expect, test } from "vitest";
import { eventLine, wantsEvents } from "./verbose.ts";

test("an event is one line, whatever its values hold [F-U5]", () => {
  const at = new Date(2026, 10, 30, 8, 4, 5, 6);
  expect(
    eventLine(
      "http.response",
      { host: "id.example.com:8443", step: "token request", status: 200 },
      at,
    ),
  ).toBe('08:04:05.006 http.response host=id.example.com:8443 step="token request" status=200');
  const line = eventLine(
    "listener.ignored",
    { why: "a\nb\u001b[2J", path: "", gone: undefined },
    at,
  );
  expect(line).toMatch(/^[\u0020-\u007e]+$/u);
  expect(line).toContain('path=""');
  expect(line).not.toContain("gone");
});

test("--verbose or LATCHKEY_LOG=debug, and nothing else [F-U5]", () => {
  expect(wantsEvents(true, {})).toBe(true);
  expect(wantsEvents(undefined, { LATCHKEY_LOG: "debug" })).toBe(true);
  expect(wantsEvents(undefined, { LATCHKEY_LOG: "" })).toBe(false);
  expect(wantsEvents(undefined, {})).toBe(false);
  expect(() => wantsEvents(true, { LATCHKEY_LOG: "trace" })).toThrow(/LATCHKEY_LOG .* debug/u);
});
