// A sign-in under the lock, and what the call wants from it. Changes when what comes before or after a sign-in does.

import { nowSeconds } from "../core/clock.ts";
import type { OidcError } from "../core/errors.ts";
import { isFresh } from "../record/fresh.ts";
import type { SessionRecord } from "../record/format.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { PromptLimiter } from "./prompt-limiter.ts";
import { isTakenOver, startLeaving } from "./leaving.ts";
import {
  assertSamePerson,
  loginRequired,
  settledEvent,
  tooManyRounds,
  wasRefusedByPerson,
} from "./outcomes.ts";
import { namedRecord } from "./person-name.ts";
import { personRequired } from "./person-required.ts";
import { recordOfClientToken, recordOfSignIn, recordWithOwnTokenAs } from "./record-of.ts";
import type { RefreshUnderLock } from "./refresh-under-lock.ts";
import { isWithoutIdTokens, lacksIdToken, matchRecord } from "./cache-match.ts";
import {
  idTokenNotGiven,
  nobodyToStepUp,
  noIdToken,
  notSteppedUp,
  targetNotGiven,
} from "./variant-errors.ts";
import { unmetStepUpOf } from "./token-variant.ts";
import type { TokenTarget } from "../record/format.ts";
import { maxRounds, type AcquiredToken, type Work, type WorkParts } from "./work.ts";

/** The sign-ins of one key. */
export class SignInUnderLock {
  readonly #parts: WorkParts;
  readonly #writer: AnswerWriter;
  readonly #refresh: RefreshUnderLock;
  readonly #limiter: PromptLimiter;

