// Answers that several servers share, kept in Redis: one entry for each question, sealed, for as long as it counts.

import type * as cryptoModule from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { maxSharedAnswerCharacters } from "../../core/limits.ts";
import { madeOnce } from "../../core/load.ts";
import type { SharedAnswers, SharedLook } from "../../resource-server/shared-answers.ts";
import { keysOf, sealedValues, type GivenKey, type SealedValues } from "../sealed-value.ts";
import { textOf, type RedisCommands } from "./redis-commands.ts";
import { freeTurn, keepAnswer, lookAtAnswer } from "./redis-scripts.ts";

/** What answers are kept with. */
export interface RedisAnswersParts {
  readonly commands: RedisCommands;
  readonly key: GivenKey;
  readonly prefix: string;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** The place of one question, and what opens it. */
interface Entry {
  readonly name: string;
  readonly values: SealedValues;
}

// Four bytes of UTF-8 for a character at most, then Base64, and what a seal adds.
const maxSealedCharacters: number = 6 * maxSharedAnswerCharacters;

function digestOf(key: Uint8Array, ...words: readonly string[]): Buffer {
  const { createHmac }: typeof cryptoModule = process.getBuiltinModule("node:crypto");
  return createHmac("sha256", key)
    .update(JSON.stringify(["latchkey shared answers", ...words]))
    .digest();
}

/** The answers of one prefix and key. */
export class RedisAnswers implements SharedAnswers {
  readonly #parts: RedisAnswersParts;
  readonly #root: () => Promise<Uint8Array>;

  constructor(parts: RedisAnswersParts) {
    this.#parts = parts;
    this.#root = madeOnce(async () => {
      const [first = new Uint8Array()] = await keysOf(parts.key);
      return digestOf(first);
    });
  }

  async look(question: string, turnMilliseconds: number): Promise<SharedLook> {
    const entry = await this.#entryOf(question);
    const turn = Buffer.from(this.#parts.randomBytes(16)).toString("base64url");
    let unusable = "";
    for (;;) {
      const parameters = [turn, String(turnMilliseconds), unusable, String(maxSealedCharacters)];
      const { reply } = await this.#parts.commands.run(lookAtAnswer, [entry.name], parameters);
      const [state, sealed] = reply.map(textOf);
      if (state === "turn") return { state, turn };
      // Where somebody puts one unusable answer after the other, it is not worth a third look.
      if (state !== "answered" || sealed === undefined || unusable !== "") {
        return { state: "asking" };
      }
      const look = this.#opened(entry, sealed, Number(reply[2]));
      if (look !== undefined) return look;
      unusable = sealed;
    }
  }

  async keep(question: string, answer: string, milliseconds: number): Promise<void> {
    const { name, values } = await this.#entryOf(question);
    const until = this.#parts.clock.now() + milliseconds;
    const sealed = values.seal(JSON.stringify({ until, answer }), name);
    await this.#parts.commands.run(keepAnswer, [name], [sealed, String(milliseconds)]);
  }

  async leave(question: string, turn: string): Promise<void> {
    const { name } = await this.#entryOf(question);
    await this.#parts.commands.run(freeTurn, [name], [turn]);
  }

  /**
   * Undefined where it is over, was changed, or belongs elsewhere. Its time is in the seal too, by the clock of the machine
   * that put it there: whoever can write to Redis keeps no answer beyond it.
   */
  #opened({ name, values }: Entry, sealed: string, leftInRedis: number): SharedLook | undefined {
    const opened = values.open(sealed, name);
    if (opened.state !== "open") return undefined;
    const { until, answer } = JSON.parse(opened.text) as { until: number; answer: string };
    const millisecondsLeft = Math.min(leftInRedis, until - this.#parts.clock.now());
    return millisecondsLeft > 0 ? { state: "answered", answer, millisecondsLeft } : undefined;
  }

  /**
   * Names and keys of their own for each question: a name tells nothing to who has no key, and no key seals as much as
   * its random nonces allow, however many tokens come.
   */
  async #entryOf(question: string): Promise<Entry> {
    const root = await this.#root();
    const digest = digestOf(root, "name", question).toString("base64url");
    return {
      name: `${this.#parts.prefix}:answers:{${digest}}`,
      values: sealedValues([digestOf(root, "seal", question)]),
    };
  }
}
