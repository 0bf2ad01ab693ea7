// A client for tests of the network, with a clock that jumps instead of waiting. Changes when the client needs more.
import type { Clock } from "../../src/core/clock.ts";
import { isOidcError } from "../../src/core/errors.ts";
import type { OidcError } from "../../src/core/errors.ts";
import type { LatchkeyEvent } from "../../src/core/events.ts";
import { createHttpClient } from "../../src/http/client.ts";
import type { HttpClientOptions } from "../../src/http/client.ts";
import type { HttpClient, HttpRequest } from "../../src/http/exchange.ts";

export interface JumpingClock extends Clock {
  /** Every pause that was slept through, in milliseconds, time limits not counted. */
  readonly pauses: number[];
  /** Lets the time limits that are running run out. */
  expire(): void;
}

/** A whole second, as HTTP dates have it; of today, because the certificates of these tests are made today too. */
export const clockStart = Math.floor(Date.now() / 1000) * 1000;

/** Pauses end at once and move the time on; a sleep of `limitMilliseconds` is a time limit and waits for `expire`. */
export function makeJumpingClock(limitMilliseconds: number): JumpingClock {
  let elapsed = 0;
  const pauses: number[] = [];
  const limits = new Set<() => void>();
  return {
    pauses,
    now: () => clockStart + elapsed,
    monotonic: () => elapsed,
    expire: () => {
      for (const limit of limits) limit();
    },
    sleep: (milliseconds, { signal } = {}) => {
      if (milliseconds !== limitMilliseconds) {
        pauses.push(milliseconds);
        elapsed += milliseconds;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        limits.add(resolve);
        signal?.addEventListener("abort", () => {
          limits.delete(resolve);
          reject(signal.reason);
        });
      });
    },
  };
}

export interface TestClient extends HttpClient {
  clock: JumpingClock;
  events: LatchkeyEvent[];
  warnings: string[];
  /** The OidcError that an operation ends with. */
  failure(...parameters: Parameters<HttpClient["send"]>): Promise<OidcError>;
}

/** A client with a limit of 30 seconds that never pass by themselves, and an environment that is empty. */
export function makeClient(overrides: Partial<HttpClientOptions> = {}): TestClient {
  const timeoutSeconds = overrides.timeoutSeconds ?? 30;
  const clock = makeJumpingClock(timeoutSeconds * 1000);
  const events: LatchkeyEvent[] = [];
  const warnings: string[] = [];
  const client = createHttpClient({
    clock,
    logger: (event) => events.push(event),
    timeoutSeconds,
    caCertPath: undefined,
    allowInsecureHttp: false,
    environment: {},
    randomBytes: (length) => new Uint8Array(length),
    onWarning: (code) => warnings.push(code),
    ...overrides,
  });
  return {
    send: (request) => client.send(request),
    trustedRoots: () => client.trustedRoots(),
    clock,
    events,
    warnings,
    failure: async (request) => {
      const outcome: unknown = await client.send(request).catch((error: unknown) => error);
      if (isOidcError(outcome)) return outcome;
      throw new Error("expected an OidcError", { cause: outcome });
    },
  };
}

/** Stands where secrets stand; it must not be seen anywhere else. */
export const canary = "canary-secret-value";

/** A GET that may be retried and redirected. */
export function metadataRequest(origin: string): HttpRequest {
  return { method: "GET", url: `${origin}/metadata`, step: "discovery", metadata: true };
}

/** A GET with a token. */
export function userinfoRequest(origin: string): HttpRequest {
  return {
    method: "GET",
    url: `${origin}/userinfo`,
    step: "userinfo",
    headers: { authorization: `Bearer ${canary}` },
  };
}

/** A POST with secrets in query, header and body. */
export function tokenRequest(origin: string): HttpRequest {
  return {
    method: "POST",
    url: `${origin}/token?tenant=${canary}`,
    step: "token request",
    headers: { authorization: `Basic ${canary}` },
    form: new URLSearchParams({ grant_type: "refresh_token", refresh_token: canary }),
  };
}
