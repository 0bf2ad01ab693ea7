// When a token is renewed ahead, and what follows a failure: one watch, a clock that is moved by hand.

import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { Clock } from "../core/clock.ts";
import { OidcError, type OidcErrorCode, type Reason } from "../core/errors.ts";
import type { SessionRecord } from "../record/format.ts";
import { ProactiveRefreshTimer } from "./proactive-refresh-timer.ts";
import type { EndingToken } from "./proactive-refresh-timer.ts";
import { isTransient } from "./outcomes.ts";
import { deferred } from "./testing.ts";

interface Settings {
  lifetimeSeconds?: number;
  /** What the jitter is drawn from: 0 is none, 0xff nearly all. */
  randomByte?: number;
  renew?: (round: number, signal: AbortSignal) => Promise<SessionRecord>;
}

function recordOf(token: EndingToken): SessionRecord {
  return {
    key: "key",
    version: "v.1",
    issuer: "https://id.example.com",
    clientId: "cli",
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: token,
    refreshToken: "refresh",
    signedInAt: 1,
    renewedAt: 1,
  };
}

/** A watch over one token that was just issued. */
function desk(settings: Settings = {}) {
  const { lifetimeSeconds = 3600, randomByte = 0, renew } = settings;
  const manual = createManualClock();
  // What the wall clock was moved by: a laptop's sleep, or a person.
  const wall = { movedBy: 0 };
  const unrefs: (boolean | undefined)[] = [];
  const pauses: number[] = [];
  const clock: Clock = {
    now: () => manual.now() + wall.movedBy,
    monotonic: () => manual.monotonic(),
    sleep: (milliseconds, options) => {
      unrefs.push(options?.unref);
      pauses.push(milliseconds);
      return manual.sleep(milliseconds, options);
    },
  };
  const issuedAt = manual.now() / 1000;
  const token: EndingToken = {
    token: "first",
    tokenType: "Bearer",
    scopes: [],
    issuedAt,
    expiresAt: issuedAt + lifetimeSeconds,
  };
  const renewedAt: number[] = [];
  const shelf = { stored: recordOf(token) as SessionRecord | undefined, reads: 0 };
  const watch = new ProactiveRefreshTimer({
    clock,
    randomBytes: (length) => new Uint8Array(length).fill(randomByte),
    canRenew: () => true,
    isTransient,
    readStored: () => {
      shelf.reads += 1;
      return Promise.resolve(shelf.stored);
    },
    renew: (stored, signal) => {
      renewedAt.push(manual.monotonic() / 1000);
      if (renew !== undefined) return renew(renewedAt.length, signal);
      return Promise.resolve({ ...stored, accessToken: { ...token, token: "second" } });
    },
  });
  const pass = async (seconds: number): Promise<void> => {
    await settled();
    await manual.advance(seconds * 1000);
    await settled();
  };
  return { watch, token, manual, wall, unrefs, pauses, renewedAt, shelf, pass };
}

const network = (): Promise<never> => Promise.reject(new OidcError("network", "x"));
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test.each([
  { lifetimeSeconds: 4, latest: 4 / 3, earliest: 1.2 },
  { lifetimeSeconds: 60, latest: 20, earliest: 18 },
  { lifetimeSeconds: 100, latest: 26.667, earliest: 24 },
  { lifetimeSeconds: 300, latest: 210, earliest: 189 },
  { lifetimeSeconds: 3600, latest: 3000, earliest: 2700 },
  { lifetimeSeconds: 86_400, latest: 85_800, earliest: 85_500 },
])(
  "a token of $lifetimeSeconds s is renewed after $earliest to $latest s, before calls wait for it",
  async ({ lifetimeSeconds, latest, earliest }) => {
    const late = desk({ lifetimeSeconds });
    late.watch.note(late.token);
    await late.pass(lifetimeSeconds);
    expect(late.renewedAt).toEqual([expect.closeTo(latest, 1)]);
    const early = desk({ lifetimeSeconds, randomByte: 0xff });
    early.watch.note(early.token);
    await early.pass(lifetimeSeconds);
    expect(early.renewedAt).toEqual([expect.closeTo(earliest, 1)]);
  },
);

