import { describe, expect, test } from "vitest";

import type { Clock } from "../core/clock.ts";
import type { LatchkeyEvent } from "../core/events.ts";
import type { AcquireOptions, WorkPhase } from "./types.ts";
import { startWait } from "./wait.ts";
import type { Attempt, Wait } from "./wait.ts";

/** A clock that the test moves, in ticks as a running event loop would see them. */
class ManualClock implements Clock {
  #now = 0;
  #sleepers: { until: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(milliseconds: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const stop = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      const wake = (): void => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      this.#sleepers.push({ until: this.#now + milliseconds, wake });
    });
  }

  /** Time passes while nothing runs: one late tick. */
  async jump(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async run(seconds: number): Promise<void> {
    for (let ticks = 0; ticks < seconds * 4; ticks += 1) await this.jump(250);
  }
}

interface Scene {
  readonly clock: ManualClock;
  readonly wait: Wait;
  readonly attempt: Attempt;
  readonly heard: { processId?: number; phase: WorkPhase }[];
  readonly events: LatchkeyEvent[];
  readonly abort: AbortController;
  /** "waiting", what it resolved to, or the error. */
  readonly settled: () => unknown;
}

function scene(options: Partial<AcquireOptions> = {}): Scene {
  const clock = new ManualClock();
  const heard: Scene["heard"] = [];
  const events: LatchkeyEvent[] = [];
  const abort = new AbortController();
  const wait = startWait({
    clock,
    randomBytes: (length) => new Uint8Array(length).fill(255),
    logger: (event) => events.push(event),
    options: {
      signal: abort.signal,
      longestWorkSeconds: (phase) => (phase === "refresh" ? 30 : 300),
      waitForLogin: true,
      onWaiting: (holder) => heard.push(holder),
      ...options,
    },
  });
  const attempt = wait.attempt();
  let settled: unknown = "waiting";
  attempt.result.then(
    (value) => (settled = value),
    (error: unknown) => (settled = error),
  );
  return { clock, wait, attempt, heard, events, abort, settled: () => settled };
}

const news = { kind: "holder", since: 1_700_000_000_000 } as const;

const locked = { code: "cache_locked", retryable: true };

test("gives a holder 10 seconds to prove itself", async () => {
  const { clock, settled } = scene();
  await clock.run(9.75);
  expect(settled()).toBe("waiting");
  await clock.run(0.25);
  expect(settled()).toMatchObject(locked);
});

test("counts only time in which this process ran: an hour asleep is no hour without a proof", async () => {
  const { clock, settled } = scene();
  await clock.run(9);
  await clock.jump(3_600_000);
  expect(settled()).toBe("waiting");
  await clock.run(0.5);
  expect(settled()).toMatchObject(locked);
});

test("the 10 seconds hold for all holders together that come and go without a proof", async () => {
  const { clock, wait, attempt, settled } = scene();
  await clock.run(6);
  attempt.end();
  await clock.run(0.25);
  expect(settled()).toBe("again");
  wait.assertProofPossible("not yet");
  await clock.run(4);
  expect(() => wait.assertProofPossible("it refuses")).toThrow(
    expect.objectContaining({ ...locked, message: expect.stringContaining("it refuses") }),
  );
});

test("waits for the work of a phase and 5 seconds, from the moment it was heard", async () => {
  const { clock, attempt, settled, heard, events } = scene();
  await clock.run(5);
  attempt.hear({ ...news, processId: 4711, phase: "refresh" });
  await clock.run(34);
  attempt.hear({ kind: "phase", phase: "login" });
  await clock.run(304);
  expect(settled()).toBe("waiting");
  await clock.run(1);
  expect(settled()).toMatchObject({
    ...locked,
    message:
      "Process 4711 is still signing in after 305 seconds, longer than that can take (lock). See whether it hangs, end it where it does (kill 4711), and try again.",
  });
  expect(heard).toEqual([
    { processId: 4711, phase: "refresh" },
    { processId: 4711, phase: "login" },
  ]);
  expect(events.map(({ name }) => name)).toEqual(["lock.waiting", "lock.waiting"]);
});

