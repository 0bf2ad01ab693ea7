// The token in memory, and whoever is told of a new one: what counts, for how long, and who is never harmed.

import { inspect } from "node:util";
import { expect, test } from "vitest";
import { expectNoSecrets } from "../../test/support/canary.ts";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import { OidcError } from "../core/errors.ts";
import type { AccessToken } from "../core/types.ts";
import { BearerTokenAuth, memoryStore, OidcAuth, OidcCredentialsAuth } from "../index.ts";
import { answer, Bench, failure, openStore, type OpenStore } from "./testing.ts";

// Due between 45 and 50 minutes, by the jitter.
const due = 3_000_000;
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function hourly(clock: ManualClock, accessToken: string): ReturnType<typeof answer> {
  const now = Math.floor(clock.now() / 1000);
  return answer({ issuedAt: now, expiresAt: now + 3600, accessToken });
}

function desk(store: OpenStore = openStore()) {
  const clock = createManualClock();
  let renewals = 0;
  const bench = new Bench(
    {
      signIn: () => Promise.resolve(hourly(clock, "first")),
      refresh: () => Promise.resolve(hourly(clock, `renewed-${String((renewals += 1))}`)),
    },
    { clock, store, renewsAhead: true },
  );
  return { clock, bench };
}

/** Has the token that was just handed out watched over, and renewed. */
async function renewAhead(clock: ManualClock, isArmed = false): Promise<void> {
  if (!isArmed) {
    await clock.nextSleep();
    await clock.advance(1000);
    await clock.nextSleep();
  }
  await clock.advance(due);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settled();
}

/** Tokens, without a reference to the objects. */
function told(bench: Bench): string[] {
  const tokens: string[] = [];
  bench.listeners.add(({ token }) => void tokens.push(token));
  return tokens;
}

test("the token in memory is given at once, and nothing before the first call", async () => {
  const bench = new Bench();
  expect(bench.session.peek()).toBeUndefined();
  const { token } = await bench.session.getToken();
  expect(bench.session.peek()).toMatchObject({ source: "cache", scopes: ["openid"] });
  expect(bench.session.peek()?.token).toBe(token);
});

test("it is looked at however long ago it came, and is gone when it has ended [R16]", async () => {
  const time = createManualClock();
  let setBack = 0;
  const clock = { ...time, now: () => time.now() - setBack };
  const bench = new Bench({ signIn: () => Promise.resolve(hourly(time, "first")) }, { clock });
  await bench.session.getToken();
  await clock.advance(3_599_000);
  expect(bench.session.peek()?.token).toBe("first");
  await clock.advance(1000);
  expect(bench.session.peek()).toBeUndefined();
  // Set back to when it was valid: it has ended all the same.
  setBack = 600_000;
  expect(bench.session.peek()).toBeUndefined();
});

test.each<[string, (bench: Bench) => Promise<unknown>]>([
  ["logout", (bench) => bench.session.logout()],
  ["close", (bench) => bench.session.close()],
  [
    "a server's refusal that a renewal does not mend",
    (bench) => failure(bench.session.getToken({ rejectedToken: "access", interactive: false })),
  ],
])("after %s there is no token in memory [C13]", async (_what, end) => {
  const bench = new Bench({
    signIn: () => Promise.resolve(answer({ accessToken: "access" })),
    refresh: () =>
      Promise.reject(new OidcError("token_request_failed", "x", { reason: "invalid_client" })),
  });
  await bench.session.getToken();
  expect(bench.session.peek()?.token).toBe("access");
  await end(bench);
  expect(bench.session.peek()).toBeUndefined();
});

test("with renewal ahead it stays valid, as long as somebody looks at it", async () => {
  const { clock, bench } = desk();
  await bench.session.getToken();
  await renewAhead(clock);
  await until(() => bench.session.peek()?.token === "renewed-1");
  // The look at it has it renewed again, and without one it would end.
  await settled();
  await renewAhead(clock, true);
  await until(() => bench.session.peek()?.token === "renewed-2");
  expect(bench.calls).toEqual(["signIn", "refresh", "refresh"]);
  await bench.session.close();
});

