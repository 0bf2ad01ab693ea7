// Changes when the rules of polling do. The clock is played, so that minutes take no time.

import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { ManualClock } from "../../test/support/manual-clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { LatchkeyEvent } from "../core/events.ts";
import type { DeviceCodeEvent, PromptEvent } from "../core/prompt.ts";
import type { HttpAnswer, HttpRequest } from "../http/exchange.ts";
import type { Provider } from "../provider/metadata.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import { signInWithDevice, type DeviceOccasion } from "./device.ts";
import type { FlowWorld } from "./flow-world.ts";
import { inputWith } from "../../test/support/flow-input.ts";

const issuer = "https://id.example.com";
const deviceCode = "canary-device-code";
const codeAnswer = {
  device_code: deviceCode,
  user_code: "WDJB-MJHT",
  verification_uri: `${issuer}/device`,
  expires_in: 600,
};
const tokens = { access_token: "canary-access-token", token_type: "Bearer", expires_in: 3600 };

/** An answer, or the error that the transport throws. */
type Reply = Readonly<Record<string, unknown>> | OidcError;

function pending(): Reply {
  return { error: "authorization_pending" };
}

function slowDown(interval?: number): Reply {
  return { error: "slow_down", ...(interval === undefined ? {} : { interval }) };
}

interface Scene {
  readonly clock: ManualClock;
  readonly requests: HttpRequest[];
  readonly prompts: PromptEvent[];
  readonly events: LatchkeyEvent[];
  readonly opened: string[];
  readonly caller: AbortController;
  readonly outcome: Promise<TokenAnswer | OidcError>;
  /** Seconds of the wait that begins now, and lets it pass. */
  wait(): Promise<number>;
  moveWallClock(milliseconds: number): void;
  shown(): Promise<DeviceCodeEvent>;
}

interface SceneOptions {
  readonly code?: Readonly<Record<string, unknown>>;
  /** One for each poll; the last one again and again. */
  readonly replies?: readonly Reply[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly occasion?: DeviceOccasion | undefined;
  /** Default: standard error is not one. */
  readonly terminal?: boolean;
}

function answerOf(url: string, body: Readonly<Record<string, unknown>>): HttpAnswer {
  return {
    status: "error" in body ? 400 : 200,
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify(body)),
    url,
  };
}

function scene({
  code = {},
  replies = [tokens],
  options = {},
  occasion,
  terminal = false,
}: SceneOptions = {}): Scene {
  const clock = createManualClock();
  const caller = new AbortController();
  const requests: HttpRequest[] = [];
  const prompts: PromptEvent[] = [];
  const events: LatchkeyEvent[] = [];
  const opened: string[] = [];
  let moved = 0;
  let polls = 0;
  let show = (_event: DeviceCodeEvent): void => {};
  const shown = new Promise<DeviceCodeEvent>((resolve) => (show = resolve));
  const world: FlowWorld = {
    clock: {
      now: () => clock.now() + moved,
      monotonic: () => clock.monotonic(),
      sleep: (milliseconds, more) => clock.sleep(milliseconds, more),
    },
    randomBytes: (length) => new Uint8Array(length),
    environment: {},
    platform: "linux",
    whyNoBrowser: () => Promise.resolve(undefined),
    openBrowser: async (url) => {
      opened.push(url);
      return { opened: true };
    },
    prompt: (event) => {
      prompts.push(event);
      if (event.type === "deviceCode") show(event);
    },
    logger: (event) => events.push(event),
    canPrompt: true,
    terminal,
    background: new Set(),
    cacheFolder: undefined,
    onWarning: () => undefined,
    http: {
      trustedRoots: async () => "none",
      send: async (request) => {
        requests.push(request);
        if (request.step === "device authorization") {
          return answerOf(request.url, { ...codeAnswer, ...code });
        }
        const reply = replies[Math.min(polls, replies.length - 1)] ?? tokens;
        polls += 1;
        if (reply instanceof OidcError) throw reply;
        return answerOf(request.url, reply);
      },
    },
  };
  const provider: Provider = {
    metadata: {
      issuer,
      source: "options",
      tokenEndpoint: `${issuer}/token`,
      deviceAuthorizationEndpoint: `${issuer}/device/auth`,
      issParameterSupported: false,
      pushedAuthorizationRequired: false,
    },
    options: { issuer, clientId: "data-cli", allowInsecureHttp: false, flow: "device" },
    keys: { known: false, current: async () => [], fetchAgain: async () => [] },
    prefetchKeys: () => undefined,
    forgetCached: async () => undefined,
  };
  const { signal } = caller;
  const outcome = inputWith(
    { issuer, clientId: "data-cli", openBrowser: false, ...options },
    { signal },
  )
    .then((input) => signInWithDevice(world, input, provider, signal, occasion))
    .catch((error: unknown) => {
      if (!isOidcError(error)) throw error;
      return error;
    });
  return {
    clock,
    requests,
    prompts,
    events,
    opened,
    caller,
    outcome,
    shown: () => shown,
    moveWallClock: (milliseconds) => (moved += milliseconds),
    wait: async () => {
      const milliseconds = await clock.nextSleep();
      await clock.advance(milliseconds);
      return milliseconds / 1000;
    },
  };
}

