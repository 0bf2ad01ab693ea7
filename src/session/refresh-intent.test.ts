// A refresh is announced before it is sent, and what another process left behind is understood.

import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { systemClock, type Clock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { RefreshIntent, SessionRecord } from "../record/format.ts";
import {
  answer,
  Bench,
  deferred,
  expired,
  failure,
  storeWith,
  unwritable,
  type OpenStore,
  openStore,
} from "./testing.ts";

const refusal = (): OidcError =>
  new OidcError("token_request_failed", "refused", { reason: "invalid_grant" });

/** Time that passes only while somebody sleeps. */
function sleepingClock(): Clock & { slept: number } {
  const clock = {
    slept: 0,
    now: () => systemClock.now() + clock.slept,
    monotonic: () => systemClock.monotonic() + clock.slept,
    sleep: async (milliseconds: number) => {
      clock.slept += milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  return clock;
}

/** What a process leaves behind that died after it had announced a refresh. */
async function leftBehind(intent: Partial<RefreshIntent> = {}): Promise<OpenStore> {
  const store = await storeWith(expired({ refreshToken: "used" }));
  const record = await recordIn(store);
  await store.replace("key", record.version, {
    ...record,
    version: `${record.version}.1`,
    intent: { nonce: "theirs", host: "this-host", at: Date.now(), ...intent },
  });
  return store;
}

async function recordIn(store: OpenStore): Promise<SessionRecord> {
  const record = await store.read("key");
  if (record === undefined) throw new Error("nothing is stored");
  return record;
}

test("the intent is on the disk before the refresh token is sent, and gone with the answer", async () => {
  const store = await storeWith(expired());
  let seen: SessionRecord | undefined;
  const bench = new Bench(
    {
      refresh: async () => {
        seen = await store.read("key");
        return answer();
      },
    },
    { store },
  );
  await bench.session.getToken();
  expect(seen?.intent).toMatchObject({ host: "this-host", nonce: expect.any(String) });
  expect(await recordIn(store)).not.toHaveProperty("intent");
});

test("whoever waits allows for the holder's own wait for another host [R04]", async () => {
  const clock = createManualClock();
  const store = openStore({ clock });
  const seconds = clock.now() / 1000;
  const ended = answer({ issuedAt: seconds - 3600, expiresAt: seconds - 1 });
  const fresh = answer({ issuedAt: seconds, expiresAt: seconds + 3600 });
  await new Bench({ signIn: () => Promise.resolve(ended) }, { store, clock }).session.getToken();
  const record = await recordIn(store);
  await store.replace("key", record.version, {
    ...record,
    version: `${record.version}.1`,
    intent: { nonce: "theirs", host: "elsewhere", at: clock.now() },
  });
  const [holder, waiter] = [
    new Bench({ refresh: () => Promise.resolve(fresh) }, { store, clock }),
    new Bench({ refresh: () => Promise.resolve(fresh) }, { store, clock }),
  ];
  const both = Promise.all([
    holder.session.getToken({ interactive: false }),
    waiter.session.getToken({ interactive: false }),
  ]);
  both.catch(() => undefined);
  // The one looks for the other host's answer, the other one waits for the lock.
  while (clock.sleeping < 2) await new Promise((resolve) => setImmediate(resolve));
  // Each request may take 5 seconds here, and the other host's is left alone for 30.
  await clock.advance(31_000);
  expect((await both).map(({ source }) => source)).toEqual(["refresh", "cache"]);
  expect([...holder.calls, ...waiter.calls]).toEqual(["refresh"]);
});

test("a successor sends the refresh token once more at once, and the sign-in lives on", async () => {
  const store = await leftBehind();
  const clock = sleepingClock();
  const bench = new Bench({}, { store, clock });
  expect((await bench.session.getToken({ interactive: false })).source).toBe("refresh");
  expect([bench.calls, clock.slept]).toEqual([["refresh"], 0]);
});

test("a successor whose resend is refused says that the answer was lost, and so does everybody after it [R07]", async () => {
  const store = await leftBehind();
  const bench = new Bench({ refresh: () => Promise.reject(refusal()) }, { store });
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_lost"]);
  const record = await recordIn(store);
  expect(record).not.toHaveProperty("refreshToken");
  expect(record).not.toHaveProperty("intent");
  const later = new Bench({}, { store });
  expect((await failure(later.session.getToken({ interactive: false }))).reason).toBe(
    "refresh_lost",
  );
  expect(later.calls).toEqual([]);
  expect((await new Bench({}, { store }).session.getToken()).source).toBe("login");
  expect(await recordIn(store)).not.toHaveProperty("ended");
});

test("without an intent a refusal is a refusal", async () => {
  const store = await storeWith(expired());
  const bench = new Bench({ refresh: () => Promise.reject(refusal()) }, { store });
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect(error.reason).toBe("refresh_refused");
  const later = await failure(new Bench({}, { store }).session.getToken({ interactive: false }));
  expect(later.reason).toBe("refresh_refused");
});

test("a refresh that never left takes its intent back; one that may have arrived leaves it", async () => {
  const store = await storeWith(expired());
  const attempt = async (failed: OidcError): Promise<SessionRecord> => {
    const bench = new Bench({ refresh: () => Promise.reject(failed) }, { store });
    await failure(bench.session.getToken());
    return recordIn(store);
  };
  const refused = new OidcError("network", "x", { reason: "refused" });
  expect(await attempt(refused)).not.toHaveProperty("intent");
  const reset = new OidcError("network", "x", { reason: "reset" });
  const { intent } = await attempt(reset);
  expect(intent).toBeDefined();
  // What is not known stays unknown, whatever becomes of the next try.
  expect((await attempt(refused)).intent).toEqual(intent);
  const bench = new Bench({ refresh: () => Promise.reject(refusal()) }, { store });
  expect((await failure(bench.session.getToken({ interactive: false }))).reason).toBe(
    "refresh_lost",
  );
});

test("the refresh of another host is waited for, and its token is used", async () => {
  const store = await leftBehind({ host: "another-host" });
  const clock = sleepingClock();
  const bench = new Bench({}, { store, clock });
  const call = bench.session.getToken({ interactive: false });
  while (clock.slept < 400) await new Promise((resolve) => setImmediate(resolve));
  const { intent: _done, ...record } = await recordIn(store);
  const theirs = { ...record.accessToken, token: "theirs", expiresAt: null } as const;
  await store.replace("key", record.version, {
    ...record,
    version: "id.2",
    accessToken: { ...theirs, tokenType: "Bearer", scopes: [], issuedAt: 1 },
  });
  expect((await call).token).toBe("theirs");
  expect(bench.calls).toEqual([]);
  expect(clock.slept).toBeLessThan(30_000);
});

test("the refresh of another host is waited for 30 seconds, counted from its beginning, then done here", async () => {
  for (const [age, longest] of [
    [0, 30_000],
    [25_000, 5000],
    [60_000, 0],
    // Its clock is ahead.
    [-60_000, 30_000],
  ] as const) {
    const store = await leftBehind({ host: "another-host", at: Date.now() - age });
    const clock = sleepingClock();
    const bench = new Bench({}, { store, clock });
    expect((await bench.session.getToken({ interactive: false })).source).toBe("refresh");
    expect(clock.slept).toBeLessThanOrEqual(longest);
    expect(clock.slept).toBeGreaterThanOrEqual(longest - 1000);
  }
});

test("where another host may have refreshed, a refusal is believed only after two seconds [R03]", async () => {
  const store = await leftBehind({ host: "another-host", at: Date.now() - 60_000 });
  const clock = sleepingClock();
  const refused = deferred<never>();
  const bench = new Bench({ refresh: () => refused.promise }, { store, clock });
  const call = bench.session.getToken({ interactive: false });
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  refused.reject(refusal());
  while (clock.slept < 1000) await new Promise((resolve) => setImmediate(resolve));
  const record = await recordIn(store);
  await store.replace("key", record.version, {
    ...record,
    version: "id.2",
    refreshToken: "rotated",
    accessToken: { token: "late", tokenType: "Bearer", scopes: [], issuedAt: 1, expiresAt: null },
  });
  expect((await call).token).toBe("late");
  expect((await recordIn(store)).refreshToken).toBe("rotated");
});

test("an answer takes the place of an intent that another host wrote meanwhile", async () => {
  const store = await storeWith(expired());
  const release = deferred<TokenAnswer>();
  const bench = new Bench({ refresh: () => release.promise }, { store });
  const call = bench.session.getToken();
  while (bench.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const record = await recordIn(store);
  await store.replace("key", record.version, {
    ...record,
    version: "other.7.1",
    intent: { nonce: "theirs", host: "another-host", at: Date.now() },
  });
  release.resolve(answer({ refreshToken: "rotated" }));
  await call;
  // Counted on from theirs: a version stands for one content, whoever wrote it.
  expect(await recordIn(store)).toMatchObject({ refreshToken: "rotated", version: "other.8" });
});

test("of two hosts that announce at once only the one that is read back sends", async () => {
  const inner = await storeWith(expired());
  let raced = false;
  // Another host's rename that came just after ours, seen by no lock.
  const store: OpenStore = {
    ...inner,
    replace: async (key, version, next) => {
      const result = await inner.replace(key, version, next);
      if (!raced && next?.intent !== undefined) {
        raced = true;
        await inner.replace(key, next.version, {
          ...next,
          version: `${next.version}9`,
          intent: { ...next.intent, nonce: "theirs", host: "another-host" },
        });
      }
      return result;
    },
  };
  const clock = sleepingClock();
  const bench = new Bench({}, { store, clock });
  const call = bench.session.getToken({ interactive: false });
  while (clock.slept < 200) await new Promise((resolve) => setImmediate(resolve));
  expect(bench.calls).toEqual([]);
  await call;
  expect(bench.calls).toEqual(["refresh"]);
});

test.each([
  ["token_response_invalid", "lost"],
  ["token_request_failed", "refused"],
  ["rate_limited", "refused"],
] as const)(
  "after %s a later refusal means %s: tokens may have been in the answer",
  async (code, meaning) => {
    const store = await storeWith(expired());
    const unusable = new OidcError(code, "x", { reason: "invalid_client" });
    const first = new Bench({ refresh: () => Promise.reject(unusable) }, { store });
    await failure(first.session.getToken({ interactive: false }));
    const bench = new Bench({ refresh: () => Promise.reject(refusal()) }, { store });
    const error = await failure(bench.session.getToken({ interactive: false }));
    expect(error.reason).toBe(`refresh_${meaning}`);
  },
);

test("without a lock across processes an intent of this host counts as another host's", async () => {
  const inner = await leftBehind();
  const store: OpenStore = {
    ...inner,
    acquire: async (...parameters) => {
      const lease = await inner.acquire(...parameters);
      return lease.held ? { ...lease, acrossProcesses: false } : lease;
    },
  };
  const clock = sleepingClock();
  const bench = new Bench({}, { store, clock });
  await bench.session.getToken({ interactive: false });
  expect(clock.slept).toBeGreaterThan(29_000);
});

test("a store that cannot be written costs one warning, not the refresh [C09]", async () => {
  const inner = await storeWith(expired());
  const broken = unwritable();
  const store: OpenStore = { ...broken, read: async (key) => inner.read(key) };
  const bench = new Bench({}, { store });
  expect((await bench.session.getToken()).source).toBe("refresh");
  expect(bench.prompts).toMatchObject([{ type: "warning", code: "cache_write_failed" }]);
});

test("a forced refresh is not satisfied by an announcement or by a refusal", async () => {
  const store = await storeWith(answer());
  const refused = new OidcError("token_request_failed", "x", { reason: "invalid_client" });
  const release = deferred<TokenAnswer>();
  const first = new Bench({ refresh: () => release.promise }, { store });
  const second = new Bench({}, { store });
  const failing = failure(first.session.getToken({ forceRefresh: true }));
  while (first.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const waiting = failure(second.session.getToken({ forceRefresh: true }));
  release.reject(refused);
  expect([(await failing).reason, (await waiting).reason]).toEqual([
    "invalid_client",
    "invalid_client",
  ]);
});

/** A store in which something happens to the record just before a replacement that `when` picks. */
function racing(
  inner: OpenStore,
  when: (next: SessionRecord | undefined) => boolean,
  change: (current: SessionRecord) => SessionRecord | undefined,
): OpenStore {
  let raced = false;
  return {
    ...inner,
    replace: async (key, version, next) => {
      const current = await inner.read(key);
      if (!raced && current !== undefined && when(next)) {
        raced = true;
        await inner.replace(key, current.version, change(current));
      }
      return inner.replace(key, version, next);
    },
  };
}

const renewedElsewhere = (current: SessionRecord): SessionRecord => {
  const { intent: _answered, ...rest } = current;
  return {
    ...rest,
    version: "id.9",
    refreshToken: "newer",
    accessToken: { token: "theirs", tokenType: "Bearer", scopes: [], issuedAt: 1, expiresAt: null },
  };
};

test("a refusal on a host that is alone is believed at once", async () => {
  const store = await storeWith(expired());
  const clock = sleepingClock();
  const bench = new Bench({ refresh: () => Promise.reject(refusal()) }, { store, clock });
  await failure(bench.session.getToken({ interactive: false }));
  expect(clock.slept).toBe(0);
});

test("a record that was renewed before the announcement is used, and nothing is sent", async () => {
  const inner = await storeWith(expired());
  const store = racing(inner, (next) => next?.intent !== undefined, renewedElsewhere);
  const bench = new Bench({}, { store });
  expect((await bench.session.getToken()).token).toBe("theirs");
  expect(bench.calls).toEqual([]);
});

test("a refusal that comes as somebody else renews takes nothing away [R03]", async () => {
  const inner = await storeWith(expired());
  const store = racing(inner, (next) => next?.ended !== undefined, renewedElsewhere);
  const bench = new Bench({ refresh: () => Promise.reject(refusal()) }, { store });
  await failure(bench.session.getToken({ interactive: false }));
  expect((await recordIn(inner)).refreshToken).toBe("newer");
});

test("an announcement of another host is not taken back by this one", async () => {
  const inner = await storeWith(expired());
  const store = racing(
    inner,
    (next) => next !== undefined && next.intent === undefined,
    (current) => ({
      ...current,
      version: `${current.version}9`,
      intent: { nonce: "theirs", host: "another-host", at: 1 },
    }),
  );
  const unsent = new OidcError("network", "x", { reason: "refused" });
  const bench = new Bench({ refresh: () => Promise.reject(unsent) }, { store });
  await failure(bench.session.getToken());
  expect((await recordIn(inner)).intent?.nonce).toBe("theirs");
});

test("a logout on another host ends the wait for it", async () => {
  const store = await leftBehind({ host: "another-host" });
  const clock = sleepingClock();
  const bench = new Bench({}, { store, clock });
  const call = failure(bench.session.getToken({ interactive: false }));
  while (clock.slept < 400) await new Promise((resolve) => setImmediate(resolve));
  const record = await recordIn(store);
  await store.replace("key", record.version, undefined);
  expect((await call).reason).toBe("no_token");
  expect(bench.calls).toEqual([]);
});
