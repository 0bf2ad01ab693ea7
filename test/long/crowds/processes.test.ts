// Crowds of processes with one expired token, at a provider that rotates and ends the sign-in at a reuse; and a kill at
// every point among fifty.

import { expect, test } from "vitest";
import { desk, provider, together } from "../../e2e/harness.ts";
import {
  expectWholeCache,
  isAlive,
  killPoints,
  killRound,
  signInAndExpire,
} from "../../support/kill-rounds.ts";
import { endOf } from "../../support/two-host-rounds.ts";
import { canSquat, startNameSquatter } from "../../support/name-squatter.ts";

/** Gives the number of rounds that went as they must. */
async function rounds(count: number, times: number): Promise<number> {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  for (let round = 0; round < times; round += 1) {
    await signInAndExpire(at, identityProvider);
    const results = await together(count, () =>
      at.run(["token", ...flags, "--no-interactive"], { timeoutMs: 180_000 }),
    );
    expect([round, ...new Set(results.map(endOf))]).toEqual([round, "token"]);
    const tokens = [...new Set(results.map(({ stdout }) => stdout))];
    expect([round, tokens.length]).toEqual([round, 1]);
    expect([round, identityProvider.requests().token]).toEqual([round, 1]);
    expect(await isAlive(identityProvider, String(tokens[0]))).toBe(true);
    expectWholeCache(at.home);
  }
  return times;
}

test("50 processes, 3 rounds: 1 token request and 50 tokens in each [R01]", async () => {
  expect(await rounds(50, 3)).toBe(3);
}, 600_000);

test("200 processes: 1 token request and 200 tokens [R01]", async () => {
  expect(await rounds(200, 1)).toBe(1);
}, 900_000);

test.each(Object.keys(killPoints))(
  "50 processes, one killed at %s [R04][R07]",
  async (point) => {
    const { survivors } = await killRound({ count: 50, point });
    expect(survivors).toHaveLength(49);
  },
  180_000,
);

test.skipIf(!canSquat)(
  "200 processes, with another user who takes every name that he sees: 1 token request and 200 tokens [F-S4]",
  async () => {
    const names = await startNameSquatter();
    expect(await rounds(200, 1)).toBe(1);
    expect(names()).toEqual([]);
  },
  300_000,
);
