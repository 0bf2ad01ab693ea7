// The life of one sign-in: decides for each call between cache, refresh and sign-in. Changes when that decision does.
//
// | cached | call | then |
// |---|---|---|
// | satisfies the call | any | from the cache: no lock, no network, no protocol code |
// | does not | another process works on it | wait, share its outcome, read again |
// | refresh token | any but a forced sign-in | refresh; refused: the refresh token goes, then as without one |
// | no refresh token | may prompt | sign in |
// | no refresh token | may not prompt | `login_required` |
// | still valid for a moment | renewal failed for a passing reason | the cached token |

import { isOidcError, OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions, IdTokenClaims, LogoutResult } from "../core/types.ts";
import type { World } from "../core/world.ts";
import type { SessionRecord } from "../record/format.ts";
import type { Lease, SharedOutcome, TokenStore, WorkPhase } from "../store/token-store.ts";
import { accessTokenOf } from "./access-token.ts";
import { abortedError, Flight, raceAbort } from "./flight.ts";
import type { Flows, RefreshableRecord } from "./flows.ts";
import { decodeStoredIdToken } from "../core/stored-id-token.ts";
import { Keeper } from "./keeper.ts";
import { logoutUrlOf } from "./logout-url.ts";
import { isShared, loginRequired, passes, refusesRefreshToken } from "./outcomes.ts";
import {
  recordOfRefresh,
  recordOfSignIn,
  recordWithoutRefreshToken,
  type AnswerContext,
} from "./record-of.ts";
import { belongsTo, satisfying, wantedOf, type Bound, type Wanted } from "./satisfy.ts";
import type { Session, SignInResult, UserInfoClaims } from "./session-types.ts";

/** What a session is made from. */
export interface SessionParts {
  readonly world: World;
  readonly store: TokenStore;
  readonly flows: Flows;
  readonly bound: Bound;
  /** `forceLogin`: only sign-ins finished at this time or later count; milliseconds since the epoch. */
  readonly signedInSince: number | null;
}

interface Result {
  readonly record: SessionRecord;
  readonly source: AccessToken["source"];
}

// One look at the cache file a second: more often costs 18 times a memo (measured), more rarely misses a logout.
const memoMilliseconds = 1000;

