// The work ends with the lock: a store whose locks last only for some time may give it to somebody else.
import { expect, test } from "vitest";

import { Bench, expired, failure, storeWith, tokensOf } from "./testing.ts";

test("a refresh whose lock is lost is given up, writes no tokens, and says why", async () => {
  const inner = await storeWith(expired());
  const lost = new AbortController();
  const store = {
    ...inner,
    acquire: async (...parameters: Parameters<typeof inner.acquire>) => {
      const lease = await inner.acquire(...parameters);
      return lease.held ? { ...lease, signal: lost.signal } : lease;
    },
  };
  const before = tokensOf(await store.read("key"));
  const bench = new Bench(
    {
      refresh: (_record, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          lost.abort(new Error("the lease ran out"));
        }),
    },
    { store },
  );
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["store_unavailable", "lock_lost"]);
  const record = await store.read("key");
  expect(tokensOf(record)).toEqual(before);
  // Whoever is next finds out what became of the request.
  expect(record).toHaveProperty("intent");
});
