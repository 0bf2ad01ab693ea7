// The suites of stores and locks, on stores that break one promise each: a suite that finds nothing is worth nothing.

import { expect, test } from "vitest";
import { isOidcError, type OidcErrorCode } from "../core/errors.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { TokenStore } from "../store/token-store.ts";
import { testFlightLock } from "./lock-suite.ts";
import { testTokenStore } from "./store-suite.ts";

/** The titles of the tests that a store fails, of all or of one. */
async function failedBy(make: () => TokenStore, only?: string): Promise<readonly string[]> {
  const tests: [title: string, run: () => Promise<void>][] = [];
  testTokenStore({
    name: "it",
    test: (title, run) => tests.push([title, run]),
    open: () => {
      const store = make();
      return { store, sameStore: store, close: () => Promise.resolve() };
    },
  });
  const chosen = tests.filter(([title]) => only === undefined || title === `it: ${only}`);
  expect(chosen.length).toBeGreaterThanOrEqual(only === undefined ? 18 : 1);
  const failed: string[] = [];
  for (const [title, run] of chosen) {
    expect(run).toHaveLength(0);
    await run().catch(() => failed.push(title.replace("it: ", "")));
  }
  return failed;
}

const memory = (): TokenStore => ({ ...createMemoryStore() });

/** A store whose lock is held by whoever asks. */
function withoutLock(): TokenStore {
  const lease = {
    held: true,
    acrossProcesses: true,
    announce: () => undefined,
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  } as const;
  return { ...memory(), acquire: () => Promise.resolve(lease) };
}

/** A store that tells its waiters to try again where a wait ends with this error. */
function forgiving(code: OidcErrorCode): TokenStore {
  const inner = memory();
  return {
    ...inner,
    acquire: (key, options) =>
      inner.acquire(key, options).catch((error: unknown) => {
        if (!isOidcError(error) || error.code !== code) throw error;
        return { held: false as const, outcome: null };
      }),
  };
}

const faulty: Readonly<Record<string, () => TokenStore>> = {
  "records are absent until they are written, then the same for everybody": () => ({
    ...memory(),
    read: () => Promise.resolve(undefined),
  }),
  "records are replaced only in the expected version": () => {
    const inner = memory();
    return {
      ...inner,
      replace: async (key, _expected, next) =>
        inner.replace(key, (await inner.read(key))?.version, next),
    };
  },
  "records are deleted only in the expected version, and are gone then [C13]": () => {
    const inner = memory();
    return {
      ...inner,
      replace: (key, expected, next) =>
        next === undefined
          ? Promise.resolve({ replaced: true })
          : inner.replace(key, expected, next),
    };
  },
  "deleting a record that is absent is done already": () => {
    const inner = memory();
    return {
      ...inner,
      replace: async (key, expected, next) =>
        next === undefined && (await inner.read(key)) === undefined
          ? { replaced: false, current: undefined }
          : inner.replace(key, expected, next),
    };
  },
  "records of several keys stand beside each other, and are listed": () => ({
    ...memory(),
    list: () => Promise.resolve([]),
  }),
  "records do not change when what was given or gotten is changed": () => {
    const inner = memory();
    const kept = new Map<string, Awaited<ReturnType<TokenStore["read"]>>>();
    return {
      ...inner,
      read: async (key) => {
        const now = await inner.read(key);
        const before = kept.get(key);
        if (before?.version === now?.version) return before;
        kept.set(key, now);
        return now;
      },
    };
  },
  "of many writers of one key at once one wins, and the others get its record": () => {
    const inner = memory();
    const seen = new Map<string, string>();
    return {
      ...inner,
      // Looks first, and writes a moment later.
      replace: async (key, expected, next) => {
        const current = await inner.read(key);
        if (current?.version !== expected) return { replaced: false, current };
        await new Promise((resolve) => setImmediate(resolve));
        seen.set(key, next?.version ?? "");
        return inner.replace(key, (await inner.read(key))?.version, next);
      },
    };
  },
  "the lock is held by one, for one key": withoutLock,
  "the lock shares a failure with everybody who waits [R15]": () => {
    const inner = memory();
    return {
      ...inner,
      acquire: async (key, options) => {
        const taken = await inner.acquire(key, options);
        return taken.held ? taken : { held: false, outcome: null };
      },
    };
  },
  "the lock does not keep somebody waiting for a sign-in who may not wait for one [R13]": () =>
    forgiving("interaction_pending"),
  "the lock is waited for until the caller aborts, whose reason comes back; the others go on [R15]":
    () => {
      const inner = memory();
      return {
        ...inner,
        acquire: (key, options) =>
          inner.acquire(key, options).catch((error: unknown) => {
            throw options.signal.aborted ? new Error("another reason") : error;
          }),
      };
    },
  "the lock tells who asks, without waiting, who holds it, what for and since when": () => ({
    ...memory(),
    holder: () => Promise.resolve(undefined),
  }),
  "the lock is not waited for longer than the holder's work can take [R05]": () =>
    forgiving("cache_locked"),
  "the lock is taken without anything being stored": () => {
    const inner = memory();
    return { ...inner, list: () => Promise.resolve([{ key: "lock", version: "1" }]) };
  },
};

test.each(Object.entries(faulty))(
  "a store fails where it breaks a promise: %s",
  async (title, make) => {
    expect(await failedBy(make, title)).toEqual([title]);
  },
);

test("a store that keeps its promises passes, also where its lock cannot be asked", async () => {
  expect(await failedBy(memory)).toEqual([]);
  const silent = (): TokenStore => {
    const store = memory();
    delete store.holder;
    return store;
  };
  expect(await failedBy(silent)).toEqual([]);
});

const nothing = (): void => undefined;

test.each([
  [{ name: "", test: nothing, open: nothing }, "`name`"],
  [{ name: "x", open: nothing }, "`test`"],
  [{ name: "x", test: nothing }, "`open`"],
  [{ name: "x", test: nothing, open: nothing, opens: 1 }, "`opens`"],
])("what a suite takes is checked: %o", (options, word) => {
  const declare = (): void => testFlightLock(options as never);
  expect(declare).toThrow(word);
});