function pollsOf(on: Scene): readonly HttpRequest[] {
  return on.requests.filter((request) => request.step === "token request");
}

async function failureOf(on: Scene): Promise<OidcError> {
  const outcome = await on.outcome;
  if (!isOidcError(outcome)) throw new Error("the sign-in did not fail");
  return outcome;
}

test("polls after the interval, 5 seconds where none is named, with a margin for clocks that run fast [V01]", async () => {
  const on = scene({ replies: [pending(), pending(), tokens] });
  await on.shown();
  expect(pollsOf(on)).toHaveLength(0);
  expect([await on.wait(), await on.wait(), await on.wait()]).toEqual([6, 6, 6]);
  expect(await on.outcome).toMatchObject({ accessToken: tokens.access_token });
  expect(pollsOf(on)).toHaveLength(3);
  expect(Object.fromEntries(pollsOf(on)[0]?.form ?? [])).toEqual({
    client_id: "data-cli",
    code_verifier: expect.any(String),
    device_code: deviceCode,
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
  });
});

test("each slow_down adds 5 seconds for good, or takes the longer interval that it names [V01]", async () => {
  const on = scene({
    code: { interval: 2 },
    replies: [slowDown(), pending(), slowDown(), slowDown(30), slowDown(3), tokens],
  });
  const waits = [];
  for (let count = 0; count < 6; count += 1) waits.push(await on.wait());
  // 2 × 1.2, then × 1.4: 7, 7, 12, 30, 35.
  expect(waits.map((seconds) => Math.round(seconds * 10) / 10)).toEqual([
    2.4, 9.8, 9.8, 16.8, 42, 49,
  ]);
  expect(await on.outcome).toMatchObject({ accessToken: tokens.access_token });
});

test("a poll without an answer doubles the wait each time, and an answer ends that [V02]", async () => {
  const timeout = new OidcError("timeout", "No whole answer.");
  const network = new OidcError("network", "Reset.");
  const on = scene({ replies: [timeout, network, timeout, timeout, pending(), tokens] });
  const waits = [];
  for (let count = 0; count < 6; count += 1) waits.push(await on.wait());
  expect(waits).toEqual([6, 12, 24, 48, 60, 6]);
  expect(await on.outcome).toMatchObject({ accessToken: tokens.access_token });
});

test("Retry-After is waited for [V02]", async () => {
  const busy = new OidcError("rate_limited", "Busy.", { retryAfterSeconds: 100 });
  const on = scene({ replies: [busy, tokens] });
  expect([await on.wait(), await on.wait()]).toEqual([6, 100]);
  expect(await on.outcome).toMatchObject({ accessToken: tokens.access_token });
});

