// The clients of Redis that people have, as tests make them. Changes when a client is made in another way.
import { createRequire } from "node:module";
import { redisClient, type RedisClient } from "../../src/store/redis/redis-client.ts";

const require = createRequire(import.meta.url);

/** What tests do with a client themselves. */
interface OpenClient {
  /** The client as its package makes it. */
  readonly client: object;
  readonly close: () => Promise<void>;
}

interface NodeRedis {
  connect(): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  destroy(): unknown;
}

export type ClientName = "redis" | "ioredis";

/** Clients by the name of their package. */
const clientsOf: Readonly<Record<ClientName, (url: string) => Promise<OpenClient>>> = {
  redis: async (url) => {
    const { createClient } = require("redis") as {
      createClient: (options: object) => NodeRedis;
    };
    const client = createClient({ url });
    client.on("error", () => undefined);
    await client.connect();
    return { client, close: async () => void (await client.destroy()) };
  },
  ioredis: (url) => {
    const { Redis } = require("ioredis") as {
      Redis: new (url: string) => { on: NodeRedis["on"]; disconnect(): void };
    };
    const client = new Redis(url);
    client.on("error", () => undefined);
    return Promise.resolve({ client, close: () => Promise.resolve(client.disconnect()) });
  },
};

/** The same, as the store uses it. */
export async function openClient(
  name: ClientName,
  url: string,
): Promise<{ client: RedisClient; close: () => Promise<void> }> {
  const { client, close } = await clientsOf[name](url);
  return { client: redisClient(client), close };
}
