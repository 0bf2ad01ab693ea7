// Changes with the keys that can verify a signature.

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseKeySet, preparedKey } from "./public-key.ts";

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

describe("keys of a set", () => {
  const short = rsa(1024);

  test.each<[string, Record<string, unknown>]>([
    ["use: enc", { use: "enc" }],
    ["key_ops without verify", { key_ops: ["encrypt"] }],
    ["key_ops that is no list", { key_ops: "verify" }],
    ["a modulus below 2048 bits", { n: short["n"] }],
    ["a modulus that is no text", { n: 7 }],
    ["an endless modulus", { n: "_".repeat(5000) }],
    ["an endless exponent", { e: `${"A".repeat(500)}EAAQ` }],
    ["no exponent", { e: undefined }],
    ["kty: oct", { kty: "oct", k: "AAAA" }],
    ["kty: EC without a curve", { kty: "EC", x: "AAAA", y: "AAAA" }],
    ["kty: EC on another curve", { kty: "EC", crv: "secp256k1", x: "AAAA", y: "AAAA" }],
    ["kty: EC with an endless point", { kty: "EC", crv: "P-256", x: "A".repeat(89), y: "AAAA" }],
    ["kty: EC without y", { kty: "EC", crv: "P-256", x: "AAAA" }],
    ["kty: OKP for agreement", { kty: "OKP", crv: "X25519", x: "AAAA" }],
  ])("a key with %s is not used [T08]", (_name, changes) => {
    expect(countOf(sound)).toBe(1);
    expect(parseKeySet({ keys: [{ ...sound, ...changes }] })).toEqual([]);
  });

  test.each([
    ["no list", { keys: {} }],
    ["nothing", {}],
  ])("%s is not a key set", (_name, document) => {
    expect(parseKeySet(document)).toBeUndefined();
  });

  test("private members of a published key are dropped, and the set is capped [T08]", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const careless = { ...privateKey.export({ format: "jwk" }), kid: "careless" };
    const keys = parseKeySet({ keys: Array.from({ length: 300 }, () => careless) });
    expect(keys).toHaveLength(100);
    expect(Object.keys(keys?.[0] ?? {}).toSorted()).toEqual(["e", "kid", "kty", "n"]);
  });
});

describe("prepared keys", () => {
  test("a key is prepared once, and one whose numbers do not make a key is not used", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const point = publicKey.export({ format: "jwk" });
    const [good, offCurve, otherCurve] =
      parseKeySet({
        keys: [point, { ...point, y: point["x"] }, { ...point, crv: "P-384" }],
      }) ?? [];
    if (good === undefined || offCurve === undefined || otherCurve === undefined) {
      throw new Error("the form of all three is right");
    }
    expect(preparedKey(good)?.asymmetricKeyType).toBe("ec");
    expect(preparedKey(good)).toBe(preparedKey(good));
    expect(preparedKey(offCurve)).toBeUndefined();
    expect(preparedKey(otherCurve)).toBeUndefined();
  });
});
