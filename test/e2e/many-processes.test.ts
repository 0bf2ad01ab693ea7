// Many processes, and a person who does not answer. Those with an expired token are in the long lane.

import { expect, test } from "vitest";
import { desk, provider, together } from "./harness.ts";

test("after three sign-ins that nobody answers no more windows are opened, until somebody asks for one [B10]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const nobody = [
    ...at.flags(identityProvider),
    "--browser-command=/usr/bin/env sh -c exit",
    "--callback-timeout-seconds=0.3",
  ];
  const tags: string[] = [];
  for (let times = 0; times < 4; times += 1) {
    const { stderr } = await at.run(["token", ...nobody]);
    tags.push(/\[[a-z_: ]+\]\s*$/.exec(stderr)?.[0].trim() ?? stderr);
  }
  expect(tags).toEqual([
    "[callback_timeout]",
    "[callback_timeout]",
    "[callback_timeout]",
    "[login_required: prompt_budget]",
  ]);
  identityProvider.resetRequests();
  const together20 = await together(20, () => at.run(["token", ...nobody]));
  expect([...new Set(together20.map(({ code }) => code))]).toEqual([3]);
  expect(identityProvider.requests().total).toBe(0);
  const login = await at.run(["login", ...at.flags(identityProvider)]);
  expect([login.code, at.opened().length]).toEqual([0, 1]);
}, 60_000);

test("a call that may not prompt does not wait for another process's sign-in", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const waiting = at.start(["token", ...flags, "--no-open-browser"]);
  await waiting.waitFor(/\/auth\?/);
  const quiet = await at.run(["token", ...flags, "--no-interactive"]);
  expect([quiet.code, quiet.stderr.includes("[interaction_pending]")]).toEqual([3, true]);
  const status = await at.run(["status"]);
  expect(status.stdout).toContain(`process ${String(waiting.processId)} is signing in`);
  waiting.kill("SIGKILL");
  await waiting.finished;
}, 30_000);

test("status shows who is at the first login of all, and a login that ends without one leaves nothing", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const waiting = at.start(["login", ...flags, "--no-open-browser"]);
  await waiting.waitFor(/\/auth\?/);
  const status = await at.run(["status"]);
  expect(status.stdout).toContain(`process ${String(waiting.processId)} is signing in, since `);
  waiting.kill("SIGINT");
  expect((await waiting.finished).code).toBe(130);
  const afterwards = await at.run(["status"]);
  expect([afterwards.stdout, afterwards.stderr.trim()]).toEqual(["", "Nothing is cached."]);
}, 30_000);
