// Client credentials and given tokens: the same interface, the same store, no person.

import { existsSync } from "node:fs";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  BearerTokenAuth,
  isOidcError,
  OidcAuth,
  OidcCredentialsAuth,
  type Credential,
} from "../../src/index.ts";
import { emptyHome, failureOf, provider } from "./harness.ts";

function constructionFailure(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (isOidcError(error)) return error.code;
    throw error;
  }
  return "none";
}

test("client credentials: a token without browser, ID token or refresh token, cached, then asked for again [T26]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const make = (): OidcCredentialsAuth =>
    new OidcCredentialsAuth({ issuer: identityProvider.issuer, clientId, clientSecret });
  const auth = make();
  const first = await auth.getToken();
  expect([first.source, first.idToken, first.tokenType]).toEqual(["login", undefined, "Bearer"]);
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, jwks: 0, token: 1, total: 2 });
  const [request] = identityProvider.tokenRequests();
  expect([request?.get("grant_type"), request?.has("scope")]).toEqual([
    "client_credentials",
    false,
  ]);
  expect((await make().getToken()).source).toBe("cache");
  expect((await auth.getToken({ rejectedToken: first.token, interactive: false })).source).toBe(
    "login",
  );
  expect(existsSync(auth.resolvedCachePath())).toBe(true);
  expect(await auth.logout({ revoke: true })).toEqual({ forgotten: 1, revoked: "yes" });
});

test("client credentials: without a secret nothing is sent [T26]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const error = await failureOf(
    new OidcCredentialsAuth({ issuer: identityProvider.issuer, clientId: "x" }).getToken(),
  );
  expect([error.code, error.message.includes("`clientSecret`")]).toEqual(["invalid_option", true]);
  expect(identityProvider.requests().total).toBe(0);
});

test("client credentials: a wrong secret names the setting, and is nowhere in the error", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { clientId } = identityProvider.clients.confidentialBasic;
  const error = await failureOf(
    new OidcCredentialsAuth({
      issuer: identityProvider.issuer,
      clientId,
      clientSecret: "canary-wrong-secret",
    }).getToken(),
  );
  expect([error.code, error.reason]).toEqual(["token_request_failed", "invalid_client"]);
  expect(error.message).toContain("clientSecret");
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary");
});

test("client credentials and interactive sign-ins of one client never share a file [C06]", () => {
  const options = { issuer: "https://id.example.com", clientId: "cli" };
  expect(new OidcCredentialsAuth(options).resolvedCachePath()).not.toBe(
    new OidcAuth(options).resolvedCachePath(),
  );
});

test("client credentials: options of an interactive sign-in are unknown", () => {
  expect(constructionFailure(() => new OidcCredentialsAuth({ callbackPort: 1 } as object))).toBe(
    "invalid_option",
  );
});

test("a given token is handed out until it is reported as rejected, and never shown", async () => {
  const auth = new BearerTokenAuth({ token: "canary.given-token" });
  const token = await auth.getToken();
  expect([token.token, token.source, token.expiresAt, auth.token]).toEqual([
    "canary.given-token",
    "static",
    undefined,
    "canary.given-token",
  ]);
  expect(
    `${inspect(auth, { showHidden: true })}${JSON.stringify(auth)}${inspect(token)}`,
  ).not.toContain("canary");
  expect((await failureOf(auth.getToken({ rejectedToken: "canary.given-token" }))).code).toBe(
    "login_required",
  );
  expect((await auth.getToken({ rejectedToken: "another" })).token).toBe("canary.given-token");
  expect((await failureOf(auth.getToken({ tokenKind: "id_token" }))).code).toBe("login_required");
  expect((await failureOf(auth.getToken({ signal: AbortSignal.abort() }))).code).toBe("aborted");
  expect(await auth.logout()).toEqual({ forgotten: 0, revoked: "no" });
});

test.each([
  {},
  { token: "" },
  { token: "a b" },
  { token: "a\r\nb" },
  { token: 1 },
  undefined,
  { token: "a", tokn: "b" },
])("a given token that is none is refused: %j [T18]", (options) => {
  expect(constructionFailure(() => new BearerTokenAuth(options as { token: string }))).toBe(
    "invalid_option",
  );
});

test("whatever takes one credential takes all", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const credentials: Credential[] = [
    new BearerTokenAuth({ token: "given" }),
    new OidcCredentialsAuth({ issuer: identityProvider.issuer, clientId, clientSecret }),
  ];
  for (const each of credentials) {
    expect((await each.getToken()).token).toMatch(/\S/);
    expect((await each.logout()).revoked).toBe("no");
  }
});
