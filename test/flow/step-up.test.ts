// Step-up (`acrValues` and `maxAgeSeconds` of getToken, RFC 9470), against a real OpenID Provider.

import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { OidcAuth, OidcCredentialsAuth } from "../../src/index.ts";
import type { OidcAuthOptions, PromptEvent } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { forgeToken } from "../support/token-forge.ts";
import {
  atEmulatedOpenShift,
  desktop,
  emptyHome,
  failureOf,
  person,
  pollQuickly,
  provider,
  trustOf,
  type Person,
} from "./harness.ts";

const gold = "urn:example:gold";
const silver = "urn:example:silver";

interface Desk {
  readonly identityProvider: IdentityProvider;
  readonly auth: OidcAuth;
  readonly someone: Person;
}

async function desk(changes: OidcAuthOptions = {}): Promise<Desk> {
  emptyHome();
  const identityProvider = await provider();
  const someone = person(trustOf(identityProvider));
  const auth = new OidcAuth({ ...desktop(identityProvider, someone), ...changes });
  return { identityProvider, auth, someone };
}

/** The provider's ID tokens say this in place of what they say; undefined takes a claim away. */
function tell(
  identityProvider: IdentityProvider,
  claims: Readonly<Record<string, unknown>>,
): () => void {
  return identityProvider.tamper({
    path: "token",
    respond: async (_request, genuine) => {
      const real = await genuine();
      const body = JSON.parse(real.body);
      if (typeof body.id_token !== "string") return real;
      const told = { ...decodeJwt(body.id_token), at_hash: undefined, ...claims };
      const idToken = await forgeToken(JSON.parse(JSON.stringify(told)));
      return { ...real, body: JSON.stringify({ ...body, id_token: idToken }) };
    },
  });
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

test("acrValues: a sign-in that was not so leads to one that asks for it, and then it is from the cache", async () => {
  const { identityProvider, auth, someone } = await desk();
  const before = await auth.getToken();
  tell(identityProvider, { acr: gold });
  identityProvider.resetRequests();
  const strong = await auth.getToken({ acrValues: [silver, gold] });
  expect([strong.source, strong.claims?.["acr"]]).toEqual(["login", gold]);
  expect(identityProvider.authorizationRequests()[0]?.get("acr_values")).toBe(`${silver} ${gold}`);
  // No refresh was tried: it does not step up.
  expect(identityProvider.tokenRequests().map((body) => body.get("grant_type"))).toEqual([
    "authorization_code",
  ]);
  // Its tokens are the sign-in's from now on.
  const after = await auth.getToken();
  expect([after.token, after.token === before.token]).toEqual([strong.token, false]);
  expect((await auth.getToken({ acrValues: [gold] })).source).toBe("cache");
  expect(someone.visits).toHaveLength(2);
});

test("acrValues: a sign-in that does not come out so is one sign-in and an error, and is kept [D21]", async () => {
  const { identityProvider, auth, someone } = await desk();
  tell(identityProvider, { acr: silver });
  const error = await failureOf(auth.getToken({ acrValues: [gold] }));
  expect([error.code, error.reason]).toEqual(["authorization_failed", "step_up_loop"]);
  expect(someone.visits).toHaveLength(1);
  expect((await auth.getToken()).source).toBe("cache");
});

test("acrValues and maxAgeSeconds where nobody may be asked: login_required without any request", async () => {
  const { identityProvider, auth, someone } = await desk();
  await auth.getToken();
  identityProvider.resetRequests();
  const acr = await failureOf(auth.getToken({ acrValues: [gold], interactive: false }));
  expect([acr.code, acr.reason]).toEqual(["login_required", "step_up"]);
  expect(acr.message).toContain(gold);
  const age = await failureOf(auth.getToken({ maxAgeSeconds: 0, interactive: false }));
  expect([age.code, age.reason]).toEqual(["login_required", "step_up"]);
  expect(age.message).toContain("Call again with `maxAgeSeconds`");
  expect([identityProvider.requests().total, someone.visits.length]).toEqual([0, 1]);
  expect((await auth.getToken({ interactive: false })).source).toBe("cache");
});

test("maxAgeSeconds: the real provider's auth_time decides, a refresh does not make it newer", async () => {
  const { identityProvider, auth, someone } = await desk();
  // Without max_age this provider says no auth_time.
  await auth.getToken();
  const first = await auth.getToken({ maxAgeSeconds: 300 });
  expect([first.source, typeof first.claims?.["auth_time"]]).toEqual(["login", "number"]);
  expect(identityProvider.authorizationRequests().at(-1)?.get("max_age")).toBe("300");
  expect((await auth.getToken({ maxAgeSeconds: 300 })).source).toBe("cache");
  const renewed = await auth.getToken({ forceRefresh: true });
  expect([renewed.source, renewed.claims?.["auth_time"]]).toEqual([
    "refresh",
    first.claims?.["auth_time"],
  ]);
  expect((await auth.getToken({ maxAgeSeconds: 300 })).source).toBe("cache");
  // Zero is a new sign-in, however recent the last one is.
  expect((await auth.getToken({ maxAgeSeconds: 0 })).source).toBe("login");
  expect(someone.visits).toHaveLength(3);
});

test("maxAgeSeconds: a cached sign-in that is too old, or of the future, is renewed by a sign-in", async () => {
  const { identityProvider, auth } = await desk();
  for (const authTime of [now() - 400, now() + 400]) {
    const stop = tell(identityProvider, { auth_time: authTime });
    await auth.logout();
    await auth.getToken();
    const quiet = await failureOf(auth.getToken({ maxAgeSeconds: 300, interactive: false }));
    expect([quiet.code, quiet.reason]).toEqual(["login_required", "step_up"]);
    stop();
    expect((await auth.getToken({ maxAgeSeconds: 300 })).source).toBe("login");
  }
});

test.each([undefined, -1000])(
  "maxAgeSeconds: an answer with auth_time %s is no step-up, and nobody is asked twice [A12]",
  async (seconds) => {
    const { identityProvider, auth, someone } = await desk();
    const before = await auth.getToken();
    const authTime = seconds === undefined ? undefined : now() + seconds;
    const stop = tell(identityProvider, { auth_time: authTime });
    const error = await failureOf(auth.getToken({ maxAgeSeconds: 300 }));
    expect([error.code, error.reason]).toEqual(["id_token_invalid", "id_token_auth_time"]);
    expect(someone.visits).toHaveLength(2);
    stop();
    expect((await auth.getToken()).token).toBe(before.token);
  },
);

test("maxAgeSeconds and the option maxAge: the stricter one is sent", async () => {
  const { identityProvider, auth } = await desk({ maxAge: 100 });
  await auth.getToken({ maxAgeSeconds: 300 });
  await auth.getToken({ maxAgeSeconds: 0 });
  const sent = identityProvider.authorizationRequests().map((query) => query.get("max_age"));
  expect(sent).toEqual(["100", "0"]);
});

test("what a sign-in said of itself outlives a refresh whose ID token leaves it out", async () => {
  const { identityProvider, auth, someone } = await desk();
  const stop = tell(identityProvider, { acr: gold, auth_time: now() });
  const wish = { acrValues: [gold], maxAgeSeconds: 300 };
  await auth.getToken(wish);
  stop();
  tell(identityProvider, { acr: undefined, auth_time: undefined });
  const renewed = await auth.getToken({ forceRefresh: true });
  expect([renewed.source, renewed.claims?.["acr"]]).toEqual(["refresh", undefined]);
  expect((await auth.getToken(wish)).source).toBe("cache");
  expect(someone.visits).toHaveLength(1);
});

test("a refresh whose ID token names another way is believed", async () => {
  const { identityProvider, auth } = await desk();
  tell(identityProvider, { acr: gold });
  await auth.getToken({ acrValues: [gold] });
  tell(identityProvider, { acr: silver });
  await auth.getToken({ forceRefresh: true });
  const error = await failureOf(auth.getToken({ acrValues: [gold], interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "step_up"]);
});

test("with scopes: one sign-in for both, then the narrower token", async () => {
  const { identityProvider, auth, someone } = await desk();
  await auth.getToken();
  tell(identityProvider, { acr: gold });
  const token = await auth.getToken({ acrValues: [gold], scopes: ["openid"] });
  expect([token.source, token.scopes, token.claims?.["acr"]]).toEqual(["login", ["openid"], gold]);
  expect(someone.visits).toHaveLength(2);
});

test("nothing of the sign-in before is handed out after a step-up, not even in the first second", async () => {
  const { identityProvider, auth } = await desk();
  await auth.getToken();
  const narrow = await auth.getToken({ scopes: ["openid"] });
  tell(identityProvider, { acr: gold });
  await auth.getToken({ acrValues: [gold] });
  const after = await auth.getToken({ scopes: ["openid"] });
  expect([after.source, after.token === narrow.token]).toEqual(["refresh", false]);
});

test("the device flow steps up too", async () => {
  const { identityProvider, auth } = await desk({ flow: "device" });
  pollQuickly(identityProvider);
  tell(identityProvider, { acr: gold, auth_time: now() });
  const token = await auth.getToken({ acrValues: [gold], maxAgeSeconds: 300 });
  expect(token.source).toBe("login");
  const sent = new URLSearchParams(identityProvider.requestsOf("device")[0]?.body);
  expect([sent.get("acr_values"), sent.get("max_age")]).toEqual([gold, "300"]);
});

test("calls at once: one sign-in for equal wishes, and a call without one does not wait for it", async () => {
  emptyHome();
  const identityProvider = await provider();
  const shown: Extract<PromptEvent, { type: "authorizationUrl" }>[] = [];
  const visitor = person(trustOf(identityProvider));
  let isBusy = false;
  const auth = new OidcAuth({
    ...desktop(identityProvider, visitor),
    onPrompt: (event) => {
      if (isBusy && event.type === "authorizationUrl") shown.push(event);
      else visitor.onPrompt(event);
    },
  });
  const { token } = await auth.getToken();
  tell(identityProvider, { acr: gold });
  isBusy = true;
  const strong = Array.from({ length: 20 }, async () => auth.getToken({ acrValues: [gold] }));
  while (shown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // The person is still at it.
  expect((await auth.getToken()).token).toBe(token);
  const pending = await failureOf(auth.getToken({ acrValues: [gold], interactive: false }));
  expect(pending.code).toBe("interaction_pending");
  isBusy = false;
  for (const event of shown) visitor.onPrompt(event);
  const tokens = await Promise.all(strong);
  expect(new Set(tokens.map((each) => each.token)).size).toBe(1);
  expect(shown).toHaveLength(1);
});

test("emulated OpenShift: without an ID token nothing confirms a step-up, and that is said", async () => {
  emptyHome();
  const { someone, auth } = await atEmulatedOpenShift();
  const error = await failureOf(auth.getToken({ acrValues: [gold] }));
  expect([error.code, error.reason]).toEqual(["id_token_invalid", "id_token_missing"]);
  expect(someone.visits).toHaveLength(1);
  expect((await auth.getToken()).source).toBe("cache");
});

test("client credentials have nobody who could step up", async () => {
  emptyHome();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const auth = new OidcCredentialsAuth({ issuer: identityProvider.issuer, clientId, clientSecret });
  await auth.getToken();
  identityProvider.resetRequests();
  const error = await failureOf(auth.getToken({ acrValues: [gold] }));
  expect([error.code, error.reason]).toEqual(["login_required", "step_up"]);
  expect(identityProvider.requests().total).toBe(0);
});
