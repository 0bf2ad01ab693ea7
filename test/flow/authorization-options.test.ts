// The options that say how recently and how the person signs in, and what the token is for, as they are seen from outside
// (`node scripts/ignored-options.mjs` proves that each has a test).

import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { OidcCredentialsAuth } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { forgeToken } from "../support/token-forge.ts";
import { credential, emptyHome, failureOf, pollQuickly, provider, requestsOf } from "./harness.ts";

/** The provider says when the person signed in, in place of when they did. */
function tellAuthenticationTime(
  identityProvider: IdentityProvider,
  clientId: string,
  authTime: number | undefined,
): void {
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: async (_request, genuine) => {
      const real = await genuine();
      const body = JSON.parse(real.body);
      const { auth_time: _real, ...claims } = decodeJwt(body.id_token);
      const idToken = await forgeToken({
        ...claims,
        iss: identityProvider.issuer,
        aud: clientId,
        at_hash: undefined,
        ...(authTime === undefined ? {} : { auth_time: authTime }),
      });
      return { ...real, body: JSON.stringify({ ...body, id_token: idToken }) };
    },
  });
}

test("maxAge: is sent, and the ID token must say that the person signed in since [A12]", async () => {
  emptyHome();
  const identityProvider = await provider();
  expect((await requestsOf(identityProvider)).authorization.has("max_age")).toBe(false);
  const { authorization } = await requestsOf(identityProvider, { maxAge: 0, forceLogin: true });
  expect(authorization.get("max_age")).toBe("0");
  const now = Math.floor(Date.now() / 1000);
  const { clientId } = identityProvider.clients.public;
  // Each of them counts as a prompt that nobody answered.
  const changes = { forceLogin: true, maxUnansweredPrompts: 10 };
  for (const authTime of [undefined, now - 1000, now + 1000]) {
    tellAuthenticationTime(identityProvider, clientId, authTime);
    const error = await failureOf(
      credential(identityProvider, { ...changes, maxAge: 300 }).getToken(),
    );
    expect([error.code, error.reason]).toEqual(["id_token_invalid", "id_token_auth_time"]);
  }
  // The same token is good where nothing was asked, and a recent one where it was.
  tellAuthenticationTime(identityProvider, clientId, now - 1000);
  expect((await credential(identityProvider, changes).getToken()).source).toBe("login");
  tellAuthenticationTime(identityProvider, clientId, now - 200);
  const recent = credential(identityProvider, { ...changes, maxAge: 300 });
  expect((await recent.getToken()).source).toBe("login");
});

test("maxAge: without an ID token there is nothing that says so [A12]", async () => {
  emptyHome();
  const identityProvider = await provider({ discovery: "rfc8414-inserted" });
  identityProvider.tamper({
    path: "token",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const { id_token: _gone, ...body } = JSON.parse(real.body);
      return { ...real, body: JSON.stringify(body) };
    },
  });
  const error = await failureOf(credential(identityProvider, { maxAge: 300 }).getToken());
  expect([error.code, error.reason]).toEqual(["id_token_invalid", "id_token_auth_time"]);
  expect((await credential(identityProvider).getToken()).source).toBe("login");
});

test("maxAge: counts for the device flow too [A12]", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  const changes = { flow: "device", maxAge: 300, acrValues: ["phr"] } as const;
  const { clientId } = identityProvider.clients.public;
  tellAuthenticationTime(identityProvider, clientId, undefined);
  const error = await failureOf(credential(identityProvider, changes).getToken());
  expect([error.code, error.reason]).toEqual(["id_token_invalid", "id_token_auth_time"]);
  const [request] = identityProvider.requestsOf("device");
  const sent = Object.fromEntries(new URLSearchParams(request?.body));
  expect(sent).toMatchObject({ max_age: "300", acr_values: "phr" });
});

test("acrValues: go into the authorization request in their order, and keep sign-ins apart", async () => {
  emptyHome();
  const identityProvider = await provider();
  const acrValues = ["urn:example:gold", "urn:example:silver"];
  const { authorization } = await requestsOf(identityProvider, { acrValues });
  expect(authorization.get("acr_values")).toBe("urn:example:gold urn:example:silver");
  const other = credential(identityProvider, { acrValues: acrValues.toReversed() });
  expect((await other.getToken()).source).toBe("login");
  expect((await credential(identityProvider, { acrValues }).getToken()).source).toBe("cache");
});

test.each([
  ["fewer", "openid api:read", ["openid", "api:read"]],
  ["more", "openid api:read api:write api:admin", ["openid", "api:read", "api:write", "api:admin"]],
])(
  "scopes: %s than asked for are granted: that is kept and is a hit, anything else is none [T20]",
  async (_name, scope, granted) => {
    emptyHome();
    const identityProvider = await provider({ jwtAccessTokens: true });
    const undo = identityProvider.tamper({
      path: "token",
      respond: async (_request, genuine) => {
        const real = await genuine();
        return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), scope }) };
      },
    });
    const scopes = ["openid", "api:read", "api:write"];
    const options = { scopes, resource: "urn:demo:api" };
    expect((await credential(identityProvider, options).getToken()).scopes).toEqual(granted);
    undo();
    identityProvider.resetRequests();
    const again = credential(identityProvider, options);
    const cached = await again.getToken();
    expect([cached.source, cached.scopes]).toEqual(["cache", granted]);
    const further = await again.getToken({ scopes: ["api:write"] });
    expect([further.source, further.scopes]).toEqual(["refresh", ["api:write"]]);
    expect(identityProvider.requests().token).toBe(1);
  },
);

test("resource: goes into the authorization, the token and every refresh request [R14]", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const resource = "https://api.example.com/";
  expect((await requestsOf(identityProvider)).authorization.has("resource")).toBe(false);
  const { authorization, token } = await requestsOf(identityProvider, { resource });
  expect([authorization.getAll("resource"), token.getAll("resource")]).toEqual([
    [resource],
    [resource],
  ]);
  const auth = credential(identityProvider, { resource });
  const refreshed = await auth.getToken({ forceRefresh: true });
  expect(decodeJwt(refreshed.token)["aud"]).toBe(resource);
  expect(identityProvider.tokenRequests().at(-1)?.getAll("resource")).toEqual([resource]);
  expect(identityProvider.tokenRequests().at(-1)?.get("grant_type")).toBe("refresh_token");
});

test("resource: several are several parameters, in the device flow too", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  const resource = ["https://api.example.com/", "urn:demo:api"];
  for (const flow of ["auth_code", "device"] as const) {
    await credential(identityProvider, { resource, flow, forceLogin: true }).getToken();
  }
  const [device] = identityProvider.requestsOf("device");
  const asked = [
    identityProvider.authorizationRequests()[0],
    new URLSearchParams(device?.body),
    ...identityProvider.tokenRequests(),
  ];
  expect(asked.length).toBeGreaterThan(3);
  for (const each of asked) expect(each?.getAll("resource")).toEqual(resource);
});

test("resource: client credentials send it too", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const auth = new OidcCredentialsAuth({
    issuer: identityProvider.issuer,
    ...identityProvider.clients.confidentialBasic,
    resource: "urn:other:api",
  });
  expect(decodeJwt((await auth.getToken()).token)["aud"]).toBe("urn:other:api");
});
