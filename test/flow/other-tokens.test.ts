// Several access tokens from one sign-in (`scopes` and `resource` of getToken), against a real OpenID Provider with
// rotation and reuse detection.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OidcAuth } from "../../src/index.ts";
import type { GetTokenOptions, OidcAuthOptions } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import {
  atEmulatedOpenShift,
  audienceOf,
  desktop,
  emptyHome,
  failureOf,
  person,
  provider,
  refuseTokens,
  trustOf,
} from "./harness.ts";

const own = "urn:demo:api";
const reports = "urn:reports:api";
const uploads = "urn:uploads:api";
const scopes = ["openid", "api:read", "api:write"];

interface Desk {
  readonly identityProvider: IdentityProvider;
  readonly auth: OidcAuth;
  /** Times that somebody was asked. */
  readonly asked: () => number;
  readonly again: (changes?: OidcAuthOptions) => OidcAuth;
}

/** Signed in already, requests counted from now on. */
async function signedIn(changes: OidcAuthOptions = {}): Promise<Desk> {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const someone = person(trustOf(identityProvider));
  const options = { ...desktop(identityProvider, someone), scopes, resource: own, ...changes };
  const auth = new OidcAuth(options);
  await auth.getToken();
  identityProvider.resetRequests();
  const visitsBefore = someone.visits.length;
  return {
    identityProvider,
    auth,
    asked: () => someone.visits.length - visitsBefore,
    again: (more = {}) => new OidcAuth({ ...options, ...more }),
  };
}

/** Refresh tokens that were sent, in their order. */
function refreshTokensSent(identityProvider: IdentityProvider): (string | null)[] {
  return identityProvider.tokenRequests().map((body) => body.get("refresh_token"));
}

test("scopes: another token by one refresh, kept beside the configuration's own, which stays", async () => {
  const { identityProvider, auth, asked, again } = await signedIn();
  const before = await auth.getToken();
  const narrow = await auth.getToken({ scopes: ["api:read"] });
  expect([narrow.source, narrow.scopes]).toEqual(["refresh", ["api:read"]]);
  const [request] = identityProvider.tokenRequests();
  expect([request?.get("grant_type"), request?.get("scope"), request?.get("resource")]).toEqual([
    "refresh_token",
    "api:read",
    own,
  ]);
  expect((await auth.getToken()).token).toBe(before.token);
  // From this process's memory, and from the file that others read.
  const other = again();
  expect((await other.getToken()).token).toBe(before.token);
  for (const each of [auth, other]) {
    const cached = await each.getToken({ scopes: ["api:read"] });
    expect([cached.source, cached.token]).toEqual(["cache", narrow.token]);
  }
  expect([identityProvider.requests().total, asked()]).toEqual([1, 0]);
});

test("scopes and resource that the configuration asks for itself are its own token, in any order", async () => {
  const { identityProvider, auth } = await signedIn();
  const { token } = await auth.getToken();
  const same: GetTokenOptions[] = [
    { scopes: scopes.toReversed() },
    { resource: [own] },
    { scopes: [...scopes, "openid"], resource: own },
    { scopes: [] },
  ];
  for (const options of same) expect((await auth.getToken(options)).token).toBe(token);
  expect(identityProvider.requests().total).toBe(0);
});

test("resource: one that the grant has is a refresh with that resource alone", async () => {
  const { identityProvider, auth, asked } = await signedIn({ resource: [own, reports] });
  const token = await auth.getToken({ resource: reports });
  expect([token.source, audienceOf(token)]).toEqual(["refresh", reports]);
  expect(identityProvider.tokenRequests().map((body) => body.getAll("resource"))).toEqual([
    [reports],
  ]);
  expect([asked(), audienceOf(await auth.getToken())]).toEqual([0, own]);
});

