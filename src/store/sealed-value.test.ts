// Sealed values: what opens, and what does not.
import { randomBytes } from "node:crypto";
import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";

import { isOidcError } from "../core/errors.ts";
import { isGivenKey, keysOf, sealedValues } from "./sealed-value.ts";

const [one, two] = [randomBytes(32), randomBytes(32)];

test("open with the key and the place that they were sealed for, and nowhere else", () => {
  const values = sealedValues([one]);
  assert(
    property(string({ unit: "grapheme" }), string(), string(), (text, place, other) => {
      const sealed = values.seal(text, place);
      expect(values.open(sealed, place)).toEqual({ state: "open", text });
      expect(values.open(sealed, `${other}${place}.`)).toEqual({ state: "damaged" });
      expect(sealedValues([two]).open(sealed, place)).toEqual({ state: "otherKey" });
    }),
  );
});

test("are another text each time, and hold none of what was sealed", () => {
  const values = sealedValues([one]);
  const seals = Array.from({ length: 100 }, () => values.seal("canary-canary-canary", "place"));
  expect(new Set(seals.map((sealed) => sealed.split(".")[2]?.slice(0, 16))).size).toBe(100);
  expect(seals.join("")).not.toContain("canary");
  expect(Buffer.from(seals.join(""), "base64url").includes("canary")).toBe(false);
});

test("that were changed or cut anywhere do not open", () => {
  const values = sealedValues([one]);
  const sealed = values.seal('{"key":"value"}', "place");
  const states = new Set<string>();
  for (let at = 0; at < sealed.length; at += 1) {
    states.add(values.open(sealed.slice(0, at), "place").state);
    const changed = sealed[at] === "A" ? "B" : "A";
    const opened = values.open(`${sealed.slice(0, at)}${changed}${sealed.slice(at + 1)}`, "place");
    // The last character of base64 may hold bits that mean nothing.
    if (at < sealed.length - 1) states.add(opened.state);
  }
  expect([...states].toSorted()).toEqual(["damaged", "otherKey"]);
});

test("of another format, or with anything behind them, do not open", () => {
  const values = sealedValues([one]);
  const sealed = values.seal("text", "place");
  expect(values.open(`2${sealed.slice(1)}`, "place")).toEqual({ state: "damaged" });
  expect(values.open(`${sealed}!`, "place")).toEqual({ state: "damaged" });
  expect(values.open(` ${sealed}`, "place")).toEqual({ state: "damaged" });
});

test("are sealed with the first of several keys, and open with each", () => {
  const both = sealedValues([two, one]);
  const old = sealedValues([one]).seal("text", "place");
  expect(both.open(old, "place")).toEqual({ state: "open", text: "text" });
  expect(sealedValues([two]).open(both.seal("text", "place"), "place").state).toBe("open");
});

test("do not change with the array that the key was given in", () => {
  const key = Uint8Array.from(one);
  const values = sealedValues([key]);
  key.fill(0);
  expect(sealedValues([one]).open(values.seal("text", "place"), "place").state).toBe("open");
});

test.each([
  [one, true],
  [[one, two], true],
  [() => Promise.resolve(one), true],
  [[], false],
  [one.subarray(1), false],
  [[one, "two"], false],
  ["x".repeat(32), false],
  [undefined, false],
])("a key is 32 bytes, several such, or a function (%#)", (given, expected) => {
  expect(isGivenKey(given)).toBe(expected);
});

test.each([
  ["throws", () => Promise.reject(new Error("vault is sealed"))],
  ["gives too little", () => Promise.resolve(one.subarray(1))],
])("a function that %s is told of", async (_what, given) => {
  const error: unknown = await keysOf(given).catch((thrown: unknown) => thrown);
  if (!isOidcError(error)) throw error;
  expect([error.code, error.reason]).toEqual(["store_unavailable", "key_unavailable"]);
});
