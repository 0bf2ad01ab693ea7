// Every option of the reference page, as it is seen from outside: each test fails when its option is ignored
// (`node scripts/ignored-options.mjs` proves it).

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { memoryStore, OidcAuth, type LatchkeyEvent } from "../../src/index.ts";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { change } from "./fast-desk.ts";
import {
  credential,
  desktop,
  emptyHome,
  failureOf,
  person,
  pollQuickly,
  provider,
  requestsOf,
} from "./harness.ts";
import { recordsIn } from "../../src/session/record-repository.ts";

test("issuer: locates the provider, and without one the error names the option", async () => {
  emptyHome();
  const identityProvider = await provider();
  const token = await credential(identityProvider).getToken();
  expect(token.claims?.iss).toBe(identityProvider.issuer);
  const missing = await failureOf(new OidcAuth({ clientId: "x" }).getToken());
  expect([missing.code, missing.message.includes("`issuer`")]).toEqual(["missing_issuer", true]);
});

test("clientId: is who signs in, and without one the error names the option", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { authorization, token } = await requestsOf(identityProvider);
  expect([authorization.get("client_id"), token.get("client_id")]).toEqual([
    "public-client",
    "public-client",
  ]);
  const missing = await failureOf(new OidcAuth({ issuer: identityProvider.issuer }).getToken());
  expect([missing.code, missing.message.includes("`clientId`")]).toEqual([
    "missing_client_id",
    true,
  ]);
});

test("scopes: undefined is openid profile email, else exactly those", async () => {
  emptyHome();
  const identityProvider = await provider();
  expect((await requestsOf(identityProvider)).authorization.get("scope")).toBe(
    "openid profile email",
  );
  const chosen = await requestsOf(identityProvider, { scopes: ["openid", "email"] });
  expect(chosen.authorization.get("scope")).toBe("openid email");
});

test("audience: goes into the authorization and the token request", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const plain = await requestsOf(identityProvider);
  expect([plain.authorization.has("audience"), plain.token.has("audience")]).toEqual([
    false,
    false,
  ]);
  const named = await requestsOf(identityProvider, { audience: "urn:api" });
  expect([named.authorization.get("audience"), named.token.get("audience")]).toEqual([
    "urn:api",
    "urn:api",
  ]);
});

test("caCertPath: a private CA is trusted for every request, and refused without it [S01][S02]", async () => {
  emptyHome();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const identityProvider = await provider({ tls: authority });
  const error = await failureOf(credential(identityProvider).getToken());
  expect(error.code).toBe("tls");
  expect(identityProvider.requests().total).toBe(0);
  change(identityProvider, "discovery", { require_pushed_authorization_requests: true });
  const auth = credential(identityProvider, { caCertPath: authority.caPath });
  expect((await auth.getToken()).source).toBe("login");
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
  expect(await auth.userInfo()).toMatchObject({ sub: "alice" });
  expect(await auth.logout({ revoke: true })).toMatchObject({ revoked: "yes" });
  expect(identityProvider.requests()).toMatchObject({
    discovery: 1,
    jwks: 1,
    token: 2,
    userinfo: 1,
    revocation: 2,
  });
  expect(identityProvider.requestsOf("pushedAuthorization")).toHaveLength(1);
});

test("caCertPath: `~` is the home folder, and a file that is no bundle is ca_bundle_invalid [S03]", async () => {
  const home = emptyHome();
  const identityProvider = await provider();
  writeFileSync(join(home, "ca.pem"), "nonsense");
  const error = await failureOf(
    credential(identityProvider, { caCertPath: "~/ca.pem" }).getToken(),
  );
  expect([error.code, error.message.includes(join(home, "ca.pem"))]).toEqual([
    "ca_bundle_invalid",
    true,
  ]);
});

test("cachePath: one file for every configuration that names it, each with its own sign-in", async () => {
  const home = emptyHome();
  const identityProvider = await provider();
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(home, "private"), { mode: 0o700 });
  const cachePath = "~/private/tokens.json";
  const first = credential(identityProvider, { cachePath });
  const second = credential(identityProvider, { cachePath, scopes: ["openid"] });
  expect(first.resolvedCachePath()).toBe(join(home, "private/tokens.json"));
  const tokens = [(await first.getToken()).token, (await second.getToken()).token];
  expect(new Set(tokens).size).toBe(2);
  const content = readFileSync(join(home, "private/tokens.json"), "utf8");
  expect(tokens.every((token) => content.includes(token))).toBe(true);
  expect((await credential(identityProvider, { cachePath }).getToken()).source).toBe("cache");
  expect(existsSync(credential(identityProvider).resolvedCachePath())).toBe(false);
});

test("tokenEndpoint: gets the code in place of the discovered one, and is part of the cache key [D07]", async () => {
  emptyHome();
  const identityProvider = await provider();
  await credential(identityProvider).getToken();
  const error = await failureOf(
    credential(identityProvider, {
      tokenEndpoint: `${identityProvider.issuer}/elsewhere`,
    }).getToken(),
  );
  expect([error.code, identityProvider.requests().token]).toEqual(["token_request_failed", 1]);
});

