// Locks in Redis: one program of a fleet does the work, the others hear its outcome. Changes when docs/lock/redis.md does.

import type { Clock } from "../../core/clock.ts";
import { isErrorOf } from "../../core/errors.ts";
import type { Logger } from "../../core/events.ts";
import { parseHolderText, holderText, type HolderMessage } from "../../lock/message.ts";
import type {
  AcquireOptions,
  FlightLock,
  Lease,
  LockHolder,
  SharedOutcome,
  WorkOutcome,
  WorkPhase,
} from "../../lock/types.ts";
import { startWait, type Attempt, type Wait } from "../../lock/wait.ts";
import type { SealedValues } from "../sealed-value.ts";
import { textOf, type RedisCommands } from "./redis-commands.ts";
import { LeaseClock, type LeaseTimes } from "./redis-lease.ts";
import { namesOf, type RedisNames } from "./redis-names.ts";
import type { RedisNews } from "./redis-news.ts";
import { freeLock, lookAtLock, renewLock, takeLock } from "./redis-scripts.ts";
import type { Seals } from "../seals.ts";

/** What locks are made with. */
export interface RedisLockParts {
  readonly commands: RedisCommands;
  readonly seals: Seals;
  readonly news: RedisNews;
  readonly prefix: string;
  readonly times: LeaseTimes;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly logger: Logger | undefined;
  /** The machine, for whoever asks which process it is. */
  readonly machine: string;
}

const secondsOfFlight = "3600";
// While news come, a look is for what was published as the connection was being made anew.
const lookMilliseconds = 1000;
const lookWithoutNewsMilliseconds = 200;

/** Who holds a lock, as Redis knows it. */
interface Held {
  readonly fence: string;
  readonly sealed: string;
  readonly millisecondsLeft: number;
}

/** A lock that was just taken. */
interface Taken {
  readonly values: SealedValues;
  readonly owner: string;
  readonly fence: string;
  readonly since: number;
  readonly askedAt: { readonly monotonic: number; readonly now: number };
}

/** What a look at a lock found. */
interface Look {
  readonly held: Held | undefined;
  readonly ended: { readonly fence: string; readonly sealed: string } | undefined;
}

/** A holder as it describes itself, without its machine. */
type Described = Extract<HolderMessage, { kind: "holder" }>;

/** The locks of one prefix. */
export class RedisLock implements FlightLock {
  /** A lease may have run out while its holder was stopped: only this process knows that its earlier work has ended. */
  readonly reach: string;
  readonly #parts: RedisLockParts;

  constructor(parts: RedisLockParts) {
    this.#parts = parts;
    this.reach = Buffer.from(parts.randomBytes(16)).toString("hex");
  }

  async acquire(key: string, options: AcquireOptions): Promise<Lease | SharedOutcome> {
    const { clock, randomBytes, logger } = this.#parts;
    options.signal.throwIfAborted();
    const names = namesOf(this.#parts.prefix, key);
    const taken = await this.#take(names);
    if ("held" in taken) {
      // Whoever asked for it has gone meanwhile: it would be renewed for nobody.
      if (options.signal.aborted) await taken.abandon();
      options.signal.throwIfAborted();
      return taken;
    }
    options.signal.throwIfAborted();
    const wait = startWait({ clock, randomBytes, logger, options });
    try {
      return await this.#follow(names, taken, wait, options.signal);
    } finally {
      wait.stop();
    }
  }

  async holder(key: string): Promise<LockHolder | undefined> {
    const names = namesOf(this.#parts.prefix, key);
    const { held } = await this.#look(names);
    const described = held && (await this.#describe(names, held));
    if (described === undefined) return undefined;
    const { kind: _kind, ...holder } = described;
    return holder;
  }

  async #take(names: RedisNames): Promise<Lease | Held> {
    const { commands, seals, clock, times } = this.#parts;
    const owner = Buffer.from(this.#parts.randomBytes(16)).toString("base64url");
    const since = Math.round(clock.now());
    const values = await seals.values();
    const sealedHolder = this.#sealHolder(values, names, "refresh", since);
    const askedAt = { monotonic: clock.monotonic(), now: clock.now() };
    const { reply } = await commands.run(
      takeLock,
      [names.lock, names.flight, names.record],
      [owner, `${times.lease}`, sealedHolder, secondsOfFlight],
    );
    const [isTaken, fence, sealed, left] = reply;
    if (isTaken === 1) {
      return this.#lease(names, { values, owner, fence: textOf(fence) ?? "", since, askedAt });
    }
    return {
      fence: textOf(fence) ?? "",
      sealed: textOf(sealed) ?? "",
      millisecondsLeft: typeof left === "number" ? left : 0,
    };
  }

  #lease(names: RedisNames, { values, owner, fence, since, askedAt }: Taken): Lease {
    const { commands, clock, times } = this.#parts;
    const keys = [names.lock, names.flight];
    const leaseClock = new LeaseClock(clock, times, askedAt);
    let phase: WorkPhase = "refresh";
    let isOver = false;
    const renew = async (channel: string, millisecondsLeft: number): Promise<boolean> => {
      const sealed = this.#sealHolder(values, names, phase, since);
      const parameters = [owner, fence, `${times.lease}`, sealed, channel];
      const patience = Math.min(times.margin, millisecondsLeft);
      const { reply } = await commands.run(renewLock, keys, parameters, patience);
      return reply[0] === 1;
    };
    leaseClock.keep((millisecondsLeft) => renew("", millisecondsLeft)).catch(() => undefined);
    const free = async (outcome: WorkOutcome | null): Promise<void> => {
      if (isOver) return;
      isOver = true;
      leaseClock.stop();
      const place = JSON.stringify([names.flight, fence]);
      const text = outcome === null ? "" : values.seal(holderText(outcome), place);
      try {
        await commands.run(freeLock, keys, [owner, fence, text, names.news, secondsOfFlight]);
      } catch (error) {
        // What was done is done; the lock ends with its time.
        if (!isErrorOf(error, "store_unavailable")) throw error;
      }
    };
    return {
      held: true,
      acrossProcesses: true,
      signal: leaseClock.signal,
      expireIfOverdue: leaseClock.expireIfOverdue,
      fence: Number(fence),
      announce(next) {
        if (isOver || next === phase) return;
        phase = next;
        renew(names.news, times.margin).catch(() => undefined);
      },
      finish: (outcome) => free(outcome),
      abandon: () => free(null),
    };
  }

  /** Waits for one holder, and tells its outcome. */
  async #follow(
    names: RedisNames,
    first: Held,
    wait: Wait,
    signal: AbortSignal,
  ): Promise<SharedOutcome> {
    const attempt = wait.attempt();
    const isSettled = new AbortController();
    const settled = attempt.result.finally(() => isSettled.abort());
    settled.catch(() => undefined);
    await this.#hear(names, first, attempt);
    // Whoever leaves the work to its holder needs no news: in a fleet that is a thousand connections.
    if (!isSettled.signal.aborted) {
      const ends = AbortSignal.any([isSettled.signal, signal]);
      await this.#listen(names, first.fence, attempt, ends);
    }
    const outcome = await settled;
    return outcome === "again" ? { held: false, outcome: null } : outcome;
  }

  /** Hears what comes of the work, until `ends`. */
  async #listen(
    names: RedisNames,
    fence: string,
    attempt: Attempt,
    ends: AbortSignal,
  ): Promise<void> {
    const { clock, news } = this.#parts;
    const heard = news.listen(names.news);
    try {
      let next = heard.next();
      while (!ends.aborted) {
        const millisecondsToLook = heard.isLive() ? lookMilliseconds : lookWithoutNewsMilliseconds;
        const pause = new AbortController();
        const asleep = clock.sleep(millisecondsToLook, {
          signal: AbortSignal.any([pause.signal, ends]),
        });
        await Promise.race([next, asleep]).catch(() => undefined);
        asleep.catch(() => undefined);
        pause.abort();
        // From before the look: what comes while it is on its way is heard.
        next = heard.next();
        if (!ends.aborted) await this.#hearNews(names, fence, attempt);
      }
    } finally {
      heard.stop();
    }
  }