test("a listener is told of a sign-in's token, of each renewal ahead, and of none twice", async () => {
  const { clock, bench } = desk();
  const tokens = told(bench);
  await bench.session.getToken();
  await bench.session.getToken();
  expect(tokens).toEqual(["first"]);
  await renewAhead(clock);
  await until(() => tokens.length === 2);
  await settled();
  await renewAhead(clock, true);
  await until(() => tokens.length === 3);
  await bench.session.getToken();
  expect(tokens).toEqual(["first", "renewed-1", "renewed-2"]);
  await bench.session.close();
});

test("a listener is told of the token that another process brought", async () => {
  const { clock, bench } = desk();
  const tokens = told(bench);
  await bench.session.getToken();
  const other = new Bench(
    { refresh: () => Promise.resolve(hourly(clock, "of-another-process")) },
    { clock, store: bench.store },
  );
  await clock.nextSleep();
  await clock.advance(1000);
  await clock.nextSleep();
  await clock.advance(1_000_000);
  await other.session.getToken({ forceRefresh: true });
  await clock.advance(due - 1_000_000);
  await until(() => tokens.length === 2);
  expect([tokens, bench.session.peek()?.token]).toEqual([
    ["first", "of-another-process"],
    "of-another-process",
  ]);
  expect(bench.calls).toEqual(["signIn"]);
  await bench.session.close();
});

test("tokens for other scopes are told to nobody, and are not the one in memory", async () => {
  const bench = new Bench();
  const tokens = told(bench);
  const first = await bench.session.getToken();
  await bench.session.getToken({ scopes: ["more"] });
  expect([tokens, bench.session.peek()?.token]).toEqual([[first.token], first.token]);
});

test("listeners that throw, reject or stop harm neither the call nor each other", async () => {
  const bench = new Bench();
  const seen: string[] = [];
  const throwing = (): void => {
    throw new Error("a listener's own");
  };
  const rejecting = (): void => Promise.reject(new Error("later")) as unknown as void;
  const twice = (): void => void seen.push("twice");
  bench.listeners.add(throwing);
  bench.listeners.add(rejecting);
  const stopOne = bench.listeners.add(twice);
  bench.listeners.add(twice);
  stopOne();
  stopOne();
  const stop = bench.listeners.add(() => void seen.push("stopped"));
  stop();
  await bench.session.getToken();
  await settled();
  expect(seen).toEqual(["twice"]);
});

const make = {
  OidcAuth: () => new OidcAuth({ store: memoryStore() }),
  OidcCredentialsAuth: () => new OidcCredentialsAuth({ store: memoryStore() }),
  BearerTokenAuth: () => new BearerTokenAuth({ token: "given" }),
} as const;

test.each(Object.entries(make))(
  "%s: nothing in memory at first, no listener that is not a function, none after the end",
  async (_name, credential) => {
    const auth = credential();
    expect(auth.peek()).toBeUndefined();
    expect(() => auth.subscribe("x" as never)).toThrow(
      expect.objectContaining({ code: "invalid_option" }) as Error,
    );
    const stop = auth.subscribe(() => undefined);
    expect(stop()).toBeUndefined();
    await auth.close();
    expect(auth.peek()).toBeUndefined();
    expect(() => auth.subscribe(() => undefined)).toThrow(
      expect.objectContaining({ code: "aborted", reason: "closed" }) as Error,
    );
  },
);

test("given tokens: told where they change, in memory until they end or are refused", async () => {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const given = [
    { token: "canary-one", expiresAt },
    { token: "canary-two", expiresAt: new Date(Date.now() - 1000) },
  ];
  const auth = new BearerTokenAuth({ getToken: () => given[0] ?? { token: "canary-three" } });
  const tokens: AccessToken[] = [];
  auth.subscribe((token) => void tokens.push(token));
  await auth.getToken();
  await auth.getToken();
  expect(auth.peek()?.token).toBe("canary-one");
  given.shift();
  // The next one has ended already: it is handed out to nobody.
  await failure(auth.getToken({ rejectedToken: "canary-one" }));
  expect(auth.peek()).toBeUndefined();
  given.shift();
  await auth.getToken();
  expect([tokens.map(({ token }) => token), auth.peek()?.token]).toEqual([
    ["canary-one", "canary-three"],
    "canary-three",
  ]);
  const shown = inspect([tokens, auth, auth.peek()], { depth: 9, showHidden: true, getters: true });
  expectNoSecrets(shown + JSON.stringify([tokens, auth]), ["canary-one", "canary-three"]);
  await auth.close();
  expect(auth.peek()).toBeUndefined();
});