test("authorizationEndpoint and tokenEndpoint: no discovery is sent when both are set [D07]", async () => {
  emptyHome();
  const identityProvider = await provider({ discovery: "none" });
  const endpoints = {
    authorizationEndpoint: `${identityProvider.issuer}/auth`,
    tokenEndpoint: `${identityProvider.issuer}/token`,
  };
  const auth = credential(identityProvider, {
    ...endpoints,
    jwksUri: `${identityProvider.issuer}/jwks`,
  });
  expect((await auth.getToken()).claims?.sub).toBe("alice");
  expect(identityProvider.requests()).toMatchObject({ discovery: 0, jwks: 1, token: 1 });
  const alone = await failureOf(
    credential(identityProvider, {
      authorizationEndpoint: endpoints.authorizationEndpoint,
      scopes: ["openid"],
    }).getToken(),
  );
  expect(alone.code).toBe("discovery_failed");
});

test("authorizationEndpoint: is where the person is sent", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person({ idle: true });
  const failed = failureOf(
    new OidcAuth({
      ...desktop(identityProvider, someone),
      authorizationEndpoint: `${identityProvider.issuer}/auth?tenant=a`,
      callbackTimeoutSeconds: 0.1,
    }).getToken(),
  );
  expect((await failed).code).toBe("callback_timeout");
  const shown = someone.events.find((event) => event.type === "authorizationUrl");
  expect(new URL(shown?.url ?? "").searchParams.get("tenant")).toBe("a");
});

test("maxUnansweredPrompts: so many sign-ins that nobody answers, then none until somebody asks for one [B10]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person({ idle: true });
  const outcome = async (): Promise<string | undefined> => {
    const options = { ...desktop(identityProvider, someone), callbackTimeoutSeconds: 0.1 };
    const error = await failureOf(new OidcAuth({ ...options, maxUnansweredPrompts: 1 }).getToken());
    return error.reason ?? error.code;
  };
  expect([await outcome(), await outcome()]).toEqual(["callback_timeout", "prompt_budget"]);
  expect(someone.events.filter((event) => event.type === "authorizationUrl")).toHaveLength(1);
});

test("flow: auto and auth_code sign in with the browser where they can, device with a code", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  for (const [flow, kinds] of [
    ["auto", ["authorizationUrl", "settled"]],
    ["auth_code", ["authorizationUrl", "settled"]],
    ["device", ["deviceCode", "settled"]],
  ] as const) {
    const someone = person();
    const auth = new OidcAuth({ ...desktop(identityProvider, someone), flow, forceLogin: true });
    expect((await auth.getToken()).source).toBe("login");
    expect(someone.events.map((event) => event.type)).toEqual(kinds);
  }
});

test("flow: auto falls back to a device code, auth_code does not", async () => {
  emptyHome();
  const identityProvider = await provider();
  pollQuickly(identityProvider);
  identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const { authorization_endpoint: _gone, ...document } = JSON.parse(real.body);
      return { ...real, body: JSON.stringify(document) };
    },
  });
  const error = await failureOf(credential(identityProvider, { flow: "auth_code" }).getToken());
  expect([error.code, error.message.includes("a device authorization endpoint")]).toEqual([
    "no_interactive_flow",
    true,
  ]);
  const someone = person();
  await new OidcAuth({ ...desktop(identityProvider, someone), flow: "auto" }).getToken();
  expect(someone.events[0]).toMatchObject({
    type: "deviceCode",
    why: expect.stringContaining("no authorization endpoint"),
  });
});

test("deviceAuthorizationEndpoint: gets the request in place of the discovered one", async () => {
  emptyHome();
  const identityProvider = await provider();
  const error = await failureOf(
    credential(identityProvider, {
      flow: "device",
      deviceAuthorizationEndpoint: `${identityProvider.issuer}/elsewhere`,
    }).getToken(),
  );
  expect([error.code, identityProvider.requests().device]).toEqual(["token_request_failed", 0]);
});

test("deviceAuthorizationEndpoint and tokenEndpoint: no discovery is sent for the device flow when both are set [D07]", async () => {
  emptyHome();
  const identityProvider = await provider({ discovery: "none" });
  pollQuickly(identityProvider);
  const auth = credential(identityProvider, {
    flow: "device",
    deviceAuthorizationEndpoint: `${identityProvider.issuer}/device/auth`,
    tokenEndpoint: `${identityProvider.issuer}/token`,
    jwksUri: `${identityProvider.issuer}/jwks`,
  });
  expect((await auth.getToken()).claims?.sub).toBe("alice");
  expect(identityProvider.requests()).toMatchObject({ discovery: 0, device: 1, jwks: 1 });
});

test("forceLogin: ignores what is cached, then uses what it obtained", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { token } = await credential(identityProvider).getToken();
  const forced = credential(identityProvider, { forceLogin: true });
  const fresh = await forced.getToken();
  expect([fresh.source, fresh.token === token]).toEqual(["login", false]);
  expect((await forced.getToken()).source).toBe("cache");
});

