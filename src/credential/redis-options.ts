// What everything that is kept in Redis is told: where that is, the key, and what names begin with.

import { refusal } from "../options/validate.ts";
import { acceptedAddresses, parseRedisAddress } from "../store/redis/redis-address.ts";
import { isRedisClient, redisClient } from "../store/redis/redis-client.ts";
import { connectionTo, type RedisConnection } from "../store/redis/redis-connection.ts";
import { acceptedPrefix } from "../store/redis/redis-names.ts";
import { isGivenKey, keyBytes, type GivenKey } from "../store/sealed-value.ts";

/** Options that all of it has: `key`, and either `url` or `client`. */
export interface RedisSettings {
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
   * What seals every value (AES-256-GCM): 32 random bytes, or an async function that gives them. To change keys while
   * programs run, give several: the first one seals, all of them open.
   */
  key: Uint8Array | readonly Uint8Array[] | (() => Promise<Uint8Array | readonly Uint8Array[]>);
  /** What all names in Redis begin with: programs with the same one share what they keep. Default `latchkey`. */
  prefix?: string | undefined;
}

/** The names of these options. */
export const redisOptionNames = ["url", "client", "key", "prefix"] as const;

/** The same, checked, with a connection that is not made yet. */
export interface RedisPlaceOptions {
  readonly connection: RedisConnection;
  readonly location: string;
  readonly check: string | undefined;
  readonly key: GivenKey;
  readonly prefix: string;
}

/** The client of the caller's own, or one that is made for the address. */
function connectionOf(
  url: unknown,
  client: unknown,
): Pick<RedisPlaceOptions, "connection" | "location" | "check"> {
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
  return { connection, location: known.location, check: undefined };
}

/**
 * @param of the function that was called, for its error.
 * @throws {OidcError} `invalid_option`.
 */
export function redisPlace(own: Readonly<Record<string, unknown>>, of: string): RedisPlaceOptions {
  const { url, client, key, prefix = "latchkey" } = own;
  if ((url === undefined) === (client === undefined)) {
    throw refusal(`\`${of}\``, own, "either `url` or `client`");
  }
  if (!isGivenKey(key)) {
    const accepted = `${keyBytes} bytes, several such keys, or a function that gives them`;
    throw refusal("`key`", key, accepted);
  }
  if (typeof prefix !== "string" || !acceptedPrefix.test(prefix)) {
    throw refusal("`prefix`", prefix, "up to 100 letters, digits and any of _ . : / -");
  }
  return { ...connectionOf(url, client), key, prefix };
}
