// Many processes of the built command line that want the same token at once.

import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { byLane } from "../support/lane.ts";
import { desk, provider, together } from "./harness.ts";

const crowd = byLane(20, 8);

test(`${String(crowd)} processes with an expired token: 1 token request, each the same token, alive after [R01][R02]`, async () => {
  const at = await desk();
  const identityProvider = await provider({ accessTokenLifetimeSeconds: 1 });
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  identityProvider.setAccessTokenLifetime(3600);
  identityProvider.resetRequests();
  const results = await together(crowd, () => at.run(["token", ...flags]));
  expect(results.map((each) => each.code)).toEqual(Array.from({ length: crowd }, () => 0));
  expect(new Set(results.map((each) => each.stdout)).size).toBe(1);
  // Of an http: issuer nothing is kept, so whoever renews asks for the document and the keys too.
  expect(identityProvider.requests()).toMatchObject({ token: 1, discovery: 1, jwks: 1, total: 3 });
  const userinfo = await fetch(`${identityProvider.issuer}/me`, {
    headers: { authorization: `Bearer ${results[0]?.stdout.trim() ?? ""}` },
  });
  expect(userinfo.status).toBe(200);
  expect(at.opened()).toHaveLength(1);
});

test(`${String(crowd)} processes with nothing cached: 1 browser window, a token for each [B10]`, async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const results = await together(crowd, () => at.run(["token", ...flags]));
  expect(results.map((each) => each.code)).toEqual(Array.from({ length: crowd }, () => 0));
  expect(new Set(results.map((each) => each.stdout)).size).toBe(1);
  expect(at.opened()).toHaveLength(1);
  expect(identityProvider.requests().token).toBe(1);
  // Only the one that signs in shows the address; the others never do.
  expect(results.filter((each) => each.stderr.includes("/auth?"))).toHaveLength(1);
});

test(`${String(crowd)} processes and a person who refuses: 1 window, access_denied for each`, async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = [...at.flags(identityProvider), "--browser-command", at.refusingBrowser];
  const results = await together(crowd, () => at.run(["token", ...flags]));
  expect(results.map((each) => each.code)).toEqual(Array.from({ length: crowd }, () => 4));
  expect(at.opened()).toHaveLength(1);
});

test("two logins at once on one fixed port: one listener, one window, two successes [L18]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const flags = [...at.flags(identityProvider), "--callback-port", String(port)];
  const results = await together(2, () => at.run(["token", ...flags]));
  expect(results.map((each) => each.code)).toEqual([0, 0]);
  expect(at.opened()).toHaveLength(1);
});

test("a process killed while it refreshes: the others go on, and nothing is damaged [R04]", async () => {
  const at = await desk();
  const identityProvider = await provider({ accessTokenLifetimeSeconds: 1 });
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  identityProvider.setAccessTokenLifetime(3600);
  let arrived = (): void => {};
  const held = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  // The request reaches the provider's door and no further: the refresh token is still good for the next.
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: () => {
      arrived();
      return new Promise(() => undefined);
    },
  });
  const holder = at.start(["token", ...flags]);
  await held;
  const waiting = together(5, () => at.run(["token", ...flags]));
  await new Promise((resolve) => setTimeout(resolve, 500));
  holder.kill("SIGKILL");
  const results = await waiting;
  expect(results.map((each) => each.code)).toEqual([0, 0, 0, 0, 0]);
  expect(new Set(results.map((each) => each.stdout)).size).toBe(1);
  const folder = join(at.home, ".local/state/latchkey");
  expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toEqual([]);
});
