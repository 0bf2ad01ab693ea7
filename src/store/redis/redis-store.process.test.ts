// The store in Redis against a real server: the promises of every store, and its own.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { byLane } from "../../../test/support/lane.ts";
import { openClient, type ClientName } from "../../../test/support/redis-clients.ts";
import { needs } from "../../../test/support/debian-packages.ts";
import { startRedis, type RedisServer } from "../../../test/support/redis-server.ts";
import { systemClock } from "../../core/clock.ts";
import { isOidcError } from "../../core/errors.ts";
import type { OidcError } from "../../core/errors.ts";
import { unloadable } from "../../core/load.ts";
import { leaseOf, waiting } from "../../testing/lock-suite.ts";
import { parseRedisAddress } from "./redis-address.ts";
import { connectionTo } from "./redis-connection.ts";
import { exampleKey, exampleRecord } from "../../testing/example-records.ts";
import { testTokenStore } from "../../testing/store-suite.ts";
import type { TokenStore } from "../token-store.ts";
import { namesOf } from "./redis-names.ts";
import { createRedisStore, type RedisStoreOptions } from "./redis-store.ts";

const redis = needs("redis");
let server: RedisServer;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (redis.available) server = await startRedis();
});

afterAll(async () => {
  for (const close of closing) await close();
  await server?.close();
});

const secret = randomBytes(32);
let prefixes = 0;
const newPrefix = (): string => `test${(prefixes += 1)}`;
const shared: Partial<Record<string, Awaited<ReturnType<typeof openClient>>>> = {};

async function open(
  name: ClientName,
  prefix: string,
  changes: Partial<RedisStoreOptions> = {},
): Promise<TokenStore> {
  const known = (shared[name] ??= await openClient(name, server.url));
  if (!closing.includes(known.close)) closing.push(known.close);
  return createRedisStore({
    client: () => Promise.resolve(known.client),
    location: known.client.location,
    key: secret,
    prefix,
    clock: systemClock,
    randomBytes,
    machine: "here",
    ...changes,
  });
}

describe.skipIf(!redis.available).each(["redis", "ioredis"] as const)("by %s", (name) => {
  testTokenStore({
    name: `store in Redis by ${name}`,
    test,
    open: async () => {
      const prefix = newPrefix();
      const [store, sameStore] = [await open(name, prefix), await open(name, prefix)];
      return { store, sameStore, close: () => Promise.resolve() };
    },
  });

  test("says where it is, without a name or a password", async () => {
    const store = await open(name, newPrefix());
    expect(store.location).toBe(`Redis at 127.0.0.1:${server.port}`);
    expect(store.level).toBe("caller-key");
  });
});

