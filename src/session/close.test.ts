// The end of a session's work, and what an abort leaves of its reason.

import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { OidcError } from "../core/errors.ts";
import { abortedError } from "./in-process-flight.ts";
import { StaticTokens } from "./static-token.ts";
import { TokenListeners } from "./token-listeners.ts";
import { Lifetime } from "./lifetime.ts";
import { answer, Bench, deferred, expired, failure, storeWith } from "./testing.ts";

/** A sign-in that ends only when it is aborted, and says so. */
function endless(ended: string[]) {
  return (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        ended.push("work");
        reject(signal.reason as Error);
      });
    });
}

test("close ends the work, its waiters get aborted (closed), and it waits for the end [F-U13]", async () => {
  const ended: string[] = [];
  const bench = new Bench({ signIn: endless(ended) });
  const calls = [bench.session.getToken(), bench.session.getToken(), bench.session.login()];
  const errors = Promise.all(calls.map(failure));
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await bench.session.close();
  expect(ended).toEqual(["work"]);
  expect((await errors).map(({ code, reason }) => [code, reason])).toEqual(
    calls.map(() => ["aborted", "closed"]),
  );
  const later = await failure(bench.session.getToken());
  expect([later.code, later.reason, bench.calls]).toEqual(["aborted", "closed", ["signIn"]]);
});

test("close forgets nothing, and other sessions go on [F-U13]", async () => {
  const bench = new Bench();
  const { token } = await bench.session.getToken();
  await bench.session.close();
  await bench.session.close();
  const other = await new Bench({}, { store: bench.store }).session.getToken();
  expect([other.token, other.source]).toEqual([token, "cache"]);
});

test("close ends the timer of renewal ahead [F-U13]", async () => {
  const clock = createManualClock(Date.now());
  const bench = new Bench({}, { clock, renewsAhead: true });
  await bench.session.getToken();
  expect(clock.sleeping).toBe(1);
  await bench.session.close();
  expect(clock.sleeping).toBe(0);
});

test("after a logout renewal ahead begins anew with the next sign-in", async () => {
  const clock = createManualClock(Date.now());
  const bench = new Bench({}, { clock, renewsAhead: true });
  await bench.session.getToken();
  await bench.session.logout();
  expect(clock.sleeping).toBe(0);
  await bench.session.getToken();
  expect(clock.sleeping).toBe(1);
});

test("close waits for a logout that tells the provider [F-U13]", async () => {
  const bench = new Bench();
  await bench.session.getToken();
  const logout = bench.session.logout({ revoke: true });
  await bench.session.close();
  expect(bench.calls).toEqual(["signIn", "revoke"]);
  expect(await logout).toEqual({ forgotten: 1, revoked: "yes" });
});

test("close ends the wait for a given token [F-U13]", async () => {
  const given = deferred<{ token: string }>();
  const lifetime = new Lifetime();
  const source = { name: "`getToken`", read: () => given.promise };
  const tokens = new StaticTokens(source, lifetime, new TokenListeners());
  const waiting = failure(tokens.get({}));
  await lifetime.close();
  expect((await waiting).reason).toBe("closed");
  expect((await failure(tokens.get({}))).reason).toBe("closed");
});

test.each<[string, (stop: AbortController) => void, unknown]>([
  ["an error of the caller", (stop) => stop.abort(new RangeError("mine")), new RangeError("mine")],
  ["a word", (stop) => stop.abort("enough"), "enough"],
  [
    "an error of Latchkey with another code",
    (stop) => stop.abort(new OidcError("network", "x")),
    new OidcError("network", "x"),
  ],
])("an abort keeps %s as its cause [F-U13]", async (_what, abort, cause) => {
  for (const call of ["getToken", "login", "userInfo"] as const) {
    const store = await storeWith(call === "userInfo" ? answer() : expired({ refreshToken: "" }));
    const bench = new Bench({ signIn: endless([]), userInfo: endless([]) }, { store });
    const stop = new AbortController();
    const error = failure(
      call === "getToken"
        ? bench.session.getToken({ signal: stop.signal, forceRefresh: true, acrValues: ["x"] })
        : bench.session[call]({ signal: stop.signal }),
    );
    while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    abort(stop);
    const { code, cause: kept } = await error;
    expect([call, code, kept]).toEqual([call, "aborted", cause]);
  }
});

test("an abort before the call keeps its reason too, and the default one is kept [F-U13]", async () => {
  const bench = new Bench();
  const error = await failure(bench.session.getToken({ signal: AbortSignal.abort("before") }));
  expect([error.code, error.cause, bench.calls]).toEqual(["aborted", "before", []]);
  const { cause } = abortedError(AbortSignal.abort());
  expect((cause as Error).name).toBe("AbortError");
});

test("status tells what is cached without a token, login who has signed in [F-U13]", async () => {
  const bench = new Bench();
  expect(await bench.session.status()).toBeUndefined();
  const { signIn } = await bench.session.login();
  const status = await bench.session.status();
  expect(status).toEqual(signIn);
  expect(status).toEqual({
    issuer: "https://id.example.com",
    server: undefined,
    clientId: "cli",
    subject: "alice",
    name: "alice",
    scopes: ["openid"],
    expiresAt: expect.any(Date),
    refreshable: true,
    signInEndsAt: undefined,
    storeLevel: "memory",
  });
  expect(bench.calls).toEqual(["signIn"]);
});

test("without a refresh token a sign-in ends with its access token, also when that is over [F-U13]", async () => {
  const { refreshToken: _none, ...bare } = expired();
  const bench = new Bench({}, { store: await storeWith(bare) });
  const status = await bench.session.status();
  const end = new Date(Number(bare.expiresAt) * 1000);
  expect(status).toMatchObject({ refreshable: false, expiresAt: end, signInEndsAt: end });
  await bench.session.logout();
  expect([await bench.session.status(), bench.calls]).toEqual([undefined, []]);
});
