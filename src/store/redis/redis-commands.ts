// Runs scripts on Redis, and again where the connection was lost in between. Changes when the rules of trying again do.

import type { Clock } from "../../core/clock.ts";
import { isOidcError } from "../../core/errors.ts";
import { startRunningTime, type RunningTime } from "../../lock/running-time.ts";
import type { RedisClient } from "./redis-client.ts";
import { failureOf, isPassing, isReplica, unreachable } from "./redis-failure.ts";
import type { RedisScript } from "./redis-scripts.ts";

/** What commands are run with. */
export interface CommandContext {
  /** The connection; made at the first command. */
  readonly client: () => Promise<RedisClient>;
  /** Lets the next command make it anew, where it is the store's own. */
  readonly renew?: (() => Promise<void>) | undefined;
  /** Where it leads, for people. */
  readonly location: string;
  /** The command that shows whether it runs, where that is known better than by the location. */
  readonly check?: string | undefined;
  readonly clock: Clock;
  /** How long one command is tried for. */
  readonly patienceMilliseconds: number;
  /** How often it is tried at most. Default: until that time is over. */
  readonly maxTries?: number | undefined;
}

/** What a script gave, and whether an earlier try may have been carried out without an answer. */
export interface ScriptReply {
  readonly reply: readonly unknown[];
  readonly mayHaveRunBefore: boolean;
}

const pauseMilliseconds = 100;

/** A text of a reply: clients give strings or, where they are told to, bytes; null where there is none. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : undefined;
}

/** How long something has been tried for, without the time in which this process did not come to run. */
class Patience {
  readonly #time: RunningTime;
  readonly #longest: number;
  readonly #over: Promise<never>;

  constructor(clock: Clock, milliseconds: number) {
    this.#longest = milliseconds;
    this.#time = startRunningTime(clock);
    this.#over = new Promise((_resolve, reject) => {
      this.#time.onTick = () => {
        if (this.isOver) reject(new Error("Redis did not answer in time."));
      };
    });
    this.#over.catch(() => undefined);
  }

  get isOver(): boolean {
    return this.#time.milliseconds >= this.#longest;
  }

  /** Rejects when the time is over, whatever the client still waits for: some keep a command until Redis is back. */
  async for<Value>(work: Promise<Value>): Promise<Value> {
    // Whoever no longer waits for the answer does not hear of its failure.
    work.catch(() => undefined);
    return Promise.race([work, this.#over]);
  }

  stop(): void {
    this.#time.stop();
  }
}

/** Runs scripts and commands. */
export class RedisCommands {
  readonly #context: CommandContext;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /**
   * Runs a script. Each of them can be run twice: what the first one did is what the second one finds.
   * @throws {OidcError} `store_unavailable`, reasons `unreachable`, `refused`, `untrusted`, `closed`, `client_missing`.
   */
  async run(
    script: RedisScript,
    keys: readonly string[],
    parameters: readonly string[],
    patienceMilliseconds: number = this.#context.patienceMilliseconds,
  ): Promise<ScriptReply> {
    const words = ["EVAL", script.text, String(script.keys), ...keys, ...parameters];
    const { reply, tries } = await this.#persist(
      (client) => client.command(keys[0] ?? "", words),
      patienceMilliseconds,
    );
    return { reply: Array.isArray(reply) ? reply : [reply], mayHaveRunBefore: tries > 1 };
  }

  /**
   * Runs a command that only reads on each server that has keys of its own. `again` asks the same server, once: another
   * connection would know nothing of what was asked before.
   * @throws {OidcError} as `run`.
   */
  async everywhere(words: readonly string[]): ReturnType<RedisClient["commandEverywhere"]> {
    const { patienceMilliseconds } = this.#context;
    const { reply: servers } = await this.#persist(
      (client) => client.commandEverywhere(words),
      patienceMilliseconds,
    );
    return servers.map(({ reply, again }) => ({
      reply,
      again: async (next) => {
        const patience = new Patience(this.#context.clock, patienceMilliseconds);
        try {
          return await patience.for(again(next));
        } catch (error) {
          throw failureOf(error, this.#context);
        } finally {
          patience.stop();
        }
      },
    }));
  }

  async #persist<Reply>(
    work: (client: RedisClient) => Promise<Reply>,
    patienceMilliseconds: number,
  ): Promise<{ reply: Reply; tries: number }> {
    const { clock, maxTries = Infinity } = this.#context;
    const attempt = async (): Promise<Reply> => work(await this.#context.client());
    const patience = new Patience(clock, patienceMilliseconds);
    try {
      for (let tries = 1; ; tries += 1) {
        try {
          return { reply: await patience.for(attempt()), tries };
        } catch (error) {
          if (isOidcError(error)) throw error;
          if (!isPassing(error)) throw failureOf(error, this.#context);
          if (isReplica(error)) await this.#context.renew?.();
          if (patience.isOver || tries >= maxTries) throw unreachable(error, this.#context);
          await clock.sleep(pauseMilliseconds);
        }
      }
    } finally {
      patience.stop();
    }
  }
}
