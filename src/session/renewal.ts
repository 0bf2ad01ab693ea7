// The work under the lock: refresh or sign-in, in the order that loses no token. Changes when step 5 or 6 of
// docs/lock/protocol.md does.

import { isErrorOf, isOidcError, type OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type { AccessToken } from "../core/types.ts";
import type { WarningEvent } from "../core/prompt.ts";
import type { World } from "../core/world.ts";
import { isFresh } from "../record/fresh.ts";
import type { SessionRecord } from "../record/format.ts";
import type { WorkPhase } from "../store/token-store.ts";
import { PromptBudget } from "./budget.ts";
import type { Flows, RefreshableRecord } from "./flows.ts";
import { isTakenOver, startLeaving } from "./leaving.ts";
import {
  assertSamePerson,
  leftNothingBehind,
  loginRequired,
  providerOf,
  refusesItsIdToken,
  refusesRefreshToken,
  settledEvent,
  tellOfRefusedIdToken,
  tooManyRounds,
  wasRefusedByPerson,
} from "./outcomes.ts";
import { namedRecord } from "./person-name.ts";
import { personRequired } from "./person-required.ts";
import {
  recordOfClientToken,
  recordOfRefresh,
  recordOfSignIn,
  recordWithoutRefreshToken,
  recordWithOtherToken,
  recordWithOwnTokenAs,
  type AnswerContext,
} from "./record-of.ts";
import type { KeepRules, RecordRepository } from "./record-repository.ts";
import { lateWriteMilliseconds, RefreshIntent } from "./refresh-intent.ts";
import {
  isWithoutIdTokens,
  lacksIdToken,
  mayRefresh,
  satisfying,
  type Bound,
  type Wanted,
} from "./satisfy.ts";
import { shortfallOf, type Target } from "./wish.ts";
import {
  idTokenNotGiven,
  nobodyToStepUp,
  noIdToken,
  notSteppedUp,
  refusesTarget,
  targetNotCovered,
  targetNotGiven,
} from "./wish-errors.ts";

/** What the work is done with. */
export interface RenewalParts {
  readonly world: World;
  readonly repository: RecordRepository;
  readonly flows: Flows;
  readonly bound: Bound;
  readonly host: () => string;
  readonly mostUnansweredPrompts: number;
}

/** One piece of work under the lock. */
export interface Work {
  readonly wanted: Wanted;
  readonly signal: AbortSignal;
  /** Tells everybody who waits what is being done. */
  readonly tell: (phase: WorkPhase) => void;
  /** Whether the lock keeps other processes of this host out. */
  readonly locked: boolean;
  /** Aborts when a person wants to sign in at another process instead. */
  readonly takenOver?: AbortSignal | undefined;
  readonly onAnswer?: () => void;
}

/** What a call gets: the record, and where its token came from. */
export interface Result {
  readonly record: SessionRecord;
  readonly source: AccessToken["source"];
}

type Refreshed =
  | { readonly state: "renewed"; readonly result: Result }
  /** Somebody else changed the record meanwhile: look again. */
  | { readonly state: "changed" }
  | { readonly state: "refused"; readonly error: OidcError };

// Each round meets another writer who really wrote; more in a row means that something else is wrong.
const mostRounds = 20;

/** Refreshes and signs in for one key. */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #intent: RefreshIntent;
  readonly #budget: PromptBudget;
  /** What could not be written on the way; what became of the tokens themselves says more, where they came. */
  #unsaid: WarningEvent | undefined;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    const newRecordId = (): string => this.#newRecordId();
    const warn = (code: string, message: string): void => {
      this.#unsaid ??= { type: "warning", code, message };
    };
    this.#intent = new RefreshIntent({ ...parts, newRecordId, warn });
    const most = parts.mostUnansweredPrompts;
    this.#budget = new PromptBudget({ ...parts, newRecordId, warn, most });
  }

  /**
   * Does what the call needs; the caller holds the lock.
   * @throws {OidcError} the outcome, which is every waiter's too.
   */
  async renew(work: Work): Promise<Result> {
    try {
      return await this.#renew(work);
    } finally {
      if (this.#unsaid !== undefined) this.#parts.world.prompt(this.#unsaid);
      this.#unsaid = undefined;
    }
  }

  async #renew(work: Work): Promise<Result> {
    const { wanted, tell } = work;
    for (let rounds = 0; rounds < mostRounds; rounds += 1) {
      const record = await this.#parts.repository.read();
      const found = satisfying(record, wanted, this.#parts.bound, this.#nowSeconds());
      if (found !== undefined) return { record: found, source: "cache" };
      if (!mayRefresh(record, wanted, this.#parts.bound, this.#nowSeconds())) {
        return this.#signInFor(record, undefined, work);
      }
      tell("refresh");
      emit(this.#parts.world.logger, "refresh.needed", { host: providerOf(this.#parts.bound) });
      const refreshed = await this.#refresh(record, work);
      if (refreshed.state === "renewed") {
        const { result } = refreshed;
        if (!lacksIdToken(result.record, wanted, this.#nowSeconds())) return result;
        return this.#signInFor(result.record, noIdToken(this.#parts.bound, "not_renewed"), work);
      }
      if (refreshed.state === "refused") return this.#signInFor(record, refreshed.error, work);
    }
    throw tooManyRounds();
  }

  async #refresh(record: RefreshableRecord, work: Work): Promise<Refreshed> {
    const found = record.intent;
    // Without a lock another process of this host counts as another host (docs/lock/protocol.md, step 8).
    if (found !== undefined && !(work.locked && this.#intent.isOfThisHost(found))) {
      if (await this.#intent.awaitOtherHost(record, found, work.signal)) {
        return { state: "changed" };
      }
    }
    const written = await this.#intent.write(record);
    if (written.state === "changed") return { state: "changed" };
    const base = written.record;
    const { target } = work.wanted;
    emit(this.#parts.world.logger, "refresh.announced", { host: providerOf(this.#parts.bound) });
    try {
      const answer = await this.#parts.flows.refresh(base, work.signal, target);
      const make = (previous: SessionRecord = base): SessionRecord => {
        const context = this.#context(previous, base.clientId);
        return target === undefined
          ? recordOfRefresh(answer, previous, context)
          : recordWithOtherToken(answer, previous, target, context);
      };
      // Durable before anybody has the new access token: a rotated refresh token exists nowhere else (R08).
      const kept = await this.#keep(base, make, work.wanted, {
        afterLogout: "discard",
        // Whoever wrote meanwhile still has the refresh token that this answer has replaced (another host).
        supersedes: ({ refreshToken }) => refreshToken === base.refreshToken,
      });
      return { state: "renewed", result: { record: kept, source: "refresh" } };
    } catch (error) {
      if (target !== undefined && refusesTarget(error)) {
        // The refresh token is as good as before, and so are all tokens (R12).
        await this.#intent.clear(base, found);
        return { state: "refused", error: targetNotCovered(this.#parts.bound, target, error) };
      }
      if (refusesRefreshToken(error) || refusesItsIdToken(error)) {
        return this.#refused(base, record, error, work);
      }
      if (leftNothingBehind(error)) await this.#intent.clear(base, found);
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
    const { repository, host, bound, world } = this.#parts;
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
      await repository.update((current) =>
        current?.refreshToken === base.refreshToken
          ? recordWithoutRefreshToken(current, ended, () => this.#newRecordId())
          : "keep",
      );
    } catch (writeError) {
      // The refresh token is dead wherever it is kept; the next program will find that out once more.
      if (!isOidcError(writeError)) throw writeError;
    }
    if (byIdToken) tellOfRefusedIdToken(this.#parts.world, error, work.wanted);
    const { absence } = world;
    return { state: "refused", error: loginRequired(bound, ended, { cause: error, absence }) };
  }

  /** One sign-in, and what the call wants from it. Never a second one: what it does not give is not given. */
  async #signInFor(
    record: SessionRecord | undefined,
    refused: OidcError | undefined,
    work: Work,
  ): Promise<Result> {
    const { flows, bound } = this.#parts;
    const { target, stepUp, tokenKind } = work.wanted;
    if (!flows.needsPerson) {
      if (stepUp !== undefined) throw nobodyToStepUp(bound, stepUp);
      if (tokenKind === "id_token") throw noIdToken(bound, "no_person");
      return this.#obtain(record, work, () => Promise.resolve());
    }
    if (isWithoutIdTokens(record, work.wanted)) throw idTokenNotGiven(bound);
    const signedIn = await this.#signIn(record, refused, work);
    if (lacksIdToken(signedIn.record, work.wanted, this.#nowSeconds())) {
      throw idTokenNotGiven(bound);
    }
    const shortfall = stepUp && shortfallOf(signedIn.record, stepUp, this.#nowSeconds());
    if (stepUp !== undefined && shortfall !== undefined) {
      throw notSteppedUp(bound, stepUp, shortfall);
    }
    return target === undefined ? signedIn : this.#targetFrom(signedIn.record, target, work);
  }

  /** The token for a target from a sign-in that was made for it. */
  async #targetFrom(signedIn: SessionRecord, target: Target, work: Work): Promise<Result> {
    const { repository, bound } = this.#parts;
    let record = signedIn;
    let cause: OidcError | undefined;
    for (let rounds = 0; cause === undefined && record.refreshToken !== undefined; rounds += 1) {
      if (rounds === mostRounds) throw tooManyRounds();
      work.tell("refresh");
      const { refreshToken } = record;
      const refreshed = await this.#refresh({ ...record, refreshToken }, work);
      if (refreshed.state === "renewed") return { ...refreshed.result, source: "login" };
      if (refreshed.state === "refused") cause = refreshed.error;
      const current = await repository.read();
      if (current === undefined) throw loginRequired(bound, "no_token");
      const found = satisfying(current, work.wanted, bound, this.#nowSeconds());
      if (found !== undefined) return { record: found, source: "cache" };
      record = current;
    }
    const own = record.accessToken;
    const isCovered =
      own !== null &&
      isFresh(own, 1, this.#nowSeconds()) &&
      target.resources === null &&
      (target.scopes ?? []).every((scope) => own.scopes.includes(scope));
    if (!isCovered) throw targetNotGiven(bound, target, cause?.cause ?? cause);
    const make = (previous: SessionRecord = record): SessionRecord =>
      recordWithOwnTokenAs(target, previous, this.#context(previous, previous.clientId));
    const kept = await this.#keep(record, make, work.wanted, { afterLogout: "discard" });
    return { record: kept, source: "login" };
  }

  async #signIn(
    record: SessionRecord | undefined,
    refused: OidcError | undefined,
    work: Work,
  ): Promise<Result> {
    const { world, bound } = this.#parts;
    const { wanted } = work;
    if (!wanted.interactive) throw refused ?? personRequired(bound, record, wanted, world);
    // A sign-in on purpose (`login`) is no prompt that came by itself.
    const onPurpose = wanted.mustBeKept;
    if (!onPurpose) this.#budget.assertLeft(record);
    work.tell("login");
    let failure: unknown;
    let counted: Promise<void> | undefined;
    let promptedAt = Number.POSITIVE_INFINITY;
    const count = async (): Promise<void> => {
      await (onPurpose ? this.#budget.begin() : this.#budget.spend());
      promptedAt = world.clock.monotonic();
    };
    const beforePrompt = (): Promise<void> => (counted ??= count());
    const leaving = startLeaving(work.signal, work.takenOver);
    try {
      const result = await this.#obtain(record, { ...work, ...leaving }, beforePrompt);
      this.#budget.signedIn();
      return result;
    } catch (error) {
      failure = leaving.failureOf(error);
      const milliseconds = world.clock.monotonic() - promptedAt;
      const isPersonThere = isTakenOver(failure) || wasRefusedByPerson(error, milliseconds);
      if (onPurpose || isPersonThere) await this.#budget.clear();
      throw failure;
    } finally {
      leaving.stop();
      world.prompt(settledEvent(failure));
    }
  }

  async #obtain(
    before: SessionRecord | undefined,
    work: Work,
    beforePrompt: () => Promise<void>,
  ): Promise<Result> {
    const { wanted, signal, onAnswer } = work;
    const { target, stepUp } = wanted;
    const variant = {
      target,
      grantedScopes: target === undefined ? undefined : before?.accessToken?.scopes,
      acrValues: stepUp?.acrValues,
      maxAgeSeconds: stepUp?.maxAgeSeconds,
    };
    const knownMethod = before?.authenticationMethod;
    const occasion = { signal, beforePrompt, onAnswer, knownMethod };
    const answer = await this.#parts.flows.signIn(occasion, variant);
    const make = (previous: SessionRecord | undefined): SessionRecord => {
      const context = this.#context(previous, this.#parts.bound.clientId);
      // Later than what the call asked for, even within one millisecond or with a clock that was set back.
      const now = Math.max(context.now, (wanted.signedInSince ?? 0) + 1);
      return this.#parts.flows.needsPerson
        ? recordOfSignIn(answer, { ...context, now })
        : recordOfClientToken(answer, target, { ...context, now });
    };
    const previous = await this.#parts.repository.read();
    const isOnesOwn = target !== undefined || stepUp !== undefined;
    if (isOnesOwn || this.#parts.bound.isOneAccount === true) {
      assertSamePerson(previous, answer, this.#parts.bound);
    }
    const record = await this.#keep(previous, make, wanted, { afterLogout: "keep" });
    if (!this.#parts.flows.needsPerson) return { record, source: "login" };
    const naming = { ...this.#parts, newRecordId: () => this.#newRecordId() };
    return { record: await namedRecord(record, answer, naming, work.signal), source: "login" };
  }

  #context(previous: SessionRecord | undefined, clientId: string): AnswerContext {
    return {
      key: this.#parts.bound.key,
      clientId,
      previous,
      now: this.#parts.world.clock.now(),
      newRecordId: () => this.#newRecordId(),
      host: this.#parts.host(),
    };
  }

  /** Gives the record as it was written. */
  async #keep(
    previous: SessionRecord | undefined,
    make: (previous: SessionRecord | undefined) => SessionRecord,
    wanted: Wanted,
    rules: Omit<KeepRules, "mustBeKept">,
  ): Promise<SessionRecord> {
    const { status, record } = await this.#parts.repository.replace(previous, make, {
      ...rules,
      ...(wanted.mustBeKept ? { mustBeKept: true } : {}),
    });
    this.#unsaid = undefined;
    if (status === "kept" || status === "in_memory") {
      const where = status === "kept" ? "store" : "memory";
      emit(this.#parts.world.logger, "record.kept", { where });
    }
    if (status === "logged_out") {
      // Whoever logged out could not know of these tokens (F-S18).
      await this.#parts.flows.revoke(record, new AbortController().signal).catch(() => undefined);
      throw loginRequired(this.#parts.bound, "no_token");
    }
    return record;
  }

  #nowSeconds(): number {
    return this.#parts.world.clock.now() / 1000;
  }

  #newRecordId(): string {
    return Buffer.from(this.#parts.world.randomBytes(12)).toString("hex");
  }
}
