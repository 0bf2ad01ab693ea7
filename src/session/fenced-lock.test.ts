// A lock that others may take after some time: what its holder does too late changes nothing, and is not sent.
import { expect, test } from "vitest";

import { OidcError } from "../core/errors.ts";
import { expireIfOverdue } from "../core/timed-signal.ts";
import type { SessionRecord } from "../record/format.ts";
import { answer, Bench, deferred, expired, failure, storeWith, type OpenStore } from "./testing.ts";

/** A store whose leases have numbers, and which refuses what a former holder writes. */
function fenced(inner: OpenStore): OpenStore & {
  readonly written: (number | undefined)[];
  /** The number of the next lease. */
  fence: number;
  /** That of the last write. */
  last: number;
  overdue: boolean;
} {
  const store = {
    ...inner,
    written: [] as (number | undefined)[],
    fence: 1,
    last: 0,
    overdue: false,
    replace: async (
      key: string,
      expected: string | undefined,
      next: SessionRecord | undefined,
      fence?: number,
    ) => {
      store.written.push(fence);
      if (fence !== undefined && fence < store.last) {
        return { replaced: false, current: await inner.read(key), fenced: true } as const;
      }
      store.last = fence ?? store.last;
      return inner.replace(key, expected, next);
    },
    acquire: async (...parameters: Parameters<OpenStore["acquire"]>) => {
      const lease = await inner.acquire(...parameters);
      if (!lease.held) return lease;
      const lost = new AbortController();
      const look = (): void => {
        if (!store.overdue) return;
        store.overdue = false;
        lost.abort(new OidcError("store_unavailable", "Too late.", { reason: "lock_overdue" }));
      };
      return { ...lease, fence: store.fence, signal: lost.signal, expireIfOverdue: look };
    },
  };
  return store;
}

test("the answer carries the lease's number, the intent before it does not", async () => {
  const store = fenced(await storeWith(expired()));
  store.fence = 7;
  const bench = new Bench({}, { store });
  await bench.session.getToken({ interactive: false });
  expect(store.written).toEqual([undefined, 7]);
});

test("an answer that ends after a later holder announced its own request finds its place", async () => {
  const store = fenced(await storeWith(expired()));
  const begun = deferred<void>();
  const answered = deferred<ReturnType<typeof answer>>();
  const first = new Bench(
    {
      refresh: () => {
        begun.resolve();
        return answered.promise;
      },
    },
    { store },
  );
  const late = first.session.getToken({ interactive: false });
  await begun.promise;
  const found = await store.read("key");
  if (found === undefined) throw new Error("nothing is stored");
  const intent = { nonce: "of the later one", host: "elsewhere", at: Date.now() };
  // As the later holder announces its own: without its number.
  await store.replace("key", found.version, { ...found, intent, version: `${found.version}1` });
  const own = answer();
  answered.resolve(own);
  expect((await late).token).toBe(own.accessToken);
  expect(await store.read("key")).toMatchObject({ refreshToken: own.refreshToken });
  expect(await store.read("key")).not.toHaveProperty("intent");
});

test("a sign-in that ends after a later holder's leaves that one in its place", async () => {
  const store = fenced(await storeWith(answer()));
  const begun = deferred<void>();
  const answered = deferred<ReturnType<typeof answer>>();
  const bench = new Bench(
    {
      signIn: () => {
        begun.resolve();
        return answered.promise;
      },
    },
    { store, signedInSince: Date.now() + 1000 },
  );
  const late = bench.session.getToken();
  await begun.promise;
  const found = await store.read("key");
  if (found === undefined) throw new Error("nothing is stored");
  const newer = { ...found, version: "later.1", refreshToken: "of the later one" };
  await store.replace("key", found.version, newer, 2);
  const own = answer();
  answered.resolve(own);
  // The tokens are good: who asked for them gets them.
  expect((await late).token).toBe(own.accessToken);
  expect(await store.read("key")).toEqual(newer);
  expect(bench.prompts.filter(({ type }) => type === "warning")).toEqual([]);
});

test("without an intent that everybody can see nothing is sent", async () => {
  const inner = fenced(await storeWith(expired()));
  const store = {
    ...inner,
    replace: () =>
      Promise.reject(new OidcError("store_unavailable", "Gone.", { reason: "unreachable" })),
  };
  const bench = new Bench({}, { store });
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["store_unavailable", "unreachable"]);
  expect(bench.calls).toEqual([]);
});

test("a refresh whose time was over before it was sent is begun anew, and leaves no intent", async () => {
  const store = fenced(await storeWith(expired()));
  store.overdue = true;
  const intents: unknown[] = [];
  const bench = new Bench(
    {
      refresh: async (record, signal) => {
        intents.push(record.intent?.nonce);
        // As right before a request is sent.
        expireIfOverdue(signal);
        signal.throwIfAborted();
        return answer();
      },
    },
    { store },
  );
  const { source } = await bench.session.getToken({ interactive: false });
  expect(source).toBe("refresh");
  expect(intents).toHaveLength(2);
  expect(intents[0]).not.toBe(intents[1]);
  expect(await store.read("key")).not.toHaveProperty("intent");
});

test("while the store does not answer, the token in memory is given for as long as it is good", async () => {
  const inner = await storeWith(answer());
  let now = Date.now();
  let isDown = false;
  const store = {
    ...inner,
    read: (key: string) =>
      isDown
        ? Promise.reject(new OidcError("store_unavailable", "Gone.", { reason: "unreachable" }))
        : inner.read(key),
  };
  const clock = {
    now: () => now,
    monotonic: () => now,
    sleep: () => Promise.resolve(),
  };
  const bench = new Bench({}, { store, clock });
  const { token } = await bench.session.getToken();
  isDown = true;
  // Long after the moment for which it is given without a look; less than a minute before its end.
  now += 3_570_000;
  expect((await bench.session.getToken()).token).toBe(token);
  expect((await failure(bench.session.getToken({ forceRefresh: true }))).reason).toBe(
    "unreachable",
  );
  now += 31_000;
  expect((await failure(bench.session.getToken())).reason).toBe("unreachable");
});
