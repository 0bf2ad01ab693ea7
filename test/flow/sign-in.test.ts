// Whole sign-ins of the library against a real OpenID Provider.

import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { OidcAuth, type OidcAuthOptions } from "../../src/index.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { signIn } from "../support/scripted-browser.ts";
import { credential, desktop, emptyHome, failureOf, person, provider } from "./harness.ts";

/** One plain request, without the headers by which a browser's own pages give themselves away. */
async function visit(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", reject);
  });
}

test("a first sign-in makes 3 requests, a warm start 0, a refresh 1, a later sign-in 2", async () => {
  emptyHome();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const identityProvider = await provider({ tls: authority });
  const made = (more: OidcAuthOptions = {}) =>
    credential(identityProvider, { caCertPath: authority.caPath, ...more });
  expect((await made().getToken()).source).toBe("login");
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, jwks: 1, token: 1, total: 3 });

  identityProvider.resetRequests();
  expect((await made().getToken()).source).toBe("cache");
  expect(identityProvider.requests().total).toBe(0);

  expect((await made().getToken({ forceRefresh: true })).source).toBe("refresh");
  expect(identityProvider.requests()).toMatchObject({ token: 1, total: 1 });

  identityProvider.resetRequests();
  // The document is asked for anew: what answered once in the provider's place does not decide where the code goes.
  expect((await made({ forceLogin: true }).getToken()).source).toBe("login");
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, token: 1, total: 2 });
});

test("the token works at the provider, knows who signed in, and shows nothing when printed [O08]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  const token = await auth.getToken();
  expect(token.claims).toMatchObject({
    sub: "alice",
    email: "alice@example.com",
    iss: identityProvider.issuer,
  });
  expect(token.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
  expect(token.scopes).toEqual(expect.arrayContaining(["openid", "profile", "email"]));
  expect(await auth.userInfo()).toMatchObject({ sub: "alice", name: "Alice Example" });
  const { inspect } = await import("node:util");
  for (const shown of [
    JSON.stringify(token),
    JSON.stringify({ ...token }),
    inspect(token, { depth: 9, showHidden: true }),
    inspect(auth, { depth: 9, showHidden: true }),
    JSON.stringify(structuredClone({ ...token })),
  ]) {
    expect(shown).not.toContain(token.token);
    expect(shown).not.toContain(token.idToken);
  }
});

test("the cache file is 0600 in a 0700 folder, where resolvedCachePath says [C01]", async () => {
  const home = emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  const path = auth.resolvedCachePath();
  expect(path.startsWith(`${home}/.local/state/latchkey/`)).toBe(true);
  expect(existsSync(path)).toBe(false);
  const { token } = await auth.getToken();
  expect(readFileSync(path, "utf8")).toContain(token);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect((statSync(`${home}/.local/state/latchkey`).mode & 0o777).toString(8)).toBe("700");
});

test("a person who refuses is access_denied, the page says so, and the next call asks again", async () => {
  emptyHome();
  const identityProvider = await provider();
  const refusing = person({ deny: true });
  const error = await failureOf(new OidcAuth(desktop(identityProvider, refusing)).getToken());
  expect([error.code, error.providerError]).toEqual(["access_denied", "access_denied"]);
  expect((await refusing.finalPage).finalPage).toContain("Sign-in was refused");
  expect(refusing.events.at(-1)).toMatchObject({
    type: "settled",
    error: { code: "access_denied" },
  });
  expect(identityProvider.requests().token).toBe(0);
  expect((await credential(identityProvider).getToken()).source).toBe("login");
});

test("who comes back though the tokens cannot be had is asked three times, and again at login() [B10][F-S10]", async () => {
  emptyHome();
  const identityProvider = await provider();
  identityProvider.tamper({
    path: "token",
    times: 3,
    respond: async () => ({ status: 302, headers: { location: "/elsewhere" }, body: "" }),
  });
  for (let times = 0; times < 3; times += 1) {
    const error = await failureOf(credential(identityProvider).getToken());
    expect(error.code).toBe("redirect_refused");
  }
  // Whether a person came back, or a page that sends everybody on by itself, cannot be told.
  expect(await failureOf(credential(identityProvider).getToken())).toMatchObject({
    code: "login_required",
    reason: "prompt_budget",
  });
  await credential(identityProvider).login();
  expect((await credential(identityProvider).getToken()).source).toBe("cache");
});

test("the browser ends on a page without the code in its address, and it says what really happened [L15][L17]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person();
  await new OidcAuth(desktop(identityProvider, someone)).getToken();
  const page = await someone.finalPage;
  expect(page.finalPage).toContain("You are signed in");
  expect(new URL(page.finalUrl).search).toBe("");

  const undo = identityProvider.tamper({
    path: "token",
    respond: () =>
      Promise.resolve({
        status: 400,
        headers: { "content-type": "application/json" },
        body: '{"error":"invalid_client"}',
      }),
  });
  const another = person();
  const error = await failureOf(
    new OidcAuth({ ...desktop(identityProvider, another), forceLogin: true }).getToken(),
  );
  undo();
  expect([error.code, error.reason]).toEqual(["token_request_failed", "invalid_client"]);
  expect((await another.finalPage).finalPage).toContain("Sign-in did not finish");
});

