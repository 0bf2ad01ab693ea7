// A person at a desktop with an empty home folder, for tests of whole sign-ins. Changes when such a test needs more.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { onTestFinished } from "vitest";
import {
  isOidcError,
  OidcAuth,
  type AccessToken,
  type OidcAuthOptions,
  type OidcError,
  type PromptEvent,
} from "../../src/index.ts";
import type { EmulatedServer } from "../support/emulated-oauth.ts";
import { emulatedOpenShiftClient, startEmulatedOpenShift } from "../support/emulated-openshift.ts";
import {
  startIdentityProvider,
  type IdentityProvider,
  type IdentityProviderOptions,
} from "../support/identity-provider.ts";
import { approveDevice, signIn, type SignInOptions } from "../support/scripted-browser.ts";

/** An empty home folder in which the default cache lies, for the length of one test. */
export function emptyHome(): string {
  const home = mkdtempSync(join(tmpdir(), "latchkey-home-"));
  const before = { HOME: process.env["HOME"], XDG_STATE_HOME: process.env["XDG_STATE_HOME"] };
  process.env["HOME"] = home;
  delete process.env["XDG_STATE_HOME"];
  onTestFinished(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(home, { recursive: true, force: true });
  });
  return home;
}

/** A provider that ends with the test; a fault inside it fails the test. */
export async function provider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const started = await startIdentityProvider(options);
  onTestFinished(() => started.close());
  return started;
}

/** Lets the token endpoint refuse the next requests, with this as the body. */
export function refuseTokens(identityProvider: IdentityProvider, body: object, times = 1): void {
  identityProvider.tamper({
    path: "token",
    times,
    respond: async () => ({
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
}

/** What a token that is a JWT is for. */
export function audienceOf({ token }: AccessToken): unknown {
  return decodeJwt(token)["aud"];
}

/** What happened at the prompt and in the browser. */
export interface Person {
  readonly events: PromptEvent[];
  readonly visits: string[];
  readonly onPrompt: (event: PromptEvent) => void;
  /** Resolves when the browser has seen its last page. */
  readonly finalPage: Promise<{ finalPage: string; finalUrl: string; redirectUrl: string }>;
}

/** Lets the device flow poll every 1.2 seconds, the shortest that is allowed. */
export function pollQuickly(identityProvider: IdentityProvider): void {
  identityProvider.tamper({
    path: "device",
    respond: async (_request, genuine) => {
      const real = await genuine();
      return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), interval: 1 }) };
    },
  });
}

/** Somebody who opens each authorization URL in the scripted browser, and enters each device code there. */
export function person(options: SignInOptions & { idle?: boolean } = {}): Person {
  const events: PromptEvent[] = [];
  const visits: string[] = [];
  let seen = (_page: { finalPage: string; finalUrl: string; redirectUrl: string }): void => {};
  let failed = (_error: unknown): void => {};
  const finalPage = new Promise<{ finalPage: string; finalUrl: string; redirectUrl: string }>(
    (resolve, reject) => {
      seen = resolve;
      failed = reject;
    },
  );
  finalPage.catch(() => undefined);
  return {
    events,
    visits,
    finalPage,
    onPrompt: (event) => {
      events.push(event);
      if (options.idle === true) return;
      if (event.type === "deviceCode") {
        const { userCode, verificationUri } = event;
        visits.push(verificationUri);
        approveDevice(verificationUri, { ...options, userCode }).then(
          ({ finalPage: page, finalUrl }) => seen({ finalPage: page, finalUrl, redirectUrl: "" }),
          (error: unknown) => {
            failed(error);
            event.cancel();
          },
        );
        return;
      }
      if (event.type !== "authorizationUrl") return;
      visits.push(event.url);
      signIn(event.url, options).then(seen, (error: unknown) => {
        failed(error);
        event.cancel();
      });
    },
  };
}

/** What a person's browser needs to trust a provider with a private authority. */
export function trustOf({ certificateAuthority }: IdentityProvider): SignInOptions {
  return certificateAuthority === undefined ? {} : { certificateAuthority };
}

/** Options of a public client of a provider, signing in through the scripted browser. */
export function desktop(
  identityProvider: IdentityProvider,
  someone: Person = person(trustOf(identityProvider)),
): OidcAuthOptions {
  return {
    issuer: identityProvider.issuer,
    clientId: identityProvider.clients.public.clientId,
    openBrowser: false,
    callbackPort: 0,
    callbackTimeoutSeconds: 15,
    onPrompt: someone.onPrompt,
  };
}

/** A credential for a provider; `changes` replace options. */
export function credential(
  identityProvider: IdentityProvider,
  changes: OidcAuthOptions = {},
): OidcAuth {
  return new OidcAuth({ ...desktop(identityProvider), ...changes });
}

/** The error that a call ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<OidcError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) {
    throw new Error("the call did not fail with an OidcError", { cause: error });
  }
  return error;
}

/** Signs in and gives the query of the authorization request and the body of the token request. */
export async function requestsOf(
  identityProvider: IdentityProvider,
  changes: OidcAuthOptions = {},
): Promise<{ authorization: URLSearchParams; token: URLSearchParams; header: string | undefined }> {
  identityProvider.resetRequests();
  await credential(identityProvider, changes).getToken();
  const [authorization] = identityProvider.authorizationRequests();
  const [token] = identityProvider.tokenRequests();
  if (authorization === undefined || token === undefined) throw new Error("no request was made");
  return { authorization, token, header: identityProvider.authorizationHeaders()[0] };
}

/** A person who wants to sign in at an emulated OpenShift, which ends with the test. */
export async function atEmulatedOpenShift(): Promise<{
  readonly server: EmulatedServer;
  readonly someone: Person;
  readonly auth: OidcAuth;
}> {
  const server = await startEmulatedOpenShift();
  onTestFinished(() => server.close());
  const someone = person();
  const auth = new OidcAuth({
    issuer: server.origin,
    clientId: emulatedOpenShiftClient,
    openBrowser: false,
    callbackPort: 0,
    onPrompt: someone.onPrompt,
  });
  return { server, someone, auth };
}
