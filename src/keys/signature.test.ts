// A signature counts only where key, list and header agree: one test for each way in which they can differ.
import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { maxTokenCharacters } from "../core/limits.ts";
import { Secret } from "../core/secret.ts";
import { parseCompactToken } from "./compact-token.ts";
import { derSignature } from "./ecdsa-der.ts";
import { noKeys, type KeySource } from "./key-source.ts";
import { parseKeySet, type PublicKey } from "./public-key.ts";
import { checkSignature, isSignedBy } from "./signature.ts";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });

function forge(
  header: object,
  key: KeyObject,
  digest: string | null = "sha256",
  options: object = {},
): string {
  const input = `${encode(header)}.${encode({ sub: "alice" })}`;
  const signature = sign(digest, Buffer.from(input), {
    key,
    dsaEncoding: "ieee-p1363",
    ...options,
  });
  return `${input}.${signature.toString("base64url")}`;
}

function published(key: KeyObject, more: object = {}): PublicKey {
  const [parsed] = parseKeySet({ keys: [{ ...key.export({ format: "jwk" }), ...more }] }) ?? [];
  if (parsed === undefined) throw new Error("that is not a key");
  return parsed;
}

function isGood(token: string, key: PublicKey): boolean {
  const parsed = parseCompactToken(token);
  return parsed !== undefined && isSignedBy(parsed, key);
}

const withKeys = (...keys: readonly PublicKey[]): KeySource => ({
  known: true,
  current: async () => keys,
  fetchAgain: async () => keys,
});

describe("key and algorithm", () => {
  const token = forge({ alg: "RS256", kid: "a" }, rsa.privateKey);

  test("a key is good for its own kind, name and algorithm alone", () => {
    expect(isGood(token, published(rsa.publicKey, { kid: "a" }))).toBe(true);
    expect(isGood(token, published(rsa.publicKey, { kid: "a", alg: "RS256" }))).toBe(true);
    expect(isGood(token, published(rsa.publicKey, { kid: "b" }))).toBe(false);
    expect(isGood(token, published(rsa.publicKey))).toBe(false);
    expect(isGood(token, published(rsa.publicKey, { kid: "a", alg: "RS512" }))).toBe(false);
    expect(isGood(token, published(p256.publicKey, { kid: "a" }))).toBe(false);
  });

  test("what the header says does not decide: PKCS #1 is not taken for PSS, nor one digest for another", () => {
    const key = published(rsa.publicKey);
    expect(isGood(forge({ alg: "PS256" }, rsa.privateKey), key)).toBe(false);
    expect(isGood(forge({ alg: "RS512" }, rsa.privateKey), key)).toBe(false);
    expect(isGood(forge({ alg: "none" }, rsa.privateKey), key)).toBe(false);
  });

  test("PSS has a salt as long as its digest (RFC 7518 section 3.5)", () => {
    const key = published(rsa.publicKey);
    const salted = (saltLength: number) =>
      forge({ alg: "PS256" }, rsa.privateKey, "sha256", { padding: 6, saltLength });
    expect(isGood(salted(32), key)).toBe(true);
    expect(isGood(salted(20), key)).toBe(false);
  });

  test("each ECDSA algorithm has its curve", () => {
    expect(isGood(forge({ alg: "ES256" }, p256.privateKey), published(p256.publicKey))).toBe(true);
    expect(isGood(forge({ alg: "ES256" }, p384.privateKey), published(p384.publicKey))).toBe(false);
    // With zeros in front, numbers of the smaller curve have the length of the larger one.
    const short = forge({ alg: "ES384" }, p256.privateKey, "sha384");
    const at = short.lastIndexOf(".") + 1;
    const [r, s] = [0, 32].map((from) =>
      Buffer.from(short.slice(at), "base64url").subarray(from, from + 32),
    );
    const zeros = Buffer.alloc(16);
    const padded = Buffer.concat([zeros, r ?? zeros, zeros, s ?? zeros]).toString("base64url");
    expect(isGood(`${short.slice(0, at)}${padded}`, published(p256.publicKey))).toBe(false);
  });

  test("EdDSA and Ed25519 are one algorithm (RFC 9864 section 2.2)", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    for (const alg of ["EdDSA", "Ed25519"]) {
      const signed = forge({ alg }, privateKey, null);
      expect(isGood(signed, published(publicKey, { alg: "EdDSA" }))).toBe(true);
      expect(isGood(signed, published(publicKey, { alg: "Ed25519" }))).toBe(true);
      expect(isGood(signed, published(publicKey, { alg: "ES256" }))).toBe(false);
    }
  });
});