async function errorOf(work: Promise<unknown>): Promise<OidcError> {
  try {
    await work;
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const key = exampleKey("one");
const shortLease = { lease: 600, renewal: 100, margin: 200 };

/** Until a condition holds: Redis tells nobody when a key expires. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(10);
}

describe.skipIf(!redis.available)("a lease", () => {
  test("has a number that grows with each holder, and with it nothing newer is overwritten", async () => {
    const prefix = newPrefix();
    const store = await open("redis", prefix);
    const first = await leaseOf(store, key);
    await store.replace(key, undefined, exampleRecord("one", "a.1"), first.fence);
    await first.abandon();
    const second = await leaseOf(store, key);
    expect(second.fence).toBeGreaterThan(first.fence ?? Number.POSITIVE_INFINITY);
    const newer = exampleRecord("one", "a.2");
    expect(await store.replace(key, "a.1", newer, second.fence)).toEqual({ replaced: true });
    // Even by its version, as whoever makes a record anew after the one that is there would.
    const late = exampleRecord("one", "b.1");
    expect(await store.replace(key, "a.2", late, first.fence)).toEqual({
      replaced: false,
      current: newer,
      fenced: true,
    });
    // Without a lease (a logout) the version alone counts, and the number stays.
    await store.replace(key, "a.2", exampleRecord("one", "a.3"));
    expect(await store.replace(key, "a.3", late, first.fence)).toMatchObject({ fenced: true });
    await second.abandon();
  });

  test("has a larger number than the record's, even where Redis has lost the lock's", async () => {
    const prefix = newPrefix();
    const store = await open("redis", prefix);
    const fence = 9_000_000_000_000_000;
    await store.replace(key, undefined, exampleRecord("one", "a.1"), fence);
    server.cli("del", namesOf(prefix, key).flight);
    const lease = await leaseOf(store, key);
    expect(lease.fence).toBe(fence + 1);
    await lease.abandon();
  });

  test("is renewed while the work goes on, and ends it when another has the lock", async () => {
    const prefix = newPrefix();
    const store = await open("redis", prefix, { times: shortLease });
    const { lock } = namesOf(prefix, key);
    const lease = await leaseOf(store, key);
    // Longer than it lasts without being renewed.
    const began = performance.now();
    await until(() => performance.now() - began > 1.2 * shortLease.lease);
    expect(server.cli("exists", lock)).toBe("1");
    expect(lease.signal?.aborted).toBe(false);
    server.cli("hset", lock, "o", "somebody else");
    if (lease.signal?.aborted === false) await once(lease.signal, "abort");
    expect(lease.signal?.aborted).toBe(true);
    await lease.abandon();
    expect(server.cli("hget", lock, "o")).toBe("somebody else");
  });

  test("that Redis has lost is taken again by its holder, where nobody else has had it", async () => {
    const prefix = newPrefix();
    const store = await open("redis", prefix, { times: shortLease });
    const { lock } = namesOf(prefix, key);
    const lease = await leaseOf(store, key);
    server.cli("del", lock);
    await until(() => server.cli("exists", lock) === "1");
    expect(lease.signal?.aborted).toBe(false);
    await lease.abandon();
    expect(server.cli("exists", lock)).toBe("0");
  });

  test("of a holder that is gone is over in time, and whoever waits is told to look", async () => {
    const prefix = newPrefix();
    const store = await open("redis", prefix, { times: shortLease });
    const { lock } = namesOf(prefix, key);
    server.cli("hset", lock, "o", "gone", "f", "1", "h", "?");
    server.cli("pexpire", lock, "200");
    expect(await store.acquire(key, waiting())).toEqual({ held: false, outcome: null });
    await (await leaseOf(store, key)).abandon();
  });

  test("whose time is over ends the work at the first look, before any timer", async () => {
    let monotonic = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + monotonic };
    const store = await open("redis", newPrefix(), { clock });
    const lease = await leaseOf(store, key);
    lease.expireIfOverdue?.();
    expect(lease.signal?.aborted).toBe(false);
    monotonic = 26_000;
    lease.expireIfOverdue?.();
    expect(lease.signal?.reason).toMatchObject({
      code: "store_unavailable",
      reason: "lock_overdue",
    });
    await lease.abandon();
  });

  test("is counted by the wall clock too, which goes on while a machine sleeps", async () => {
    let now = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + now };
    const store = await open("redis", newPrefix(), { clock });
    const lease = await leaseOf(store, key);
    now = 26_000;
    lease.expireIfOverdue?.();
    expect(lease.signal?.aborted).toBe(true);
    await lease.abandon();
  });

  test("proves the end of earlier work to its own process alone", async () => {
    const prefix = newPrefix();
    const [one, two] = [await open("redis", prefix), await open("redis", prefix)];
    expect(one.reach).toMatch(/^[\da-f]{32}$/);
    expect(one.reach).not.toBe(two.reach);
  });
});

describe.skipIf(!redis.available)("what is in Redis", () => {
  test("holds no key, token or outcome in the open, neither in its memory nor on its disk", async () => {
    const own = await startRedis({ appendfsync: "everysec" });
    const { client, close } = await openClient("redis", own.url);
    const store = await open("redis", "canary", { client: () => Promise.resolve(client) });
    const count = byLane(5000, 100);
    try {
      const write = async (at: number): Promise<void> => {
        const record = exampleRecord(`client-${at}`, `v.${at}`);
        await store.replace(record.key, undefined, record);
        const lease = await leaseOf(store, record.key);
        lease.announce("login");
        await lease.finish({
          kind: "failed",
          error: { code: "network", message: "canary-message" },
        });
      };
      const numbers = Array.from({ length: count }, (_record, at) => at);
      while (numbers.length > 0) await Promise.all(numbers.splice(0, 50).map(write));
      expect(await store.list()).toHaveLength(count);
      own.cli("save");
      const files = readdirSync(own.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
      expect(files.length).toBeGreaterThan(1);
      for (const text of files) {
        expect(text).not.toMatch(/token-of|refresh-of|client-\d|id\.example|openid|canary-message/);
      }
      expect(files.join("")).toContain(`v.${count - 1}`);
      expect(files.join("").includes(secret.toString("latin1"))).toBe(false);
    } finally {
      await close();
      await own.close();
    }
  });

  test("is set aside where it was changed or cut, and never half used [C08]", async () => {
    const prefix = newPrefix();
    const warnings: string[] = [];
    const store = await open("redis", prefix, { onWarning: (code) => warnings.push(code) });
    const names = namesOf(prefix, key);
    const record = exampleRecord("one", "a.1");
    await store.replace(key, undefined, record);
    const sealed = server.cli("hget", names.record, "s");
    const [format = "", keyName = "", bytes = ""] = sealed.split(".");
    const changed = Buffer.from(bytes, "base64url");
    changed[20] = (changed[20] ?? 0) ^ 1;
    const damaged = [
      "",
      "x",
      sealed.slice(0, -1),
      sealed.slice(0, 40),
      `${sealed}AAAA`,
      `2.${keyName}.${bytes}`,
      `${format}.${keyName}.`,
      `${format}.${keyName}.${changed.toString("base64url")}`,
    ];
    for (const text of damaged) {
      server.cli("hset", names.record, "v", "a.1", "s", text);
      expect(await store.read(key)).toBeUndefined();
      expect(server.cli("hget", names.aside, "s")).toBe(text);
      expect(server.cli("exists", names.record)).toBe("0");
    }
    // Sealed for another version than the one that stands beside it.
    server.cli("hset", names.record, "v", "a.2", "s", sealed);
    expect(await store.replace(key, undefined, record)).toEqual({ replaced: true });
    expect(await store.read(key)).toEqual(record);
    expect(warnings).toEqual(["cache_damaged"]);
    await store.tidy?.(key);
    expect(server.cli("exists", names.aside)).toBe("0");
  });

  test("is of no use under another name", async () => {
    const prefix = newPrefix();
    const store = await open("redis", prefix);
    const other = exampleKey("two");
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    server.cli("copy", namesOf(prefix, key).record, namesOf(prefix, other).record);
    expect(await store.list()).toHaveLength(1);
    expect(await store.read(other)).toBeUndefined();
    expect(await store.read(key)).toBeDefined();
  });

  test("is left as it is by a program that has another key", async () => {
    const prefix = newPrefix();
    const record = exampleRecord("one", "a.1");
    await (await open("redis", prefix)).replace(key, undefined, record);
    const stranger = await open("redis", prefix, { key: randomBytes(32) });
    const errors = [
      await errorOf(stranger.read(key)),
      await errorOf(stranger.replace(key, undefined, undefined)),
    ];
    expect(errors.map(({ code, reason }) => [code, reason])).toEqual([
      ["store_unavailable", "other_key"],
      ["store_unavailable", "other_key"],
    ]);
    expect(errors[0]?.message).toContain(`redis-cli del '${namesOf(prefix, key).record}'`);
    expect(await stranger.list()).toEqual([]);
    expect(await (await open("redis", prefix)).read(key)).toEqual(record);
  });

  test("stays readable while keys are changed, and is sealed with the first one", async () => {
    const prefix = newPrefix();
    const newer = randomBytes(32);
    const record = exampleRecord("one", "a.1");
    await (await open("redis", prefix)).replace(key, undefined, record);
    const both = await open("redis", prefix, { key: [newer, secret] });
    expect(await both.read(key)).toEqual(record);
    await both.replace(key, "a.1", exampleRecord("one", "a.2"));
    const after = await open("redis", prefix, { key: () => Promise.resolve(newer) });
    expect((await after.read(key))?.version).toBe("a.2");
    expect(await errorOf((await open("redis", prefix)).read(key))).toMatchObject({
      reason: "other_key",
    });
  });

  test("of one prefix is apart from that of another", async () => {
    const [one, two] = [await open("redis", "apart"), await open("redis", "apart:two")];
    await one.replace(key, undefined, exampleRecord("one", "a.1"));
    expect(await two.read(key)).toBeUndefined();
    await two.replace(key, undefined, exampleRecord("one", "b.1"));
    expect((await one.list()).map(({ version }) => version)).toEqual(["a.1"]);
    expect((await two.list()).map(({ version }) => version)).toEqual(["b.1"]);
  });
});

describe.skipIf(!redis.available).each(["redis", "ioredis"] as const)(
  "a connection of the store's own, by %s",
  (name) => {
    const load = (asked: string): Promise<unknown> =>
      asked === name ? import(asked) : Promise.reject(unloadable({ code: "ERR_MODULE_NOT_FOUND" }));

    test("is made anew after Redis was killed, and what was written is there", async () => {
      const own = await startRedis();
      const address = parseRedisAddress(own.url);
      if (address === undefined) throw new Error("not an address");
      const connection = connectionTo(address, load);
      const store = await open(name, "restart", {
        client: () => connection.client(),
        location: address.location,
        patienceMilliseconds: 700,
      });
      try {
        const lease = await leaseOf(store, key);
        const whoever = store.acquire(key, waiting());
        whoever.catch(() => undefined);
        await store.replace(key, undefined, exampleRecord("one", "a.1"), lease.fence);
        await own.kill();
        const error = await errorOf(store.read(key));
        expect([error.code, error.reason]).toEqual(["store_unavailable", "unreachable"]);
        expect(error.message).toContain(`redis-cli -h 127.0.0.1 -p ${own.port} ping`);
        expect(await errorOf(whoever)).toMatchObject({ reason: "unreachable" });
        await own.start();
        expect((await store.read(key))?.version).toBe("a.1");
        expect(await store.replace(key, "a.1", exampleRecord("one", "a.2"), lease.fence)).toEqual({
          replaced: true,
        });
        let waits: ReturnType<TokenStore["acquire"]> | undefined;
        await new Promise<void>((resolve) => {
          waits = store.acquire(key, waiting({ onWaiting: () => resolve() }));
        });
        await lease.finish({ kind: "done", version: "a.2" });
        expect(await waits).toEqual({ held: false, outcome: { kind: "done", version: "a.2" } });
      } finally {
        await connection.close();
        await own.close();
      }
    });

    test("tells of a wrong password without saying it", async () => {
      const own = await startRedis({ requirepass: "right-one" });
      const address = parseRedisAddress(own.url.replace("//", "//default:wrong-one@"));
      if (address === undefined) throw new Error("not an address");
      const connection = connectionTo(address, load);
      const store = await open(name, "password", {
        client: () => connection.client(),
        location: address.location,
        patienceMilliseconds: 300,
      });
      try {
        const error = await errorOf(store.read(key));
        expect(error.code).toBe("store_unavailable");
        const { inspect } = await import("node:util");
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("wrong-one");
      } finally {
        await connection.close();
        await own.close();
      }
    });
  },
);
