// The decision table of a session: cache, refresh or sign-in.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { OidcError, type OidcErrorCode } from "../core/errors.ts";
import { eventChannel } from "../core/events.ts";
import type { GetTokenOptions } from "../core/types.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import {
  answer,
  Bench,
  expired,
  failure,
  storeWith,
  tokensOf,
  unwritable,
  openStore,
} from "./testing.ts";

test("signs in once, then answers from the cache", async () => {
  const bench = new Bench();
  const first = await bench.session.getToken();
  const second = await bench.session.getToken();
  const elsewhere = await new Bench({}, { store: bench.store }).session.getToken();
  expect([first.source, second.source, elsewhere.source]).toEqual(["login", "cache", "cache"]);
  expect([second.token, elsewhere.token]).toEqual([first.token, first.token]);
  expect(bench.calls).toEqual(["signIn"]);
});

test.each<[string, TokenAnswer | undefined, GetTokenOptions]>([
  ["absent", undefined, {}],
  ["expired", expired(), {}],
  ["expired", answer({ issuedAt: 0, expiresAt: Date.now() / 1000 + 30 }), { rejectedToken: "x" }],
  ["not_satisfying", answer(), { forceRefresh: true }],
  ["not_satisfying", answer(), { scopes: ["more"] }],
])("a look into the store that is no answer is reported as %s [F-D3]", async (why, first, call) => {
  const store = first === undefined ? openStore() : await storeWith(first);
  const events: unknown[] = [];
  const listen = (event: unknown): void => void events.push(event);
  subscribe(eventChannel, listen);
  onTestFinished(() => void unsubscribe(eventChannel, listen));
  await new Bench({}, { store }).session.getToken(call);
  expect(events[0]).toEqual({ name: "cache.miss", data: { location: store.location, why } });
});

test("refreshes an expired token and keeps the rotated refresh token before it hands out the access token [R08]", async () => {
  const store = await storeWith(expired());
  const bench = new Bench(
    { refresh: () => Promise.resolve(answer({ refreshToken: "rotated" })) },
    { store },
  );
  const token = await bench.session.getToken();
  expect(token.source).toBe("refresh");
  expect((await store.read("key"))?.refreshToken).toBe("rotated");
  expect(bench.calls).toEqual(["refresh"]);
});

test("keeps the old refresh token, ID token and identity where a refresh brings none [R09]", async () => {
  const store = await storeWith(expired({ refreshToken: "first", idToken: "a.b.c" }));
  const { refreshToken: _refreshToken, claims: _claims, ...bare } = answer();
  const bench = new Bench({ refresh: () => Promise.resolve(bare) }, { store });
  await bench.session.getToken();
  expect(await store.read("key")).toMatchObject({
    refreshToken: "first",
    idToken: "a.b.c",
    subject: "alice",
  });
});

test.each(["invalid_grant", "empty"] as const)(
  "a refused refresh token (%s) leads to a sign-in where a person can be asked",
  async (reason) => {
    const store = await storeWith(expired());
    const refused = new OidcError("token_request_failed", "refused", { reason });
    const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
    expect((await bench.session.getToken()).source).toBe("login");
    expect(bench.calls).toEqual(["refresh", "signIn"]);
    expect(bench.prompts.at(-1)).toEqual({ type: "settled" });
  },
);

test.each<OidcErrorCode>(["network", "timeout", "rate_limited", "tls", "response_too_large"])(
  "%s during a refresh never signs in and never loses the refresh token [R11]",
  async (code) => {
    const store = await storeWith(expired());
    const before = await store.read("key");
    const bench = new Bench({ refresh: () => Promise.reject(new OidcError(code, "x")) }, { store });
    expect((await failure(bench.session.getToken())).code).toBe(code);
    expect(bench.calls).toEqual(["refresh"]);
    expect(tokensOf(await store.read("key"))).toEqual(tokensOf(before));
  },
);

test.each(["invalid_client", "unauthorized_client", "invalid_scope"] as const)(
  "%s during a refresh keeps the tokens [R12]",
  async (reason) => {
    const store = await storeWith(expired());
    const before = await store.read("key");
    const refused = new OidcError("token_request_failed", "x", { reason });
    const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
    expect((await failure(bench.session.getToken())).reason).toBe(reason);
    expect(tokensOf(await store.read("key"))).toEqual(tokensOf(before));
  },
);

