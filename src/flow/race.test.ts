// Changes when it does who ends whom among methods that are offered together.

import { expect, test } from "vitest";
import { isOidcError, OidcError, type OidcErrorCode } from "../core/errors.ts";
import type { LatchkeyEvent } from "../core/events.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import { firstToFinish, type SignInMethod } from "./race.ts";

const answer = { accessToken: "t" } as TokenAnswer;

interface PlayedWay extends SignInMethod {
  succeed(): void;
  fail(code: OidcErrorCode): void;
  readonly stopped: () => boolean;
}

function playedWay(flow: SignInMethod["flow"]): PlayedWay {
  let resolve = (_answer: TokenAnswer): void => {};
  let reject = (_error: unknown): void => {};
  let stopped = false;
  const outcome = new Promise<TokenAnswer>((...both) => ([resolve, reject] = both));
  return {
    flow,
    start: (signal) => {
      signal.addEventListener("abort", () => {
        stopped = true;
        reject(new OidcError("aborted", "Stopped."));
      });
      return outcome;
    },
    succeed: () => resolve(answer),
    fail: (code) => reject(new OidcError(code, `It was ${code}.`)),
    stopped: () => stopped,
  };
}

function together() {
  const browser = playedWay("auth_code");
  const device = playedWay("device");
  const warnings: string[] = [];
  const logged: LatchkeyEvent[] = [];
  const caller = new AbortController();
  const outcome = firstToFinish(
    {
      logger: (event) => logged.push(event),
      onWarning: (code) => warnings.push(code),
    },
    "id.example.com:443",
    [browser, device],
    caller.signal,
  ).catch((error: unknown) => (isOidcError(error) ? error.code : error));
  return { browser, device, warnings, logged, caller, outcome };
}

test("the first success wins, and the other method is stopped", async () => {
  const one = together();
  one.device.succeed();
  expect([await one.outcome, one.browser.stopped(), one.warnings]).toEqual([answer, true, []]);
  const other = together();
  other.browser.succeed();
  expect([await other.outcome, other.device.stopped()]).toEqual([answer, true]);
});

test.for([
  "access_denied",
  "authorization_failed",
  "device_code_expired",
  "network",
  "timeout",
  "token_request_failed",
  "token_response_invalid",
] as const)("%s on one method leaves the other alone", async (code) => {
  const on = together();
  on.device.fail(code);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(on.browser.stopped()).toBe(false);
  on.browser.succeed();
  expect(await on.outcome).toBe(answer);
  expect(on.logged.map((event) => event.name)).toEqual(["login.way_ended"]);
});

test.for([
  "callback_invalid",
  "state_mismatch",
  "id_token_invalid",
  "issuer_mismatch",
  "endpoint_invalid",
  "subject_changed",
  "tls",
  "aborted",
] as const)("%s on either method ends both at once [V07]", async (code) => {
  const one = together();
  one.browser.fail(code);
  expect([await one.outcome, one.device.stopped()]).toEqual([code, true]);
  const other = together();
  other.device.fail(code);
  expect([await other.outcome, other.browser.stopped()]).toEqual([code, true]);
});

test("where both end by themselves a refusal is the outcome, else the browser's", async () => {
  const refused = together();
  refused.device.fail("access_denied");
  refused.browser.fail("callback_timeout");
  expect(await refused.outcome).toBe("access_denied");
  const timedOut = together();
  timedOut.device.fail("device_code_expired");
  timedOut.browser.fail("callback_timeout");
  expect(await timedOut.outcome).toBe("callback_timeout");
});

test("the caller's abort ends both", async () => {
  const on = together();
  on.caller.abort(new OidcError("aborted", "Enough."));
  expect([await on.outcome, on.browser.stopped(), on.device.stopped()]).toEqual([
    "aborted",
    true,
    true,
  ]);
});

test("an error that is no OidcError ends both: it is a fault of ours", async () => {
  const browser = playedWay("auth_code");
  const fault = new TypeError("fault");
  const world = { logger: undefined, onWarning: () => undefined };
  const outcome = firstToFinish(
    world,
    "id.example.com:443",
    [browser, { flow: "device", start: async () => Promise.reject(fault) }],
    new AbortController().signal,
  );
  await expect(outcome).rejects.toBe(fault);
  expect(browser.stopped()).toBe(true);
});
