// Renewal ahead against a real OpenID Provider with rotation and reuse detection.

import { expect, test } from "vitest";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import type { AccessToken, OidcAuth } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { desk } from "./fast-desk.ts";
import { credential, emptyHome, person, provider } from "./harness.ts";

/** Resolves as soon as the provider has answered `count` more token requests. */
async function answered(identityProvider: IdentityProvider, count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let seen = 0;
    identityProvider.tamper({
      path: "token",
      times: count,
      respond: async (_request, genuine) => {
        const answer = await genuine();
        seen += 1;
        if (seen === count) resolve();
        return answer;
      },
    });
  });
}

/** Asks again and again, as a program at work does, until `count` different tokens were given. */
async function work(auth: OidcAuth, count: number): Promise<AccessToken[]> {
  const given: AccessToken[] = [];
  const tokens = new Set<string>();
  while (tokens.size < count) {
    const token = await auth.getToken({ interactive: false, minValiditySeconds: 1 });
    expect(token.expiresAt?.getTime()).toBeGreaterThan(Date.now());
    given.push(token);
    tokens.add(token.token);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return given;
}

// The renewal comes after 3.6 to 4 seconds; the calls here would begin to wait after 11.
const lifetime = { accessTokenLifetimeSeconds: 12 };

test("a program at work never waits for the token endpoint: one request for each new token [R01]", async () => {
  emptyHome();
  const identityProvider = await provider(lifetime);
  const someone = person();
  const auth = credential(identityProvider, { onPrompt: someone.onPrompt });
  expect((await auth.getToken()).source).toBe("login");
  const given = await work(auth, 3);
  expect(new Set(given.map((token) => token.source))).toEqual(new Set(["cache"]));
  expect(identityProvider.requests().token).toBe(3);
  expect(someone.events.map((event) => event.type)).toEqual(["authorizationUrl", "settled"]);
}, 40_000);

test("five credentials of one configuration make one request between them", async () => {
  emptyHome();
  const identityProvider = await provider(lifetime);
  await credential(identityProvider).getToken();
  identityProvider.resetRequests();
  const all = Array.from({ length: 5 }, () => credential(identityProvider));
  const given = await Promise.all(all.map((auth) => work(auth, 3)));
  const tokens = given.map((each) => [...new Set(each.map((token) => token.token))]);
  expect(new Set(tokens.map((each) => each.join(" "))).size).toBe(1);
  expect(identityProvider.requests().token).toBe(2);
  expect(new Set(given.flat().map((token) => token.source))).toEqual(new Set(["cache"]));
}, 40_000);

test("client credentials are renewed ahead too", async () => {
  emptyHome();
  const identityProvider = await provider(lifetime);
  const { OidcCredentialsAuth } = await import("../../src/index.ts");
  const auth = new OidcCredentialsAuth({
    issuer: identityProvider.issuer,
    ...identityProvider.clients.confidentialPost,
  });
  const first = await auth.getToken();
  await answered(identityProvider, 1);
  await expect
    .poll(async () => (await auth.getToken()).token, { timeout: 5000 })
    .not.toBe(first.token);
  expect(identityProvider.requests().token).toBe(2);
});

test("a laptop that resumes without a network: the token is renewed as soon as there is one", async () => {
  emptyHome();
  const identityProvider = await provider();
  // Sleeps of 30 seconds take one; the wall clock goes on while the laptop sleeps, the other one does not.
  const speed = 30;
  let slept = 0;
  let watched = (): void => {};
  const isWatched = new Promise<void>((resolve) => (watched = resolve));
  const clock: Clock = {
    now: () => systemClock.now() + slept,
    monotonic: () => systemClock.monotonic() * speed,
    sleep: (milliseconds, options) => {
      if (milliseconds === 30_000 && options?.unref === true) watched();
      return systemClock.sleep(milliseconds / speed, options);
    },
  };
  const { session, someone } = desk(
    identityProvider,
    { flow: "auth_code" },
    { clock, renewsAhead: true },
  );
  const first = await session.getToken();
  identityProvider.resetRequests();
  let lost = 0;
  const renewed = new Promise<void>((resolve) => {
    identityProvider.tamper({
      path: "token",
      respond: async (_request, genuine) => {
        lost += 1;
        if (lost <= 4) return "reset";
        const answer = await genuine();
        resolve();
        return answer;
      },
    });
  });
  await isWatched;
  // Not so long that the provider, which has not slept, would give ID tokens that have ended here.
  slept = 3500 * 1000;
  await renewed;
  await expect
    .poll(async () => (await session.current())?.accessToken?.token)
    .not.toBe(first.token);
  expect((await session.getToken({ interactive: false })).source).toBe("cache");
  // Each try sends a lost request once more.
  expect(identityProvider.requests().token).toBe(5);
  expect(someone.events.map((event) => event.type)).toEqual(["authorizationUrl", "settled"]);
});
