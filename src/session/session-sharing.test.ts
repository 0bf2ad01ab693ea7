// What callers, processes and stores share of one session: one flight, one record, aborts and lost writes.

import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import {
  answer,
  Bench,
  deferred,
  expired,
  failure,
  issuer,
  storeWith,
  unwritable,
  type OpenStore,
  openStore,
} from "./testing.ts";

test("does one piece of work for 100 calls at once, and one caller's abort fails no other [R15]", async () => {
  const store = await storeWith(expired());
  const release = deferred<TokenAnswer>();
  let acquired = 0;
  const counting: OpenStore = {
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

test.each([
  ["the rejected token once more", { accessToken: "same" }, { rejectedToken: "same" }],
  ["a token that has ended already", { issuedAt: 1, expiresAt: 1 }, {}],
] as const)("who waits for a renewal takes what it brings, be it %s", async (...row) => {
  const [, changes, options] = row;
  const store = await storeWith(answer(changes));
  const bring = async (): Promise<TokenAnswer> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return answer(changes);
  };
  // Two sessions of one store wait for each other as two processes do.
  const benches = [
    new Bench({ refresh: bring }, { store }),
    new Bench({ refresh: bring }, { store }),
  ];
  const tokens = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => benches[index % 2]?.session.getToken(options)),
  );
  expect(new Set(tokens.map((token) => token?.token)).size).toBe(1);
  expect(benches.flatMap(({ calls }) => calls)).toEqual(["refresh"]);
  // A call that begins afterwards is one of its own.
  await benches[0]?.session.getToken(options);
  expect(benches.flatMap(({ calls }) => calls)).toEqual(["refresh", "refresh"]);
});

test("a call that may not prompt leaves when the refresh that it waits for becomes a sign-in", async () => {
  const store = await storeWith(expired());
  const refused = deferred<never>();
  const release = deferred<TokenAnswer>();
  const bench = new Bench(
    { refresh: () => refused.promise, signIn: () => release.promise },
    { store },
  );
  const first = bench.session.getToken();
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const quiet = failure(bench.session.getToken({ interactive: false }));
  refused.reject(new OidcError("token_request_failed", "refused", { reason: "invalid_grant" }));
  expect((await quiet).code).toBe("interaction_pending");
  release.resolve(answer());
  expect((await first).source).toBe("login");
});

test("the work is aborted when its last caller has aborted, and a new call starts anew", async () => {
  const seen: AbortSignal[] = [];
  const bench = new Bench({
    signIn: async (signal) => {
      seen.push(signal);
      if (seen.length > 1) return answer();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  const stop = new AbortController();
  const call = failure(bench.session.getToken({ signal: stop.signal }));
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect((await call).code).toBe("aborted");
  expect((await bench.session.getToken()).source).toBe("login");
  expect(seen.map((signal) => signal.aborted)).toEqual([true, false]);
});

test("no window for nobody: who may ask has aborted, and who is left does not wait for a person", async () => {
  const store = await storeWith(expired());
  const refused = deferred<never>();
  const shown: AbortSignal[] = [];
  const bench = new Bench(
    {
      refresh: () => refused.promise,
      signIn: (signal) => {
        shown.push(signal);
        if (signal.aborted) return Promise.reject(signal.reason);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    },
    { store },
  );
  const stop = new AbortController();
  const asking = failure(bench.session.getToken({ signal: stop.signal }));
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const quiet = failure(bench.session.getToken({ interactive: false }));
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect((await asking).code).toBe("aborted");
  refused.reject(new OidcError("token_request_failed", "refused", { reason: "invalid_grant" }));
  expect((await quiet).code).toBe("interaction_pending");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(shown.filter((signal) => !signal.aborted)).toEqual([]);
  // Nothing of it holds the next call up.
  expect((await failure(bench.session.getToken({ interactive: false }))).reason).toBe(
    "refresh_refused",
  );
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

test("a refresh that ends after somebody else's newer one does not overwrite it [R06]", async () => {
  const store = await storeWith(expired());
  const release = deferred<TokenAnswer>();
  const bench = new Bench({ refresh: () => release.promise }, { store });
  const call = bench.session.getToken();
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // As a process that was suspended for long meets it: others went on without its lock.
  const current = await store.read("key");
  if (current === undefined) throw new Error("nothing is stored");
  const newer = { ...current, version: `${current.version}0`, refreshToken: "newer" };
  await store.replace("key", current.version, newer);
  release.resolve(answer());
  expect((await call).source).toBe("refresh");
  expect(await store.read("key")).toEqual(newer);
});

test.each([
  ["nothing is stored any more", false],
  ["somebody has signed in anew", true],
])(
  "a forced call never takes over what a logout took away before it began: %s",
  async (_name, signsInElsewhere) => {
    const inner = await storeWith(expired());
    const finished = deferred<void>();
    const finishing = deferred<void>();
    const store: OpenStore = {
      ...inner,
      acquire: async (key, options) => {
        const acquired = await inner.acquire(key, options);
        if (!acquired.held) return acquired;
        return {
          ...acquired,
          finish: async (outcome) => {
            finishing.resolve();
            await finished.promise;
            return acquired.finish(outcome);
          },
        };
      },
    };
    const bench = new Bench({}, { store });
    const first = bench.session.getToken({ forceRefresh: true });
    await finishing.promise;
    await new Bench({}, { store: inner }).session.logout();
    const newSignIn = await (await storeWith(answer())).read("key");
    if (signsInElsewhere) await inner.replace("key", undefined, newSignIn);
    const second = bench.session.getToken({ forceRefresh: true });
    await new Promise((resolve) => setImmediate(resolve));
    finished.resolve();
    const [before, after] = await Promise.all([first, second]);
    expect(after.token).not.toBe(before.token);
    expect((await inner.read("key"))?.accessToken?.token).toBe(after.token);
    expect(bench.calls).toEqual(["refresh", signsInElsewhere ? "refresh" : "signIn"]);
  },
);

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

test("a record that cannot be one of Latchkey's counts as absent, whichever store it comes from [T18]", async () => {
  const store = await storeWith(answer());
  const record = await store.read("key");
  if (record === undefined || record.accessToken === null) throw new Error("nothing is stored");
  const accessToken = { ...record.accessToken, token: "a\r\nInjected: header" };
  await store.replace("key", record.version, { ...record, accessToken });
  const reader = new Bench({}, { store });
  const error = await failure(reader.session.getToken({ interactive: false }));
  expect([error.code, reader.calls]).toEqual(["login_required", []]);
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
  const store = openStore();
  const bench = new Bench(
    {
      needsPerson: false,
      signIn: () => Promise.resolve(bench.calls.length === 1 ? bare : answer()),
    },
    { store, canPrompt: false },
  );
  await bench.session.getToken();
  expect((await bench.session.getToken({ interactive: false })).source).toBe("login");
  expect(bench.calls).toEqual(["signIn", "signIn"]);
  expect(bench.prompts).toEqual([]);
});