test("nobody comes: callback_timeout, and the port is free again [L13]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const error = await failureOf(
    new OidcAuth({
      ...desktop(identityProvider, person({ idle: true })),
      callbackTimeoutSeconds: 0.2,
    }).getToken(),
  );
  expect(error.code).toBe("callback_timeout");
});

test("only callbacks of other sign-ins come: state_mismatch at the end of the time [L08]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const answers: number[] = [];
  const error = await failureOf(
    new OidcAuth({
      ...desktop(identityProvider),
      callbackTimeoutSeconds: 0.5,
      onPrompt: (event) => {
        if (event.type !== "authorizationUrl") return;
        void visit(`${event.redirectUri}?code=stolen&state=wrong`).then((status) =>
          answers.push(status),
        );
      },
    }).getToken(),
  );
  expect(error.code).toBe("state_mismatch");
  expect(answers).toEqual([400]);
});

test("a forged callback does not disturb the genuine one [L08][L09]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person();
  const token = await new OidcAuth({
    ...desktop(identityProvider, someone),
    onPrompt: (event) => {
      if (event.type !== "authorizationUrl") return;
      void Promise.all([
        visit(`${event.redirectUri}?error=access_denied`),
        visit(`${event.redirectUri}?error=access_denied&state=guess`),
      ]).then(() => someone.onPrompt(event));
    },
  }).getToken();
  expect(token.source).toBe("login");
});

test("the address at which a browser elsewhere ended can be pasted", async () => {
  emptyHome();
  const identityProvider = await provider();
  const elsewhere = createServer((_request, response) => response.end("another machine"));
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void elsewhere.close());
  const { port } = elsewhere.address() as AddressInfo;
  const warnings: string[] = [];
  const token = await new OidcAuth({
    ...desktop(identityProvider),
    redirectUri: `http://127.0.0.1:${String(port)}/callback`,
    callbackPort: 0,
    onPrompt: (event) => {
      if (event.type === "warning") warnings.push(event.code);
      if (event.type !== "authorizationUrl") return;
      event.paste("nonsense");
      event.paste(`${event.redirectUri}?code=x&state=other`);
      void signIn(event.url).then(({ redirectUrl }) => event.paste(`  ${redirectUrl}\n`));
    },
  }).getToken();
  expect(token.source).toBe("login");
  expect(warnings).toEqual(["paste_refused", "paste_refused"]);
});

test("cancel and abort end the sign-in at once with aborted", async () => {
  emptyHome();
  const identityProvider = await provider();
  const cancelled = await failureOf(
    new OidcAuth({
      ...desktop(identityProvider),
      onPrompt: (event) => {
        if (event.type === "authorizationUrl") event.cancel();
      },
    }).getToken(),
  );
  expect(cancelled.code).toBe("aborted");
  const stop = new AbortController();
  const aborted = await failureOf(
    new OidcAuth({
      ...desktop(identityProvider),
      onPrompt: (event) => {
        if (event.type === "authorizationUrl") stop.abort();
      },
    }).getToken({ signal: stop.signal }),
  );
  expect(aborted.code).toBe("aborted");
});

test("a refused refresh token is forgotten, and the next interactive call signs in", async () => {
  emptyHome();
  const identityProvider = await provider({ refreshTokenLifetimeSeconds: 1 });
  const auth = credential(identityProvider);
  await auth.getToken();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const error = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
  expect(readFileSync(auth.resolvedCachePath(), "utf8")).not.toContain("refreshToken");
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("login");
});

test("logout forgets; with revoke the refresh token is dead at the provider [C13]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  const token = await auth.getToken();
  const clientId = identityProvider.clients.public.clientId;
  expect(await auth.logout({ revoke: true })).toEqual({
    forgotten: 1,
    revoked: "yes",
    logoutUrl: `${identityProvider.issuer}/session/end?client_id=${clientId}`,
  });
  expect(existsSync(auth.resolvedCachePath())).toBe(false);
  expect(
    identityProvider
      .requestsOf("revocation")
      .map((request) => new URLSearchParams(request.body).get("token_type_hint")),
  ).toEqual(["refresh_token", "access_token"]);
  const userinfo = await fetch(`${identityProvider.issuer}/me`, {
    headers: { authorization: `Bearer ${token.token}` },
  });
  expect(userinfo.status).toBe(401);
  expect(await auth.logout()).toEqual({ forgotten: 0, revoked: "no" });
});

test("a refresh token that could not be revoked is told, whatever became of the access token [C13]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = credential(identityProvider);
  await auth.getToken();
  // The newest rule answers first.
  for (const answer of [
    { status: 400, body: JSON.stringify({ error: "unsupported_token_type" }) },
    { status: 503, body: "" },
  ]) {
    identityProvider.tamper({ path: "revocation", times: 1, respond: async () => answer });
  }
  expect(await auth.logout({ revoke: true })).toMatchObject({ forgotten: 1, revoked: "failed" });
  expect(identityProvider.requests().revocation).toBe(2);
  expect(existsSync(auth.resolvedCachePath())).toBe(false);
});
