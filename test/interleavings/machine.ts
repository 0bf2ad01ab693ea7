// The machines of one run: time, processes that may die at any step, and a scheduler that decides whose step is next.
// Changes when a step can end in another way.
import type * as fc from "fast-check";
import type { Clock } from "../../src/core/clock.ts";
import type { ProcessPlan, Scenario } from "./scenario.ts";

const never = new Promise<never>(() => undefined);
const maxRun = 20_000;

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Rejects as soon as the signal aborts. */
export async function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    if (signal.aborted) stop();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** One program, from its start to its end or death. */
export interface Process {
  readonly id: number;
  readonly host: number;
  readonly plan: ProcessPlan;
  alive: boolean;
  /** What the system does at its death: locks fall free. */
  readonly atDeath: Set<() => void>;
  /** Called at each step, before the next one. */
  readonly onStep: Set<() => void>;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Everything that a run happens on. */
export class Machine {
  readonly scenario: Scenario;
  readonly start: number = Date.UTC(2026, 10, 23, 12);
  /** What must never be, and was. */
  readonly violations: string[] = [];
  readonly #scheduler: fc.Scheduler;
  readonly #sleepers = new Set<Sleeper>();
  /** A process that stands still, as by SIGSTOP, and what lets it go on. */
  #stopped:
    | { readonly process: Process; readonly until: Promise<void>; readonly resume: () => void }
    | undefined;
  readonly #atTurn = new Map<number, () => void>();
  #time = this.start;
  #turns = 0;
  #resumedAt = 0;
  #serial = 0;
  #processes = 0;

  constructor(scenario: Scenario, scheduler: fc.Scheduler) {
    this.scenario = scenario;
    this.#scheduler = scheduler;
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#time;
  }

  /** A number that was never given before. */
  get serial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  violated(what: string): void {
    this.violations.push(`after ${String(this.#turns)} steps: ${what}`);
  }

  createProcess(plan: ProcessPlan): Process {
    this.#processes += 1;
    const process: Process = {
      id: this.#processes,
      host: plan.host,
      plan,
      alive: true,
      atDeath: new Set(),
      onStep: new Set(),
    };
    let steps = 0;
    process.onStep.add(() => {
      if (steps === plan.crashAfter) this.#kill(process);
      steps += 1;
    });
    return process;
  }

  #kill(process: Process): void {
    process.alive = false;
    for (const free of process.atDeath) free();
  }

  /** Waits until the scheduler says so. A dead process waits for ever. */
  async step(process: Process, label: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), `${String(process.id)} ${label}`);
    if (this.#stopped?.process === process) await this.#stopped.until;
    if (process.alive) for (const look of process.onStep) look();
    if (!process.alive) await never;
  }

  /** A step of nobody's: what is on the wire goes on without its sender. */
  async anywhere(label: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), label);
  }

  /** Something that happens to the whole run after so many steps. */
  after(turns: number, effect: () => void): void {
    this.#atTurn.set(turns, effect);
  }

  /** A process stands still for so many turns, in which so much time passes at once. */
  stop(process: Process, turns: number, milliseconds: number): void {
    this.#time += milliseconds;
    let resume = (): void => {};
    const until = new Promise<void>((resolve) => (resume = resolve));
    this.#stopped = { process, until, resume };
    this.after(this.#turns + turns, () => this.#resume());
  }

  /** How long nobody has stood still. */
  get millisecondsSinceStop(): number {
    return this.#stopped === undefined ? this.#time - this.#resumedAt : 0;
  }

  #resume(): boolean {
    const stopped = this.#stopped;
    this.#stopped = undefined;
    this.#resumedAt = this.#time;
    stopped?.resume();
    return stopped !== undefined;
  }

  /** Calls off what is still to happen. */
  nothingMore(): void {
    this.#atTurn.clear();
  }

  /** Lets time pass, which belongs to nobody. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.#time + milliseconds;
    if (this.scenario.punctual) {
      await new Promise<void>((wake) => this.#sleepers.add({ until, wake }));
    } else {
      await this.anywhere("time");
    }
    this.#time = Math.max(this.#time, until);
  }

  clockOf(process: Process): Clock {
    return {
      now: () => this.#time,
      monotonic: () => this.#time - this.start,
      sleep: async (milliseconds, { signal } = {}) => {
        const woken = this.pass(milliseconds).then(() => this.step(process, "wakes"));
        return signal === undefined ? woken : orAborted(woken, signal);
      },
    };
  }

  /** Lets everything happen that can. */
  async run(): Promise<void> {
    for (;;) {
      // Everything that follows from the last step, before the next.
      await turn();
      if (this.#scheduler.count() > 0) {
        this.#turns += 1;
        this.#time += 3;
        this.#atTurn.get(this.#turns)?.();
        this.#wakeDue();
        await this.#scheduler.waitNext(1);
      } else if (!this.#wakeNext() && !this.#resume()) {
        return;
      }
      if (this.#turns > maxRun) {
        this.violated("the run does not end");
        return;
      }
    }
  }

  #wakeDue(): void {
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#time) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  #wakeNext(): boolean {
    const [next] = [...this.#sleepers].toSorted((one, other) => one.until - other.until);
    if (next === undefined) return false;
    this.#sleepers.delete(next);
    next.wake();
    return true;
  }
}
