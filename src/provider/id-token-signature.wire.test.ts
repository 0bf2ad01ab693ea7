// Changes with the algorithms and keys that are accepted.
import { afterEach, describe, expect, test } from "vitest";
import { serveKeys, startSignIn } from "../../test/support/protocol-sign-in.ts";
import { cleanUp, startProvider } from "../../test/support/protocol-world.ts";
import {
  forgeToken,
  keyFor,
  providerKey,
  publicHalf,
  strangeKey,
  unsignedToken,
} from "../../test/support/token-forge.ts";
import { maxTokenCharacters } from "../core/limits.ts";
import { noKeys } from "../keys/key-source.ts";
import { checkSignature } from "../keys/signature.ts";

afterEach(cleanUp);

describe("form", () => {
  const most = maxTokenCharacters;
  test.each([
    ["a megabyte of text", `${"a".repeat(1024 * 1024)}.b.c`],
    ["a megabyte of dots", ".".repeat(1024 * 1024)],
    ["as many dots as fit", ".".repeat(most)],
    ["as many segments as fit", "a.".repeat(most / 2)],
    ["one segment that ends wrong", `${"a".repeat(most - 1)}=`],
    ["three segments that end wrong", `${"a".repeat(most / 2)}.${"b".repeat(most / 2 - 4)}.c=`],
    [
      "five long segments, as of an encrypted token",
      Array(5)
        .fill("a".repeat(most / 6))
        .join("."),
    ],
  ])("%s is refused by size and shape, in no time [T15]", async (_name, token) => {
    const rules = { keys: noKeys, listedAlgorithms: undefined, clientSecret: undefined };
    const milliseconds: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const startedAt = performance.now();
      const result = await checkSignature(token, rules);
      milliseconds.push(performance.now() - startedAt);
      expect(result).toEqual({ accepted: false, problem: "malformed" });
    }
    // The best of three: the others may have met a busy machine.
    expect(Math.min(...milliseconds)).toBeLessThan(50);
  });
});

describe("algorithm", () => {
  test.each([
    ["none", ""],
    ["None", ""],
    ["NONE", ""],
    ["nOnE", "AAAA"],
  ])("refuses alg %s with the signature '%s' [T01]", async (alg, signature) => {
    const { claims, refusalOf, provider } = await startSignIn();
    const error = await refusalOf(unsignedToken({ alg }, claims, signature));
    expect(error).toMatchObject({ code: "id_token_invalid", reason: "id_token_alg" });
    expect(provider.requests()).toMatchObject({ jwks: 0, userinfo: 0 });
  });

  test("refuses an empty signature [T01]", async () => {
    const { claims, refusalOf } = await startSignIn();
    const [header, payload] = (await forgeToken(claims)).split(".");
    const error = await refusalOf(`${header}.${payload}.`);
    expect(error.reason).toBe("id_token_alg");
  });

  test("refuses a public client's HS256, signed with the public key or nothing [T02]", async () => {
    const publicKey = JSON.stringify(publicHalf(await providerKey("RS256")));
    const document = { id_token_signing_alg_values_supported: ["RS256", "HS256"] };
    for (const key of [new TextEncoder().encode(publicKey), new Uint8Array(32)]) {
      const { claims, refusalOf } = await startSignIn({ document });
      const error = await refusalOf(await forgeToken(claims, { algorithm: "HS256", key }));
      expect(error.reason).toBe("id_token_alg");
    }
  });

  test("takes HS256 only with a secret and only where it is listed [T02]", async () => {
    const clientSecret = "a-secret-of-more-than-thirty-two-characters";
    const key = new TextEncoder().encode(clientSecret);
    const listed = { id_token_signing_alg_values_supported: ["HS256"] };
    const forge = (claims: Record<string, unknown>, by: Uint8Array = key) =>
      forgeToken(claims, { algorithm: "HS256", key: by });

    const good = await startSignIn({ clientSecret, document: listed });
    const answer = await good.finishWith(await forge(good.claims));
    expect(answer.signatureVerified).toBe(true);
    const unlisted = await startSignIn({ clientSecret });
    expect((await unlisted.refusalOf(await forge(unlisted.claims))).reason).toBe("id_token_alg");
    const silent = await startSignIn({
      clientSecret,
      document: { id_token_signing_alg_values_supported: undefined },
    });
    expect((await silent.refusalOf(await forge(silent.claims))).reason).toBe("id_token_alg");
    const wrong = await startSignIn({ clientSecret, document: listed });
    const error = await wrong.refusalOf(await forge(wrong.claims, new Uint8Array(32).fill(7)));
    expect(error.reason).toBe("id_token_signature");
  });

  test("refuses a good algorithm that the provider does not list [T04]", async () => {
    const document = { id_token_signing_alg_values_supported: ["RS256"] };
    const { claims, refusalOf } = await startSignIn({ document });
    const error = await refusalOf(await forgeToken(claims, { algorithm: "ES256" }));
    expect(error.reason).toBe("id_token_alg");
  });

  test("refuses a listed algorithm that is not ours [T04]", async () => {
    const document = { id_token_signing_alg_values_supported: ["RS256", "ES256K", "none"] };
    const { claims, refusalOf } = await startSignIn({ document });
    const error = await refusalOf(unsignedToken({ alg: "ES256K" }, claims, "AAAA"));
    expect(error.reason).toBe("id_token_alg");
  });
});

