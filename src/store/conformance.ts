// What every TokenStore must do, as one suite that each store's own tests run. Changes when the interface's promises
// do.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isOidcError } from "../core/errors.ts";
import type { SessionRecord } from "../record/format.ts";
import { recordKey } from "../record/key.ts";
import type { AcquireOptions, Lease, LockHolder, TokenStore } from "./token-store.ts";

/** One place where records are kept, opened twice as by two processes where the store can be shared so. */
export interface StoreUnderTest {
  readonly store: TokenStore;
  readonly sameStore: TokenStore;
  /** Deletes everything. */
  close(): Promise<void>;
}

/** A key as the library makes them. */
export function exampleKey(clientId: string): string {
  return recordKey({
    kind: "interactive",
    options: { issuer: "https://id.example.com", clientId },
  });
}

/** A valid record; `changes` replace its fields. */
export function exampleRecord(
  clientId: string,
  version: string,
  changes: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    key: exampleKey(clientId),
    version,
    issuer: "https://id.example.com",
    clientId,
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: {
      token: `token-of-${version}`,
      tokenType: "Bearer",
      scopes: ["openid"],
      issuedAt: 1_700_000_000,
      expiresAt: 1_700_003_600,
    },
    refreshToken: `refresh-of-${version}`,
    signedInAt: 1_700_000_000_000,
    renewedAt: 1_700_000_000_000,
    ...changes,
  };
}

/** Waits like a patient caller, unless told otherwise. */
export function waiting(changes: Partial<AcquireOptions> = {}): AcquireOptions {
  return {
    signal: new AbortController().signal,
    longestWorkSeconds: () => 60,
    waitForLogin: true,
    onWaiting: () => undefined,
    ...changes,
  };
}

async function leaseOf(store: TokenStore, key: string): Promise<Lease> {
  const taken = await store.acquire(key, waiting());
  if (!taken.held) throw new Error("the lock is held by another");
  return taken;
}

/** Begins to wait, and resolves once the wait is known to have begun. */
async function startWaiting(
  store: TokenStore,
  key: string,
  changes: Partial<AcquireOptions> = {},
): Promise<{
  taken: ReturnType<TokenStore["acquire"]>;
  phases: string[];
  heard: (phase: string) => Promise<void>;
}> {
  const phases: string[] = [];
  const listeners = new Set<() => void>();
  const heard = async (phase: string): Promise<void> => {
    while (!phases.includes(phase)) {
      await new Promise<void>((resolve) => {
        listeners.add(resolve);
      });
    }
  };
  const taken = store.acquire(
    key,
    waiting({
      ...changes,
      onWaiting: (holder) => {
        phases.push(holder.phase);
        for (const listener of listeners) listener();
      },
    }),
  );
  // Handled here as well, so that a test may look at the outcome later.
  taken.catch(() => undefined);
  await heard("refresh");
  return { taken, phases, heard };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isOidcError(error)) return error.code;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Runs the suite. */
