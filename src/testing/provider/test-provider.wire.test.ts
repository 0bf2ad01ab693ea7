// The published test provider, by the library itself: what an embedding program's tests rely on.

import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { OidcCredentialsAuth } from "../../credential/client-credentials-auth.ts";
import { OidcAuth, type OidcAuthOptions } from "../../credential/oidc-auth.ts";
import { memoryStore } from "../../credential/stores.ts";
import { isOidcError, type OidcError } from "../../core/errors.ts";
import type { TestProvider, TestProviderOptions } from "./provider-types.ts";
import { startTestProvider } from "./test-provider.ts";

async function provider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const started = await startTestProvider(options);
  onTestFinished(() => started.close());
  return started;
}

function authAt(started: TestProvider, more: OidcAuthOptions = {}): OidcAuth {
  const auth = new OidcAuth({ ...started.signInOptions(), ...more });
  onTestFinished(() => auth.close());
  return auth;
}

async function errorOf(work: Promise<unknown>): Promise<OidcError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isOidcError(error)) return error;
  throw new Error("no OidcError", { cause: error });
}

test("a sign-in with a code needs nobody, and its ID token is verified", async () => {
  const started = await provider();
  const auth = authAt(started);
  const { token, claims, source, scopes } = await auth.getToken();
  expect(source).toBe("login");
  expect(scopes).toEqual(["openid", "profile", "email"]);
  expect(claims).toMatchObject({ sub: "alice", name: "Alice Example", iss: started.issuer });
  expect(started.accepts(token)).toBe(true);
  expect(await auth.userInfo()).toMatchObject({ sub: "alice", email: "alice@example.com" });
  expect(started.requests()).toEqual({
    discovery: 1,
    jwks: 1,
    authorization: 1,
    device: 0,
    token: 1,
    userinfo: 1,
    introspection: 0,
    revocation: 0,
  });
  const [request] = started.received("authorization");
  expect(request?.query.get("code_challenge_method")).toBe("S256");
});

test.each<OidcAuthOptions>([
  { flow: "device" },
  { responseMode: "form_post" },
  { audience: "urn:example:api", acrValues: ["mfa"] },
])("a sign-in with %o needs nobody", async (options) => {
  const started = await provider();
  const { source, claims } = await authAt(started, options).getToken();
  expect([source, claims?.sub]).toEqual(["login", "alice"]);
  expect(claims?.["acr"]).toBe(options.acrValues?.[0]);
});

test("a browser command opens what a program would open, in this process", async () => {
  const started = await provider();
  const shown: unknown[] = [];
  const auth = authAt(started, {
    openBrowser: true,
    browserCommand: started.browserCommand,
    onPrompt: (event) => {
      shown.push("browserOpened" in event && event.browserOpened);
      // Opens nothing of its own where a browser was started.
      started.onPrompt(event);
    },
  });
  expect((await auth.getToken()).source).toBe("login");
  expect([shown[0], started.requests().authorization]).toEqual([true, 1]);
});