test("pkce: S256 always, or no parameter of it at all [A02]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { noPkce } = identityProvider.clients;
  const on = await requestsOf(identityProvider);
  expect(on.authorization.get("code_challenge_method")).toBe("S256");
  expect(on.authorization.get("code_challenge")).toMatch(/^[\w-]{43}$/);
  expect(on.token.get("code_verifier")).toMatch(/^[\w-]{43,128}$/);
  const off = await requestsOf(identityProvider, { ...noPkce, pkce: false });
  expect(
    ["code_challenge", "code_challenge_method"].filter((name) => off.authorization.has(name)),
  ).toEqual([]);
  expect(off.token.has("code_verifier")).toBe(false);
});

test("clientSecret: authenticates with basic, or with post where the provider lists only that [T25]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { confidentialBasic, confidentialPost } = identityProvider.clients;
  const basic = await requestsOf(identityProvider, confidentialBasic);
  expect(basic.header).toMatch(/^Basic /);
  expect(basic.token.has("client_secret")).toBe(false);
  const undo = identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const document = {
        ...JSON.parse(real.body),
        token_endpoint_auth_methods_supported: ["client_secret_post"],
      };
      return { ...real, body: JSON.stringify(document) };
    },
  });
  emptyHome();
  const post = await requestsOf(identityProvider, confidentialPost);
  undo();
  expect(post.header).toBeUndefined();
  expect(post.token.get("client_secret")).toBe(confidentialPost.clientSecret);
});

test("clientSecret: is readable, but not by printing", () => {
  const auth = new OidcAuth({ clientSecret: "canary-secret" });
  expect(auth.clientSecret).toBe("canary-secret");
  expect(JSON.stringify(auth)).not.toContain("canary");
  expect(Object.keys(auth)).not.toContain("clientSecret");
});

test("offlineAccess, prompt, loginHint and extraAuthorizationParams go into the authorization request", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { authorization } = await requestsOf(identityProvider, {
    offlineAccess: true,
    loginHint: "alice@example.com",
    extraAuthorizationParams: { ui_locales: "de" },
  });
  expect(authorization.get("scope")).toContain("offline_access");
  expect(Object.fromEntries(authorization)).toMatchObject({
    prompt: "consent",
    login_hint: "alice@example.com",
    ui_locales: "de",
  });
  const again = await requestsOf(identityProvider, { prompt: "login", forceLogin: true });
  expect(again.authorization.get("prompt")).toBe("login");
});

test("httpTimeoutSeconds: bounds a silent provider [N01]", async () => {
  emptyHome();
  const identityProvider = await provider();
  identityProvider.tamper({ path: "discovery", respond: () => new Promise(() => undefined) });
  const error = await failureOf(
    credential(identityProvider, { httpTimeoutSeconds: 0.2 }).getToken(),
  );
  expect(error.code).toBe("timeout");
  // Not after the default time.
  expect(error.message).toContain("within 0.2 s");
});

test("every option is readable afterwards: what was set, or the default", () => {
  const auth = new OidcAuth({
    callbackPort: [8000, 9000],
    scopes: ["openid"],
    flow: "device",
    useServerAudience: true,
  });
  expect(auth).toMatchObject({
    issuer: "",
    clientId: "",
    scopes: ["openid"],
    flow: "device",
    useServerAudience: true,
    callbackPort: [8000, 9000],
    callbackHost: "127.0.0.1",
    callbackTimeoutSeconds: 300,
    pkce: true,
    openBrowser: true,
    forceLogin: false,
  });
  expect(() => Object.assign(auth, { flow: "auto" })).toThrow(TypeError);
});

test("deviceAuthorizationEndpoint alone does not skip discovery of the code flow", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider, {
    deviceAuthorizationEndpoint: `${identityProvider.issuer}/device/auth`,
  });
  expect((await auth.getToken()).source).toBe("login");
  expect(identityProvider.requests().discovery).toBe(1);
});

test("store: keeps the sign-ins in place of the file", async () => {
  emptyHome();
  const identityProvider = await provider();
  const store = memoryStore();
  const auth = credential(identityProvider, { store });
  await auth.getToken();
  expect(existsSync(auth.resolvedCachePath())).toBe(false);
  expect((await credential(identityProvider, { store }).getToken()).source).toBe("cache");
  expect((await recordsIn(store)).map((record) => record.subject)).toEqual(["alice"]);
});

test("logger: receives events that hold no secret [O01]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const events: LatchkeyEvent[] = [];
  await credential(identityProvider, { logger: (event) => events.push(event) }).getToken();
  expect(events.map((event) => event.name)).toEqual(
    expect.arrayContaining(["lock.acquired", "http.request", "login.started", "login.finished"]),
  );
  expectNoSecrets(JSON.stringify(events), secretsOf([identityProvider]));
});
