// Mounts a resource server in front of the calls of a `@grpc/grpc-js` server.

import { OidcError } from "../../core/errors.ts";
import { assertOptionsObject, ownOptions } from "../../options/own-options.ts";
import type { Refusal } from "../refusal.ts";
import type {
  ClientCertificate,
  Identity,
  RequestDemands,
  ResourceServer,
  TokenRequest,
} from "../resource-server-types.ts";
import { isRefusal } from "./answers.ts";
import { issuerPaths } from "./grpc-oidc-service.ts";
import type { GrpcCall, GrpcListener, GrpcMetadata, GrpcStatus } from "./grpc-types.ts";

/** Options of {@link grpcInterceptor}. */
export interface GrpcInterceptorOptions extends RequestDemands {
  /**
   * What single methods demand in addition, by path (`/example.Greeter/Hello`); `"public"` is callable by everybody, as
   * `GetOidcIssuer` is anyway. Default: every method needs a token.
   */
  readonly methods?: Readonly<Record<string, RequestDemands | "public">>;
}

const permissionDenied = 7;
const internal = 13;
const unavailable = 14;
const unauthenticated = 16;

/** By the metadata that its handler is given: nobody but this module can say for whom a call speaks. */
const identities = new WeakMap<object, Identity>();

/**
 * Whom the token of a call speaks for.
 * @throws {OidcError} `invalid_token` for a call that came past no {@link grpcInterceptor}, or to a public method.
 */
export function identityOf(call: { readonly metadata: object }): Identity {
  const identity = identities.get(call.metadata);
  if (identity === undefined) {
    throw new OidcError("invalid_token", "Nobody was accepted for this call.", {
      reason: "token_missing",
      remedy: "Give the server the interceptor, and do not make the method public.",
    });
  }
  return identity;
}

function textsIn(metadata: GrpcMetadata, key: string): readonly string[] {
  return metadata.get(key).map(String);
}

function certificateOf(call: GrpcCall): ClientCertificate | undefined {
  const { sslPeerCertificate } = (call.getAuthContext?.() ?? {}) as {
    readonly sslPeerCertificate?: ClientCertificate;
  };
  return sslPeerCertificate;
}

/** A call as a request: gRPC is a POST to the path of the method. */
function tokenRequestOf(path: string, metadata: GrpcMetadata, call: GrpcCall): TokenRequest {
  return {
    authorization: textsIn(metadata, "authorization"),
    method: "POST",
    url: path,
    dpop: textsIn(metadata, "dpop"),
    clientCertificate: () => certificateOf(call),
  };
}

function codeFor({ status }: Refusal): number {
  if (status === 503) return unavailable;
  // A step-up is a 401: the same person can come back with a token that will do.
  return status === 403 ? permissionDenied : unauthenticated;
}

/** An empty one; its class is that of the caller's package. */
function emptyLike(metadata: GrpcMetadata): GrpcMetadata {
  const empty = metadata.clone();
  for (const key of Object.keys(empty.getMap())) empty.remove(key);
  return empty;
}

function statusFor(error: unknown, received: GrpcMetadata): GrpcStatus {
  // What is not a refusal is a fault here, of which a client learns nothing; nothing goes on by it (K21).
  if (!isRefusal(error)) return { code: internal, details: "the token could not be verified" };
  const { challenge, dpopNonce, retryAfterSeconds } = error;
  const metadata = emptyLike(received);
  if (challenge !== undefined) metadata.set("www-authenticate", challenge);
  if (dpopNonce !== undefined) metadata.set("dpop-nonce", dpopNonce);
  if (retryAfterSeconds !== undefined) {
    metadata.set("grpc-retry-pushback-ms", String(retryAfterSeconds * 1000));
  }
  return { code: codeFor(error), details: error.code, metadata };
}

/** The listener of a call that is told of nothing until its token is accepted. */
function guarded(
  verify: (metadata: GrpcMetadata) => Promise<Identity>,
  call: GrpcCall,
  listener: GrpcListener,
): GrpcListener {
  let isOver = false;
  return {
    // Messages are read when whoever gets the metadata asks for them, so none comes before.
    onReceiveMetadata: (metadata) => {
      verify(metadata).then(
        (identity) => {
          identities.set(metadata, identity);
          if (!isOver) listener.onReceiveMetadata(metadata);
        },
        (error: unknown) => call.sendStatus(statusFor(error, metadata)),
      );
    },
    onReceiveMessage: (message) => listener.onReceiveMessage(message),
    onReceiveHalfClose: () => listener.onReceiveHalfClose(),
    onCancel: () => {
      isOver = true;
      listener.onCancel();
    },
  };
}

/** The call with another `start`; everything else is the call's own, whatever version of the package it is of. */
function withStart<Call extends GrpcCall>(
  call: Call,
  start: (listener: GrpcListener) => void,
): Call {
  return new Proxy(call, {
    get: (target, name) => {
      if (name === "start") return start;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The package declares a class where it uses the interface that a call has: this fits both. */
function asDeclared(call: GrpcCall): never {
  return call as never;
}

function methodsOf({ methods = {} }: GrpcInterceptorOptions): ReadonlyMap<string, unknown> {
  assertOptionsObject(methods, '{ "/example.Greeter/Hello": "public" }');
  const publicOnes = issuerPaths.map((path) => [path, "public"] as const);
  return new Map<string, unknown>([...publicOnes, ...Object.entries(methods)]);
}

/**
 * An interceptor for `new Server({ interceptors: [grpcInterceptor(resourceServer)] })`, for calls of every kind. A call
 * without an accepted token ends with UNAUTHENTICATED or PERMISSION_DENIED before its handler is called, and with
 * UNAVAILABLE where the provider cannot be asked; the challenge stands in its trailers as `www-authenticate`.
 * @throws {OidcError} `invalid_option`.
 */
export function grpcInterceptor(
  server: ResourceServer,
  options: GrpcInterceptorOptions = {},
): (method: { readonly path: string }, call: GrpcCall) => never {
  const names = ["methods", "requiredScopes", "acrValues", "maxAgeSeconds"];
  const { methods: _methods, ...always } = ownOptions(
    options,
    names,
    '{ requiredScopes: ["read"] }',
  );
  const methods = methodsOf(options);
  return ({ path }, call) => {
    const special = methods.get(path);
    if (special === "public") return asDeclared(call);
    const verify = async (metadata: GrpcMetadata): Promise<Identity> => {
      const identity = await server.verifyRequest(tokenRequestOf(path, metadata, call), always);
      if (special !== undefined) server.assertDemands(identity, special as RequestDemands);
      return identity;
    };
    const start = (listener: GrpcListener): void => call.start(guarded(verify, call, listener));
    return asDeclared(withStart(call, start));
  };
}