  async #hear(names: RedisNames, held: Held, attempt: Attempt): Promise<void> {
    const described = await this.#describe(names, held);
    if (described === undefined) return;
    // A number of a process is of use to nobody elsewhere, and one that was stopped loses its lock by itself.
    const { processId: _processId, ...holder } = described;
    attempt.hear(holder);
  }

  async #hearNews(names: RedisNames, fence: string, attempt: Attempt): Promise<void> {
    const { held, ended } = await this.#look(names);
    if (ended?.fence === fence) {
      const outcome = await this.#openOutcome(names, fence, ended.sealed);
      if (outcome !== undefined) attempt.hear(outcome);
    }
    if (held === undefined || held.fence !== fence) {
      attempt.end();
      return;
    }
    const described = await this.#describe(names, held);
    if (described !== undefined) attempt.hear({ kind: "phase", phase: described.phase });
  }

  async #look(names: RedisNames): Promise<Look> {
    const { reply } = await this.#parts.commands.run(lookAtLock, [names.lock, names.flight], []);
    const [fence, sealed, endedFence, outcome] = reply.map(textOf);
    const left = reply[4];
    return {
      held:
        fence === undefined || sealed === undefined
          ? undefined
          : { fence, sealed, millisecondsLeft: typeof left === "number" ? left : 0 },
      ended:
        endedFence === undefined || outcome === undefined
          ? undefined
          : { fence: endedFence, sealed: outcome },
    };
  }

  #sealHolder(values: SealedValues, names: RedisNames, phase: WorkPhase, since: number): string {
    const { machine } = this.#parts;
    const holder = holderText({ kind: "holder", processId: process.pid, phase, since });
    return values.seal(JSON.stringify({ machine, holder }), JSON.stringify([names.lock]));
  }

  async #describe(names: RedisNames, { sealed }: Held): Promise<Described | undefined> {
    const opened = await this.#parts.seals.open(sealed, JSON.stringify([names.lock]));
    if (opened.state !== "open") return undefined;
    const { machine, holder } = JSON.parse(opened.text) as { machine: string; holder: string };
    const message = parseHolderText(holder);
    if (message?.kind !== "holder") return undefined;
    if (machine === this.#parts.machine) return message;
    const { processId: _elsewhere, ...described } = message;
    return described;
  }

  async #openOutcome(
    names: RedisNames,
    fence: string,
    sealed: string,
  ): Promise<WorkOutcome | undefined> {
    const place = JSON.stringify([names.flight, fence]);
    const opened = await this.#parts.seals.open(sealed, place);
    const message = opened.state === "open" ? parseHolderText(opened.text) : undefined;
    return message?.kind === "done" || message?.kind === "failed" ? message : undefined;
  }
}
