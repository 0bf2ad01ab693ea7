// Commands that are run twice, too late, or for somebody who has gone: what comes of them in a real Redis.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openClient } from "../../../test/support/redis-clients.ts";
import { needs } from "../../../test/support/debian-packages.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { systemClock } from "../../core/clock.ts";
import { exampleKey, exampleRecord } from "../../testing/example-records.ts";
import { deferred } from "../../session/testing.ts";
import { leaseOf, waiting } from "../../testing/lock-suite.ts";
import type { TokenStore } from "../token-store.ts";
import type { RedisClient } from "./redis-client.ts";
import { namesOf } from "./redis-names.ts";
import { renewLock, replaceRecord, takeLock } from "./redis-scripts.ts";
import { createRedisStore, type RedisStoreOptions } from "./redis-store.ts";

const redis = needs("redis");
const key = exampleKey("one");
const secret = randomBytes(32);
let server: RedisServer;
let opened: Awaited<ReturnType<typeof openClient>>;
let prefixes = 0;

beforeAll(async () => {
  if (!redis.available) return;
  server = await startRedis();
  opened = await openClient("redis", server.url);
});

afterAll(async () => {
  await opened?.close();
  await server?.close();
});

type Command = RedisClient["command"];

/** Two stores at one place; each command of the first one goes through `command`. */
function pair(
  command: (words: readonly string[], run: () => Promise<unknown>) => Promise<unknown>,
  changes: Partial<RedisStoreOptions> = {},
): { store: TokenStore; sameStore: TokenStore; names: ReturnType<typeof namesOf> } {
  const prefix = `repeats${(prefixes += 1)}`;
  const through: Command = (first, words) =>
    command(words, () => opened.client.command(first, words));
  const open = (client: RedisClient, own: Partial<RedisStoreOptions>): TokenStore =>
    createRedisStore({
      client: () => Promise.resolve(client),
      location: client.location,
      key: secret,
      prefix,
      clock: systemClock,
      randomBytes,
      machine: "here",
      ...own,
    });
  return {
    store: open({ ...opened.client, command: through }, changes),
    sameStore: open(opened.client, {}),
    names: namesOf(prefix, key),
  };
}

const lost = (): Error => Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

describe.skipIf(!redis.available)("in Redis", () => {
  test("a write whose answer was lost was made, and is not taken for another's", async () => {
    let tries = 0;
    const { store } = pair(async (words, run) => {
      const reply = await run();
      if (words[1] === replaceRecord.text && (tries += 1) === 1) throw lost();
      return reply;
    });
    expect(await store.replace(key, undefined, exampleRecord("one", "a.1"))).toEqual({
      replaced: true,
    });
    expect(tries).toBe(2);
  });

  test("a write that was never made is not taken for another program's of the same version", async () => {
    // Two programs that start from the same record both give theirs the version after it.
    const others = { ...exampleRecord("one", "a.2"), refreshToken: "of the other program" };
    let tries = 0;
    const { store, sameStore } = pair(async (words, run) => {
      if (words[1] !== replaceRecord.text || (tries += 1) > 1) return run();
      await sameStore.replace(key, "a.1", others);
      throw lost();
    });
    await sameStore.replace(key, undefined, exampleRecord("one", "a.1"));
    expect(await store.replace(key, "a.1", exampleRecord("one", "a.2"))).toEqual({
      replaced: false,
      current: others,
    });
    expect(tries).toBe(2);
  });

  test("a renewal that is sent again after the lock was freed does not take it back", async () => {
    let tries = 0;
    const again = deferred<void>();
    const { store, names } = pair(async (words, run) => {
      if (words[1] !== renewLock.text) return run();
      if ((tries += 1) === 1) throw lost();
      const reply = await run();
      again.resolve();
      return reply;
    });
    const lease = await leaseOf(store, key);
    lease.announce("login");
    await lease.abandon();
    await again.promise;
    expect(server.cli("exists", names.lock)).toBe("0");
  });

  test("a lock that came when nobody waited for it any more is freed", async () => {
    const controller = new AbortController();
    const reason = new Error("the caller's own");
    const { store, sameStore, names } = pair(async (words, run) => {
      const reply = await run();
      if (words[1] === takeLock.text) controller.abort(reason);
      return reply;
    });
    const { signal } = controller;
    await expect(store.acquire(key, waiting({ signal }))).rejects.toBe(reason);
    expect(server.cli("exists", names.lock)).toBe("0");
    await (await leaseOf(sameStore, key)).abandon();
  });

  test("who leaves the work to its holder opens no connection for the news", async () => {
    let subscriptions = 0;
    const subscribe: RedisClient["subscribe"] = async (...parameters) => {
      subscriptions += 1;
      return opened.client.subscribe(...parameters);
    };
    const own = { client: () => Promise.resolve({ ...opened.client, subscribe }) };
    const { store, sameStore } = pair((_words, run) => run(), own);
    const lease = await leaseOf(sameStore, key);
    const leaves = new Error("left to another process");
    const onWaiting = (): void => {
      throw leaves;
    };
    await expect(store.acquire(key, waiting({ onWaiting }))).rejects.toBe(leaves);
    expect(subscriptions).toBe(0);
    const heard = deferred<void>();
    const waits = store.acquire(key, waiting({ onWaiting: () => heard.resolve() }));
    await heard.promise;
    await lease.finish({ kind: "done", version: "a.1" });
    expect(await waits).toEqual({ held: false, outcome: { kind: "done", version: "a.1" } });
    expect(subscriptions).toBe(1);
  });

  test("who holds a lock is read with a key that was fetched only then", async () => {
    const newer = randomBytes(32);
    let minutes = 0;
    const keys = [secret];
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + minutes * 60_000 };
    const { store } = pair((_words, run) => run(), { key: () => Promise.resolve(keys), clock });
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    keys.unshift(newer);
    minutes = 2;
    const prefix = `repeats${prefixes}`;
    const early = createRedisStore({
      client: () => Promise.resolve(opened.client),
      location: "here",
      key: newer,
      prefix,
      clock: systemClock,
      randomBytes,
      machine: "here",
    });
    const lease = await leaseOf(early, key);
    expect(await store.holder?.(key)).toMatchObject({ phase: "refresh" });
    let heard = (): void => undefined;
    const isWaiting = new Promise<void>((resolve) => (heard = resolve));
    const waits = store.acquire(key, waiting({ onWaiting: heard }));
    await isWaiting;
    await lease.finish({ kind: "done", version: "a.1" });
    expect(await waits).toEqual({ held: false, outcome: { kind: "done", version: "a.1" } });
  });

  test("keys that cannot be fetched anew leave the ones of before in use", async () => {
    let minutes = 0;
    let isDown = false;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + minutes * 60_000 };
    const given = (): Promise<Uint8Array> =>
      isDown ? Promise.reject(new Error("the secret manager is down")) : Promise.resolve(secret);
    const { store, sameStore, names } = pair((_words, run) => run(), { key: given, clock });
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    const sealed = server.cli("hget", names.record, "s");
    server.cli("hset", names.record, "s", sealed.replace(/^1\.[\w-]{8}/, "1.AAAAAAAA"));
    [isDown, minutes] = [true, 2];
    await expect(store.read(key)).rejects.toMatchObject({ reason: "key_unavailable" });
    server.cli("hset", names.record, "s", sealed);
    expect((await store.read(key))?.version).toBe("a.1");
    expect((await sameStore.read(key))?.version).toBe("a.1");
  });
});
