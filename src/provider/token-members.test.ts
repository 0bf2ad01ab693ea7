// Changes with what is made of the members of a token answer.
import { expect, test } from "vitest";
import { worded, type Wording } from "../core/wording.ts";
import { isOidcError } from "../core/errors.ts";
import type { OidcError } from "../core/errors.ts";
import { tokenAnswerError } from "./token-answer-words.ts";
import { readTokenMembers } from "./token-answer.ts";
import type { TokenMembers } from "./token-answer.ts";

const secret = "the-refresh-token-that-was-sent";

function read(
  body: Readonly<Record<string, unknown>>,
  grantType = "authorization_code",
): { members: TokenMembers; warnings: string[] } {
  const warnings: string[] = [];
  const facts = {
    host: "id.example.com:443",
    requestedScopes: [],
    sentAt: 0,
    grantType,
    secrets: [secret],
    onWarning: (code: string, said: string | Wording) =>
      void warnings.push(`${code}: ${worded(said)}`),
  };
  const result = readTokenMembers({ access_token: "x", token_type: "Bearer", ...body }, facts);
  if ("problem" in result) throw tokenAnswerError(result.problem, facts);
  return { members: result.members, warnings };
}

function refusalOf(body: Readonly<Record<string, unknown>>): OidcError {
  try {
    read(body);
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("that was accepted");
}

test.each([undefined, null, ""])(
  "a missing token_type (%j) is Bearer, and no renewal makes a noise of it [F-T12] [F-P token-type-words]",
  (token_type) => {
    const { members, warnings } = read({ token_type });
    expect(members.accessToken).toBe("x");
    expect(warnings).toEqual([
      expect.stringMatching(/^token_response_odd: .* without a token type/),
    ]);
    expect(read({ token_type }, "refresh_token").warnings).toEqual([]);
  },
);

test("a foreign token type is called by its name, should it not be a secret of ours [F-P token-type-words] [F-S9]", () => {
  const error = refusalOf({ token_type: "mac" });
  expect([error.code, error.reason]).toEqual(["token_response_invalid", "token_type"]);
  expect(error.message).toContain('of the type "mac"');
  expect(refusalOf({ token_type: secret }).message).not.toContain(secret.slice(0, 8));
});

test("a missing access token is no foreign token type, and a scope may bring one [F-P token-type-words]", () => {
  const error = refusalOf({ access_token: undefined, id_token: "a.b.c" });
  expect(error.reason).toBe("access_token");
  expect(error.message).toContain("without an access token");
  expect(error.message).toContain("Ask for a scope of an API by `scopes`");
});

test.each(["access_token", "refresh_token", "id_token", "scope"])(
  "the limit that ran out is named: %s [F-P limit-not-named]",
  (member) => {
    const error = refusalOf({ [member]: "x".repeat(200_000) });
    expect(error.reason).toBe(member);
    expect(error.message).toContain("longer than 131072 characters");
  },
);
