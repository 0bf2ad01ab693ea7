// The lock of docs/lock/protocol.md as its users see it: outcomes reach the waiters by messages, a death frees it.
// Changes when the lock promises something else.
import { OidcError } from "../../src/core/errors.ts";
import type {
  AcquireOptions,
  Lease,
  SharedOutcome,
  WorkOutcome,
  WorkPhase,
} from "../../src/lock/types.ts";
import type { Machine, Process } from "./machine.ts";

type Message =
  | { readonly kind: "phase"; readonly phase: WorkPhase }
  | { readonly kind: "end"; readonly outcome: WorkOutcome | null };

interface Follower {
  hear(message: Message): void;
}

interface Held {
  readonly process: Process;
  phase: WorkPhase;
  readonly followers: Set<Follower>;
}

/** The locks of all hosts. */
export class Locks {
  readonly #machine: Machine;
  readonly #held = new Map<string, Held>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Whether the process holds the lock of this key on its host. */
  isHeldBy(process: Process, key: string): boolean {
    return this.#held.get(`${String(process.host)} ${key}`)?.process === process;
  }

  async acquire(
    process: Process,
    key: string,
    options: AcquireOptions,
    onTold: (outcome: WorkOutcome) => void,
  ): Promise<Lease | SharedOutcome> {
    const name = `${String(process.host)} ${key}`;
    options.signal.throwIfAborted();
    await this.#machine.step(process, "acquires");
    options.signal.throwIfAborted();
    const held = this.#held.get(name);
    if (held === undefined) return this.#take(name, process);
    const shared = await this.#follow(held, process, options);
    if (shared.outcome !== null) onTold(shared.outcome);
    return shared;
  }

  #take(name: string, process: Process): Lease {
    const held: Held = { process, phase: "refresh", followers: new Set() };
    this.#held.set(name, held);
    const tell = (message: Message): void => {
      for (const follower of held.followers) follower.hear(message);
    };
    const free = (outcome: WorkOutcome | null): void => {
      if (this.#held.get(name) !== held) {
        this.#machine.violated(`process ${String(process.id)} frees a lock that it does not hold`);
        return;
      }
      this.#held.delete(name);
      tell({ kind: "end", outcome });
      process.atDeath.delete(die);
    };
    const die = (): void => free(null);
    process.atDeath.add(die);
    return {
      held: true,
      acrossProcesses: true,
      announce: (phase) => {
        held.phase = phase;
        tell({ kind: "phase", phase });
      },
      finish: async (outcome) => {
        await this.#machine.step(process, "finishes");
        free(outcome);
      },
      abandon: async () => {
        await this.#machine.step(process, "abandons");
        free(null);
      },
    };
  }

  async #follow(held: Held, process: Process, options: AcquireOptions): Promise<SharedOutcome> {
    const { signal } = options;
    const messages: Message[] = [{ kind: "phase", phase: held.phase }];
    let heard = (): void => {};
    const follower: Follower = {
      hear: (message) => {
        messages.push(message);
        heard();
      },
    };
    const onAbort = (): void => heard();
    held.followers.add(follower);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        if (messages.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            heard = resolve;
          });
        }
        signal.throwIfAborted();
        await this.#machine.step(process, "hears");
        signal.throwIfAborted();
        const message = messages.shift();
        if (message?.kind === "end") return { held: false, outcome: message.outcome };
        if (message === undefined) continue;
        if (message.phase === "login" && !options.waitForLogin) {
          throw new OidcError("interaction_pending", "Another process is signing in.");
        }
        options.onWaiting({ processId: held.process.id, phase: message.phase });
      }
    } finally {
      held.followers.delete(follower);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
