// Changes with what providers answer when they refuse.
import { expect, test } from "vitest";
import type { OidcError } from "../core/errors.ts";
import { acceptedBody } from "./successful-answer.ts";
import { refusedAnswer } from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";

/** The error for an answer of id.example.com to a request. */
function refusalOf(
  status: number,
  body: unknown,
  context: Partial<RequestContext> = {},
  headers: Record<string, string> = {},
): OidcError {
  const answer = {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: new TextEncoder().encode(JSON.stringify(body)),
    url: "https://id.example.com/token",
  };
  if (acceptedBody(answer) !== undefined) throw new Error("that was no refusal");
  return refusedAnswer(answer, {
    step: "token request",
    secretSent: false,
    secrets: [],
    ...context,
  });
}

const refresh = { grantType: "refresh_token" };

// Dex (server/grants/refresh.go), Authlib (https://github.com/authlib/authlib/issues/112), and
// https://github.com/xee-lab/xee-api-docs/issues/82.
test.each([
  [400, { error: "invalid_request", error_description: "Refresh token expired." }],
  [
    400,
    {
      error: "invalid_request",
      error_description: "Refresh token is invalid or has already been claimed by another client.",
    },
  ],
  [400, { error: "invalid_request", error_description: 'Invalid "refresh_token" in request.' }],
  [400, { error: "Bad Request", status: 400, message: "Invalid refresh token" }],
  [401, { error: "unauthorized", message: "The refresh token does not exist" }],
  [400, { message: "refresh token no longer valid" }],
  [403, { error: { code: 403, message: "Refresh-Token was revoked" } }],
])(
  "a refresh token that is over, in other words: %i %j [F-P refresh-refusal-in-other-words]",
  (status, body) => {
    const error = refusalOf(status, body, refresh);
    expect([error.code, error.reason]).toEqual(["token_request_failed", "invalid_grant"]);
    expect(error.message).toContain("The sign-in has ended at the provider. Sign in again.");
    // Of another grant it says nothing.
    const grantType = "authorization_code";
    expect(refusalOf(status, body, { grantType }).reason).not.toBe("invalid_grant");
  },
);

test.each([
  { error: "invalid_request" },
  { error: "invalid_request", error_description: "refresh_token missing" },
  { error: "invalid_request", error_description: "Invalid request: refresh_token is required" },
  { error: "invalid_request", error_description: "Invalid client for this refresh token" },
  { error: "invalid_scope", error_description: "Invalid scope for the refresh token" },
  { error: "invalid_client", error_description: "refresh token unknown" },
  { error: "server_error", error_description: "refresh token not found in the database" },
  { message: "invalid request" },
])(
  "what is not said of the refresh token leaves it: %j [F-P refresh-refusal-in-other-words]",
  (body) => {
    expect(refusalOf(400, body, refresh).reason).not.toBe("invalid_grant");
  },
);

test("a bare invalid_request of a refresh leads out of it [F-P refresh-refusal-in-other-words]", () => {
  const error = refusalOf(400, { error: "invalid_request" }, refresh);
  expect(error.reason).toBe("invalid_request");
  expect(error.message).toContain("sign in again");
});

test.each([
  [
    400,
    { error: { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT" } },
    "INVALID_ARGUMENT: API key not valid.",
  ],
  [
    401,
    { errorCode: "E0000011", errorSummary: "Invalid token provided" },
    "E0000011: Invalid token provided",
  ],
  [400, { status: 400, message: "Invalid authorization code" }, "Invalid authorization code"],
  [500, { message: "database is down" }, "database is down"],
  [400, { error: "invalid_request", message: "grant is odd" }, "grant is odd"],
])(
  "what a provider says in members of its own is told: %i %j [F-P says-why-in-other-members]",
  (status, body, words) => {
    const error = refusalOf(status, body);
    expect(error.message.endsWith(`The provider says: "${words}"`)).toBe(true);
    expect(error.message).not.toContain("without saying why");
    expect(error.providerErrorDescription).toBe(words);
  },
);

test("words of its own are bounded, safe to show and without our secrets [F-P says-why-in-other-members] [O04] [O06]", () => {
  const secret = "a-secret-of-ours";
  const message = `bad\u001b[2J ${secret} ${"x".repeat(5000)}`;
  const error = refusalOf(400, { message }, { secrets: [secret] });
  expect(error.message).toContain('"bad [2J [redacted] xxx');
  expect(error.message.length).toBeLessThan(500);
});

test.each([{ error_code: "rate_limit_exceeded" }, { error: "too_many_requests" }])(
  "a limit of requests by word is one: %j [F-P says-why-in-other-members]",
  (body) => {
    const error = refusalOf(403, body, refresh, { "retry-after": "30" });
    expect(error).toMatchObject({
      code: "rate_limited",
      retryable: true,
      retryAfterSeconds: 30,
    });
    expect(error.message).toContain("Try again in 30 s");
  },
);

test("a refused scope is named, and what could be asked for [F-U12]", () => {
  const body = { error: "invalid_scope" };
  const requestedScopes = ["openid", "api:read"];
  expect(refusalOf(400, body, { requestedScopes }).message).toContain(
    "does not grant these scopes to this client: openid api:read. Check `scopes`.",
  );
  const listedScopes = ["openid", ...Array.from({ length: 200 }, (_, index) => `scope-${index}`)];
  const { message } = refusalOf(400, body, { requestedScopes, listedScopes });
  expect(message).toContain("openid api:read. Its metadata lists: openid scope-0");
  expect(message.length).toBeLessThan(600);
  expect(refusalOf(400, body).message).toContain("none was asked for");
});

test.each([{ error: "unauthorized" }, { error: "Bad credentials" }, { message: "no" }])(
  "status 401 after a secret was sent is about the secret first, in whatever words: %j [F-U21]",
  (body) => {
    const { message } = refusalOf(401, body, { secretSent: true, ...refresh });
    expect(message).toContain("Check `clientSecret`, then `clientId`.");
    expect(refusalOf(401, body).message).not.toContain("clientSecret");
  },
);

test("a word of its own with 401 after a secret was sent costs no refresh token [F-U21]", () => {
  const ended = (error: string): string | undefined =>
    refusalOf(401, { error }, { secretSent: true, ...refresh }).reason;
  expect(ended("bad_credentials")).toBeUndefined();
  expect(ended("token_expired")).toBe("invalid_grant");
});

test.each([
  [401, "invalid_token", /does not take this access token/],
  [403, "no_error_member", /openid/],
  [404, "no_error_member", /does not take this access token/],
])("status %i for an access token is not about the client [F-U19]", (status, reason, words) => {
  const error = refusalOf(status, {}, { step: "userinfo", bearer: true });
  expect([error.code, error.reason]).toEqual(["token_request_failed", reason]);
  expect(error.message).toMatch(words);
  expect(error.message).not.toContain("clientId");
});
