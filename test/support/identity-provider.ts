// Changes when tests need something else of the OpenID Provider that runs in their own process.
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { makeClients, providerConfiguration } from "./provider-configuration.ts";
import type { Lifetimes, ProviderClients } from "./provider-configuration.ts";
import { signingKeys } from "./provider-keys.ts";
import { captureAnswer, flatHeaders, readBody, replayOf, send } from "./provider-replay.ts";
import type { CapturedAnswer } from "./provider-replay.ts";
import { Tampering } from "./provider-tampering.ts";
import type { TamperRule } from "./provider-tampering.ts";
import { kindOfRequest, Traffic } from "./provider-traffic.ts";
import type { ReceivedRequest, RequestCount, RequestKind } from "./provider-traffic.ts";
import { hideProviderNotices } from "./quiet-console.ts";

/** Which well-known document is answered; any other one is 404. */
export type DiscoveryForm =
  | "openid"
  | "openid-inserted"
  | "rfc8414-inserted"
  | "rfc8414-appended"
  | "none";

export interface IdentityProviderOptions {
  /** Serve https. A {@link makeCertificateAuthority} result fits; its `caPem` is handed on as `certificateAuthority`. */
  tls?: { certificate: string; key: string; caPem?: string };
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** A socket that listens already, at `host`: one of a private network, which this process could not make itself. */
  listeningSocket?: NetServer;
  /** An issuer with a path, such as "/tenant/a". */
  issuerPath?: string;
  /** Default "openid": OpenID Connect discovery below the issuer and, the same document, RFC 8414's inserted form. */
  discovery?: DiscoveryForm;
  /** Default 3600; `setAccessTokenLifetime` changes it later. */
  accessTokenLifetimeSeconds?: number;
  /** Default 3600. */
  idTokenLifetimeSeconds?: number;
  /** Default 14 days. */
  refreshTokenLifetimeSeconds?: number;
  /** Default 60. */
  authorizationCodeLifetimeSeconds?: number;
  /** Default 600. */
  deviceCodeLifetimeSeconds?: number;
  /** Default true: each refresh gives a new refresh token, and an old one that comes again ends the grant. */
  rotateRefreshTokens?: boolean;
  /**
   * Default false: opaque access tokens, which userinfo takes. True: `at+jwt` for the requested `resource` or
   * `audience`, else for "urn:demo:api"; userinfo refuses those.
   */
  jwtAccessTokens?: boolean;
  /** Default true: the ID token names the person. False: names come from the userinfo endpoint alone. */
  namesInIdToken?: boolean;
  /** Client metadata (RFC 7591 names) beside the clients that are always there. */
  clients?: readonly object[];
  /** Rules in force from the start; see {@link IdentityProvider.tamper}. */
  interceptors?: readonly TamperRule[];
}

export interface IdentityProvider {
  readonly issuer: string;
  readonly port: number;
  readonly certificateAuthority?: string;
  readonly clients: ProviderClients;
  /** How many requests came since the last reset. */
  requests(): RequestCount;
  /** Counts and lists of requests start anew. */
  resetRequests(): void;
  /** Requests of one kind since the last reset, in the order of their arrival. */
  requestsOf(kind: RequestKind): readonly ReceivedRequest[];
  /** Bodies of the token requests since the last reset. */
  tokenRequests(): readonly URLSearchParams[];
  /** Queries of the authorization requests since the last reset. */
  authorizationRequests(): readonly URLSearchParams[];
  /** `Authorization` headers of the token requests since the last reset. */
  authorizationHeaders(): readonly (string | undefined)[];
  /** For tokens made from now on. */
  setAccessTokenLifetime(seconds: number): void;
  /** Puts hostile answers over the real provider; the result undoes it. The newest rule for a path answers. */
  tamper(rule: TamperRule): () => void;
  /** Codes, tokens and device codes that were given out, by tampered answers too. */
  secretsIssued(): readonly string[];
  /** Verifiers, states, nonces, client secrets and assertions that were sent. */
  secretsReceived(): readonly string[];
  /** Closes the socket and every connection; rejects with what went wrong inside the provider or a tamper rule. */
  close(): Promise<void>;
}

/**
 * The path that oidc-provider knows for one of ours: below the issuer's path, and for the well-known forms its own one.
 * Undefined for what is not served.
 */
function pathInsideProvider(
  pathname: string,
  issuerPath: string,
  form: DiscoveryForm,
): string | undefined {
  const openid = "/.well-known/openid-configuration";
  const oauth = "/.well-known/oauth-authorization-server";
  const served: Record<DiscoveryForm, readonly string[]> = {
    openid: [issuerPath + openid, oauth + issuerPath],
    "openid-inserted": [openid + issuerPath],
    "rfc8414-inserted": [oauth + issuerPath],
    "rfc8414-appended": [issuerPath + oauth],
    none: [],
  };
  if (served[form].includes(pathname)) return openid;
  if (pathname.includes("/.well-known/") || !pathname.startsWith(`${issuerPath}/`)) {
    return undefined;
  }
  return pathname.slice(issuerPath.length);
}