test("no timer keeps the process alive, and none is longer than 30 seconds", async () => {
  const at = desk({ renew: network });
  at.watch.note(at.token);
  await at.pass(3600);
  expect(new Set(at.unrefs)).toEqual(new Set([true]));
  expect(Math.max(...at.pauses)).toBe(30_000);
});

test("a laptop's sleep is noticed by the wall clock within 30 seconds of its resume", async () => {
  const at = desk();
  at.watch.note(at.token);
  await at.pass(60);
  at.wall.movedBy = 3500 * 1000;
  await at.pass(30);
  expect(at.renewedAt).toEqual([90]);
});

test("a wall clock that is set back delays nothing", async () => {
  const at = desk();
  at.watch.note(at.token);
  await at.pass(60);
  at.wall.movedBy = -24 * 3600 * 1000;
  await at.pass(2940);
  expect(at.renewedAt).toEqual([3000]);
});

test("a failure that passes is tried again with growing pauses, as long as the token lives", async () => {
  const at = desk({ renew: network });
  at.watch.note(at.token);
  await at.pass(3600 + 600);
  const [first = 0, ...later] = at.renewedAt;
  expect(first).toBe(3000);
  // Half of each pause is certain, half of it is drawn; here none of it.
  const between = later.map((time, index) => time - (at.renewedAt[index] ?? 0));
  expect(between.slice(0, 6)).toEqual([2.5, 5, 10, 20, 30, 30]);
  expect(at.renewedAt.at(-1)).toBeGreaterThan(3560);
  expect(at.renewedAt.at(-1)).toBeLessThanOrEqual(3600);
  expect(at.manual.sleeping).toBe(0);
});

test("the pauses of many processes differ by up to half", async () => {
  const at = desk({ renew: network, randomByte: 0xff });
  at.watch.note(at.token);
  await at.pass(2700 + 40);
  const [first = 0, second = 0, third = 0] = at.renewedAt;
  expect(second - first).toBeCloseTo(5, 1);
  expect(third - second).toBeCloseTo(10, 1);
});

test("after a resume that found the token ended, the network is given two minutes", async () => {
  const at = desk({ renew: network });
  at.watch.note(at.token);
  at.wall.movedBy = 8 * 3600 * 1000;
  await at.pass(600);
  expect(at.renewedAt[0]).toBe(30);
  expect(at.renewedAt.length).toBeGreaterThan(4);
  expect(at.renewedAt.at(-1)).toBeLessThanOrEqual(150);
  expect(at.manual.sleeping).toBe(0);
  const back = desk({
    renew: (round) =>
      round < 3 ? network() : Promise.resolve(recordOf({ ...at.token, token: "second" })),
  });
  back.watch.note(back.token);
  back.wall.movedBy = 8 * 3600 * 1000;
  await back.pass(600);
  expect(back.renewedAt).toEqual([30, 32.5, 37.5]);
});

test("a provider that says when to come back is asked no sooner [N07]", async () => {
  const renew = (): Promise<never> =>
    Promise.reject(new OidcError("rate_limited", "x", { retryAfterSeconds: 45 }));
  const at = desk({ renew });
  at.watch.note(at.token);
  await at.pass(3100);
  expect(at.renewedAt).toEqual([3000, 3045, 3090]);
});

test.each<[OidcErrorCode, Reason<OidcErrorCode> | undefined]>([
  ["tls", undefined],
  ["redirect_refused", undefined],
  ["token_request_failed", "no_error_member"],
])("%s, as from a captive portal, is tried again", async (code, reason) => {
  const at = desk({ renew: () => Promise.reject(new OidcError(code, "x", { reason })) });
  at.watch.note(at.token);
  await at.pass(3020);
  expect(at.renewedAt).toHaveLength(4);
});

