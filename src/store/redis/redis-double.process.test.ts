// The Redis of the interleavings does what a real one does: random scripts on both, and the same replies.
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { RedisDouble } from "../../../test/interleavings/redis.ts";
import { needs } from "../../../test/support/debian-packages.ts";
import { openClient } from "../../../test/support/redis-clients.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import type { RedisClient } from "./redis-client.ts";
import { namesOf } from "./redis-names.ts";
import {
  freeLock,
  lookAtLock,
  readRecord,
  renewLock,
  replaceRecord,
  takeLock,
} from "./redis-scripts.ts";

const redis = needs("redis");
let server: RedisServer;
let opened: Awaited<ReturnType<typeof openClient>>;
let prefixes = 0;

beforeAll(async () => {
  if (!redis.available) return;
  server = await startRedis({ appendfsync: "no" });
  opened = await openClient("redis", server.url);
});

afterAll(async () => {
  await opened?.close();
  await server?.close();
});

/** Numbers by their place in the order in which they were given: a real one reads them off its clock. */
type Step =
  | { readonly do: "take"; readonly owner: string }
  | { readonly do: "renew" | "free"; readonly owner: string; readonly number: number }
  | {
      readonly do: "replace";
      readonly expected: string;
      readonly next: string;
      readonly number: number;
    }
  | { readonly do: "read" | "look" };

const owner = fc.constantFrom("one", "two");
const version = fc.constantFrom("", "a.1", "a.2");
const number = fc.integer({ min: -1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("take" as const), owner }),
  fc.record({ do: fc.constantFrom("renew" as const, "free" as const), owner, number }),
  fc.record({ do: fc.constant("replace" as const), expected: version, next: version, number }),
  fc.record({ do: fc.constantFrom("read" as const, "look" as const) }),
);

/** What the steps give, where numbers and milliseconds are told by what they mean. */
async function replies(
  steps: readonly Step[],
  evaluate: RedisClient["command"],
): Promise<readonly unknown[]> {
  const names = namesOf(`double${prefixes}`, "key");
  const given: string[] = [];
  const numberOf = (at: number): string => given[at] ?? (at < 0 ? "" : "1");
  const told: unknown[] = [];
  const meaning = (value: unknown): unknown => {
    if (typeof value === "string" && given.includes(value)) return `#${given.indexOf(value)}`;
    return typeof value === "number" && value > 1 ? "some time" : value;
  };
  for (const each of steps) {
    const [script, keys, words] = wordsOf(each, names, numberOf);
    const command = ["EVAL", script.text, String(script.keys), ...keys, ...words];
    const reply = await evaluate(names.record, command);
    const values = Array.isArray(reply) ? (reply as unknown[]) : [reply];
    if (each.do === "take" && values[0] === 1 && !given.includes(String(values[1]))) {
      given.push(String(values[1]));
    }
    told.push(values.map(meaning));
  }
  return told;
}

type Names = ReturnType<typeof namesOf>;

function wordsOf(
  each: Step,
  names: Names,
  numberOf: (at: number) => string,
): [typeof takeLock, string[], string[]] {
  const lock = [names.lock, names.flight];
  if (each.do === "take") {
    return [takeLock, [...lock, names.record], [each.owner, "60000", "holder", "3600"]];
  }
  if (each.do === "replace") {
    const words = [each.expected, each.next, `sealed ${each.next}`, numberOf(each.number)];
    return [replaceRecord, [names.record], words];
  }
  if (!("owner" in each)) {
    return each.do === "read" ? [readRecord, [names.record], []] : [lookAtLock, lock, []];
  }
  const own = [each.owner, numberOf(Math.max(0, each.number))];
  return each.do === "renew"
    ? [renewLock, lock, [...own, "60000", "holder again", names.news]]
    : [freeLock, lock, [...own, "outcome", names.news, "3600"]];
}

test.skipIf(!redis.available)("the Redis of the interleavings answers as a real one", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      prefixes += 1;
      // No two numbers of a real one are the same.
      let now = Date.now();
      const double = new RedisDouble(() => (now += 1));
      const real = await replies(steps, (key, words) => opened.client.command(key, words));
      expect(await replies(steps, async (_key, words) => double.evaluate(words))).toEqual(real);
    }),
    { numRuns: 200 },
  );
});
