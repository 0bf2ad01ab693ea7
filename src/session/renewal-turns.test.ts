// One process with very many sign-ins: a lock lasts some seconds, so that only as many are taken as can be used.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { RenewalTurns } from "./renewal-turns.ts";
import { answer, Bench, deferred, expired, type OpenStore, storeWith } from "./testing.ts";

/** The locks that are held now, and at most. */
class Locks {
  held = 0;
  most = 0;

  /** A store whose locks are counted. */
  counted(store: OpenStore): OpenStore {
    return {
      ...store,
      acquire: async (...parameters: Parameters<OpenStore["acquire"]>) => {
        const lease = await store.acquire(...parameters);
        if (!lease.held) return lease;
        this.held += 1;
        this.most = Math.max(this.most, this.held);
        const over = <Result>(end: () => Promise<Result>): Promise<Result> => {
          this.held -= 1;
          return end();
        };
        return {
          ...lease,
          finish: (outcome) => over(() => lease.finish(outcome)),
          abandon: () => over(() => lease.abandon()),
        };
      },
    };
  }
}

/** Everything that can go on has gone on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

const quietly = { interactive: false };

test("so many renewals are under way at once, each with its lock, and a failure keeps nobody", async () => {
  const turns = new RenewalTurns(2);
  const locks = new Locks();
  const requests: ReturnType<typeof deferred<ReturnType<typeof answer>>>[] = [];
  const benches = await Promise.all(
    Array.from({ length: 7 }, async () => {
      const store = locks.counted(await storeWith(expired()));
      const refresh = () => {
        const request = deferred<ReturnType<typeof answer>>();
        requests.push(request);
        return request.promise;
      };
      return new Bench({ refresh }, { store, turns });
    }),
  );
  const all = Promise.allSettled(benches.map(({ session }) => session.getToken(quietly)));
  for (let renewed = 0; renewed < 7; renewed += 1) {
    await settle();
    expect([requests.length, locks.held]).toEqual([
      Math.min(renewed + 2, 7),
      Math.min(2, 7 - renewed),
    ]);
    // The second one fails, which gives its turn on, too.
    if (renewed === 1) requests[renewed]?.reject(new Error("a fault"));
    else requests[renewed]?.resolve(answer());
  }
  const ended = await all;
  expect(ended.map(({ status }) => status)).toEqual(
    [0, 1, 2, 3, 4, 5, 6].map((index) => (index === 1 ? "rejected" : "fulfilled")),
  );
  expect([locks.most, locks.held]).toEqual([2, 0]);
});

test("who waits for another process, or for a person, keeps nobody from renewing", async () => {
  const elsewhere = deferred<ReturnType<typeof answer>>();
  const shared = await storeWith(expired());
  const holder = new Bench({ refresh: () => elsewhere.promise }, { store: shared });
  const theirs = holder.session.getToken(quietly);
  await settle();

  const turns = new RenewalTurns(1);
  const waiter = new Bench({}, { store: shared, turns });
  const waiting = waiter.session.getToken(quietly);
  const person = deferred<ReturnType<typeof answer>>();
  const signIn = async (): Promise<ReturnType<typeof answer>> => person.promise;
  const signingIn = new Bench({ signIn }, { turns }).session.getToken();
  await settle();
  expect(waiter.prompts).toContainEqual(expect.objectContaining({ type: "waitingForOther" }));

  const other = new Bench({}, { store: await storeWith(expired()), turns });
  expect(await other.session.getToken(quietly)).toHaveProperty("token");

  elsewhere.resolve(answer());
  person.resolve(answer());
  expect((await waiting).token).toBe((await theirs).token);
  expect(await signingIn).toHaveProperty("token");
});

test("a call that is given up while it waits for its turn takes no lock, and others have their turn", async () => {
  const turns = new RenewalTurns(1);
  const locks = new Locks();
  const request = deferred<ReturnType<typeof answer>>();
  const first = new Bench(
    { refresh: () => request.promise },
    { store: locks.counted(await storeWith(expired())), turns },
  );
  const renewing = first.session.getToken(quietly);
  await settle();
  const given = new AbortController();
  const second = new Bench({}, { store: locks.counted(await storeWith(expired())), turns });
  const waiting = second.session.getToken({ ...quietly, signal: given.signal });
  const third = new Bench({}, { store: locks.counted(await storeWith(expired())), turns });
  const last = third.session.getToken(quietly);
  await settle();
  given.abort(new Error("enough"));
  await expect(waiting).rejects.toMatchObject({ code: "aborted" });
  request.resolve(answer());
  expect([await renewing, await last]).toEqual([
    expect.objectContaining({ source: "refresh" }),
    expect.objectContaining({ source: "refresh" }),
  ]);
  expect([second.calls, locks.most]).toEqual([[], 1]);
});

test("a provider that does not answer keeps nobody from another", async () => {
  const turns = new RenewalTurns(1);
  const signal = new AbortController().signal;
  await turns.of("https://one.example.com").hold(signal);
  let isHeld = false;
  const other = turns.of("https://other.example.com");
  await other.hold(signal).then(() => (isHeld = true));
  expect(isHeld).toBe(true);
});