describe("ECDSA signatures", () => {
  test("many, with high bits and leading zeros in both numbers, verify", () => {
    const key = published(p256.publicKey);
    const firstBytes = new Set<string>();
    for (let round = 0; round < 20_000 && (round < 300 || firstBytes.size < 3); round += 1) {
      const token = forge({ alg: "ES256", round }, p256.privateKey);
      const signature = Buffer.from(token.slice(token.lastIndexOf(".") + 1), "base64url");
      for (const at of [0, 32]) {
        const byte = signature[at] ?? 0;
        firstBytes.add(byte === 0 ? "zero" : byte >= 128 ? "high" : "low");
      }
      expect(isGood(token, key)).toBe(true);
    }
    expect([...firstBytes].toSorted()).toEqual(["high", "low", "zero"]);
  });

  test("only the length of the curve is taken (RFC 7518 section 3.4)", () => {
    const token = forge({ alg: "ES256" }, p256.privateKey);
    const at = token.lastIndexOf(".") + 1;
    const signature = Buffer.from(token.slice(at), "base64url");
    const zero = Buffer.alloc(1);
    const longer = [
      Buffer.concat([zero, signature.subarray(0, 32), zero, signature.subarray(32)]),
      Buffer.concat([signature, zero]),
      signature.subarray(0, 63),
      sign("sha256", Buffer.from(token.slice(0, at - 1)), p256.privateKey),
    ];
    for (const other of longer) {
      const spoiled = `${token.slice(0, at)}${other.toString("base64url")}`;
      expect(isGood(spoiled, published(p256.publicKey))).toBe(false);
    }
  });

  test("[K01] a signature of RSA is as long as the modulus, though OpenSSL takes it without its zeros", () => {
    // One in 256 begins with a zero: this one was looked for.
    const n =
      "mMe1F_xAsuIt_v7vn3e_i-AXYMa9Lx0Ss0Pf0sqLzsVUA6zNMTUtwEWGAzTGZG-bTUXcOPp_83zGFNFhsGqEziHDnRZ-hzeYhbxWXYqvFKWFCwYtXoMMvElLIawg5W7qwIcfaa6osev7qt6eHw-FJZc48qmi0XPmQbHPG5n2Mnr6NDQqBWfSFQ4CgFmXJNHLePdzt6O358dcRBY__Iv5Ce5EbJLSFqDJ_RB7kanYb8Dc1r0XeysTH3ht9b5CNleIIpHwaQJo8Spbf8-F5dNFHvWl9OVioJlBiB9FkGygYQUHaKaKAzEoig0p4UNVpjXC5LxyQGCLw3aYJ56EAosjpQ";
    const signed = "eyJhbGciOiJQUzI1NiJ9.eyJqdGkiOiIxNzAifQ";
    const signature =
      "AFAHCKqRH7_lhCvwqhdd9MoiFQKQLO9mEe8qnEzPi3Ra9hiuQwWzffVdhkda96Lb786E9ak1lFOigpvSVA9O0opwtxhK2yqZn8jD-cunIPgmU0dVEKANcS9nrTkmUVZoPnujRoVQjGlQhVl-pJ30oYLdbUGcPX8jqBS7QNlK6i4Zy5zauF9q9zGHzKvoyMvQ6OxIc7BC2hW4SKFjh55MaoYm80FcYjMU4luavPHYvGGvINgqmHhnsSeJ-XNbz3YibpsGnH-4ZhBk7xrVMAw3UhOY7PLw4xavkFP2jTjw7TwAZirSTcNigzHEyscs89bZaE2OhqpoI-790P9rMsReog";
    const [key] = parseKeySet({ keys: [{ kty: "RSA", n, e: "AQAB" }] }) ?? [];
    if (key === undefined) throw new Error("that is not a key");
    const bytes = Buffer.from(signature, "base64url");
    expect(bytes[0]).toBe(0);
    expect(isGood(`${signed}.${signature}`, key)).toBe(true);
    expect(isGood(`${signed}.${bytes.subarray(1).toString("base64url")}`, key)).toBe(false);
    const longer = Buffer.concat([Buffer.alloc(1), bytes]);
    expect(isGood(`${signed}.${longer.toString("base64url")}`, key)).toBe(false);
  });

  test("the form that OpenSSL takes is the shortest one", () => {
    const bytes = (...values: readonly number[]) => Buffer.from(values);
    expect(derSignature(bytes(0, 1, 0, 0x80), 2)).toEqual(bytes(0x30, 7, 2, 1, 1, 2, 2, 0, 0x80));
    expect(derSignature(bytes(0, 0, 0, 0), 2)).toEqual(bytes(0x30, 6, 2, 1, 0, 2, 1, 0));
    const long = derSignature(Buffer.alloc(132, 0x7f), 66);
    expect(long?.subarray(0, 5)).toEqual(bytes(0x30, 0x81, 136, 2, 66));
    expect(derSignature(Buffer.alloc(131), 66)).toBeUndefined();
  });
});

