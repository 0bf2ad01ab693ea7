// One operation over the network: its requests, retry and redirect, and the outcome.

import type { Clock } from "../core/clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { connectTimeoutSeconds } from "../core/limits.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import { assertWebCrypto } from "../core/runtime.ts";
import type { Transport, TransportAnswer } from "../core/world.ts";
import type { AddressGuard } from "./address-guard.ts";
import { readBoundedBody } from "./bounded-body.ts";
import type { Dialer, HttpAnswer, HttpClient, RequestOpener } from "./exchange.ts";
import { describeFailure } from "./failure.ts";
import type { FailurePlace } from "./failure.ts";
import { hostAndPort } from "../core/hosts.ts";
import type { Warn } from "../core/warning.ts";
import { runOperation } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { prepareRequest } from "./prepare.ts";
import type { PreparedRequest } from "./prepare.ts";
import { redirectTarget } from "./redirect.ts";
import {
  isGatewayFailure,
  isWaitAcceptable,
  parseRetryAfter,
  retryPauseMilliseconds,
} from "./retry.ts";
import { createRouter } from "./route.ts";
import type { Route } from "./route.ts";
import type { ClientCertificate } from "./secure-contexts.ts";

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
  readonly onWarning?: Warn | undefined;
  /** In place of the network, for tests: no way to an address is then looked for. */
  readonly transport?: Transport | undefined;
  /** Shown to every host that is asked for it, never to a proxy. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Asked of every address before it is connected to. Default: any may be. */
  readonly guard?: AddressGuard | undefined;
  /** For tests; default 10. */
  readonly connectTimeoutSeconds?: number | undefined;
}

/** The head of an answer and where it came from. */
interface Head {
  readonly head: TransportAnswer;
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

/** The part of an operation that one of its requests needs. */
type Occasion = Pick<Operation, "signal" | "remainingMilliseconds" | "stopTimer">;

/**
 * Makes the client that every request of a credential goes through.
 * @throws {OidcError} `runtime_unavailable` where nothing random can be made: a request's answer would come to nothing.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient & RequestOpener & Dialer {
  if (options.transport === undefined) assertWebCrypto();
  const { clock, logger, transport } = options;
  const connectSeconds = options.connectTimeoutSeconds ?? connectTimeoutSeconds;
  const testRoute: Pick<Route, "transport" | "proxyHost"> | undefined =
    transport === undefined ? undefined : { transport, proxyHost: undefined };
  // A bundle that is put right is read again by the next operation.
  const trust = madeOnce(async () => {
    const { readTrust } = await loadPart(() => import("./trust.ts"));
    return readTrust(options.caCertPath, options.environment, options.clientCertificate);
  });
  const findRoute = createRouter({
    clock,
    hasBundle: options.caCertPath !== undefined,
    trust,
    environment: options.environment,
    onWarning: options.onWarning,
    connectTimeoutSeconds: connectSeconds,
    guard: options.guard,
  });

  async function explain(
    thrown: unknown,
    operation: Occasion,
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

  function placeOf(url: URL, step: string, { proxyHost }: Pick<Route, "proxyHost">): FailurePlace {
    return {
      step,
      host: hostAndPort(url),
      hostname: url.hostname,
      proxyHost,
      connectTimeoutSeconds: connectSeconds,
      isPlain: url.protocol === "http:",
    };
  }

  /** Of what lasts as long as its caller wants. */
  function openOccasion(signal: AbortSignal): Occasion {
    return {
      signal,
      remainingMilliseconds: () => connectSeconds * 1000,
      stopTimer: () => undefined,
    };
  }

  /** One request and the head of its answer. Throws what is wrong on this side; what the network did is returned. */
  async function request(
    operation: Occasion,
    prepared: PreparedRequest,
    step: string,
  ): Promise<Head | FailedTry> {
    const { url, method } = prepared;
    const host = hostAndPort(url);
    const route = testRoute ?? (await findRoute(url));
    const place = placeOf(url, step, route);
    emit(logger, "http.request", { method, host, step });
    const startedAt = clock.monotonic();
    try {
      const head = await route.transport({ ...prepared, signal: operation.signal });
      const milliseconds = Math.round(clock.monotonic() - startedAt);
      emit(logger, "http.response", { host, step, status: head.status, milliseconds });
      return { head, url, place };
    } catch (thrown) {
      return explain(thrown, operation, url, place);
    }
  }

