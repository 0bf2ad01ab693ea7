// Waits until the token that was handed out last should be renewed, and has that done. Changes when the time of a
// renewal ahead, or what follows its failure, does.

import type { Clock } from "../core/clock.ts";
import { decisionsOf, isOidcError } from "../core/errors.ts";
import type { AccessTokenRecord, SessionRecord } from "../record/format.ts";

/** What renewal ahead needs of a session. */
export interface ProactiveRefreshParts {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  /** True where new tokens come without a person. */
  readonly canRenew: (record: SessionRecord) => boolean;
  /** What every process sees now; not what only this one knows. Called off, nobody wants to know any more. */
  readonly readStored: (signal: AbortSignal) => Promise<SessionRecord | undefined>;
  /** True for a failure that is over by itself. Handed in: a shared file would be one more for every program to load. */
  readonly isTransient: (error: unknown) => boolean;
  /** Brings newer tokens than those of `stored`, whoever gets them; shows nothing and asks nobody. */
  readonly renew: (stored: SessionRecord, signal: AbortSignal) => Promise<SessionRecord>;
}

/** An access token that is known to end. */
export type EndingToken = AccessTokenRecord & { readonly expiresAt: number };

// With so much validity left, in milliseconds, a call begins to wait for a renewal (`minValiditySeconds`).
const callsWaitFrom = 60_000;
// Room for three tries after a failure (5, 10 and 20 seconds at most) before calls begin to wait.
const shortestLead = 90_000;
// More brings nothing: providers are seldom away for longer, and a token that is given up early is wasted.
const maxLead = 600_000;
// Processes of one machine notice each other's renewal in the store; those of many machines have only this.
const maxSpread = 300_000;
// Timers stand still while a laptop sleeps; so soon after its resume the wall clock is looked at.
const maxSlice = 30_000;
const firstPause = 5000;
const maxPause = 60_000;
// After a resume the network needs a moment, and the token may have ended meanwhile.
const patienceAfterEnd = 120_000;

/** The renewal of one token; times in milliseconds. */
interface Plan {
  token: EndingToken;
  /** Due when so much of its validity is left by the wall clock ... */
  lead: number;
  /** ... or at this time of the monotonic clock, whichever comes first: the wall clock may be set back. */
  dueAt: number;
  /** After a failure: the next try, by the monotonic clock. */
  retryAt: number | undefined;
  /** When the first try was made, by the monotonic clock. */
  firstTryAt: number | undefined;
  failures: number;
  isRenewing: boolean;
}

function isSame(one: AccessTokenRecord | null, other: AccessTokenRecord): boolean {
  return (
    one !== null &&
    one.token === other.token &&
    one.issuedAt === other.issuedAt &&
    one.expiresAt === other.expiresAt
  );
}

/**
 * The validity that is left when the renewal is due at the latest: a fifth of the life, at least 90 seconds and at most
 * 10 minutes; for short lives a third of the time before calls begin to wait for the renewal (for tokens of up to 60
 * seconds that is at half their life: record/fresh.ts). 60 s: 40, 5 min: 90, 1 h and 24 h: 600 seconds.
 */
function leadOf(lifetime: number): number {
  const callsWait = lifetime > callsWaitFrom ? callsWaitFrom : lifetime / 2;
  const usual = Math.min(Math.max(lifetime / 5, shortestLead), maxLead);
  return Math.min(usual, callsWait + (lifetime - callsWait) / 3);
}

/** What a captive portal makes of a request: it is over as soon as somebody has signed in there. */
function isOfCaptivePortal(error: unknown): boolean {
  return decisionsOf(error)?.duration === "portal";
}

/**
 * Sleeps as long as the watch wants, again and again. It holds the watch, and with it the session, only while there is
 * something to do: a session that nobody refers to is not kept alive by its timer.
 */
async function attend(
  watch: WeakRef<ProactiveRefreshTimer>,
  plan: Plan,
  signal: AbortSignal,
  clock: Clock,
) {
  try {
    for (;;) {
      const pause = await stepOf(watch, plan, signal);
      if (pause === undefined) return;
      await clock.sleep(pause, { signal, unref: true });
    }
  } catch {
    // Called off: a newer token was handed out, or nobody is signed in any more.
  }
}

// Apart from the loop: what a suspended function has in a variable stays alive.
async function stepOf(
  watch: WeakRef<ProactiveRefreshTimer>,
  plan: Plan,
  signal: AbortSignal,
): Promise<number | undefined> {
  return watch.deref()?.step(plan, signal);
}

/** Watches over the token that was handed out last. */
export class ProactiveRefreshTimer {
  readonly #parts: ProactiveRefreshParts;
  #plan: Plan | undefined;
  #controller = new AbortController();

