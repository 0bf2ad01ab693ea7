// Changes when the memory store promises something of its own.
import { expect, test } from "vitest";

import { waiting } from "../testing/lock-suite.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { testTokenStore } from "../testing/store-suite.ts";
import { createMemoryStore } from "./memory-store.ts";

testTokenStore({
  name: "memory store",
  test,
  open: () => {
    const store = createMemoryStore();
    return { store, sameStore: store, close: () => Promise.resolve() };
  },
});

test("two memory stores know nothing of each other", async () => {
  const [one, two] = [createMemoryStore(), createMemoryStore()];
  const key = exampleKey("one");
  await one.replace(key, undefined, exampleRecord("one", "a.1"));
  expect(await two.read(key)).toBeUndefined();
  const lease = await one.acquire(key, waiting());
  const other = await two.acquire(key, waiting());
  expect([lease.held, other.held]).toEqual([true, true]);
});

test("a caller that fails while it is told of the wait fails alone", async () => {
  const store = createMemoryStore();
  const key = exampleKey("one");
  const lease = await store.acquire(key, waiting());
  if (!lease.held) throw new Error("held");
  const fault = new Error("the caller's fault");
  const wait = store.acquire(
    key,
    waiting({
      onWaiting: ({ phase }) => {
        if (phase === "login") throw fault;
      },
    }),
  );
  lease.announce("login");
  await expect(wait).rejects.toBe(fault);
  await lease.finish({ kind: "done", version: "a.1" });
});
