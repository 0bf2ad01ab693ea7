// Connections to Redis as they are outside of tests: over TLS, through sentinels while a server fails, to a server that
// has become a replica, as a user with few rights; and what a list costs the others.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { exampleKey, exampleRecord } from "../../src/testing/example-records.ts";
import { leaseOf, waiting } from "../../src/testing/lock-suite.ts";
import type { TokenStore } from "../../src/store/token-store.ts";
import { bundleModule } from "../support/bundle-module.ts";
import { makeCertificateAuthority, type LeafCertificate } from "../support/certificates.ts";
import { needs } from "../support/debian-packages.ts";
import { freePort } from "../support/free-port.ts";
import { ownRedisStore } from "../support/own-redis-store.ts";
import type { ClientName } from "../support/redis-clients.ts";
import { way } from "../support/redis-fleet.ts";
import { startRedis, type RedisServer } from "../support/redis-server.ts";

const run = promisify(execFile);
const available = needs("redis").available && needs("openssl").available;
const clients = ["redis", "ioredis"] as const;
const key = exampleKey("one");
const secret = randomBytes(32);

/** A replica is served at once: by default a server waits five seconds for more of them. */
const atOnce = { "repl-diskless-sync-delay": "0" };

async function started(...parameters: Parameters<typeof startRedis>): Promise<RedisServer> {
  const server = await startRedis(...parameters);
  onTestFinished(() => server.close());
  return server;
}

/** Sentinels alone write to the file, so that each has its own. */
async function sentinelFor(
  port: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-sentinel-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "sentinel.conf");
  const lines = [
    `sentinel monitor main 127.0.0.1 ${port} 1`,
    "sentinel down-after-milliseconds main 400",
    "sentinel failover-timeout main 2000",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return started(settings, "redis-sentinel", file);
}

function storeAt(
  url: string,
  client: ClientName,
  changes: NonNullable<Parameters<typeof ownRedisStore>[0]["changes"]> = {},
): TokenStore {
  const { store, connection } = ownRedisStore({ url, client, key: secret, prefix: "own", changes });
  onTestFinished(() => connection.close());
  return store;
}

describe.skipIf(!available)("over TLS, with a private authority", () => {
  let authority: Awaited<ReturnType<typeof makeCertificateAuthority>>;
  let program: string;

  beforeAll(async () => {
    authority = await makeCertificateAuthority();
    program = await bundleModule(join(import.meta.dirname, "../support/redis-probe.ts"));
  });

  const settingsOf = (leaf: LeafCertificate, port: number): Record<string, string> => ({
    "tls-port": String(port),
    "tls-cert-file": leaf.certificatePath,
    "tls-key-file": leaf.keyPath,
    "tls-ca-cert-file": authority.caPath,
    "tls-auth-clients": "no",
  });

  /** What a program that was started with this environment has read. */
  async function probe(
    url: string,
    client: ClientName,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const root = fileURLToPath(import.meta.url);
    const { stdout } = await run(process.execPath, [program, url, client, root], {
      env: { PATH: process.env["PATH"], ...environment },
    });
    return stdout;
  }

  test.each(clients)(
    "%s reaches a server that it trusts, and no other [S01, S04]",
    async (client) => {
      const port = await freePort();
      await started(settingsOf(authority, port));
      const url = `rediss://127.0.0.1:${port}`;
      const [trusting, others, ignoring] = await Promise.all([
        probe(url, client, { NODE_EXTRA_CA_CERTS: authority.caPath }),
        probe(url, client),
        probe(url, client, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }),
      ]);
      expect(trusting).toBe("absent");
      for (const refused of [others, ignoring]) {
        expect(refused).toMatch(/^untrusted: The certificate of Redis at 127\.0\.0\.1:\d+ is not/);
        expect(refused).toContain("NODE_EXTRA_CA_CERTS=FILE");
      }
    },
  );

  test("a certificate for another name is refused [S01]", async () => {
    const port = await freePort();
    await started(settingsOf(await authority.wrongHostLeaf(), port));
    const refused = await probe(`rediss://127.0.0.1:${port}`, "redis", {
      NODE_EXTRA_CA_CERTS: authority.caPath,
    });
    expect(refused).toMatch(/^untrusted: .*ALTNAME.*the host name that the certificate is for/);
  });

  test.each(clients)(
    "%s speaks TLS to sentinels, and to the server they name [S01]",
    async (client) => {
      const [port, sentinelPort] = [await freePort(), await freePort()];
      const server = await started(settingsOf(authority, port));
      await sentinelFor(port, { ...settingsOf(authority, sentinelPort), "tls-replication": "yes" });
      const url = `rediss+sentinel://127.0.0.1:${sentinelPort}/main`;
      const trusting = await probe(url, client, { NODE_EXTRA_CA_CERTS: authority.caPath });
      expect(trusting).toBe("absent");
      expect(server.cli("info", "commandstats")).toContain("cmdstat_eval:");
    },
  );
});

