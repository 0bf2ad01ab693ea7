// The decision table of a session, with the network replaced by scripted flows and a memory store.

import { expect, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { OidcError, type OidcErrorCode } from "../core/errors.ts";
import type { PromptEvent } from "../core/prompt.ts";
import type { World } from "../core/world.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { SessionRecord } from "../record/format.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { TokenStore } from "../store/token-store.ts";
import type { Flows } from "./flows.ts";
import { StoredSession } from "./session.ts";

const issuer = "https://id.example.com";

interface Script {
  signIn?: (signal: AbortSignal) => Promise<TokenAnswer>;
  refresh?: (record: SessionRecord, signal: AbortSignal) => Promise<TokenAnswer>;
  needsPerson?: boolean;
}

let serial = 0;

function answer(changes: Partial<TokenAnswer> = {}): TokenAnswer {
  serial += 1;
  const now = Math.floor(Date.now() / 1000);
  return {
    accessToken: `access-${String(serial)}`,
    tokenType: "Bearer",
    scopes: ["openid"],
    issuedAt: now,
    expiresAt: now + 3600,
    refreshToken: `refresh-${String(serial)}`,
    claims: { iss: issuer, sub: "alice", aud: "cli", exp: now + 3600, iat: now },
    signatureVerified: true,
    authenticationMethod: "none",
    tokenEndpoint: `${issuer}/token`,
    issuer,
    ...changes,
  };
}

function expired(changes: Partial<TokenAnswer> = {}): TokenAnswer {
  const now = Math.floor(Date.now() / 1000);
  return answer({ issuedAt: now - 3600, expiresAt: now - 1, ...changes });
}

class Bench {
  readonly prompts: PromptEvent[] = [];
  readonly calls: string[] = [];
  readonly store: TokenStore;
  readonly session: StoredSession;

  constructor(
    script: Script = {},
    options: { store?: TokenStore; signedInSince?: number | null; personPresent?: boolean } = {},
  ) {
    this.store = options.store ?? createMemoryStore();
    const world: World = {
      clock: systemClock,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      environment: {},
      platform: "linux",
      openBrowser: () => Promise.resolve({ opened: true }),
      prompt: (event) => this.prompts.push(event),
      logger: undefined,
      personPresent: options.personPresent ?? true,
      terminal: false,
      background: new Set(),
    };
    const flows: Flows = {
      needsPerson: script.needsPerson ?? true,
      longestWorkSeconds: { refresh: 5, login: 5 },
      assertConfigured: () => undefined,
      signIn: async (signal) => {
        this.calls.push("signIn");
        return (script.signIn ?? (() => Promise.resolve(answer())))(signal);
      },
      refresh: async (record, signal) => {
        this.calls.push("refresh");
        return (script.refresh ?? (() => Promise.resolve(answer())))(record, signal);
      },
      userInfo: () => Promise.resolve({ sub: "alice" }),
      revoke: () => {
        this.calls.push("revoke");
        return Promise.resolve("yes");
      },
    };
    this.session = new StoredSession({
      world,
      store: this.store,
      flows,
      bound: { key: "key", issuer, clientId: "cli" },
      signedInSince: options.signedInSince ?? null,
    });
  }
}

async function failure(promise: Promise<unknown>): Promise<OidcError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OidcError)) throw new Error(`no OidcError but ${String(error)}`);
  return error;
}

/** A store that another session filled with a token that has expired. */
async function storeWith(first: TokenAnswer): Promise<TokenStore> {
  const bench = new Bench({ signIn: () => Promise.resolve(first) });
  await bench.session.getToken();
  return bench.store;
}

test("signs in once, then answers from the cache", async () => {
  const bench = new Bench();
  const first = await bench.session.getToken();
  const second = await bench.session.getToken();
  const elsewhere = await new Bench({}, { store: bench.store }).session.getToken();
  expect([first.source, second.source, elsewhere.source]).toEqual(["login", "cache", "cache"]);
  expect([second.token, elsewhere.token]).toEqual([first.token, first.token]);
  expect(bench.calls).toEqual(["signIn"]);
});