test("a code that nobody entered is device_code_expired, with no poll and no new code after its end [V03]", async () => {
  const on = scene({ code: { expires_in: 15 }, replies: [pending()] });
  expect([await on.wait(), await on.wait(), await on.wait()]).toEqual([6, 6, 3]);
  expect((await failureOf(on)).code).toBe("device_code_expired");
  // Nor was another code asked for.
  expect([pollsOf(on).length, on.requests.length, on.prompts.length, on.clock.sleeping]).toEqual([
    2, 3, 1, 0,
  ]);
});

test("[F-U17] on a terminal a second code follows one that expired, says why, and signs in", async () => {
  const on = scene({ terminal: true, code: { expires_in: 8 }, replies: [pending(), tokens] });
  expect([await on.wait(), await on.wait(), await on.wait()]).toEqual([6, 2, 6]);
  expect(await on.outcome).toMatchObject({ accessToken: tokens.access_token });
  expect(on.prompts).toMatchObject([
    { type: "deviceCode" },
    { type: "deviceCode", why: "The last code has expired. Here is a new one." },
  ]);
});

test.each([
  [undefined, 2],
  [{ besideBrowser: true }, 1],
])("[F-U17] no third code, and none beside a browser's", async (occasion, most) => {
  const on = scene({ terminal: true, code: { expires_in: 4 }, replies: [pending()], occasion });
  for (let count = 0; count < most; count += 1) await on.wait();
  expect((await failureOf(on)).code).toBe("device_code_expired");
  expect(on.prompts).toHaveLength(most);
});

test("a laptop that slept over the end of the code does not poll again [V03]", async () => {
  const on = scene({ replies: [pending()] });
  await on.wait();
  const next = await on.clock.nextSleep();
  // The monotonic clock stands still meanwhile.
  on.moveWallClock(3600_000);
  await on.clock.advance(next);
  expect((await failureOf(on)).code).toBe("device_code_expired");
  expect(pollsOf(on)).toHaveLength(1);
});

test("a wall clock that is set back does not make the code last longer [V03]", async () => {
  const on = scene({ code: { expires_in: 10 }, replies: [pending()] });
  await on.shown();
  on.moveWallClock(-3600_000);
  await on.wait();
  await on.wait();
  expect((await failureOf(on)).code).toBe("device_code_expired");
  expect(pollsOf(on)).toHaveLength(1);
});

test("the provider's own word that the code expired ends it, as does a code that expires without a network [V03]", async () => {
  const on = scene({ replies: [{ error: "expired_token" }] });
  await on.wait();
  const error = await failureOf(on);
  expect([error.code, error.providerError]).toEqual(["device_code_expired", "expired_token"]);

  const offline = scene({
    code: { expires_in: 20 },
    replies: [new OidcError("network", "Unreachable.")],
  });
  await offline.wait();
  await offline.wait();
  await offline.wait();
  const end = await failureOf(offline);
  expect([end.code, isOidcError(end.cause) && end.cause.code]).toEqual([
    "device_code_expired",
    "network",
  ]);
});

test.for([
  [{ error: "access_denied" }, "access_denied", undefined],
  [{ error: "authorization_declined" }, "access_denied", undefined],
  [{ error: "invalid_grant" }, "token_request_failed", "invalid_grant"],
  [{ error: "unheard_of" }, "token_request_failed", undefined],
  [{ token_type: "Bearer" }, "token_response_invalid", "access_token"],
  [new OidcError("tls", "Not trusted."), "tls", undefined],
] as const)("stops at once at %j [V04]", async ([reply, code, reason]) => {
  const on = scene({ replies: [reply, tokens] });
  await on.wait();
  const error = await failureOf(on);
  expect([error.code, error.reason]).toEqual([code, reason]);
  expect(pollsOf(on)).toHaveLength(1);
  expect(on.clock.sleeping).toBe(0);
});

