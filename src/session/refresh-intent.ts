// A refresh written into the record before it is sent, so that an answer which is lost with its process is not taken
// for a refusal. Changes when step 6 or 8 of docs/lock/protocol.md does.

import type { World } from "../core/world.ts";
import type { RefreshIntent as IntentRecord, SessionRecord } from "../record/format.ts";
import type { RefreshableRecord } from "./flows.ts";
import type { RecordRepository } from "./record-repository.ts";
import { isOidcError, wordingOf } from "../core/errors.ts";
import type { Warn } from "../core/warning.ts";
import { sentences } from "../core/wording.ts";
import { nextPartVersion, tokensVersionOf } from "../record/version.ts";

/** For so long the refresh of another host is left alone, in milliseconds: its lock cannot be waited for. */
export const otherHostMilliseconds = 30_000;
/** For so long another host's answer may be on its way to this one's view of the file, in milliseconds. */
export const lateWriteMilliseconds = 2000;
const pollMilliseconds = 200;

/** What came of writing an intent. */
export type WrittenIntent =
  | { readonly state: "written"; readonly record: RefreshableRecord }
  /** Somebody else changed the record meanwhile: look again. */
  | { readonly state: "changed" };

/** What an intent is written with. */
export interface RefreshIntentParts {
  readonly world: World;
  readonly repository: RecordRepository;
  readonly host: () => string;
  readonly newRecordId: () => string;
  readonly warn: Warn;
}

/** The intent to refresh the record of one key. */
export class RefreshIntent {
  readonly #parts: RefreshIntentParts;

  constructor(parts: RefreshIntentParts) {
    this.#parts = parts;
  }

  /** True for an intent whose process this lock has outlived. */
  isOfThisHost(intent: IntentRecord): boolean {
    return intent.host === this.#parts.host();
  }

  /**
   * Writes the intent durably into the record, which was read under the lock. Where it cannot be written the person is
   * told, and the refresh goes on without: a token in memory is better than none (docs/lock/protocol.md, step 1). Not
   * where others may take the lock after some time (`fence`): without an intent they would send the same refresh token.
   * The number itself it does not get: the answer to an earlier holder's request must still find its place.
   */
  async write(record: RefreshableRecord, fence?: number): Promise<WrittenIntent> {
    const { world, repository, host, newRecordId, warn } = this.#parts;
    const intent = {
      nonce: Buffer.from(world.randomBytes(12)).toString("hex"),
      host: host(),
      at: world.clock.now(),
    };
    let written: SessionRecord | undefined;
    try {
      written = await repository.update(
        (current) =>
          current?.version === record.version
            ? { ...current, intent, version: nextPartVersion(current, newRecordId) }
            : "keep",
        record,
      );
      // Another host has another lock: of two that wrote at once, the one that is read back goes on.
      const seen = await repository.read();
      if (seen?.intent?.nonce !== intent.nonce) return { state: "changed" };
    } catch (error) {
      if (!isOidcError(error) || fence !== undefined) throw error;
      warn(
        error.code,
        sentences("The renewal goes on, but other programs cannot see it.", wordingOf(error)),
      );
    }
    return {
      state: "written",
      record: { ...(written ?? record), refreshToken: record.refreshToken },
    };
  }

  /** Takes the intent back, where the request changed nothing; `before` is what was found in its place. */
  async clear(written: SessionRecord, before: IntentRecord | undefined): Promise<void> {
    const { repository, newRecordId } = this.#parts;
    const nonce = written.intent?.nonce;
    try {
      await repository.update((current) => {
        if (current === undefined || nonce === undefined || current.intent?.nonce !== nonce) {
          return "keep";
        }
        const { intent: _cleared, ...rest } = current;
        const version = nextPartVersion(current, newRecordId);
        return before === undefined ? { ...rest, version } : { ...rest, intent: before, version };
      });
    } catch (error) {
      // Left behind it costs one careful look at the next refresh; the error that led here says more.
      if (!isOidcError(error)) throw error;
    }
  }

  /** Waits for the refresh of another host. True as soon as the record has changed, false when its time is up. */
  async awaitOtherHost(
    record: SessionRecord,
    intent: IntentRecord,
    signal: AbortSignal,
  ): Promise<boolean> {
    // Clocks of two hosts differ: one that is ahead must not make this one wait for longer than the time itself.
    const age = Math.max(0, this.#parts.world.clock.now() - intent.at);
    return this.#changes(otherHostMilliseconds - age, signal, (current) => {
      return current.version !== record.version;
    });
  }

  /** Looks whether somebody else's tokens have taken the place of these, once or for a while. */
  async isOvertaken(
    record: RefreshableRecord,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    return this.#changes(milliseconds, signal, (current) => {
      return (
        tokensVersionOf(current) !== tokensVersionOf(record) ||
        current.refreshToken !== record.refreshToken
      );
    });
  }

  async #changes(
    milliseconds: number,
    signal: AbortSignal,
    isNews: (current: SessionRecord) => boolean,
  ): Promise<boolean> {
    const { clock } = this.#parts.world;
    const end = clock.monotonic() + milliseconds;
    for (;;) {
      const current = await this.#parts.repository.read();
      if (current === undefined || isNews(current)) return true;
      const left = end - clock.monotonic();
      if (left <= 0) return false;
      await clock.sleep(Math.min(pollMilliseconds, left), { signal });
    }
  }
}