  constructor(parts: WorkParts, writer: AnswerWriter, refresh: RefreshUnderLock) {
    this.#parts = parts;
    this.#writer = writer;
    this.#refresh = refresh;
    const { newRecordId, warn } = writer;
    this.#limiter = new PromptLimiter({
      ...parts,
      newRecordId,
      warn,
      most: parts.maxUnansweredPrompts,
    });
  }

  /** One sign-in, and what the call wants from it. Never a second one: what it does not give is not given. */
  async signInFor(
    record: SessionRecord | undefined,
    refused: OidcError | undefined,
    work: Work,
  ): Promise<AcquiredToken> {
    const { flows, config } = this.#parts;
    const { target, stepUp, tokenKind } = work.criteria;
    if (!flows.needsPerson) {
      if (stepUp !== undefined) throw nobodyToStepUp(config, stepUp);
      if (tokenKind === "id_token") throw noIdToken(config, "no_person");
      return this.#signInAndStore(record, work, () => Promise.resolve());
    }
    if (isWithoutIdTokens(record, work.criteria)) throw idTokenNotGiven(config);
    const signedIn = await this.#signIn(record, refused, work);
    if (lacksIdToken(signedIn.record, work.criteria, nowSeconds(this.#parts.world.clock))) {
      throw idTokenNotGiven(config);
    }
    const unmet =
      stepUp && unmetStepUpOf(signedIn.record, stepUp, nowSeconds(this.#parts.world.clock));
    if (stepUp !== undefined && unmet !== undefined) {
      throw notSteppedUp(config, stepUp, unmet);
    }
    return target === undefined ? signedIn : this.#targetFrom(signedIn.record, target, work);
  }

  /** The token for a target from a sign-in that was made for it. */
  async #targetFrom(
    signedIn: SessionRecord,
    target: TokenTarget,
    work: Work,
  ): Promise<AcquiredToken> {
    const { repository, config } = this.#parts;
    let record = signedIn;
    let cause: OidcError | undefined;
    for (let rounds = 0; cause === undefined && record.refreshToken !== undefined; rounds += 1) {
      if (rounds === maxRounds) throw tooManyRounds();
      work.tell("refresh");
      const { refreshToken } = record;
      const refreshed = await this.#refresh.refresh({ ...record, refreshToken }, work);
      if (refreshed.state === "renewed") return { ...refreshed.acquired, source: "login" };
      if (refreshed.state === "refused") cause = refreshed.error;
      const current = await repository.read();
      if (current === undefined) throw loginRequired(config, "no_token");
      const found = matchRecord(
        current,
        work.criteria,
        config,
        nowSeconds(this.#parts.world.clock),
      );
      if (found !== undefined) return { record: found, source: "cache" };
      record = current;
    }
    const own = record.accessToken;
    const isCovered =
      own !== null &&
      isFresh(own, 1, nowSeconds(this.#parts.world.clock)) &&
      target.resources === null &&
      (target.scopes ?? []).every((scope) => own.scopes.includes(scope));
    if (!isCovered) throw targetNotGiven(config, target, cause?.cause ?? cause);
    const make = (previous: SessionRecord = record): SessionRecord =>
      recordWithOwnTokenAs(target, previous, this.#writer.context(previous, previous.clientId));
    const kept = await this.#writer.write(record, make, work.criteria, {
      afterLogout: "discard",
      fence: work.fence,
    });
    return { record: kept, source: "login" };
  }

  async #signIn(
    record: SessionRecord | undefined,
    refused: OidcError | undefined,
    work: Work,
  ): Promise<AcquiredToken> {
    const { world, config } = this.#parts;
    const { criteria } = work;
    if (!criteria.interactive) throw refused ?? personRequired(config, record, criteria, world);
    // A sign-in on purpose (`login`) is no prompt that came by itself.
    const onPurpose = criteria.mustBeKept;
    if (!onPurpose) this.#limiter.assertLeft(record);
    work.tell("login");
    let failure: unknown;
    let counted: Promise<void> | undefined;
    let promptedAt = Number.POSITIVE_INFINITY;
    const count = async (): Promise<void> => {
      await (onPurpose ? this.#limiter.begin() : this.#limiter.spend());
      promptedAt = world.clock.monotonic();
    };
    const beforePrompt = (): Promise<void> => (counted ??= count());
    const leaving = startLeaving(work.signal, work.takenOver);
    try {
      const { signal, onAnswer } = leaving;
      const task = { ...work, signal };
      const result = await this.#signInAndStore(record, task, beforePrompt, onAnswer);
      this.#limiter.signedIn();
      return result;
    } catch (error) {
      failure = leaving.failureOf(error);
      const milliseconds = world.clock.monotonic() - promptedAt;
      const isPersonThere = isTakenOver(failure) || wasRefusedByPerson(error, milliseconds);
      if (onPurpose || isPersonThere) await this.#limiter.clear();
      throw failure;
    } finally {
      leaving.stop();
      world.prompt(settledEvent(failure));
    }
  }

  async #signInAndStore(
    before: SessionRecord | undefined,
    work: Work,
    beforePrompt: () => Promise<void>,
    onAnswer?: () => void,
  ): Promise<AcquiredToken> {
    const { criteria, signal } = work;
    const { target, stepUp } = criteria;
    const variant = {
      target,
      grantedScopes: target === undefined ? undefined : before?.accessToken?.scopes,
      acrValues: stepUp?.acrValues,
      maxAgeSeconds: stepUp?.maxAgeSeconds,
    };
    const knownMethod = before?.authenticationMethod;
    const occasion = { signal, beforePrompt, onAnswer, knownMethod, before };
    const answer = await this.#parts.flows.signIn(occasion, variant);
    const make = (previous: SessionRecord | undefined): SessionRecord => {
      const context = this.#writer.context(previous, answer.clientId);
      // Later than what the call asked for, even within one millisecond or with a clock that was set back.
      const now = Math.max(context.now, (criteria.signedInSince ?? 0) + 1);
      return this.#parts.flows.needsPerson
        ? recordOfSignIn(answer, { ...context, now })
        : recordOfClientToken(answer, target, { ...context, now });
    };
    const previous = await this.#parts.repository.read();
    const isOnesOwn = target !== undefined || stepUp !== undefined;
    if (isOnesOwn || this.#parts.config.isOneAccount === true) {
      assertSamePerson(previous, answer, this.#parts.config);
    }
    const record = await this.#writer.write(previous, make, criteria, {
      afterLogout: "keep",
      fence: work.fence,
    });
    if (!this.#parts.flows.needsPerson) return { record, source: "login" };
    const naming = { ...this.#parts, newRecordId: this.#writer.newRecordId };
    return { record: await namedRecord(record, answer, naming, work.signal), source: "login" };
  }
}