test("refresh tokens rotate, and an old one ends the sign-in", async () => {
  const started = await provider();
  const auth = authAt(started);
  const first = await auth.getToken();
  const second = await auth.getToken({ forceRefresh: true });
  expect([second.source, second.token === first.token]).toEqual(["refresh", false]);
  const [, refresh] = started.received("token");
  const old = refresh?.form.get("refresh_token") ?? "";
  const again = await fetch(`${started.issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: old,
      client_id: started.clientId,
    }),
  });
  expect([again.status, await again.json()]).toEqual([400, { error: "invalid_grant" }]);
  expect(started.accepts(second.token)).toBe(false);
  const error = await errorOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
});

test("a refresh token that lasts is given once; without any, the next sign-in is the person's", async () => {
  const lasting = await provider({ refreshTokens: "lasting" });
  const auth = authAt(lasting);
  await auth.getToken();
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
  const sent = lasting.received("token").map(({ form }) => form.get("refresh_token"));
  expect(new Set(sent.slice(1)).size).toBe(1);

  const none = await provider({ refreshTokens: "none" });
  const other = authAt(none);
  await other.getToken();
  expect((await other.getToken({ forceRefresh: true })).source).toBe("login");
});

test("an access token that was ended is refused, and renewed once it is reported", async () => {
  const started = await provider();
  const auth = authAt(started);
  const { token } = await auth.getToken();
  started.endAccessTokens();
  expect(started.accepts(token)).toBe(false);
  const renewed = await auth.getToken({ rejectedToken: token });
  expect([renewed.source, started.accepts(renewed.token)]).toEqual(["refresh", true]);
});

test("sign-ins that were ended are refused at the next refresh", async () => {
  const started = await provider();
  const auth = authAt(started);
  await auth.getToken();
  started.endSignIns();
  const error = await errorOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
});

test("tokens live as long as it is told", async () => {
  const started = await provider({ tokenLifetimeSeconds: 600 });
  const auth = authAt(started);
  const secondsLeft = (at: Date | undefined): number => (Number(at) - Date.now()) / 1000;
  expect(secondsLeft((await auth.getToken()).expiresAt)).toBeLessThanOrEqual(600);
  started.setTokenLifetime(7200);
  const { expiresAt } = await auth.getToken({ forceRefresh: true });
  expect(secondsLeft(expiresAt)).toBeGreaterThan(600);
});

test("the person can refuse, be another, or leave", async () => {
  const started = await provider();
  started.setPersonAnswer("refuses");
  expect((await errorOf(authAt(started).getToken())).code).toBe("access_denied");
  const post = async (path: string, form: Record<string, string>): Promise<unknown> => {
    const body = new URLSearchParams({ client_id: started.clientId, ...form });
    return (await fetch(started.issuer + path, { method: "POST", body })).json();
  };
  const device = (await post("/device", { scope: "openid" })) as Record<string, string>;
  const poll = {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: device["device_code"] ?? "",
  };
  expect(await post("/token", poll)).toEqual({ error: "authorization_pending" });
  await started.open(device["verification_uri_complete"] ?? "");
  expect(await post("/token", poll)).toEqual({ error: "access_denied" });

  started.setPersonAnswer("agrees");
  started.setPerson({ subject: "bob" });
  expect((await authAt(started).getToken()).claims).toMatchObject({ sub: "bob" });

  started.setPersonAnswer("leaves");
  const alone = authAt(started, { callbackTimeoutSeconds: 1, store: memoryStore() });
  expect((await errorOf(alone.getToken())).code).toBe("callback_timeout");
});

test("endpoints fail as they are told, and as often", async () => {
  const started = await provider();
  const auth = authAt(started);
  await auth.getToken();
  const refused = { status: 400, error: "invalid_scope", errorDescription: "As told." };
  started.fail("token", refused, 1);
  const error = await errorOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect(error).toMatchObject({
    code: "token_request_failed",
    providerError: "invalid_scope",
    providerErrorDescription: "As told.",
  });
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");

  const undo = started.fail("userinfo", { status: 503, headers: { "retry-after": "1" } });
  started.resetRequests();
  await errorOf(auth.userInfo());
  expect(started.requests().userinfo).toBeGreaterThan(0);
  undo();
  expect(await auth.userInfo()).toMatchObject({ sub: "alice" });
});

test("a lost answer has used the refresh token up, a broken connection has not", async () => {
  const started = await provider();
  const form = async (): Promise<URLSearchParams> => {
    await authAt(started).login();
    const [sent] = started.received("token").slice(-1);
    return sent?.form ?? new URLSearchParams();
  };
  const send = (body: URLSearchParams): Promise<Response> =>
    fetch(`${started.issuer}/token`, { method: "POST", body });
  const redeemed = await form();
  expect((await send(redeemed)).status).toBe(400);

  const refreshes: string[] = [];
  for (const failure of ["reset", "lost"] as const) {
    const auth = authAt(started, { store: memoryStore() });
    await auth.getToken();
    started.resetRequests();
    const undo = started.fail("token", failure);
    await errorOf(auth.getToken({ forceRefresh: true, interactive: false }));
    undo();
    const [request] = started.received("token");
    const answer = await send(request?.form ?? new URLSearchParams());
    refreshes.push(`${failure} ${String(answer.status)}`);
  }
  expect(refreshes).toEqual(["reset 200", "lost 400"]);
});

test("a client with a secret signs in as itself, and nobody without it", async () => {
  const started = await provider({ clientSecret: "s:e+c r%t", audience: "urn:example:api" });
  const { issuer, clientId, clientSecret } = started;
  const own = { issuer, clientId, scopes: ["read"], store: memoryStore() };
  const { token, scopes } = await new OidcCredentialsAuth({
    ...own,
    clientSecret: clientSecret ?? "",
  }).getToken();
  expect(scopes).toEqual(["read"]);
  const [header, body] = token
    .split(".")
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as object);
  expect(header).toMatchObject({ alg: "RS256", typ: "at+jwt" });
  expect(body).toMatchObject({ aud: "urn:example:api", sub: clientId, iss: issuer });
  const stranger = new OidcCredentialsAuth({ ...own, clientSecret: "x", store: memoryStore() });
  expect((await errorOf(stranger.getToken())).providerError).toBe("invalid_client");
  expect((await authAt(started).getToken()).claims).toMatchObject({ sub: "alice" });
});

test("introspection and revocation tell of, and end, what was given out", async () => {
  const started = await provider();
  const auth = authAt(started);
  const { token } = await auth.getToken();
  const ask = async (): Promise<unknown> => {
    const body = new URLSearchParams({ token, client_id: started.clientId });
    const answer = await fetch(`${started.issuer}/introspect`, { method: "POST", body });
    return answer.json();
  };
  expect(await ask()).toMatchObject({ active: true, sub: "alice", scope: "openid profile email" });
  expect(await auth.logout({ revoke: true })).toMatchObject({ revoked: "yes" });
  expect(await ask()).toEqual({ active: false });
});

test("nobody is sent beyond this machine, and what went wrong in the browser is told at the end", async () => {
  const started = await startTestProvider();
  const query = new URLSearchParams({
    client_id: started.clientId,
    response_type: "code",
    redirect_uri: "https://example.com/callback",
  });
  await expect(started.open(`${started.issuer}/authorize?${query.toString()}`)).rejects.toThrow(
    "redirect URI",
  );
  await expect(started.open("http://192.0.2.1/")).rejects.toThrow("away from this machine");
  await expect(started.close()).rejects.toThrow("did not get through");
});

test("a public client that sends no challenge, and a verifier that is another's, get nothing", async () => {
  const started = await provider();
  const listener = createServer((request, response) => {
    seen.push(new URL(request.url ?? "/", "http://localhost").searchParams);
    response.end();
  }).listen(0, "127.0.0.1");
  const seen: URLSearchParams[] = [];
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  const redirectUri = `http://127.0.0.1:${String((listener.address() as AddressInfo).port)}/`;
  const visit = async (more: Record<string, string>): Promise<URLSearchParams> => {
    const query = new URLSearchParams({
      client_id: started.clientId,
      response_type: "code",
      redirect_uri: redirectUri,
      ...more,
    });
    await started.open(`${started.issuer}/authorize?${query.toString()}`);
    return seen.at(-1) ?? new URLSearchParams();
  };
  expect((await visit({})).get("error")).toBe("invalid_request");
  expect((await visit({ code_challenge: "abc" })).get("error")).toBe("invalid_request");
  const answer = await visit({ code_challenge: "abc", code_challenge_method: "S256" });
  expect(answer.get("iss")).toBe(started.issuer);
  const token = await fetch(`${started.issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code") ?? "",
      redirect_uri: redirectUri,
      client_id: started.clientId,
      code_verifier: "another",
    }),
  });
  expect(await token.json()).toEqual({ error: "invalid_grant" });
});

test.each([
  [{ colour: "red" }, "There is no option `colour`"],
  [{ port: -1 }, "`port`"],
  [{ clientSecret: "" }, "`clientSecret`"],
  [{ refreshTokens: "some" }, "`refreshTokens`"],
  [{ tokenLifetimeSeconds: 0 }, "`tokenLifetimeSeconds`"],
  [{ person: {} }, "`person`"],
])("its options are checked: %o", async (options, words) => {
  const error = await errorOf(startTestProvider(options as TestProviderOptions));
  expect([error.code, error.message.includes(words)]).toEqual(["invalid_option", true]);
});
