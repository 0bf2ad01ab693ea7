// The device flow: a code that is entered elsewhere, and the polls until it is. Changes when the rules of polling do.

import { decisionsOf, isOidcError, OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import { hostAndPort } from "../core/hosts.ts";
import { maxPollIntervalSeconds } from "../core/limits.ts";
import { createStartAddress, openAtStart } from "../interaction/open-browser.ts";
import {
  deviceCodeExpired,
  requestDeviceAuthorization,
  type DeviceAuthorization,
} from "../provider/device-authorization.ts";
import type { Provider } from "../provider/metadata.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import type { FlowWorld } from "./flow-world.ts";
import { clientIdentity, tokenTarget } from "./provider-input.ts";
import type { SignInInput } from "./sign-in-config.ts";
import { endedByIntruder } from "./sign-in-browser.ts";

/** How a device sign-in came about. */
export interface DeviceOccasion {
  /** Why this way was chosen, where it was not asked for. */
  readonly why?: string | undefined;
  /** Beside a browser sign-in that is shown already: no browser is started then. */
  readonly besideBrowser?: boolean;
}

// Clocks in WSL and virtual machines run fast by up to some 10 %, and a provider that counts every early poll as too
// fast asks to slow down without end: https://github.com/cli/cli/issues/9370. The factors are those of cli/oauth.
const clockMargin = 1.2;
const clockMarginAfterSlowDown = 1.4;
// RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests."
const slowDownSeconds = 5;

/** How long to wait before the next poll. It remembers: slowed down is slowed down for good. */
class Pace {
  #intervalSeconds: number;
  #margin = clockMargin;
  #failures = 0;

  constructor(intervalSeconds: number) {
    this.#intervalSeconds = intervalSeconds;
  }

  answered(): void {
    this.#failures = 0;
  }

  slowDown(intervalSeconds: number | undefined): void {
    this.#failures = 0;
    this.#margin = clockMarginAfterSlowDown;
    this.#intervalSeconds = Math.max(this.#intervalSeconds + slowDownSeconds, intervalSeconds ?? 0);
  }

  /** RFC 8628 section 3.5: after a connection timeout "doubling the polling interval" is recommended. */
  failed(): void {
    this.#failures += 1;
  }

  nextMilliseconds(): number {
    const usual = this.#intervalSeconds * this.#margin;
    const backedOff = Math.min(usual * 2 ** Math.min(this.#failures, 10), maxPollIntervalSeconds);
    return Math.round(Math.max(usual, backedOff) * 1000);
  }
}

/**
 * When the code ends, by both clocks: the monotonic one stands still while a laptop sleeps, the other one may be set
 * back. Whichever is first counts (V03).
 */
function deadlineOf(world: FlowWorld, seconds: number): () => number {
  const wallEnd = world.clock.now() + seconds * 1000;
  const monotonicEnd = world.clock.monotonic() + seconds * 1000;
  return () => Math.min(wallEnd - world.clock.now(), monotonicEnd - world.clock.monotonic());
}

/** Seconds that the failure of one poll asks to wait; undefined where the failure ends the sign-in. */
function passingFailure(error: unknown): { readonly waitSeconds: number } | undefined {
  if (!isOidcError(error) || decisionsOf(error)?.duration !== "transient") return undefined;
  return { waitSeconds: error.retryAfterSeconds ?? 0 };
}

/**
 * Polls until the person is done. The first poll comes after one interval.
 *
 * | answer | then |
 * |---|---|
 * | tokens | done |
 * | `authorization_pending` | wait the interval |
 * | `slow_down` | 5 seconds more, or the named interval, for good |
 * | no answer, server failed | wait twice as long each time, 60 seconds at most |
 * | 429, or 503 with Retry-After | wait as long as asked |
 * | anything else | stop |
 */
async function pollUntilDone(
  world: FlowWorld,
  authorization: DeviceAuthorization,
  host: string,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const remaining = deadlineOf(world, authorization.expiresInSeconds);
  const pace = new Pace(authorization.intervalSeconds);
  let waitMilliseconds = pace.nextMilliseconds();
  let lastFailure: unknown;
  for (;;) {
    const left = remaining();
    await world.clock.sleep(Math.max(0, Math.min(waitMilliseconds, left)), { signal });
    // Looked at before the poll: a machine that slept over the end must not ask again. A timer may fire a moment early,
    // so a wait that was to end with the code did.
    if (waitMilliseconds >= left || remaining() <= 0) {
      throw deviceCodeExpired(host, { cause: lastFailure });
    }
    let askedSeconds = 0;
    let outcome: "pending" | "slow_down" | "unreachable";
    try {
      const poll = await authorization.poll(signal);
      if (poll.kind === "granted") {
        emit(world.logger, "device.polled", { host, outcome: "granted", nextInSeconds: 0 });
        return poll.answer;
      }
      outcome = poll.kind;
      if (poll.kind === "slow_down") pace.slowDown(poll.intervalSeconds);
      else pace.answered();
      lastFailure = undefined;
    } catch (error) {
      const passing = signal.aborted ? undefined : passingFailure(error);
      if (passing === undefined) throw error;
      askedSeconds = passing.waitSeconds;
      outcome = "unreachable";
      pace.failed();
      lastFailure = error;
    }
    waitMilliseconds = Math.max(pace.nextMilliseconds(), askedSeconds * 1000);
    emit(world.logger, "device.polled", { host, outcome, nextInSeconds: waitMilliseconds / 1000 });
  }
}

let warnedOfSameDevice = false;

// RFC 10027: a code that is shown and entered on one device protects nobody, and teaches people to enter codes.
function warnOfSameDevice(world: FlowWorld, provider: Provider): void {
  if (warnedOfSameDevice) return;
  warnedOfSameDevice = true;
  const { authorizationEndpoint } = provider.metadata;
  world.onWarning(
    "device_code_on_this_device",
    "The device flow is for a browser on another device, and this one opened a browser of its own (RFC 10027). " +
      (authorizationEndpoint === undefined
        ? "Enter a code only if this program showed it to you."
        : "Where no flow is set, the authorization code flow is taken here, which is safer."),
  );
}

/**
 * Signs a person in with a code that is entered on any device. On a terminal, whoever comes back too late finds a second
 * code, and no third one: a terminal that was left alone must not ask for ever.
 * @throws {OidcError} `device_code_expired`, `access_denied`, `aborted`, and the codes of
 * `requestDeviceAuthorization` and of a token request.
 * @see RFC 8628
 */
export async function signInWithDevice(
  world: FlowWorld,
  input: SignInInput,
  provider: Provider,
  signal: AbortSignal,
  occasion: DeviceOccasion = {},
): Promise<TokenAnswer> {
  try {
    return await signInWithOneCode(world, input, provider, signal, occasion);
  } catch (error) {
    const hasExpired = isOidcError(error) && error.code === "device_code_expired";
    const mayReturn = world.terminal && world.canPrompt && occasion.besideBrowser !== true;
    if (!hasExpired || !mayReturn || signal.aborted) throw error;
    const why = "The last code has expired. Here is a new one.";
    return signInWithOneCode(world, input, provider, signal, { why });
  }
}

async function signInWithOneCode(
  world: FlowWorld,
  input: SignInInput,
  provider: Provider,
  signal: AbortSignal,
  occasion: DeviceOccasion,
): Promise<TokenAnswer> {
  const { issuer } = provider.metadata;
  const host = hostAndPort(issuer);
  const { why, besideBrowser = false } = occasion;
  emit(world.logger, "login.started", { host, flow: "device" });
  const { config, settings, context } = input;
  const { offlineAccess, acrValues, openBrowser, browserCommand } = settings;
  const identity = clientIdentity(config, context);
  const authorization = await requestDeviceAuthorization(
    world,
    provider,
    {
      ...identity,
      ...tokenTarget(config),
      scopes: config.scopes,
      offlineAccess,
      pkce: settings.pkce,
      maxAgeSeconds: settings.maxAge,
      acrValues,
    },
    signal,
  );
  const { userCode, verificationUri, verificationUriComplete, expiresInSeconds } = authorization;
  emit(world.logger, "device.code_issued", {
    host,
    expiresInSeconds,
    intervalSeconds: authorization.intervalSeconds,
  });
  await context.beforePrompt?.();
  // Counted from here, whatever a browser takes to start.
  const expiresAt = new Date(world.clock.now() + expiresInSeconds * 1000);
  const cancelled = new AbortController();
  const stop = AbortSignal.any([signal, cancelled.signal]);
  // Keys are needed when the tokens come: loading them now costs the person no time.
  provider.prefetchKeys(signal);
  const start = createStartAddress(world, host);
  const finished = endedByIntruder(start, stop, (end) =>
    pollUntilDone(world, authorization, host, end),
  );
  // Shown while a browser starts; its rejection is seen by whoever awaits it below.
  finished.catch(() => undefined);
  const target = verificationUriComplete ?? verificationUri;
  const opening =
    openBrowser && !besideBrowser
      ? openAtStart(world, { start, target, command: browserCommand, authority: undefined })
      : undefined;
  try {
    const opened = await Promise.race([opening, finished.then(() => undefined)]);
    if (!stop.aborted) {
      world.prompt({
        type: "deviceCode",
        userCode,
        verificationUri,
        ...(verificationUriComplete === undefined ? {} : { verificationUriComplete }),
        expiresAt,
        ...(why === undefined ? {} : { why }),
        ...(besideBrowser ? { besideBrowser } : {}),
        issuer,
        clientId: identity.clientId,
        scopes: authorization.requestedScopes,
        ...(opened === undefined ? {} : { browserOpened: opened.result.opened }),
        cancel: () => cancelled.abort(new OidcError("aborted", "The sign-in was cancelled.")),
      });
      if (opened?.result.opened === true) warnOfSameDevice(world, provider);
    }
    const answer = await finished;
    emit(world.logger, "login.finished", { host });
    return answer;
  } finally {
    // A browser that is being started is not waited for.
    void opening?.then((opened) => opened.close());
  }
}
