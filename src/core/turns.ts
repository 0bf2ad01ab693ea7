// Bounds how much of one kind is under way at once, and how much waits for it. Changes when waiting for a turn does.

/** Gives a turn back; a second call does nothing. */
export type Release = () => void;

/** Work in turn: so many at once, so many waiting, and no more. */
export class Turns {
  readonly #atOnce: number;
  readonly #waitingAtMost: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(atOnce: number, waitingAtMost: number = Number.POSITIVE_INFINITY) {
    this.#atOnce = atOnce;
    this.#waitingAtMost = waitingAtMost;
  }

  /** True while nothing runs. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /**
   * A turn, in the order of asking. @returns undefined where too many wait already.
   * @throws the signal's reason when it aborts before.
   */
  async take(signal?: AbortSignal): Promise<Release | undefined> {
    signal?.throwIfAborted();
    const turn = this.#begin(signal);
    if (turn === "none") return undefined;
    if (turn !== "now") await turn;
    let isHeld = true;
    return () => {
      if (isHeld) this.#handOn();
      isHeld = false;
    };
  }

  /** Runs `work` when it is its turn. @returns undefined where too many wait already; then nothing was run. */
  async run<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result } | undefined> {
    const turn = this.#begin(undefined);
    if (turn === "none") return undefined;
    if (turn !== "now") await turn;
    try {
      return { result: await work() };
    } finally {
      this.#handOn();
    }
  }

  #begin(signal: AbortSignal | undefined): "now" | "none" | Promise<void> {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return "now";
    }
    return this.#waiting.size < this.#waitingAtMost ? this.#wait(signal) : "none";
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(begin);
        reject(signal?.reason);
      };
      this.#waiting.add(begin);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Whoever ends hands its turn on. */
  #handOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
