// Signals of work that is allowed until a moment. A process that was stopped wakes up in the middle of its work, before its
// timers have told it that the moment is over; so whoever is about to do what cannot be taken back looks at the clock.

const looks = new WeakMap<AbortSignal, readonly (() => void)[]>();

/** What ends work: a signal, and a look at the clock that aborts it where its time is over. */
export interface Timed {
  readonly signal?: AbortSignal;
  readonly expireIfOverdue?: () => void;
}

/** Aborts with the first of two signals; {@link expireIfOverdue} looks at the clocks of both. */
export function anyOfTimed(signal: AbortSignal, timed: Timed): AbortSignal {
  const both = AbortSignal.any([signal, ...(timed.signal === undefined ? [] : [timed.signal])]);
  inheritTime(signal, both);
  const { expireIfOverdue: look } = timed;
  if (look !== undefined) looks.set(both, [...(looks.get(both) ?? []), look]);
  return both;
}

/** Lets a look at `to` be one at `from` too, which `to` follows. */
export function inheritTime(from: AbortSignal | undefined, to: AbortSignal): void {
  const inherited = from === undefined ? undefined : looks.get(from);
  if (inherited !== undefined) looks.set(to, inherited);
}

/** Looks at the clock; afterwards the signal has aborted where the time for its work is over. */
export function expireIfOverdue(signal: AbortSignal): void {
  for (const look of looks.get(signal) ?? []) look();
}
