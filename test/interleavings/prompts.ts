// The person before all windows, and what must hold for the windows that open. Changes when a person can do something
// else.
import { OidcError } from "../../src/core/errors.ts";
import type { TokenAnswer } from "../../src/flow/flow-world.ts";
import { orAborted, type Machine, type Process } from "./machine.ts";
import type { Provider } from "./provider.ts";
import type { PersonAct } from "./scenario.ts";

/** `maxUnansweredPrompts` of every session. */
export const maxUnansweredPrompts = 3;

/** The windows of all processes. */
export class Prompts {
  readonly #machine: Machine;
  readonly #provider: Provider;
  readonly #acts: PersonAct[];
  readonly #open = new Map<number, number>();
  /** Windows since the last one that was answered, or that somebody asked for. */
  #unanswered = 0;
  shown = 0;
  readonly seen = new Set<PersonAct>();

  constructor(machine: Machine, provider: Provider) {
    this.#machine = machine;
    this.#provider = provider;
    this.#acts = [...machine.scenario.person];
  }

  /** A logout takes the count with the record. */
  forgetCount(): void {
    this.#unanswered = 0;
  }

  /** Somebody is there at last. */
  signInFromNowOn(): void {
    this.#acts.length = 0;
  }

  async signIn(
    process: Process,
    options: { signal: AbortSignal; onPurpose: boolean; beforePrompt: () => Promise<void> },
  ): Promise<TokenAnswer> {
    await this.#machine.step(process, "discovers");
    options.signal.throwIfAborted();
    await options.beforePrompt();
    options.signal.throwIfAborted();
    const close = this.#show(process, options.onPurpose);
    process.atDeath.add(close);
    const act = this.#acts.shift() ?? "signs in";
    this.seen.add(act);
    try {
      await orAborted(this.#machine.step(process, act), options.signal);
    } finally {
      process.atDeath.delete(close);
      close();
    }
    if (act === "ignores") throw new OidcError("callback_timeout", "Nobody came back.");
    this.#unanswered = 0;
    if (act === "refuses") throw new OidcError("access_denied", "Refused.");
    await this.#machine.step(process, "exchanges code");
    options.signal.throwIfAborted();
    return this.#provider.signIn();
  }

  #show(process: Process, onPurpose: boolean): () => void {
    const { host } = process;
    const open = (this.#open.get(host) ?? 0) + 1;
    this.#open.set(host, open);
    if (open > 1) this.#machine.violated(`${String(open)} windows at a time`);
    this.shown += 1;
    this.#unanswered = onPurpose ? 0 : this.#unanswered + 1;
    if (this.#unanswered > maxUnansweredPrompts && !this.#provider.isShared) {
      this.#machine.violated(`${String(this.#unanswered)} windows that nobody answered`);
    }
    return () => this.#open.set(host, open - 1);
  }
}
