// Operating-system processes that share one cache and want different access tokens of one sign-in.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { OidcAuth } from "../../src/index.ts";
import type { GetTokenOptions, OidcAuthOptions } from "../../src/index.ts";
import { desktop, emptyHome, provider } from "../flow/harness.ts";
import { byLane } from "../support/lane.ts";
import { bundleModule } from "../support/bundle-module.ts";
import type { TokenNews, TokenWork } from "../support/token-worker.ts";

let worker = "";

beforeAll(async () => {
  worker = await bundleModule(join(import.meta.dirname, "../support/token-worker.ts"));
});

const crowd = byLane(12, 6);
const own = "urn:demo:api";
const reports = "urn:reports:api";
const scopes = ["openid", "api:read", "api:write"];

interface Program {
  readonly ready: Promise<void>;
  start(): void;
  readonly result: Promise<TokenNews>;
}

function program(work: TokenWork, onWaiting: () => void): Program {
  const child = spawn(process.execPath, [worker, JSON.stringify(work)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let isReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  let last: TokenNews | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    last = JSON.parse(line) as TokenNews;
    if (last.says === "ready") isReady();
    if (last.says === "waiting") onWaiting();
  });
  const result = once(child, "close").then(() => {
    if (last === undefined) throw new Error("the program said nothing");
    return last;
  });
  return { ready, result, start: () => void child.stdin.write("go\n") };
}

/** A sign-in in the cache, and programs that begin at the same time. */
async function desk(more: OidcAuthOptions = {}) {
  emptyHome();
  const identityProvider = await provider({ jwtAccessTokens: true });
  const options: OidcAuthOptions = { ...desktop(identityProvider), scopes, resource: own, ...more };
  const auth = new OidcAuth(options);
  await auth.getToken();
  identityProvider.resetRequests();
  const { onPrompt: _cannotBeHandedOver, ...plain } = options;
  return {
    identityProvider,
    auth,
    together: async (
      calls: readonly GetTokenOptions[],
      onWaiting: () => void = () => undefined,
    ): Promise<TokenNews[]> => {
      const programs = calls.map((call) => program({ options: plain, call }, onWaiting));
      await Promise.all(programs.map(async ({ ready }) => ready));
      for (const each of programs) each.start();
      return Promise.all(programs.map(async ({ result }) => result));
    },
  };
}

test(`${String(crowd)} processes with three targets: one request each, one after the other, and the sign-in lives [R01][R02]`, async () => {
  const { identityProvider, auth, together } = await desk({ resource: [own, reports] });
  const targets: GetTokenOptions[] = [
    { scopes: ["api:read"], interactive: false },
    { resource: reports, interactive: false },
    { forceRefresh: true, interactive: false },
  ];
  const calls = Array.from({ length: crowd }, (_, index) => targets[index % 3] ?? {});
  const results = await together(calls);
  expect(results.map(({ says }) => says)).toEqual(calls.map(() => "token"));
  const tokensOf = (remainder: number): Set<string> =>
    new Set(
      results
        .filter((_, index) => index % 3 === remainder)
        .map((each) => (each.says === "token" ? each.token : "")),
    );
  expect([tokensOf(0).size, tokensOf(1).size]).toEqual([1, 1]);
  const used = identityProvider.tokenRequests().map((body) => body.get("refresh_token"));
  // With reuse detection, one refresh token sent twice would have ended the grant.
  expect(new Set(used).size).toBe(used.length);
  // `forceRefresh` of a program that began after another one's renewal is one more.
  const asked = identityProvider.tokenRequests().map((body) => body.get("scope"));
  expect(asked.filter((scope) => scope === "api:read")).toHaveLength(1);
  const resources = identityProvider.tokenRequests().map((body) => body.getAll("resource"));
  expect(resources.filter((each) => each.length === 1)).toEqual([[reports]]);
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("refresh");
});

test("8 processes with a wish that is refused: one request, eight times the same answer", async () => {
  const { identityProvider, together } = await desk();
  let waiting = 0;
  let allWait = (): void => {};
  const everybody = new Promise<void>((resolve) => {
    allWait = resolve;
  });
  // The provider answers once the other seven wait.
  identityProvider.tamper({
    path: "token",
    respond: async (_request, genuine) => {
      await everybody;
      return genuine();
    },
  });
  const calls = Array.from({ length: 8 }, () => ({ scopes: ["profile"], interactive: false }));
  const results = await together(calls, () => {
    waiting += 1;
    if (waiting === 7) allWait();
  });
  expect(results).toEqual(
    calls.map(() => ({ says: "error", code: "login_required", reason: "not_granted" })),
  );
  expect(identityProvider.requests().token).toBe(1);
});
