// Changes with what a token endpoint's answer may be.
import { afterEach, describe, expect, test } from "vitest";
import {
  answerTokens,
  cleanUp,
  failureOf,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import type { HostileAnswer } from "../../test/support/provider-tampering.ts";
import { maxLifetimeSeconds } from "../core/limits.ts";
import { Secret } from "../core/secret.ts";
import { openProvider } from "./metadata.ts";
import { requestClientCredentials } from "./client-credentials.ts";
import { refreshTokens } from "./refresh-tokens.ts";

afterEach(cleanUp);

const refreshToken = "the-old-refresh-token";
const clientSecret = "the-client's secret";

/** A refresh that waits for its answer: the shortest way to a token endpoint. */
async function startRefresh() {
  const provider = await startProvider();
  const world = makeWorld();
  const refresh = (secret?: string) =>
    refreshTokens(world, {
      clientId: provider.clients.public.clientId,
      ...(secret === undefined ? {} : { clientSecret: new Secret(secret) }),
      tokenEndpoint: `${provider.issuer}/token`,
      authenticationMethod: "none",
      refreshToken,
      previous: undefined,
      scopes: ["openid", "profile"],
      options: optionsFor(provider),
    });
  const answerWith = (answer: HostileAnswer) =>
    provider.tamper({ path: "token", respond: async () => answer });
  const answerMembers = (members: Readonly<Record<string, unknown>>) =>
    answerTokens(provider, { idToken: null, members });
  return { provider, world, refresh, answerWith, answerMembers };
}

const json = { "content-type": "application/json" };

describe("members", () => {
  test.each(["Bearer", "bearer", "BEARER", "BearerToken", "bearertoken"])(
    "accepts token_type %s [T17]",
    async (token_type) => {
      const { refresh, answerMembers } = await startRefresh();
      answerMembers({ token_type });
      expect((await refresh()).tokenType).toBe("Bearer");
    },
  );

  test.each(["DPoP", "mac", "N_A", 7])("refuses token_type %s [T17]", async (token_type) => {
    const { refresh, answerMembers } = await startRefresh();
    answerMembers({ token_type });
    const error = await failureOf(refresh(), [refreshToken, "access-token-for-alice"]);
    expect(error).toMatchObject({ code: "token_response_invalid", reason: "token_type" });
  });

  test.each([
    undefined,
    null,
    "",
    7,
    "a b",
    "a\r\nb",
    "a\u0000",
    "é",
    "a,b",
    'a"b',
    "x".repeat(200_000),
  ])("refuses an access token that can't stand in a header: %j [T18]", async (access_token) => {
    const { refresh, answerMembers } = await startRefresh();
    answerMembers({ access_token });
    const error = await failureOf(refresh());
    expect(error).toMatchObject({ code: "token_response_invalid", reason: "access_token" });
  });

  test.each([
    "opaque~1.2_3-4+5/6==",
    "eyJhbGciOiJub25lIn0.e30.",
    "sha256~abc",
    // Salesforce: the organisation's id before an exclamation mark [F-P access-token-not-b64token].
    "00Dxx0000001gPL!AR8AQexample.token_value",
    "a=b|c:d;e{f}",
  ])("an access token is not looked into: %s [T22]", async (access_token) => {
    const { refresh, answerMembers } = await startRefresh();
    answerMembers({ access_token });
    expect((await refresh()).accessToken).toBe(access_token);
  });

  test.each<[unknown, number | null]>([
    [3600, 3600],
    ["3600", 3600],
    [" 60 ", 60],
    [59.9, 59],
    [0, 0],
    [-5, 0],
    ["-5", 0],
    [1e12, maxLifetimeSeconds],
    ["1e12", maxLifetimeSeconds],
    [undefined, null],
    [null, null],
  ])("expires_in %j is a lifetime of %j [T19]", async (expires_in, expected) => {
    const { refresh, answerMembers, world } = await startRefresh();
    answerMembers({ expires_in });
    const { issuedAt, expiresAt } = await refresh();
    expect(expiresAt === null ? null : expiresAt - issuedAt).toBe(expected);
    expect(world.warnings).toEqual([]);
  });

  test("expires_in 1e400 is clamped too [T19]", async () => {
    const { refresh, answerWith } = await startRefresh();
    const body = '{"access_token":"a","token_type":"bearer","expires_in":1e400}';
    answerWith({ status: 200, headers: json, body });
    const { issuedAt, expiresAt } = await refresh();
    expect(expiresAt).toBe(issuedAt + maxLifetimeSeconds);
  });

  test.each(["soon", true, [], {}])(
    "an odd expires_in %j is unknown; the warning names the member, not the answer [T19][O02]",
    async (expires_in) => {
      const { refresh, answerMembers, world } = await startRefresh();
      answerMembers({ expires_in });
      expect((await refresh()).expiresAt).toBeNull();
      expect(world.warnings).toHaveLength(1);
      expect(world.warnings[0]).toContain("expires_in");
      expect(world.warnings[0]).not.toContain("access-token");
    },
  );

  test.each<[unknown, string[]]>([
    [undefined, ["openid", "profile"]],
    ["openid", ["openid"]],
    ["openid profile  admin", ["openid", "profile", "admin"]],
    ["", []],
    [
      ["a", "b"],
      ["a", "b"],
    ],
    ["a a", ["a"]],
  ])("scope %j grants %j [T20]", async (scope, expected) => {
    const { refresh, answerMembers } = await startRefresh();
    answerMembers({ scope });
    expect((await refresh()).scopes).toEqual(expected);
  });

  test.each([7, {}, [7], "a\u001b[31m", 'a"b'])("refuses scope %j [T20]", async (scope) => {
    const { refresh, answerMembers } = await startRefresh();
    answerMembers({ scope });
    const error = await failureOf(refresh());
    expect(error).toMatchObject({ code: "token_response_invalid", reason: "scope" });
  });

  test.each([7, "a\nb", "x".repeat(200_000)])(
    "refuses an unusable refresh token",
    async (refresh_token) => {
      const { refresh, answerMembers } = await startRefresh();
      answerMembers({ refresh_token });
      const error = await failureOf(refresh());
      expect(error).toMatchObject({ code: "token_response_invalid", reason: "refresh_token" });
    },
  );
});

describe("refusals", () => {
  test.each([200, 400, 401, 403])(
    "an error with status %d is a refusal, its secrets taken out [T21][O03][O04]",
    async (status) => {
      const { refresh, answerWith } = await startRefresh();
      const body = JSON.stringify({
        error: "invalid_grant",
        error_description: `token ${refreshToken} of ${clientSecret} \u001b[2J is gone`,
        access_token: "must-not-count",
        debug: "internal-stack-trace",
      });
      answerWith({ status, headers: json, body });
      const error = await failureOf(refresh(clientSecret), [
        refreshToken,
        clientSecret,
        "internal-stack-trace",
        "must-not-count",
        "\u001b",
      ]);
      expect(error).toMatchObject({
        code: "token_request_failed",
        reason: "invalid_grant",
        providerError: "invalid_grant",
      });
      expect(error.providerErrorDescription).toBe("token [redacted] of [redacted]  [2J is gone");
      expect(error.message).toMatch(/Sign in again\. The provider says: ".*"$/);
    },
  );

  test("a secret that comes back percent-encoded is taken out too [O04]", async () => {
    const { refresh, answerWith } = await startRefresh();
    const secret = "s3cret+/=&";
    const error_description = `got client_secret=${encodeURIComponent(secret)}`;
    const body = JSON.stringify({ error: "invalid_client", error_description });
    answerWith({ status: 401, headers: json, body });
    const error = await failureOf(refresh(secret), [secret, encodeURIComponent(secret)]);
    expect(error.providerErrorDescription).toBe("got client_secret=[redacted]");
  });

  test("a Basic header that comes back is taken out [O04]", async () => {
    const { refresh, answerWith, provider } = await startRefresh();
    const pair = `${provider.clients.public.clientId}:${new URLSearchParams({ s: clientSecret }).toString().slice(2)}`;
    const header = Buffer.from(pair).toString("base64");
    const body = JSON.stringify({ error: "invalid_client", error_description: `not ${header}` });
    answerWith({ status: 401, headers: json, body });
    expect(provider.authorizationHeaders()).toEqual([]);
    const error = await failureOf(refresh(clientSecret), [header]);
    expect(provider.authorizationHeaders()[0]).toBe(`Basic ${header}`);
    expect(error.providerErrorDescription).toBe("not [redacted]");
  });

  test("an unknown error is kept, and is no reason [T21]", async () => {
    const { refresh, answerWith } = await startRefresh();
    answerWith({ status: 404, headers: json, body: '{"error":"bad_verification_code"}' });
    const error = await failureOf(refresh());
    expect(error).toMatchObject({
      code: "token_request_failed",
      providerError: "bad_verification_code",
    });
    expect(error.reason).toBeUndefined();
  });

  test.each([400, 401, 403])(
    "status %d with nothing is a refusal without a word",
    async (status) => {
      const { refresh, answerWith } = await startRefresh();
      answerWith({ status });
      const error = await failureOf(refresh());
      expect(error).toMatchObject({ code: "token_request_failed", reason: "empty" });
      expect(error.message).toContain(`status ${status}`);
    },
  );

  test.each([401, 403])(
    "status %d with nothing may be about the secret that was sent",
    async (status) => {
      const { refresh, answerWith } = await startRefresh();
      answerWith({ status });
      expect((await failureOf(refresh(clientSecret))).reason).toBe("no_error_member");
    },
  );

  test.each([404, 405, 413])("status %d with nothing says nothing of the token", async (status) => {
    const { refresh, answerWith } = await startRefresh();
    answerWith({ status });
    expect((await failureOf(refresh())).reason).toBe("no_error_member");
  });

  test.each([
    [403, "invalid_code"],
    [200, "bad_refresh_token"],
  ])("status %d with %s ends the sign-in like invalid_grant", async (status, error) => {
    const { refresh, answerWith } = await startRefresh();
    answerWith({ status, headers: json, body: JSON.stringify({ error }) });
    const failure = await failureOf(refresh());
    expect([failure.reason, failure.providerError]).toEqual(["invalid_grant", error]);
  });

  test("a 4xx web page is a refusal with its status, its text unseen [T21]", async () => {
    const { refresh, answerWith } = await startRefresh();
    const headers = { "content-type": "text/html" };
    answerWith({ status: 403, headers, body: "<html>blocked by Example Firewall" });
    const error = await failureOf(refresh(), ["Example Firewall"]);
    expect(error).toMatchObject({ code: "token_request_failed", reason: "no_error_member" });
    expect(error.message).toContain("status 403");
  });

  test("a 200 web page is not understood, and the hint is a proxy [N05]", async () => {
    const { refresh, answerWith } = await startRefresh();
    const headers = { "content-type": "text/html" };
    answerWith({ status: 200, headers, body: "<!doctype html><title>Wi-Fi</title>" });
    const error = await failureOf(refresh(), ["Wi-Fi"]);
    expect(error.code).toBe("token_response_invalid");
    expect(error.message).toContain("proxy");
  });

  test.each(["", "[]", "null", '{"a":', "access_token=a"])(
    "a 200 that is no JSON object is not understood: %j [N06]",
    async (body) => {
      const { refresh, answerWith } = await startRefresh();
      answerWith({ status: 200, headers: json, body });
      expect((await failureOf(refresh())).code).toBe("token_response_invalid");
    },
  );

  test.each<[number, string]>([
    [500, ""],
    [502, "<html>"],
    [503, ""],
    [500, '{"error":"server_error"}'],
    [400, '{"error":"temporarily_unavailable"}'],
  ])("status %d with %j may be tried again later [R11]", async (status, body) => {
    const { refresh, answerWith, provider } = await startRefresh();
    answerWith({ status, headers: json, body });
    const error = await failureOf(refresh());
    expect(error).toMatchObject({ code: "network", retryable: true });
    expect(provider.requests().token).toBe(1);
  });

  test("a redirect is not followed [N04]", async () => {
    const { refresh, answerWith, provider } = await startRefresh();
    const headers = { location: `${provider.issuer}/elsewhere` };
    answerWith({ status: 307, headers });
    expect((await failureOf(refresh())).code).toBe("redirect_refused");
    expect(provider.requests().total).toBe(1);
  });
});

describe("client credentials", () => {
  async function start(more: { audience?: string; scopes?: string[] } = {}) {
    const provider = await startProvider({ jwtAccessTokens: true });
    const world = makeWorld();
    const { clientId, clientSecret: secret } = provider.clients.confidentialBasic;
    const options = optionsFor(provider, {
      clientId,
      flow: "client",
      tokenEndpoint: `${provider.issuer}/token`,
    });
    const opened = await openProvider(world, options);
    const request = (withSecret = true) =>
      requestClientCredentials(world, opened, {
        clientId,
        ...(withSecret ? { clientSecret: new Secret(secret) } : {}),
        scopes: more.scopes,
        audience: more.audience,
      });
    return { provider, request, secret };
  }

  test("one request, no ID token, no default scopes, a refresh token ignored [T26]", async () => {
    const { provider, request } = await start();
    const answer = await request();
    expect(provider.requests()).toMatchObject({ token: 1, total: 1 });
    expect(provider.tokenRequests()[0]?.has("scope")).toBe(false);
    expect(answer).not.toHaveProperty("idToken");
    expect(answer.authenticationMethod).toBe("client_secret_basic");
    answerTokens(provider, { members: { refresh_token: "r" } });
    const odd = await request();
    expect(odd).not.toHaveProperty("refreshToken");
    expect(odd).not.toHaveProperty("idToken");
  });

  test("scopes and audience are sent [T26]", async () => {
    const { provider, request } = await start({ audience: "urn:an:api", scopes: ["api:read"] });
    const answer = await request();
    const [body] = provider.tokenRequests();
    expect(Object.fromEntries(body ?? [])).toEqual({
      grant_type: "client_credentials",
      scope: "api:read",
      audience: "urn:an:api",
    });
    expect(answer.scopes).toEqual(["api:read"]);
  });

  test("without a secret nothing is sent [T26]", async () => {
    const { provider, request } = await start();
    expect((await failureOf(request(false))).code).toBe("invalid_option");
    expect(provider.requests().total).toBe(0);
  });
});
