// Takes a named lock across processes, or waits for its holder and shares the outcome. Changes when
// docs/lock/protocol.md does.

import { resolve } from "node:path";

import type { Clock } from "../core/clock.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import type { Warn } from "../core/warning.ts";
import { createDarwinEndpoint } from "./endpoint-darwin.ts";
import { createLinuxEndpoint } from "./endpoint-linux.ts";
import { createWindowsEndpoint } from "./endpoint-windows.ts";
import type { Endpoint, ReachResult } from "./endpoint.ts";
import { createHolder } from "./holder.ts";
import { askHolder } from "./inspect.ts";
import { holderHere, takeLocally } from "./local-lock.ts";
import { findLockIdentity, readLockIdentity } from "./lock-id.ts";
import { deriveLockKeys } from "./proof.ts";
import type { LockKeys } from "./proof.ts";
import type { AcquireOptions, FlightLock, Lease, LockHolder, SharedOutcome } from "./types.ts";
import { isUnproven, startWait } from "./wait.ts";
import type { Wait, WaitContext } from "./wait.ts";
import { followHolder } from "./waiter.ts";

/** Locks by name, for all processes of this user that name the same folder. */
export interface ProcessLock extends FlightLock {
  /**
   * Takes the lock, or waits for its holder and shares what it tells. A lock whose process ends, however it ends,
   * is free at once.
   * @throws {OidcError} `cache_locked` where the holder takes longer than its work can, is stopped (reason
   * `holder_stopped`), or is this user's and proves nothing;
   * `interaction_pending`; `cache_insecure`; the signal's reason when it aborts.
   */
  acquire(name: string, options: AcquireOptions): Promise<Lease | SharedOutcome>;
  /**
   * Who holds the lock now. It is neither waited for nor taken, and nothing is written. Undefined where it is free,
   * and where whoever holds it has not proved within a second to be Latchkey run by this user.
   * @throws {OidcError} `cache_insecure`.
   */
  holder(name: string): Promise<LockHolder | undefined>;
}

/** What a lock is made of. */
export interface ProcessLockOptions {
  /** Folder of the `lock-id` file, absolute; made (0700) with the first `acquire`. */
  readonly folder: string;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly logger?: Logger | undefined;
  /**
   * Told once each: `cache_write_failed` where the folder cannot be written, `cache_locked` where somebody else holds the
   * lock's name.
   */
  readonly onWarning?: Warn;
  /** Default: this system's. On another than Linux, macOS and Windows single flight is kept within this process. */
  readonly platform?: NodeJS.Platform;
  /** Default: that of the platform. */
  readonly endpoint?: Endpoint;
}

// A file lock does not tell when it is free.
const pollMilliseconds = 50;

