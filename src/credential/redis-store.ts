// The store in Redis, as an embedding program makes it. Changes when it gains an option.

import { systemClock } from "../core/clock.ts";
import { worded } from "../core/wording.ts";
import { hostIdentity } from "../lock/host.ts";
import { ownOptions } from "../options/own-options.ts";
import { refusal } from "../options/validate.ts";
import { createRedisStore } from "../store/redis/redis-store.ts";
import type { StoreWarning, TokenStore } from "../store/token-store.ts";
import { randomBytes } from "./open-file-store.ts";
import { redisOptionNames, redisPlace, type RedisSettings } from "./redis-options.ts";

/** Options of {@link redisStore}: `key`, and either `url` or `client`. */
export interface RedisStoreSettings extends RedisSettings {
  /** Told of what was set aside. Default: nobody. */
  onWarning?: StoreWarning | undefined;
}

/** A store in Redis. */
export interface RedisStore extends TokenStore {
  /** Ends the connections that the store has made. A `client` that it was given stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const names = [...redisOptionNames, "onWarning"];

/**
 * Keeps sign-ins in Redis (or Valkey), for programs on any number of machines: one of them renews or signs in, all of them
 * get the token. Every value is sealed with `key`, and names are digests: who reads Redis learns neither a token nor whose
 * it is. Nothing is loaded or sent before the first use.
 * @throws {OidcError} `invalid_option`.
 */
export function redisStore(settings: RedisStoreSettings): RedisStore {
  const own = ownOptions(settings, names, '{ url: "redis://127.0.0.1:6379", key }');
  const { onWarning } = own;
  const { connection, ...place } = redisPlace(own, "redisStore");
  if (onWarning !== undefined && typeof onWarning !== "function") {
    throw refusal("`onWarning`", onWarning, "a function");
  }
  const warn = onWarning as StoreWarning | undefined;
  const close = (): Promise<void> => connection.close();
  return {
    ...createRedisStore({
      ...place,
      client: () => connection.client(),
      renew: () => connection.renew(),
      clock: systemClock,
      randomBytes,
      machine: hostIdentity(),
      onWarning: (code, said) => warn?.(code, worded(said)),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
