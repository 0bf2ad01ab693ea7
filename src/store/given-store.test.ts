// Changes when what a failing store of the caller's own does to a call does.

import { expect, test } from "vitest";
import { isOidcError, OidcError } from "../core/errors.ts";
import { waiting } from "../testing/lock-suite.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { testTokenStore } from "../testing/store-suite.ts";
import { givenStore } from "./given-store.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { Lease, TokenStore } from "./token-store.ts";

testTokenStore({
  name: "a caller's own store",
  test,
  open: () => {
    const store = givenStore(createMemoryStore());
    return { store, sameStore: store, close: () => Promise.resolve() };
  },
});

const key = exampleKey("one");

/** A store of which every part throws, at once or later. */
function failing(fault: unknown, how: "at once" | "later"): TokenStore {
  const fail = (): Promise<never> => {
    if (how === "at once") throw fault;
    return Promise.reject(fault);
  };
  const parts = { read: fail, replace: fail, acquire: fail, holder: fail, tidy: fail, list: fail };
  return { level: "caller-key", location: "db\u001b[2J.example.com", ...parts };
}

async function heldBy(fault: unknown): Promise<Lease> {
  const inner = createMemoryStore();
  const fail = (): never => {
    throw fault;
  };
  const parts = { announce: fail, finish: fail, abandon: fail };
  const store: TokenStore = {
    ...inner,
    acquire: () => Promise.resolve({ held: true, acrossProcesses: true, ...parts }),
  };
  const lease = await givenStore(store).acquire(key, waiting());
  if (!lease.held) throw new Error("it is held");
  return lease;
}

async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

const calls: Readonly<Record<string, (store: TokenStore) => unknown>> = {
  read: (store) => store.read(key),
  replace: (store) => store.replace(key, undefined, exampleRecord("one", "a.1")),
  acquire: (store) => store.acquire(key, waiting()),
  holder: (store) => store.holder?.(key),
  tidy: (store) => store.tidy?.(key),
  list: (store) => store.list(),
};

const uses: Readonly<Record<string, (lease: Lease) => unknown>> = {
  announce: (lease) => lease.announce("login"),
  finish: (lease) => lease.finish({ kind: "done", version: "a.1" }),
  abandon: (lease) => lease.abandon(),
};

test.each(Object.keys(calls))(
  "%s: what it throws is store_unavailable with its cause",
  async (name) => {
    const fault = new TypeError("connection to the database lost");
    for (const how of ["at once", "later"] as const) {
      const error = await thrownBy(() => calls[name]?.(givenStore(failing(fault, how))));
      if (!isOidcError(error)) throw new Error("no OidcError", { cause: error });
      expect([error.code, error.retryable, error.cause]).toEqual([
        "store_unavailable",
        false,
        fault,
      ]);
      expect(error.message).toContain("(db [2J.example.com)");
    }
  },
);

test.each(Object.keys(uses))("a lease's %s: the same", async (name) => {
  const fault = new TypeError("connection to the database lost");
  const lease = await heldBy(fault);
  const error = await thrownBy(() => uses[name]?.(lease));
  expect(error).toMatchObject({ code: "store_unavailable", cause: fault });
});

test("its own OidcErrors and the caller's reason to abort come back as they are", async () => {
  const own = new OidcError("cache_write_failed", "No space left.");
  for (const call of Object.values(calls)) {
    expect(await thrownBy(() => call(givenStore(failing(own, "later"))))).toBe(own);
  }
  const lease = await heldBy(own);
  for (const use of Object.values(uses)) expect(await thrownBy(() => use(lease))).toBe(own);
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const aborted = givenStore(failing(reason, "later")).acquire(key, waiting({ signal }));
  await expect(aborted).rejects.toBe(reason);
});

test("a store that cannot say who holds a lock, nor tidy up, still cannot", async () => {
  const bare: TokenStore = { ...createMemoryStore() };
  delete bare.holder;
  delete bare.tidy;
  const store = givenStore(bare);
  expect([await store.holder?.(key), await store.tidy?.(key)]).toEqual([undefined, undefined]);
});
