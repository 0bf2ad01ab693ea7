// A connection of the store's own, made by whichever package is installed. Changes when a package makes one in another way.

import { isErrorOf, OidcError } from "../../core/errors.ts";
import { loadPart } from "../../core/load.ts";
import { run, say } from "../../core/wording.ts";
import type { RedisAddress } from "./redis-address.ts";
import { redisClient, type RedisClient } from "./redis-client.ts";

/** A connection that can be made anew. */
export interface RedisConnection {
  /** The connection as it stands; made where there is none. Rejects where Redis does not answer. */
  client(): Promise<RedisClient>;
  /** Lets the next command make it anew: it leads to a server that takes no writes. */
  renew(): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

type Loaded = Readonly<Record<string, unknown>>;

/** Loads a package by its name, from where this one is installed. */
export type LoadPackage = (name: string) => Promise<unknown>;

interface Opened {
  readonly client: object;
  readonly isAlive: () => boolean;
  readonly end: () => unknown;
}

interface NodeRedisClient {
  readonly isReady?: boolean;
  readonly isOpen?: boolean;
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: string, listener: () => void): unknown;
  unref?(): void;
}

interface IoredisClient {
  readonly status: string;
  readonly stream?: { unref?(): void };
  connect(): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: (error: Error) => void): unknown;
}

type Make<Client> = (options: object) => Client;
type Construct = new (...parameters: unknown[]) => IoredisClient;

const connectMilliseconds = 5000;

/** The connection to an address: nothing is loaded or opened before it is first needed. */
export function connectionTo(
  address: RedisAddress,
  load: LoadPackage = (name) => loadPart(() => import(name)),
): RedisConnection {
  let opened: Promise<Opened> | undefined;
  let isClosed = false;
  const open = async (): Promise<Opened> => {
    const loaded = await load("redis").catch(ifMissing);
    if (loaded !== undefined) return openNodeRedis(loaded as Loaded, address);
    const other = await load("ioredis").catch(ifMissing);
    if (other !== undefined) return openIoredis(other as Loaded, address);
    throw new OidcError("store_unavailable", "To reach Redis, a package is missing.", {
      reason: "client_missing",
      remedy: say`Install one: ${run("npm install redis")}, or ${run("npm install ioredis")}.`,
    });
  };
  const end = async (of: Promise<Opened>): Promise<void> => {
    try {
      await (await of).end();
    } catch {
      // What never opened, or has ended by itself, is as good as closed.
    }
  };
  const drop = async (): Promise<void> => {
    const current = opened;
    opened = undefined;
    if (current !== undefined) await end(current);
  };
  return {
    async client() {
      if (isClosed) {
        throw new OidcError("store_unavailable", "The store in Redis was closed.", {
          reason: "closed",
          remedy: "Close it when nothing uses it any more.",
        });
      }
      const current = opened;
      if (current !== undefined) {
        const { client, isAlive } = await current;
        if (isAlive()) return redisClient(client, address.location);
        if (opened === current) {
          opened = undefined;
          await end(current);
        }
      }
      opened ??= open();
      const opening = opened;
      try {
        return redisClient((await opening).client, address.location);
      } catch (error) {
        if (opened === opening) opened = undefined;
        throw error;
      }
    },
    renew: drop,
    async close() {
      isClosed = true;
      await drop();
    },
  };
}

function ifMissing(error: unknown): undefined {
  if (!isErrorOf(error, "runtime_unavailable", "module_missing")) throw error;
  return undefined;
}

/** A package's own member, or that of its default export. */
function member(loaded: Loaded, name: string): unknown {
  return loaded[name] ?? (loaded["default"] as Loaded | undefined)?.[name];
}

/** A client of sentinels or a cluster tries for as long as nobody there answers: its own next try is ours. */
async function within(connecting: Promise<unknown>, end: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("No connection in time.")), connectMilliseconds);
  });
  try {
    await Promise.race([connecting, tooLong]);
  } catch (error) {
    connecting.catch(() => undefined);
    await Promise.resolve()
      .then(end)
      .catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

// A connection that was lost is made anew by the next command: so nothing is kept back for later, when nobody waits for it
// any more, and no timer holds a program that has nothing else to do. Certificates are verified whatever
// NODE_TLS_REJECT_UNAUTHORIZED says (S04).
async function openNodeRedis(loaded: Loaded, address: RedisAddress): Promise<Opened> {
  const { username, password, database, hosts, name, tls, kind } = address;
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
  };
  const secure = tls ? { tls: true, rejectUnauthorized: true } : {};
  const socket = { ...secure, connectTimeout: connectMilliseconds };
  const make = (maker: string, options: object): NodeRedisClient => {
    const client = (member(loaded, maker) as Make<NodeRedisClient>)(options);
    client.on("error", () => undefined);
    client.on("node-error", () => undefined);
    return client;
  };
  const [server] = hosts;
  const client =
    kind === "cluster"
      ? make("createCluster", {
          rootNodes: hosts.map((each) => ({ socket: { ...each, ...socket } })),
          defaults: { ...login, socket },
        })
      : kind === "sentinel"
        ? make("createSentinel", {
            name,
            sentinelRootNodes: hosts,
            nodeClientOptions: { ...login, socket },
            sentinelClientOptions: { socket },
          })
        : make("createClient", {
            ...login,
            disableOfflineQueue: true,
            socket: { ...server, ...socket, reconnectStrategy: false },
          });
  await within(client.connect(), () => client.destroy());
  client.unref?.();
  return {
    client,
    isAlive: () => (kind === "server" ? client.isReady : client.isOpen) === true,
    end: () => client.destroy(),
  };
}

async function openIoredis(loaded: Loaded, address: RedisAddress): Promise<Opened> {
  const { username, password, database, hosts, name, tls, kind } = address;
  const secure = { rejectUnauthorized: true };
  const redis = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { db: database }),
    ...(tls ? { tls: secure } : {}),
    connectTimeout: connectMilliseconds,
    // A server that is still loading says so itself; the check needs a right of its own.
    enableReadyCheck: false,
  };
  const once = {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  };
  // Without these two ioredis speaks plain text to the sentinels, and to the server that they name.
  const secureSentinel = tls ? { enableTLSForSentinelMode: true, sentinelTLS: secure } : {};
  const Redis = member(loaded, "Redis") as Construct;
  const Cluster = member(loaded, "Cluster") as Construct;
  const [server] = hosts;
  const client =
    kind === "cluster"
      ? new Cluster(hosts, { lazyConnect: true, redisOptions: redis })
      : new Redis({
          ...redis,
          ...once,
          ...(kind === "sentinel" ? { sentinels: hosts, name, ...secureSentinel } : server),
        });
  let failure: Error | undefined;
  client.on("error", (error) => {
    failure = error;
  });
  client.on("connect", () => client.stream?.unref?.());
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    // It says "closed" itself, and why only here.
    throw failure ?? error;
  }
  return {
    client,
    isAlive: () => (kind === "cluster" ? client.status !== "end" : client.status === "ready"),
    end: () => client.disconnect(),
  };
}
