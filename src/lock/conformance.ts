// What every flight lock must do, as a suite that each one's own tests run. Changes when the interface's promises do.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isOidcError } from "../core/errors.ts";
import type { AcquireOptions, FlightLock, Lease, LockHolder } from "./types.ts";

/** One place, opened twice as by two processes where it can be shared so. */
export interface OpenedTwice<Part> {
  readonly store: Part;
  readonly sameStore: Part;
  /** Deletes everything. */
  close(): Promise<void>;
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

/** Takes a lock that is free. */
export async function leaseOf(store: FlightLock, key: string): Promise<Lease> {
  const taken = await store.acquire(key, waiting());
  if (!taken.held) throw new Error("the lock is held by another");
  return taken;
}

/** Begins to wait, and resolves once the wait is known to have begun. */
async function startWaiting(
  store: FlightLock,
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

/** What a flight lock must do. */
export function describeFlightLock(
  name: string,
  open: () => Promise<OpenedTwice<FlightLock>>,
): void {
  describe(`the lock of the ${name}`, () => {
    const key = "one";
    const otherKey = "two";
    let opened: OpenedTwice<FlightLock>;
    let store: FlightLock;
    let sameStore: FlightLock;

    beforeEach(async () => {
      opened = await open();
      ({ store, sameStore } = opened);
    });

    afterEach(async () => {
      await opened.close();
    });

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
      await expect(store.acquire(key, waiting({ signal: AbortSignal.abort(reason) }))).rejects.toBe(
        reason,
      );
      await lease.finish({ kind: "done", version: "a.1" });
      expect(await second.taken).toMatchObject({ held: false, outcome: { kind: "done" } });
    });

    test("tells who asks, without waiting, who holds it, what for and since when", async () => {
      const asked = (asking: FlightLock, of: string): Promise<LockHolder | undefined> => {
        if (asking.holder === undefined) throw new TypeError("this lock cannot be asked");
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
}