describe.skipIf(!available).each(clients)("by %s", (client) => {
  test("a failover is waited for, and a lease goes on over it", async () => {
    const main = await started(atOnce);
    const replica = await started({ replicaof: `127.0.0.1 ${main.port}` });
    const sentinel = await sentinelFor(main.port);
    while (!replica.cli("info", "replication").includes("master_link_status:up")) await pause(50);
    while (!sentinel.cli("sentinel", "replicas", "main").includes(String(replica.port))) {
      await pause(50);
    }
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    const store = storeAt(url, client, { patienceMilliseconds: 30_000 });
    const lease = await leaseOf(store, key);
    await store.replace(key, undefined, exampleRecord("one", "a.1"), lease.fence);
    // What is confirmed may not have reached the replica yet.
    main.cli("wait", "1", "5000");
    await main.kill();
    const after = await store.replace(key, "a.1", exampleRecord("one", "a.2"), lease.fence);
    expect(after).toEqual({ replaced: true });
    expect(replica.cli("info", "replication")).toContain("role:master");
    expect(lease.signal?.aborted).toBe(false);
    await lease.finish({ kind: "done", version: "a.2" });
    expect((await store.read(key))?.version).toBe("a.2");
  });

  test("a server that has become a replica is left for the one that its address leads to", async () => {
    const [before, now] = [await started(atOnce), await started()];
    const { port, lead } = await way(before.port);
    const store = storeAt(`redis://127.0.0.1:${port}`, client);
    await store.replace(key, undefined, exampleRecord("one", "a.1"));
    now.cli("replicaof", "127.0.0.1", String(before.port));
    while (!now.cli("info", "replication").includes("master_link_status:up")) await pause(50);
    now.cli("replicaof", "no", "one");
    before.cli("replicaof", "127.0.0.1", String(now.port));
    lead(now.port);
    expect(await store.replace(key, "a.1", exampleRecord("one", "a.2"))).toEqual({
      replaced: true,
    });
  });

  test("a user with the rights that docs/stores.md names can do everything", async () => {
    const server = await started();
    const page = await import("node:fs").then(({ readFileSync }) =>
      readFileSync(new URL("../../docs/stores.md", import.meta.url), "utf8"),
    );
    const [, commands = ""] = /`(EVAL [A-Z ]+)`/.exec(page) ?? [];
    const allowed = commands
      .toLowerCase()
      .split(" ")
      .map((command) => `+${command}`);
    const user = ["on", ">of-the-test", "~own:*", "&own:*", ...allowed];
    expect(server.cli("acl", "setuser", "app", ...user)).toBe("OK");
    const store = storeAt(`redis://app:of-the-test@127.0.0.1:${server.port}`, client);
    const lease = await leaseOf(store, key);
    await store.replace(key, undefined, exampleRecord("one", "a.1"), lease.fence);
    let heard = (): void => undefined;
    const isWaiting = new Promise<void>((resolve) => (heard = resolve));
    const waits = store.acquire(key, waiting({ onWaiting: heard }));
    await isWaiting;
    lease.announce("login");
    await lease.finish({ kind: "done", version: "a.1" });
    expect(await waits).toMatchObject({ outcome: { kind: "done" } });
    expect(await store.list()).toHaveLength(1);
    const sealed = server.cli("hget", server.cli("keys", "own:{*}").split("\n")[0] ?? "", "s");
    for (const name of server.cli("keys", "own:{*}").split("\n")) {
      if (!name.includes(":flight")) server.cli("hset", name, "s", sealed.slice(0, 20));
    }
    expect(await store.read(key)).toBeUndefined();
    await store.tidy?.(key);
    expect(server.cli("keys", "*:aside")).toBe("");
    expect(server.cli("acl", "log")).toBe("");
  });

  test("a list looks through Redis in small steps", async () => {
    const server = await started({ "enable-debug-command": "yes", appendonly: "no" });
    server.cli("debug", "populate", "20000", "other");
    const store = storeAt(server.url, client);
    const names = Array.from({ length: 20 }, (_record, at) => `client-${at}`);
    await Promise.all(
      names.map((name) => store.replace(exampleKey(name), undefined, exampleRecord(name, "a.1"))),
    );
    server.cli("config", "resetstat");
    expect(await store.list()).toHaveLength(names.length);
    const statistics = server.cli("info", "commandstats");
    const steps = Number(/cmdstat_scan:calls=(\d+)/.exec(statistics)?.[1]);
    // Each looks at 500 names, or at one more bucket of the table.
    expect(steps).toBeGreaterThan(20_000 / 600);
    expect(statistics).not.toMatch(/cmdstat_(keys|sort|hgetall):/);
  });

  test("a store that was closed says so at once", async () => {
    const server = await started();
    const { store, connection } = ownRedisStore({
      url: server.url,
      client,
      key: secret,
      prefix: "closed",
    });
    await store.read(key);
    await connection.close();
    await expect(store.read(key)).rejects.toMatchObject({
      code: "store_unavailable",
      reason: "closed",
    });
  });
});
