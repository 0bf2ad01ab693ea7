// Renewal ahead through a session: who gets which token, how often the provider is asked, and what is kept alive.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import {
  answer,
  Bench,
  deferred,
  failure,
  unwritable,
  type Script,
  type OpenStore,
  openStore,
} from "./testing.ts";

const hour = 3_600_000;
// Due between 45 and 50 minutes, by the jitter.
const due = 3_000_000;

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A token of one hour that was issued now. */
function hourly(clock: ManualClock, changes: Partial<TokenAnswer> = {}): TokenAnswer {
  const now = Math.floor(clock.now() / 1000);
  return answer({ issuedAt: now, expiresAt: now + 3600, ...changes });
}

interface Desk {
  clock?: ManualClock;
  store?: OpenStore;
  script?: Script;
  renewsAhead?: boolean;
}

function desk(options: Desk = {}) {
  const { clock = createManualClock(), store = openStore(), script, renewsAhead } = options;
  const bench = new Bench(
    {
      signIn: () => Promise.resolve(hourly(clock)),
      refresh: () => Promise.resolve(hourly(clock)),
      ...script,
    },
    { clock, store, renewsAhead: renewsAhead ?? true },
  );
  return { clock, store, bench };
}

/** Resolves when the token that was just handed out is watched over. */
async function armed(clock: ManualClock): Promise<void> {
  expect(await clock.nextSleep()).toBe(1000);
  await clock.advance(1000);
  expect(await clock.nextSleep()).toBe(30_000);
}

async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  await clock.advance(milliseconds);
  await settled();
}

test("a token in use is renewed before it ends, and calls get the valid one at once meanwhile [R16]", async () => {
  const release = deferred<TokenAnswer>();
  const { clock, bench } = desk({ script: { refresh: () => release.promise } });
  const first = await bench.session.getToken();
  await armed(clock);
  await pass(clock, due);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  const meanwhile = await bench.session.getToken();
  expect([meanwhile.token, meanwhile.source]).toEqual([first.token, "cache"]);
  const renewed = hourly(clock);
  release.resolve(renewed);
  await settled();
  await pass(clock, 1000);
  const next = await bench.session.getToken();
  expect([next.token, next.source]).toEqual([renewed.accessToken, "cache"]);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  expect(bench.prompts.filter((event) => event.type !== "settled")).toEqual([]);
});

test("an idle credential is renewed once and then lets its token end", async () => {
  const { clock, bench } = desk();
  await bench.session.getToken();
  await armed(clock);
  await pass(clock, 10 * hour);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  expect(clock.sleeping).toBe(0);
});

test("a credential in use is renewed again and again, and no call ever waits", async () => {
  const { clock, bench } = desk();
  await bench.session.getToken();
  await armed(clock);
  const sources = new Set<string>();
  for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
    await pass(clock, 5 * 60_000);
    sources.add((await bench.session.getToken()).source);
    await settled();
  }
  expect(sources).toEqual(new Set(["cache"]));
  const renewals = bench.calls.filter((call) => call === "refresh").length;
  expect(renewals).toBeGreaterThanOrEqual(24);
  expect(renewals).toBeLessThanOrEqual(32);
  expect(bench.calls.filter((call) => call === "signIn")).toHaveLength(1);
});

test("twenty sessions of one sign-in make one request a round, and those that wait show nothing [R01]", async () => {
  const clock = createManualClock();
  const store = openStore();
  const release = deferred<TokenAnswer>();
  const all = Array.from({ length: 20 }, () =>
    desk({ clock, store, script: { refresh: () => release.promise } }),
  );
  for (const { bench } of all) {
    await bench.session.getToken();
    await armed(clock);
  }
  await pass(clock, due);
  const counted = (): number => all.flatMap(({ bench }) => bench.calls).length;
  expect(counted()).toBe(2);
  release.resolve(hourly(clock));
  await settled();
  await pass(clock, hour);
  expect(counted()).toBe(2);
  expect(clock.sleeping).toBe(0);
  const shown = all.slice(1).flatMap(({ bench }) => bench.prompts);
  expect(shown).toEqual([]);
});

test("a refresh token that is refused ends it in silence, and the next call says so", async () => {
  const refused = new OidcError("token_request_failed", "refused", { reason: "invalid_grant" });
  const { clock, bench } = desk({ script: { refresh: () => Promise.reject(refused) } });
  const first = await bench.session.getToken();
  const shown = bench.prompts.length;
  await armed(clock);
  await pass(clock, due);
  expect((await bench.session.getToken()).token).toBe(first.token);
  await pass(clock, 9 * 60_000);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  expect(bench.prompts).toHaveLength(shown);
  await pass(clock, hour);
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
});

test("it never asks a person, and a call that joins the failing renewal still may", async () => {
  const refused = deferred<TokenAnswer>();
  const { clock, bench } = desk({ script: { refresh: () => refused.promise } });
  await bench.session.getToken();
  await armed(clock);
  await pass(clock, due);
  const joined = bench.session.getToken({ forceRefresh: true });
  await settled();
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  refused.reject(new OidcError("token_request_failed", "refused", { reason: "invalid_grant" }));
  expect((await joined).source).toBe("login");
  expect(bench.calls).toEqual(["signIn", "refresh", "signIn"]);
});

