// A sign-in that is left to another process, because a person turned to that one. Changes when what is left, and what is
// finished, does.

import { isErrorOf, OidcError } from "../core/errors.ts";

/** True for the error of a sign-in that was left to another process: its outcome is waited for. */
export function isTakenOver(error: unknown): boolean {
  return isErrorOf(error, "aborted", "taken_over");
}

/** One sign-in, as long as it can be left. */
export interface Leaving {
  /** Ends the sign-in: the caller's own signal, and the wish of a person elsewhere. */
  readonly signal: AbortSignal;
  /** It has an answer, and is brought to its end: the other process gets what comes of it. */
  readonly onAnswer: () => void;
  /** The error of the sign-in: however it was told that it was left, and what became of that. */
  failureOf(error: unknown): unknown;
  stop(): void;
}

/** Watches over a sign-in that begins. `takenOver` aborts when a person wants to sign in at another process instead. */
export function startLeaving(signal: AbortSignal, takenOver: AbortSignal | undefined): Leaving {
  const left = new AbortController();
  const leave = (): void => {
    left.abort(
      new OidcError("aborted", "The sign-in was taken over by another process.", {
        reason: "taken_over",
      }),
    );
  };
  const stop = (): void => takenOver?.removeEventListener("abort", leave);
  takenOver?.addEventListener("abort", leave);
  if (takenOver?.aborted === true) leave();
  return {
    signal: AbortSignal.any([signal, left.signal]),
    onAnswer: stop,
    failureOf: (error) => (left.signal.aborted ? left.signal.reason : error),
    stop,
  };
}
