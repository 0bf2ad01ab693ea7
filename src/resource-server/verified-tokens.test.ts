// The memory of verified tokens: what is found again, what is never kept, and that it does not grow.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { ServingKeys } from "../keys/serving-keys.ts";
import { VerifiedTokens, type VerifiedToken } from "./verified-tokens.ts";

const keys = new ServingKeys({
  clock: createManualClock(),
  fetch: () => Promise.reject(new Error()),
});

function verified(token: string): VerifiedToken {
  const identity = {
    subject: token.slice(0, 8),
    username: "alice",
    groups: ["a"],
    labels: [],
    scopes: [],
    issuer: "https://id.example.com",
    expiresAt: new Date(0),
    claims: { act: { sub: "bob" } },
  };
  return { token, key: { kty: "RSA" }, keys, endsAt: 1, identity };
}

/** A token of which the end alone differs from others. */
const named = (index: number, length = 200): string =>
  `${"x".repeat(length)}.${createHash("sha256").update(String(index)).digest("base64url")}`;

/** Seen twice, so that it is worth to be kept. */
function see(memory: VerifiedTokens, token: string): void {
  memory.add(verified(token));
  memory.add(verified(token));
}

test("a token is kept when it comes for the second time, and its identity cannot be changed then", () => {
  const memory = new VerifiedTokens(10);
  const first = verified(named(1));
  memory.add(first);
  expect(memory.find(named(1))).toBeUndefined();
  expect(Object.isFrozen(first.identity)).toBe(false);
  const second = verified(named(1));
  memory.add(second);
  expect(memory.find(named(1))).toBe(second);
  for (const part of [second.identity, second.identity.groups, second.identity.claims["act"]]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

test("another token with the same end is not it", () => {
  const memory = new VerifiedTokens(10);
  see(memory, named(1));
  expect(memory.find(named(1, 201))).toBeUndefined();
  expect(memory.find(named(1).replace("x", "y"))).toBeUndefined();
  memory.forget(named(1));
  expect(memory.find(named(1))).toBeUndefined();
});

describe("[K16] it does not grow", () => {
  const found = (memory: VerifiedTokens, tokens: readonly string[]): readonly string[] =>
    tokens.filter((token) => memory.find(token) !== undefined);

  test.each([1, 2, 7, 300])("beyond %i tokens, and keeps those that are in use", (most) => {
    const memory = new VerifiedTokens(most);
    const tokens = Array.from({ length: 20 * most }, (_none, index) => named(index));
    const [favourite = ""] = tokens;
    const inUse: boolean[] = [];
    see(memory, favourite);
    for (const token of tokens.slice(1)) {
      see(memory, token);
      inUse.push(memory.find(favourite) !== undefined);
    }
    // In a memory of one there is no place for a favourite.
    expect(most === 1 || inUse.every(Boolean)).toBe(true);
    const kept = found(memory, tokens).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThanOrEqual(most);
  });

  test("beyond two thousand characters a token on average, however long they are", () => {
    const memory = new VerifiedTokens(100);
    const tokens = Array.from({ length: 300 }, (_none, index) => named(index, 20_000));
    for (const token of tokens) see(memory, token);
    const kept = found(memory, tokens);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.join("").length).toBeLessThanOrEqual(100 * 2048);
    const memoryOfOne = new VerifiedTokens(1);
    see(memoryOfOne, named(1, 20_000));
    expect(memoryOfOne.find(named(1, 20_000))).toBeUndefined();
  });

  test("at all where nothing is to be remembered", () => {
    const memory = new VerifiedTokens(0);
    see(memory, named(1));
    expect(memory.find(named(1))).toBeUndefined();
  });
});

test("of ten thousand tokens within the bound nearly all are found again", () => {
  const memory = new VerifiedTokens(10_000);
  const tokens = Array.from({ length: 10_000 }, (_none, index) => named(index, 1));
  // Those that share a place in the filter of first sights push each other out of it, fewer with each round.
  for (let round = 0; round < 8; round += 1) {
    for (const token of tokens) if (memory.find(token) === undefined) memory.add(verified(token));
  }
  expect(tokens.filter((token) => memory.find(token) === undefined).length).toBeLessThan(500);
});
