// The store in a cluster of Redis, and in a server that sentinels know, by each client: the promises of every store.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { unloadable } from "../../src/core/load.ts";
import { parseRedisAddress } from "../../src/store/redis/redis-address.ts";
import { connectionTo, type RedisConnection } from "../../src/store/redis/redis-connection.ts";
import { createRedisStore } from "../../src/store/redis/redis-store.ts";
import type { TokenStore } from "../../src/store/token-store.ts";
import { exampleRecord } from "../../src/testing/example-records.ts";
import { testTokenStore } from "../../src/testing/store-suite.ts";
import { needs } from "../support/debian-packages.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

const redis = needs("redis");
const servers: RedisServer[] = [];
const connections = new Map<string, RedisConnection>();
const folder = mkdtempSync(join(tmpdir(), "latchkey-topologies-"));
const urls = { cluster: "", sentinel: "" };

async function startCluster(): Promise<string> {
  const settings = { "cluster-enabled": "yes", appendfsync: "everysec" };
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis(settings)));
  servers.push(...nodes);
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  nodes[0]?.cli("--cluster", "create", ...addresses, "--cluster-yes");
  for (const node of nodes) {
    while (!node.cli("cluster", "info").includes("cluster_state:ok")) await pause(50);
  }
  return `redis+cluster://${addresses.join(",")}`;
}

async function startSentinel(): Promise<string> {
  const server = await startRedis();
  const file = join(folder, "sentinel.conf");
  writeFileSync(file, `sentinel monitor main 127.0.0.1 ${server.port} 1\n`);
  const sentinel = await startRedis({}, "redis-sentinel", file);
  servers.push(server, sentinel);
  return `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
}

beforeAll(async () => {
  if (!redis.available) return;
  urls.cluster = await startCluster();
  urls.sentinel = await startSentinel();
});

afterAll(async () => {
  for (const connection of connections.values()) await connection.close();
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const key = randomBytes(32);
let prefixes = 0;

function open(kind: keyof typeof urls, client: string, prefix: string): TokenStore {
  const address = parseRedisAddress(urls[kind]);
  if (address === undefined) throw new Error("not an address");
  const name = `${kind} ${client}`;
  const connection =
    connections.get(name) ??
    connectionTo(address, (asked) =>
      asked === client
        ? import(asked)
        : Promise.reject(unloadable({ code: "ERR_MODULE_NOT_FOUND" })),
    );
  connections.set(name, connection);
  return createRedisStore({
    client: () => connection.client(),
    location: address.location,
    key,
    prefix,
    clock: systemClock,
    randomBytes,
    machine: "here",
  });
}

const ways = (["cluster", "sentinel"] as const).flatMap((kind) =>
  ["redis", "ioredis"].map((client) => [kind, client] as const),
);

describe.skipIf(!redis.available).each(ways)("a %s, by %s", (kind, client) => {
  testTokenStore({
    name: `store in a ${kind} by ${client}`,
    test,
    open: () => {
      const prefix = `test${(prefixes += 1)}`;
      const [store, sameStore] = [open(kind, client, prefix), open(kind, client, prefix)];
      return { store, sameStore, close: () => Promise.resolve() };
    },
  });

  test("lists what is on every server", async () => {
    const store = open(kind, client, `test${(prefixes += 1)}`);
    const names = Array.from({ length: 40 }, (_record, at) => `client-${at}`);
    for (const name of names) {
      const record = exampleRecord(name, `${name}.1`);
      await store.replace(record.key, undefined, record);
    }
    expect(await store.list()).toHaveLength(names.length);
  });
});
