// The lock between operating-system processes. Changes when its promise between processes does.
import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { byLane } from "../../test/support/lane.ts";
import { useLockFolder } from "../../test/support/lock-folder.ts";
import { attachLockProcess } from "../../test/support/lock-process.ts";
import type { LockProcess } from "../../test/support/lock-process.ts";

const failure = {
  kind: "failed",
  error: {
    code: "login_required",
    message: "No valid sign-in for id.example.com. Run: latchkey login",
    reason: "refresh_refused",
    providerError: "invalid_grant",
    providerErrorDescription: "Token is not active",
  },
} as const;

const place = useLockFolder();
const crowd = byLane(20, 6);

/** A holder and waiters that have heard of it. */
async function holderAndWaiters(count: number): Promise<[LockProcess, LockProcess[]]> {
  const [holder, ...waiters] = await place.startMany(count + 1);
  if (holder === undefined) throw new Error("no process");
  holder.tell({ do: "acquire", name: "key" });
  await holder.next("held");
  for (const waiter of waiters) waiter.tell({ do: "acquire", name: "key" });
  for (const waiter of waiters) {
    expect(await waiter.next("waiting")).toEqual({
      event: "waiting",
      processId: holder.processId,
      phase: "refresh",
    });
  }
  return [holder, waiters];
}

/** The name of the lock that a process holds: other tests hold other locks at the same time. */
async function lockNameOf(processId: number): Promise<string> {
  const descriptors = `/proc/${String(processId)}/fd`;
  const targets = await Promise.all(
    (await readdir(descriptors)).map(async (name) =>
      readlink(join(descriptors, name)).catch(() => ""),
    ),
  );
  const inodes = new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  for (const line of (await readFile("/proc/net/unix", "utf8")).split("\n")) {
    const [inode = "", name = ""] = line.trim().split(/\s+/).slice(6);
    if (inodes.has(inode) && name.includes(`/holder-${String(processId)}-`)) return name;
  }
  throw new Error("the process holds no lock");
}