test("a token that is good for a moment is handed out while the provider cannot be reached [R11]", async () => {
  const now = Math.floor(Date.now() / 1000);
  const store = await storeWith(answer({ issuedAt: now - 3600, expiresAt: now + 30 }));
  const bench = new Bench(
    { refresh: () => Promise.reject(new OidcError("network", "x")) },
    { store },
  );
  expect((await bench.session.getToken()).source).toBe("cache");
  expect((await failure(bench.session.getToken({ forceRefresh: true }))).code).toBe("network");
});

test("a token that is good for a moment is handed out where the lock cannot be had, an ended one is not [R05]", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [left, outcome] of [
    [30, "cache"],
    [-1, "cache_locked"],
  ] as const) {
    const inner = await storeWith(answer({ issuedAt: now - 3600, expiresAt: now + left }));
    const locked = new OidcError("cache_locked", "x");
    const bench = new Bench({}, { store: { ...inner, acquire: () => Promise.reject(locked) } });
    const met = await bench.session.getToken().then(
      (token) => token.source,
      (error: unknown) => (error instanceof OidcError ? error.code : error),
    );
    expect([met, bench.calls]).toEqual([outcome, []]);
  }
});

test("forceRefresh renews a fresh token, and without a refresh token signs in or says login_required", async () => {
  const { refreshToken: _none, ...bare } = answer();
  const store = await storeWith(bare);
  const bench = new Bench({}, { store });
  const required = await failure(
    bench.session.getToken({ forceRefresh: true, interactive: false }),
  );
  expect(required.code).toBe("login_required");
  expect((await store.read("key"))?.accessToken?.token).toBe(bare.accessToken);
  expect((await bench.session.getToken({ forceRefresh: true })).source).toBe("login");
  expect((await bench.session.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test("rejectedToken renews only where it is still the current token", async () => {
  const bench = new Bench();
  const first = await bench.session.getToken();
  const second = await bench.session.getToken({ rejectedToken: first.token });
  const third = await bench.session.getToken({ rejectedToken: first.token });
  expect([second.source, third.source]).toEqual(["refresh", "cache"]);
  expect(third.token).toBe(second.token);
});

test("forceLogin never uses an older sign-in, but uses the one that it obtained", async () => {
  const store = await storeWith(answer());
  await new Promise((resolve) => setTimeout(resolve, 2));
  const bench = new Bench({}, { store, signedInSince: Date.now() });
  expect((await bench.session.getToken()).source).toBe("login");
  expect((await bench.session.getToken()).source).toBe("cache");
  expect(bench.calls).toEqual(["signIn"]);
});

test("login signs in anew and fails where the result cannot be kept", async () => {
  const bench = new Bench();
  await bench.session.getToken();
  expect((await bench.session.login()).token.source).toBe("login");
  expect(bench.calls).toEqual(["signIn", "signIn"]);
  const full = new Bench({}, { store: unwritable() });
  expect((await failure(full.session.login())).code).toBe("cache_write_failed");
});

test("an ID token is judged by its own expiry", async () => {
  const now = Math.floor(Date.now() / 1000);
  const idToken = (exp: number): string =>
    ["{}", JSON.stringify({ sub: "alice", iat: now - 600, exp }), "x"]
      .map((part) => Buffer.from(part).toString("base64url"))
      .join(".");
  const store = await storeWith(answer({ idToken: idToken(now - 1) }));
  const bench = new Bench(
    { refresh: () => Promise.resolve(answer({ idToken: idToken(now + 600) })) },
    { store },
  );
  const token = await bench.session.getToken({ tokenKind: "id_token" });
  expect(token.source).toBe("refresh");
  expect(token.token).toBe(token.idToken);
  expect(token.expiresAt).toEqual(new Date((now + 600) * 1000));
});

test("after a logout nothing is served that a call was reading meanwhile", async () => {
  const bench = new Bench({}, { store: await storeWith(answer()) });
  await Promise.all([bench.session.getToken(), bench.session.logout()]);
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "no_token"]);
});

function idTokenUntil(exp: number): string {
  return ["{}", JSON.stringify({ sub: "alice", iat: exp - 600, exp }), "x"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
}

const inAnHour = Math.floor(Date.now() / 1000) + 3600;
const longAgo = Math.floor(Date.now() / 1000) - 3600;

test("a refresh without an ID token never hands out the old one that has ended: a sign-in, or login_required", async () => {
  const store = await storeWith(answer({ idToken: idTokenUntil(longAgo) }));
  const bench = new Bench(
    { signIn: () => Promise.resolve(answer({ idToken: idTokenUntil(inAnHour) })) },
    { store },
  );
  const quiet = await failure(
    bench.session.getToken({ tokenKind: "id_token", interactive: false }),
  );
  expect([quiet.code, quiet.reason]).toEqual(["login_required", "no_token"]);
  // The renewed access token is there for whoever wants that.
  expect((await bench.session.getToken({ interactive: false })).source).toBe("cache");
  expect(bench.calls).toEqual(["refresh"]);
  const token = await bench.session.getToken({ tokenKind: "id_token" });
  expect([token.source, token.token]).toEqual(["login", idTokenUntil(inAnHour)]);
  expect(bench.calls).toEqual(["refresh", "refresh", "signIn"]);
});

test("a refresh without an ID token leaves the old one in use while it is good, unless it is the rejected one", async () => {
  const idToken = idTokenUntil(inAnHour);
  const bench = new Bench({}, { store: await storeWith(answer({ idToken })) });
  const options = { tokenKind: "id_token", interactive: false } as const;
  expect(await bench.session.getToken({ ...options, forceRefresh: true })).toMatchObject({
    source: "refresh",
    token: idToken,
  });
  const rejected = await failure(bench.session.getToken({ ...options, rejectedToken: idToken }));
  expect(rejected.code).toBe("login_required");
});

test("a sign-in without an ID token is an error for who wants one, and a token for who does not", async () => {
  const bench = new Bench();
  const [wanting, other] = await Promise.all([
    failure(bench.session.getToken({ tokenKind: "id_token" })),
    bench.session.getToken(),
  ]);
  expect([wanting.code, wanting.reason]).toEqual(["id_token_invalid", "id_token_missing"]);
  expect(wanting.message).toMatch(/^An ID token is wanted, and /);
  expect(other.token).toMatch(/^access-/);
  expect(bench.calls).toEqual(["signIn"]);
  // A refresh may bring one; another window would be for nothing.
  const again = await failure(bench.session.getToken({ tokenKind: "id_token" }));
  expect([again.code, again.reason]).toEqual(["id_token_invalid", "id_token_missing"]);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
});

test("client credentials have no ID token, and nothing is asked for one", async () => {
  const bench = new Bench({ needsPerson: false });
  const error = await failure(bench.session.getToken({ tokenKind: "id_token" }));
  expect([error.code, error.reason, bench.calls]).toEqual(["login_required", "no_token", []]);
  expect(error.message).toMatch(/^An ID token is wanted\. /);
});

test("a refresh that finds the record gone revokes what it got, and hands it to nobody [F-S18]", async () => {
  const store = openStore();
  let answerRefresh: (given: TokenAnswer) => void = () => undefined;
  let began: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (began = resolve));
  const renewing = new Bench(
    {
      signIn: () => Promise.resolve(expired()),
      refresh: () =>
        new Promise((resolve) => {
          answerRefresh = resolve;
          began();
        }),
    },
    { store },
  );
  await renewing.session.login();
  const token = renewing.session.getToken({ interactive: false });
  await hasBegun;
  const leaving = new Bench({}, { store });
  expect(await leaving.session.logout({ revoke: true })).toMatchObject({ revoked: "yes" });
  expect(renewing.calls).not.toContain("revoke");
  answerRefresh(answer());
  await expect(token).rejects.toMatchObject({ code: "login_required", reason: "no_token" });
  expect(renewing.calls.filter((call) => call === "revoke")).toHaveLength(1);
  expect(await store.list()).toEqual([]);
});
