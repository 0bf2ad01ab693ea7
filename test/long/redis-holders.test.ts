// Holders of a lock in Redis that were stopped for longer than their lease, or are cut off from Redis. The provider rotates
// refresh tokens, and ends the sign-in when a used one comes back.

import { describe, expect, test } from "vitest";
import { needs } from "../support/debian-packages.ts";
import { holdNextTokenRequest } from "../support/held-request.ts";
import { fleet, stopped, together, tokensOf, way } from "../support/redis-fleet.ts";

const redis = needs("redis");

describe.skipIf(!redis.available)("a fleet with one sign-in in Redis", () => {
  test("a holder that was stopped before it sent, for longer than its lease, sends nothing late", async () => {
    const { program, expire, identityProvider, record } = await fleet();
    await expire();
    const speed = 10;
    const holder = program({ speed, stopsBeforeSending: true });
    await holder.ready;
    holder.start();
    await stopped(holder);
    const { intent } = await record();
    expect(intent).toBeDefined();
    const others = await together([program({ speed }), program({ speed })]);
    holder.signal("SIGCONT");
    const late = await holder.result;
    const after = await record();
    const token = after.accessToken?.token;
    expect([...new Set(tokensOf(others))]).toEqual([token]);
    // It gets the token of the others, or is told that it lost the lock, whichever it notices first.
    expect(["lock_lost", token]).toContain(
      late.says === "error" ? late.reason : tokensOf([late])[0],
    );
    expect(after.intent).toBeUndefined();
    expect(identityProvider.requests().token).toBe(1);
  });

  test("a holder that was stopped while its request was on the way overwrites nothing newer", async () => {
    const { program, expire, identityProvider, record } = await fleet();
    await expire();
    const speed = 10;
    // The provider has handled it: a token that is older than the one that the next holder gets.
    const held = holdNextTokenRequest(identityProvider, "answer");
    const holder = program({ speed });
    await holder.ready;
    holder.start();
    await held.arrived;
    holder.signal("SIGSTOP");
    held.release();
    const [other] = await together([program({ speed })]);
    const before = await record();
    holder.signal("SIGCONT");
    await holder.result;
    const after = await record();
    // A provider that allows no repetition has ended the sign-in: said so, and not undone by the older answer.
    expect(other).toEqual({ says: "error", code: "login_required", reason: "refresh_lost" });
    expect(after).toEqual(before);
    expect(identityProvider.requests().token).toBe(2);
  });

  test("a holder that is cut off from Redis gives its request up, and the next one renews", async () => {
    const { program, expire, identityProvider, server, record } = await fleet();
    await expire();
    const speed = 10;
    const { port, cut } = await way(server.port);
    const held = holdNextTokenRequest(identityProvider);
    const holder = program({ speed, url: `redis://127.0.0.1:${port}` });
    await holder.ready;
    holder.start();
    await held.arrived;
    cut();
    const [other] = await together([program({ speed })]);
    expect(other).toMatchObject({ says: "token" });
    expect(await holder.result).toMatchObject({ says: "error", code: "store_unavailable" });
    expect((await record()).accessToken?.token).toBe(
      tokensOf(other === undefined ? [] : [other])[0],
    );
    expect(identityProvider.requests().token).toBe(2);
  });
});
