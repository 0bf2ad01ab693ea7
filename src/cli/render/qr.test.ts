// A QR code only where it fits.

import { expect, test } from "vitest";
import { renderQr } from "./qr.ts";

const address = "https://id.example.com/device?user_code=WDJB-MJHT";

test("draws the code where the terminal has the room", () => {
  const drawn = renderQr(address, 80, 17);
  const lines = drawn?.split("\n") ?? [];
  expect(lines.length).toBeGreaterThan(10);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(drawn).toMatch(/^[ █▀▄\n]+$/);
});

test.each([
  ["too narrow", 20, 50],
  ["too low", 80, 16],
])("draws nothing on a terminal that is %s", (_what, columns, rows) => {
  expect(renderQr(address, columns, rows)).toBeUndefined();
});

test("where the height is not known, the width decides", () => {
  expect(renderQr(address, 80, undefined)).toBeDefined();
});
