// One running operation: its time limit, its abort signal and their end.

import type { Clock } from "../core/clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { HttpRequest } from "./exchange.ts";
import { hostAndPort } from "../core/hosts.ts";
import { inheritTime } from "../core/timed-signal.ts";
import { option, say } from "../core/wording.ts";

/** What the parts of an operation share. */
export interface Operation {
  readonly request: HttpRequest;
  /** Aborted by the caller, by the time limit, and when the operation is over. */
  readonly signal: AbortSignal;
  readonly remainingMilliseconds: () => number;
  /** From here on the operation can no longer run out of time, only be aborted. */
  readonly stopTimer: () => void;
}

function abortedError(request: HttpRequest, signal: AbortSignal): OidcError {
  const reason: unknown = signal.reason;
  if (isOidcError(reason)) return reason;
  return new OidcError(
    "aborted",
    `The ${request.step} at ${hostAndPort(request.url)} was given up: aborted by the caller.`,
  );
}

/**
 * Runs `work` within a time limit on the monotonic clock. Afterwards nothing of it is left: timers are cleared,
 * connections in the making and unread bodies are taken down.
 * @throws {OidcError} `timeout`, `aborted` (or the signal's reason where that is an OidcError), and what `work` throws.
 */
export async function runOperation<Result>(
  request: HttpRequest,
  clock: Clock,
  clientSeconds: number,
  work: (operation: Operation) => Promise<Result>,
): Promise<Result> {
  const caller = request.signal;
  const { maxSeconds = clientSeconds } = request;
  const timeoutSeconds = Math.min(clientSeconds, maxSeconds);
  const limit =
    timeoutSeconds < clientSeconds ? "" : say`; the limit is ${option("httpTimeoutSeconds")}`;
  if (caller?.aborted) throw abortedError(request, caller);

  const controller = new AbortController();
  inheritTime(caller, controller.signal);
  const timer = new AbortController();
  const deadline = clock.monotonic() + timeoutSeconds * 1000;
  const stop = (): void => {
    if (caller !== undefined) controller.abort(abortedError(request, caller));
  };
  caller?.addEventListener("abort", stop, { once: true });
  const expire = async (): Promise<void> => {
    await clock.sleep(timeoutSeconds * 1000, { signal: timer.signal });
    controller.abort(
      new OidcError(
        "timeout",
        say`No whole answer from ${hostAndPort(request.url)} within ${timeoutSeconds} s (${request.step}${limit}).`,
        {
          reason: "operation",
          remedy: "Is the address right, and is a proxy needed (HTTPS_PROXY)? Try again later.",
        },
      ),
    );
  };
  expire().catch(() => {});
  // A transport may be deaf to the signal, so the caller does not wait for it. Registered before the transport's own
  // listener, it also decides which error counts: not the AbortError or reset that the end makes of the parts.
  const stopped = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), {
      once: true,
    });
  });
  try {
    const result = work({
      request,
      signal: controller.signal,
      remainingMilliseconds: () => deadline - clock.monotonic(),
      stopTimer: () => timer.abort(),
    });
    return await Promise.race([result, stopped]);
  } finally {
    timer.abort();
    caller?.removeEventListener("abort", stop);
    controller.abort();
  }
}
