// Takes a named lock across processes, or waits for its holder and shares the outcome. Changes when lock.md does.

import { resolve } from "node:path";

import type { Clock } from "../core/clock.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { reachAddress, takeAddress } from "./endpoint-linux.ts";
import { createHolder } from "./holder.ts";
import { takeLocally } from "./local-flight.ts";
import { readLockIdentity } from "./lock-id.ts";
import { deriveLockKeys } from "./proof.ts";
import type { LockKeys } from "./proof.ts";
import type { AcquireOptions, Lease, SharedOutcome } from "./types.ts";
import { startWait } from "./wait.ts";
import type { Wait, WaitContext } from "./wait.ts";
import { followHolder } from "./waiter.ts";

/** Locks by name, for all processes of this user that name the same folder. */
export interface ProcessLock {
  /**
   * Takes the lock, or waits for its holder and shares what it tells. A lock whose process ends, however it ends,
   * is free at once.
   * @throws {OidcError} `cache_locked` where the holder takes longer than its work can, or proves nothing;
   * `interaction_pending`; `cache_insecure`; the signal's reason when it aborts.
   */
  acquire(name: string, options: AcquireOptions): Promise<Lease | SharedOutcome>;
}

/** What a lock is made of. */
export interface ProcessLockOptions {
  /** Folder of the `lock-id` file, absolute; made (0700) with the first `acquire`. */
  readonly folder: string;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly logger?: Logger | undefined;
  /** Told once, with `cache_write_failed`, where the folder cannot be written. */
  readonly onWarning?: (code: string, message: string) => void;
  /** Default: this system's. Elsewhere than on Linux single flight is kept within this process alone. */
  readonly platform?: NodeJS.Platform;
}

/** Makes a lock. It touches neither disk nor network before the first `acquire`. */
export function createProcessLock(options: ProcessLockOptions): ProcessLock {
  const { folder, clock, randomBytes, logger, platform = process.platform } = options;
  let warned = false;

  /** The keys of the lock, undefined where there is no lock across processes. */
  const findKeys = (name: string): LockKeys | undefined => {
    if (platform !== "linux") {
      emit(logger, "lock.unavailable", { why: platform });
      return undefined;
    }
    const identity = readLockIdentity(folder, randomBytes);
    if (identity.state === "known") return deriveLockKeys(identity.secret, identity.inode, name);
    emit(logger, "lock.unavailable", { why: "lock-id" });
    if (!warned) {
      warned = true;
      options.onWarning?.(
        "cache_write_failed",
        `${identity.path} could not be written (${identity.why}), so programs that start at the same time may each renew or sign in. Make its folder writable for you.`,
      );
    }
    return undefined;
  };

  return {
    async acquire(name, acquireOptions) {
      acquireOptions.signal.throwIfAborted();
      const context: WaitContext = { clock, randomBytes, logger, options: acquireOptions };
      let wait: Wait | undefined;
      const startedWait = (): Wait => (wait ??= startWait(context));
      const acquired = (lease: Lease): Lease => {
        emit(logger, "lock.acquired", { waitedMilliseconds: wait?.elapsedMilliseconds() ?? 0 });
        return lease;
      };
      try {
        const keys = findKeys(name);
        if (keys !== undefined) {
          const shared = await acquireAcross(keys, context, startedWait);
          if (shared !== "unavailable") return shared.held ? acquired(shared) : shared;
        }
        const local = await takeLocally(`${resolve(folder)}\0${name}`, () =>
          startedWait().attempt(),
        );
        if (local === "again") return { held: false, outcome: null };
        return local.held ? acquired(local) : local;
      } finally {
        wait?.stop();
      }
    },
  };

  async function acquireAcross(
    keys: LockKeys,
    context: WaitContext,
    startedWait: () => Wait,
  ): Promise<Lease | SharedOutcome | "unavailable"> {
    const { signal } = context.options;
    for (;;) {
      const holder = createHolder(keys, clock, randomBytes);
      const taken = await takeAddress(keys.address, (socket) => holder.accept(socket));
      if (taken.state === "taken") {
        const lease = holder.lease(taken.server);
        if (!signal.aborted) return lease;
        await lease.abandon();
      }
      signal.throwIfAborted();
      if (taken.state === "unavailable") {
        emit(logger, "lock.unavailable", { why: taken.why });
        return "unavailable";
      }
      const wait = startedWait();
      if (taken.state === "exhausted") {
        wait.assertProofPossible(`this process could not open a socket (${taken.why})`);
        await wait.pause(10, 30);
        continue;
      }
      const reached = await reachAddress(keys.address);
      if (reached.state === "connected") {
        const shared = await followHolder(reached.socket, keys, randomBytes, wait.attempt());
        if (shared !== "again" && shared.outcome !== null) return shared;
        if (shared === "again") wait.assertProofPossible("its holders end without a proof");
        await wait.pause(0, 20);
        if (shared !== "again") return shared;
      } else if (reached.state === "gone") {
        wait.assertProofPossible("its holders refuse to answer");
        await wait.pause(0, 5);
      } else {
        wait.assertProofPossible("whoever holds it does not answer");
        await wait.pause(10, 30);
      }
    }
  }
}