test("resource: one that the sign-in does not cover is one sign-in for both, and the own token stays for its own server [D10]", async () => {
  const { identityProvider, auth, asked } = await signedIn();
  const token = await auth.getToken({ resource: reports });
  expect([token.source, audienceOf(token), asked()]).toEqual(["login", reports, 1]);
  const [authorization] = identityProvider.authorizationRequests();
  expect(authorization?.getAll("resource")).toEqual([own, reports]);
  // Refused, exchanged for the configuration's own resource, refreshed for the other one.
  const requests = identityProvider.tokenRequests();
  expect(requests.map((body) => body.get("grant_type"))).toEqual([
    "refresh_token",
    "authorization_code",
    "refresh_token",
  ]);
  expect(requests.map((body) => body.getAll("resource"))).toEqual([[reports], [own], [reports]]);
  expect(audienceOf(await auth.getToken())).toBe(own);
  expect((await auth.getToken({ resource: reports })).source).toBe("cache");
  expect(asked()).toBe(1);
});

test("a confidential client keeps its secret through a sign-in for another target", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const auth = new OidcAuth({
    ...desktop(identityProvider),
    ...identityProvider.clients.confidentialBasic,
    scopes,
    resource: own,
  });
  const token = await auth.getToken({ resource: reports });
  expect([token.source, audienceOf(token)]).toEqual(["login", reports]);
  const headers = identityProvider.authorizationHeaders();
  expect(headers.map((header) => header?.split(" ")[0])).toEqual(["Basic", "Basic"]);
});

test("scopes that the sign-in does not cover are asked for together with the configuration's, the defaults included", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const someone = person();
  const auth = new OidcAuth({ ...desktop(identityProvider, someone), resource: own });
  await auth.getToken();
  identityProvider.resetRequests();
  const token = await auth.getToken({ scopes: ["api:read"] });
  expect([token.source, token.scopes, audienceOf(token)]).toEqual(["login", ["api:read"], own]);
  expect(identityProvider.authorizationRequests()[0]?.get("scope")?.split(" ")).toEqual([
    "openid",
    "profile",
    "email",
    "api:read",
  ]);
});

test("a refusal of the scopes loses no token and asks nobody where nobody may be asked [R12]", async () => {
  const { identityProvider, auth, asked } = await signedIn();
  const before = readFileSync(auth.resolvedCachePath(), "utf8");
  const error = await failureOf(auth.getToken({ scopes: ["profile"], interactive: false }));
  expect([error.code, error.reason, error.providerError]).toEqual([
    "login_required",
    "not_granted",
    "invalid_scope",
  ]);
  expect(error.message).toContain("scopes profile");
  const tokens = (text: string): unknown[] =>
    JSON.parse(text).records.map((record: Record<string, unknown>) => [
      record["accessToken"],
      record["refreshToken"],
      record["idToken"],
      record["intent"],
      record["ended"],
    ]);
  expect(tokens(readFileSync(auth.resolvedCachePath(), "utf8"))).toEqual(tokens(before));
  expect([identityProvider.requests().token, asked()]).toEqual([1, 0]);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test.each([
  { error: "consent_required" },
  { error: "interaction_required" },
  { error: "invalid_target" },
  { error: "invalid_grant", error_description: "The user has not consented to this resource." },
])(
  "an answer that a person is needed ($error) is about the call, not the sign-in",
  async (body) => {
    const { identityProvider, auth, asked } = await signedIn();
    refuseTokens(identityProvider, body);
    const error = await failureOf(auth.getToken({ scopes: ["api:read"], interactive: false }));
    expect([error.code, error.reason]).toEqual(["login_required", "not_granted"]);
    expect((await auth.getToken({ scopes: ["api:read"] })).source).toBe("refresh");
    expect(asked()).toBe(0);
  },
);

test("a refresh token that has ended ends for every token, and the next sign-in covers what was asked", async () => {
  const { identityProvider, auth, asked } = await signedIn();
  refuseTokens(identityProvider, { error: "invalid_grant" });
  const quiet = await failureOf(auth.getToken({ scopes: ["api:read"], interactive: false }));
  expect([quiet.code, quiet.reason]).toEqual(["login_required", "refresh_refused"]);
  const token = await auth.getToken({ scopes: ["api:read"] });
  expect([token.source, token.scopes, asked()]).toEqual(["login", ["api:read"], 1]);
});

test("never a second sign-in: what one does not give is an error that names it, and the sign-in is kept", async () => {
  const { identityProvider, auth, asked } = await signedIn();
  identityProvider.tamper({
    path: "token",
    respond: async ({ body }, genuine) =>
      new URLSearchParams(body).get("resource") === reports
        ? {
            status: 400,
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ error: "invalid_target" }),
          }
        : genuine(),
  });
  const error = await failureOf(auth.getToken({ resource: reports }));
  expect([error.code, error.reason, error.providerError]).toEqual([
    "token_request_failed",
    "not_granted",
    "invalid_target",
  ]);
  expect(error.message).toContain(`resource ${reports}`);
  expect(asked()).toBe(1);
  expect((await auth.getToken()).source).toBe("cache");
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

/** The provider gives no refresh token. */
function withholdRefreshTokens(identityProvider: IdentityProvider): void {
  identityProvider.tamper({
    path: "token",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const { refresh_token: _withheld, ...body } = JSON.parse(real.body);
      return { ...real, body: JSON.stringify(body) };
    },
  });
}

test("without a refresh token: scopes that the new sign-in grants are its own token, a resource is an error", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  withholdRefreshTokens(identityProvider);
  const someone = person();
  const auth = new OidcAuth({ ...desktop(identityProvider, someone), scopes, resource: own });
  const token = await auth.getToken({ scopes: ["api:read"] });
  expect([token.source, token.scopes]).toEqual(["login", ["api:read", "api:write"]]);
  expect((await auth.getToken({ scopes: ["api:read"] })).source).toBe("cache");
  expect(someone.visits).toHaveLength(1);
  const error = await failureOf(auth.getToken({ resource: reports }));
  expect([error.code, error.reason, someone.visits.length]).toEqual([
    "token_request_failed",
    "not_granted",
    2,
  ]);
  const quiet = await failureOf(auth.getToken({ resource: reports, interactive: false }));
  expect([quiet.code, quiet.reason]).toEqual(["login_required", "not_granted"]);
});