  /** A request, and the one redirect that metadata may take. */
  async function requestAndFollow(
    operation: Operation,
    prepared: PreparedRequest,
    mayFollow: boolean,
  ): Promise<Head | FailedTry> {
    const answered = await request(operation, prepared, operation.request.step);
    if ("error" in answered) return answered;
    const target = redirectTarget(answered.head, prepared.url, answered.place, mayFollow);
    if (target === undefined) return answered;
    return requestAndFollow(operation, { ...prepared, url: target }, false);
  }

  async function attempt(
    operation: Operation,
    prepared: PreparedRequest,
    isMetadata: boolean,
  ): Promise<Try> {
    const answered = await requestAndFollow(operation, prepared, isMetadata);
    if ("error" in answered) return answered;
    const { head, url, place } = answered;
    const { status, headers } = head;
    const waitSeconds = parseRetryAfter(headers["retry-after"], clock.now());
    if (status === 429 || (status === 503 && waitSeconds !== undefined)) {
      head.discard();
      const error = new OidcError(
        "rate_limited",
        `${place.host} has had too many requests or is overloaded (${place.step}, status ${status}).`,
        {
          remedy: `Try again ${waitSeconds === undefined ? "later" : `in ${waitSeconds} s`}.`,
          retryAfterSeconds: waitSeconds,
        },
      );
      return { error, retry: waitSeconds !== undefined, waitSeconds };
    }
    try {
      const body = await readBoundedBody(head, `${place.host} (${place.step})`);
      return {
        answer: { status, headers, body, trailers: head.trailers?.(), url: url.href },
        retry: isGatewayFailure(status),
      };
    } catch (thrown) {
      return isOidcError(thrown)
        ? { error: thrown, retry: false }
        : explain(thrown, operation, url, place);
    }
  }

  /** Only metadata is asked for twice: a code or a refresh token must not be sent again here (RFC 6749 4.1.2). */
  async function attemptTwice(
    operation: Operation,
    prepared: PreparedRequest,
  ): Promise<HttpAnswer> {
    const isMetadata = operation.request.metadata === true && operation.request.method === "GET";
    let outcome = await attempt(operation, prepared, isMetadata);
    if (isMetadata && outcome.retry) {
      const waitSeconds = "waitSeconds" in outcome ? (outcome.waitSeconds ?? 0) : 0;
      const pause = waitSeconds * 1000 + retryPauseMilliseconds(options.randomBytes);
      if (isWaitAcceptable(waitSeconds, pause, operation.remainingMilliseconds())) {
        await clock.sleep(pause, { signal: operation.signal });
        outcome = await attempt(operation, prepared, isMetadata);
      }
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.answer;
  }

  return {
    trustedRoots: async () => (await trust()).digest(),
    async open({ step, signal, ...prepared }) {
      signal.throwIfAborted();
      const occasion = openOccasion(signal);
      const answered = await request(occasion, prepared, step);
      signal.throwIfAborted();
      if ("error" in answered) throw answered.error;
      const { head, url, place } = answered;
      const explained = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* head.body;
        } catch (thrown) {
          signal.throwIfAborted();
          throw (await explain(thrown, occasion, url, place)).error;
        }
      };
      return { ...head, body: explained() };
    },
    async dial({ url, step, signal, protocol, beforeTls, isNew }) {
      signal.throwIfAborted();
      // The programs of databases know nothing of HTTP proxies, and these let nothing but HTTPS through.
      const route = await findRoute(url, protocol !== undefined);
      const place = placeOf(url, step, route);
      try {
        const connection = await route.dial({ signal, protocol, beforeTls, isNew });
        return { ...connection, explain: (thrown) => describeFailure(thrown, place).error };
      } catch (thrown) {
        signal.throwIfAborted();
        if (isOidcError(thrown)) throw thrown;
        // The second look at a certificate speaks TLS from the first byte on.
        if (beforeTls !== undefined) throw describeFailure(thrown, place).error;
        throw (await explain(thrown, openOccasion(signal), url, place)).error;
      }
    },
    async send(sent) {
      const prepared = prepareRequest(sent, options.allowInsecureHttp);
      try {
        return await runOperation(sent, clock, options.timeoutSeconds, (operation) =>
          attemptTwice(operation, prepared),
        );
      } catch (error) {
        if (isOidcError(error)) {
          emit(logger, "http.failed", {
            host: hostAndPort(prepared.url),
            step: sent.step,
            code: error.code,
          });
        }
        throw error;
      }
    },
  };
}
