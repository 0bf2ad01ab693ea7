// Keys that must not verify anything, and signatures that only a careless check takes for right.
import { constants, createHash, generateKeyPairSync, privateEncrypt, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  algorithms,
  claims,
  encode,
  headerOf,
  published,
  rsa,
  signatureOf,
  token,
  type Algorithm,
  type Members,
} from "../../test/support/access-token-forge.ts";
import { outcomeOf, playVerifier } from "../../test/support/played-issuer.ts";

const played = playVerifier(published);

describe("[K01] RSA signatures whose padding is not the one of RFC 8017", () => {
  const text = (): string => `${encode(headerOf("RS256"))}.${encode(claims())}`;
  const digestInfo = (): Buffer =>
    Buffer.concat([
      Buffer.from("3031300d060960864801650304020105000420", "hex"),
      createHash("sha256").update(text()).digest(),
    ]);
  const padded = (
    tail: Buffer,
    more: { type?: number; fill?: number; end?: Buffer } = {},
  ): string => {
    const { type = 1, fill = 0xff, end = Buffer.alloc(0) } = more;
    const length = 256 - 3 - tail.length - end.length;
    const block = Buffer.concat([
      Buffer.from([0, type]),
      Buffer.alloc(length, fill),
      Buffer.alloc(1),
      tail,
      end,
    ]);
    const signature = privateEncrypt(
      { key: rsa.privateKey, padding: constants.RSA_NO_PADDING },
      block,
    );
    return `${text()}.${signature.toString("base64url")}`;
  };

  test("the right one is accepted", async () => {
    expect(await outcomeOf(played, padded(digestInfo()))).toBe("alice");
  });

  test.each([
    ["another type of block", () => padded(digestInfo(), { type: 2 })],
    ["another filling", () => padded(digestInfo(), { fill: 0xfe })],
    ["something after the digest", () => padded(digestInfo(), { end: Buffer.alloc(8, 1) })],
    [
      "a short filling and the rest behind",
      () => padded(digestInfo(), { end: Buffer.alloc(190, 1) }),
    ],
    ["no digest's name", () => padded(createHash("sha256").update(text()).digest())],
    [
      "without NULL",
      () =>
        padded(
          Buffer.concat([
            Buffer.from("302f300b0609608648016503040201", "hex"),
            Buffer.from("0420", "hex"),
            digestInfo().subarray(19),
          ]),
        ),
    ],
    [
      "another digest's name",
      () =>
        padded(
          Buffer.concat([
            Buffer.from("3031300d060960864801650304020205000420", "hex"),
            digestInfo().subarray(19),
          ]),
        ),
    ],
    ["PSS in its place", () => `${text()}.${signatureOf("PS256", text()).toString("base64url")}`],
  ])("%s", async (_name, make) => {
    expect(await outcomeOf(played, make())).toBe("refused: signature");
  });
});

describe("keys that an issuer must not publish", () => {
  const jwkOf = (alg: Algorithm): Members => algorithms[alg].publicKey.export({ format: "jwk" });
  /** What a good token of RS256 or ES256 comes to where the key set has these keys alone. */
  const under = (alg: Algorithm, ...keys: readonly unknown[]): Promise<string> =>
    outcomeOf(playVerifier(keys), token(alg));
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });

  test.each<readonly [string, Algorithm, readonly unknown[]]>([
    ["for encryption", "ES256", [{ ...jwkOf("ES256"), use: "enc" }]],
    ["that may only sign", "ES256", [{ ...jwkOf("ES256"), key_ops: ["sign"] }]],
    ["for another algorithm", "RS256", [{ ...jwkOf("RS256"), alg: "RS512" }]],
    ["for encryption by RSA", "RS256", [{ ...jwkOf("RS256"), alg: "RSA-OAEP" }]],
    ["of another curve's name", "ES256", [{ ...jwkOf("ES256"), crv: "P-384" }]],
    ["beside its curve", "ES256", [{ ...jwkOf("ES256"), y: jwkOf("ES256")["x"] }]],
    ["with an even exponent", "RS256", [{ ...jwkOf("RS256"), e: "AQAA" }]],
    ["as a secret", "RS256", [{ kty: "oct", k: encode("secret"), kid: "RS256" }]],
    ["no keys at all", "RS256", []],
    ["nothing but junk", "RS256", [null, 7, "x", [], {}]],
  ])("[K01] %s", async (_name, alg, keys) => {
    expect(await under(alg, ...keys)).toBe("refused: jwks_key_not_found");
  });

  test("[K01] RSA with the exponent 1, under which the padded digest is its own signature", async () => {
    const keys = [{ ...jwkOf("RS256"), kid: "RS256", e: "AQ" }];
    const text = `${encode(headerOf("RS256"))}.${encode(claims())}`;
    const tail = Buffer.concat([
      Buffer.from("3031300d060960864801650304020105000420", "hex"),
      createHash("sha256").update(text).digest(),
    ]);
    const block = Buffer.concat([
      Buffer.from([0, 1]),
      Buffer.alloc(202, 0xff),
      Buffer.alloc(1),
      tail,
    ]);
    expect(await outcomeOf(playVerifier(keys), `${text}.${block.toString("base64url")}`)).toBe(
      "refused: jwks_key_not_found",
    );
  });

  test("[K01] RSA of 1024 bits", async () => {
    const text = `${encode(headerOf("RS256"))}.${encode(claims())}`;
    const signature = sign("sha256", Buffer.from(text), small.privateKey);
    const keys = [{ ...small.publicKey.export({ format: "jwk" }), kid: "RS256" }];
    expect(await outcomeOf(playVerifier(keys), `${text}.${signature.toString("base64url")}`)).toBe(
      "refused: jwks_key_not_found",
    );
  });

  test("[K01] Ed25519 points of small order, under which anybody can sign", async () => {
    // R and the key are the neutral element and S is zero: right for every message, where such keys are used.
    const neutral = `01${"00".repeat(31)}`;
    const keys = [
      { kty: "OKP", crv: "Ed25519", x: encode(Buffer.from(neutral, "hex")), kid: "EdDSA" },
    ];
    const forged = Buffer.from(`${neutral}${"00".repeat(32)}`, "hex");
    const text = `${encode(headerOf("EdDSA"))}.${encode(claims())}`;
    expect(await outcomeOf(playVerifier(keys), `${text}.${encode(forged)}`)).toBe(
      "refused: jwks_key_not_found",
    );
  });

  test("one unusable member leaves the others in use", async () => {
    const junk = [null, 7, { kty: "RSA" }, { kty: "EC", crv: "P-256", x: "AA", y: "AA" }];
    expect(await under("ES256", ...junk, ...published)).toBe("alice");
  });
});