test("logout ends the wait and a renewal that is under way, and nothing comes back", async () => {
  const waiting = desk();
  await waiting.bench.session.getToken();
  await armed(waiting.clock);
  await waiting.bench.session.logout();
  await settled();
  expect(waiting.clock.sleeping).toBe(0);
  const signals: AbortSignal[] = [];
  const under = desk({
    script: {
      refresh: (_record, signal) => {
        signals.push(signal);
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      },
    },
  });
  await under.bench.session.getToken();
  await armed(under.clock);
  await pass(under.clock, due);
  await under.bench.session.logout();
  await settled();
  expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  expect(await under.store.read("key")).toBeUndefined();
});

test("a logout before the code is there begins nothing", async () => {
  const { clock, bench } = desk();
  await bench.session.getToken();
  expect(await clock.nextSleep()).toBe(1000);
  await bench.session.logout();
  // Not even its timer is left.
  expect(clock.sleeping).toBe(0);
  await bench.session.getToken();
  expect(await clock.nextSleep()).toBe(1000);
  await pass(clock, 1000);
  expect(await clock.nextSleep()).toBe(30_000);
  expect(clock.sleeping).toBe(1);
});

test("a token that could not be stored is not renewed ahead: other processes would each renew theirs", async () => {
  const store = unwritable();
  store.writable = true;
  const { clock, bench } = desk({ store });
  await bench.session.getToken();
  await armed(clock);
  store.writable = false;
  await pass(clock, due);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  const warnings = bench.prompts.filter((event) => event.type === "warning").length;
  await bench.session.getToken();
  await pass(clock, due);
  expect(bench.calls).toEqual(["signIn", "refresh"]);
  expect(bench.prompts.filter((event) => event.type === "warning")).toHaveLength(warnings);
});

test.each<[string, object]>([
  ["no refresh token", { refreshToken: undefined }],
  ["no known end", { expiresAt: null }],
])("a token with %s is left alone", async (_why, changes) => {
  const clock = createManualClock();
  const bare = { ...hourly(clock), ...changes } as TokenAnswer;
  const { bench } = desk({ clock, script: { signIn: () => Promise.resolve(bare) } });
  await bench.session.getToken();
  expect(clock.sleeping).toBe(0);
});

test("a renewal that another process has begun is left to it, and looked for a little later", async () => {
  const clock = createManualClock();
  const store = openStore({ clock });
  const waits: string[] = [];
  const watched: OpenStore = {
    ...store,
    acquire: async (...parameters) => {
      const acquired = store.acquire(...parameters);
      acquired.then(
        ({ held }) => waits.push(held ? "held" : "waited"),
        (error: unknown) => waits.push(isOidcError(error) ? error.code : "bug"),
      );
      return acquired;
    },
  };
  const { bench } = desk({ clock, store: watched });
  await bench.session.getToken();
  await armed(clock);
  const release = deferred<TokenAnswer>();
  const { bench: other } = desk({
    clock,
    store,
    script: { refresh: () => release.promise },
    renewsAhead: false,
  });
  const theirs = other.session.getToken({ forceRefresh: true });
  while (other.calls.length === 0) await settled();
  await pass(clock, due);
  expect([...new Set(waits)]).toEqual(["held", "aborted"]);
  release.resolve(hourly(clock));
  await theirs;
  await pass(clock, 60_000);
  expect([bench.calls, other.calls]).toEqual([["signIn"], ["refresh"]]);
  expect((await bench.session.getToken()).source).toBe("cache");
});

test("client credentials are renewed ahead by another request", async () => {
  const clock = createManualClock();
  const script: Script = {
    needsPerson: false,
    signIn: () => {
      const { refreshToken: _none, ...bare } = hourly(clock);
      return Promise.resolve(bare);
    },
  };
  const { bench } = desk({ clock, script });
  await bench.session.getToken();
  await armed(clock);
  await pass(clock, due);
  expect(bench.calls).toEqual(["signIn", "signIn"]);
});

test("a command has no timer", async () => {
  const { clock, bench } = desk({ renewsAhead: false });
  await bench.session.getToken();
  expect(clock.sleeping).toBe(0);
});

test("tokens that come while the code is being loaded begin one wait, for the last of them", async () => {
  const { clock, bench } = desk();
  await bench.session.getToken();
  await bench.session.getToken({ forceRefresh: true });
  expect(clock.sleeping).toBe(1);
  await armed(clock);
  await pass(clock, due);
  expect(bench.calls).toEqual(["signIn", "refresh", "refresh"]);
});

test("none of its timers keeps the process alive, from the first on", async () => {
  const manual = createManualClock();
  const unrefs: (boolean | undefined)[] = [];
  const clock: ManualClock = {
    ...manual,
    sleep: (milliseconds, options) => {
      unrefs.push(options?.unref);
      return manual.sleep(milliseconds, options);
    },
  };
  const { bench } = desk({ clock });
  await bench.session.getToken();
  await armed(clock);
  expect(unrefs).toEqual([true, true]);
});

test("a session that nobody refers to is not kept alive by its timer", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const clock = createManualClock();
  const kept = await (async () => {
    const { bench } = desk({ clock });
    await bench.session.getToken();
    await armed(clock);
    await pass(clock, 60_000);
    return new WeakRef(bench.session);
  })();
  for (let round = 0; round < 10 && kept.deref() !== undefined; round += 1) {
    await settled();
    collect();
  }
  expect(kept.deref()).toBeUndefined();
  expect(clock.sleeping).toBe(1);
  await pass(clock, 30_000);
  expect(clock.sleeping).toBe(0);
});
