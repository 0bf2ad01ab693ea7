// One operation over the network: its requests, retry and redirect, and the outcome. Changes when their order does.

import type { Clock } from "../core/clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { connectTimeoutSeconds } from "../core/limits.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import { assertHttpRuntime } from "../core/runtime.ts";
import type { Transport } from "../core/world.ts";
import { discardBody, readBoundedBody } from "./bounded-body.ts";
import { ConnectionPool } from "./connections.ts";
import type { Route } from "./dispatcher.ts";
import type { HttpAnswer, HttpClient } from "./exchange.ts";
import { describeFailure } from "./failure.ts";
import type { FailurePlace } from "./failure.ts";
import { hostOf } from "../core/hosts.ts";
import { runOperation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { prepareRequest } from "./prepare.ts";
import { redirectTarget } from "./redirect.ts";
import {
  isGatewayFailure,
  isWaitAcceptable,
  parseRetryAfter,
  retryPauseMilliseconds,
} from "./retry.ts";
import { createRouter } from "./route.ts";

/** What a client is made of. */
export interface HttpClientOptions {
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  /** The option `httpTimeoutSeconds`: one operation, its retry and redirect together, in seconds. */
  readonly timeoutSeconds: number;
  /** Absolute path of a PEM bundle that is trusted beside Node's roots; read before the first request. */
  readonly caCertPath: string | undefined;
  /** Whether `http:` may go beyond loopback. */
  readonly allowInsecureHttp: boolean;
  /** Read for proxy variables, `NODE_EXTRA_CA_CERTS` and `NODE_TLS_REJECT_UNAUTHORIZED`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Told once, code `tls_verification_forced`, when the environment switches TLS verification off in vain. */
  readonly onWarning?: ((code: string, message: string) => void) | undefined;
  /** In place of the network, for tests: no way to an address is then looked for. */
  readonly transport?: Transport | undefined;
  /** For tests; default 10. Only undici's own connections know it: the built-in fetch has 10 seconds of its own. */
  readonly connectTimeoutSeconds?: number | undefined;
}

/** The head of an answer and where it came from. */
interface Head {
  readonly response: Response;
  readonly url: URL;
  readonly place: FailurePlace;
}

/** A try that came to no answer. */
interface FailedTry {
  readonly error: OidcError;
  /** Whether a metadata GET is worth one more try. */
  readonly retry: boolean;
  /** How long the server asked to be left alone, in seconds. */
  readonly waitSeconds?: number | undefined;
}

/** What one try came to. */
type Try = FailedTry | { readonly answer: HttpAnswer; readonly retry: boolean };

/** As {@link HttpAnswer} has them: `Headers` gives each `set-cookie` by itself, and all others joined. */
function plainHeaders(headers: Headers): HttpAnswer["headers"] {
  const plain = Object.create(null) as Record<string, string>;
  for (const [name, value] of headers) {
    plain[name] = plain[name] === undefined ? value : `${plain[name]}, ${value}`;
  }
  return plain;
}

/**
 * Makes the client that every request of a credential goes through.
 * @throws {OidcError} `runtime_unavailable` where this process cannot make any request.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  if (options.transport === undefined) assertHttpRuntime();
  const { clock, logger, transport } = options;
  const connectSeconds = options.connectTimeoutSeconds ?? connectTimeoutSeconds;
  const testRoute: Route | undefined =
    transport === undefined ? undefined : { transport, proxyHost: undefined };
  const roots = madeOnce(async () => {
    const { readTrustedRoots } = await loadPart(() => import("./trust-roots.ts"));
    return readTrustedRoots(options.caCertPath, options.environment);
  });
  const findRoute = createRouter({
    caCertPath: options.caCertPath,
    roots,
    environment: options.environment,
    onWarning: options.onWarning,
    connectTimeoutSeconds: connectSeconds,
    pool: new ConnectionPool(clock),
  });

  async function explain(
    thrown: unknown,
    operation: Operation,
    url: URL,
    place: FailurePlace,
  ): Promise<FailedTry> {
    const { error, retry, tlsCode } = describeFailure(thrown, place);
    if (tlsCode === undefined || operation.signal.aborted) return { error, retry };
    const remainingMilliseconds = operation.remainingMilliseconds();
    // The outcome is settled; the look at the certificate must not turn it into a timeout.
    operation.stopTimer();
    const explanation = await loadPart(() => import("./certificate-failure.ts")).catch(
      () => undefined,
    );
    if (explanation === undefined) return { error, retry };
    const explained = await explanation.explainCertificate(error, tlsCode, url, place, {
      remainingMilliseconds,
      signal: operation.signal,
      now: clock.now(),
      caCertPath: options.caCertPath,
    });
    return { error: explained, retry };
  }

  /** One request and the head of its answer. Throws what is wrong on this side; what the network did is returned. */
  async function request(
    operation: Operation,
    url: URL,
    init: RequestInit,
  ): Promise<Head | FailedTry> {
    const { step, method } = operation.request;
    const host = hostOf(url);
    const route = testRoute ?? (await findRoute(url));
    const place: FailurePlace = {
      step,
      host,
      hostname: url.hostname,
      proxyHost: route.proxyHost,
      connectTimeoutSeconds: connectSeconds,
      isPlain: url.protocol === "http:",
    };
    emit(logger, "http.request", { method, host, step });
    const startedAt = clock.monotonic();
    try {
      const response = await route.transport(url.href, { ...init, signal: operation.signal });
      const milliseconds = Math.round(clock.monotonic() - startedAt);
      emit(logger, "http.response", { host, step, status: response.status, milliseconds });
      return { response, url, place };
    } catch (thrown) {
      return explain(thrown, operation, url, place);
    }
  }

  /** A request, and the one redirect that metadata may take. */
  async function requestAndFollow(
    operation: Operation,
    url: URL,
    init: RequestInit,
    mayFollow: boolean,
  ): Promise<Head | FailedTry> {
    const head = await request(operation, url, init);
    if ("error" in head) return head;
    const target = redirectTarget(head.response, url, head.place, mayFollow);
    return target === undefined ? head : requestAndFollow(operation, target, init, false);
  }

  async function attempt(
    operation: Operation,
    url: URL,
    init: RequestInit,
    isMetadata: boolean,
  ): Promise<Try> {
    const head = await requestAndFollow(operation, url, init, isMetadata);
    if ("error" in head) return head;
    const { response, place } = head;
    const { status } = response;
    const headers = plainHeaders(response.headers);
    const waitSeconds = parseRetryAfter(headers["retry-after"], clock.now());
    if (status === 429 || (status === 503 && waitSeconds !== undefined)) {
      discardBody(response);
      const error = new OidcError(
        "rate_limited",
        `${place.host} has had too many requests or is overloaded (${place.step}, status ${status}). Try again ` +
          `${waitSeconds === undefined ? "later" : `in ${waitSeconds} s`}.`,
        { retryAfterSeconds: waitSeconds },
      );
      return { error, retry: waitSeconds !== undefined, waitSeconds };
    }
    try {
      const body = await readBoundedBody(response, `${place.host} (${place.step})`);
      return {
        answer: { status, headers, body, url: head.url.href },
        retry: isGatewayFailure(status),
      };
    } catch (thrown) {
      return isOidcError(thrown)
        ? { error: thrown, retry: false }
        : explain(thrown, operation, head.url, place);
    }
  }

  /** Only metadata is asked for twice: a code or a refresh token must not be sent again here (RFC 6749 4.1.2). */
  async function attemptTwice(
    operation: Operation,
    url: URL,
    init: RequestInit,
  ): Promise<HttpAnswer> {
    const isMetadata = operation.request.metadata === true && operation.request.method === "GET";
    let outcome = await attempt(operation, url, init, isMetadata);
    if (isMetadata && outcome.retry) {
      const waitSeconds = "waitSeconds" in outcome ? (outcome.waitSeconds ?? 0) : 0;
      const pause = waitSeconds * 1000 + retryPauseMilliseconds(options.randomBytes);
      if (isWaitAcceptable(waitSeconds, pause, operation.remainingMilliseconds())) {
        await clock.sleep(pause, { signal: operation.signal });
        outcome = await attempt(operation, url, init, isMetadata);
      }
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.answer;
  }

  return {
    trustedRoots: async () => (await roots()).digest,
    async send(sent) {
      const { url, init } = prepareRequest(sent, options.allowInsecureHttp);
      try {
        return await runOperation(sent, clock, options.timeoutSeconds, (operation) =>
          attemptTwice(operation, url, init),
        );
      } catch (error) {
        if (isOidcError(error)) {
          emit(logger, "http.failed", { host: hostOf(url), step: sent.step, code: error.code });
        }
        throw error;
      }
    },
  };
}
