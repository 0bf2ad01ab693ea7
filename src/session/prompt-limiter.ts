// How often a person may be asked in vain: counted durably, for all processes together. Changes when that rule does.

import { isOidcError, OidcError, wordingOf } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { Warn } from "../core/warning.ts";
import { sentences, signInAnew } from "../core/wording.ts";
import type { SessionRecord } from "../record/format.ts";
import { isSignedIn, type RecordRepository } from "./record-repository.ts";
import { providerOf } from "./outcomes.ts";
import type { SessionConfig } from "./criteria.ts";
import { nextPartVersion } from "../record/version.ts";

const windowMilliseconds = 3600_000;

/** What a budget needs. */
export interface PromptLimiterParts {
  readonly world: World;
  readonly repository: RecordRepository;
  readonly config: SessionConfig;
  readonly newRecordId: () => string;
  /** Unanswered prompts in an hour. */
  readonly most: number;
  readonly warn: Warn;
}

/**
 * The prompts of one key. A laptop that wakes up, or a poll in the background, must not open one tab after another
 * while nobody looks.
 */
export class PromptLimiter {
  readonly #parts: PromptLimiterParts;
  /** What could not be counted durably: this process at least must not ask again and again. */
  #countedHere: number[] = [];

  constructor(parts: PromptLimiterParts) {
    this.#parts = parts;
  }

  /** @throws {OidcError} `login_required` (reason `prompt_budget`) where nothing is left. */
  assertLeft(record: SessionRecord | undefined): void {
    const { config, most } = this.#parts;
    const unanswered = this.#recent(record).length;
    if (unanswered < most) return;
    const times = unanswered === 1 ? "once" : `${String(unanswered)} times`;
    const host = providerOf(config);
    throw new OidcError(
      "login_required",
      `Nobody finished signing in at ${host} when asked to (${times} within the last hour), so nobody is asked again by itself.`,
      { reason: "prompt_budget", remedy: [signInAnew] },
    );
  }

  /**
   * Counts a prompt that is about to be shown. Where the count cannot be written, the person is told and the prompt is
   * shown all the same; it counts in this process then.
   * @throws {OidcError} `login_required` (reason `prompt_budget`).
   */
  async spend(): Promise<void> {
    const now = this.#parts.world.clock.now();
    const isWritten = await this.#amend((current) => {
      this.assertLeft(current);
      return [...this.#recent(current), now];
    });
    this.#countedHere = isWritten ? [] : [...this.#countedHere, now];
  }

  /** Forgets what was counted: somebody has answered, or has ended a sign-in on purpose. */
  async clear(): Promise<void> {
    this.signedIn();
    await this.#amend((current) => {
      const isCounting = current !== undefined && !isSignedIn(current);
      return isCounting || current?.unansweredPrompts !== undefined ? [] : "keep";
    });
  }

  /**
   * The same for a sign-in on purpose that begins: where nobody has signed in yet, a record without a count stays until it
   * ends, so that others can be told who is at it (`latchkey status`).
   */
  async begin(): Promise<void> {
    this.signedIn();
    try {
      await this.#parts.repository.update((current) =>
        current !== undefined && current.unansweredPrompts === undefined
          ? "keep"
          : this.#withCount(current, []),
      );
    } catch (error) {
      // The sign-in itself cannot be kept then, and says so.
      if (!isOidcError(error)) throw error;
    }
  }

  /** The new record has no count; nor has this process. */
  signedIn(): void {
    this.#countedHere = [];
  }

  #recent(record: SessionRecord | undefined): number[] {
    const now = this.#parts.world.clock.now();
    // A time ahead of the clock was counted before the clock was set back: it is as old as can be.
    return [...(record?.unansweredPrompts ?? []), ...this.#countedHere].filter(
      (at) => at <= now && now - at < windowMilliseconds,
    );
  }

  /** False where it could not be written; the person is told. */
  async #amend(
    change: (current: SessionRecord | undefined) => readonly number[] | "keep",
  ): Promise<boolean> {
    try {
      await this.#parts.repository.update((current) => {
        const prompts = change(current);
        if (prompts === "keep") return "keep";
        // A record that only counts goes with the count.
        if (prompts.length === 0 && current !== undefined && !isSignedIn(current)) return undefined;
        return this.#withCount(current, prompts);
      });
      return true;
    } catch (error) {
      if (!isOidcError(error) || error.code === "login_required") throw error;
      this.#parts.warn(
        error.code,
        sentences(
          "The prompt could not be counted, so it may be shown again too soon.",
          wordingOf(error),
        ),
      );
      return false;
    }
  }

  #withCount(current: SessionRecord | undefined, prompts: readonly number[]): SessionRecord {
    const version = nextPartVersion(current, this.#parts.newRecordId);
    const { unansweredPrompts: _before, ...rest } = current ?? this.#nobodyYet();
    return prompts.length === 0
      ? { ...rest, version }
      : { ...rest, unansweredPrompts: [...prompts], version };
  }

  /** A record for nothing but the count. */
  #nobodyYet(): SessionRecord {
    const { key, issuer, clientId } = this.#parts.config;
    return {
      key,
      version: "",
      issuer,
      clientId,
      tokenEndpoint: "",
      authenticationMethod: "none",
      accessToken: null,
      signedInAt: 0,
      renewedAt: 0,
    };
  }
}
