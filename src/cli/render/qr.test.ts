// A QR code only where it fits and can be shown.

import { expect, test } from "vitest";
import { qrRenderer } from "./qr.ts";

const address = "https://id.example.com/device?user_code=WDJB-MJHT";
const utf8 = { LANG: "en_US.UTF-8" };
const renderQr = qrRenderer(utf8, "linux");

test("draws the code where the terminal has the room, with its own colours [F-U9]", () => {
  const lines = renderQr?.(address, 80, 17)?.split("\n") ?? [];
  expect(lines).toHaveLength(17);
  for (const line of lines) {
    expect(line).toMatch(/^\u001b\[38;5;16;48;5;231m[ █▀▄]{33}\u001b\[0m$/u);
  }
});

test("a smaller border where the room is short by a row", () => {
  expect(renderQr?.(address, 80, 16)?.split("\n")).toHaveLength(16);
});

test.each([
  ["too narrow", 20, 50],
  ["too low", 80, 15],
])("draws nothing on a terminal that is %s", (_what, columns, rows) => {
  expect(renderQr?.(address, columns, rows)).toBeUndefined();
});

test("where the height is not known, the width decides", () => {
  expect(renderQr?.(address, 80, undefined)).toBeDefined();
});

test.each([
  ["LANG=C", { LANG: "C" }],
  ["no locale", {}],
  ["LC_ALL=POSIX over a UTF-8 LANG", { ...utf8, LC_ALL: "POSIX" }],
  ["NO_COLOR", { ...utf8, NO_COLOR: "1" }],
  ["TERM=dumb", { ...utf8, TERM: "dumb" }],
])("no code with %s [F-U9]", (_what, environment) => {
  expect(qrRenderer(environment, "linux")).toBeUndefined();
});

test("LC_CTYPE alone is enough; Windows has no locale", () => {
  expect(qrRenderer({ LC_CTYPE: "C.utf8" }, "linux")).toBeDefined();
  expect(qrRenderer({}, "win32")).toBeDefined();
});
