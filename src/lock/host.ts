// Tells the place in which a lock excludes others from every other place. Changes when a system shows it in another way.

import { readFileSync, readlinkSync } from "node:fs";

import { isOidcError } from "../core/errors.ts";
import { findLockIdentity } from "./lock-id.ts";

/** Where the parts of the identity come from. What cannot be read throws. */
export interface HostReaders {
  readonly platform: NodeJS.Platform;
  readText(path: string): string;
  readLink(path: string): string;
  hostname(): string;
  /** Seconds since the machine was started. */
  uptimeSeconds(): number;
  /** Milliseconds since the epoch. */
  now(): number;
}

const thisHost: HostReaders = {
  platform: process.platform,
  readText: (path) => readFileSync(path, "latin1"),
  readLink: (path) => readlinkSync(path, "latin1"),
  hostname: () => process.getBuiltinModule("node:os").hostname(),
  uptimeSeconds: () => process.getBuiltinModule("node:os").uptime(),
  now: () => Date.now(),
};

const startWindowMilliseconds: number = 3600 * 1000;
const identityCharacters = 32;

/**
 * The same text, 32 hexadecimal digits, for all processes that one kernel lock keeps apart, from the start of the
 * machine to its end. A process that holds the lock and finds a trace of an earlier holder with this identity knows
 * that the earlier one has ended; a trace with another identity may be of one that is still at work elsewhere.
 *
 * Linux: boot id, network namespace (abstract sockets exclude each other only within one) and host name. Elsewhere,
 * and where `/proc` cannot be read: host name and the hour of the machine's start. The start is reckoned from two
 * clocks that drift apart by minutes in a month (on Windows `GetTickCount64` is not corrected by the time service,
 * on macOS `kern.boottime` moves with the wall clock), so a whole hour counts as one start. Near the border of an
 * hour two processes may disagree, and so may they after a change of the host's name: each then takes the other for
 * one elsewhere, and waits longer than it must. Two machines of one name that were started in one hour are taken for
 * the same: give machines that share a home folder different names.
 */
export function hostIdentity(
  readers: HostReaders = thisHost,
  lockIdentity: readonly string[] = [],
): string {
  const parts = [readers.platform, readers.hostname(), ...startOf(readers), ...lockIdentity];
  return process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(JSON.stringify(parts))
    .digest("hex")
    .slice(0, identityCharacters);
}

/**
 * The same for the locks of one folder: programs that share a cache file and have different state folders, and with
 * them different `lock-id` files, exclude each other no more than two machines do.
 */
export function hostOfLocks(folder: string | undefined): string {
  try {
    const found = folder === undefined ? undefined : findLockIdentity(folder);
    return hostIdentity(thisHost, found && [found.secret, String(found.inode)]);
  } catch (error) {
    // A folder that others can change: there is no lock in it.
    if (isOidcError(error)) return hostIdentity();
    throw error;
  }
}

function startOf(readers: HostReaders): readonly string[] {
  if (readers.platform === "linux") {
    try {
      return [
        readers.readText("/proc/sys/kernel/random/boot_id").trim(),
        readers.readLink("/proc/self/ns/net"),
      ];
    } catch {
      // A sandbox that hides /proc: the hour of the start is what is left.
    }
  }
  const started = readers.now() - readers.uptimeSeconds() * 1000;
  return [String(Math.round(started / startWindowMilliseconds))];
}
