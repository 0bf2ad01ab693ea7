// A server's address alone signs in: what it says, when it is asked, and what wins. Changes with the rules for that.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { OidcAuth, OidcCredentialsAuth, type OidcAuthOptions } from "../../src/index.ts";
import { reply, startHostileServer } from "../support/hostile-server.ts";
import { startProtectedResource, type ProtectedResource } from "../support/protected-resource.ts";
import { emptyHome, failureOf, person, provider, type Person } from "./harness.ts";

/** Somebody with nothing but a server's address. */
function withAddress(
  { server }: ProtectedResource,
  changes: OidcAuthOptions = {},
  someone: Person = person(),
): OidcAuth {
  return new OidcAuth({
    server: server.origin,
    openBrowser: false,
    callbackPort: 0,
    callbackTimeoutSeconds: 15,
    onPrompt: someone.onPrompt,
    ...changes,
  });
}

function cacheOf(auth: OidcAuth): string {
  return readFileSync(auth.resolvedCachePath(), "utf8");
}

/** Lets the cached access token be over. */
function expire(auth: OidcAuth): void {
  const path = auth.resolvedCachePath();
  const file = JSON.parse(readFileSync(path, "utf8"));
  for (const { accessToken } of file.records) {
    accessToken.issuedAt -= 7200;
    accessToken.expiresAt -= 7200;
  }
  writeFileSync(path, JSON.stringify(file));
}

test("server: an address alone signs in; a second program asks nobody, and a renewal asks the provider alone", async () => {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const at = await startProtectedResource(identityProvider);
  const auth = withAddress(at);
  const first = await auth.getToken();
  const [authorization] = identityProvider.authorizationRequests();
  expect(first.claims?.iss).toBe(identityProvider.issuer);
  expect([
    authorization?.get("client_id"),
    authorization?.get("scope"),
    authorization?.get("resource"),
  ]).toEqual(["public-client", "openid profile", at.server.origin]);
  expect(identityProvider.tokenRequests()[0]?.get("resource")).toBe(at.server.origin);
  expect(decodeJwt(first.token)["aud"]).toBe(at.server.origin);
  expect([auth.issuer, auth.clientId, auth.server]).toEqual(["", "", at.server.origin]);
  expect(await auth.status()).toMatchObject({
    server: at.server.origin,
    issuer: identityProvider.issuer,
    clientId: "public-client",
  });
  expect(at.asked()).toBe(1);

  identityProvider.resetRequests();
  const second = withAddress(at);
  expect(await second.getToken()).toMatchObject({ token: first.token, source: "cache" });
  expect([at.asked(), identityProvider.requests().total]).toEqual([1, 0]);

  expire(auth);
  const third = await withAddress(at).getToken();
  expect(third.source).toBe("refresh");
  expect(identityProvider.tokenRequests()[0]?.get("resource")).toBe(at.server.origin);
  expect(at.asked()).toBe(1);
});

test("what the caller set wins, and a server that has nothing to add is not asked", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider, {
    authorization_servers: ["https://other.example.net"],
    client_id: "other-client",
  });
  const { issuer } = identityProvider;
  const whole = withAddress(at, { issuer, clientId: "public-client", scopes: ["openid"] });
  await whole.getToken();
  expect(at.asked()).toBe(0);
  expect(identityProvider.authorizationRequests()[0]?.get("scope")).toBe("openid");
  identityProvider.resetRequests();
  // Its scopes are missing, so it is asked; its issuer and client count for nothing.
  await withAddress(at, { issuer, clientId: "public-client" })
    .getToken()
    .catch(() => undefined);
  expect(at.asked()).toBe(1);
  expect(identityProvider.authorizationRequests()[0]?.get("client_id")).toBe("public-client");
  expect(identityProvider.authorizationRequests()[0]?.get("scope")).toBe("openid profile");
});

