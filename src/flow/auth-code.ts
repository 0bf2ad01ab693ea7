// The authorization code flow in a browser, from the first request to validated tokens. Changes when the flow does.

import { isOidcError, OidcError } from "../core/errors.ts";
import { hostOf } from "../core/hosts.ts";
import { emit } from "../core/events.ts";
import type { BrowserResult } from "../core/world.ts";
import {
  openCallbackListener,
  type CallbackListener,
  type SignInOutcome,
} from "../interaction/listener.ts";
import { readPastedRedirect } from "../interaction/paste.ts";
import type { ResolvedOptions } from "../options/types.ts";
import {
  createAuthorizationAttempt,
  type AuthorizationAttempt,
} from "../provider/authorization-request.ts";
import type { Provider } from "../provider/metadata.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import { openInTurn, type OwnPort } from "./callback-port.ts";
import type { FlowWorld } from "./flow-world.ts";
import { clientIdentity, tokenTarget } from "./provider-input.ts";
import { planRedirect, type RedirectPlan } from "./redirect.ts";
import { timeIsUp } from "./time-is-up.ts";

/**
 * Decides, once the browser was tried, whether anything else is offered beside it. `byBrowser` waits for the redirect
 * and exchanges its code.
 */
export type BesideBrowser = (
  browser: BrowserResult | undefined,
  byBrowser: (signal: AbortSignal) => Promise<TokenAnswer>,
  signal: AbortSignal,
) => Promise<TokenAnswer>;

/** One sign-in in progress. */
interface Attempt {
  readonly provider: Provider;
  readonly listener: CallbackListener;
  readonly request: AuthorizationAttempt;
  readonly redirectUri: string;
}

function outcomeOf(error: unknown): SignInOutcome {
  const code = isOidcError(error) ? error.code : "aborted";
  return code === "access_denied" ? { kind: "refused" } : { kind: "failed", code };
}

function warnAboutExposure(world: FlowWorld, listener: CallbackListener): void {
  if (!listener.isExposed) return;
  world.onWarning(
    "callback_host_exposed",
    `The listener for the browser's redirect waits on ${listener.host}: while it waits, other machines can reach it. ` +
      "Only an answer to this very sign-in is accepted.",
  );
}

async function openListener(
  world: FlowWorld,
  options: ResolvedOptions,
  plan: RedirectPlan,
  isExpectedState: (candidate: string) => boolean,
  signal: AbortSignal,
): Promise<OwnPort> {
  const { host, ports, path } = plan;
  const open = (port: number): Promise<CallbackListener> =>
    openCallbackListener({
      host,
      ports: [port],
      path,
      redirectAuthority: plan.authority,
      responseMode: options.responseMode,
      isExpectedState,
      applicationName: options.applicationName,
      clock: world.clock,
      logger: world.logger,
      randomBytes: world.randomBytes,
    });
  const timeoutSeconds = options.callbackTimeoutSeconds;
  return openInTurn(world, { host, ports, timeoutSeconds, open }, signal);
}

async function requestFor(
  world: FlowWorld,
  options: ResolvedOptions,
  provider: Provider,
  redirectUri: string,
  signal: AbortSignal,
): Promise<AuthorizationAttempt> {
  return createAuthorizationAttempt(
    world,
    provider,
    {
      ...clientIdentity(options),
      ...tokenTarget(options),
      redirectUri,
      scopes: options.scopes,
      pkce: options.pkce,
      prompt: options.prompt,
      maxAgeSeconds: options.maxAge,
      acrValues: options.acrValues,
      loginHint: options.loginHint,
      offlineAccess: options.offlineAccess,
      responseMode: options.responseMode,
      extraParameters: options.extraAuthorizationParams,
    },
    signal,
  );
}

