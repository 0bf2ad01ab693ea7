// The token of the last moment: given at once, and never for longer than it may be.
import { expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { answer, Bench, openStore, type OpenStore } from "./testing.ts";

interface Moment {
  readonly bench: Bench;
  /** How often the store was read. */
  readonly reads: () => number;
  readonly move: (milliseconds: number) => void;
}

async function signedIn(lifetimeSeconds = 3600): Promise<Moment> {
  let moved = 0;
  let reads = 0;
  const inner = openStore();
  const store: OpenStore = {
    ...inner,
    read: (key) => {
      reads += 1;
      return inner.read(key);
    },
  };
  const now = Math.floor(Date.now() / 1000);
  const bench = new Bench(
    { signIn: () => Promise.resolve(answer({ issuedAt: now, expiresAt: now + lifetimeSeconds })) },
    { store, clock: { ...systemClock, now: () => now * 1000 + moved } },
  );
  await bench.session.getToken();
  await bench.session.getToken();
  return { bench, reads: () => reads, move: (milliseconds) => (moved += milliseconds) };
}

test("within a second it is the same answer, without a look at the store", async () => {
  const { bench, reads, move } = await signedIn();
  const before = reads();
  const first = bench.session.remembered(60);
  move(999);
  expect(bench.session.remembered(0)).toBe(first);
  expect((await first)?.source).toBe("cache");
  expect(reads()).toBe(before);
});

test("after a second the store is looked at, and a clock that was set forward changes nothing of that", async () => {
  const { bench, reads, move } = await signedIn();
  move(1000);
  expect(bench.session.remembered(60)).toBeUndefined();
  const before = reads();
  await bench.session.getToken();
  expect(reads()).toBe(before + 1);
  expect(bench.session.remembered(60)).toBeDefined();
});

test("a clock that was set back is noticed, and the store is looked at", async () => {
  const { bench, move } = await signedIn();
  move(500);
  expect(bench.session.remembered(60)).toBeDefined();
  move(-1);
  expect(bench.session.remembered(60)).toBeUndefined();
});

test("a token is never given for longer than it is good", async () => {
  const { bench, move } = await signedIn(3600);
  expect(bench.session.remembered(3600.1)).toBeDefined();
  expect(bench.session.remembered(3599.5)).toBeDefined();
  move(600);
  expect(bench.session.remembered(3599.5)).toBeUndefined();
  expect(bench.session.remembered(3599.3)).toBeDefined();
});

test("after a logout and after the end there is none", async () => {
  const { bench } = await signedIn();
  await bench.session.logout();
  expect(bench.session.remembered(60)).toBeUndefined();
  const other = await signedIn();
  await other.bench.session.close();
  expect(other.bench.session.remembered(60)).toBeUndefined();
});
