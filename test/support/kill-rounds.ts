// Rounds of processes that want one token, one of them killed at a named point. Changes when a round must be judged
// otherwise.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { desk, provider, together, type Desk } from "../e2e/harness.ts";
import type { CommandResult } from "./command-line.ts";
import type { IdentityProvider } from "./identity-provider.ts";

const hook = fileURLToPath(new URL("kill-at.mjs", import.meta.url));

/** What must come of a round. */
export interface Expected {
  /** Whether the survivors get a token, or all of them `refresh_lost`. */
  readonly outcome: "token" | "refresh_lost";
  readonly tokenRequests: number;
}

/**
 * Every point of a refresh in turn, the waiter's and the holder's, with a provider that ends the sign-in when a used refresh token comes back. Only
 * where the answer had left the provider and was not yet stored is the sign-in lost.
 */
export const killPoints: Readonly<Record<string, Expected>> = {
  "lock.waiting": { outcome: "token", tokenRequests: 1 },
  "lock.acquired": { outcome: "token", tokenRequests: 1 },
  "refresh.needed": { outcome: "token", tokenRequests: 1 },
  "cache.written": { outcome: "token", tokenRequests: 1 },
  "refresh.announced": { outcome: "token", tokenRequests: 1 },
  "refresh.started": { outcome: "token", tokenRequests: 1 },
  "http.request": { outcome: "token", tokenRequests: 1 },
  "http.response": { outcome: "refresh_lost", tokenRequests: 2 },
  "refresh.finished": { outcome: "refresh_lost", tokenRequests: 2 },
  "record.kept": { outcome: "token", tokenRequests: 1 },
  "lock.told": { outcome: "token", tokenRequests: 1 },
  "lock.released": { outcome: "token", tokenRequests: 1 },
};

/** Signs in with a token that has expired by the time this resolves. */
export async function signInAndExpire(at: Desk, identityProvider: IdentityProvider): Promise<void> {
  identityProvider.setAccessTokenLifetime(1);
  const login = await at.run(["login", ...at.flags(identityProvider)]);
  expect(login.code).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  identityProvider.setAccessTokenLifetime(3600);
  identityProvider.resetRequests();
}

/** The cache after a round: one file, whole, nothing beside it. */
export function expectWholeCache(home: string): void {
  const folder = join(home, ".local/state/latchkey");
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]{32}\.json/.test(name));
  expect(names).toHaveLength(1);
  const file = JSON.parse(readFileSync(join(folder, String(names[0])), "utf8")) as {
    records: unknown[];
  };
  expect(file.records).toHaveLength(1);
}

function ended(results: readonly CommandResult[]): string[] {
  return [
    ...new Set(
      results.map(({ code, signal, stdout, stderr }) =>
        signal === null
          ? `${String(code)} ${stdout === "" ? "" : "token"}${/\[[a-z_: ]+\]\s*$/.exec(stderr)?.[0].trim() ?? ""}`
          : signal,
      ),
    ),
  ].toSorted();
}

/** A desk and its provider after a round, and the processes that were not killed in it. */
export interface KillRound {
  readonly at: Desk;
  readonly identityProvider: IdentityProvider;
  readonly survivors: readonly CommandResult[];
}

/** The file that is there as soon as a process has been killed. */
export function killMarker(home: string): string {
  return join(home, "killed");
}

/** The environment of processes of which the first that reaches the point dies there. */
export function killHookAt(point: string, home: string): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import=${hook}`,
    KILL_AT: point,
    KILL_ONCE: killMarker(home),
  };
}

/** One round with a sign-in of its own: `count` processes, of which the first that reaches `point` dies there. */
export async function killRound(round: {
  readonly count: number;
  readonly point: string;
}): Promise<KillRound> {
  const at = await desk();
  const identityProvider = await provider();
  await signInAndExpire(at, identityProvider);
  const expected = killPoints[round.point];
  if (expected === undefined) throw new Error(`no such point: ${round.point}`);
  const env = killHookAt(round.point, at.home);
  const flags = [...at.flags(identityProvider), "--no-interactive"];
  const results = await together(round.count, () =>
    at.run(["token", ...flags], { env, timeoutMs: 120_000 }),
  );
  const killed = results.filter(({ signal }) => signal === "SIGKILL");
  const survivors = results.filter(({ signal }) => signal === null);
  expect([round.point, killed.length, survivors.length]).toEqual([round.point, 1, round.count - 1]);
  expect([round.point, ended(survivors)]).toEqual([
    round.point,
    expected.outcome === "token" ? ["0 token"] : ["3 [login_required: refresh_lost]"],
  ]);
  expect([round.point, identityProvider.requests().token]).toEqual([
    round.point,
    expected.tokenRequests,
  ]);
  const tokens = new Set(survivors.map(({ stdout }) => stdout));
  expect([round.point, tokens.size]).toEqual([round.point, 1]);
  // Whoever waits never shows where or how another signs in.
  expect(results.filter(({ stderr }) => /\/auth\?|user_code/.test(stderr))).toEqual([]);
  expectWholeCache(at.home);
  return { at, identityProvider, survivors };
}

/** True while the provider takes the access token. */
export async function isAlive(identityProvider: IdentityProvider, token: string): Promise<boolean> {
  const answer = await fetch(`${identityProvider.issuer}/me`, {
    headers: { authorization: `Bearer ${token.trim()}` },
  });
  return answer.status === 200;
}
