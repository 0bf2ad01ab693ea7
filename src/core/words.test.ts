import { expect, test } from "vitest";
import { counted } from "./words.ts";

test("one of a thing is not many [F-U17]", () => {
  expect([0, 1, 2].map((count) => counted(count, "second"))).toEqual([
    "0 seconds",
    "1 second",
    "2 seconds",
  ]);
});