test("a holder that repeats its phases gets no more time for them", async () => {
  const { clock, attempt, settled, heard } = scene();
  attempt.hear({ ...news, processId: 4711, phase: "refresh" });
  await clock.run(20);
  attempt.hear({ kind: "phase", phase: "refresh" });
  attempt.hear({ kind: "phase", phase: "login" });
  attempt.hear({ kind: "phase", phase: "refresh" });
  await clock.run(15);
  expect(settled()).toMatchObject(locked);
  expect(heard).toHaveLength(3);
});

describe("who may not wait for a person", () => {
  test("waits for a refresh, and is told when a sign-in begins", async () => {
    const { clock, attempt, settled, heard } = scene({ waitForLogin: false });
    attempt.hear({ ...news, processId: 4711, phase: "refresh" });
    await clock.run(1);
    expect(settled()).toBe("waiting");
    attempt.hear({ kind: "phase", phase: "login" });
    await clock.jump(0);
    expect(settled()).toMatchObject({
      code: "interaction_pending",
      retryable: true,
      message: expect.stringMatching(/^Process 4711 is signing in/),
    });
    expect(heard).toEqual([{ processId: 4711, phase: "refresh" }]);
  });
});

test("shares the outcome, and hears nothing after it", async () => {
  const { clock, attempt, settled, heard } = scene();
  attempt.hear({ ...news, processId: 4711, phase: "refresh" });
  attempt.hear({ kind: "done", version: "v" });
  attempt.hear({ kind: "phase", phase: "login" });
  attempt.end();
  await clock.run(60);
  expect(settled()).toEqual({ held: false, outcome: { kind: "done", version: "v" } });
  expect(heard).toHaveLength(1);
});

test("a proven holder that ends without an outcome leaves none", async () => {
  const { clock, attempt, settled } = scene();
  attempt.hear({ ...news, processId: 4711, phase: "login" });
  attempt.end();
  await clock.jump(0);
  expect(settled()).toEqual({ held: false, outcome: null });
});

test("an abort ends the wait with the signal's own reason", async () => {
  const { clock, abort, settled } = scene();
  const reason = new Error("the last caller left");
  abort.abort(reason);
  await clock.jump(0);
  expect(settled()).toBe(reason);
});

test("a signal that had aborted before ends it too", async () => {
  const reason = new Error("too late");
  const { clock, settled } = scene({ signal: AbortSignal.abort(reason) });
  await clock.jump(0);
  expect(settled()).toBe(reason);
});

test("what the caller's onWaiting throws is the caller's", async () => {
  const bug = new TypeError("a bug");
  const { clock, attempt, settled } = scene({
    onWaiting: () => {
      throw bug;
    },
  });
  attempt.hear({ ...news, processId: 4711, phase: "refresh" });
  await clock.jump(0);
  expect(settled()).toBe(bug);
});

test("names this process where it waits for itself", async () => {
  const { clock, attempt, settled } = scene();
  attempt.hear({ ...news, processId: process.pid, phase: "refresh" });
  await clock.run(35);
  expect(settled()).toMatchObject({
    message: expect.stringMatching(/^Another call in this process is still renewing/),
  });
  expect(String(settled())).not.toContain("kill");
});

describe("a holder that tells nothing", () => {
  test("is waited for as long as its work can take, whatever that is", async () => {
    const { clock, wait } = scene();
    await clock.run(304);
    expect(() => wait.assertWorkPossible()).not.toThrow();
    await clock.run(1);
    expect(() => wait.assertWorkPossible()).toThrow(
      expect.objectContaining({ ...locked, message: expect.stringContaining("305 seconds") }),
    );
  });

  test("is not waited for as if a person signed in, by who may not wait for one", async () => {
    const { clock, wait } = scene({ waitForLogin: false });
    await clock.run(34);
    expect(() => wait.assertWorkPossible()).not.toThrow();
    await clock.run(1);
    expect(() => wait.assertWorkPossible()).toThrow(expect.objectContaining(locked));
  });
});
