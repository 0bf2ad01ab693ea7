// What an ID token must say: one row for each check, so that none can be taken out unseen.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { clockToleranceSeconds } from "../core/limits.ts";
import { authenticationProblem, checkIdTokenClaims } from "./id-token-claims.ts";
import type { ExpectedClaims, Occasion } from "./id-token-claims.ts";

const now = 1_800_000_000;
const issuer = "https://id.example.com";
const clientId = "cli";
const halfOf = (value: string, digest = "sha256"): string => {
  const whole = createHash(digest).update(value).digest();
  return whole.subarray(0, whole.length / 2).toString("base64url");
};
const genuine = { iss: issuer, sub: "alice", aud: clientId, iat: now, exp: now + 600, nonce: "n" };
const login: Occasion = { kind: "login", nonce: "n" };
const expected: ExpectedClaims = {
  issuer,
  clientId,
  algorithm: "RS256",
  accessToken: "token",
  code: "code",
  occasion: login,
};

function judge(changes: object, more: Partial<ExpectedClaims> = {}): string {
  const checked = checkIdTokenClaims({ ...genuine, ...changes }, { ...expected, ...more }, now);
  return "problem" in checked ? checked.problem : "accepted";
}

describe("OpenID Connect Core 3.1.3.7", () => {
  test.each<[string, object, string]>([
    ["nothing wrong", {}, "accepted"],
    ["no iss", { iss: undefined }, "issuer"],
    ["another iss [T09]", { iss: `${issuer}/` }, "issuer"],
    ["iss in a list [T09]", { iss: [issuer] }, "issuer"],
    ["no aud [T10]", { aud: undefined }, "audience"],
    ["an empty aud", { aud: "" }, "audience"],
    ["no aud in the list", { aud: [] }, "audience"],
    ["a list with something else in it", { aud: [clientId, 7], azp: clientId }, "audience"],
    ["aud in an object", { aud: { cli: true } }, "audience"],
    ["another aud", { aud: "other" }, "audience"],
    ["a list of one", { aud: [clientId] }, "accepted"],
    ["a list of another one", { aud: ["other"] }, "audience"],
    ["several without azp", { aud: [clientId, "other"] }, "audience"],
    ["several with another azp", { aud: [clientId, "other"], azp: "other" }, "audience"],
    ["several with our azp", { aud: [clientId, "other"], azp: clientId }, "accepted"],
    ["several others with our azp", { aud: ["some", "other"], azp: clientId }, "audience"],
    ["no exp [T11]", { exp: undefined }, "time_malformed"],
    ["exp as text", { exp: String(now + 60) }, "time_malformed"],
    ["exp without end", { exp: Infinity }, "time_malformed"],
    ["a negative exp", { exp: -1 }, "time_malformed"],
    ["exp past", { exp: now - clockToleranceSeconds }, "untimely"],
    ["exp past within the tolerance", { exp: now - clockToleranceSeconds + 1 }, "accepted"],
    ["no iat", { iat: undefined }, "time_malformed"],
    ["iat as text", { iat: "1" }, "time_malformed"],
    ["a negative iat", { iat: -1 }, "time_malformed"],
    ["an iat that no date can hold", { iat: 1e300 }, "time_malformed"],
    ["iat ahead", { iat: now + clockToleranceSeconds + 1 }, "untimely"],
    ["iat ahead within the tolerance", { iat: now + clockToleranceSeconds }, "accepted"],
    ["nbf as text", { nbf: "1" }, "time_malformed"],
    ["a negative nbf", { nbf: -1 }, "time_malformed"],
    ["nbf ahead", { nbf: now + clockToleranceSeconds + 1 }, "untimely"],
    ["nbf ahead within the tolerance", { nbf: now + clockToleranceSeconds }, "accepted"],
    ["no sub [T12]", { sub: undefined }, "subject_missing"],
    ["sub null", { sub: null }, "subject_missing"],
    ["an empty sub", { sub: "" }, "subject_missing"],
    ["sub as number", { sub: 7 }, "subject_kind"],
    ["a sub of 256 characters", { sub: "x".repeat(256) }, "subject_length"],
    ["a sub of 255 characters", { sub: "x".repeat(255) }, "accepted"],
    ["no nonce [T13]", { nonce: undefined }, "nonce_missing"],
    ["another nonce", { nonce: "m" }, "nonce"],
    ["at_hash [T14]", { at_hash: halfOf("token") }, "accepted"],
    ["another at_hash", { at_hash: halfOf("other") }, "access_token_hash"],
    [
      "the whole digest as at_hash",
      { at_hash: createHash("sha256").update("token").digest("base64url") },
      "access_token_hash",
    ],
    ["at_hash as number", { at_hash: 7 }, "access_token_hash"],
    ["c_hash", { c_hash: halfOf("code") }, "accepted"],
    ["another c_hash", { c_hash: halfOf("other") }, "code_hash"],
  ])("%s", (_name, changes, outcome) => {
    expect(judge(changes)).toBe(outcome);
  });

  test.each([
    ["RS384", "sha384"],
    ["PS512", "sha512"],
    ["ES256", "sha256"],
    ["HS384", "sha384"],
    ["EdDSA", "sha512"],
    ["Ed25519", "sha512"],
  ])("at_hash has the digest of the algorithm: %s, %s [T14]", (algorithm, digest) => {
    expect(judge({ at_hash: halfOf("token", digest) }, { algorithm })).toBe("accepted");
    const other = digest === "sha512" ? "sha256" : "sha512";
    expect(judge({ at_hash: halfOf("token", other) }, { algorithm })).toBe("access_token_hash");
  });

  test("where no nonce was sent a token with one is another's; where none could be, none is looked at", () => {
    expect(judge({}, { occasion: { kind: "login", nonce: undefined } })).toBe("nonce");
    expect(judge({}, { occasion: { kind: "device" } })).toBe("accepted");
    expect(judge({ nonce: undefined }, { occasion: { kind: "device" } })).toBe("accepted");
  });

  test("c_hash without a code is about another answer [T14]", () => {
    expect(judge({ c_hash: halfOf("code") }, { code: undefined })).toBe("code_hash");
  });
});