test("emulated OpenShift: scopes that the provider chose itself are kept beside those of a call", async () => {
  emptyHome();
  const { server, someone, auth } = await atEmulatedOpenShift();
  expect((await auth.getToken()).scopes).toEqual(["user:full"]);
  const token = await auth.getToken({ scopes: ["user:info"] });
  expect([token.source, token.scopes]).toEqual(["login", ["user:full", "user:info"]]);
  expect(server.authorizationQueries.at(-1)?.get("scope")).toBe("user:full user:info");
  expect((await auth.getToken()).scopes).toContain("user:full");
  expect(someone.visits).toHaveLength(2);
});

test("100 calls at once for three targets: one request each, one after the other [R15]", async () => {
  const targets: GetTokenOptions[] = [
    { scopes: ["api:read"] },
    { resource: reports },
    { resource: uploads, scopes: ["api:write"] },
  ];
  const { identityProvider, auth, again } = await signedIn({ resource: [own, reports, uploads] });
  const other = again();
  const tokens = await Promise.all(
    Array.from({ length: 100 }, async (_, index) =>
      (index % 2 === 0 ? auth : other).getToken(targets[index % 3]),
    ),
  );
  for (const [index] of targets.entries()) {
    const same = tokens.filter((_, each) => each % 3 === index).map(({ token }) => token);
    expect(new Set(same).size).toBe(1);
  }
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(3);
  // With reuse detection, any refresh token sent twice would have ended the grant.
  expect(new Set(refreshTokensSent(identityProvider)).size).toBe(3);
  // Of an http: issuer nothing is kept on disk: the one of the two that did not sign in reads document and keys once
  // if it gets a turn, and not at all if the other takes all three.
  const { token, discovery, jwks, total } = identityProvider.requests();
  expect([token, total]).toEqual([3, 3 + discovery + jwks]);
  expect([discovery, jwks]).toEqual(discovery === 0 ? [0, 0] : [1, 1]);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test("100 calls at once without any sign-in, the own token and two more: one window", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const someone = person();
  const resource = [own, reports];
  const auth = new OidcAuth({ ...desktop(identityProvider, someone), scopes, resource });
  const wishes: GetTokenOptions[] = [{}, { scopes: ["api:read"] }, { resource: reports }];
  const tokens = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => auth.getToken(wishes[index % 3])),
  );
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(3);
  expect(someone.visits).toHaveLength(1);
  expect(identityProvider.requests().token).toBe(3);
  // Whoever waits in the same session sees the sign-in itself, and nothing takes its prompt away.
  expect(someone.events.map(({ type }) => type)).toEqual(["authorizationUrl", "settled"]);
});