/** Waits for the redirect, a pasted address, the end of time or a cancellation, whichever is first. */
async function waitForRedirect(
  world: FlowWorld,
  options: ResolvedOptions,
  attempt: Attempt,
  browser: BrowserResult | undefined,
  signal: AbortSignal,
): Promise<URLSearchParams> {
  const waiting = new AbortController();
  const stop = AbortSignal.any([signal, waiting.signal]);
  const milliseconds = options.callbackTimeoutSeconds * 1000;
  try {
    return await new Promise<URLSearchParams>((resolve, reject) => {
      attempt.listener.callback.then(resolve, reject);
      world.clock
        .sleep(milliseconds, { signal: stop })
        .then(
          () => reject(timeIsUp({ ...attempt, metadata: attempt.provider.metadata }, options)),
          reject,
        );
      world.prompt({
        type: "authorizationUrl",
        url: attempt.request.url,
        redirectUri: attempt.redirectUri,
        browserOpened: browser?.opened ?? false,
        ...(browser?.opened === false ? { browserProblem: browser.problem } : {}),
        expiresAt: new Date(world.clock.now() + milliseconds),
        ...(options.responseMode === "query" ? {} : { canPaste: false }),
        paste: (redirected) => {
          if (options.responseMode !== "query") {
            world.onWarning(
              "paste_refused",
              "With `responseMode: form_post` the answer stands in no address, so there is none to paste.",
            );
            return;
          }
          const read = readPastedRedirect(redirected, attempt.redirectUri);
          if ("problem" in read) {
            world.onWarning("paste_refused", read.problem);
          } else if (!attempt.request.isExpectedState(read.parameters.get("state") ?? "")) {
            world.onWarning(
              "paste_refused",
              "That address belongs to another sign-in. Paste the one at which this sign-in ended.",
            );
          } else {
            resolve(read.parameters);
          }
        },
        cancel: () => {
          reject(new OidcError("aborted", "The sign-in was cancelled."));
        },
      });
    });
  } finally {
    waiting.abort();
  }
}

async function signInThrough(
  world: FlowWorld,
  options: ResolvedOptions,
  attempt: Attempt,
  signal: AbortSignal,
  beside: BesideBrowser,
): Promise<TokenAnswer> {
  const { provider, listener, request } = attempt;
  const host = hostOf(provider.metadata.issuer);
  emit(world.logger, "login.started", { host, flow: "auth_code" });
  // Keys are needed when the browser comes back: loading them now costs the person no time.
  provider.prefetchKeys(signal);
  await world.beforePrompt?.();
  // Whoever gave up meanwhile, be it at the moment at which the port was passed on, sees no browser.
  signal.throwIfAborted();
  const browser = options.openBrowser
    ? await world.openBrowser(request.url, options.browserCommand)
    : undefined;
  const byBrowser = async (stop: AbortSignal): Promise<TokenAnswer> => {
    try {
      const parameters = await waitForRedirect(world, options, attempt, browser, stop);
      world.onAnswer?.();
      return await request.exchange(parameters, stop);
    } catch (error) {
      // The tab says at once what came of it, though another way may still be waited for. Where that one was first,
      // the tab says so below.
      if (!stop.aborted) listener.settle(outcomeOf(error));
      throw error;
    }
  };
  const answer = await beside(browser, byBrowser, signal);
  listener.settle({ kind: "done" });
  emit(world.logger, "login.finished", { host });
  return answer;
}

/**
 * Signs a person in with a browser. A fixed port is waited for where another sign-in of this user has it.
 * @throws {OidcError} any code of the listener, the authorization response and the token request.
 * @see RFC 6749 section 4.1, RFC 8252, OpenID Connect Core section 3.1
 */
export async function signInWithBrowser(
  world: FlowWorld,
  options: ResolvedOptions,
  provider: Provider,
  signal: AbortSignal,
  beside: BesideBrowser,
): Promise<TokenAnswer> {
  const plan = planRedirect(options);
  let request: AuthorizationAttempt | undefined;
  const port = await openListener(
    world,
    options,
    plan,
    (candidate) => request?.isExpectedState(candidate) ?? false,
    signal,
  );
  const { listener } = port;
  try {
    warnAboutExposure(world, listener);
    const redirectUri = plan.redirectUri(listener.authority);
    request = await requestFor(world, options, provider, redirectUri, signal);
    const attempt = { provider, listener, request, redirectUri };
    return await signInThrough(world, options, attempt, signal, beside);
  } catch (error) {
    listener.settle(outcomeOf(error));
    throw error;
  } finally {
    port.leave();
  }
}
