// Changes with what the test provider promises to other tests.
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { postForm, runCodeFlow, tokensOf } from "./authorization-code.ts";
import { makeCertificateAuthority } from "./certificates.ts";
import { startIdentityProvider } from "./identity-provider.ts";
import type { IdentityProvider, IdentityProviderOptions } from "./identity-provider.ts";
import { needs } from "./debian-packages.ts";

const openssl = needs("openssl");
const cleanups: (() => Promise<void>)[] = [];

async function start(options?: IdentityProviderOptions): Promise<IdentityProvider> {
  const provider = await startIdentityProvider(options);
  cleanups.push(() => provider.close());
  return provider;
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const refresh = (provider: IdentityProvider, refreshToken: string) =>
  postForm(`${provider.issuer}/token`, {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: provider.clients.public.clientId,
  });

function basic({ clientId, clientSecret }: { clientId: string; clientSecret: string }): string {
  const pair = [clientId, clientSecret].map((part) => encodeURIComponent(part)).join(":");
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

describe("signing in", () => {
  test("a public client gets tokens with the ordinary scopes, a refresh token among them", async () => {
    const provider = await start();
    const flow = await runCodeFlow(provider);
    const { accessToken, refreshToken, idToken } = tokensOf(flow);

    expect(flow.callback.get("iss")).toBe(provider.issuer);
    expect(flow.callback.get("state")).toBe(flow.secrets.state);
    expect(flow.visit.finalPage).toContain("Back at the client");
    expect(flow.token?.body["expires_in"]).toBe(3600);

    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, {
      issuer: provider.issuer,
      audience: provider.clients.public.clientId,
    });
    expect(protectedHeader.alg).toBe("RS256");
    expect(payload).toMatchObject({
      sub: "alice",
      name: "Alice Example",
      email: "alice@example.com",
      nonce: flow.secrets.nonce,
    });

    const userinfo = await fetch(`${provider.issuer}/me`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(await userinfo.json()).toMatchObject({ sub: "alice", name: "Alice Example" });
    expect(provider.secretsIssued()).toEqual(
      expect.arrayContaining([
        accessToken,
        refreshToken,
        idToken,
        flow.callback.get("code") ?? "no code",
      ]),
    );
    expect(provider.secretsReceived()).toEqual(expect.arrayContaining(Object.values(flow.secrets)));
  });

  test.skipIf(!openssl.available)("over https with a private authority", async () => {
    const authority = await makeCertificateAuthority();
    cleanups.push(() => authority.dispose());
    const provider = await start({ tls: authority });

    expect(provider.issuer).toMatch(/^https:/);
    expect(provider.certificateAuthority).toBe(authority.caPem);
    expect(tokensOf(await runCodeFlow(provider)).idToken).toBeTruthy();
    await expect(fetch(`${provider.issuer}/jwks`)).rejects.toThrow("fetch failed");
  });

  test.each([
    ["127.0.0.1", "/callback"],
    ["127.0.0.1", "/other/path"],
    ["::1", "/callback"],
    ["localhost", "/callback"],
  ])("redirects to %s with any port, and path %s", async (listenerHost, listenerPath) => {
    const provider = await start();
    const flow = await runCodeFlow(provider, { listenerHost, listenerPath });
    expect(flow.token?.status).toBe(200);
  });

  test.each([
    ["::1", /^http:\/\/\[::1\]:\d+$/],
    ["localhost", /^http:\/\/localhost:\d+$/],
  ])("the provider may stand on %s", async (host, issuer) => {
    const provider = await start({ host });
    expect(provider.issuer).toMatch(issuer);
    expect((await runCodeFlow(provider)).token?.status).toBe(200);
  });

  test("another login name is another subject", async () => {
    const provider = await start();
    const { idToken } = tokensOf(await runCodeFlow(provider, { login: "bob" }));
    expect(decodeJwt(idToken)).toMatchObject({ sub: "bob", name: "Bob Example" });
  });

  test("confidential clients authenticate in their registered way", async () => {
    const provider = await start();
    const { confidentialBasic, confidentialPost, noPkce } = provider.clients;
    const byHeader = await runCodeFlow(provider, {
      clientId: confidentialBasic.clientId,
      headers: { authorization: basic(confidentialBasic) },
    });
    expect(byHeader.token?.status).toBe(200);
    expect(provider.authorizationHeaders()).toEqual([basic(confidentialBasic)]);
    expect(provider.secretsReceived()).toContain(confidentialBasic.clientSecret);

    const byBody = await runCodeFlow(provider, {
      clientId: confidentialPost.clientId,
      tokenParameters: { client_secret: confidentialPost.clientSecret },
    });
    expect(byBody.token?.status).toBe(200);

    const withoutPkce = await runCodeFlow(provider, {
      clientId: noPkce.clientId,
      headers: { authorization: basic(noPkce) },
      pkce: false,
    });
    expect(withoutPkce.token?.status).toBe(200);
    expect(tokensOf(withoutPkce).refreshToken).toBeTruthy();
  });

  test("PKCE is required of every other client", async () => {
    const provider = await start();
    for (const { clientId } of [provider.clients.public, provider.clients.confidentialBasic]) {
      const { callback } = await runCodeFlow(provider, { clientId, pkce: false });
      expect(callback.get("error")).toBe("invalid_request");
    }
  });

  test("client credentials give a token and no refresh token", async () => {
    const provider = await start();
    const { confidentialBasic } = provider.clients;
    const { status, body } = await postForm(
      `${provider.issuer}/token`,
      { grant_type: "client_credentials", scope: "api:read" },
      { headers: { authorization: basic(confidentialBasic) } },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: 3600, scope: "api:read" });
    expect(body["refresh_token"]).toBeUndefined();
  });
});

describe("lifetimes and rotation", () => {
  test("a refresh rotates, and the old refresh token ends everything", async () => {
    const provider = await start();
    const first = tokensOf(await runCodeFlow(provider));
    const second = tokensOf({ token: await refresh(provider, first.refreshToken) });
    expect(second.refreshToken).not.toBe(first.refreshToken);

    expect(await refresh(provider, first.refreshToken)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect((await refresh(provider, second.refreshToken)).status).toBe(400);
    const userinfo = await fetch(`${provider.issuer}/me`, {
      headers: { authorization: `Bearer ${second.accessToken}` },
    });
    expect(userinfo.status).toBe(401);
  });

  test("of many refreshes at once with one token at most one succeeds", async () => {
    const provider = await start();
    const { refreshToken } = tokensOf(await runCodeFlow(provider));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => refresh(provider, refreshToken)),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThanOrEqual(7);
  });

  test("without rotation the refresh token stays the same", async () => {
    const provider = await start({ rotateRefreshTokens: false });
    const { refreshToken } = tokensOf(await runCodeFlow(provider));
    const again = tokensOf({ token: await refresh(provider, refreshToken) });
    expect(again.refreshToken).toBe(refreshToken);
  });

  test("the access token's lifetime can change later", async () => {
    const provider = await start({ accessTokenLifetimeSeconds: 90, idTokenLifetimeSeconds: 120 });
    const flow = await runCodeFlow(provider);
    const { refreshToken, idToken } = tokensOf(flow);
    const { exp = 0, iat = 0 } = decodeJwt(idToken);
    expect(exp - iat).toBe(120);
    expect(flow.token?.body["expires_in"]).toBe(90);
    provider.setAccessTokenLifetime(7);
    expect((await refresh(provider, refreshToken)).body["expires_in"]).toBe(7);
  });

  test("a refresh token ends after its lifetime", async () => {
    const provider = await start({ refreshTokenLifetimeSeconds: 1 });
    const { refreshToken } = tokensOf(await runCodeFlow(provider));
    await expect
      .poll(async () => (await refresh(provider, refreshToken)).status, { timeout: 5000 })
      .toBe(400);
  });
});

describe("JWT access tokens", () => {
  const audienceOf = async (
    provider: IdentityProvider,
    authorizationParameters: Record<string, string>,
  ) => {
    const flow = await runCodeFlow(provider, { authorizationParameters });
    const { accessToken, refreshToken } = tokensOf(flow);
    expect(decodeProtectedHeader(accessToken)).toMatchObject({ typ: "at+jwt", alg: "RS256" });
    const again = tokensOf({ token: await refresh(provider, refreshToken) });
    expect(decodeJwt(again.accessToken).aud).toBe(decodeJwt(accessToken).aud);
    return decodeJwt(accessToken).aud;
  };

  test("are for the default resource, the resource or the audience", async () => {
    const provider = await start({ jwtAccessTokens: true });
    expect(await audienceOf(provider, {})).toBe("urn:demo:api");
    expect(await audienceOf(provider, { resource: "https://data.example" })).toBe(
      "https://data.example",
    );
    expect(await audienceOf(provider, { audience: "orders api" })).toBe("orders api");
  });

  test("carry the scopes of the interface", async () => {
    const provider = await start({ jwtAccessTokens: true });
    const flow = await runCodeFlow(provider, {
      authorizationParameters: { scope: "openid api:read" },
    });
    expect(decodeJwt(tokensOf(flow).accessToken)).toMatchObject({
      sub: "alice",
      scope: "api:read",
      client_id: provider.clients.public.clientId,
    });
  });
});

describe("discovery", () => {
  const statuses = async (provider: IdentityProvider, issuerPath: string) => {
    const origin = new URL(provider.issuer).origin;
    const paths = [
      `${issuerPath}/.well-known/openid-configuration`,
      `/.well-known/oauth-authorization-server${issuerPath}`,
      `${issuerPath}/.well-known/oauth-authorization-server`,
    ];
    return Promise.all(
      paths.map(async (path) => {
        const answer = await fetch(origin + path);
        if (answer.status !== 200) return answer.status;
        const document = await answer.json();
        expect(document).toMatchObject({
          issuer: provider.issuer,
          token_endpoint: `${provider.issuer}/token`,
          authorization_response_iss_parameter_supported: true,
          code_challenge_methods_supported: ["S256"],
        });
        return 200;
      }),
    );
  };

  test.each([
    ["openid", [200, 200, 404]],
    ["rfc8414-inserted", [404, 200, 404]],
    ["rfc8414-appended", [404, 404, 200]],
    ["none", [404, 404, 404]],
  ] as const)("%s, issuer with a path", async (discovery, expected) => {
    const provider = await start({ discovery, issuerPath: "/tenant/a" });
    expect(provider.issuer).toMatch(/\/tenant\/a$/);
    expect(await statuses(provider, "/tenant/a")).toEqual(expected);
    expect(provider.requests()).toMatchObject({ discovery: 3, total: 3 });
  });

  test("an issuer with a path signs in, and answers nothing beside it", async () => {
    const provider = await start({ issuerPath: "/tenant/a" });
    const { idToken } = tokensOf(await runCodeFlow(provider));
    expect(decodeJwt(idToken).iss).toBe(provider.issuer);
    const outside = await fetch(`${new URL(provider.issuer).origin}/jwks`);
    expect(outside.status).toBe(404);
  });
});

describe("what is remembered", () => {
  test("requests are counted by kind, the person's pages are not", async () => {
    const provider = await start();
    const { refreshToken } = tokensOf(await runCodeFlow(provider));
    await refresh(provider, refreshToken);
    await fetch(`${provider.issuer}/.well-known/openid-configuration`);
    await fetch(`${provider.issuer}/jwks`);
    expect(provider.requests()).toEqual({
      discovery: 1,
      jwks: 1,
      authorization: 1,
      token: 2,
      userinfo: 0,
      revocation: 0,
      device: 0,
      other: 0,
      total: 4,
    });
    expect(provider.tokenRequests().map((form) => form.get("grant_type"))).toEqual([
      "authorization_code",
      "refresh_token",
    ]);
    expect(provider.authorizationRequests()[0]?.get("scope")).toBe("openid profile email");

    provider.resetRequests();
    expect(provider.requests()).toMatchObject({ authorization: 0, token: 0, total: 0 });
    expect(provider.tokenRequests()).toEqual([]);
    expect(provider.secretsIssued()).toContain(refreshToken);
  });
});

describe("tampering", () => {
  test("changes a genuine answer, as often as asked", async () => {
    const provider = await start();
    provider.tamper({
      path: "discovery",
      times: 1,
      respond: async (request, genuine) => {
        expect(request.method).toBe("GET");
        const answer = await genuine();
        return { ...answer, body: answer.body.replaceAll(provider.issuer, "https://evil.example") };
      },
    });
    const url = `${provider.issuer}/.well-known/openid-configuration`;
    expect(await (await fetch(url)).json()).toMatchObject({ issuer: "https://evil.example" });
    expect(await (await fetch(url)).json()).toMatchObject({ issuer: provider.issuer });
  });

  test("can keep the request from the provider, and is undone", async () => {
    const provider = await start();
    const { refreshToken } = tokensOf(await runCodeFlow(provider));
    const undo = provider.tamper({
      path: "token",
      respond: async () => ({ status: 503, headers: { "retry-after": "7" }, body: "{}" }),
    });
    expect((await refresh(provider, refreshToken)).status).toBe(503);
    undo();
    expect((await refresh(provider, refreshToken)).status).toBe(200);
  });

  test("a connection is reset, an endless body ends when the client leaves", async () => {
    const provider = await start();
    provider.tamper({ path: "jwks", times: 1, respond: async () => "reset" });
    await expect(fetch(`${provider.issuer}/jwks`)).rejects.toThrow("fetch failed");

    let pieces = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        pieces += 1;
        yield Buffer.alloc(65_536);
      }
    }
    provider.tamper({ path: "jwks", respond: async () => ({ status: 200, body: endless() }) });
    const answer = await fetch(`${provider.issuer}/jwks`);
    await answer.body?.cancel();
    const before = await new Promise<number>((resolve) => setTimeout(() => resolve(pieces), 100));
    expect(before).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(pieces).toBe(before);
  });

  test("a silent server does not keep the provider from closing", async () => {
    const provider = await startIdentityProvider();
    provider.tamper({ path: "token", respond: () => new Promise(() => undefined) });
    const asking = Promise.allSettled([fetch(`${provider.issuer}/token`, { method: "POST" })]);
    await expect.poll(() => provider.requests().token).toBe(1);
    await provider.close();
    expect(await asking).toMatchObject([{ status: "rejected" }]);
  });

  test("a rule that fails makes close reject", async () => {
    const provider = await startIdentityProvider();
    provider.tamper({
      path: "jwks",
      respond: async () => {
        throw new Error("the rule is wrong");
      },
    });
    await expect(fetch(`${provider.issuer}/jwks`)).rejects.toThrow("fetch failed");
    await expect(provider.close()).rejects.toThrow("failed inside");
  });
});
