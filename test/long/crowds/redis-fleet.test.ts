// Fifty machines with one expired sign-in in Redis, at a provider that rotates refresh tokens and ends the sign-in when a
// used one comes back. `LATCHKEY_TEST_ROUNDS` says how many rounds, which all go on with the same sign-in.

import { expect, test } from "vitest";
import { needs } from "../../support/debian-packages.ts";
import { holdNextTokenRequest } from "../../support/held-request.ts";
import { fleet, together, tokensOf } from "../../support/redis-fleet.ts";

const redis = needs("redis");
const machines = 50;
const rounds = Number(process.env["LATCHKEY_TEST_ROUNDS"] ?? 1);

test.skipIf(!redis.available)(
  "50 machines, while Redis is killed and started again: 1 token request and 50 tokens",
  { timeout: 60_000 * (rounds + 1) },
  async () => {
    const { program, expire, identityProvider, server, record } = await fleet();
    for (let round = 1; round <= rounds; round += 1) {
      await expire();
      const began = performance.now();
      // Every second one is without a fault.
      const isFaulty = round % 2 === 1;
      const held = isFaulty ? holdNextTokenRequest(identityProvider) : undefined;
      const all = together(Array.from({ length: machines }, () => program()));
      if (held !== undefined) {
        await held.arrived;
        await server.kill();
        await server.start();
        held.release();
      }
      const tokens = tokensOf(await all);
      expect(tokens).toHaveLength(machines);
      const { accessToken } = await record();
      expect([...new Set(tokens)]).toEqual([accessToken?.token]);
      expect(identityProvider.requests().token).toBe(1);
      if (rounds === 1) continue;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const fault = isFaulty ? "Redis killed and started again" : "no fault";
      process.stdout.write(
        `round ${round} (${fault}): 1 token request, ${tokens.length} tokens, ${seconds} s\n`,
      );
    }
  },
);
