// Whether this process may use its terminal, as proc(5) tells it.

import { expect, test } from "vitest";
import { terminalRoleOf } from "./foreground.ts";

test.each([
  ["123 (node) S 1 123 100 34816 123 4194304 1", "foreground"],
  ["123 (node) S 1 123 100 34816 100 4194304 1", "background"],
  ["123 (node) S 1 123 123 0 -1 4194304 1", "none"],
  ["123 (a) R 1 2) (b) S 1 123 100 34816 123 4194304 1", "foreground"],
  ["", "unknown"],
] as const)("%s", (stat, role) => {
  expect(terminalRoleOf(stat)).toBe(role);
});
