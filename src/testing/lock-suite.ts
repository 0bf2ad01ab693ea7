// What every flight lock must do, as a suite that each one's own tests run. Changes when the interface's promises do.

import assert from "node:assert/strict";
import { isOidcError } from "../core/errors.ts";
import type { AcquireOptions, FlightLock, Lease } from "../lock/types.ts";
import { declareTests, type SuiteOptions, type SuiteTest } from "./suite.ts";

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

/** Takes a lock that is free. */
export async function leaseOf(lock: FlightLock, key: string): Promise<Lease> {
  const taken = await lock.acquire(key, waiting());
  if (!taken.held) assert.fail("a lock that nobody holds was not taken");
  return taken;
}

/** Begins to wait, and resolves once the wait is known to have begun. */
async function startWaiting(
  lock: FlightLock,
  key: string,
  changes: Partial<AcquireOptions> = {},
): Promise<{
  taken: ReturnType<FlightLock["acquire"]>;
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
  const taken = lock.acquire(
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
  const ended = taken.then(
    () => assert.fail("a lock that is held was taken, or its outcome told, before it was freed"),
    () => undefined,
  );
  await Promise.race([heard("refresh"), ended]);
  return { taken, phases, heard };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isOidcError(error)) return error.code;
    throw error;
  }
  return assert.fail("nothing was thrown");
}

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail("nothing was thrown"),
    (reason: unknown) => reason,
  );
}

const key = "one";
const otherKey = "two";
const done = { kind: "done", version: "a.1" } as const;

const lockTests: readonly SuiteTest<FlightLock>[] = [
  [
    "the lock is held by one, for one key",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      const other = await leaseOf(sameLock, otherKey);
      assert.deepEqual(
        [lease, other].map((each) => each.acrossProcesses),
        [true, true],
      );
      const { taken } = await startWaiting(sameLock, key);
      await lease.finish(done);
      assert.deepEqual(await taken, { held: false, outcome: done });
      await other.abandon();
      await (await leaseOf(sameLock, key)).abandon();
    },
  ],
  [
    "the lock shares a failure with everybody who waits [R15]",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      const waits = await Promise.all([startWaiting(lock, key), startWaiting(sameLock, key)]);
      const outcome = { kind: "failed", error: { code: "network", message: "refused" } } as const;
      await lease.finish(outcome);
      for (const { taken } of waits) assert.deepEqual(await taken, { held: false, outcome });
    },
  ],
  [
    "a lock that is abandoned tells those who wait to try themselves",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      const { taken } = await startWaiting(sameLock, key);
      await lease.abandon();
      assert.deepEqual(await taken, { held: false, outcome: null });
      await (await leaseOf(sameLock, key)).abandon();
    },
  ],
  [
    "the lock tells those who wait what is being done",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      const { taken, phases, heard } = await startWaiting(sameLock, key);
      lease.announce("login");
      await heard("login");
      await lease.abandon();
      await taken;
      assert.deepEqual(phases, ["refresh", "login"]);
    },
  ],
  [
    "the lock does not keep somebody waiting for a sign-in who may not wait for one [R13]",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      const { taken } = await startWaiting(sameLock, key, { waitForLogin: false });
      lease.announce("login");
      assert.equal(await codeOf(taken), "interaction_pending");
      assert.equal(
        await codeOf(sameLock.acquire(key, waiting({ waitForLogin: false }))),
        "interaction_pending",
      );
      await lease.abandon();
    },
  ],
  [
    "the lock is not waited for longer than the holder's work can take [R05]",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      // Minus the grace that every wait has: time is up at once.
      const { taken } = await startWaiting(sameLock, key, { longestWorkSeconds: () => -5 });
      assert.equal(await codeOf(taken), "cache_locked");
      await lease.abandon();
    },
  ],
  [
    "the lock is waited for until the caller aborts, whose reason comes back; the others go on [R15]",
    async (lock, sameLock) => {
      const lease = await leaseOf(lock, key);
      const controller = new AbortController();
      const first = await startWaiting(lock, key, { signal: controller.signal });
      const second = await startWaiting(sameLock, key);
      const reason = new Error("the caller's own");
      controller.abort(reason);
      assert.equal(await reasonOf(first.taken), reason);
      const early = lock.acquire(key, waiting({ signal: AbortSignal.abort(reason) }));
      assert.equal(await reasonOf(early), reason);
      await lease.finish(done);
      assert.deepEqual(await second.taken, { held: false, outcome: done });
    },
  ],
  [
    "the lock tells who asks, without waiting, who holds it, what for and since when",
    async (lock, sameLock) => {
      // It need not be able to tell.
      if (lock.holder === undefined || sameLock.holder === undefined) return;
      assert.equal(await lock.holder(key), undefined);
      const before = Date.now();
      const lease = await leaseOf(lock, key);
      const held = await sameLock.holder(key);
      assert.ok(held !== undefined, "nobody holds a lock that was taken");
      assert.deepEqual(held, {
        // One that means nothing where it is asked is left out.
        ...("processId" in held ? { processId: process.pid } : {}),
        phase: "refresh",
        since: held.since,
      });
      assert.ok(held.since >= before && held.since <= Date.now(), "held since another time");
      lease.announce("login");
      // It is told at once, and may take a moment to get there.
      let told = await sameLock.holder(key);
      for (let looks = 0; told?.phase !== "login" && looks < 50; looks += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        told = await sameLock.holder(key);
      }
      assert.deepEqual(told, { ...held, phase: "login" });
      assert.equal(await lock.holder(otherKey), undefined);
      await lease.finish(done);
      assert.equal(await sameLock.holder(key), undefined);
    },
  ],
  [
    "a lock that was freed twice does not free the next holder's",
    async (lock, sameLock) => {
      const first = await leaseOf(lock, key);
      await first.abandon();
      const second = await leaseOf(lock, key);
      await first.abandon();
      first.announce("login");
      const { taken, phases } = await startWaiting(sameLock, key);
      await second.finish({ kind: "done", version: "a.2" });
      assert.deepEqual(await taken, { held: false, outcome: { kind: "done", version: "a.2" } });
      assert.deepEqual(phases, ["refresh"]);
    },
  ],
];

/**
 * Declares the tests of a lock that many programs share: exclusion, shared outcomes, waits that end.
 * @throws {OidcError} `invalid_option`.
 */
export function testFlightLock(options: SuiteOptions<FlightLock>): void {
  declareTests(options, lockTests);
}
