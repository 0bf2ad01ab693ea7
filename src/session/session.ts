// The life of one sign-in: decides for each call between cache, refresh and sign-in. Changes when that decision does.
//
// | cached | call | then |
// |---|---|---|
// | satisfies the call | any | from the cache: no lock, no network, no protocol code |
// | does not | another process works on it | wait, share its outcome, read again |
// | refresh token | any but a forced sign-in | refresh; refused: the refresh token goes, then as without one |
// | no refresh token | may prompt | sign in |
// | no refresh token | may not prompt | `login_required` |
// | does not cover the scopes or resource | may prompt | sign in for both, then refresh; not given: an error |
// | not as strong or as recent as asked | may prompt | sign in so; not confirmed: an error |
// | still valid for a moment | renewal failed for a passing reason | the cached token |

import { nowSeconds } from "../core/clock.ts";
import { isErrorOf, isOidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type {
  AccessToken,
  CallOptions,
  IdTokenClaims,
  LogoutOptions,
  LogoutResult,
} from "../core/types.ts";
import { warningEvent } from "../core/warning.ts";
import type { World } from "../core/world.ts";
import { isFresh } from "../record/fresh.ts";
import type { SessionRecord, TokenTarget } from "../record/format.ts";
import type { FlightLock, RecordStore } from "../store/token-store.ts";
import { accessTokenOf } from "./access-token.ts";
import { TokenAcquisition } from "./acquisition.ts";
import { ProactiveRefresh } from "./proactive-refresh.ts";
import { abortedError, InProcessFlight, raceAbort } from "./in-process-flight.ts";
import type { Flows } from "./flows.ts";
import { decodeStoredIdToken } from "../core/stored-id-token.ts";
import { isSignedIn, RecordRepository } from "./record-repository.ts";
import { closedError, Lifetime } from "./lifetime.ts";
import { toldLogout } from "./told-logout.ts";
import {
  appliesToWaiter,
  loginRequired,
  isWorthRetrying,
  nobodyToSignIn,
  isTransient,
} from "./outcomes.ts";
import { belongsTo, isOutcomeFor, matchRecord, whyNoMatch } from "./cache-match.ts";
import { criteriaOf, withVariant, type SessionConfig, type TokenCriteria } from "./criteria.ts";
import type {
  Session,
  SessionTokenOptions,
  SignIn,
  SignInResult,
  UserInfoClaims,
} from "./session-types.ts";
import { RenewalTurns } from "./renewal-turns.ts";
import { SingleFlight } from "./single-flight.ts";
import type { TokenListeners } from "./token-listeners.ts";
import { signInIn } from "./sign-in.ts";
import { TokenMemos, type TokenMemo } from "./token-memos.ts";
import { hasVariant, variantNameOf } from "./token-variant.ts";
import type { AcquiredToken } from "./work.ts";

/** What a session is made from. */
export interface SessionParts {
  readonly world: World;
  readonly records: RecordStore;
  readonly lock: FlightLock;
  readonly flows: Flows;
  readonly config: SessionConfig;
  /** `forceLogin`: only sign-ins finished at this time or later count; milliseconds since the epoch. */
  readonly signedInSince: number | null;
  /** The host, as far as one lock reaches. */
  readonly host: () => string;
  /** Prompts in an hour that nobody has to answer before no more are shown. */
  readonly maxUnansweredPrompts: number;
  /** Whether tokens that were handed out are renewed before they expire: in a program that goes on running. */
  readonly renewsAhead?: boolean;
  /** Told of each new token. Default: nobody. */
  readonly listeners?: TokenListeners | undefined;
  /** Shared with the other sessions of the process. Default: of its own. */
  readonly turns?: RenewalTurns;
}

/** The session of one key in one store. */
export class StoredSession implements Session {
  readonly #parts: SessionParts;
  readonly #repository: RecordRepository;
  readonly #ahead: ProactiveRefresh | undefined;
  readonly #work: SingleFlight;
  /** By the name of the variant: calls that want different things do not take each other's outcome. */
  readonly #flights = new Map<string, InProcessFlight<AcquiredToken>>();
  readonly #lifetime = new Lifetime();
  readonly #memos: TokenMemos;
  readonly #now = (): number => nowSeconds(this.#parts.world.clock);

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#memos = new TokenMemos(parts.world.clock);
    this.#repository = new RecordRepository(parts.records, parts.config.key, (code, said) => {
      parts.world.prompt(warningEvent(code, said));
    });
    const repository = this.#repository;
    const acquisition = new TokenAcquisition({ ...parts, repository });
    this.#work = new SingleFlight({ turns: new RenewalTurns(), ...parts, repository, acquisition });
    this.#ahead = parts.renewsAhead === true ? this.#createAhead() : undefined;
  }

  remembered(minValiditySeconds: number): Promise<AccessToken> | undefined {
    const memo = this.#memos.of();
    if (memo === undefined) return undefined;
    const { accessToken } = memo.record;
    const isGood =
      accessToken !== null && isFresh(accessToken, minValiditySeconds, memo.seenAt / 1000);
    return isGood ? memo.given : undefined;
  }

  peek(): AccessToken | undefined {
    const memo = this.#memos.latest();
    if (memo !== undefined) this.#ahead?.note(memo.record);
    return memo?.token;
  }

  async getToken(options: SessionTokenOptions = {}): Promise<AccessToken> {
    const { signal, rejectedToken } = options;
    if (signal?.aborted) throw abortedError(signal);
    this.#lifetime.assertOpen();
    if (rejectedToken !== undefined) this.#memos.forgetToken(rejectedToken);
    const remembered = this.#rememberedFor(options);
    if (remembered !== undefined) return remembered;
    let cached: SessionRecord | undefined;
    try {
      cached = await this.#repository.read();
    } catch (error) {
      const kept = this.#rememberedInstead(error, options);
      if (kept === undefined) throw error;
      return kept;
    }
    const criteria = this.#criteriaOf(options, cached);
    const record = matchRecord(cached, criteria, this.#parts.config, this.#now());
    this.#reportLook(cached, criteria, record !== undefined);
    if (record !== undefined) return this.#handOut({ record, source: "cache" }, criteria);
    return this.#handOut(await this.#obtain(criteria, cached, signal), criteria);
  }

  async login(options: CallOptions = {}): Promise<SignInResult> {
    const { flows, world, config } = this.#parts;
    flows.assertConfigured();
    if (flows.needsPerson && !world.canPrompt) throw nobodyToSignIn(config, world.absence);
    // Read before anybody is asked: what this is for is the keeping.
    const cached = await this.#repository.read(true);
    // Newer than what is cached, even within one millisecond or with a clock that was set back. A sign-in that another
    // process finishes meanwhile is as new.
    const signedInSince = Math.max(world.clock.now(), cached?.signedInAt ?? 0);
    const criteria: TokenCriteria = {
      ...criteriaOf({}, { canPrompt: true, signedInSince, cached: undefined }),
      mustBeKept: true,
    };
    const result = await this.#obtain(criteria, cached, options.signal);
    return {
      record: result.record,
      token: this.#handOut(result, criteria),
      signIn: await signInIn(this.#parts.records, result.record),
    };
  }

  logout(options: LogoutOptions = {}): Promise<LogoutResult> {
    return this.#lifetime.track(this.#logout(options));
  }

  async close(): Promise<void> {
    this.#ahead?.stop();
    this.#memos.forget();
    for (const flight of this.#flights.values()) flight.abort(closedError());
    await this.#lifetime.close();
  }

  async #logout(options: LogoutOptions): Promise<LogoutResult> {
    this.#ahead?.stop();
    const forgotten = await this.#repository.forget();
    // Afterwards: a call that had read the record before it went has remembered its token meanwhile.
    this.#memos.forget();
    this.#parts.listeners?.forget();
    return toldLogout(forgotten, options.revoke === true, (record) =>
      this.#parts.flows.revoke(record, new AbortController().signal),
    );
  }

  async userInfo(options: CallOptions & { interactive?: boolean } = {}): Promise<UserInfoClaims> {
    const signal = this.#lifetime.with(options.signal);
    const { token } = await this.getToken({ signal, interactive: options.interactive });
    const record = await this.current();
    if (record === undefined) throw loginRequired(this.#parts.config, "no_token");
    const work = this.#lifetime.track(this.#parts.flows.userInfo(record, token, signal));
    return raceAbort(work, signal);
  }

  async current(): Promise<SessionRecord | undefined> {
    const record = await this.#repository.read();
    if (record === undefined || !isSignedIn(record)) return undefined;
    return belongsTo(record, this.#parts.config) ? record : undefined;
  }

  async status(): Promise<SignIn | undefined> {
    const record = await this.current();
    if (record === undefined) return undefined;
    const isEmpty = record.accessToken === null && record.refreshToken === undefined;
    return isEmpty ? undefined : signInIn(this.#parts.records, record);
  }

  async claims(): Promise<IdTokenClaims | undefined> {
    const idToken = (await this.current())?.idToken;
    return idToken === undefined ? undefined : decodeStoredIdToken(idToken);
  }

  #reportLook(cached: SessionRecord | undefined, criteria: TokenCriteria, isHit: boolean): void {
    const { world, records, config } = this.#parts;
    if (isHit) {
      emit(world.logger, "cache.hit", { location: records.location });
      return;
    }
    const why = whyNoMatch(cached, criteria, config, this.#now());
    emit(world.logger, "cache.miss", { location: records.location, why });
  }

  #criteriaOf(options: SessionTokenOptions, cached: SessionRecord | undefined): TokenCriteria {
    const { world, config, signedInSince } = this.#parts;
    const { canPrompt, clock } = world;
    const criteria = criteriaOf(options, { canPrompt, signedInSince, cached });
    if (!hasVariant(options)) return criteria;
    return withVariant(criteria, options, {
      configured: config.configured,
      cached,
      now: clock.now(),
    });
  }

  /** While the store does not answer: the last token that was handed out, where it is still good. */
  #rememberedInstead(error: unknown, options: SessionTokenOptions): AccessToken | undefined {
    if (!isErrorOf(error, "store_unavailable", "unreachable")) return undefined;
    const lenient = { ...options, minValiditySeconds: 1 };
    return this.#rememberedFor(lenient, (target) => this.#memos.last(target));
  }

  /** The token of the last moment, for a call that does not ask for a newer one. */
  #rememberedFor(
    options: SessionTokenOptions,
    find: (target?: TokenTarget) => TokenMemo | undefined = (target) => this.#memos.of(target),
  ): AccessToken | undefined {
    if (options.tokenKind === "id_token") return undefined;
    if (options.forceRefresh === true || options.rejectedToken !== undefined) return undefined;
    const criteria = this.#criteriaOf(options, undefined);
    const memo = find(criteria.target);
    if (memo === undefined) return undefined;
    return matchRecord(memo.record, criteria, this.#parts.config, this.#now()) && memo.token;
  }

  #handOut(result: AcquiredToken, criteria: TokenCriteria): AccessToken {
    const { record, source } = result;
    const { tokenKind, target } = criteria;
    if (target === undefined) this.#ahead?.note(record);
    const token = accessTokenOf(record, tokenKind, source, target);
    // Nothing of an earlier sign-in is handed out after a new one.
    if (source === "login") this.#memos.forget();
    if (tokenKind === "access_token") {
      this.#memos.remember(record, target, source === "cache" ? token : undefined);
      if (target === undefined) this.#parts.listeners?.tell(token);
    }
    return token;
  }

  /** A token that no call asked for: of a renewal ahead, or of another process. */
  #learn(record: SessionRecord | undefined): void {
    const { config, signedInSince, listeners } = this.#parts;
    const options = { minValiditySeconds: 0 };
    const criteria = criteriaOf(options, { canPrompt: false, signedInSince, cached: record });
    const found = matchRecord(record, criteria, config, this.#now());
    if (found === undefined) return;
    this.#memos.remember(found, undefined, undefined);
    if (listeners === undefined || listeners.isEmpty) return;
    // Told is handed out: it is renewed ahead, too.
    this.#ahead?.note(found);
    listeners.tell(accessTokenOf(found, "access_token", "cache"));
  }

  #createAhead(): ProactiveRefresh {
    const { world, flows, signedInSince } = this.#parts;
    return new ProactiveRefresh({
      clock: world.clock,
      randomBytes: world.randomBytes,
      canRenew: (record) => record.refreshToken !== undefined || !flows.needsPerson,
      isTransient: isWorthRetrying,
      readStored: async (signal) => {
        const stored = await this.#repository.readStored();
        if (!signal.aborted) this.#learn(stored);
        return stored;
      },
      renew: async (stored, signal) => {
        const options = { forceRefresh: true, interactive: false };
        const context = { canPrompt: false, signedInSince, cached: stored };
        const criteria: TokenCriteria = { ...criteriaOf(options, context), quiet: true };
        const { record } = await this.#obtain(criteria, stored, signal);
        if (!signal.aborted) this.#learn(record);
        return record;
      },
    });
  }

  async #obtain(
    criteria: TokenCriteria,
    cached: SessionRecord | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AcquiredToken> {
    try {
      return await this.#fly(criteria, cached, signal);
    } catch (error) {
      const record =
        criteria.mustBeKept || !isTransient(error) ? undefined : await this.#stillValid(criteria);
      if (record === undefined) throw error;
      return { record, source: "cache" };
    }
  }

  /** The cached record where its token is good for a moment, though not for as long as the call asked. */
  async #stillValid(criteria: TokenCriteria): Promise<SessionRecord | undefined> {
    const lenient = { ...criteria, minValiditySeconds: 1 };
    return matchRecord(await this.#readQuietly(), lenient, this.#parts.config, this.#now());
  }

  /** For a look at the cache after an error, which says more than a second one about the cache would. */
  async #readQuietly(): Promise<SessionRecord | undefined> {
    try {
      return await this.#repository.read();
    } catch {
      return undefined;
    }
  }

  /** Joins the work of this process for the same variant, or starts it, until the outcome is this call's too. */
  async #fly(
    criteria: TokenCriteria,
    cached: SessionRecord | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AcquiredToken> {
    const name = variantNameOf(criteria);
    for (;;) {
      const running = this.#flights.get(name);
      const flight = running ?? this.#startFlight(name, criteria, cached);
      const own = running === undefined;
      try {
        const joined = flight.join({ signal, waitForLogin: own || criteria.interactive });
        const result = await this.#lifetime.race(joined);
        const taken = own ? result : await this.#takeOver(result, criteria);
        if (taken !== undefined) return taken;
      } catch (error) {
        this.#lifetime.assertOpen();
        if (own || signal?.aborted || !isOidcError(error)) throw error;
        // The work may have brought this call's token, and failed for what its own call wanted besides.
        const record = error.code === "aborted" ? undefined : await this.#readQuietly();
        const found = matchRecord(record, criteria, this.#parts.config, this.#now());
        if (found !== undefined) return { record: found, source: "cache" };
        if (appliesToWaiter(error, criteria)) throw error;
      }
    }
  }

  /** What another call's work brought, where it is what this call wants too. */
  async #takeOver(
    result: AcquiredToken,
    criteria: TokenCriteria,
  ): Promise<AcquiredToken | undefined> {
    // The work may have found what was renewed before this call began, and was logged out of since.
    const record = criteria.isForced === true ? await this.#repository.read() : result.record;
    const { config } = this.#parts;
    const now = this.#now();
    const found = matchRecord(record, criteria, config, now);
    if (found !== undefined) {
      return found.version === result.record.version ? result : { record: found, source: "cache" };
    }
    // Or each of these calls would make a request of its own, for the same answer.
    const isStored = record?.version === result.record.version;
    return isStored && isOutcomeFor(result.record, criteria, config, now) ? result : undefined;
  }

  #startFlight(
    name: string,
    criteria: TokenCriteria,
    cached: SessionRecord | undefined,
  ): InProcessFlight<AcquiredToken> {
    this.#lifetime.assertOpen();
    const flight = new InProcessFlight<AcquiredToken>(async (signal, tell) => {
      try {
        return await this.#work.do({ criteria, cached, signal, tell });
      } finally {
        this.#flights.delete(name);
      }
    });
    this.#flights.set(name, flight);
    void this.#lifetime.track(flight.ended);
    return flight;
  }
}