test("without a kid every key of the kind is tried, wherever the right one stands", async () => {
  const token = forge({ alg: "RS256" }, rsa.privateKey);
  const right = published(rsa.publicKey);
  const other = published(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey);
  for (const keys of [withKeys(right, other), withKeys(other, right)]) {
    expect(await checkSignature(token, { keys, listedAlgorithms: undefined })).toMatchObject({
      accepted: true,
      key: right,
    });
  }
});

describe("form", () => {
  const [header = "", payload = "", signature = ""] = forge({ alg: "RS256" }, rsa.privateKey).split(
    ".",
  );

  test.each<[string, string]>([
    ["a critical extension [T07]", forge({ alg: "RS256", crit: ["exp"], exp: 1 }, rsa.privateKey)],
    ["an empty list of them", forge({ alg: "RS256", crit: [] }, rsa.privateKey)],
    ["b64 (RFC 7797)", forge({ alg: "RS256", b64: false }, rsa.privateKey)],
    ["b64 of another kind", forge({ alg: "RS256", b64: "true" }, rsa.privateKey)],
    ["no alg", forge({}, rsa.privateKey)],
    ["alg in a list", forge({ alg: ["RS256"] }, rsa.privateKey)],
    ["a header that is a list", `${encode([])}.${payload}.${signature}`],
    ["more than any token has", `${header}.${payload}.${"A".repeat(maxTokenCharacters)}`],
    ["four segments", `${header}.${payload}.${signature}.${signature}`],
    ["two segments", `${header}.${payload}`],
    ["padding", `${header}.${payload}.${signature}==`],
    ["a segment that no octets give", `${header}.${payload}.${signature}AAA`],
    ["bits after the last octet", `${header}.${payload}.${signature.slice(0, -1)}B`],
  ])("%s is not a token", (_name, token) => {
    expect(parseCompactToken(token)).toBeUndefined();
  });

  test("the same token with b64: true, which says nothing, is one", () => {
    const token = forge({ alg: "RS256", b64: true }, rsa.privateKey);
    expect(isGood(token, published(rsa.publicKey))).toBe(true);
    expect(isGood(`${header}.${payload}.${signature}`, published(rsa.publicKey))).toBe(true);
  });
});