async function socketsOfLock(name: string): Promise<number> {
  const sockets = await readFile("/proc/net/unix", "utf8");
  return sockets.split(name).length - 1;
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe.runIf(process.platform === "linux")("on Linux", () => {
  test.each(
    byLane(
      [
        [20, 5],
        [100, 1],
      ],
      [[8, 3]],
    ),
  )(
    "lets %i processes hold the lock strictly one after the other",
    { timeout: 90_000 },
    async (count, times) => {
      const sideFile = join(place.folder, "..", "side");
      const processes = await place.startMany(count);
      for (const one of processes) one.tell({ do: "takeTurns", name: "key", sideFile, times });
      for (const one of processes) {
        expect(await one.next("turnsTaken", "rejected")).toEqual({ event: "turnsTaken" });
      }
      expect(existsSync(sideFile)).toBe(false);
    },
  );

  test.each([
    ["done", { kind: "done", version: "AbC.7" }],
    ["failed", failure],
  ] as const)(
    `tells ${String(crowd)} waiting processes the outcome %s [R01]`,
    async (_kind, outcome) => {
      const [holder, waiters] = await holderAndWaiters(crowd);
      holder.tell({ do: "finish", outcome });
      for (const waiter of waiters) {
        expect(await waiter.next("shared", "held", "rejected")).toEqual({
          event: "shared",
          outcome,
        });
      }
    },
  );

  test("tells the outcome even when the holder leaves right after it", async () => {
    const [holder, waiters] = await holderAndWaiters(crowd);
    holder.tell({ do: "finishAndExit", outcome: failure });
    for (const waiter of waiters) {
      expect(await waiter.next("shared", "held", "rejected")).toEqual({
        event: "shared",
        outcome: failure,
      });
    }
    expect(await holder.ended).toBe(0);
  });

  // By a clock that runs 100 times as fast, the time for those in the queue is over before they are let in: what a
  // process sees that gets no processor for as long.
  test.for([1, 100])(
    "tells the outcome to processes that connected while the holder's event loop was blocked: speed %d",
    async (speed) => {
      // Its timers are not fast: they would turn away a waiter that has no processor for a twentieth of a second.
      const holder = await place.start({ speed, sleepSpeed: 1 });
      const waiters = await place.startMany(crowd);
      holder.tell({ do: "acquire", name: "key" });
      await holder.next("held");
      const name = await lockNameOf(holder.processId);
      holder.child.kill("SIGSTOP");
      for (const waiter of waiters) waiter.tell({ do: "acquire", name: "key" });
      // The kernel lists the lock's own socket, and one of the same name for each connection.
      while ((await socketsOfLock(name)) < 1 + waiters.length) await nextTurn();
      // A connection may be there before the waiter has been told of it. Two answers later it has had the turn of its
      // event loop in which it sends its nonce.
      for (let answers = 0; answers < 2; answers += 1) {
        for (const waiter of waiters) waiter.tell({ do: "block", milliseconds: 0 });
        await Promise.all(waiters.map((waiter) => waiter.next("blocking")));
      }
      holder.tell({ do: "finishAndExit", outcome: failure });
      holder.child.kill("SIGCONT");
      for (const waiter of waiters) {
        expect(await waiter.next("shared", "held", "rejected")).toEqual({
          event: "shared",
          outcome: failure,
        });
      }
    },
  );

  test("wakes all waiters of a holder that was killed, and lets exactly one take over [R04]", async () => {
    const [holder, waiters] = await holderAndWaiters(crowd);
    holder.child.kill("SIGKILL");
    const outcomes = await Promise.all(
      waiters.map((one) => one.next("shared", "held", "rejected")),
    );
    expect(outcomes).toEqual(waiters.map(() => ({ event: "shared", outcome: null })));
    for (const waiter of waiters) waiter.tell({ do: "acquire", name: "key" });
    const next = await Promise.all(waiters.map((one) => one.next("waiting", "held", "rejected")));
    const holders = waiters.filter((_one, index) => next[index]?.event === "held");
    expect(holders).toHaveLength(1);
    for (const event of next.filter(({ event: name }) => name !== "held")) {
      expect(event).toEqual({
        event: "waiting",
        processId: holders[0]?.processId,
        phase: "refresh",
      });
    }
  });

  test("says of a holder that was stopped which process it is, and how to go on [R05][F-T8]", async () => {
    const holder = await place.start();
    const waiter = await place.start({ speed: 20 });
    holder.tell({ do: "acquire", name: "key" });
    await holder.next("held");
    waiter.tell({ do: "acquire", name: "key", longestWorkSeconds: 30 });
    await waiter.next("waiting");
    holder.child.kill("SIGSTOP");
    const rejected = await waiter.next("rejected", "shared", "held");
    expect(rejected).toMatchObject({ event: "rejected", code: "cache_locked" });
    expect(rejected["message"]).toContain(
      `Process ${holder.processId} holds the lock of this sign-in, and it is stopped (lock). Let it go on (fg in its terminal, or kill -CONT ${holder.processId})`,
    );
    // The lock is still the holder's: nobody stole it.
    // Nor need it have said a word to whoever comes now.
    const third = await place.start({ speed: 20 });
    third.tell({ do: "acquire", name: "key" });
    const unheard = await third.next("rejected", "held", "waiting");
    expect(unheard).toMatchObject({ code: "cache_locked", message: rejected["message"] });
    holder.child.kill("SIGCONT");
  });

  test("waits for a holder whose event loop is busy for a while", async () => {
    const [holder, waiter] = await place.startMany(2);
    holder?.tell({ do: "acquire", name: "key" });
    await holder?.next("held");
    holder?.tell({ do: "block", milliseconds: 1000 });
    await holder?.next("blocking");
    waiter?.tell({ do: "acquire", name: "key" });
    expect(await waiter?.next("waiting", "rejected")).toMatchObject({ event: "waiting" });
  });

  test("does not count the time in which the waiter itself was suspended", async () => {
    const [holder, waiters] = await holderAndWaiters(1);
    const [waiter] = waiters;
    // A second and the grace of 5, on a clock that runs 20 times as fast: 10 seconds pass while it is blocked.
    const fast = await place.start({ speed: 20 });
    fast.tell({ do: "acquire", name: "key", longestWorkSeconds: 1 });
    await fast.next("waiting");
    fast.tell({ do: "block", milliseconds: 500 });
    await fast.next("blocking");
    holder.tell({ do: "finish", outcome: { kind: "done", version: "v" } });
    expect(await fast.next("shared", "rejected")).toMatchObject({ event: "shared" });
    expect(await waiter?.next("shared", "rejected")).toMatchObject({ event: "shared" });
  });

  test("lets waiters hear a sign-in begin; who must not wait for it is told so", async () => {
    const [holder, waiters] = await holderAndWaiters(1);
    const silent = await place.start();
    silent.tell({ do: "acquire", name: "key", waitForLogin: false });
    await silent.next("waiting");
    holder.tell({ do: "announce", phase: "login" });
    expect(await waiters[0]?.next("waiting")).toMatchObject({ phase: "login" });
    const rejected = await silent.next("rejected", "shared", "held");
    expect(rejected).toMatchObject({ event: "rejected", code: "interaction_pending" });
    expect(rejected["message"]).toContain(`Process ${holder.processId} is signing in`);
  });

  test("shows another process who holds the lock and since when, and keeps no waiter from the outcome", async () => {
    const before = Date.now();
    const [holder, waiters] = await holderAndWaiters(5);
    const after = Date.now();
    const onlookers = await place.startMany(3);
    for (const one of onlookers) one.tell({ do: "inspect", name: "key" });
    for (const one of onlookers) {
      const { holder: shown } = await one.next("inspected");
      expect(shown).toEqual({
        processId: holder.processId,
        phase: "refresh",
        since: expect.any(Number),
      });
      const { since } = shown as { since: number };
      expect(since).toBeGreaterThanOrEqual(before);
      expect(since).toBeLessThanOrEqual(after);
    }
    holder.tell({ do: "finish", outcome: failure });
    for (const waiter of waiters) {
      expect(await waiter.next("shared", "held", "rejected")).toMatchObject({ outcome: failure });
    }
    for (const one of onlookers) one.tell({ do: "inspect", name: "key" });
    for (const one of onlookers) {
      expect(await one.next("inspected")).toEqual({ event: "inspected" });
    }
  });

  test("a suspended holder is shown to nobody, who need not wait long for that", async () => {
    const [holder] = await holderAndWaiters(1);
    holder.child.kill("SIGSTOP");
    const onlooker = await place.start({ speed: 20 });
    onlooker.tell({ do: "inspect", name: "key" });
    expect(await onlooker.next("inspected", "rejected")).toEqual({ event: "inspected" });
    holder.child.kill("SIGCONT");
  });

  test("aborts a wait at once, and only that wait", async () => {
    const [holder, [waiter, other]] = await holderAndWaiters(2);
    waiter?.tell({ do: "abort" });
    expect(await waiter?.next("rejected", "shared", "held")).toMatchObject({
      message: "stop waiting",
    });
    holder.tell({ do: "finish", outcome: { kind: "done", version: "v" } });
    expect(await other?.next("shared")).toMatchObject({ outcome: { version: "v" } });
  });

  test("a holder that finished ends by itself, with waiters and strangers or without [I3]", async () => {
    const [holder, waiters] = await holderAndWaiters(1);
    holder.tell({ do: "finish", outcome: { kind: "done", version: "v" } });
    await holder.next("finished");
    const before = performance.now();
    holder.release();
    expect(await holder.ended).toBe(0);
    for (const waiter of waiters) {
      waiter.release();
      expect(await waiter.ended).toBe(0);
    }
    // Far less than the 10 s that the lock gives a waiter for its proof: no timer of it holds the process.
    expect(performance.now() - before).toBeLessThan(5000);
  });

  test("a lease that nobody ever finishes ends with its process", async () => {
    const [holder, waiters] = await holderAndWaiters(1);
    const before = performance.now();
    holder.release();
    expect(await holder.ended).toBe(0);
    // As above: far less than the time that a waiter has for its proof.
    expect(performance.now() - before).toBeLessThan(5000);
    expect(await waiters[0]?.next("shared")).toMatchObject({ outcome: null });
  });

  test("workers of one cluster exclude each other as other processes do", async () => {
    cluster.setupPrimary({ exec: place.worker, args: [place.folder, "1"], silent: true });
    const forks = [cluster.fork(), cluster.fork()];
    const [holder, waiter] = await Promise.all(
      forks.map((fork) => attachLockProcess(fork.process)),
    );
    if (holder === undefined || waiter === undefined) throw new Error("no process");
    place.endAfterTest(holder, waiter);
    holder.tell({ do: "acquire", name: "key" });
    await holder.next("held");
    waiter.tell({ do: "acquire", name: "key" });
    expect(await waiter.next("waiting", "held", "rejected")).toMatchObject({
      event: "waiting",
      processId: holder.processId,
    });
  });

  test(`${String(crowd)} processes that start at the same time agree on one lock-id`, async () => {
    const processes = await place.startMany(crowd);
    const name = randomBytes(8).toString("hex");
    for (const one of processes) one.tell({ do: "acquire", name });
    const events = await Promise.all(processes.map((one) => one.next("held", "waiting")));
    expect(events.filter(({ event }) => event === "held")).toHaveLength(1);
  });
});
