// Nobody looks: no further windows. Somebody answers, or signs in on purpose: the count starts anew.

import { expect, test } from "vitest";
import { systemClock, type Clock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import {
  answer,
  Bench,
  deferred,
  failure,
  unwritable,
  type OpenStore,
  openStore,
} from "./testing.ts";

function shiftedClock(milliseconds: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + milliseconds };
}

async function prompted(
  store: OpenStore,
  outcome: OidcError,
  clock: Clock = systemClock,
): Promise<string> {
  const bench = new Bench({ signIn: () => Promise.reject(outcome) }, { store, clock });
  const error = await failure(bench.session.getToken());
  return error.reason ?? error.code;
}

const timeout = new OidcError("callback_timeout", "nobody came");

/** A sign-in that somebody refuses so long after it was shown. */
async function refusing(
  store: OpenStore,
  clock: ManualClock,
  milliseconds: number,
): Promise<string> {
  const signIn = async (): Promise<never> => {
    await clock.advance(milliseconds);
    throw new OidcError("access_denied", "no");
  };
  const error = await failure(new Bench({ signIn }, { store, clock }).session.getToken());
  return error.reason ?? error.code;
}

test("after three unanswered prompts within an hour no more are shown, whichever process asks [B10]", async () => {
  const store = openStore();
  for (let times = 0; times < 3; times += 1) {
    expect(await prompted(store, timeout)).toBe("callback_timeout");
  }
  const bench = new Bench({}, { store });
  const error = await failure(bench.session.getToken());
  expect([error.code, error.reason, error.message.includes("`login()`")]).toEqual([
    "login_required",
    "prompt_budget",
    true,
  ]);
  expect([bench.calls, bench.prompts]).toEqual([[], []]);
  // An hour later somebody may be there again.
  expect(await prompted(store, timeout, shiftedClock(3601_000))).toBe("callback_timeout");
});

test("a prompt is counted before it is shown, so that a process which dies with it is counted too", async () => {
  const store = openStore();
  const counts: unknown[] = [];
  const bench = new Bench(
    {
      signIn: async () => {
        counts.push((await store.read("key"))?.unansweredPrompts?.length);
        return answer();
      },
    },
    { store },
  );
  await bench.session.getToken();
  expect(counts).toEqual([1]);
  expect(await store.read("key")).not.toHaveProperty("unansweredPrompts");
});

test("a sign-in that ends before anything was shown is not counted", async () => {
  const store = openStore();
  const unreachable = new OidcError("network", "x", { reason: "refused" });
  const bench = new Bench({}, { store });
  for (let times = 0; times < 4; times += 1) {
    const early = new Bench({ beforeShown: () => Promise.reject(unreachable) }, { store });
    expect((await failure(early.session.getToken())).code).toBe("network");
  }
  expect((await bench.session.getToken()).source).toBe("login");
});

test("a person who refuses was there, and the count starts anew [F-S10]", async () => {
  const store = openStore();
  const clock = createManualClock(Date.now());
  const after = (milliseconds: number): Promise<string> => refusing(store, clock, milliseconds);
  for (let times = 0; times < 4; times += 1) expect(await after(2000)).toBe("access_denied");
  // A page that answers by itself is faster than anybody reads.
  for (let times = 0; times < 3; times += 1) expect(await after(1999)).toBe("access_denied");
  expect(await after(2000)).toBe("prompt_budget");
});

test.each([
  "aborted",
  "device_code_expired",
  "state_mismatch",
  "network",
  "access_denied",
  "authorization_failed",
  "callback_invalid",
  "token_request_failed",
] as const)("what comes back by itself stays counted: %s [F-S10]", async (code) => {
  const store = openStore();
  for (let times = 0; times < 3; times += 1) {
    expect(await prompted(store, new OidcError(code, "x"))).toBe(code);
  }
  expect(await prompted(store, timeout)).toBe("prompt_budget");
});

test("a sign-in on purpose is always shown, is not counted, and starts the count anew", async () => {
  const store = openStore();
  for (let times = 0; times < 3; times += 1) await prompted(store, timeout);
  const onPurpose = new Bench({ signIn: () => Promise.reject(timeout) }, { store });
  expect((await failure(onPurpose.session.login())).code).toBe("callback_timeout");
  expect(await prompted(store, timeout)).toBe("callback_timeout");
});