test("a wish that is refused is no refusal of calls without it", async () => {
  const { identityProvider, auth, asked } = await signedIn();
  const calls = [
    failureOf(auth.getToken({ scopes: ["profile"], interactive: false })),
    auth.getToken({ forceRefresh: true, interactive: false }),
    failureOf(auth.getToken({ scopes: ["profile"], interactive: false })),
    auth.getToken({ scopes: ["api:read"], interactive: false }),
  ] as const;
  const [refused, renewed, refusedToo, narrow] = await Promise.all(calls);
  expect([refused.reason, refusedToo.reason]).toEqual(["not_granted", "not_granted"]);
  expect([renewed.source, narrow.scopes, asked()]).toEqual(["refresh", ["api:read"], 0]);
  expect(identityProvider.requests().token).toBe(3);
});

test("rejectedToken, forceRefresh and minValiditySeconds are about the wanted token", async () => {
  const { identityProvider, auth } = await signedIn();
  const read = { scopes: ["api:read"] };
  const primary = await auth.getToken();
  const first = await auth.getToken(read);
  const second = await auth.getToken({ ...read, rejectedToken: first.token });
  expect([second.source, second.token === first.token]).toEqual(["refresh", false]);
  expect((await auth.getToken({ ...read, rejectedToken: first.token })).token).toBe(second.token);
  const third = await auth.getToken({ ...read, forceRefresh: true });
  expect([third.source, third.token === second.token]).toEqual(["refresh", false]);
  expect((await auth.getToken()).token).toBe(primary.token);
  expect((await auth.getToken({ ...read, minValiditySeconds: 3500 })).source).toBe("cache");
  // What lives no longer than asked for is fresh for half of its life.
  identityProvider.setAccessTokenLifetime(100);
  await auth.getToken({ ...read, forceRefresh: true });
  expect((await auth.getToken({ ...read, minValiditySeconds: 100 })).source).toBe("cache");
  identityProvider.resetRequests();
  // The own token's renewal leaves the others in place.
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
  expect((await auth.getToken(read)).source).toBe("cache");
  expect(identityProvider.requests().token).toBe(1);
});

test("a new sign-in empties the list, and logout forgets it", async () => {
  const { auth, again } = await signedIn();
  const read = { scopes: ["api:read"] };
  const before = await auth.getToken(read);
  await again({ forceLogin: true }).getToken();
  const fresh = await again().getToken(read);
  expect([fresh.source, fresh.token === before.token]).toEqual(["refresh", false]);
  await auth.logout();
  const error = await failureOf(again().getToken({ ...read, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "no_token"]);
});

test("logout with revoke tells the provider of the refresh token, and of one access token", async () => {
  emptyHome();
  // Its opaque tokens can be revoked; a JWT cannot.
  const identityProvider = await provider();
  const auth = new OidcAuth(desktop(identityProvider));
  await auth.getToken();
  expect((await auth.getToken({ scopes: ["openid"] })).source).toBe("refresh");
  identityProvider.resetRequests();
  expect(await auth.logout({ revoke: true })).toMatchObject({ forgotten: 1, revoked: "yes" });
  const told = identityProvider
    .requestsOf("revocation")
    .map(({ body }) => new URLSearchParams(body).get("token_type_hint"));
  expect(told).toEqual(["refresh_token", "access_token"]);
});
