// A store in Redis by one client package, over a connection that it makes itself. Changes when tests need another one.

import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/core/clock.ts";
import { unloadable } from "../../src/core/load.ts";
import { parseRedisAddress } from "../../src/store/redis/redis-address.ts";
import { connectionTo, type RedisConnection } from "../../src/store/redis/redis-connection.ts";
import { createRedisStore, type RedisStoreOptions } from "../../src/store/redis/redis-store.ts";
import type { TokenStore } from "../../src/store/token-store.ts";
import type { ClientName } from "./redis-clients.ts";

/** What is given for a store. */
export interface OwnRedisStore {
  readonly url: string;
  readonly client: ClientName;
  readonly key: Uint8Array;
  readonly prefix: string;
  /** Default: by its name, as everybody does. */
  readonly load?: (name: string) => Promise<unknown>;
  readonly changes?: Partial<RedisStoreOptions>;
}

/** Only the package that is asked for is there. */
export function ownRedisStore(wish: OwnRedisStore): {
  readonly store: TokenStore;
  readonly connection: RedisConnection;
} {
  const address = parseRedisAddress(wish.url);
  if (address === undefined) throw new Error("not an address");
  const load = wish.load ?? ((name: string) => import(name));
  const connection = connectionTo(address, (name) =>
    name === wish.client
      ? load(name)
      : Promise.reject(unloadable({ code: "ERR_MODULE_NOT_FOUND" })),
  );
  const store = createRedisStore({
    client: () => connection.client(),
    renew: () => connection.renew(),
    location: address.location,
    check: address.check,
    key: wish.key,
    prefix: wish.prefix,
    clock: systemClock,
    randomBytes,
    machine: "here",
    ...wish.changes,
  });
  return { store, connection };
}
