// The clients that people have, as one: npm `redis` (one server, cluster, sentinel) and `ioredis`. Changes when one of
// them is called in another way.

/** What is needed of a connection to Redis, whichever client makes it. */
export interface RedisClient {
  /** Where it leads, for people; without a name or a password. */
  readonly location: string;
  /** Runs a command whose first key is `key`. */
  command(key: string, words: readonly string[]): Promise<unknown>;
  /** Runs a command once on each server that has keys of its own. */
  commandEverywhere(words: readonly string[]): Promise<readonly ServerReply[]>;
  /** A connection of its own that hears what is published. */
  subscribe(channel: string, listener: () => void): Promise<Subscription>;
}

/** A server, and a way to ask the same one again. */
export interface ServerReply {
  readonly reply: unknown;
  readonly again: (words: readonly string[]) => Promise<unknown>;
}

/** Something that is heard until it is stopped. */
export interface Subscription {
  stop(): void;
}

type Call = (...words: unknown[]) => unknown;

/** What a client of either package has, as far as it matters here. All of it is looked at before it is used. */
interface AnyClient {
  readonly options?: unknown;
  readonly call?: Call;
  readonly sendCommand?: Call;
  readonly nodes?: (role: string) => readonly AnyClient[];
  readonly masters?: readonly unknown[];
  readonly nodeClient?: (node: unknown) => unknown;
  readonly isCluster?: boolean;
  readonly isOpen?: boolean;
  readonly connect?: () => Promise<unknown>;
  readonly duplicate?: (...parameters: unknown[]) => AnyClient;
  readonly subscribe?: Call;
  readonly unsubscribe?: Call;
  readonly on?: (event: string, listener: (...values: never[]) => void) => unknown;
  readonly disconnect?: () => unknown;
  readonly destroy?: () => unknown;
  readonly getSentinelNode?: unknown;
}

const has = (client: AnyClient, name: keyof AnyClient): boolean =>
  typeof client[name] === "function";

/** Whether a value is a client of a known kind. */
export function isRedisClient(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const client = value as AnyClient;
  return has(client, "duplicate") && (has(client, "call") || has(client, "sendCommand"));
}

/** The same for both packages. @param location where it leads, where that is known better than the client tells. */
export function redisClient(value: object, location?: string): RedisClient {
  const client = value as AnyClient;
  // Both have `sendCommand`, each with other parameters.
  const kind = has(client, "call") ? ioredis(client) : nodeRedis(client);
  return { ...kind, location: location ?? locationOf(client) };
}

type Kind = Omit<RedisClient, "location">;

function ioredis(client: AnyClient): Kind {
  const call = async (on: AnyClient, words: readonly string[]): Promise<unknown> =>
    on.call?.(...words);
  return {
    command: (_key, words) => call(client, words),
    commandEverywhere: async (words) => {
      const servers = client.isCluster === true ? (client.nodes?.("master") ?? []) : [client];
      return Promise.all(
        servers.map(async (server) => ({
          reply: await call(server, words),
          again: (next: readonly string[]) => call(server, next),
        })),
      );
    },
    subscribe: async (channel, listener) => {
      const ownOptions = { lazyConnect: true, enableOfflineQueue: true };
      const own =
        client.isCluster === true
          ? client.duplicate?.([], ownOptions)
          : client.duplicate?.(ownOptions);
      if (own === undefined) throw new TypeError("A client that cannot be duplicated.");
      silence(own);
      own.on?.("message", listener);
      try {
        await own.connect?.();
        await own.subscribe?.(channel);
      } catch (error) {
        own.disconnect?.();
        throw error;
      }
      return { stop: () => void own.disconnect?.() };
    },
  };
}

function nodeRedis(client: AnyClient): Kind {
  const isCluster = "masters" in client && has(client, "nodeClient");
  const isSentinel = "getSentinelNode" in client;
  const send = async (on: AnyClient, words: readonly string[]): Promise<unknown> =>
    on.sendCommand?.(words);
  return {
    command: async (key, words) => {
      if (isCluster) return client.sendCommand?.(key, false, words);
      return isSentinel ? client.sendCommand?.(false, words) : send(client, words);
    },
    commandEverywhere: async (words) => {
      if (isSentinel) {
        const again = async (next: readonly string[]): Promise<unknown> =>
          client.sendCommand?.(false, next);
        return [{ reply: await again(words), again }];
      }
      const servers = isCluster
        ? await Promise.all((client.masters ?? []).map((node) => client.nodeClient?.(node)))
        : [client];
      return Promise.all(
        (servers as AnyClient[]).map(async (server) => ({
          reply: await send(server, words),
          again: (next: readonly string[]) => send(server, next),
        })),
      );
    },
    subscribe: async (channel, listener) => {
      // Sentinel and cluster clients hear by themselves, over connections that are theirs.
      const own = isSentinel ? client : client.duplicate?.();
      if (own === undefined) throw new TypeError("A client that cannot be duplicated.");
      if (own !== client) {
        silence(own);
        await own.connect?.();
      }
      const heard = (): void => listener();
      try {
        await own.subscribe?.(channel, heard);
      } catch (error) {
        if (own !== client) await own.destroy?.();
        throw error;
      }
      return {
        stop: () => {
          const ended = async (): Promise<unknown> =>
            own === client ? own.unsubscribe?.(channel, heard) : own.destroy?.();
          ended().catch(() => undefined);
        },
      };
    },
  };
}

/** What goes wrong on a connection of our own is seen where it is used, and must not end the program. */
function silence(client: AnyClient): void {
  client.on?.("error", () => undefined);
  client.on?.("node error", () => undefined);
}

function locationOf({ options }: AnyClient): string {
  const own = (options ?? {}) as Record<string, unknown>;
  const { host, port, path } = { ...own, ...((own["socket"] ?? {}) as Record<string, unknown>) };
  if (typeof path === "string" && path !== "") return path;
  const at = typeof port === "number" || typeof port === "string" ? port : 6379;
  return typeof host === "string" ? `${host}:${at}` : "Redis";
}
