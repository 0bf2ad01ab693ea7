// Changes with what an ID token must say.
import { afterEach, describe, expect, test } from "vitest";
import { serveKeys, startSignIn } from "../../test/support/protocol-sign-in.ts";
import { cleanUp } from "../../test/support/protocol-world.ts";
import {
  forgeToken,
  halfHash,
  providerKey,
  publicHalf,
  unsignedToken,
} from "../../test/support/token-forge.ts";
import { maxLifetimeSeconds } from "../core/limits.ts";
import { decodeStoredIdToken, idTokenTimes } from "../core/stored-id-token.ts";

afterEach(cleanUp);

describe("claims", () => {
  const now = Math.floor(Date.now() / 1000);
  const other = "another-client";
  test.each<[string, Record<string, unknown>, string, string]>([
    ["iss with a slash", { iss: "ISSUER/" }, "id_token_iss", "T09"],
    ["iss in capitals", { iss: "CAPITALS" }, "id_token_iss", "T09"],
    ["iss with a suffix", { iss: "ISSUER.evil.example" }, "id_token_iss", "T09"],
    ["iss in a list", { iss: ["ISSUER"] }, "id_token_iss", "T09"],
    ["no iss", { iss: undefined }, "id_token_iss", "T09"],
    ["no aud", { aud: undefined }, "id_token_aud", "T10"],
    ["another aud", { aud: other }, "id_token_aud", "T10"],
    ["an empty aud list", { aud: [] }, "id_token_aud", "T10"],
    ["mixed aud types", { aud: ["CLIENT", 7] }, "id_token_aud", "T10"],
    ["an aud object", { aud: { CLIENT: true } }, "id_token_aud", "T10"],
    ["several aud without azp", { aud: ["CLIENT", other] }, "id_token_aud", "T10"],
    ["several aud, azp not us", { aud: ["CLIENT", other], azp: other }, "id_token_aud", "T10"],
    ["no exp", { exp: undefined }, "id_token_time", "T11"],
    ["exp as text", { exp: String(now + 60) }, "id_token_time", "T11"],
    ["exp long past", { exp: now - 3600 }, "id_token_time", "T11"],
    ["exp past by more than the tolerance", { exp: now - 62 }, "id_token_time", "T11"],
    ["exp null (NaN)", { exp: null }, "id_token_time", "T11"],
    ["no iat", { iat: undefined }, "id_token_time", "T11"],
    ["iat in the future", { iat: now + 300 }, "id_token_time", "T11"],
    ["iat as text", { iat: "1" }, "id_token_time", "T11"],
    ["nbf in the future", { nbf: now + 300 }, "id_token_time", "T11"],
    ["nbf as text", { nbf: "1" }, "id_token_time", "T11"],
    ["no sub", { sub: undefined }, "id_token_sub", "T12"],
    ["an empty sub", { sub: "" }, "id_token_sub", "T12"],
    ["sub as number", { sub: 7 }, "id_token_sub", "T12"],
    ["an endless sub", { sub: "x".repeat(256) }, "id_token_sub", "T12"],
    ["no nonce", { nonce: undefined }, "id_token_nonce", "T13"],
    ["another nonce", { nonce: "x" }, "id_token_nonce", "T13"],
    ["a nonce of another type", { nonce: ["x"] }, "id_token_nonce", "T13"],
    ["a wrong at_hash", { at_hash: halfHash("x") }, "id_token_at_hash", "T14"],
    ["an empty at_hash", { at_hash: "" }, "id_token_at_hash", "T14"],
    ["at_hash as number", { at_hash: 7 }, "id_token_at_hash", "T14"],
    ["a wrong c_hash", { c_hash: halfHash("x") }, "id_token_c_hash", "T14"],
    ["a negative iat", { iat: -1e300 }, "id_token_time", "T11"],
    ["an nbf that no date can hold", { nbf: 1e300 }, "id_token_time", "T11"],
  ])("refuses %s: %o → %s [%s]", async (_name, changes, reason) => {
    const { claims, refusalOf, provider, clientId } = await startSignIn({ prefetch: true });
    const text = JSON.stringify({ ...claims, ...changes })
      .replaceAll("ISSUER", provider.issuer)
      .replaceAll("CAPITALS", provider.issuer.replace("http", "HTTP"))
      .replaceAll("CLIENT", clientId);
    const error = await refusalOf(await forgeToken(text));
    expect(error).toMatchObject({ code: "id_token_invalid", reason });
    expect(provider.requests()).toMatchObject({ jwks: 1, userinfo: 0 });
  });

  test.each([
    ["null", null, undefined],
    ["numeric text, as CILogon sends it", "1700000000", 1_700_000_000],
    ["ISO text, as ADFS sends it", "2026-11-30T10:00:00Z", undefined],
    ["a number that no date can hold", 1e300, undefined],
  ])(
    "auth_time as %s stops nobody who did not ask for it [F-P auth-time-as-text]",
    async (...row) => {
      const [, auth_time, read] = row;
      const { claims, finishWith } = await startSignIn({ prefetch: true });
      const answer = await finishWith(await forgeToken({ ...claims, auth_time }));
      expect(answer.claims?.["auth_time"]).toBe(read);
    },
  );

  test.each([
    ["a sub that is a number", { sub: 12_345 }, /its sub, .* is not text/],
    [
      "a sub of 256 characters [F-P sub-of-256]",
      { sub: `EE/${"x".repeat(253)}` },
      /longer than 255/,
    ],
    ["no nonce [F-U23]", { nonce: undefined }, /has no nonce, though this sign-in sent one/],
  ])("%s is called by its name [F-P auth-time-as-text]", async (_name, changes, words) => {
    const { claims, refusalOf } = await startSignIn({ prefetch: true });
    expect((await refusalOf(await forgeToken({ ...claims, ...changes }))).message).toMatch(words);
  });

  test("claims called __proto__ are nobody's own member [F-S16] [P05]", async () => {
    const { claims, finishWith } = await startSignIn({ prefetch: true });
    const text = JSON.stringify({ ...claims, address: { city: "x" } })
      .replace('{"iss"', '{"__proto__":{"admin":true},"iss"')
      .replace('{"city"', '{"__proto__":{"admin":true},"city"');
    const idToken = await forgeToken(text);
    const answer = await finishWith(idToken);
    for (const read of [answer.claims, decodeStoredIdToken(idToken)]) {
      expect(Object.getOwnPropertyNames(read)).not.toContain("__proto__");
      expect(Object.getOwnPropertyNames(read?.["address"])).toEqual(["city"]);
      expect(read).not.toHaveProperty("admin");
    }
  });

  test("an end that no date can hold is the longest that is believed [F-S17]", async () => {
    const { claims, finishWith } = await startSignIn({ prefetch: true });
    const idToken = await forgeToken({ ...claims, exp: 1e300 });
    expect((await finishWith(idToken)).claims?.sub).toBe("alice");
    const times = idTokenTimes(idToken);
    expect(Number(times?.expiresAt) - Number(times?.issuedAt)).toBe(maxLifetimeSeconds);
  });

  test("an address is shown without its user name and password [F-P credentials-in-a-message]", async () => {
    const { claims, refusalOf } = await startSignIn();
    const iss = "https://user:pass-word@other.example";
    const error = await refusalOf(await forgeToken({ ...claims, iss }));
    expect(error.message).toContain('"https://other.example" instead of');
    expect(error.message).not.toContain("pass-word");
  });

  test("a wrong iss is shown beside the right one [T09]", async () => {
    const { claims, refusalOf, provider } = await startSignIn();
    const error = await refusalOf(await forgeToken({ ...claims, iss: "https://other.example" }));
    expect(error.message).toContain(`"https://other.example" instead of "${provider.issuer}"`);
  });

  test.each([
    [
      "a clock that is five hours ahead",
      { iat: now - 18_000, exp: now - 14_400 },
      "was issued 5 hours ago and has expired",
    ],
    ["one that is three minutes behind", { iat: now + 180 }, "was issued 3 minutes in the future"],
    ["one that is a month behind", { iat: now + 30 * 86_400 }, "was issued 30 days in the future"],
    ["times that do not fit in another way", { nbf: now + 300 }, "is not valid now"],
  ])(
    "%s: says what the clock shows and by how much it differs [T11]",
    async (_name, changes, said) => {
      const { claims, refusalOf } = await startSignIn();
      const { message } = await refusalOf(await forgeToken({ ...claims, ...changes }));
      expect(message).toMatch(/by this machine's clock \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\) it /);
      expect(message).toContain(`${said}. If that clock is wrong, set it and sign in again`);
    },
  );

  test("refuses a token that never ends: exp 1e400 [T11]", async () => {
    const { claims, refusalOf } = await startSignIn();
    const text = JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400');
    expect((await refusalOf(await forgeToken(text))).reason).toBe("id_token_time");
  });

  test.each<[string, Record<string, unknown>]>([
    ["exp past within the tolerance [T11]", { exp: now - 30 }],
    ["iat ahead within the tolerance [T11]", { iat: now + 30 }],
    ["our aud in a list of one [T10]", { aud: ["CLIENT"] }],
    ["several aud with us as azp [T10]", { aud: ["CLIENT", other], azp: "CLIENT" }],
    ["a right at_hash [T14]", { at_hash: halfHash("access-token-for-alice") }],
    ["a right c_hash [T14]", { c_hash: halfHash("the-code") }],
    ["no hash at all [T14]", {}],
    [
      "claims sources, which nobody follows",
      { _claim_names: { a: "s" }, _claim_sources: { s: {} } },
    ],
  ])("accepts %s", async (_name, changes) => {
    const { claims, finishWith, clientId } = await startSignIn();
    const text = JSON.stringify({ ...claims, ...changes }).replaceAll("CLIENT", clientId);
    expect((await finishWith(await forgeToken(text))).claims?.sub).toBe("alice");
  });

  test("at_hash follows the algorithm's digest [T14]", async () => {
    const document = { id_token_signing_alg_values_supported: undefined };
    const { kid: _kid, alg: _alg, ...key } = await providerKey("RS256");
    const { claims, finishWith, provider } = await startSignIn({ document });
    serveKeys(provider, [publicHalf(key)]);
    const at_hash = halfHash("access-token-for-alice", "sha512");
    const header = { kid: undefined };
    const token = await forgeToken({ ...claims, at_hash }, { algorithm: "RS512", header });
    expect((await finishWith(token)).signatureVerified).toBe(true);
  });

  test("our clock decides, not the machine's", async () => {
    const { claims, refusalOf, world } = await startSignIn({ prefetch: true });
    world.advance(2 * 3600);
    expect((await refusalOf(await forgeToken(claims))).reason).toBe("id_token_time");
  });

  test("without openid no nonce is sent, and a token with one is another's [T13]", async () => {
    const { claims, finishWith, nonce } = await startSignIn({ scopes: ["profile"] });
    expect(nonce).toBeUndefined();
    expect((await finishWith(await forgeToken(claims))).claims?.sub).toBe("alice");
    const foreign = await startSignIn({ scopes: ["profile"] });
    const error = await foreign.refusalOf(await forgeToken({ ...foreign.claims, nonce: "x" }));
    expect(error.reason).toBe("id_token_nonce");
  });
});

describe("form", () => {
  test.each<[string, string, string]>([
    ["an encrypted token", "a.b.c.d.e", "id_token_malformed"],
    ["two parts", "a.b", "id_token_malformed"],
    ["more than its share of the answer", `${"a".repeat(200_000)}.b.c`, "id_token"],
    ["a hundred thousand dots", ".".repeat(100_000), "id_token_malformed"],
    ["no base64url", "a+b.c/d.e=", "id_token_malformed"],
    ["a header that is no JSON", unsignedToken("x", {}, "AAAA"), "id_token_malformed"],
    ["a header that is a list", unsignedToken([], {}, "AAAA"), "id_token_malformed"],
    [
      "a payload that is no object",
      unsignedToken({ alg: "RS256" }, "7", "A"),
      "id_token_malformed",
    ],
    ["no alg", unsignedToken({}, {}, "AAAA"), "id_token_malformed"],
    ["PBES2", unsignedToken({ alg: "PBES2-HS256+A128KW", p2c: 1e9 }, {}), "id_token_alg"],
  ])("refuses %s without asking for keys [T15]", async (_name, token, reason) => {
    const { refusalOf, provider } = await startSignIn();
    expect((await refusalOf(token)).reason).toBe(reason);
    expect(provider.requests().jwks).toBe(0);
  });

  test.each([".AAAA", ".AAAA.AAAA", "=", "\u00e9"])(
    "refuses a signed token that goes on with %j, without asking for keys [T15]",
    async (more) => {
      const { claims, refusalOf, provider } = await startSignIn();
      const error = await refusalOf(`${await forgeToken(claims)}${more}`);
      expect(["id_token", "id_token_malformed"]).toContain(error.reason);
      expect(provider.requests().jwks).toBe(0);
    },
  );

  test("a missing token is an error only with OIDC discovery and openid granted [T16]", async () => {
    const plain = await startSignIn();
    expect(await plain.refusalOf(null)).toMatchObject({
      code: "id_token_invalid",
      reason: "id_token_missing",
    });
    const notGranted = await startSignIn();
    const answer = await notGranted.finishWith(null, { scope: "profile" });
    expect(answer).not.toHaveProperty("claims");
    expect(answer).not.toHaveProperty("signatureVerified");
    const notAsked = await startSignIn({ scopes: ["profile"] });
    expect(await notAsked.finishWith(null)).not.toHaveProperty("idToken");
  });

  test("keys that can't be had are said to be missing, and nothing is accepted", async () => {
    const { claims, refusalOf, provider } = await startSignIn();
    provider.tamper({ path: "jwks", respond: async () => "reset" });
    const error = await refusalOf(await forgeToken(claims));
    expect(error.code).toBe("network");
  });
});