test("a first sign-in on purpose can be seen while it lasts, and leaves nothing behind where it fails", async () => {
  const store = openStore();
  const release = deferred<never>();
  const bench = new Bench({ signIn: () => release.promise }, { store });
  const failed = failure(bench.session.login());
  while ((await store.list()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await store.list()).toMatchObject([{ key: "key", accessToken: null, signedInAt: 0 }]);
  expect(await store.holder?.("key")).toMatchObject({ phase: "login" });
  release.reject(timeout);
  expect((await failed).code).toBe("callback_timeout");
  expect(await store.list()).toEqual([]);
});

test("a count is no sign-in: nothing is cached, and nothing is forgotten by a logout", async () => {
  const store = openStore();
  await prompted(store, timeout);
  const bench = new Bench({}, { store });
  expect(await bench.session.current()).toBeUndefined();
  expect(await bench.session.logout()).toEqual({ forgotten: 0, revoked: "no" });
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect(error.reason).toBe("no_token");
});

test("a count that cannot be written costs one warning, not the sign-in [C09]", async () => {
  const store = unwritable();
  const bench = new Bench({}, { store });
  expect((await bench.session.getToken()).source).toBe("login");
  const warnings = bench.prompts.filter(({ type }) => type === "warning");
  expect(warnings).toMatchObject([{ code: "cache_write_failed" }]);
  const unanswered = new Bench({ signIn: () => Promise.reject(timeout) }, { store: unwritable() });
  await failure(unanswered.session.getToken());
  expect(unanswered.prompts).toContainEqual(
    expect.objectContaining({ type: "warning", code: "cache_write_failed" }),
  );
});

test("where the count cannot be written, a program that asks again and again still stops [B10]", async () => {
  let outcome: OidcError | undefined = timeout;
  const store = unwritable();
  const { refreshToken: _none, ...bare } = answer({ expiresAt: 1 });
  const bench = new Bench(
    {
      signIn: () => (outcome === undefined ? Promise.resolve(bare) : Promise.reject(outcome)),
    },
    { store },
  );
  const ask = async (): Promise<string> => {
    const error = await failure(bench.session.getToken());
    return error.reason ?? error.code;
  };
  const timedOut = ["callback_timeout", "callback_timeout", "callback_timeout"];
  expect([await ask(), await ask(), await ask()]).toEqual(timedOut);
  expect(await ask()).toBe("prompt_budget");
  // A sign-in on purpose starts the count anew, and so does an answer.
  expect((await failure(bench.session.login())).code).toBe("callback_timeout");
  expect([await ask(), await ask()]).toEqual(timedOut.slice(1));
  outcome = undefined;
  expect((await bench.session.getToken()).source).toBe("login");
  outcome = timeout;
  expect([await ask(), await ask(), await ask()]).toEqual(timedOut);
  expect(await ask()).toBe("prompt_budget");
});

test("a record that only counted goes with the answer", async () => {
  const store = openStore();
  await prompted(store, timeout);
  expect(await store.list()).toHaveLength(1);
  expect(await refusing(store, createManualClock(Date.now()), 2000)).toBe("access_denied");
  expect(await store.list()).toEqual([]);
});

test("times ahead of the clock do not lock a person out", async () => {
  const store = openStore();
  for (let times = 0; times < 3; times += 1) {
    await prompted(store, timeout, shiftedClock(30 * 24 * 3600_000));
  }
  expect(await prompted(store, timeout)).toBe("callback_timeout");
});

test("the last prompt of the hour is shown by one of two hosts that ask at once", async () => {
  const store = openStore();
  await prompted(store, timeout);
  await prompted(store, timeout);
  const bench: Bench = new Bench(
    {
      // While this one finds its provider, the other's prompt is counted.
      beforeShown: async () => {
        const record = await store.read("key");
        if (record === undefined) throw new Error("nothing was counted");
        const version = `${record.version}9`;
        const unansweredPrompts = [...(record.unansweredPrompts ?? []), Date.now()];
        await store.replace("key", record.version, { ...record, version, unansweredPrompts });
      },
      signIn: () => Promise.reject(new Error("shown")),
    },
    { store },
  );
  expect((await failure(bench.session.getToken())).reason).toBe("prompt_budget");
});
