// When and how often a lock is tried again. Changes when step 2 or 3 of docs/lock/protocol.md does.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFastClock } from "../../test/support/fast-clock.ts";
import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import type { Endpoint, ReachResult, TakeResult } from "./endpoint.ts";
import { createProcessLock } from "./protocol.ts";
import type { AcquireOptions, Lease, SharedOutcome } from "./types.ts";

let folder = "";

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "latchkey-lock-")), "state");
});

afterEach(() => {
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

const options: AcquireOptions = {
  signal: new AbortController().signal,
  longestWorkSeconds: (phase) => (phase === "login" ? 300 : 30),
  waitForLogin: true,
  onWaiting: () => undefined,
};

const free: TakeResult = {
  state: "taken",
  hold: { keptByConnections: false, free: () => Promise.resolve() },
};
const held: TakeResult = { state: "held" };
const exhausted: TakeResult = { state: "exhausted", why: "EMFILE" };

/** A system that answers so, the last answer for ever; `reached` is what a look for the holder comes to. */
function answering(answers: readonly TakeResult[], reached: ReachResult): Endpoint {
  const left = [...answers];
  return {
    take: () => Promise.resolve((left.length > 1 ? left.shift() : left[0]) ?? held),
    reach: () => Promise.resolve(reached),
  };
}

/** Pauses of the wait, without the ticks by which it counts its running time. */
function recordPauses(): { clock: Clock; pauses: number[] } {
  const pauses: number[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep(milliseconds, sleepOptions) {
      if (milliseconds < 250) {
        pauses.push(milliseconds);
        return systemClock.sleep(0, sleepOptions);
      }
      return systemClock.sleep(milliseconds, sleepOptions);
    },
  };
  return { clock, pauses };
}

const obstacles: readonly [string, TakeResult, ReachResult, number, number][] = [
  ["a process without descriptors", exhausted, { state: "gone" }, 10, 30],
  ["a holder that has just gone", held, { state: "gone" }, 0, 5],
  ["a holder whose backlog is full", held, { state: "busy" }, 10, 30],
  ["a holder that tells nothing", held, { state: "silent" }, 50, 50],
];

describe("after meeting", () => {
  test.each(obstacles)(
    "%s it is tried again, a little later than others",
    async (_what, taken, reached, shortest, longest) => {
      for (const [byte, expected] of [
        [0, shortest],
        [255, shortest + (255 / 256) * (longest - shortest)],
      ] as const) {
        const { clock, pauses } = recordPauses();
        const lock = createProcessLock({
          folder,
          clock,
          randomBytes: (length) =>
            length === 1 ? Uint8Array.of(byte) : new Uint8Array(randomBytes(length)),
          endpoint: answering([taken, taken, free], reached),
        });
        expect((await lock.acquire("key", options)).held).toBe(true);
        expect(pauses).toEqual([expected, expected]);
      }
    },
  );

  test.each(obstacles.slice(0, 3))(
    "%s for 10 seconds it is given up",
    async (_what, taken, reached) => {
      const lock = createProcessLock({
        folder,
        clock: createFastClock(100),
        randomBytes,
        endpoint: answering([taken], reached),
      });
      await expect(lock.acquire("key", options)).rejects.toMatchObject({
        code: "cache_locked",
        retryable: true,
        message: expect.stringContaining("10 seconds"),
      });
    },
  );

  test.each([
    [true, 305],
    [false, 35],
  ])(
    "one that tells nothing it is given up when its work must be over (waitForLogin %s)",
    async (waitForLogin, seconds) => {
      const lock = createProcessLock({
        folder,
        clock: createFastClock(1000),
        randomBytes,
        endpoint: answering([held], { state: "silent" }),
      });
      await expect(lock.acquire("key", { ...options, waitForLogin })).rejects.toMatchObject({
        code: "cache_locked",
        message: expect.stringContaining(`${seconds} seconds`),
      });
    },
  );
});

test("after a holder that ended without an outcome the caller reads again a little later than others", async () => {
  const { clock, pauses } = recordPauses();
  const bytes = (length: number): Uint8Array =>
    length === 1 ? Uint8Array.of(255) : new Uint8Array(randomBytes(length));
  const lock = createProcessLock({ folder, clock, randomBytes: bytes });
  const lease = await lock.acquire("key", options);
  if (!lease.held) throw new Error("it is held");
  const ended = new Promise<Lease | SharedOutcome>((resolve, reject) => {
    lock
      .acquire("key", { ...options, onWaiting: () => void lease.abandon() })
      .then(resolve, reject);
  });
  expect(await ended).toEqual({ held: false, outcome: null });
  expect(pauses.filter((milliseconds) => milliseconds !== 0)).toContain((255 / 256) * 20);
});

test("no obstacle keeps a wait from its abort", async () => {
  for (const [, taken, reached] of obstacles) {
    const abort = new AbortController();
    const lock = createProcessLock({
      folder,
      clock: systemClock,
      randomBytes,
      endpoint: answering([taken], reached),
    });
    const waiting = lock.acquire("key", { ...options, signal: abort.signal });
    const reason = new Error("stop");
    setImmediate(() => abort.abort(reason));
    await expect(waiting).rejects.toBe(reason);
  }
});
