// Several access tokens of a client itself (`scopes` and `resource` of getToken), against a real OpenID Provider.

import { expect, test } from "vitest";
import { OidcCredentialsAuth } from "../../src/index.ts";
import { audienceOf, emptyHome, failureOf, provider, refuseTokens } from "./harness.ts";

const own = "urn:demo:api";
const reports = "urn:reports:api";

test("client credentials: a request for each target, each kept", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const make = (): OidcCredentialsAuth =>
    new OidcCredentialsAuth({
      issuer: identityProvider.issuer,
      clientId,
      clientSecret,
      scopes: ["api:read"],
      resource: own,
    });
  const auth = make();
  // The first of all is for another target: there is no own token yet.
  const write = await auth.getToken({ scopes: ["api:write"] });
  expect([write.source, write.scopes, audienceOf(write)]).toEqual(["login", ["api:write"], own]);
  const primary = await auth.getToken();
  expect(primary.scopes).toEqual(["api:read"]);
  const elsewhere = await auth.getToken({ resource: reports });
  expect([audienceOf(elsewhere), elsewhere.scopes]).toEqual([reports, ["api:read"]]);
  expect((await auth.getToken({ rejectedToken: primary.token })).source).toBe("login");
  for (const [options, { token }] of [
    [{ scopes: ["api:write"] }, write],
    [{ resource: reports }, elsewhere],
  ] as const) {
    const cached = await make().getToken(options);
    expect([cached.source, cached.token]).toEqual(["cache", token]);
  }
  expect(identityProvider.requests().token).toBe(4);
  refuseTokens(identityProvider, { error: "invalid_scope" });
  const refused = await failureOf(auth.getToken({ scopes: ["no:such"] }));
  expect([refused.code, refused.reason]).toEqual(["token_request_failed", "invalid_scope"]);
  expect((await auth.getToken()).source).toBe("cache");
});

test("client credentials: logout with revoke tells the provider of every token", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const options = { issuer: identityProvider.issuer, clientId, clientSecret };
  const auth = new OidcCredentialsAuth(options);
  await auth.getToken({ scopes: ["api:read"] });
  await auth.getToken({ scopes: ["api:write"] });
  identityProvider.resetRequests();
  expect(await auth.logout({ revoke: true })).toMatchObject({ forgotten: 1, revoked: "yes" });
  expect(identityProvider.requests().revocation).toBe(2);
});
