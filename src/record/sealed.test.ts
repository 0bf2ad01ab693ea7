// What counts as a sealed record, of whatever a file holds.
import { expect, test } from "vitest";

import { maxRecordCharacters } from "../core/limits.ts";
import { parseSealed } from "./sealed.ts";

const whole = { key: "key", version: "a.1", sealed: "1.AAAAAAAA.BBBB" };

test("its three members are all that is taken", () => {
  expect(parseSealed(whole)).toEqual(whole);
});

test.each<[string, unknown]>([
  ["a further member", { ...whole, accessToken: null }],
  ["no version", { key: "key", sealed: whole.sealed }],
  ["an inherited member", Object.create(whole)],
  ["an empty key", { ...whole, key: "" }],
  ["a key of 64 KiB and one", { ...whole, key: "k".repeat(64 * 1024 + 1) }],
  ["an empty version", { ...whole, version: "" }],
  ["a version of 201 characters", { ...whole, version: "1".repeat(201) }],
  ["other characters in what is sealed", { ...whole, sealed: "1.AAAAAAAA.BB BB" }],
  ["a line break in what is sealed", { ...whole, sealed: "1.AAAAAAAA.BBBB\n" }],
  ["too long a text", { ...whole, sealed: "B".repeat(maxRecordCharacters + 1) }],
  ["what is no text", { ...whole, sealed: ["1.AAAAAAAA.BBBB"] }],
  ["nothing", null],
])("%s makes it none", (_what, value) => {
  expect(parseSealed(value)).toBeUndefined();
});
