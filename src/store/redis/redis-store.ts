// Keeps sign-ins in Redis, for programs on any number of machines. Changes when its parts are put together in another way.

import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/events.ts";
import type { Warn } from "../../core/warning.ts";
import type { GivenKey } from "../sealed-value.ts";
import type { TokenStore } from "../token-store.ts";
import { RedisCommands } from "./redis-commands.ts";
import type { RedisClient } from "./redis-client.ts";
import { leaseTimes, type LeaseTimes } from "./redis-lease.ts";
import { RedisLock } from "./redis-lock.ts";
import { RedisNews } from "./redis-news.ts";
import { RedisRecords } from "./redis-records.ts";
import { createSeals } from "../seals.ts";

/** What a store in Redis is made with. */
export interface RedisStoreOptions {
  /** The connection, made when it is first needed. */
  readonly client: () => Promise<RedisClient>;
  /** Lets the next command make it anew, where it is the store's own. */
  readonly renew?: (() => Promise<void>) | undefined;
  /** Where it leads, for people. */
  readonly location: string;
  /** The command that shows whether it runs. */
  readonly check?: string | undefined;
  readonly key: GivenKey;
  readonly prefix: string;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Tells this machine from others. */
  readonly machine: string;
  readonly onWarning?: Warn | undefined;
  readonly logger?: Logger | undefined;
  readonly times?: LeaseTimes;
  /** How long one command is tried for. */
  readonly patienceMilliseconds?: number;
}

// A restart takes a second or two, a failover a few more.
const patience = 10_000;

/** A store in Redis: records by compare and swap, and a lock with a time limit and a fence. Nothing is sent yet. */
export function createRedisStore(
  options: RedisStoreOptions,
): TokenStore & Required<Pick<TokenStore, "reach" | "tidy" | "holder">> {
  const { client, clock, prefix, location, randomBytes, logger, onWarning, machine } = options;
  const patienceMilliseconds = options.patienceMilliseconds ?? patience;
  const { renew, check } = options;
  const context = { client, renew, location, check, clock, patienceMilliseconds };
  const commands = new RedisCommands(context);
  const seals = createSeals(options.key, clock);
  const place = `Redis at ${location}`;
  const records = new RedisRecords({
    commands,
    seals,
    prefix,
    location: place,
    onWarning,
  });
  const lock = new RedisLock({
    commands,
    seals,
    news: new RedisNews(client),
    prefix,
    times: options.times ?? leaseTimes,
    clock,
    randomBytes,
    logger,
    machine,
  });
  return {
    level: "caller-key",
    location: place,
    reach: lock.reach,
    read: (key) => records.read(key),
    replace: (key, expectedVersion, next, fence) =>
      records.replace(key, expectedVersion, next, fence),
    list: () => records.list(),
    tidy: (key) => records.tidy(key),
    acquire: (key, acquireOptions) => lock.acquire(key, acquireOptions),
    holder: (key) => lock.holder(key),
  };
}
