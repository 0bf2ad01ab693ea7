// The store in Redis, as an embedding program makes it. Changes when it gains an option.

import { systemClock } from "../core/clock.ts";
import { worded } from "../core/wording.ts";
import { hostIdentity } from "../lock/host.ts";
import { ownOptions } from "../options/own-options.ts";
import { refusal } from "../options/validate.ts";
import { acceptedAddresses, parseRedisAddress } from "../store/redis/redis-address.ts";
import { isRedisClient, redisClient } from "../store/redis/redis-client.ts";
import { connectionTo, type RedisConnection } from "../store/redis/redis-connection.ts";
import { acceptedPrefix } from "../store/redis/redis-names.ts";
import { createRedisStore } from "../store/redis/redis-store.ts";
import { isGivenKey, keyBytes } from "../store/sealed-value.ts";
import type { StoreWarning, TokenStore } from "../store/token-store.ts";
import { randomBytes } from "./open-file-store.ts";

/** Options of {@link redisStore}: `key`, and either `url` or `client`. */
export interface RedisStoreSettings {
  /**
   * Where Redis is: `redis://[NAME:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://` for TLS (which trusts what Node trusts),
   * `redis+cluster://HOST:PORT,HOST:PORT` or `redis+sentinel://HOST:PORT,HOST:PORT/NAME[/DATABASE]`. The package `redis`
   * or, where that is not installed, `ioredis` is loaded at the first use.
   */
  url?: string | undefined;
  /**
   * A client of the package `redis` (5 and later; connected; of a server, a cluster or sentinels) or `ioredis` (5 and
   * later) that the program has already. It stays the program's: whoever made it listens to its errors and closes it.
   */
  client?: object | undefined;
  /**
   * What seals every value (AES-256-GCM): 32 random bytes, or an async function that gives them. To change keys without
   * anybody signing in again, give several: the first one seals, all of them open.
   */
  key: Uint8Array | readonly Uint8Array[] | (() => Promise<Uint8Array | readonly Uint8Array[]>);
  /** What all names in Redis begin with: programs with the same one share their sign-ins. Default `latchkey`. */
  prefix?: string | undefined;
  /** Told of what was set aside. Default: nobody. */
  onWarning?: StoreWarning | undefined;
}

/** A store in Redis. */
export interface RedisStore extends TokenStore {
  /** Ends the connections that the store has made. A `client` that it was given stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const names = ["url", "client", "key", "prefix", "onWarning"] as const;

/** A connection, and where it leads. */
interface Given {
  readonly connection: RedisConnection;
  readonly location: string;
  readonly check?: string;
}

/** The client of the caller's own, or one that is made for the address. */
function connectionOf(url: unknown, client: unknown): Given {
  if (client === undefined) {
    const address = typeof url === "string" ? parseRedisAddress(url) : undefined;
    if (address === undefined) throw refusal("`url`", url, acceptedAddresses);
    const { location, check } = address;
    return { connection: connectionTo(address), location, check };
  }
  if (!isRedisClient(client)) {
    throw refusal("`client`", client, "a client of the package redis or ioredis");
  }
  const known = redisClient(client as object);
  const nothing = (): Promise<void> => Promise.resolve();
  const connection = { client: () => Promise.resolve(known), renew: nothing, close: nothing };
  return { connection, location: known.location };
}

/**
 * Keeps sign-ins in Redis (or Valkey), for programs on any number of machines: one of them renews or signs in, all of them
 * get the token. Every value is sealed with `key`, and names are digests: who reads Redis learns neither a token nor whose
 * it is. Nothing is loaded or sent before the first use.
 * @throws {OidcError} `invalid_option`.
 */
export function redisStore(settings: RedisStoreSettings): RedisStore {
  const own = ownOptions(settings, names, '{ url: "redis://127.0.0.1:6379", key }');
  const { url, client, key, prefix = "latchkey", onWarning } = own;
  if ((url === undefined) === (client === undefined)) {
    throw refusal("`redisStore`", settings, "either `url` or `client`");
  }
  if (!isGivenKey(key)) {
    const accepted = `${keyBytes} bytes, several such keys, or a function that gives them`;
    throw refusal("`key`", key, accepted);
  }
  if (typeof prefix !== "string" || !acceptedPrefix.test(prefix)) {
    throw refusal("`prefix`", prefix, "up to 100 letters, digits and any of _ . : / -");
  }
  if (onWarning !== undefined && typeof onWarning !== "function") {
    throw refusal("`onWarning`", onWarning, "a function");
  }
  const warn = onWarning as StoreWarning | undefined;
  const { connection, location, check } = connectionOf(url, client);
  const close = (): Promise<void> => connection.close();
  return {
    ...createRedisStore({
      client: () => connection.client(),
      renew: () => connection.renew(),
      location,
      check,
      key,
      prefix,
      clock: systemClock,
      randomBytes,
      machine: hostIdentity(),
      onWarning: (code, said) => warn?.(code, worded(said)),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
