// Programs of a fleet that share one sign-in in Redis, each on a machine of its own as far as files go. Changes when a
// fleet is made of something else.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { isStopped } from "../../src/files/processes.ts";
import { OidcAuth, type OidcAuthOptions, type TokenStore } from "../../src/index.ts";
import type { SessionRecord } from "../../src/record/format.ts";
import { deferred } from "../../src/session/testing.ts";
import { parseRedisAddress } from "../../src/store/redis/redis-address.ts";
import { connectionTo } from "../../src/store/redis/redis-connection.ts";
import { createRedisStore } from "../../src/store/redis/redis-store.ts";
import { desktop, provider } from "../flow/harness.ts";
import { bundleModule } from "./bundle-module.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";
import type { RedisNews, RedisWork } from "./redis-worker.ts";

let bundled: Promise<string> | undefined;

/** One program. */
export interface Program {
  readonly processId: number;
  readonly ready: Promise<void>;
  readonly waits: Promise<void>;
  readonly result: Promise<RedisNews>;
  start(): void;
  signal(name: NodeJS.Signals): void;
}

/** A provider, a Redis, and programs. */
export interface Fleet {
  readonly identityProvider: IdentityProvider;
  readonly server: RedisServer;
  readonly store: TokenStore;
  /** The one record. */
  readonly record: () => Promise<SessionRecord>;
  /** Lets the access token be expired, as it stands in Redis. */
  readonly expire: () => Promise<void>;
  readonly program: (changes?: Partial<RedisWork>) => Program;
}

/** Signs in, and keeps the sign-in in a Redis of the test's own. */
export async function fleet(): Promise<Fleet> {
  bundled ??= bundleModule(join(import.meta.dirname, "redis-worker.ts"));
  const worker = await bundled;
  const identityProvider = await provider();
  const server = await startRedis();
  onTestFinished(() => server.close());
  const address = parseRedisAddress(server.url);
  if (address === undefined) throw new Error("not an address");
  const connection = connectionTo(address);
  onTestFinished(() => connection.close());
  const key = randomBytes(32);
  const store = createRedisStore({
    client: () => connection.client(),
    location: address.location,
    key,
    prefix: "fleet",
    clock: systemClock,
    randomBytes,
    machine: "test",
  });
  const options: OidcAuthOptions = desktop(identityProvider);
  await new OidcAuth({ ...options, store }).getToken();
  const { onPrompt: _cannotBeHandedOver, ...plain } = options;
  const record = async (): Promise<SessionRecord> => {
    const [found, ...others] = await store.list();
    if (found === undefined || others.length > 0) throw new Error("not one record");
    return found as SessionRecord;
  };
  let writes = 0;
  return {
    identityProvider,
    server,
    store,
    record,
    expire: async () => {
      const now = await record();
      if (now.accessToken === null) throw new Error("no access token");
      const accessToken = { ...now.accessToken, expiresAt: Math.floor(Date.now() / 1000) - 1 };
      const version = `${now.version.split(".").slice(0, 2).join(".")}.x${(writes += 1)}`;
      await store.replace(now.key, now.version, { ...now, accessToken, version } as SessionRecord);
      identityProvider.resetRequests();
    },
    program: (changes = {}) => {
      const home = mkdtempSync(join(tmpdir(), "latchkey-fleet-"));
      const work: RedisWork = {
        options: plain,
        call: { interactive: false },
        url: server.url,
        root: fileURLToPath(import.meta.url),
        key: key.toString("base64"),
        speed: 1,
        stopsBeforeSending: false,
        ...changes,
      };
      const child = spawn(process.execPath, [worker, JSON.stringify(work)], {
        stdio: ["pipe", "pipe", "inherit"],
        env: { PATH: process.env["PATH"], HOME: home },
      });
      onTestFinished(() => {
        child.kill("SIGKILL");
        rmSync(home, { recursive: true, force: true });
      });
      const ready = deferred<void>();
      const waits = deferred<void>();
      let last: RedisNews | undefined;
      createInterface({ input: child.stdout }).on("line", (line) => {
        last = JSON.parse(line) as RedisNews;
        if (last.says === "ready") ready.resolve();
        if (last.says === "waiting") waits.resolve();
      });
      const result = once(child, "close").then(() => {
        if (last === undefined) throw new Error("the program said nothing");
        return last;
      });
      result.catch(ready.reject);
      return {
        processId: child.pid ?? 0,
        ready: ready.promise,
        waits: waits.promise,
        result,
        start: () => void child.stdin.write("go\n"),
        signal: (name) => void child.kill(name),
      };
    },
  };
}

/** All of them begin at once; what each of them got. */
export async function together(programs: readonly Program[]): Promise<readonly RedisNews[]> {
  await Promise.all(programs.map(({ ready }) => ready));
  for (const program of programs) program.start();
  return Promise.all(programs.map(({ result }) => result));
}

/** What each of them got, where it got no token in words. */
export function tokensOf(news: readonly RedisNews[]): readonly string[] {
  return news.map((each) => (each.says === "token" ? each.token : JSON.stringify(each)));
}

/** Until a process stands still. */
export async function stopped({ processId }: Program): Promise<void> {
  while (!isStopped(processId)) await pause(10);
}

/** A way to Redis. */
export interface Way {
  readonly port: number;
  /** What comes after it goes nowhere, without a word. */
  readonly cut: () => void;
  /** New connections lead to another server; those that stand stay. */
  readonly lead: (to: number) => void;
}

/** A way to Redis that can be cut, or lead elsewhere. */
export async function way(first: number): Promise<Way> {
  const open = new Set<Socket>();
  let to = first;
  let isCut = false;
  const server = createServer((incoming) => {
    const outgoing = connect(to, "127.0.0.1");
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    if (!isCut) incoming.pipe(outgoing).pipe(incoming);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    lead: (next) => {
      to = next;
    },
    cut: () => {
      isCut = true;
      for (const socket of open) socket.unpipe().pause();
    },
  };
}
