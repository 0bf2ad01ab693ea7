// How seldom an issuer is asked for its keys, whoever wants them.
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { keySetCoolDownSeconds, keySetLifetimeSeconds } from "../core/limits.ts";
import { KeySet, type FetchedKeySet } from "./key-source.ts";

function documentOf(...kids: readonly string[]): FetchedKeySet["document"] {
  const keys = kids.map((kid) => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { ...publicKey.export({ format: "jwk" }), kid };
  });
  return { keys };
}

/** An issuer that answers when it is told to, and what is kept of its answers. */
function setUp({ acceptsOld = false } = {}) {
  const clock = createManualClock();
  const pending: { answer(fetched: FetchedKeySet): void; fail(error: Error): void }[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  let kept: FetchedKeySet | undefined;
  const keySet = new KeySet({
    clock,
    acceptsOld,
    cache: {
      read: () => kept,
      write: async (fetched) => void (kept = fetched),
    },
    fetch: (signal) =>
      new Promise((resolve, reject) => {
        signals.push(signal);
        pending.push({ answer: resolve, fail: reject });
        signal?.addEventListener("abort", () => reject(new Error("aborted")));
      }),
  });
  const kidsOf = async (keys: ReturnType<KeySet["current"]>) => (await keys).map(({ kid }) => kid);
  const expiresAt = () => clock.now() / 1000 + keySetLifetimeSeconds;
  return {
    clock,
    keySet,
    signals,
    /** Answers the oldest request that waits. */
    answer: (...kids: readonly string[]) => {
      pending.shift()?.answer({ document: documentOf(...kids), expiresAt: expiresAt() });
    },
    fail: () => pending.shift()?.fail(new Error("no network")),
    requests: () => signals.length,
    kidsOf,
  };
}

test("a thousand who need keys make one request, and those after them none", async () => {
  const { keySet, answer, requests, kidsOf } = setUp();
  const all = Array.from({ length: 1000 }, () => kidsOf(keySet.current()));
  await new Promise(setImmediate);
  answer("a");
  expect(new Set((await Promise.all(all)).flat())).toEqual(new Set(["a"]));
  expect(await kidsOf(keySet.current())).toEqual(["a"]);
  expect(requests()).toBe(1);
});

test("any number of unknown keys makes one request, then none for a while", async () => {
  const { clock, keySet, answer, requests, kidsOf } = setUp();
  const first = keySet.current();
  await new Promise(setImmediate);
  answer("a");
  await first;
  // Right after the first request: the issuer may have changed its keys in between.
  const flood = Array.from({ length: 1000 }, () => kidsOf(keySet.fetchAgain()));
  answer("a", "b");
  expect(new Set((await Promise.all(flood)).map(String))).toEqual(new Set(["a,b"]));
  expect(requests()).toBe(2);
  for (let round = 0; round < 1000; round += 1) {
    expect(await kidsOf(keySet.fetchAgain())).toEqual(["a", "b"]);
  }
  await clock.advance(keySetCoolDownSeconds * 1000 - 1);
  expect(await kidsOf(keySet.fetchAgain())).toEqual(["a", "b"]);
  expect(requests()).toBe(2);
  await clock.advance(1);
  const again = kidsOf(keySet.fetchAgain());
  answer("c");
  expect(await again).toEqual(["c"]);
  expect(requests()).toBe(3);
});

test("a request that fails rests too, and the keys at hand go on serving", async () => {
  const { keySet, answer, fail, requests, kidsOf } = setUp();
  const first = keySet.current();
  await new Promise(setImmediate);
  answer("a");
  await first;
  const failing = keySet.fetchAgain();
  fail();
  await expect(failing).rejects.toThrow("no network");
  expect(await kidsOf(keySet.fetchAgain())).toEqual(["a"]);
  expect(await kidsOf(keySet.current())).toEqual(["a"]);
  expect(requests()).toBe(2);
});

test("whoever gives up ends nobody else's wait", async () => {
  const { keySet, answer, requests, kidsOf } = setUp();
  const impatient = new AbortController();
  const given = keySet.current(impatient.signal);
  const patient = kidsOf(keySet.current());
  await new Promise(setImmediate);
  expect(requests()).toBe(1);
  impatient.abort();
  await expect(given).rejects.toThrow("aborted");
  await new Promise(setImmediate);
  expect(requests()).toBe(2);
  answer("unheard");
  answer("a");
  expect(await patient).toEqual(["a"]);
});

test("keys past their lifetime serve only those who accept them", async () => {
  for (const acceptsOld of [false, true]) {
    const { clock, keySet, answer, requests, kidsOf } = setUp({ acceptsOld });
    const first = keySet.current();
    await new Promise(setImmediate);
    answer("a");
    await first;
    await clock.advance(keySetLifetimeSeconds * 1000);
    const later = kidsOf(keySet.current());
    await new Promise(setImmediate);
    answer("b");
    expect(await later).toEqual([acceptsOld ? "a" : "b"]);
    expect(requests()).toBe(acceptsOld ? 1 : 2);
  }
});

test("keys that were loaded ahead are used, and a failure ahead shows when they are needed", async () => {
  const ahead = setUp();
  ahead.keySet.prefetch();
  ahead.keySet.prefetch();
  ahead.answer("a");
  expect(await ahead.kidsOf(ahead.keySet.current())).toEqual(["a"]);
  expect(ahead.requests()).toBe(1);

  const failing = setUp();
  failing.keySet.prefetch();
  failing.fail();
  const needed = failing.keySet.current();
  await new Promise(setImmediate);
  failing.fail();
  await expect(needed).rejects.toThrow("no network");
  expect(failing.requests()).toBe(2);
});

test("the same document gives the same keys, with what was prepared of them", async () => {
  const { keySet, answer } = setUp();
  const first = keySet.current();
  await new Promise(setImmediate);
  answer("a");
  const [key] = await first;
  expect((await keySet.current())[0]).toBe(key);
});