test("scopes: the server's, with openid at an OpenID Provider; else the usual ones", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider, { scopes: ["profile"] });
  await withAddress(at).getToken();
  expect(identityProvider.authorizationRequests()[0]?.get("scope")).toBe("openid profile");
  const without = await startProtectedResource(identityProvider, { scopes: undefined });
  identityProvider.resetRequests();
  await withAddress(without).getToken();
  expect(identityProvider.authorizationRequests()[0]?.get("scope")).toBe("openid profile email");
});

test("useServerAudience: takes the server's audience, and only then", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider, { audience: "graph" });
  await withAddress(at).getToken();
  await withAddress(at, { useServerAudience: true }).getToken();
  await withAddress(at, { useServerAudience: true, audience: "own" }).getToken();
  expect(identityProvider.authorizationRequests().map((each) => each.get("audience"))).toEqual([
    null,
    "graph",
    "own",
  ]);
  const silent = await startProtectedResource(identityProvider);
  const failure = await failureOf(withAddress(silent, { useServerAudience: true }).getToken());
  expect([failure.code, failure.reason]).toEqual(["server_config_failed", "no_audience"]);
});

test("two servers with one provider share no token, nor does a server with none [D10]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const [one, other] = [
    await startProtectedResource(identityProvider),
    await startProtectedResource(identityProvider),
  ];
  const first = await withAddress(one).getToken();
  const second = await withAddress(other).getToken();
  expect(second.source).toBe("login");
  expect(second.token).not.toBe(first.token);
  const base = new OidcAuth({ openBrowser: false, callbackPort: 0, onPrompt: person().onPrompt });
  expect((await base.withServer(one.server.origin).getToken()).token).toBe(first.token);
  expect(base.withServer(one.server.origin).resolvedCachePath()).not.toBe(base.resolvedCachePath());
});

test("a server that names somebody else later gets a question, and a no sends nothing there [D09]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const attacker = await startHostileServer(reply(200, {}, "{}"));
  onTestFinished(() => attacker.close());
  const at = await startProtectedResource(identityProvider);
  const auth = withAddress(at);
  const first = await auth.getToken();
  at.say({ authorization_servers: [attacker.origin] });
  const asked: unknown[] = [];
  const someone = person();
  const again = withAddress(at, {
    onPrompt: (event) => {
      if (event.type !== "trustQuestion") return someone.onPrompt(event);
      asked.push(event.before?.issuer, event.issuer);
      event.refuse();
    },
  });
  const failure = await failureOf(again.login());
  expect([failure.code, failure.reason]).toEqual(["server_config_changed", "declined"]);
  expect(asked).toEqual([identityProvider.issuer, attacker.origin]);
  expect(attacker.requests).toEqual([]);
  expect((await auth.getToken()).token).toBe(first.token);
});

test("a secret goes to no issuer that the server named and nobody accepted [D16]", async () => {
  emptyHome();
  const attacker = await startHostileServer(reply(200, {}, "{}"));
  onTestFinished(() => attacker.close());
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider, {
    authorization_servers: [attacker.origin],
  });
  const { clientId, clientSecret } = identityProvider.clients.confidentialPost;
  const auth = new OidcCredentialsAuth({ server: at.server.origin, clientId, clientSecret });
  const failure = await failureOf(auth.getToken());
  expect([failure.code, failure.reason]).toEqual(["issuer_untrusted", "secret_issuer_unbound"]);
  expect(attacker.requests).toEqual([]);
});

test("a secret that is set later is not sent for a sign-in that a server's word alone was behind [D16]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider);
  const auth = withAddress(at);
  await auth.getToken();
  expire(auth);
  identityProvider.resetRequests();
  const canary = "canary-of-a-later-secret";
  await withAddress(at, { clientSecret: canary }).getToken({ interactive: false });
  expect(identityProvider.requests().token).toBe(1);
  const sent = JSON.stringify([
    identityProvider.tokenRequests().map(String),
    identityProvider.authorizationHeaders(),
  ]);
  expect(sent).not.toContain(canary);
  expect(sent).not.toContain(Buffer.from(`public-client:${canary}`).toString("base64"));
});

