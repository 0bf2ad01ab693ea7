// Sign-ins of one process that want the same fixed port, from the credential down. Changes when what an embedding
// program sees of the wait does.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assembleFlows } from "../../src/credential/assembled-flows.ts";
import { noServer } from "../support/flow-input.ts";
import { configFromOptions, settingsFromOptions } from "../../src/credential/sign-in-source.ts";
import { memoryStore, OidcAuth, type AccessToken, type OidcAuthOptions } from "../../src/index.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { freePort } from "../support/free-port.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { signIn } from "../support/scripted-browser.ts";
import { desktop, emptyHome, failureOf, person, provider, type Person } from "./harness.ts";

interface Waiting {
  readonly someone: Person;
  /** The address, when the browser could be opened. */
  readonly shown: Promise<string>;
  /** The first word of another's sign-in. */
  readonly waits: Promise<void>;
  readonly credential: OidcAuth;
}

/** A credential whose person looks and does nothing. */
function onLooker(identityProvider: IdentityProvider, changes: OidcAuthOptions): Waiting {
  const someone = person({ idle: true });
  let show = (_url: string): void => {};
  let wait = (): void => {};
  const shown = new Promise<string>((resolve) => (show = resolve));
  const waits = new Promise<void>((resolve) => (wait = resolve));
  const credential = new OidcAuth({
    ...desktop(identityProvider, someone),
    ...changes,
    onPrompt: (event) => {
      someone.onPrompt(event);
      if (event.type === "authorizationUrl") show(event.url);
      if (event.type === "waitingForOther") wait();
    },
  });
  return { someone, shown, waits, credential };
}

/** Two sign-ins with a store each on one port, one finished after the other; gives the second one's token. */
async function takeTurns(): Promise<AccessToken> {
  const identityProvider = await provider();
  const callbackPort = await freePort();
  const first = onLooker(identityProvider, { callbackPort, store: memoryStore() });
  const second = onLooker(identityProvider, { callbackPort, store: memoryStore() });
  const firstToken = first.credential.getToken();
  const address = await first.shown;
  const secondToken = second.credential.getToken();
  await second.waits;
  await signIn(address);
  await firstToken;
  await signIn(await second.shown);
  return secondToken;
}

test("two credentials on one port: one window at a time, and the program is told why [L18]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const callbackPort = await freePort();
  const first = onLooker(identityProvider, { callbackPort, scopes: ["openid"] });
  const second = onLooker(identityProvider, { callbackPort, scopes: ["openid", "email"] });
  const firstToken = first.credential.getToken();
  const address = await first.shown;
  const secondToken = second.credential.getToken();
  await second.waits;
  expect(second.someone.events).toEqual([
    { type: "waitingForOther", processId: process.pid, phase: "login" },
  ]);
  await signIn(address);
  expect((await firstToken).source).toBe("login");
  await signIn(await second.shown);
  expect((await secondToken).scopes).toContain("email");
  expect(second.someone.events.map(({ type }) => type)).toEqual([
    "waitingForOther",
    "settled",
    "authorizationUrl",
    "settled",
  ]);
});

test("the store makes no difference: the port is the machine's", async () => {
  emptyHome();
  expect((await takeTurns()).source).toBe("login");
});

test("an abort ends the wait at once: aborted, nothing was shown, the port is not taken along", async () => {
  emptyHome();
  const identityProvider = await provider();
  const callbackPort = await freePort();
  const first = onLooker(identityProvider, { callbackPort, scopes: ["openid"] });
  const second = onLooker(identityProvider, { callbackPort, scopes: ["openid", "email"] });
  const firstToken = first.credential.getToken();
  const address = await first.shown;
  const caller = new AbortController();
  const failing = failureOf(second.credential.getToken({ signal: caller.signal }));
  await second.waits;
  caller.abort();
  expect((await failing).code).toBe("aborted");
  await signIn(address);
  await firstToken;
  const third = onLooker(identityProvider, { callbackPort, scopes: ["openid", "profile"] });
  const thirdToken = third.credential.getToken();
  await signIn(await third.shown);
  await thirdToken;
  expect(second.someone.events.map(({ type }) => type)).not.toContain("authorizationUrl");
});

