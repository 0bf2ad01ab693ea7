// Answers in Redis that resource servers share, as an embedding program makes them. Changes when they gain an option.

import { systemClock } from "../core/clock.ts";
import { maxSharedLookMilliseconds } from "../core/limits.ts";
import { ownOptions } from "../options/own-options.ts";
import type { SharedAnswers } from "../resource-server/shared-answers.ts";
import { RedisAnswers } from "../store/redis/redis-answers.ts";
import { RedisCommands } from "../store/redis/redis-commands.ts";
import { randomBytes } from "./open-file-store.ts";
import { redisOptionNames, redisPlace, type RedisSettings } from "./redis-options.ts";

/** Options of {@link redisAnswers}: `key`, and either `url` or `client`. */
export interface RedisAnswersSettings extends RedisSettings {}

/** Answers in Redis. */
export interface RedisSharedAnswers extends SharedAnswers {
  /** Ends the connections that were made for them. A `client` that was given stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Shares in Redis (or Valkey) what providers said of tokens, for the option `sharedAnswers` of `createResourceServer`: one
 * server asks, the others know. Every value is sealed, and names are digests under `key`: who reads Redis learns neither
 * a token nor whose it is. Whoever has the key can make up an answer, and so an identity. Of several keys the first one is
 * used, and a function is asked once. Nothing is loaded or sent before the first use.
 * @throws {OidcError} `invalid_option`.
 */
export function redisAnswers(settings: RedisAnswersSettings): RedisSharedAnswers {
  const own = ownOptions(settings, redisOptionNames, '{ url: "redis://127.0.0.1:6379", key }');
  const { connection, location, check, key, prefix } = redisPlace(own, "redisAnswers");
  const commands = new RedisCommands({
    client: () => connection.client(),
    renew: () => connection.renew(),
    location,
    check,
    clock: systemClock,
    patienceMilliseconds: maxSharedLookMilliseconds,
    // A server that is not there is not waited for: the provider is asked.
    maxTries: 1,
  });
  const answers = new RedisAnswers({ commands, key, prefix, clock: systemClock, randomBytes });
  const close = (): Promise<void> => connection.close();
  return {
    look: (question, turnMilliseconds) => answers.look(question, turnMilliseconds),
    keep: (question, answer, milliseconds) => answers.keep(question, answer, milliseconds),
    leave: (question, turn) => answers.leave(question, turn),
    close,
    [Symbol.asyncDispose]: close,
  };
}
