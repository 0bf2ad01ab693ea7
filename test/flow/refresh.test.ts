// Refreshes of the library against a real OpenID Provider with rotation and reuse detection.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memoryStore } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { change } from "./fast-desk.ts";
import { credential, emptyHome, failureOf, provider } from "./harness.ts";

/** The next `times` token requests reach nobody: the connection breaks before the provider sees them. */
function loseRequests(identityProvider: IdentityProvider, times: number): void {
  identityProvider.tamper({ path: "token", times, respond: () => Promise.resolve("reset") });
}

/** The next token request is answered by the provider, and the answer is lost on the way. */
function loseAnswer(identityProvider: IdentityProvider): void {
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: async (_request, genuine) => {
      await genuine();
      return "reset";
    },
  });
}

test("a request that was lost is sent once more, and the sign-in goes on [R07]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  identityProvider.resetRequests();
  loseRequests(identityProvider, 1);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
  expect(identityProvider.requests().token).toBe(2);
});

test("two lost requests are a network error, and the refresh token is kept [R07][R11]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  const tokens = (): unknown => {
    const { records } = JSON.parse(readFileSync(auth.resolvedCachePath(), "utf8"));
    return [records[0].accessToken, records[0].refreshToken, records[0].idToken];
  };
  const before = tokens();
  loseRequests(identityProvider, 2);
  const error = await failureOf(auth.getToken({ forceRefresh: true }));
  expect([error.code, error.retryable]).toEqual(["network", true]);
  expect(tokens()).toEqual(before);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test("a lost answer of a rotating provider is refresh_lost, said so once, and a sign-in heals it [R07]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  loseAnswer(identityProvider);
  const error = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_lost"]);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("login");
});

test("a resend that is refused without a word is refresh_lost too [R07]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: async () => ({ status: 400, body: "" }),
  });
  loseRequests(identityProvider, 1);
  const error = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_lost"]);
});

test("a lost answer stays unknown, whatever the resend is answered: the next refusal is refresh_lost [R07]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: async () => ({ status: 401, body: JSON.stringify({ error: "invalid_client" }) }),
  });
  loseAnswer(identityProvider);
  const first = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect(first.code).toBe("network");
  const second = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([second.code, second.reason]).toEqual(["login_required", "refresh_lost"]);
});

test("a web page of a proxy in place of an answer never costs the refresh token [R11]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  const headers = { "content-type": "text/html" };
  const respond = async () => ({ status: 403, headers, body: "<html>blocked" });
  identityProvider.tamper({ path: "token", times: 1, respond });
  const error = await failureOf(auth.getToken({ forceRefresh: true }));
  expect([error.code, error.reason]).toEqual(["token_request_failed", "no_error_member"]);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test("every refresh uses the refresh token of the one before [R08]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  for (let round = 0; round < 3; round += 1) {
    expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
  }
  const used = identityProvider.tokenRequests().map((body) => body.get("refresh_token"));
  expect(new Set(used).size).toBe(4);
});

test("a provider that does not rotate keeps its refresh token in use [R09]", async () => {
  emptyHome();
  const identityProvider = await provider({ rotateRefreshTokens: false });
  const auth = credential(identityProvider);
  await auth.getToken();
  await auth.getToken({ forceRefresh: true });
  await auth.getToken({ forceRefresh: true });
  const used = identityProvider.tokenRequests().flatMap((body) => body.getAll("refresh_token"));
  expect(used).toHaveLength(2);
  expect(new Set(used).size).toBe(1);
});

test("a refresh goes to the token endpoint of its sign-in, whatever discovery names since [R14]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const elsewhere = await provider();
  const store = memoryStore();
  await credential(identityProvider, { store }).getToken();
  // As another program, which remembers nothing of the provider.
  emptyHome();
  change(identityProvider, "discovery", { token_endpoint: `${elsewhere.issuer}/token` });
  identityProvider.resetRequests();
  const renewed = await credential(identityProvider, { store }).getToken({ forceRefresh: true });
  expect(renewed.source).toBe("refresh");
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, token: 1 });
  expect(elsewhere.requests().total).toBe(0);
});

test("two credentials of one configuration in one process share one refresh [R01][R03]", async () => {
  emptyHome();
  const identityProvider = await provider({ accessTokenLifetimeSeconds: 1 });
  await credential(identityProvider).getToken();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  identityProvider.setAccessTokenLifetime(3600);
  identityProvider.resetRequests();
  const tokens = await Promise.all(
    Array.from({ length: 10 }, async () => credential(identityProvider).getToken()),
  );
  expect(new Set(tokens.map((each) => each.token)).size).toBe(1);
  // The document and the keys are asked for too: of an http: issuer nothing is kept between credentials.
  expect(identityProvider.requests()).toMatchObject({ token: 1, discovery: 1, jwks: 1, total: 3 });
});
