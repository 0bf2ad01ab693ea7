// Fifty machines with one expired sign-in in Redis, at a provider that rotates refresh tokens and ends the sign-in when a
// used one comes back.

import { expect, test } from "vitest";
import { needs } from "../../support/debian-packages.ts";
import { holdNextTokenRequest } from "../../support/held-request.ts";
import { fleet, together, tokensOf } from "../../support/redis-fleet.ts";

const redis = needs("redis");

test.skipIf(!redis.available)(
  "50 machines, while Redis is killed and started again: 1 token request and 50 tokens",
  async () => {
    const { program, expire, identityProvider, server, record } = await fleet();
    await expire();
    const held = holdNextTokenRequest(identityProvider);
    const all = together(Array.from({ length: 50 }, () => program()));
    await held.arrived;
    await server.kill();
    await server.start();
    held.release();
    const tokens = tokensOf(await all);
    expect(tokens).toHaveLength(50);
    const { accessToken } = await record();
    expect([...new Set(tokens)]).toEqual([accessToken?.token]);
    expect(identityProvider.requests().token).toBe(1);
  },
);
