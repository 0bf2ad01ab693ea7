// Keys that a function gives: when it is asked again.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { sealedValues } from "./sealed-value.ts";
import { createSeals } from "./seals.ts";

const [old, newer] = [randomBytes(32), randomBytes(32)];

test("a value under a key that is not known has the keys fetched anew, once a minute at most", async () => {
  let asked = 0;
  let now = 0;
  let keys: readonly Uint8Array[] = [old];
  const clock = { ...systemClock, monotonic: () => now };
  const sealed = sealedValues([newer]).seal("text", "place");
  const seals = createSeals(() => {
    asked += 1;
    return Promise.resolve(keys);
  }, clock);
  await seals.values();
  keys = [newer, old];
  now = 59_999;
  expect([(await seals.open(sealed, "place")).state, asked]).toEqual(["otherKey", 1]);
  now = 60_000;
  const both = [seals.open(sealed, "place"), seals.open(sealed, "place")];
  expect(await Promise.all(both)).toEqual([
    { state: "open", text: "text" },
    { state: "open", text: "text" },
  ]);
  expect(asked).toBe(2);
});