test("who gives up at the very moment at which the port is passed on sees no browser", async () => {
  const home = emptyHome();
  const identityProvider = await provider();
  const callbackPort = await freePort();
  const log = join(home, "opened");
  const first = onLooker(identityProvider, { callbackPort, scopes: ["openid"] });
  const firstToken = first.credential.getToken();
  const address = await first.shown;
  const caller = new AbortController();
  const events: string[] = [];
  let wait = (): void => {};
  const waits = new Promise<void>((resolve) => (wait = resolve));
  const second = new OidcAuth({
    ...desktop(identityProvider),
    callbackPort,
    openBrowser: true,
    browserCommand: `${process.execPath} -e "require('fs').writeFileSync('${log}', '')"`,
    onPrompt: ({ type }) => {
      events.push(type);
      if (type === "waitingForOther") wait();
      if (type === "settled") caller.abort();
    },
  });
  const failing = failureOf(second.getToken({ signal: caller.signal }));
  await waits;
  await signIn(address);
  await firstToken;
  expect((await failing).code).toBe("aborted");
  // The port is free again when that sign-in has really ended, and with it every chance of a window.
  const third = onLooker(identityProvider, { callbackPort, scopes: ["openid", "profile"] });
  const thirdToken = third.credential.getToken();
  await signIn(await third.shown);
  await thirdToken;
  expect(existsSync(log)).toBe(false);
  // After the port's turn: what is remembered of the provider is put away first.
  await expect
    .poll(() => events, { timeout: 10_000 })
    .toEqual(["waitingForOther", "settled", "settled"]);
});

test("callbackTimeoutSeconds bounds the wait too: callback_timeout, and nothing was shown", async () => {
  emptyHome();
  const identityProvider = await provider();
  const callbackPort = await freePort();
  const first = onLooker(identityProvider, { callbackPort, scopes: ["openid"] });
  const firstToken = first.credential.getToken();
  const address = await first.shown;
  const second = onLooker(identityProvider, { callbackPort, callbackTimeoutSeconds: 0.3 });
  const error = await failureOf(second.credential.getToken());
  expect([error.code, error.message.includes("`callbackPort`")]).toEqual([
    "callback_timeout",
    true,
  ]);
  expect(second.someone.events.map(({ type }) => type)).toEqual(["waitingForOther", "settled"]);
  expect(second.someone.events.at(-1)).toMatchObject({ error: { code: "callback_timeout" } });
  await signIn(address);
  await firstToken;
});

test("where no lock file can be made, the sign-ins of one process still take turns", async () => {
  const home = emptyHome();
  writeFileSync(join(home, "file"), "");
  process.env["XDG_STATE_HOME"] = join(home, "file");
  expect((await takeTurns()).source).toBe("login");
});

test.for([
  [{ flow: "auth_code", callbackTimeoutSeconds: 400 }, 800],
  [{ flow: "auto", callbackTimeoutSeconds: 300 }, 2100],
  [{ flow: "auto", callbackTimeoutSeconds: 3000 }, 6000],
  [{ flow: "device", callbackTimeoutSeconds: 300 }, 1800],
] as const)(
  "who waits for this sign-in waits for its turn on the port and for its person: %j",
  ([given, seconds]) => {
    const options = resolveOptions({ ...given, httpTimeoutSeconds: 30 }, "interactive");
    const flows = assembleFlows({
      kind: "interactive",
      source: configFromOptions(options, noServer),
      settings: settingsFromOptions(options),
      openWorld: () => Promise.reject(new Error("unused")),
    });
    // Discovery, a code, tokens and keys; then at most 5 seconds for the person's name.
    expect(flows.longestWorkSeconds.login).toBe(seconds + 4 * 30 + 5);
  },
);
