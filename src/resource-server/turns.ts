// Bounds how many questions are under way at once, so that a flood of made-up tokens is no flood of requests.

/** Work in turn: so many at once, so many waiting, and no more. */
export class Turns {
  readonly #atOnce: number;
  readonly #waitingAtMost: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnce: number, waitingAtMost: number) {
    this.#atOnce = atOnce;
    this.#waitingAtMost = waitingAtMost;
  }

  /** Runs `work` when it is its turn. @returns undefined where too many wait already; then nothing was run. */
  async run<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result } | undefined> {
    if (this.#running < this.#atOnce) this.#running += 1;
    else if (this.#waiting.length >= this.#waitingAtMost) return undefined;
    // Whoever ends hands its place on.
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return { result: await work() };
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
