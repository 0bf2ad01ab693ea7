// One of several processes is killed at each point of a refresh in turn; what the others get is what
// docs/lock/protocol.md says.

import { expect, test } from "vitest";
import { byLane } from "../support/lane.ts";
import {
  expectWholeCache,
  isAlive,
  killHookAt,
  killMarker,
  killPoints,
  killRound,
} from "../support/kill-rounds.ts";
import { desk, provider, together } from "./harness.ts";

// The first and the last moment at which the answer can be lost, and one before it; every one in the long lane.
const points = byLane(Object.keys(killPoints), ["lock.acquired", "http.response"]);
// Enough for a holder, its successor and those who wait for both; test/long does the same with fifty.
const count = 5;

test.each(points.filter((point) => killPoints[point]?.outcome === "token"))(
  "killed at %s: the others get the token, and the sign-in lives on [R04]",
  async (point) => {
    const { at, identityProvider, survivors } = await killRound({ count, point });
    expect(await isAlive(identityProvider, survivors[0]?.stdout ?? "")).toBe(true);
    // The stored refresh token is the provider's newest.
    const flags = [...at.flags(identityProvider), "--no-interactive"];
    const renewed = await at.run(["token", ...flags, "--force-refresh"]);
    expect(renewed.code).toBe(0);
    expect((await at.run(["status"])).stdout).toContain("renews by itself");
    expectWholeCache(at.home);
  },
  60_000,
);

test.each(points.filter((point) => killPoints[point]?.outcome === "refresh_lost"))(
  "killed at %s: the others learn that the answer was lost, and a sign-in heals it [R04][R07]",
  async (point) => {
    const { at, identityProvider, survivors } = await killRound({ count, point });
    expect(survivors).toHaveLength(count - 1);
    // Whoever comes later learns the same, without another request.
    const flags = at.flags(identityProvider);
    const later = await at.run(["token", ...flags, "--no-interactive"]);
    expect(later.stderr).toContain("[login_required: refresh_lost]");
    expect(identityProvider.requests().token).toBe(2);
    expect((await at.run(["token", ...flags])).code).toBe(0);
  },
  60_000,
);

// A window leads nowhere once its process is gone, so another one opens; what was stored does not go.
const signInPoints: readonly (readonly [string, number])[] = byLane(
  [
    ["lock.acquired", 1],
    ["login.started", 1],
    ["lock.waiting", 1],
    ["browser.opened", 2],
    ["login.finished", 2],
    ["record.kept", 1],
    ["lock.told", 1],
  ],
  [["browser.opened", 2]],
);

test.each(signInPoints)(
  "nothing cached, killed at %s: the others get a token, windows in all: %i [R04][B10]",
  async (point, windows) => {
    const at = await desk();
    const identityProvider = await provider();
    // Whoever is led on at once may have signed in before its program counts as started.
    const browser =
      point === "browser.opened" ? at.patientBrowser(killMarker(at.home)) : at.browser;
    const flags = [...at.flags(identityProvider), "--browser-command", browser];
    const env = killHookAt(point, at.home);
    const results = await together(count, () => at.run(["token", ...flags], { env }));
    const ends = results.map(({ code, signal }) => signal ?? String(code)).toSorted();
    expect(ends).toEqual([...Array.from({ length: count - 1 }, () => "0"), "SIGKILL"]);
    const survivors = results.filter(({ signal }) => signal === null);
    expect(new Set(survivors.map(({ stdout }) => stdout)).size).toBe(1);
    expect(new Set(at.opened()).size).toBe(windows);
    expect(at.opened()).toHaveLength(windows);
    expect(await isAlive(identityProvider, survivors[0]?.stdout ?? "")).toBe(true);
    expectWholeCache(at.home);
  },
  60_000,
);