describe("rules", () => {
  const keys = withKeys(published(rsa.publicKey));
  const token = forge({ alg: "RS256" }, rsa.privateKey);
  const judge = async (jws: string, more: object = {}) => {
    const result = await checkSignature(jws, { keys, listedAlgorithms: undefined, ...more });
    return result.accepted ? result.verified : result.problem;
  };
  const hmac = (secret: string, alg = "HS256"): string => {
    const input = `${encode({ alg })}.${encode({ sub: "alice" })}`;
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };

  test("the caller's list decides about the algorithm [T04]", async () => {
    expect(await judge(token)).toBe(true);
    expect(await judge(token, { listedAlgorithms: ["RS256"] })).toBe(true);
    expect(await judge(token, { listedAlgorithms: ["ES256"] })).toBe("alg");
    expect(await judge(token, { listedAlgorithms: [] })).toBe("alg");
  });

  test("a secret signs only where there is one, and where that is listed [T02]", async () => {
    const clientSecret = new Secret("correct horse");
    const listedAlgorithms = ["HS256"];
    const signed = hmac("correct horse");
    expect(await judge(signed, { clientSecret, listedAlgorithms })).toBe(true);
    expect(await judge(hmac("other"), { clientSecret, listedAlgorithms })).toBe("signature");
    expect(await judge(signed, { clientSecret })).toBe("alg");
    expect(await judge(signed, { clientSecret, listedAlgorithms: ["RS256"] })).toBe("alg");
    expect(await judge(signed, { listedAlgorithms })).toBe("alg");
    const empty = new Secret("");
    expect(await judge(hmac(""), { clientSecret: empty, listedAlgorithms })).toBe("alg");
  });

  test("a MAC that is cut is not a MAC", async () => {
    const signed = hmac("correct horse");
    const [header = "", payload = "", mac = ""] = signed.split(".");
    const cut = Buffer.from(mac, "base64url").subarray(0, 16).toString("base64url");
    const rules = { clientSecret: new Secret("correct horse"), listedAlgorithms: ["HS256"] };
    expect(await judge(`${header}.${payload}.${cut}`, rules)).toBe("signature");
  });

  test("a payload that is not an object is not a set of claims, and an empty signature is none [T01]", async () => {
    const [header = "", payload = ""] = token.split(".");
    expect(await judge(`${header}.${encode([])}.AAAA`)).toBe("malformed");
    expect(await judge(`${header}.${payload}.`)).toBe("alg");
  });

  test("without known keys nothing is verified, and nothing is said to be", async () => {
    expect(await judge(token, { keys: noKeys })).toBe(false);
  });

  test("keys that do not fit are fetched again, once", async () => {
    const calls: string[] = [];
    const source = (first: readonly PublicKey[], second: readonly PublicKey[]): KeySource => ({
      known: true,
      current: async () => (calls.push("current"), first),
      fetchAgain: async () => (calls.push("again"), second),
    });
    const other = published(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey);
    const own = published(rsa.publicKey);
    expect(await judge(token, { keys: source([], [own]) })).toBe(true);
    expect(await judge(token, { keys: source([other], [own]) })).toBe(true);
    expect(await judge(token, { keys: source([own], []) })).toBe(true);
    expect(await judge(token, { keys: source([other], [other]) })).toBe("signature");
    expect(await judge(token, { keys: source([], []) })).toBe("jwks_key_not_found");
    expect(calls.join(" ")).toBe("current again current again current current again current again");
  });

  test("too many keys that fit are not tried [T05]", async () => {
    const own = published(rsa.publicKey);
    const many = Array.from({ length: 17 }, () => own);
    expect(await judge(token, { keys: withKeys(...many) })).toBe("jwks_ambiguous");
    expect(await judge(token, { keys: withKeys(...many.slice(1)) })).toBe(true);
  });
});
