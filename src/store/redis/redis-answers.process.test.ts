// What servers share in Redis: turns, times, and what becomes of an answer that somebody else has touched.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openClient, type ClientName } from "../../../test/support/redis-clients.ts";
import { needs } from "../../../test/support/debian-packages.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { systemClock } from "../../core/clock.ts";
import { isOidcError } from "../../core/errors.ts";
import { maxSharedAnswerCharacters } from "../../core/limits.ts";
import type { GivenKey } from "../sealed-value.ts";
import { RedisAnswers } from "./redis-answers.ts";
import { RedisCommands } from "./redis-commands.ts";

const redis = needs("redis");
let server: RedisServer;
const closing: (() => Promise<void>)[] = [];
const secret = randomBytes(32);
let prefixes = 0;

beforeAll(async () => {
  if (redis.available) server = await startRedis();
});
afterAll(async () => {
  for (const close of closing) await close();
  await server?.close();
});

async function open(name: ClientName, key: GivenKey = secret): Promise<RedisAnswers> {
  const { client, close } = await openClient(name, server.url);
  closing.push(close);
  const commands = new RedisCommands({
    client: () => Promise.resolve(client),
    location: client.location,
    clock: systemClock,
    patienceMilliseconds: 1000,
    maxTries: 1,
  });
  const prefix = `test${String(prefixes)}`;
  return new RedisAnswers({ commands, key, prefix, clock: systemClock, randomBytes });
}

const nameOfOnly = (): string => server.cli("--raw", "keys", `test${String(prefixes)}:answers:*`);

describe.skipIf(!redis.available).each(["redis", "ioredis"] as const)("by %s", (name) => {
  /** Two servers of one fleet. */
  async function pair(): Promise<[RedisAnswers, RedisAnswers]> {
    prefixes += 1;
    return [await open(name), await open(name)];
  }

  test("one has the turn, the others wait, until there is an answer", async () => {
    const [first, second] = await pair();
    expect(await first.look("q", 3000)).toMatchObject({ state: "turn" });
    expect(await second.look("q", 3000)).toEqual({ state: "asking" });
    expect(await second.look("another", 3000)).toMatchObject({ state: "turn" });
    await first.keep("q", '{"sub":"alice"}', 30_000);
    const look = await second.look("q", 3000);
    expect(look).toMatchObject({ state: "answered", answer: '{"sub":"alice"}' });
    expect(look.state === "answered" && look.millisecondsLeft).toBeLessThanOrEqual(30_000);
  });

  test("a turn that brought nothing is left to the next one, by its owner alone", async () => {
    const [first, second] = await pair();
    const look = await first.look("q", 3000);
    await second.leave("q", "somebody else's");
    expect(await second.look("q", 3000)).toEqual({ state: "asking" });
    await first.leave("q", look.state === "turn" ? look.turn : "");
    expect(await second.look("q", 3000)).toMatchObject({ state: "turn" });
  });

  test("the turn of a server that died ends by itself, and so does an answer", async () => {
    const [first, second] = await pair();
    await first.look("q", 50);
    await expect.poll(() => second.look("q", 3000)).toMatchObject({ state: "turn" });
    await second.keep("q", "{}", 50);
    await expect.poll(() => first.look("q", 3000)).toMatchObject({ state: "turn" });
  });

  test("[K36] an answer that was changed, moved or cut is asked for anew", async () => {
    const [first, second] = await pair();
    await first.keep("q", '{"sub":"alice"}', 30_000);
    const place = nameOfOnly();
    const sealed = server.cli("--raw", "hget", place, "s");
    for (const touched of ["", "x", sealed.slice(0, -4), `${sealed.slice(0, -8)}AAAAAAAA`]) {
      server.cli("hset", place, "s", touched);
      server.cli("pexpire", place, "30000");
      expect(await second.look("q", 3000)).toMatchObject({ state: "turn" });
      expect(await first.look("q", 3000)).toEqual({ state: "asking" });
      server.cli("hdel", place, "o");
    }
    await first.keep("q", '{"sub":"alice"}', 30_000);
    await second.look("another", 1);
    const others = server.cli("--raw", "keys", `test${String(prefixes)}:answers:*`).split("\n");
    const other = others.find((each) => each !== place) ?? place;
    server.cli("rename", place, other);
    expect(await second.look("another", 3000)).toMatchObject({ state: "turn" });
  });

  test("[K36] an answer or a turn that is kept beyond its time counts no more", async () => {
    const [first, second] = await pair();
    await first.keep("q", "{}", 50);
    server.cli("pexpire", nameOfOnly(), "60000");
    await expect.poll(() => second.look("q", 3000)).toMatchObject({ state: "turn" });
    server.cli("pexpire", nameOfOnly(), "60000");
    expect(await first.look("q", 3000)).toMatchObject({ state: "turn" });
    await first.keep("q", "{}", 30_000);
    server.cli("persist", nameOfOnly());
    expect(await first.look("q", 3000)).toMatchObject({ state: "turn" });
    server.cli("persist", nameOfOnly());
    expect(await first.look("q", 3000)).toMatchObject({ state: "turn" });
  });

  test("[K36] what is endless is not even fetched", async () => {
    const [first] = await pair();
    const longest = `"${'"'.repeat(maxSharedAnswerCharacters - 2)}"`;
    await first.keep("q", longest, 30_000);
    expect(await first.look("q", 3000)).toMatchObject({ state: "answered", answer: longest });
    server.cli("setrange", "endless", "2000000", "x");
    server.cli(
      "eval",
      "redis.call('HSET', KEYS[1], 's', redis.call('GET', KEYS[2]))",
      "2",
      nameOfOnly(),
      "endless",
    );
    const sent = (): number =>
      Number(/total_net_output_bytes:(\d+)/.exec(server.cli("info", "stats"))?.[1]);
    const before = sent();
    expect(await first.look("q", 3000)).toMatchObject({ state: "turn" });
    expect(sent() - before).toBeLessThan(100_000);
  });

  test("[K36] who has another key shares nothing, and the first of several is the one", async () => {
    const [first] = await pair();
    await first.keep("q", "{}", 30_000);
    const other = await open(name, [randomBytes(32), secret]);
    expect(await other.look("q", 3000)).toMatchObject({ state: "turn" });
    const same = await open(name, () => Promise.resolve([secret, randomBytes(32)]));
    expect(await same.look("q", 3000)).toMatchObject({ state: "answered" });
  });

  test("something else below the prefix, or a key that cannot be had, is an error with its reason", async () => {
    const [first] = await pair();
    await first.keep("q", "{}", 30_000);
    const place = nameOfOnly();
    server.cli("del", place);
    server.cli("set", place, "x");
    const without = await open(name, () => Promise.reject(new Error("no key today")));
    const reasons = await Promise.all(
      [first, without].map((each) =>
        each.look("q", 3000).then(
          () => "none",
          (error: unknown) => (isOidcError(error) ? error.reason : error),
        ),
      ),
    );
    expect(reasons).toEqual(["refused", "key_unavailable"]);
  });
});