  constructor(parts: ProactiveRefreshParts) {
    this.#parts = parts;
  }

  /** Renews this token in time, unless it is the one that is or was watched over already. */
  note(token: EndingToken): void {
    const { clock } = this.#parts;
    const before = this.#plan;
    if (before !== undefined && isSame(token, before.token)) return;
    // The next call renews it at once, and for itself.
    if (this.#left(token) <= 0) return;
    // A request that was sent is not cut off: its answer may bring the only refresh token that still counts.
    if (before?.isRenewing !== true) this.#controller.abort();
    this.#controller = new AbortController();
    const plan = this.#planFor(token);
    this.#plan = plan;
    void attend(new WeakRef(this), plan, this.#controller.signal, clock);
  }

  /** Ends the wait, and a renewal that is under way. */
  stop(): void {
    this.#plan = undefined;
    this.#controller.abort();
  }

  /** Does what is due; gives the time until it should be called again, undefined where nothing is left to do. */
  async step(plan: Plan, signal: AbortSignal): Promise<number | undefined> {
    if (this.#plan !== plan) return undefined;
    const wait = this.#wait(plan);
    // Whole milliseconds: a timer that wakes a fraction too early would be set again and again.
    if (wait > 0) return Math.min(Math.ceil(wait), maxSlice);
    plan.isRenewing = true;
    try {
      return await this.#renew(plan, signal);
    } catch (error) {
      // Anything else is told to the next call that needs a new token.
      if (signal.aborted) return undefined;
      if (!this.#parts.isTransient(error) && !isOfCaptivePortal(error)) return undefined;
      return this.#pauseAfter(plan, isOidcError(error) ? error.retryAfterSeconds : undefined);
    } finally {
      plan.isRenewing = false;
    }
  }

  async #renew(plan: Plan, signal: AbortSignal): Promise<number | undefined> {
    const { clock, readStored, renew } = this.#parts;
    plan.firstTryAt ??= clock.monotonic();
    const stored = await readStored(signal);
    const current = stored?.accessToken;
    // Signed out, renewed by another process, or never stored: then others could not see a renewal either, and each
    // process would make its own.
    if (stored === undefined || current?.token !== plan.token.token) return undefined;
    if (!isSame(current, plan.token)) return this.#waitAnew(plan, current);
    const renewed = await renew(stored, signal);
    // The record changed, but not this token: another one of the same sign-in was renewed meanwhile.
    if (isSame(renewed.accessToken, plan.token)) return this.#pauseAfter(plan, undefined);
    return undefined;
  }

  /** For providers that answer a refresh with the token that they gave before. */
  #waitAnew(plan: Plan, current: AccessTokenRecord): number | undefined {
    if (current.expiresAt === null) return undefined;
    Object.assign(plan, this.#planFor({ ...current, expiresAt: current.expiresAt }));
    return Math.min(Math.max(this.#wait(plan), firstPause), maxSlice);
  }

  #planFor(token: EndingToken): Plan {
    const lifetime = Math.max(0, token.expiresAt - token.issuedAt) * 1000;
    const latest = leadOf(lifetime);
    const lead = latest + this.#fraction() * Math.min((lifetime - latest) / 10, maxSpread);
    return {
      token,
      lead,
      dueAt: this.#parts.clock.monotonic() + Math.max(0, this.#left(token) - lead),
      retryAt: undefined,
      firstTryAt: undefined,
      failures: 0,
      isRenewing: false,
    };
  }

  #wait(plan: Plan): number {
    const monotonic = this.#parts.clock.monotonic();
    if (plan.retryAt !== undefined) return plan.retryAt - monotonic;
    return Math.min(plan.dueAt - monotonic, this.#left(plan.token) - plan.lead);
  }

  /** When to try again, while that may still help. */
  #pauseAfter(plan: Plan, retryAfterSeconds: number | undefined): number | undefined {
    const { clock } = this.#parts;
    const usual = Math.min(firstPause * 2 ** plan.failures, maxPause);
    const pause = Math.max(usual * (0.5 + this.#fraction() / 2), (retryAfterSeconds ?? 0) * 1000);
    const now = clock.monotonic();
    const patience = (plan.firstTryAt ?? now) + patienceAfterEnd - now;
    if (pause > Math.max(this.#left(plan.token), patience)) return undefined;
    plan.failures += 1;
    plan.retryAt = now + pause;
    return Math.min(pause, maxSlice);
  }

  #left(token: EndingToken): number {
    return token.expiresAt * 1000 - this.#parts.clock.now();
  }

  #fraction(): number {
    const [high = 0, low = 0] = this.#parts.randomBytes(2);
    return (high * 256 + low) / 65536;
  }
}