test("refreshes an expired token and keeps the rotated refresh token before it hands out the access token [R08]", async () => {
  const store = await storeWith(expired());
  const bench = new Bench({ refresh: () => Promise.resolve(answer({ refreshToken: "rotated" })) }, { store });
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

test("does one piece of work for 100 calls at once, and one caller's abort fails no other [R15]", async () => {
  const store = await storeWith(expired());
  const release = deferred<TokenAnswer>();
  let acquired = 0;
  const counting: TokenStore = {
    ...store,
    acquire: async (key, options) => {
      acquired += 1;
      return store.acquire(key, options);
    },
  };
  const bench = new Bench(
    {
      refresh: async (_record, signal) =>
        Promise.race([
          release.promise,
          new Promise<never>((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          }),
        ]),
    },
    { store: counting },
  );
  const leaving = new AbortController();
  const calls = Array.from({ length: 99 }, async () => bench.session.getToken());
  const left = failure(bench.session.getToken({ signal: leaving.signal }));
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  leaving.abort();
  expect((await left).code).toBe("aborted");
  release.resolve(answer());
  const tokens = await Promise.all(calls);
  expect(new Set(tokens.map((token) => token.token)).size).toBe(1);
  expect([bench.calls, acquired]).toEqual([["refresh"], 1]);
});

test("a call that may not prompt leaves when the refresh that it waits for becomes a sign-in", async () => {
  const store = await storeWith(expired());
  const refused = deferred<never>();
  const release = deferred<TokenAnswer>();
  const bench = new Bench({ refresh: () => refused.promise, signIn: () => release.promise }, { store });
  const first = bench.session.getToken();
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const quiet = failure(bench.session.getToken({ interactive: false }));
  refused.reject(new OidcError("token_request_failed", "refused", { reason: "invalid_grant" }));
  expect((await quiet).code).toBe("interaction_pending");
  release.resolve(answer());
  expect((await first).source).toBe("login");
});

function deferred<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  let resolve = (_value: Value): void => {};
  let reject = (_error: unknown): void => {};
  const promise = new Promise<Value>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

test("the work is aborted when its last caller has aborted, and a new call starts anew", async () => {
  let seen: AbortSignal | undefined;
  const bench = new Bench({
    signIn: async (signal) => {
      if (seen !== undefined) return answer();
      seen = signal;
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  const stop = new AbortController();
  const call = failure(bench.session.getToken({ signal: stop.signal }));
  while (seen === undefined) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect((await call).code).toBe("aborted");
  expect((await bench.session.getToken()).source).toBe("login");
  expect(seen.aborted).toBe(true);
});

test("a call that may not prompt gets login_required without any work [R13]", async () => {
  const bench = new Bench();
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "no_token"]);
  expect(bench.calls).toEqual([]);
});

test("a refused refresh token is deleted, and a call that may not prompt says so", async () => {
  const store = await storeWith(expired());
  const refused = new OidcError("token_request_failed", "refused", { reason: "invalid_grant" });
  const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
  expect(await store.read("key")).not.toHaveProperty("refreshToken");
});

test("a refused refresh token leads to a sign-in where a person can be asked", async () => {
  const store = await storeWith(expired());
  const refused = new OidcError("token_request_failed", "refused", { reason: "invalid_grant" });
  const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
  expect((await bench.session.getToken()).source).toBe("login");
  expect(bench.calls).toEqual(["refresh", "signIn"]);
  expect(bench.prompts.at(-1)).toEqual({ type: "settled" });
});

test.each<OidcErrorCode>(["network", "timeout", "rate_limited", "tls", "response_too_large"])(
  "%s during a refresh never signs in and never loses the refresh token [R11]",
  async (code) => {
    const store = await storeWith(expired());
    const before = await store.read("key");
    const bench = new Bench({ refresh: () => Promise.reject(new OidcError(code, "x")) }, { store });
    expect((await failure(bench.session.getToken())).code).toBe(code);
    expect(bench.calls).toEqual(["refresh"]);
    expect(await store.read("key")).toEqual(before);
  },
);

test.each(["invalid_client", "unauthorized_client", "invalid_scope"])(
  "%s during a refresh keeps the tokens [R12]",
  async (reason) => {
    const store = await storeWith(expired());
    const before = await store.read("key");
    const refused = new OidcError("token_request_failed", "x", { reason });
    const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
    expect((await failure(bench.session.getToken())).reason).toBe(reason);
    expect(await store.read("key")).toEqual(before);
  },
);

test("a token that is good for a moment is handed out while the provider cannot be reached [R11]", async () => {
  const now = Math.floor(Date.now() / 1000);
  const store = await storeWith(answer({ issuedAt: now - 3600, expiresAt: now + 30 }));
  const bench = new Bench({ refresh: () => Promise.reject(new OidcError("network", "x")) }, { store });
  expect((await bench.session.getToken()).source).toBe("cache");
  expect((await failure(bench.session.getToken({ forceRefresh: true }))).code).toBe("network");
});

test("forceRefresh renews a fresh token, and without a refresh token signs in or says login_required", async () => {
  const { refreshToken: _none, ...bare } = answer();
  const store = await storeWith(bare);
  const bench = new Bench({}, { store });
  const required = await failure(bench.session.getToken({ forceRefresh: true, interactive: false }));
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

function unwritable(): TokenStore & { writable: boolean } {
  const inner = createMemoryStore();
  const store = {
    ...inner,
    writable: false,
    replace: async (...parameters: Parameters<TokenStore["replace"]>) => {
      if (!store.writable) throw new OidcError("cache_write_failed", "No space left.");
      return inner.replace(...parameters);
    },
  };
  return store;
}

test("a store that cannot be written costs a warning, and the token is kept in memory and written later [C09]", async () => {
  const store = unwritable();
  const bench = new Bench({}, { store });
  const token = await bench.session.getToken();
  expect(bench.prompts).toContainEqual(
    expect.objectContaining({ type: "warning", code: "cache_write_failed" }),
  );
  store.writable = true;
  expect((await bench.session.getToken({ minValiditySeconds: 61 })).token).toBe(token.token);
  const renewed = await bench.session.getToken({ rejectedToken: token.token });
  expect(renewed.source).toBe("refresh");
  expect((await store.read("key"))?.accessToken?.token).toBe(renewed.token);
});

test("a refresh that ends after a logout throws its tokens away", async () => {
  const store = await storeWith(expired());
  const release = deferred<TokenAnswer>();
  const bench = new Bench({ refresh: () => release.promise }, { store });
  const call = failure(bench.session.getToken({ interactive: false }));
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const current = await store.read("key");
  await store.replace("key", current?.version, undefined);
  release.resolve(answer());
  expect((await call).code).toBe("login_required");
  expect(await store.read("key")).toBeUndefined();
});

test("logout forgets at once, and revokes only when asked [C13]", async () => {
  const bench = new Bench();
  await bench.session.getToken();
  expect(await bench.session.logout()).toEqual({ forgotten: 1, revoked: "no" });
  expect(await bench.store.read("key")).toBeUndefined();
  expect(await bench.session.logout()).toEqual({ forgotten: 0, revoked: "no" });
  await bench.session.getToken();
  expect(await bench.session.logout({ revoke: true })).toEqual({ forgotten: 1, revoked: "yes" });
  expect(bench.calls).toEqual(["signIn", "signIn", "revoke"]);
});

test("a call that may not prompt does not wait for a sign-in of this process", async () => {
  const release = deferred<TokenAnswer>();
  const bench = new Bench({ signIn: () => release.promise });
  const first = bench.session.getToken();
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect(error.code).toBe("interaction_pending");
  release.resolve(answer());
  expect((await first).source).toBe("login");
});

test("a record of another issuer or client under the same key is a miss [C16]", async () => {
  const store = await storeWith(answer());
  const record = await store.read("key");
  if (record === undefined) throw new Error("nothing stored");
  await store.replace("key", record.version, { ...record, issuer: "https://evil.example" });
  const bench = new Bench({}, { store });
  expect((await bench.session.getToken()).source).toBe("login");
});

test("a sign-in without a refresh token keeps the one of the same person, and of nobody else", async () => {
  const store = await storeWith(answer({ refreshToken: "first" }));
  const { refreshToken: _none, ...bare } = answer();
  await new Bench({ signIn: () => Promise.resolve(bare) }, { store }).session.login();
  expect((await store.read("key"))?.refreshToken).toBe("first");
  const other = { ...bare, claims: { iss: issuer, sub: "bob", aud: "cli", exp: 1, iat: 1 } };
  await new Bench({ signIn: () => Promise.resolve(other) }, { store }).session.login();
  expect(await store.read("key")).not.toHaveProperty("refreshToken");
});

test("client credentials need no person and are renewed by another request", async () => {
  const { refreshToken: _none, ...bare } = expired();
  const store = createMemoryStore();
  const bench = new Bench(
    { needsPerson: false, signIn: () => Promise.resolve(bench.calls.length === 1 ? bare : answer()) },
    { store, personPresent: false },
  );
  await bench.session.getToken();
  expect((await bench.session.getToken({ interactive: false })).source).toBe("login");
  expect(bench.calls).toEqual(["signIn", "signIn"]);
  expect(bench.prompts).toEqual([]);
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
