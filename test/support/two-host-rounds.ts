// Rounds of processes on two hosts that share a home folder and want one token. Changes when a round must be judged
// otherwise.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { desk, provider, type Desk } from "../e2e/harness.ts";
import { runLatchkey, type CommandResult } from "./command-line.ts";
import type { IdentityProvider, IdentityProviderOptions } from "./identity-provider.ts";
import { expectWholeCache, isAlive, signInAndExpire } from "./kill-rounds.ts";
import { makeHost } from "./two-hosts.ts";

/** A desk whose processes run on one of the hosts. */
export interface DeskOnHost extends Desk {
  readonly through: readonly string[];
}

/** A desk on each of two hosts, with one home folder. */
export interface TwoDesks {
  readonly identityProvider: IdentityProvider;
  readonly desks: readonly [DeskOnHost, DeskOnHost];
  /** For calls that nobody can be asked in. */
  readonly flags: readonly string[];
  readonly signInFlags: readonly string[];
}

/** Two hosts that end with the test. */
export async function twoDesks(options: IdentityProviderOptions): Promise<TwoDesks> {
  const identityProvider = await provider(options);
  const shared = await desk();
  const make = async (): Promise<DeskOnHost> => {
    const host = await makeHost(identityProvider.port, shared.home);
    onTestFinished(() => host.close());
    return {
      ...shared,
      through: host.through,
      run: (parameters, run = {}) =>
        runLatchkey(parameters, {
          home: shared.home,
          through: host.through,
          timeoutMs: 120_000,
          ...run,
        }),
    };
  };
  const desks = [await make(), await make()] as const;
  const signInFlags = shared.flags(identityProvider);
  return { identityProvider, desks, signInFlags, flags: [...signInFlags, "--no-interactive"] };
}

/** How a process ended: "token", or the code of its error. */
export function endOf({ code, signal, stderr }: CommandResult): string {
  if (signal !== null) return signal;
  return code === 0 ? "token" : (/\[[a-z_: ]+\]\s*$/.exec(stderr)?.[0].trim() ?? stderr);
}

/** No record was found damaged and set aside, and the one that there is is whole. */
export function expectUndamaged(home: string): void {
  const names = readdirSync(join(home, ".local/state/latchkey"));
  expect(names.filter((name) => name.includes("damaged"))).toEqual([]);
  expectWholeCache(home);
}

/** Starts `count` processes on each host at once. */
export async function startOnBoth(
  { desks, flags }: TwoDesks,
  count: number,
  more: readonly string[] = [],
): Promise<CommandResult[]> {
  const both = desks.flatMap((one) => Array.from({ length: count }, () => one));
  return Promise.all(both.map((one) => one.run(["token", ...flags, ...more])));
}

/** One round with an expired token. Gives how the processes ended, each way once, and how many requests it took. */
export async function round(
  hosts: TwoDesks,
  count: number,
): Promise<{ readonly ends: readonly string[]; readonly tokenRequests: number }> {
  const { identityProvider, desks } = hosts;
  await signInAndExpire(desks[0], identityProvider);
  const results = await startOnBoth(hosts, count);
  expect(results.filter(({ signal }) => signal !== null)).toEqual([]);
  expectUndamaged(desks[0].home);
  const tokenRequests = identityProvider.requests().token;
  const ends = [...new Set(results.map(endOf))].toSorted();
  if (tokenRequests === 1) {
    const tokens = [...new Set(results.map(({ stdout }) => stdout))];
    expect(tokens).toHaveLength(1);
    expect(await isAlive(identityProvider, String(tokens[0]))).toBe(true);
  }
  return { ends, tokenRequests };
}
