// A sign-in that waits in one window is taken over in another. Changes when who signs in, and who waits, is decided
// otherwise.

import { expect, test } from "vitest";
import { OidcAuth, type OidcAuthOptions, type PromptEvent } from "../../src/index.ts";
import { freePort } from "../support/free-port.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { signIn } from "../support/scripted-browser.ts";
import { desktop, emptyHome, person, provider, type Person } from "./harness.ts";

interface Window {
  readonly auth: OidcAuth;
  readonly events: PromptEvent[];
  /** The next event of a type, from now on. */
  next<Type extends PromptEvent["type"]>(type: Type): Promise<PromptEvent & { type: Type }>;
}

/** A window of the person; in an idle one nobody does anything. */
function window(
  identityProvider: IdentityProvider,
  changes: OidcAuthOptions,
  someone: Person = person({ idle: true }),
): Window {
  const awaited: { type: string; heard: (event: never) => void }[] = [];
  const onPrompt = (event: PromptEvent): void => {
    someone.onPrompt(event);
    for (const each of awaited) if (each.type === event.type) each.heard(event as never);
  };
  return {
    auth: new OidcAuth({ ...desktop(identityProvider, someone), onPrompt, ...changes }),
    events: someone.events,
    next: (type) => new Promise((heard) => awaited.push({ type, heard })),
  };
}

test("Enter in a window that waits: it signs in, and the first one waits and gets the token [F-U16]", async () => {
  emptyHome();
  const identityProvider = await provider();
  // One fixed port: the first window has to leave it.
  const changes = { callbackPort: await freePort() };
  const first = window(identityProvider, changes);
  const shown = first.next("authorizationUrl");
  const firstToken = first.auth.getToken();
  await shown;
  const second = window(identityProvider, changes, person());
  const waiting = second.next("waitingForOther");
  const secondToken = second.auth.getToken();
  const { takeOver } = await waiting;
  expect(takeOver).toBeTypeOf("function");
  takeOver?.();
  // Asked twice, it is asked once.
  takeOver?.();
  const tokens = await Promise.all([firstToken, secondToken]);
  expect(tokens.map(({ source }) => source)).toEqual(["cache", "login"]);
  expect(tokens[0]?.token).toBe(tokens[1]?.token);
  expect(identityProvider.tokenRequests()).toHaveLength(1);
  expect(first.events).toContainEqual(
    expect.objectContaining({ type: "warning", code: "sign_in_taken_over" }),
  );
  expect(first.events.filter(({ type }) => type === "authorizationUrl")).toHaveLength(1);
});

test("others that wait keep waiting: who asked is the one to sign in [F-U16]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const first = window(identityProvider, {});
  const shown = first.next("authorizationUrl");
  const calls = [first.auth.getToken()];
  await shown;
  const others = Array.from({ length: 5 }, () => window(identityProvider, {}));
  const second = window(identityProvider, {}, person());
  const waiting = [...others, second].map((each) => each.next("waitingForOther"));
  calls.push(...[...others, second].map(({ auth }) => auth.getToken()));
  const events = await Promise.all(waiting);
  events.at(-1)?.takeOver?.();
  const tokens = await Promise.all(calls);
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
  expect(identityProvider.tokenRequests()).toHaveLength(1);
  const prompted = others.flatMap((each) => each.events).map(({ type }) => type);
  expect(prompted).not.toContain("authorizationUrl");
});

test("a sign-in that was answered is brought to its end, and the other one gets it [F-U16]", async () => {
  emptyHome();
  const identityProvider = await provider();
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => (answer = resolve));
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: async (_request, genuine) => {
      arrive();
      await asked;
      return genuine();
    },
  });
  const first = window(identityProvider, {});
  const shown = first.next("authorizationUrl");
  const firstToken = first.auth.getToken();
  const page = signIn((await shown).url);
  await arrived;
  const second = window(identityProvider, {});
  const waiting = second.next("waitingForOther");
  const secondToken = second.auth.getToken();
  (await waiting).takeOver?.();
  answer();
  const tokens = await Promise.all([firstToken, secondToken]);
  expect(tokens.map(({ source }) => source)).toEqual(["login", "cache"]);
  expect(second.events.map(({ type }) => type)).not.toContain("authorizationUrl");
  await page;
});

test("a renewal cannot be taken over [F-U16]", async () => {
  emptyHome();
  const identityProvider = await provider();
  await new OidcAuth(desktop(identityProvider)).getToken();
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => (answer = resolve));
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  identityProvider.tamper({
    path: "token",
    times: 1,
    respond: async (_request, genuine) => {
      arrive();
      await asked;
      return genuine();
    },
  });
  const first = window(identityProvider, {}).auth.getToken({ forceRefresh: true });
  await arrived;
  const second = window(identityProvider, {});
  const waiting = second.next("waitingForOther");
  const token = second.auth.getToken({ forceRefresh: true });
  expect(await waiting).toEqual({
    type: "waitingForOther",
    processId: process.pid,
    phase: "refresh",
  });
  answer();
  expect((await token).token).toBe((await first).token);
});
