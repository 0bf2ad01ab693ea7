// The lock within one process, which takes the same way as between processes, and where there is none.
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { systemClock } from "../core/clock.ts";
import type { LatchkeyEvent } from "../core/events.ts";
import { createProcessLock } from "./protocol.ts";
import type { ProcessLock, ProcessLockOptions } from "./protocol.ts";
import { emulatedEndpoint } from "./testing.ts";
import type { AcquireOptions, Lease, SharedOutcome, WorkPhase } from "./types.ts";
import { worded } from "../core/wording.ts";

let folder = "";
let leases: Lease[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "latchkey-lock-")), "state");
});

afterEach(async () => {
  await Promise.all(leases.map((lease) => lease.abandon()));
  leases = [];
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

function makeLock(options: Partial<ProcessLockOptions> = {}): ProcessLock {
  return createProcessLock({ folder, clock: systemClock, randomBytes, ...options });
}

function acquireOptions(options: Partial<AcquireOptions> = {}): AcquireOptions {
  return {
    signal: new AbortController().signal,
    longestWorkSeconds: () => 60,
    waitForLogin: true,
    onWaiting: () => undefined,
    ...options,
  };
}

async function hold(lock: ProcessLock, name: string): Promise<Lease> {
  const result = await lock.acquire(name, acquireOptions());
  if (!result.held) throw new Error("it is held");
  leases.push(result);
  return result;
}

/** Begins to wait; resolves when the holder was heard. */
function follow(
  lock: ProcessLock,
  name: string,
  options: Partial<AcquireOptions> = {},
): Promise<{ result: Promise<Lease | SharedOutcome>; phases: WorkPhase[] }> {
  const phases: WorkPhase[] = [];
  return new Promise((resolve, reject) => {
    const result = lock.acquire(
      name,
      acquireOptions({
        ...options,
        onWaiting: ({ phase }) => {
          phases.push(phase);
          resolve({ result, phases });
        },
      }),
    );
    result.catch(reject);
  });
}

const failure = {
  kind: "failed",
  error: { code: "access_denied", message: "Sign-in was refused.", reason: "why" },
} as const;

// The others stand in for their systems, see testing.ts.
const systems = {
  "on this system": () => ({}),
  "as on macOS": () => ({ platform: "darwin", endpoint: emulatedEndpoint("darwin", folder) }),
  "as on Windows": () => ({ platform: "win32", endpoint: emulatedEndpoint("win32", folder) }),
  "within one process": () => ({ platform: "aix" }),
} satisfies Record<string, () => Partial<ProcessLockOptions>>;

describe.each(Object.entries(systems))("%s", (what, system) => {
  const acrossProcesses = what !== "within one process";
  const skipped = what.startsWith("as on") && process.platform !== "linux";

  test.skipIf(skipped)(
    "excludes another lock object of the same name, and shares 'done'",
    async () => {
      const lease = await hold(makeLock(system()), "key");
      const { result, phases } = await follow(makeLock(system()), "key");
      lease.announce("login");
      await vi.waitUntil(() => phases.length === 2);
      await lease.finish({ kind: "done", version: "v.1" });
      expect(await result).toEqual({ held: false, outcome: { kind: "done", version: "v.1" } });
      expect(phases).toEqual(["refresh", "login"]);
    },
  );

  test.skipIf(skipped)("shares 'failed' with all who wait", async () => {
    const lock = makeLock(system());
    const lease = await hold(lock, "key");
    const waits = await Promise.all(Array.from({ length: 20 }, () => follow(lock, "key")));
    await lease.finish(failure);
    for (const { result } of waits) expect(await result).toEqual({ held: false, outcome: failure });
  });

  test.skipIf(skipped)(
    "is free at once after finish and after abandon, whatever is called twice",
    async () => {
      const lock = makeLock(system());
      const first = await hold(lock, "key");
      await Promise.all([first.finish(failure), first.finish(failure), first.abandon()]);
      const second = await hold(lock, "key");
      // A lease that is over has no power over the next one.
      await first.abandon();
      await first.finish(failure);
      first.announce("login");
      const { result, phases } = await follow(lock, "key");
      await second.abandon();
      expect(await result).toEqual({ held: false, outcome: null });
      expect(phases).toEqual(["refresh"]);
      await hold(lock, "key");
    },
  );

  test.skipIf(skipped)(
    "what is called after finish does not change what waiters hear",
    async () => {
      const lock = makeLock(system());
      const lease = await hold(lock, "key");
      const { result } = await follow(lock, "key");
      const finished = lease.finish(failure);
      await Promise.all([lease.abandon(), lease.finish({ kind: "done", version: "v" }), finished]);
      expect(await result).toEqual({ held: false, outcome: failure });
    },
  );

  test.skipIf(skipped)("who comes late hears the phase that is on", async () => {
    const lock = makeLock(system());
    const lease = await hold(lock, "key");
    lease.announce("login");
    expect((await follow(lock, "key")).phases).toEqual(["login"]);
    await expect(
      lock.acquire("key", acquireOptions({ waitForLogin: false })),
    ).rejects.toMatchObject({ code: "interaction_pending" });
  });

  test.skipIf(skipped)("other names and other folders are other locks", async () => {
    const elsewhere = (): Partial<ProcessLockOptions> => {
      folder = `${folder}-other`;
      return { ...system(), folder };
    };
    const held = [
      await hold(makeLock(system()), "key"),
      await hold(makeLock(system()), "key2"),
      await hold(makeLock(elsewhere()), "key"),
    ];
    expect(held.map((lease) => lease.held)).toEqual([true, true, true]);
  });

  test.skipIf(skipped)(
    "an abort ends the wait with the signal's reason and leaves the lock alone",
    async () => {
      const lock = makeLock(system());
      const lease = await hold(lock, "key");
      const abort = new AbortController();
      const { result } = await follow(lock, "key", { signal: abort.signal });
      const other = await follow(lock, "key");
      const reason = new Error("stop");
      abort.abort(reason);
      await expect(result).rejects.toBe(reason);
      await expect(lock.acquire("key", acquireOptions({ signal: abort.signal }))).rejects.toBe(
        reason,
      );
      await expect(lock.acquire("free", acquireOptions({ signal: abort.signal }))).rejects.toBe(
        reason,
      );
      await hold(lock, "free");
      await lease.finish(failure);
      expect(await other.result).toMatchObject({ outcome: failure });
    },
  );

  test.skipIf(skipped)("says whether other processes are excluded, too", async () => {
    expect((await hold(makeLock(system()), "key")).acrossProcesses).toBe(acrossProcesses);
  });

  test.skipIf(skipped)("shows who asks, who holds it, and keeps nobody from it", async () => {
    const lock = makeLock(system());
    // Nothing is written to answer that.
    expect(await lock.holder("key")).toBeUndefined();
    expect(existsSync(join(folder, "lock-id"))).toBe(false);
    const before = Date.now();
    const lease = await hold(lock, "key");
    const asked = await makeLock(system()).holder("key");
    expect(asked).toEqual({
      processId: process.pid,
      phase: "refresh",
      since: expect.any(Number),
    });
    expect(asked?.since).toBeGreaterThanOrEqual(before);
    expect(asked?.since).toBeLessThanOrEqual(Date.now());
    lease.announce("login");
    expect(await lock.holder("key")).toEqual({ ...asked, phase: "login" });
    expect(await lock.holder("other key")).toBeUndefined();
    await lease.finish(failure);
    expect(await lock.holder("key")).toBeUndefined();
    await hold(lock, "key");
  });

  test.skipIf(skipped)("one who aborts while taking does not keep the lock", async () => {
    const lock = makeLock(system());
    const abort = new AbortController();
    const reason = new Error("stop");
    const result = lock.acquire("key", acquireOptions({ signal: abort.signal }));
    abort.abort(reason);
    const settled = await result.catch((error: unknown) => error);
    if (settled !== reason) leases.push(settled as Lease);
    expect(acrossProcesses ? settled : reason).toBe(reason);
    if (acrossProcesses) await hold(lock, "key");
  });
});

test("tells the log what it does, in its own words", async () => {
  const events: LatchkeyEvent[] = [];
  const lock = makeLock({ logger: (event) => events.push(event), platform: "aix" });
  await hold(lock, "key");
  await follow(lock, "key");
  expect(events).toEqual([
    { name: "lock.unavailable", data: { why: "aix" } },
    { name: "lock.acquired", data: { waitedMilliseconds: 0 } },
    { name: "lock.unavailable", data: { why: "aix" } },
    { name: "lock.waiting", data: { processId: process.pid, phase: "refresh" } },
  ]);
});

test("touches nothing before the first acquire", () => {
  makeLock();
  expect(existsSync(folder)).toBe(false);
});

describe.runIf(process.platform === "linux")("where the lock-id cannot be written", () => {
  test("goes on with single flight in this process, and warns once", async () => {
    writeFileSync(folder, "");
    const warnings: string[][] = [];
    const lock = makeLock({
      folder: join(folder, "below"),
      onWarning: (code, said) => warnings.push([code, worded(said)]),
    });
    const lease = await hold(lock, "key");
    const { result } = await follow(lock, "key");
    await lease.finish(failure);
    expect(await result).toEqual({ held: false, outcome: failure });
    expect(warnings).toEqual([
      ["cache_write_failed", expect.stringContaining(join(folder, "below", "lock-id"))],
    ]);
  });
});
