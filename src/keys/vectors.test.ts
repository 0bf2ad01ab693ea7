// The vectors of the standards and of Wycheproof: what is accepted, and what is not.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseCompactToken } from "./compact-token.ts";
import { parseKeySet } from "./public-key.ts";
import { isSignedBy, isSignedWithSecret } from "./signature.ts";

type Jwk = Readonly<Record<string, unknown>>;

function read(name: string): unknown {
  const path = new URL(`../../test/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Whether one of the keys that we would use made the signature. A secret is used as it is: no key set has any. */
function isAccepted(jws: string, keys: readonly Jwk[]): boolean {
  const token = parseCompactToken(jws);
  if (token === undefined || token.signature.length === 0) return false;
  const bySecret = keys.some(
    ({ kty, k }) =>
      kty === "oct" && k !== "" && isSignedWithSecret(token, Buffer.from(String(k), "base64url")),
  );
  return bySecret || (parseKeySet({ keys }) ?? []).some((key) => isSignedBy(token, key));
}

describe("RFC 7515, 7520, 8037", () => {
  const { vectors } = read("rfc.json") as {
    vectors: { source: string; key?: Jwk; secret?: string; payload: string; token: string }[];
  };

  test.each(vectors.map((vector) => [vector.source, vector] as const))(
    "%s: accepted, and refused with any other bit",
    (_source, { key, secret, payload, token }) => {
      const keys = [key ?? { kty: "oct", k: secret }];
      expect(parseCompactToken(token)?.payload.toString()).toBe(payload);
      expect(isAccepted(token, keys)).toBe(true);
      const [header = "", body = "", signature = ""] = token.split(".");
      const bytes = Buffer.from(signature, "base64url");
      for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
        const spoiled = Buffer.from(bytes);
        spoiled[at] = (spoiled[at] ?? 0) ^ 1;
        expect(isAccepted(`${header}.${body}.${spoiled.toString("base64url")}`, keys)).toBe(false);
      }
      const other = Buffer.from(`${payload} `).toString("base64url");
      expect(isAccepted(`${header}.${other}.${signature}`, keys)).toBe(false);
    },
  );
});

describe("Wycheproof", () => {
  const { groups } = read("wycheproof/json-web-signature.json") as {
    groups: {
      file: string;
      comment: string;
      keys: Jwk[];
      tests: { tcId: number; comment: string; result: string; jws: string }[];
    }[];
  };

  /** What differs here, and why. */
  const differences: Readonly<Record<string, readonly string[]>> = {
    "no key set has secrets here: the client's own secret is used as it is, with no name, at any length":
      [
        "json_web_key_test 1 jws_mixedSymmetryKeyset: rejectsValid",
        "json_web_key_test 4 jws_duplicate_kid: rejectsDuplicateKid",
        "json_web_key_test 10 HS256: key_too_short",
        "json_web_key_test 11 HS384: key_too_short",
        "json_web_key_test 12 HS512: key_too_short",
        "json_web_key_test 25 invalid_aes_gcm_key: rejectsAesKey",
        "json_web_key_test 26 invalid_aes_kw_key: rejectsAesKey",
      ],
    "no key is tested for what made it: whoever can break this one needs no fault of ours": [
      "json_web_key_test 7 jws_rsa_roca_key: rejectsKeyWithRocaVulnerability",
    ],
    "the vector's key names another algorithm than its token, or one that does not exist (ES521)": [
      "json_web_signature_test 346 rfc7520: Figure20",
      "json_web_signature_test 347 rfc7520: Figure27",
      "json_web_signature_test 350 rfc7520WithKeyOps: Figure20",
      "json_web_signature_test 351 rfc7520WithKeyOps: Figure27",
    ],
    "the vector has lost its padding, and is the same text as number 357, which is valid": [
      "json_web_signature_test 367 base64: invalidBase64Padding",
      "json_web_signature_test 370 base64: invalidBase64PaddingInPayload",
    ],
    "a character that is not of the alphabet is not left out here": [
      "json_web_signature_test 372 base64: InvalidCharacterInsertedInHeader",
      "json_web_signature_test 373 base64: InvalidCharacterInsertedInPayload",
    ],
  };
  const cases = groups.flatMap(({ file, comment, keys, tests }) =>
    tests.map((each) => ({
      name: `${file} ${String(each.tcId)} ${comment}: ${each.comment}`,
      jws: each.jws,
      keys,
      isValid: each.result === "valid",
    })),
  );

  test("hundreds of tokens are judged as they should be", () => {
    expect(cases.length).toBeGreaterThan(400);
    const differing = cases
      .filter(({ jws, keys, isValid }) => isAccepted(jws, keys) !== isValid)
      .map(({ name }) => name);
    expect(differing.toSorted()).toEqual(Object.values(differences).flat().toSorted());
  });
});
