// Runs scripts on Redis, and again where the connection was lost in between. Changes when the rules of trying again do.

import type { Clock } from "../../core/clock.ts";
import { isOidcError } from "../../core/errors.ts";
import type { RedisClient } from "./redis-client.ts";
import { isPassing, refused, unreachable } from "./redis-failure.ts";
import type { RedisScript } from "./redis-scripts.ts";

/** What commands are run with. */
export interface CommandContext {
  /** The connection; made at the first command. */
  readonly client: () => Promise<RedisClient>;
  /** Where it leads, for people. */
  readonly location: string;
  readonly clock: Clock;
  /** How long one command is tried for. */
  readonly patienceMilliseconds: number;
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

/** Rejects when the time is over, whatever the client still waits for: some keep a command until Redis is back. */
async function within<Value>(
  clock: Clock,
  milliseconds: number,
  work: Promise<Value>,
): Promise<Value> {
  const over = new AbortController();
  // Whoever waits for the time no longer wants the answer, nor its failure.
  work.catch(() => undefined);
  const late = async (): Promise<never> => {
    await clock.sleep(milliseconds, { signal: over.signal });
    throw new Error("Redis did not answer in time.");
  };
  const lateness = late();
  lateness.catch(() => undefined);
  try {
    return await Promise.race([work, lateness]);
  } finally {
    over.abort();
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
   * @throws {OidcError} `store_unavailable`, reasons `unreachable`, `refused`, `client_missing`.
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

  /** Runs a command that only reads on each server that has keys of its own. */
  async everywhere(words: readonly string[]): ReturnType<RedisClient["commandEverywhere"]> {
    const { patienceMilliseconds } = this.#context;
    return (await this.#persist((client) => client.commandEverywhere(words), patienceMilliseconds))
      .reply;
  }

  async #persist<Reply>(
    work: (client: RedisClient) => Promise<Reply>,
    patienceMilliseconds: number,
  ): Promise<{ reply: Reply; tries: number }> {
    const { clock, location } = this.#context;
    const attempt = async (): Promise<Reply> => work(await this.#context.client());
    const end = clock.monotonic() + patienceMilliseconds;
    for (let tries = 1; ; tries += 1) {
      const left = end - clock.monotonic();
      try {
        return { reply: await within(clock, Math.max(left, 1), attempt()), tries };
      } catch (error) {
        if (isOidcError(error)) throw error;
        if (!isPassing(error)) throw refused(location, error);
        if (end - clock.monotonic() <= pauseMilliseconds) throw unreachable(location, error);
        await clock.sleep(pauseMilliseconds);
      }
    }
  }
}