async function listen(server: Server, place: IdentityProviderOptions): Promise<number> {
  if (place.listeningSocket === undefined) server.listen(place.port ?? 0, place.host);
  else server.listen(place.listeningSocket);
  await once(server, "listening");
  // Longer than a test, so that no request meets a connection that the server is just closing.
  server.keepAliveTimeout = 60_000;
  return (server.address() as AddressInfo).port;
}

/** Starts an OpenID Provider in this process: the real `oidc-provider`, with its own pages for the person. */
export async function startIdentityProvider(
  options: IdentityProviderOptions = {},
): Promise<IdentityProvider> {
  hideProviderNotices();
  const { Provider, errors } = await import("oidc-provider");

  const { tls, host = "127.0.0.1", issuerPath = "", discovery = "openid" } = options;
  const clients = makeClients();
  const lifetimes: Lifetimes = {
    accessToken: options.accessTokenLifetimeSeconds ?? 3600,
    idToken: options.idTokenLifetimeSeconds ?? 3600,
    refreshToken: options.refreshTokenLifetimeSeconds ?? 14 * 24 * 3600,
    authorizationCode: options.authorizationCodeLifetimeSeconds ?? 60,
    deviceCode: options.deviceCodeLifetimeSeconds ?? 600,
  };
  const traffic = new Traffic();
  const tampering = new Tampering();
  for (const rule of options.interceptors ?? []) tampering.add(rule);
  const failures: unknown[] = [];
  const keys = await signingKeys();

  const server =
    tls === undefined ? createServer() : createTlsServer({ cert: tls.certificate, key: tls.key });
  // The issuer has the port in it, so the provider can be made only once the socket listens.
  const port = await listen(server, { ...options, host });
  const authority = host.includes(":") ? `[${host}]` : host;
  const issuer = `${tls === undefined ? "http" : "https"}://${authority}:${port}${issuerPath}`;
  const provider = new Provider(
    issuer,
    providerConfiguration({
      clients,
      keys,
      lifetimes,
      extraClients: options.clients ?? [],
      rotateRefreshTokens: options.rotateRefreshTokens ?? true,
      jwtAccessTokens: options.jwtAccessTokens ?? false,
      namesInIdToken: options.namesInIdToken ?? true,
      alreadyUsedError: () => new errors.InvalidGrant("used by another request at the same time"),
    }),
  );
  provider.on("server_error", (_context, error) => failures.push(error));
  const callback = provider.callback();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", issuer);
    const path = pathInsideProvider(url.pathname, issuerPath, discovery);
    const body = await readBody(request);
    if (body === undefined) return;
    const received: ReceivedRequest = {
      kind: kindOfRequest(url.pathname, path),
      method: request.method ?? "GET",
      url: request.url ?? "/",
      query: url.searchParams,
      headers: request.headers,
      body: body.toString(),
    };
    traffic.add(received);

    const genuine = async (): Promise<CapturedAnswer> => {
      if (path === undefined) {
        return { status: 404, headers: { "content-type": "text/plain" }, body: Buffer.from("404") };
      }
      const replay = replayOf(request, path + url.search, issuerPath, body);
      const captured = await captureAnswer(callback, replay);
      traffic.addAnswer(captured.headers.location, captured.body);
      return captured;
    };

    const rule = tampering.take(received.kind);
    if (rule === undefined) {
      const captured = await genuine();
      response.writeHead(captured.status, captured.headers);
      response.end(captured.body);
      return;
    }
    const tampered = { ...received, headers: flatHeaders(request.headers) };
    const hostile = await rule.respond(tampered, async () => {
      const { status, headers, body: text } = await genuine();
      return { status, headers: flatHeaders(headers), body: text.toString() };
    });
    if (hostile === "reset") {
      request.socket.destroy();
      return;
    }
    if (typeof hostile.body === "string" || hostile.body instanceof Uint8Array) {
      traffic.addAnswer(undefined, hostile.body);
    }
    await send(response, hostile);
  };

  const listener: RequestListener = (request, response) => {
    answer(request, response).catch((error: unknown) => {
      failures.push(error);
      request.socket.destroy();
    });
  };
  server.on("request", listener);

  return {
    issuer,
    port,
    ...(tls?.caPem === undefined ? {} : { certificateAuthority: tls.caPem }),
    clients,
    requests: () => traffic.count(),
    resetRequests: () => traffic.reset(),
    requestsOf: (kind) => traffic.of(kind),
    tokenRequests: () => traffic.of("token").map(({ body }) => new URLSearchParams(body)),
    authorizationRequests: () => traffic.of("authorization").map(({ query }) => query),
    authorizationHeaders: () => traffic.of("token").map(({ headers }) => headers.authorization),
    setAccessTokenLifetime: (seconds) => {
      lifetimes.accessToken = seconds;
    },
    tamper: (rule) => tampering.add(rule),
    secretsIssued: () => traffic.secretsIssued(),
    secretsReceived: () => traffic.secretsReceived(),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      if (failures.length > 0) {
        throw new AggregateError(failures, "the test provider failed inside; see errors");
      }
    },
  };
}
