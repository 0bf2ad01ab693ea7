// Client credentials and given tokens: the same interface, the same store, no person.

import { existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  expect(await auth.logout({ revoke: true })).toMatchObject({ forgotten: 1, revoked: "yes" });
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
  { token: "a", tokenFile: "b" },
  { tokenFile: "" },
  { getToken: "x" },
])("a given token that is none is refused: %j [T18]", (options) => {
  expect(constructionFailure(() => new BearerTokenAuth(options as { token: string }))).toBe(
    "invalid_option",
  );
});

test("a token file is read again when it changes, and a refused token is looked for anew", async () => {
  const home = emptyHome();
  const file = join(home, "token");
  const auth = new BearerTokenAuth({ tokenFile: "~/token" });
  expect(auth.tokenFile).toBe("~/token");
  const missing = await failureOf(auth.getToken());
  expect([missing.code, missing.message.includes(file)]).toEqual(["invalid_option", true]);
  writeFileSync(file, "first\n");
  expect(await auth.getToken()).toMatchObject({ source: "static", tokenType: "Bearer" });
  expect((await auth.getToken()).token).toBe("first");
  const refused = await failureOf(auth.getToken({ rejectedToken: "first" }));
  expect([refused.code, refused.reason]).toEqual(["login_required", "no_token"]);
  // As a platform does it: the new file is put in the place of the old one, behind a link.
  writeFileSync(join(home, "second"), "second");
  rmSync(file);
  symlinkSync(join(home, "second"), file);
  expect((await auth.getToken({ rejectedToken: "first" })).token).toBe("second");
  writeFileSync(join(home, "second"), "canary two words");
  const wrong = await failureOf(auth.getToken());
  expect([wrong.code, inspect(wrong).includes("canary")]).toEqual([
    "token_response_invalid",
    false,
  ]);
  writeFileSync(join(home, "second"), "x".repeat(1_000_000));
  expect((await failureOf(auth.getToken())).code).toBe("invalid_option");
});

test("a function is asked once for calls at once, and again when its token ends or is refused", async () => {
  let calls = 0;
  let lifetimeMilliseconds = 3_600_000;
  const auth = new BearerTokenAuth({
    getToken: async () => {
      calls += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return {
        token: `token-${String(calls)}`,
        expiresAt: new Date(Date.now() + lifetimeMilliseconds),
      };
    },
  });
  const first = await Promise.all([auth.getToken(), auth.getToken(), auth.getToken()]);
  expect(first.map((each) => each.token)).toEqual(["token-1", "token-1", "token-1"]);
  expect(first[0]?.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  expect((await auth.getToken()).token).toBe("token-1");
  expect((await auth.getToken({ rejectedToken: "token-1" })).token).toBe("token-2");
  expect((await auth.getToken({ forceRefresh: true })).token).toBe("token-3");
  lifetimeMilliseconds = -1000;
  expect((await failureOf(auth.getToken({ forceRefresh: true }))).code).toBe("login_required");
  expect(calls).toBe(4);
});

test("a function that fails is a typed error with its own as the cause", async () => {
  const own = new Error("the vault is closed");
  const error = await failureOf(
    new BearerTokenAuth({ getToken: () => Promise.reject(own) }).getToken(),
  );
  expect([error.code, error.reason, error.cause]).toEqual([
    "token_request_failed",
    "token_function_failed",
    own,
  ]);
  const empty = new BearerTokenAuth({ getToken: (() => undefined) as unknown as () => string });
  expect((await failureOf(empty.getToken())).code).toBe("token_response_invalid");
  const plain = new BearerTokenAuth({ getToken: () => "plain" });
  expect((await plain.getToken()).token).toBe("plain");
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

test("a call that was made because a token was refused is not answered with what was being read before", async () => {
  const answers: ((token: string) => void)[] = [];
  const auth = new BearerTokenAuth({
    getToken: () => new Promise<string>((resolve) => answers.push(resolve)),
  });
  const first = auth.getToken();
  await new Promise((resolve) => setImmediate(resolve));
  const renewed = auth.getToken({ rejectedToken: "old" });
  await new Promise((resolve) => setImmediate(resolve));
  answers[0]?.("old");
  expect((await first).token).toBe("old");
  await new Promise((resolve) => setImmediate(resolve));
  answers[1]?.("new");
  expect((await renewed).token).toBe("new");
  expect(answers).toHaveLength(2);
});
