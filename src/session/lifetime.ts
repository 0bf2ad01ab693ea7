// How long an object works: until it is closed. Closing ends what runs, and waits until it has ended.

import { OidcError } from "../core/errors.ts";

/** The error of whoever calls, or still waits, after the end. */
export function closedError(): OidcError {
  return new OidcError("aborted", "This credential was closed.", {
    reason: "closed",
    remedy: "Make a new one to go on.",
  });
}

/** The time in which an object may work. */
export class Lifetime {
  readonly #end = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #waiting = new Set<() => void>();

  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** @throws {OidcError} `aborted`, reason `closed`, after the end. */
  assertOpen(): void {
    if (this.#end.signal.aborted) throw closedError();
  }

  /** A signal that aborts at the end, or with the caller's own. A new one: Node counts what listens to each. */
  with(signal: AbortSignal | undefined): AbortSignal {
    return AbortSignal.any(signal === undefined ? [this.#end.signal] : [signal, this.#end.signal]);
  }

  /** The same outcome, or at the end `aborted`, reason `closed`, whatever the promise does later. */
  async race<Value>(promise: Promise<Value>): Promise<Value> {
    if (this.#end.signal.aborted) {
      promise.catch(() => undefined);
      throw closedError();
    }
    let leave = (): void => {};
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(closedError());
      this.#waiting.add(leave);
    });
    try {
      return await Promise.race([promise, left]);
    } finally {
      this.#waiting.delete(leave);
    }
  }

  /** Gives the same work, whose end {@link Lifetime.close} waits for. */
  track<Value>(work: Promise<Value>): Promise<Value> {
    this.#running.add(work);
    const over = (): void => void this.#running.delete(work);
    work.then(over, over);
    return work;
  }

  /** Ends everything. Resolves when nothing runs any more; never rejects. */
  async close(): Promise<void> {
    this.#end.abort(closedError());
    for (const leave of this.#waiting) leave();
    await Promise.allSettled(this.#running);
  }
}