/** Makes a lock. It touches neither disk nor network before the first `acquire` or `holder`. */
export function createProcessLock(options: ProcessLockOptions): ProcessLock {
  const { folder, clock, randomBytes, logger, platform = process.platform } = options;
  const endpoint = options.endpoint ?? endpointOf(platform, options);
  const nameHere = (name: string): string => `${resolve(folder)}\0${name}`;
  const warned = new Set<string>();
  const warnOnce = (code: string, message: string): void => {
    if (warned.has(code)) return;
    warned.add(code);
    options.onWarning?.(code, message);
  };
  // Locks whose names somebody else was found to hold: nobody waits a second time for his proof.
  const foreign = new Set<string>();

  /** The keys of the lock, undefined where its identity can be neither read nor written. */
  const findKeys = async (name: string, startedWait: () => Wait): Promise<LockKeys | undefined> => {
    let identity = readLockIdentity(folder, randomBytes);
    while (identity.state === "exhausted") {
      await outlast(identity.why, startedWait());
      identity = readLockIdentity(folder, randomBytes);
    }
    if (identity.state === "known") return deriveLockKeys(identity.secret, identity.inode, name);
    emit(logger, "lock.unavailable", { why: "lock-id" });
    warnOnce(
      "cache_write_failed",
      `${identity.path} could not be written (${identity.why}), so programs that start at the same time may each renew or sign in. Make its folder writable for you.`,
    );
    return undefined;
  };

  return {
    async acquire(name, acquireOptions) {
      acquireOptions.signal.throwIfAborted();
      let lockId = "";
      const context: WaitContext = {
        clock,
        randomBytes,
        logger,
        holderProcess: () => (lockId === "" ? undefined : endpoint?.holderProcess?.(lockId)),
        options: acquireOptions,
      };
      let wait: Wait | undefined;
      const startedWait = (): Wait => (wait ??= startWait(context));
      const acquired = (lease: Lease): Lease => {
        emit(logger, "lock.acquired", { waitedMilliseconds: wait?.elapsedMilliseconds() ?? 0 });
        return lease;
      };
      try {
        if (endpoint === undefined) emit(logger, "lock.unavailable", { why: platform });
        const keys = endpoint && (await findKeys(name, startedWait));
        if (endpoint !== undefined && keys !== undefined) {
          lockId = keys.id;
          const shared = await acquireAcross(endpoint, keys, context, startedWait);
          if (shared !== "unavailable") return shared.held ? acquired(shared) : shared;
        }
        const local = await takeLocally(nameHere(name), {
          now: clock.now(),
          acrossProcesses: false,
          startAttempt: () => startedWait().attempt(),
        });
        if (local === "again") return { held: false, outcome: null };
        return local.held ? acquired(local) : local;
      } finally {
        wait?.stop();
      }
    },

    async holder(name) {
      const identity = endpoint && findLockIdentity(folder);
      if (endpoint !== undefined && identity !== undefined) {
        const keys = deriveLockKeys(identity.secret, identity.inode, name);
        const holder = await askHolder({ endpoint, keys, clock, randomBytes });
        if (holder !== undefined) return holder;
      }
      return holderHere(nameHere(name));
    },
  };

  async function acquireAcross(
    kernel: Endpoint,
    keys: LockKeys,
    context: WaitContext,
    startedWait: () => Wait,
  ): Promise<Lease | SharedOutcome | "unavailable"> {
    const { signal } = context.options;
    for (;;) {
      const holder = createHolder(keys, clock, randomBytes, logger);
      const taken = await kernel.take(keys.id, (socket) => holder.accept(socket));
      if (taken.state === "taken") {
        const lease = holder.lease(taken.hold);
        if (!signal.aborted) return lease;
        await lease.abandon();
        throw signal.reason;
      }
      signal.throwIfAborted();
      if (taken.state === "unavailable") {
        emit(logger, "lock.unavailable", { why: taken.why });
        return "unavailable";
      }
      const isForeign = taken.state === "held" && taken.mayBeForeign === true;
      if (taken.state === "stranger" || (isForeign && foreign.has(keys.id))) {
        if (taken.state === "held" && taken.reached?.state === "connected") {
          taken.reached.socket.destroy();
        }
        return withoutStranger();
      }
      const wait = startedWait();
      if (taken.state === "exhausted") {
        await outlast(taken.why, wait);
        continue;
      }
      try {
        const shared = await follow(taken.reached ?? (await kernel.reach(keys.id)), keys, wait);
        if (shared !== "again") return shared;
      } catch (error) {
        if (!isForeign || !isUnproven(error)) throw error;
        foreign.add(keys.id);
        return withoutStranger();
      }
    }
  }

  /** Who proves nothing is no holder: from here on this process goes its way as on another host (step 8). */
  function withoutStranger(): "unavailable" {
    emit(logger, "lock.unavailable", { why: "stranger" });
    warnOnce(
      "cache_locked",
      "Somebody else on this machine holds the name of Latchkey's lock, so it was not waited for: programs that start at the same time may each renew or sign in. Keep the sign-ins on a file system that has sockets (cachePath, XDG_STATE_HOME), where nobody else can take it.",
    );
    return "unavailable";
  }

  /** Waits for the holder that was reached, or for the next try. */
  async function follow(
    reached: ReachResult,
    keys: LockKeys,
    wait: Wait,
  ): Promise<SharedOutcome | "again"> {
    if (reached.state === "connected") {
      const shared = await followHolder(reached.socket, keys, randomBytes, wait.attempt());
      if (shared !== "again" && shared.outcome !== null) return shared;
      if (shared === "again") wait.assertProofPossible("its holders end without a proof");
      await wait.pause(0, 20);
      return shared;
    } else if (reached.state === "gone") {
      wait.assertProofPossible("its holders refuse to answer");
      await wait.pause(0, 5);
    } else if (reached.state === "silent") {
      wait.assertWorkPossible();
      await wait.pause(pollMilliseconds, pollMilliseconds);
    } else {
      wait.assertProofPossible("whoever holds it does not answer");
      await wait.pause(10, 30);
    }
    return "again";
  }
}

/** To go on without the lock for want of a descriptor would lose single flight in a busy server. */
async function outlast(why: string, wait: Wait): Promise<void> {
  wait.assertResourcesPossible(why);
  await wait.pause(10, 30);
}

function endpointOf(platform: NodeJS.Platform, options: ProcessLockOptions): Endpoint | undefined {
  switch (platform) {
    case "linux":
      return createLinuxEndpoint({ folder: options.folder, randomBytes: options.randomBytes });
    case "win32":
      return createWindowsEndpoint(options);
    case "darwin":
      return createDarwinEndpoint({ folder: options.folder, randomBytes: options.randomBytes });
    default:
      return undefined;
  }
}