test.each<[OidcErrorCode, Reason<OidcErrorCode> | undefined]>([
  ["login_required", "refresh_refused"],
  ["interaction_pending", undefined],
  ["token_request_failed", "invalid_client"],
  ["id_token_invalid", "id_token_aud"],
  ["cache_insecure", undefined],
])("%s (%s) ends it, and the same token does not begin it again", async (code, reason) => {
  const at = desk({ renew: () => Promise.reject(new OidcError(code, "x", { reason })) });
  at.watch.note(at.token);
  await at.pass(3300);
  at.watch.note(at.token);
  await at.pass(3600);
  expect(at.renewedAt).toEqual([3000]);
  expect(at.manual.sleeping).toBe(0);
});

test("a fault of our own ends it too, and is no unhandled rejection", async () => {
  const at = desk({ renew: () => Promise.reject(new TypeError("x")) });
  at.watch.note(at.token);
  await at.pass(3600);
  expect(at.renewedAt).toEqual([3000]);
});

test("a token that another process has renewed, or that is gone, costs no request", async () => {
  const renewed = desk();
  renewed.watch.note(renewed.token);
  renewed.shelf.stored = recordOf({ ...renewed.token, token: "of another process" });
  await renewed.pass(3600);
  const gone = desk();
  gone.watch.note(gone.token);
  gone.shelf.stored = undefined;
  await gone.pass(3600);
  expect([renewed.renewedAt, gone.renewedAt]).toEqual([[], []]);
  expect([renewed.shelf.reads, gone.shelf.reads]).toEqual([1, 1]);
  expect([renewed.manual.sleeping, gone.manual.sleeping]).toEqual([0, 0]);
});

test("a provider that gives the same token again is asked once a round, not by each process", async () => {
  const at = desk();
  at.watch.note(at.token);
  const issuedAt = at.token.issuedAt + 2800;
  at.shelf.stored = recordOf({ ...at.token, issuedAt });
  await at.pass(3100);
  expect(at.renewedAt).toEqual([]);
  await at.pass(500);
  expect(at.renewedAt).toEqual([3440]);
});

test("a record that changed for another reason is looked at once more", async () => {
  const at = desk({
    renew: (round) =>
      Promise.resolve(recordOf(round === 1 ? at.token : { ...at.token, token: "second" })),
  });
  at.watch.note(at.token);
  await at.pass(3600);
  expect(at.renewedAt).toEqual([3000, 3002.5]);
});

test("a newer token takes the place of the one that is watched over", async () => {
  const at = desk();
  at.watch.note(at.token);
  await at.pass(600);
  const { issuedAt, expiresAt } = at.token;
  const newer = {
    ...at.token,
    token: "newer",
    issuedAt: issuedAt + 600,
    expiresAt: expiresAt + 600,
  };
  at.watch.note(newer);
  at.shelf.stored = recordOf(newer);
  await settled();
  expect(at.manual.sleeping).toBe(1);
  await at.pass(3000);
  expect(at.renewedAt).toEqual([3600]);
});

test("a token that has ended already is left to the next call", async () => {
  const at = desk();
  await at.pass(3600);
  at.watch.note(at.token);
  await settled();
  expect([at.manual.sleeping, at.renewedAt]).toEqual([0, []]);
});

test("stop ends the wait, and the renewal that is under way", async () => {
  const waiting = desk();
  waiting.watch.note(waiting.token);
  await settled();
  waiting.watch.stop();
  await settled();
  expect(waiting.manual.sleeping).toBe(0);
  const signals: AbortSignal[] = [];
  const never = deferred<never>();
  const renewing = desk({
    renew: (_round, signal) => {
      signals.push(signal);
      return never.promise;
    },
  });
  renewing.watch.note(renewing.token);
  await renewing.pass(3000);
  renewing.watch.stop();
  expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  never.reject(new OidcError("aborted", "x"));
});

test("a newer token does not cut off a request that was sent: its answer may be the only one that counts", async () => {
  const signals: AbortSignal[] = [];
  const at = desk({
    renew: (_round, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    },
  });
  at.watch.note(at.token);
  await at.pass(3000);
  at.watch.note({ ...at.token, token: "newer" });
  expect(signals.map((signal) => signal.aborted)).toEqual([false]);
});
