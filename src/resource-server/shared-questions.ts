// Asks once for all servers, and never waits long for that: where the shared answers cannot be had, a server asks by itself.

import type { Clock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import {
  maxSharedAnswerCharacters,
  maxSharedLookMilliseconds,
  sharedPauseMilliseconds,
  sharedTurnMilliseconds,
  sharedWaitMilliseconds,
} from "../core/limits.ts";
import type { ResourceServerEvent } from "./resource-server-types.ts";
import type { SharedAnswers, SharedLook } from "./shared-answers.ts";
import type { AskingRoute } from "./token-routes.ts";

type Claims = Readonly<Record<string, unknown>>;

/** What another server was told. */
export interface SharedFinding {
  /** Undefined: the token is none of the provider's, or not any more. */
  readonly claims: Claims | undefined;
  /** For how long it may be used. */
  readonly secondsLeft: number;
}

/** The caller is to ask. It ends with one of these; neither waits, and neither fails. */
export interface SharedTurn {
  /** Hands on what the provider said, for so long from the beginning of the turn. */
  keep(claims: Claims | undefined, seconds: number): void;
  /** The provider did not answer: another server may try. */
  leave(): void;
}

/** What questions are shared with. */
export interface SharedQuestionsParts {
  readonly shared: SharedAnswers;
  readonly clock: Clock;
  readonly onEvent: ((event: ResourceServerEvent) => void) | undefined;
}

const firstPauseMilliseconds = 20;
const longestPauseMilliseconds = 200;

function claimsIn(answer: string): Claims | undefined {
  const value: unknown = answer.length > maxSharedAnswerCharacters ? answer : JSON.parse(answer);
  if (value === null) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return value as Claims;
  throw new TypeError("A shared answer is an object, or null.");
}

/** The questions of one server. */
export class SharedQuestions {
  readonly #parts: SharedQuestionsParts;
  /** On the monotonic clock; undefined while the shared answers can be had. */
  #nextTrialAt: number | undefined;

  constructor(parts: SharedQuestionsParts) {
    this.#parts = parts;
  }

  /** What is known of a question, or the turn to ask. It never rejects. */
  async find(question: string, { rules, mode }: AskingRoute): Promise<SharedFinding | SharedTurn> {
    const { clock, onEvent } = this.#parts;
    const { issuer } = rules;
    const startedAt = clock.monotonic();
    const tell = (outcome: "found" | "none" | "unavailable", reason?: string): void => {
      const milliseconds = Math.round(clock.monotonic() - startedAt);
      onEvent?.({ type: "shared", issuer, mode, outcome, reason, milliseconds });
    };
    if (!this.#isTried()) {
      tell("unavailable", "left_alone");
      return this.#turn(question, undefined);
    }
    try {
      const look = await this.#look(question);
      const finding: SharedFinding | undefined =
        look.state === "answered"
          ? { claims: claimsIn(look.answer), secondsLeft: look.millisecondsLeft / 1000 }
          : undefined;
      this.#nextTrialAt = undefined;
      tell(finding === undefined ? "none" : "found");
      return finding ?? this.#turn(question, look);
    } catch (error) {
      this.#nextTrialAt = clock.monotonic() + sharedPauseMilliseconds;
      tell("unavailable", isOidcError(error) ? error.reason : undefined);
      return this.#turn(question, undefined);
    }
  }

  /** After a failure one question in a while is the trial; the others do not wait for it. */
  #isTried(): boolean {
    if (this.#nextTrialAt === undefined) return true;
    const now = this.#parts.clock.monotonic();
    if (now < this.#nextTrialAt) return false;
    this.#nextTrialAt = now + sharedPauseMilliseconds;
    return true;
  }

  /** Looks until there is an answer or a turn, or the wait for the other server is over. */
  async #look(question: string): Promise<SharedLook> {
    const { shared, clock } = this.#parts;
    const until = clock.monotonic() + sharedWaitMilliseconds;
    let pause = firstPauseMilliseconds;
    for (;;) {
      const look = await this.#inTime(shared.look(question, sharedTurnMilliseconds));
      if (look.state !== "asking" || clock.monotonic() + pause > until) return look;
      await clock.sleep(pause);
      pause = Math.min(2 * pause, longestPauseMilliseconds);
    }
  }

  async #inTime<Value>(work: Promise<Value>): Promise<Value> {
    const done = new AbortController();
    const tooLate = this.#parts.clock
      .sleep(maxSharedLookMilliseconds, { signal: done.signal })
      .then(() => {
        throw new Error("The shared answers did not come in time.");
      });
    tooLate.catch(() => undefined);
    work.catch(() => undefined);
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      done.abort();
    }
  }

  /** @param look undefined where nothing can be shared. */
  #turn(question: string, look: SharedLook | undefined): SharedTurn {
    const { shared, clock } = this.#parts;
    if (look === undefined) return { keep: () => undefined, leave: () => undefined };
    const startedAt = clock.monotonic();
    const leave = (): void => {
      // Who waited too long for another server has no turn to end.
      if (look.state === "turn") shared.leave(question, look.turn).catch(() => undefined);
    };
    return {
      leave,
      keep(claims, seconds) {
        const answer = JSON.stringify(claims ?? null);
        const milliseconds = Math.floor(seconds * 1000 - (clock.monotonic() - startedAt));
        if (milliseconds <= 0 || answer.length > maxSharedAnswerCharacters) {
          leave();
          return;
        }
        shared.keep(question, answer, milliseconds).catch(() => undefined);
      },
    };
  }
}