describe("signature", () => {
  test.each([
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
  ])("accepts %s and refuses it spoiled [T03]", async (algorithm) => {
    const document = { id_token_signing_alg_values_supported: undefined };
    const key = keyFor(algorithm);
    const spoil = (token: string): string => {
      const at = token.lastIndexOf(".") + 10;
      return `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    };
    // Beside the others' keys, and without a word about the algorithm: the kind of the key decides.
    const published = ["RS256", "ES256", "ES384", "ES512", "EdDSA"].map((each) =>
      publicHalf(keyFor(each)),
    );
    const good = await startSignIn({ document });
    serveKeys(good.provider, published);
    const answer = await good.finishWith(await forgeToken(good.claims, { algorithm, key }));
    expect(answer).toMatchObject({ signatureVerified: true, claims: { sub: "alice" } });
    const bad = await startSignIn({ document });
    serveKeys(bad.provider, published);
    const spoiled = spoil(await forgeToken(bad.claims, { algorithm, key }));
    expect((await bad.refusalOf(spoiled)).reason).toBe("id_token_signature");
  });

  test("refuses another's signature under the provider's kid, after one look for new keys [T03][T06]", async () => {
    const { claims, refusalOf, provider } = await startSignIn({ prefetch: true });
    const { kid } = await providerKey("RS256");
    const error = await refusalOf(await forgeToken(claims, { key: strangeKey(kid) }));
    expect(error).toMatchObject({ code: "id_token_invalid", reason: "id_token_signature" });
    expect(provider.requests().jwks).toBe(2);
  });

  test("refuses changed claims [T03]", async () => {
    const { claims, refusalOf } = await startSignIn();
    const [header, , signature] = (await forgeToken(claims)).split(".");
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: "root" })).toString("base64url");
    const error = await refusalOf(`${header}.${payload}.${signature}`);
    expect(error.reason).toBe("id_token_signature");
  });

  test.each(["jku", "jwk", "x5u", "x5c"])(
    "a key that the token brings along is not looked at: %s [T07]",
    async (name) => {
      const foreign = strangeKey("foreign");
      const elsewhere = await startProvider({});
      serveKeys(elsewhere, [publicHalf(foreign)]);
      const url = `${elsewhere.issuer}/jwks`;
      const value = { jku: url, jwk: publicHalf(foreign), x5u: url, x5c: ["AAAA"] }[name];
      const { claims, refusalOf } = await startSignIn();
      const token = await forgeToken(claims, { key: foreign, header: { [name]: value } });
      expect((await refusalOf(token)).reason).toBe("jwks_key_not_found");
      expect(elsewhere.requests().total).toBe(0);
    },
  );

  test.each([{ crit: ["b64"], b64: true }, { crit: ["exp"], exp: 1 }, { crit: [] }])(
    "refuses critical extensions: %o [T07]",
    async (header) => {
      const { claims, refusalOf, provider } = await startSignIn();
      const genuine = await forgeToken(claims);
      const { kid } = await providerKey("RS256");
      const [, payload, signature] = genuine.split(".");
      const head = Buffer.from(JSON.stringify({ alg: "RS256", kid, ...header }));
      const error = await refusalOf(`${head.toString("base64url")}.${payload}.${signature}`);
      expect(error.reason).toBe("id_token_malformed");
      expect(provider.requests().jwks).toBe(0);
    },
  );
});

describe("keys", () => {
  test("without kid the only fitting key is taken, several are tried [T05]", async () => {
    const own = publicHalf(await providerKey("RS256"));
    const { kid: _kid, ...nameless } = own;
    const others = Array.from({ length: 3 }, () => publicHalf(strangeKey()));
    for (const keys of [[nameless], [...others, nameless], [...others, own]]) {
      const { claims, finishWith, provider } = await startSignIn();
      serveKeys(provider, keys);
      const token = await forgeToken(claims, { header: { kid: undefined } });
      expect((await finishWith(token)).signatureVerified).toBe(true);
      expect(provider.requests().jwks).toBe(1);
    }
  });

  test("without kid too many fitting keys are not tried [T05]", async () => {
    const { claims, refusalOf, provider } = await startSignIn();
    const { kid: _kid, ...nameless } = publicHalf(await providerKey("RS256"));
    serveKeys(
      provider,
      Array.from({ length: 17 }, () => nameless),
    );
    const error = await refusalOf(await forgeToken(claims, { header: { kid: undefined } }));
    expect(error.reason).toBe("jwks_ambiguous");
  });

  test("a kid that is new since the keys were loaded: fetched once more, accepted [T06]", async () => {
    const old = publicHalf(strangeKey("old"));
    const sign = await startSignIn();
    const undo = serveKeys(sign.provider, [old], 1);
    sign.opened.prefetchKeys();
    await sign.opened.keys.current();
    undo();
    const answer = await sign.finishWith(await forgeToken(sign.claims));
    expect(answer.signatureVerified).toBe(true);
    expect(sign.provider.requests().jwks).toBe(2);
  });

  test("the same kid with a new key: fetched once more, accepted [T06]", async () => {
    const { kid } = await providerKey("RS256");
    const sign = await startSignIn();
    const undo = serveKeys(sign.provider, [publicHalf(strangeKey(kid))], 1);
    sign.opened.prefetchKeys();
    await sign.opened.keys.current();
    undo();
    const answer = await sign.finishWith(await forgeToken(sign.claims));
    expect(answer.signatureVerified).toBe(true);
    expect(sign.provider.requests().jwks).toBe(2);
  });

  test("an unknown kid has the keys fetched exactly once more [T06]", async () => {
    const { claims, refusalOf, provider } = await startSignIn({ prefetch: true });
    const error = await refusalOf(await forgeToken(claims, { header: { kid: "nobody" } }));
    expect(error).toMatchObject({ code: "id_token_invalid", reason: "jwks_key_not_found" });
    expect(provider.requests().jwks).toBe(2);
  });

  test("unusable keys are skipped, ten thousand of them too [T08]", async () => {
    const own = publicHalf(await providerKey("RS256"));
    const { kid } = own;
    const short = publicHalf(strangeKey(kid, 1024));
    const junk = [
      { kty: "oct", k: "AAAA", kid },
      { ...own, use: "enc" },
      { ...own, key_ops: ["encrypt"] },
      { ...own, alg: "ES256" },
      { ...own, n: 7 },
      { ...own, e: "A".repeat(500) },
      { kty: "EC", crv: "secp256k1", x: "AAAA", y: "AAAA", kid },
      { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA", kid },
      { kty: "OKP", crv: "X25519", x: "AAAA", kid },
      short,
      null,
      7,
      [],
    ];
    const { claims, finishWith, provider } = await startSignIn();
    const many = Array.from({ length: 10_000 }, () => ({ kty: "oct", kid }));
    serveKeys(provider, [...junk, ...many, own]);
    expect((await finishWith(await forgeToken(claims))).signatureVerified).toBe(true);
  });
});