test("with the complete address the code is shown besides, and no browser is started unasked [V06]", async () => {
  const complete = `${issuer}/device?user_code=WDJB-MJHT`;
  const on = scene({
    code: { verification_uri_complete: complete },
    options: { scopes: ["openid", "email"] },
  });
  const event = await on.shown();
  expect(on.opened).toEqual([]);
  expect(event).toEqual({
    type: "deviceCode",
    cancel: expect.any(Function),
    expiresAt: new Date(on.clock.now() + 600_000),
    userCode: "WDJB-MJHT",
    verificationUri: `${issuer}/device`,
    verificationUriComplete: complete,
    issuer,
    clientId: "data-cli",
    scopes: ["openid", "email"],
  });
  await on.wait();
  await on.outcome;
});

test("beside a browser that did not open none is started, and the event says so", async () => {
  const on = scene({ options: { openBrowser: true }, occasion: { besideBrowser: true } });
  expect(await on.shown()).toMatchObject({ besideBrowser: true });
  expect(on.opened).toEqual([]);
  on.caller.abort(new OidcError("aborted", "Enough."));
});

test("an address that is no https: one is neither shown nor opened [V05]", async () => {
  const on = scene({
    code: { verification_uri: "javascript:alert(1)" },
    options: { openBrowser: true },
  });
  const error = await failureOf(on);
  expect([error.code, error.reason]).toEqual(["endpoint_invalid", "verification_uri"]);
  expect([on.opened, on.prompts, on.requests.length]).toEqual([[], [], 1]);
});

test.for(["", "javascript:alert(1)", "https://id.example.com/\n?user_code=x", 7, null])(
  "a complete address that is unfit is left out, and the code is shown [V05] [F-P optional-or-foreign-values]: %j",
  async (verification_uri_complete) => {
    const on = scene({ code: { verification_uri_complete } });
    const event = await on.shown();
    expect([event.userCode, event.verificationUri]).toEqual(["WDJB-MJHT", `${issuer}/device`]);
    expect(event).not.toHaveProperty("verificationUriComplete");
    on.caller.abort(new OidcError("aborted", "Enough."));
    await on.outcome;
  },
);

test.for(["cancel", "abort"] as const)(
  "%s ends it at once, without another poll [V10]",
  async (how) => {
    const on = scene({ replies: [pending()] });
    const event = await on.shown();
    await on.wait();
    if (how === "cancel") event.cancel();
    else on.caller.abort(new OidcError("aborted", "Enough."));
    // One turn of the event loop.
    const turn = new Promise<"late">((resolve) => void setImmediate(resolve, "late"));
    const outcome = await Promise.race([on.outcome, turn]);
    expect(outcome).toMatchObject({ code: "aborted" });
    await on.clock.advance(600_000);
    expect([pollsOf(on).length, on.clock.sleeping]).toEqual([1, 0]);
  },
);

test("neither the device code nor a token is in what is shown, logged or thrown [V08]", async () => {
  const repeated = {
    error: "invalid_request",
    error_description: `the device code ${deviceCode} is not acceptable`,
  };
  const { inspect } = await import("node:util");
  for (const replies of [[slowDown(), pending(), tokens], [repeated]]) {
    const on = scene({ replies });
    await on.wait();
    if (replies.length > 1) {
      await on.wait();
      await on.wait();
    }
    const outcome = await on.outcome;
    const told = [on.prompts, on.events, isOidcError(outcome) ? outcome : undefined];
    const text = inspect(told, { depth: 12, showHidden: true }) + JSON.stringify(told);
    expect(text).not.toContain(deviceCode);
    expect(text).not.toContain(tokens.access_token);
    expect(on.events.filter((event) => event.name === "device.code_issued")).toHaveLength(1);
  }
});