test.each([
  ["this machine, from elsewhere", "https://127.0.0.1:1"],
  ["the cloud's own address", "https://169.254.169.254"],
  ["a link-local address", "https://[fe80::1]"],
])("a provider at %s is not asked [D18]", async (_name, issuer) => {
  emptyHome();
  const auth = new OidcAuth({
    server: { address: "https://data.example.com", getOidcIssuer: async () => ({ issuer }) },
    clientId: "cli",
    onPrompt: () => undefined,
  });
  const failure = await failureOf(auth.getToken());
  expect([failure.code, failure.reason]).toEqual(["server_config_failed", "malformed"]);
});

test("a provider that lists its resources, and not this one, opens no browser [D14]", async () => {
  emptyHome();
  const identityProvider = await provider();
  identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const answer = await genuine();
      const listed = { protected_resources: ["https://genuine.example.com"] };
      return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), ...listed }) };
    },
  });
  const failure = await failureOf(
    withAddress(await startProtectedResource(identityProvider)).getToken(),
  );
  expect(failure.code).toBe("resource_mismatch");
  expect(identityProvider.authorizationRequests()).toEqual([]);
});

test("a server that names no client, where none is set: the error names the provider", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider, { client_id: undefined });
  const failure = await failureOf(withAddress(at).getToken());
  expect(failure.code).toBe("missing_client_id");
  expect(failure.message).toContain(new URL(identityProvider.issuer).host);
});

test("an object is asked; with an address its sign-in is kept, without one it is its own", async () => {
  const home = emptyHome();
  const identityProvider = await provider();
  let asked = 0;
  const { issuer } = identityProvider;
  const getOidcIssuer = (): Promise<{ issuer: string; clientId: string }> => {
    asked += 1;
    return Promise.resolve({ issuer, clientId: "public-client" });
  };
  const make = (server: OidcAuthOptions["server"]): OidcAuth =>
    new OidcAuth({
      server,
      trustServer: "first-use",
      clientId: "public-client",
      openBrowser: false,
      callbackPort: 0,
      onPrompt: person().onPrompt,
    });
  const named = { getOidcIssuer, address: "quic://127.0.0.1:9" };
  const first = await make(named).getToken();
  expect((await make({ ...named }).getToken()).token).toBe(first.token);
  expect(asked).toBe(1);
  const kept = readdirSync(join(home, ".local/state/latchkey"), { recursive: true }).length;
  const [one, other] = [{ getOidcIssuer }, { getOidcIssuer }];
  const own = await make(one).getToken();
  expect((await make(one).getToken()).source).toBe("login");
  expect((await make(other).getToken()).token).not.toBe(own.token);
  expect(readdirSync(join(home, ".local/state/latchkey"), { recursive: true })).toHaveLength(kept);
  const failing = make({ getOidcIssuer: () => Promise.reject(new TypeError("no connection")) });
  expect((await failureOf(failing.getToken())).code).toBe("server_config_failed");
});

test("what was remembered holds no more than a renewal needs, and not the server's other words", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider, {
    audience: "graph",
    resource_name: "Graphs",
  });
  const auth = withAddress(at);
  await auth.getToken();
  expect(JSON.parse(cacheOf(auth)).records[0].server).toEqual({
    address: at.server.origin,
    scopes: ["openid", "profile"],
    audience: "graph",
    resource: at.server.origin,
  });
});

test("trustServer: ask has a person asked the first time, even about this machine, and once", async () => {
  emptyHome();
  const identityProvider = await provider();
  const at = await startProtectedResource(identityProvider);
  const asked: string[] = [];
  const someone = person();
  const onPrompt: Person["onPrompt"] = (event) => {
    if (event.type !== "trustQuestion") return someone.onPrompt(event);
    asked.push(event.server);
    event.accept();
  };
  await withAddress(at, { trustServer: "ask", onPrompt }).getToken();
  await withAddress(at, { trustServer: "ask", onPrompt }).login();
  expect(asked).toEqual([at.server.origin]);
  const silent = await startProtectedResource(identityProvider);
  await withAddress(silent, { onPrompt }).getToken();
  expect(asked).toHaveLength(1);
});
