// Changes with the keys that can verify a signature.

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseKeySet } from "./key-set.ts";

function rsa(modulusLength: number): Record<string, unknown> {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength });
  return { ...publicKey.export({ format: "jwk" }), kid: "k" };
}

const sound = rsa(2048);
const countOf = (...keys: readonly object[]): number | undefined => parseKeySet({ keys })?.length;
const exponent = (...bytes: readonly number[]): string => Buffer.from(bytes).toString("base64url");

describe("RSA keys [F-S21][T08]", () => {
  test("a sound one is taken, with e = 3 too, and with leading zeros", () => {
    expect(countOf(sound)).toBe(1);
    expect(countOf({ ...sound, e: exponent(3) })).toBe(1);
    expect(countOf({ ...sound, e: exponent(0, 1, 0, 1) })).toBe(1);
  });

  test.each([
    ["1, with which every message is its own signature", exponent(1)],
    ["1 behind zeros", exponent(0, 0, 1)],
    ["0", exponent(0)],
    ["2", exponent(2)],
    ["an even one", exponent(1, 0, 2)],
    ["nothing", ""],
    ["no base64url", "!!!!"],
    ["one beyond 64 bits", exponent(1, 0, 0, 0, 0, 0, 0, 0, 1)],
  ])("the exponent %s makes no key", (_what, e) => {
    expect(countOf({ ...sound, e })).toBe(0);
  });

  test("a modulus under 2048 bits makes no key, however many zeros stand before it", () => {
    const short = rsa(2040);
    const padded = Buffer.concat([Buffer.alloc(16), Buffer.from(String(short["n"]), "base64url")]);
    expect(countOf(short)).toBe(0);
    expect(countOf({ ...short, n: padded.toString("base64url") })).toBe(0);
    expect(countOf(rsa(1024), sound)).toBe(1);
  });
});