/** The session of one key in one store. */
export class StoredSession implements Session {
  readonly #parts: SessionParts;
  readonly #keeper: Keeper;
  #flight: Flight<Result> | undefined;
  #memo: { record: SessionRecord; token: AccessToken; until: number } | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#keeper = new Keeper(parts.store, parts.bound.key, (code, message) => {
      parts.world.prompt({ type: "warning", code, message });
    });
  }

  async getToken(options: GetTokenOptions = {}): Promise<AccessToken> {
    const { world, bound, signedInSince } = this.#parts;
    const { signal, tokenKind = "access_token" } = options;
    if (signal?.aborted) throw abortedError(signal);
    const remembered = this.#remembered(options);
    if (remembered !== undefined) return remembered;
    const cached = await this.#keeper.read();
    const wanted = wantedOf(options, {
      personPresent: world.personPresent,
      signedInSince,
      version: cached?.version,
    });
    const record = satisfying(cached, wanted, bound, this.#nowSeconds());
    if (record !== undefined) return this.#handOut({ record, source: "cache" }, tokenKind);
    return this.#handOut(await this.#obtain(wanted, signal), tokenKind);
  }

  async login(options: { signal?: AbortSignal } = {}): Promise<SignInResult> {
    // Newer than what is cached, even within one millisecond or with a clock that was set back. A sign-in that another
    // process finishes meanwhile is as new.
    const signedInSince = Math.max(
      this.#parts.world.clock.now(),
      (await this.#keeper.read())?.signedInAt ?? 0,
    );
    const wanted: Wanted = {
      ...wantedOf({}, { personPresent: true, signedInSince, version: undefined }),
      mustBeKept: true,
    };
    const result = await this.#obtain(wanted, options.signal);
    return { record: result.record, token: this.#handOut(result, "access_token") };
  }

  async logout(options: { revoke?: boolean | undefined } = {}): Promise<LogoutResult> {
    this.#memo = undefined;
    const forgotten = await this.#keeper.forget();
    if (forgotten === undefined) return { forgotten: 0, revoked: "no" };
    if (options.revoke !== true) return { forgotten: 1, revoked: "no" };
    const revoked = await this.#parts.flows.revoke(forgotten, new AbortController().signal);
    const logoutUrl = logoutUrlOf(forgotten);
    return { forgotten: 1, revoked, ...(logoutUrl === undefined ? {} : { logoutUrl }) };
  }

  async userInfo(
    options: { signal?: AbortSignal; interactive?: boolean } = {},
  ): Promise<UserInfoClaims> {
    const signal = options.signal ?? new AbortController().signal;
    const { token } = await this.getToken({ signal, interactive: options.interactive });
    const record = await this.current();
    if (record === undefined) throw loginRequired(this.#parts.bound, "no_token");
    return raceAbort(this.#parts.flows.userInfo(record, token, signal), signal);
  }

  async current(): Promise<SessionRecord | undefined> {
    const record = await this.#keeper.read();
    return record !== undefined && belongsTo(record, this.#parts.bound) ? record : undefined;
  }

  async claims(): Promise<IdTokenClaims | undefined> {
    const idToken = (await this.current())?.idToken;
    return idToken === undefined ? undefined : decodeStoredIdToken(idToken);
  }

  #nowSeconds(): number {
    return this.#parts.world.clock.now() / 1000;
  }

  /** The token of the last moment, for a call that asks for nothing special. */
  #remembered(options: GetTokenOptions): AccessToken | undefined {
    const memo = this.#memo;
    if (memo === undefined || this.#parts.world.clock.monotonic() >= memo.until) return undefined;
    if (options.forceRefresh === true || options.rejectedToken !== undefined) return undefined;
    if (options.tokenKind === "id_token") return undefined;
    const wanted = wantedOf(options, {
      personPresent: false,
      signedInSince: this.#parts.signedInSince,
      version: undefined,
    });
    return satisfying(memo.record, wanted, this.#parts.bound, this.#nowSeconds()) && memo.token;
  }

  #handOut(result: Result, tokenKind: "access_token" | "id_token"): AccessToken {
    const token = accessTokenOf(result.record, tokenKind, result.source);
    if (tokenKind === "access_token") {
      const remembered =
        result.source === "cache" ? token : accessTokenOf(result.record, tokenKind, "cache");
      this.#memo = {
        record: result.record,
        token: remembered,
        until: this.#parts.world.clock.monotonic() + memoMilliseconds,
      };
    }
    return token;
  }

  async #obtain(wanted: Wanted, signal: AbortSignal | undefined): Promise<Result> {
    try {
      return await this.#fly(wanted, signal);
    } catch (error) {
      const record =
        wanted.mustBeKept || !passes(error) ? undefined : await this.#stillValid(wanted);
      if (record === undefined) throw error;
      return { record, source: "cache" };
    }
  }

  /** The cached record where its token is good for a moment, though not for as long as the call asked. */
  async #stillValid(wanted: Wanted): Promise<SessionRecord | undefined> {
    try {
      const record = await this.#keeper.read();
      const lenient = { ...wanted, minValiditySeconds: 1 };
      return satisfying(record, lenient, this.#parts.bound, this.#nowSeconds());
    } catch {
      // The error that led here says more than a second one about the cache.
      return undefined;
    }
  }

  /** Joins the work of this process, or starts it, until the outcome is this call's too. */
  async #fly(wanted: Wanted, signal: AbortSignal | undefined): Promise<Result> {
    for (;;) {
      const running = this.#flight;
      const flight = running ?? this.#startFlight(wanted);
      const own = running === undefined;
      try {
        const result = await flight.join({ signal, waitForLogin: own || wanted.interactive });
        if (own || satisfying(result.record, wanted, this.#parts.bound, this.#nowSeconds())) {
          return result;
        }
      } catch (error) {
        if (own || signal?.aborted || !isOidcError(error) || isShared(error, wanted)) throw error;
      }
    }
  }

  #startFlight(wanted: Wanted): Flight<Result> {
    const flight = new Flight<Result>(async (signal, announce) => {
      try {
        return await this.#work(wanted, signal, announce);
      } finally {
        this.#flight = undefined;
      }
    });
    this.#flight = flight;
    return flight;
  }

  /** Takes the lock, or shares the outcome of whoever holds it. */
  async #work(
    wanted: Wanted,
    signal: AbortSignal,
    announce: (phase: WorkPhase) => void,
  ): Promise<Result> {
    this.#parts.flows.assertConfigured();
    for (;;) {
      const acquired = await this.#acquire(wanted, signal, announce);
      if (acquired.held) return this.#underLock(acquired, wanted, signal, announce);
      const record = await this.#keeper.read();
      const found = satisfying(record, wanted, this.#parts.bound, this.#nowSeconds());
      if (found !== undefined) return { record: found, source: "cache" };
      if (acquired.outcome?.kind === "failed") {
        const error = OidcError.deserialize(acquired.outcome.error);
        if (isShared(error, wanted)) throw error;
      }
      announce("refresh");
    }
  }

  async #acquire(
    wanted: Wanted,
    signal: AbortSignal,
    announce: (phase: WorkPhase) => void,
  ): Promise<Lease | SharedOutcome> {
    const { store, bound, world, flows } = this.#parts;
    let waiting = false;
    let failure: unknown;
    try {
      return await store.acquire(bound.key, {
        signal,
        longestWorkSeconds: (phase) => flows.longestWorkSeconds[phase],
        waitForLogin: wanted.interactive,
        onWaiting: (holder) => {
          waiting = true;
          announce(holder.phase);
          world.prompt({ type: "waitingForOther", ...holder });
        },
      });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      if (waiting) this.#settle(failure);
    }
  }

  #settle(failure: unknown): void {
    this.#parts.world.prompt({
      type: "settled",
      ...(isOidcError(failure) ? { error: failure } : {}),
    });
  }

  async #underLock(
    lease: Lease,
    wanted: Wanted,
    signal: AbortSignal,
    announce: (phase: WorkPhase) => void,
  ): Promise<Result> {
    const tell = (phase: WorkPhase): void => {
      announce(phase);
      lease.announce(phase);
    };
    try {
      const result = await this.#renew(wanted, signal, tell);
      await lease.finish({ kind: "done", version: result.record.version });
      return result;
    } catch (error) {
      await (isOidcError(error)
        ? lease.finish({ kind: "failed", error: error.serialize() })
        : lease.abandon());
      throw error;
    }
  }

  /** The work itself, the lock held. */
  async #renew(
    wanted: Wanted,
    signal: AbortSignal,
    tell: (phase: WorkPhase) => void,
  ): Promise<Result> {
    const { bound, flows } = this.#parts;
    const record = await this.#keeper.read();
    const found = satisfying(record, wanted, bound, this.#nowSeconds());
    if (found !== undefined) return { record: found, source: "cache" };
    let refused: unknown;
    if (record !== undefined && this.#mayRefresh(record, wanted)) {
      tell("refresh");
      try {
        return await this.#refresh(record, wanted, signal);
      } catch (error) {
        if (!refusesRefreshToken(error)) throw error;
        await this.#dropRefreshToken(record);
        refused = error;
      }
    }
    if (!flows.needsPerson) return this.#signIn(wanted, signal);
    if (!wanted.interactive) throw this.#cannotPrompt(refused);
    tell("login");
    let failure: unknown;
    try {
      return await this.#signIn(wanted, signal);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.#settle(failure);
    }
  }

  #mayRefresh(record: SessionRecord, wanted: Wanted): record is RefreshableRecord {
    const signedInBefore =
      wanted.signedInSince !== null && record.signedInAt <= wanted.signedInSince;
    return (
      record.refreshToken !== undefined && belongsTo(record, this.#parts.bound) && !signedInBefore
    );
  }

  /** Deletes the refused refresh token only where it is still the stored one; the access token stays (R03). */
  async #dropRefreshToken(record: SessionRecord): Promise<void> {
    const next = recordWithoutRefreshToken(record, () => this.#newRecordId());
    await this.#keeper.replace(record, next, { afterLogout: "discard" });
  }

  #cannotPrompt(refused: unknown): OidcError {
    if (isOidcError(refused) && refused.code === "login_required") return refused;
    return loginRequired(
      this.#parts.bound,
      refused === undefined ? "no_token" : "refresh_refused",
      refused,
    );
  }

  async #refresh(record: RefreshableRecord, wanted: Wanted, signal: AbortSignal): Promise<Result> {
    const answer = await this.#parts.flows.refresh(record, signal);
    const next = recordOfRefresh(answer, record, this.#context(record, record.clientId));
    // Durable before anybody has the new access token: a rotated refresh token exists nowhere else (R08).
    await this.#keep(record, next, wanted, "discard");
    return { record: next, source: "refresh" };
  }

  async #signIn(wanted: Wanted, signal: AbortSignal): Promise<Result> {
    const answer = await this.#parts.flows.signIn(signal);
    const previous = await this.#keeper.read();
    const context = this.#context(previous, this.#parts.bound.clientId);
    // Later than what the call asked for, even within one millisecond or with a clock that was set back.
    const now = Math.max(context.now, (wanted.signedInSince ?? 0) + 1);
    const next = recordOfSignIn(answer, { ...context, now });
    await this.#keep(previous, next, wanted, "keep");
    return { record: next, source: "login" };
  }

  #context(previous: SessionRecord | undefined, clientId: string): AnswerContext {
    return {
      key: this.#parts.bound.key,
      clientId,
      previous,
      now: this.#parts.world.clock.now(),
      newRecordId: () => this.#newRecordId(),
    };
  }

  async #keep(
    previous: SessionRecord | undefined,
    next: SessionRecord,
    wanted: Wanted,
    afterLogout: "discard" | "keep",
  ): Promise<void> {
    const kept = await this.#keeper.replace(previous, next, {
      afterLogout,
      ...(wanted.mustBeKept ? { mustBeKept: true } : {}),
    });
    if (kept === "logged_out") throw loginRequired(this.#parts.bound, "no_token");
  }

  #newRecordId(): string {
    return Buffer.from(this.#parts.world.randomBytes(12)).toString("hex");
  }
}
