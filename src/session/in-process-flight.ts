// One piece of work that any number of callers in this process wait for. Changes when waiting for work does.

import { isOidcError, OidcError } from "../core/errors.ts";
import type { WorkPhase } from "../store/token-store.ts";

/** The error of a caller that has aborted; the caller's own reason is its cause. */
export function abortedError(signal: AbortSignal): OidcError {
  const reason: unknown = signal.reason;
  return isOidcError(reason) && reason.code === "aborted"
    ? reason
    : new OidcError("aborted", "The call was aborted by its caller.", { cause: reason });
}

/** Rejects as soon as the signal aborts, whatever the promise does later. */
export async function raceAbort<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    // Nobody waits for it any more; what becomes of it is no unhandled rejection.
    promise.catch(() => undefined);
    throw abortedError(signal);
  }
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(abortedError(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } catch (error) {
    // The work may notice the same signal a moment earlier, and say less of it.
    throw signal.aborted ? abortedError(signal) : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** How one caller waits. */
export interface JoinOptions {
  readonly signal: AbortSignal | undefined;
  /** False: leave with `interaction_pending` as soon as the work is a sign-in. */
  readonly waitForLogin: boolean;
}

/** Work in progress. It is aborted when nobody waits for it any more. */
export class InProcessFlight<Value> {
  readonly #controller = new AbortController();
  readonly #promise: Promise<Value>;
  /** Told when the work becomes a sign-in. */
  readonly #leavers = new Set<() => void>();
  #phase: WorkPhase = "refresh";
  #waiters = 0;
  #isOver = false;

  constructor(work: (signal: AbortSignal, tell: (phase: WorkPhase) => void) => Promise<Value>) {
    // Started in a later turn, so that the owner knows the flight before the work can end.
    this.#promise = Promise.resolve().then(() =>
      work(this.#controller.signal, (phase) => {
        this.#phase = phase;
        if (phase === "login") for (const leave of this.#leavers) leave();
      }),
    );
    const over = (): void => {
      this.#isOver = true;
    };
    // Every waiter may have gone when it fails; that is no unhandled rejection.
    this.#promise.then(over, over);
  }

  /** Ends the work, whoever waits for it. */
  abort(reason: OidcError): void {
    this.#controller.abort(reason);
  }

  /** Resolves when the work has ended, however that was. */
  get ended(): Promise<void> {
    const over = (): void => undefined;
    return this.#promise.then(over, over);
  }

  /**
   * Waits for the outcome. Rejects with the work's error, with `aborted` at once when the signal aborts, or with
   * `interaction_pending`.
   */
  async join(options: JoinOptions): Promise<Value> {
    this.#waiters += 1;
    try {
      return await raceAbort(this.#orLeave(options.waitForLogin), options.signal);
    } finally {
      this.#waiters -= 1;
      // The last one to go may not have aborted, but left a sign-in that it may not wait for. What is over is not
      // aborted: its page may still be fetched.
      if (this.#waiters === 0 && !this.#isOver) {
        this.#controller.abort(new OidcError("aborted", "Nobody waits for this sign-in any more."));
      }
    }
  }

  async #orLeave(waitForLogin: boolean): Promise<Value> {
    if (waitForLogin) return this.#promise;
    if (this.#phase === "login") throw interactionPending();
    let leave = (): void => {};
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(interactionPending());
      this.#leavers.add(leave);
    });
    try {
      return await Promise.race([this.#promise, left]);
    } finally {
      this.#leavers.delete(leave);
    }
  }
}

function interactionPending(): OidcError {
  return new OidcError(
    "interaction_pending",
    "A sign-in is in progress, and this call may not wait for a person.",
    { remedy: "Try again when it is finished." },
  );
}
