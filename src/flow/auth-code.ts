// The authorization code flow in a browser, from the first request to validated tokens. Changes when the flow does.

import { isOidcError, OidcError } from "../core/errors.ts";
import { hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import { emit } from "../core/events.ts";
import type { BrowserResult } from "../core/world.ts";
import { option, say } from "../core/wording.ts";
import {
  openCallbackListener,
  type CallbackListener,
  type CallbackListenerOptions,
  type SignInOutcome,
} from "../interaction/listener.ts";
import { createStartAddress } from "../interaction/open-browser.ts";
import { readPastedRedirect } from "../interaction/paste.ts";
import type { StartAddress } from "../interaction/start-address.ts";
import {
  createAuthorizationAttempt,
  type AuthorizationAttempt,
} from "../provider/authorization-request.ts";
import type { Provider } from "../provider/metadata.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import { openInTurn, type OwnPort } from "./callback-port.ts";
import { asClient, type ClientOfSignIn } from "./client.ts";
import type { FlowWorld } from "./flow-world.ts";
import { clientIdentity, tokenTarget } from "./provider-input.ts";
import { planRedirect, type RedirectPlan } from "./redirect.ts";
import type { Settings, SignInInput } from "./sign-in-config.ts";
import {
  endedByIntruder,
  nothingOpened,
  startBrowser,
  type SignInBrowser,
} from "./sign-in-browser.ts";
import { timeIsUp } from "./time-is-up.ts";

/**
 * Decides, once the browser was tried, whether anything else is offered beside it. `byBrowser` waits for the redirect
 * and exchanges its code.
 */
export type BesideBrowser = (
  browser: Pick<SignInBrowser, "missing">,
  byBrowser: (signal: AbortSignal) => Promise<TokenAnswer>,
  signal: AbortSignal,
) => Promise<TokenAnswer>;

/** One sign-in in progress. */
interface Attempt {
  readonly provider: Provider;
  readonly listener: CallbackListener;
  readonly request: AuthorizationAttempt;
  readonly redirectUri: string;
  readonly start: StartAddress;
  /** Where the start address is answered; undefined: on a port of its own. */
  readonly startAuthority: string | undefined;
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

/** Whether this machine's own browser reaches a listener on that interface by a loopback address. */
function reachedByLoopback(host: string): boolean {
  return isLoopbackHost(host) || host === "0.0.0.0" || host === "::";
}

async function openListener(
  world: FlowWorld,
  { config, settings }: SignInInput,
  plan: RedirectPlan,
  rules: Pick<CallbackListenerOptions, "isExpectedState" | "start">,
  signal: AbortSignal,
): Promise<OwnPort> {
  const { host, ports, path } = plan;
  const open = (port: number): Promise<CallbackListener> =>
    openCallbackListener({
      host,
      ports: [port],
      path,
      redirectAuthority: plan.authority,
      responseMode: settings.responseMode,
      ...rules,
      applicationName: settings.applicationName,
      provider: hostAndPort(config.issuer),
      clock: world.clock,
      logger: world.logger,
      randomBytes: world.randomBytes,
    });
  const timeoutSeconds = settings.callbackTimeoutSeconds;
  return openInTurn(world, { host, ports, timeoutSeconds, open }, signal);
}

async function requestFor(
  world: FlowWorld,
  { config, settings, context }: SignInInput,
  provider: Provider,
  redirectUri: string,
  signal: AbortSignal,
): Promise<AuthorizationAttempt> {
  return createAuthorizationAttempt(
    world,
    provider,
    {
      ...clientIdentity(config, context),
      ...tokenTarget(config),
      redirectUri,
      scopes: config.scopes,
      pkce: settings.pkce,
      prompt: settings.prompt,
      maxAgeSeconds: settings.maxAge,
      acrValues: settings.acrValues,
      loginHint: settings.loginHint,
      offlineAccess: settings.offlineAccess,
      responseMode: settings.responseMode,
      extraParameters: settings.extraAuthorizationParams,
    },
    signal,
  );
}

/** Hands in a pasted address where it is this sign-in's; else says what is wrong with it. */
function takePasted(
  world: FlowWorld,
  attempt: Attempt,
  responseMode: Settings["responseMode"],
  redirected: string,
  take: (parameters: URLSearchParams) => void,
): void {
  if (responseMode !== "query") {
    world.onWarning(
      "paste_refused",
      say`With ${option("responseMode", "form_post")} the answer stands in no address, so there is none to paste.`,
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
    take(read.parameters);
  }
}

/** Waits for the redirect, a pasted address, the end of time or a cancellation, whichever is first. */
async function waitForRedirect(
  world: FlowWorld,
  settings: Settings,
  attempt: Attempt,
  browser: SignInBrowser,
  signal: AbortSignal,
): Promise<URLSearchParams> {
  const waiting = new AbortController();
  const stop = AbortSignal.any([signal, waiting.signal]);
  const milliseconds = settings.callbackTimeoutSeconds * 1000;
  try {
    return await new Promise<URLSearchParams>((resolve, reject) => {
      attempt.listener.callback.then(resolve, reject);
      world.clock
        .sleep(milliseconds, { signal: stop })
        .then(
          () => reject(timeIsUp({ ...attempt, metadata: attempt.provider.metadata }, settings)),
          reject,
        );
      const { responseMode } = settings;
      const expiresAt = new Date(world.clock.now() + milliseconds);
      const show = (result: BrowserResult | undefined): void => {
        world.prompt({
          type: "authorizationUrl",
          url: attempt.request.url,
          redirectUri: attempt.redirectUri,
          browserOpened: result?.opened ?? false,
          ...(result?.opened === false ? { browserProblem: result.problem } : {}),
          expiresAt,
          ...(responseMode === "query" ? {} : { canPaste: false }),
          paste: (redirected) => takePasted(world, attempt, responseMode, redirected, resolve),
          cancel: () => reject(new OidcError("aborted", "The sign-in was cancelled.")),
        });
      };
      show(browser.result);
      if (browser.result?.opened !== true || !world.terminal) return;
      browser.missing(stop).then(
        () => show({ opened: false, problem: nothingOpened }),
        () => undefined,
      );
    });
  } finally {
    waiting.abort();
  }
}

async function signInThrough(
  world: FlowWorld,
  { settings, context }: SignInInput,
  attempt: Attempt,
  beside: BesideBrowser,
): Promise<TokenAnswer> {
  const { signal } = context;
  const { provider, listener, request, start } = attempt;
  const host = hostAndPort(provider.metadata.issuer);
  emit(world.logger, "login.started", { host, flow: "auth_code" });
  // Keys are needed when the browser comes back: loading them now costs the person no time.
  provider.prefetchKeys(signal);
  await context.beforePrompt?.();
  // Whoever gave up meanwhile, be it at the moment at which the port was passed on, sees no browser.
  signal.throwIfAborted();
  const target = request.url;
  const browser = await startBrowser(world, settings, {
    start,
    target,
    authority: attempt.startAuthority,
  });
  const byBrowser = async (stop: AbortSignal): Promise<TokenAnswer> => {
    try {
      const parameters = await waitForRedirect(world, settings, attempt, browser, stop);
      context.onAnswer?.();
      await start.alone(stop);
      return await request.exchange(parameters, stop);
    } catch (error) {
      // The tab says at once what came of it, though another way may still be waited for. Where that one was first,
      // the tab says so below.
      if (!stop.aborted) listener.settle(outcomeOf(error));
      throw error;
    }
  };
  try {
    const answer = await endedByIntruder(start, signal, (stop) => beside(browser, byBrowser, stop));
    listener.settle({ kind: "done" });
    emit(world.logger, "login.finished", { host });
    return answer;
  } finally {
    await browser.close();
  }
}

/**
 * Signs a person in with a browser. A fixed port is waited for where another sign-in of this user has it.
 * @throws {OidcError} any code of the listener, the authorization response and the token request.
 * @see RFC 6749 section 4.1, RFC 8252, OpenID Connect Core section 3.1
 */
export async function signInWithBrowser(
  world: FlowWorld,
  input: SignInInput,
  provider: Provider,
  { besideBrowser, clientOf }: { besideBrowser: BesideBrowser; clientOf: ClientOfSignIn },
): Promise<TokenAnswer> {
  const { signal } = input.context;
  const plan = planRedirect(input.settings);
  const start = createStartAddress(world, hostAndPort(provider.metadata.issuer));
  let request: AuthorizationAttempt | undefined;
  const port = await openListener(
    world,
    input,
    plan,
    { isExpectedState: (candidate) => request?.isExpectedState(candidate) ?? false, start },
    signal,
  );
  const { listener } = port;
  try {
    warnAboutExposure(world, listener);
    const redirectUri = plan.redirectUri(listener.authority);
    const own = asClient(input, await clientOf(redirectUri));
    request = await requestFor(world, own, provider, redirectUri, signal);
    const startAuthority = reachedByLoopback(plan.host) ? listener.authority : undefined;
    const attempt = { provider, listener, request, redirectUri, start, startAuthority };
    return await signInThrough(world, input, attempt, besideBrowser);
  } catch (error) {
    listener.settle(outcomeOf(error));
    throw error;
  } finally {
    port.leave();
  }
}
