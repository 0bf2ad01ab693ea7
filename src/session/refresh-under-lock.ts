// A refresh under the lock, in the order that loses no token. Changes when step 6 or 8 of docs/lock/protocol.md does.

import { isErrorOf, isOidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type { SessionRecord } from "../record/format.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import type { RefreshableRecord } from "./flows.ts";
import {
  hadNoEffect,
  loginRequired,
  providerOf,
  refusesItsIdToken,
  refusesRefreshToken,
  tellOfRefusedIdToken,
} from "./outcomes.ts";
import { recordOfRefresh, recordWithoutRefreshToken, recordWithOtherToken } from "./record-of.ts";
import { lateWriteMilliseconds, RefreshIntent } from "./refresh-intent.ts";
import { refusesTarget, targetNotCovered } from "./variant-errors.ts";
import type { Refreshed, Work, WorkParts } from "./work.ts";

/** The refreshes of one key. */
export class RefreshUnderLock {
  readonly #parts: WorkParts;
  readonly #writer: AnswerWriter;
  readonly #intent: RefreshIntent;

  constructor(parts: WorkParts, writer: AnswerWriter) {
    this.#parts = parts;
    this.#writer = writer;
    const { newRecordId, warn } = writer;
    this.#intent = new RefreshIntent({ ...parts, newRecordId, warn });
  }

  /** Refreshes; the caller holds the lock, and has read the record under it. */
  async refresh(record: RefreshableRecord, work: Work): Promise<Refreshed> {
    const found = record.intent;
    // Without a lock another process of this host counts as another host (docs/lock/protocol.md, step 8).
    if (found !== undefined && !(work.locked && this.#intent.isOfThisHost(found))) {
      if (await this.#intent.awaitOtherHost(record, found, work.signal)) {
        return { state: "changed" };
      }
    }
    const written = await this.#intent.write(record, work.fence);
    if (written.state === "changed") return { state: "changed" };
    const base = written.record;
    const { target } = work.criteria;
    emit(this.#parts.world.logger, "refresh.announced", { host: providerOf(this.#parts.config) });
    try {
      const answer = await this.#parts.flows.refresh(base, work.signal, target);
      const make = (previous: SessionRecord = base): SessionRecord => {
        const context = this.#writer.context(previous, base.clientId);
        return target === undefined
          ? recordOfRefresh(answer, previous, context)
          : recordWithOtherToken(answer, previous, target, context);
      };
      // Durable before anybody has the new access token: a rotated refresh token exists nowhere else (R08).
      const kept = await this.#writer.write(base, make, work.criteria, {
        afterLogout: "discard",
        fence: work.fence,
        // Whoever wrote meanwhile still has the refresh token that this answer has replaced (another host).
        supersedes: ({ refreshToken }) => refreshToken === base.refreshToken,
      });
      return { state: "renewed", acquired: { record: kept, source: "refresh" } };
    } catch (error) {
      if (target !== undefined && refusesTarget(error)) {
        // The refresh token is as good as before, and so are all tokens (R12).
        await this.#intent.clear(base, found);
        return { state: "refused", error: targetNotCovered(this.#parts.config, target, error) };
      }
      if (refusesRefreshToken(error) || refusesItsIdToken(error)) {
        return this.#refused(base, record, error, work);
      }
      if (hadNoEffect(error)) await this.#intent.clear(base, found);
      throw error;
    }
  }

  /**
   * The provider takes the refresh token no more: somebody else has used it, its answer was lost, or it is over. Or the
   * answer's ID token cannot be accepted: once an error, and not at every call.
   */
  async #refused(
    base: RefreshableRecord,
    before: SessionRecord,
    error: unknown,
    work: Work,
  ): Promise<Refreshed> {
    const { repository, host, config, world } = this.#parts;
    const found = before.intent;
    const isFromHere = found === undefined || this.#intent.isOfThisHost(found);
    const aloneHere = work.locked && isFromHere && [undefined, host()].includes(before.renewedOn);
    const byIdToken = refusesItsIdToken(error);
    const patience = aloneHere || byIdToken ? 0 : lateWriteMilliseconds;
    if (await this.#intent.isOvertaken(base, patience, work.signal)) return { state: "changed" };
    const isLost =
      !byIdToken && (found !== undefined || isErrorOf(error, "login_required", "refresh_lost"));
    const ended = isLost ? "refresh_lost" : "refresh_refused";
    // Only where it is still the stored one; the access token stays (R03).
    try {
      await repository.update(
        (current) =>
          current?.refreshToken === base.refreshToken
            ? recordWithoutRefreshToken(current, ended, this.#writer.newRecordId)
            : "keep",
        undefined,
        work.fence,
      );
    } catch (writeError) {
      // The refresh token is dead wherever it is kept; the next program will find that out once more.
      if (!isOidcError(writeError)) throw writeError;
    }
    if (byIdToken) tellOfRefusedIdToken(this.#parts.world, error, work.criteria);
    const { absence } = world;
    return { state: "refused", error: loginRequired(config, ended, { cause: error, absence }) };
  }
}