describe("auth_time", () => {
  const since = now - 300;
  const asked: Occasion = { ...login, authenticatedSince: since };

  test.each<[string, unknown, string]>([
    ["absent", undefined, "authentication_time"],
    ["null", null, "authentication_time"],
    ["text", "yesterday", "authentication_time_kind"],
    ["too long ago", since - clockToleranceSeconds - 1, "authentication_time"],
    ["long ago within the tolerance", since - clockToleranceSeconds, "accepted"],
    ["numeric text", String(now), "accepted"],
    ["ahead within the tolerance", now + clockToleranceSeconds, "accepted"],
    ["ahead of it", now + clockToleranceSeconds + 1, "authentication_time"],
  ])("with max_age: %s [A12]", (_name, auth_time, outcome) => {
    expect(judge({ auth_time }, { occasion: asked })).toBe(outcome);
    expect(judge({ auth_time }, { occasion: { ...asked, kind: "device" } })).toBe(outcome);
    expect(judge({ auth_time })).toBe("accepted");
  });

  test("an answer without an ID token says nothing of it", () => {
    expect(authenticationProblem({}, since, now)).toBe("authentication_time");
    expect(authenticationProblem({}, undefined, now)).toBeUndefined();
  });

  test("it is given as a number, or not at all", () => {
    const read = (auth_time: unknown): unknown => {
      const checked = checkIdTokenClaims({ ...genuine, auth_time }, expected, now);
      return "claims" in checked ? checked.claims : checked;
    };
    expect(read("1700000000")).toHaveProperty("auth_time", 1_700_000_000);
    expect(read("yesterday")).not.toHaveProperty("auth_time");
  });
});

describe("OpenID Connect Core 12.2", () => {
  const previous = { iss: issuer, sub: "alice", aud: ["cli", "api"], nonce: "n" };
  const claims = { aud: ["api", "cli"], azp: "cli" };
  const renewed = (changes: object, before: object = previous): string =>
    judge({ ...claims, ...changes }, { occasion: { kind: "refresh", previous: before } });

  test.each<[string, object, string]>([
    ["the same sign-in, its audiences in another order", {}, "accepted"],
    ["without a nonce", { nonce: undefined }, "accepted"],
    ["another nonce [R10]", { nonce: "m" }, "nonce"],
    ["another sub [R10]", { sub: "mallory" }, "another_subject"],
    ["fewer audiences", { aud: "cli" }, "audience"],
    ["more audiences", { aud: ["cli", "api", "more"], azp: "cli" }, "audience"],
    ["a later auth_time", { auth_time: now }, "accepted"],
  ])("%s", (_name, changes, outcome) => {
    expect(renewed(changes)).toBe(outcome);
  });

  test("another iss than the sign-in's, though the configured one [R10]", () => {
    expect(renewed({}, { ...previous, iss: "https://elsewhere.example" })).toBe("issuer");
  });

  test("a sign-in without an ID token leaves nothing to compare", () => {
    expect(renewed({ sub: "mallory", aud: "cli", nonce: "m" }, {})).toBe("accepted");
    const occasion: Occasion = { kind: "refresh", previous: undefined };
    expect(judge({ sub: "mallory" }, { occasion })).toBe("accepted");
  });
});
