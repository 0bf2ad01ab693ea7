// When a token is replaced, and what ends that.

import { expect, test } from "vitest";
import type { Clock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import { keepFresh, planAfter } from "./kept-token.ts";

const start = Date.parse("2026-12-01T12:00:00Z");

function plan(seconds: number): readonly number[] {
  const { pause, minValiditySeconds } = planAfter(new Date(start + seconds * 1000), start);
  return [pause / 1000, minValiditySeconds];
}

test("a token is left alone until a quarter of its life, or five minutes, are left", () => {
  expect(plan(3600)).toEqual([3300, 301]);
  expect(plan(40)).toEqual([30, 60]);
  expect(plan(0)).toEqual([1, 60]);
  expect(plan(10 * 365 * 86_400)[0]).toBe(86_400);
  expect(planAfter(undefined, start)).toEqual({ pause: 300_000, minValiditySeconds: 60 });
});

/** A credential of this many tokens of an hour each, then an end; `failing` calls fail first, but for the first one. */
async function kept(answers: readonly (string | OidcError)[]): Promise<{
  readonly taken: readonly string[];
  readonly told: readonly string[];
  readonly asked: readonly GetTokenOptions[];
  readonly pauses: readonly number[];
  readonly error: unknown;
}> {
  const [taken, told, pauses]: [string[], string[], number[]] = [[], [], []];
  const asked: GetTokenOptions[] = [];
  const left = [...answers];
  let now = start;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds / 1000);
      now += milliseconds;
    },
  };
  const error: unknown = await keepFresh({
    getToken: async (request) => {
      asked.push(request);
      const next = left.shift();
      if (typeof next !== "string") throw next ?? new OidcError("login_required", "No more.");
      return { token: next, expiresAt: new Date(now + 3_600_000) } as AccessToken;
    },
    request: { interactive: true, forceRefresh: true },
    clock,
    signal: new AbortController().signal,
    take: ({ token }) => void taken.push(token),
    onFailure: ({ code }) => void told.push(code),
  }).catch((reason: unknown) => reason);
  return { taken, told, asked, pauses, error };
}

test("each token is taken once, and only the first one may take a person", async () => {
  const { taken, asked, pauses, error } = await kept(["one", "one", "two"]);
  expect(taken).toEqual(["one", "two"]);
  expect(pauses).toEqual([3300, 3300, 3300]);
  expect(asked.map(({ interactive, forceRefresh }) => [interactive, forceRefresh])).toEqual([
    [true, true],
    [false, false],
    [false, false],
    [false, false],
  ]);
  expect(error).toMatchObject({ code: "login_required" });
});

test("what passes is told once and tried again, but not before there is a token at all", async () => {
  const away = new OidcError("network", "Away.", { reason: "unreachable" });
  const later = await kept(["one", away, away, "two"]);
  expect(later.taken).toEqual(["one", "two"]);
  expect(later.told).toEqual(["network"]);
  expect(later.pauses.slice(1, 3)).toEqual([10, 10]);
  expect(await kept([away])).toMatchObject({ taken: [], error: away });
});