export function describeTokenStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the ${name}`, () => {
    const key = exampleKey("one");
    const otherKey = exampleKey("two");
    let opened: StoreUnderTest;
    let store: TokenStore;
    let sameStore: TokenStore;

    beforeEach(async () => {
      opened = await open();
      ({ store, sameStore } = opened);
    });

    afterEach(async () => {
      await opened.close();
    });

    describe("records", () => {
      test("are absent until they are written, then the same for everybody", async () => {
        expect(await store.read(key)).toBeUndefined();
        const record = exampleRecord("one", "a.1", {});
        expect(await store.replace(key, undefined, record)).toEqual({ replaced: true });
        expect(await store.read(key)).toEqual(record);
        expect(await sameStore.read(key)).toEqual(record);
        expect(await store.read(otherKey)).toBeUndefined();
      });

      test("are replaced only in the expected version", async () => {
        const first = exampleRecord("one", "a.1");
        const second = exampleRecord("one", "a.2");
        await store.replace(key, undefined, first);
        expect(await sameStore.replace(key, "a.1", second)).toEqual({ replaced: true });
        expect(await store.replace(key, "a.1", exampleRecord("one", "a.3"))).toEqual({
          replaced: false,
          current: second,
        });
        expect(await store.replace(key, undefined, exampleRecord("one", "b.1"))).toEqual({
          replaced: false,
          current: second,
        });
        expect(await store.read(key)).toEqual(second);
      });

      test("are deleted only in the expected version, and are gone then [C13]", async () => {
        const record = exampleRecord("one", "a.1");
        await store.replace(key, undefined, record);
        expect(await store.replace(key, "a.0", undefined)).toEqual({
          replaced: false,
          current: record,
        });
        expect(await store.replace(key, undefined, undefined)).toEqual({
          replaced: false,
          current: record,
        });
        expect(await store.replace(key, "a.1", undefined)).toEqual({ replaced: true });
        expect(await sameStore.read(key)).toBeUndefined();
        expect(await store.replace(key, "a.1", exampleRecord("one", "a.2"))).toEqual({
          replaced: false,
          current: undefined,
        });
        expect(await store.list()).toEqual([]);
      });

      test("deleting what is absent is done already", async () => {
        expect(await store.replace(key, undefined, undefined)).toEqual({ replaced: true });
      });

      test("of several keys stand beside each other, and are listed", async () => {
        const one = exampleRecord("one", "a.1");
        const two = exampleRecord("two", "b.1");
        await Promise.all([
          store.replace(key, undefined, one),
          sameStore.replace(otherKey, undefined, two),
        ]);
        expect(await store.read(key)).toEqual(one);
        expect(await store.read(otherKey)).toEqual(two);
        const listed = await sameStore.list();
        expect(listed.map((record) => record.version).toSorted()).toEqual(["a.1", "b.1"]);
        await store.replace(key, "a.1", undefined);
        expect(await store.list()).toEqual([two]);
      });

      test("do not change when what was given or gotten is changed", async () => {
        const record = exampleRecord("one", "a.1");
        await store.replace(key, undefined, record);
        record.refreshToken = "changed";
        const gotten = await store.read(key);
        gotten?.accessToken?.scopes.push("changed");
        expect(await store.read(key)).toEqual(exampleRecord("one", "a.1"));
      });

      test("of one key: of many writers at once one wins, and the others get its record", async () => {
        const results = await Promise.all(
          Array.from({ length: 10 }, (_writer, at) =>
            (at % 2 === 0 ? store : sameStore).replace(
              key,
              undefined,
              exampleRecord("one", `w${at}.1`),
            ),
          ),
        );
        const stored = await store.read(key);
        expect(results.filter((result) => result.replaced)).toHaveLength(1);
        const losers = results.filter((result) => !result.replaced);
        expect(losers.map((result) => result.current)).toEqual(losers.map(() => stored));
      });

      test("of many keys: of many writers at once none is lost", async () => {
        const names = Array.from({ length: 10 }, (_writer, at) => `writer-${at}`);
        await Promise.all(
          names.map((each, at) =>
            (at % 2 === 0 ? store : sameStore).replace(
              exampleKey(each),
              undefined,
              exampleRecord(each, `${each}.1`),
            ),
          ),
        );
        const listed = await store.list();
        expect(listed.map((record) => record.clientId).toSorted()).toEqual(names.toSorted());
      });
    });

    describe("the lock", () => {
      test("is held by one, for one key", async () => {
        const lease = await leaseOf(store, key);
        const other = await leaseOf(sameStore, otherKey);
        expect([lease, other].map((each) => each.acrossProcesses)).toEqual([true, true]);
        const { taken } = await startWaiting(sameStore, key);
        await lease.finish({ kind: "done", version: "a.1" });
        expect(await taken).toEqual({ held: false, outcome: { kind: "done", version: "a.1" } });
        await other.abandon();
        await (await leaseOf(sameStore, key)).abandon();
      });

      test("is taken or shared without anything being stored", async () => {
        await (await leaseOf(store, key)).abandon();
        expect(await store.list()).toEqual([]);
      });

      test("shares a failure with everybody who waits [R15]", async () => {
        const lease = await leaseOf(store, key);
        const waits = await Promise.all([startWaiting(store, key), startWaiting(sameStore, key)]);
        const outcome = { kind: "failed", error: { code: "network", message: "refused" } } as const;
        await lease.finish(outcome);
        for (const { taken } of waits) expect(await taken).toEqual({ held: false, outcome });
      });

      test("that is abandoned tells those who wait to try themselves", async () => {
        const lease = await leaseOf(store, key);
        const { taken } = await startWaiting(sameStore, key);
        await lease.abandon();
        expect(await taken).toEqual({ held: false, outcome: null });
        await (await leaseOf(sameStore, key)).abandon();
      });

      test("tells those who wait what is being done", async () => {
        const lease = await leaseOf(store, key);
        const { taken, phases, heard } = await startWaiting(sameStore, key);
        lease.announce("login");
        await heard("login");
        await lease.abandon();
        await taken;
        expect(phases).toEqual(["refresh", "login"]);
      });

      test("does not keep somebody waiting for a sign-in who may not wait for one [R13]", async () => {
        const lease = await leaseOf(store, key);
        const { taken } = await startWaiting(sameStore, key, { waitForLogin: false });
        lease.announce("login");
        expect(await codeOf(taken)).toBe("interaction_pending");
        expect(await codeOf(sameStore.acquire(key, waiting({ waitForLogin: false })))).toBe(
          "interaction_pending",
        );
        await lease.abandon();
      });

      test("is not waited for longer than the holder's work can take [R05]", async () => {
        const lease = await leaseOf(store, key);
        // Minus the grace that every wait has: time is up at once.
        const { taken } = await startWaiting(sameStore, key, { longestWorkSeconds: () => -5 });
        expect(await codeOf(taken)).toBe("cache_locked");
        await lease.abandon();
      });

      test("is waited for until the caller aborts, whose reason comes back; the others go on [R15]", async () => {
        const lease = await leaseOf(store, key);
        const controller = new AbortController();
        const first = await startWaiting(store, key, { signal: controller.signal });
        const second = await startWaiting(sameStore, key);
        const reason = new Error("the caller's own");
        controller.abort(reason);
        await expect(first.taken).rejects.toBe(reason);
        await expect(
          store.acquire(key, waiting({ signal: AbortSignal.abort(reason) })),
        ).rejects.toBe(reason);
        await lease.finish({ kind: "done", version: "a.1" });
        expect(await second.taken).toMatchObject({ held: false, outcome: { kind: "done" } });
      });

      test("tells who asks, without waiting, who holds it, what for and since when", async () => {
        const asked = (asking: TokenStore, of: string): Promise<LockHolder | undefined> => {
          if (asking.holder === undefined) throw new TypeError("this store cannot be asked");
          return asking.holder(of);
        };
        expect(await asked(store, key)).toBeUndefined();
        const before = Date.now();
        const lease = await leaseOf(store, key);
        const held = await asked(sameStore, key);
        expect(held).toEqual({
          processId: process.pid,
          phase: "refresh",
          since: expect.any(Number),
        });
        expect(held?.since).toBeGreaterThanOrEqual(before);
        expect(held?.since).toBeLessThanOrEqual(Date.now());
        lease.announce("login");
        expect(await asked(sameStore, key)).toEqual({ ...held, phase: "login" });
        expect(await asked(store, otherKey)).toBeUndefined();
        await lease.finish({ kind: "done", version: "a.1" });
        expect(await asked(sameStore, key)).toBeUndefined();
      });

      test("does not stand in the way of reading and writing", async () => {
        const lease = await leaseOf(store, key);
        await sameStore.replace(key, undefined, exampleRecord("one", "a.1"));
        await lease.finish({ kind: "done", version: "a.1" });
        expect((await store.read(key))?.version).toBe("a.1");
      });

      test("that was freed twice does not free the next holder's", async () => {
        const first = await leaseOf(store, key);
        await first.abandon();
        const second = await leaseOf(store, key);
        await first.abandon();
        first.announce("login");
        const { taken, phases } = await startWaiting(sameStore, key);
        await second.finish({ kind: "done", version: "a.2" });
        expect(await taken).toEqual({ held: false, outcome: { kind: "done", version: "a.2" } });
        expect(phases).toEqual(["refresh"]);
      });
    });
  });
}
