// What a resource server is made of, and what it gives: the public types of `latchkey/server`.

import type { SharedAnswers } from "./shared-answers.ts";

/** How tokens are verified. */
export type ValidationMode = "jwt" | "introspection" | "userinfo" | "openshift_userapi";

/** Settings that each issuer may have for itself. */
export interface IssuerSettings {
  /** Where the issuer publishes its keys. Default: what its discovery document names. */
  readonly jwksUri?: string;
  /** The audience that tokens must be for (`aud`), or several of which one is enough. */
  readonly audience?: string | readonly string[];
  /** Accepts tokens for any audience. Default false: then `audience` is required. RFC 8725 section 3.9. */
  readonly allowUnboundAudience?: boolean;
  /**
   * Signature algorithms that are accepted. Default: every asymmetric one of RFC 7518, Ed25519 and EdDSA; a key is used
   * only for the algorithms that suit it. Never `none` or a shared secret. RFC 8725 section 3.1.
   */
  readonly algorithms?: readonly string[];
  /**
   * The claim that names the person, as a claim of exactly that name or a path with dots (`metadata.name`). Default
   * `sub`. With `email` the token must also say `email_verified`.
   */
  readonly usernameClaim?: string;
  /** The claim that lists groups, named like `usernameClaim`. Default: none, so that nobody is in any. */
  readonly groupsClaim?: string;
  /** Labels for members of groups, such as roles of the application. Default: none. */
  readonly groupLabels?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * Accepts tokens that nothing marks as access tokens: JWTs without `scope`, `scp`, `client_id`, `cid` and the like, and
   * introspection answers without `aud` and `token_type`. Default false.
   */
  readonly acceptUnmarkedTokens?: boolean;
  /**
   * How tokens are verified, or several ways of which the token's shape picks one before anything is verified: a JWT
   * that fails is never tried another way. Default `"jwt"`.
   * - `"jwt"`: by the issuer's published keys (RFC 9068).
   * - `"introspection"`: the issuer is asked (RFC 7662). Needs `introspectionClientId`.
   * - `"userinfo"`: the token is used at the issuer's userinfo endpoint (OpenID Connect Core section 5.3). Whoever has
   *   any token of the issuer is let in, so it needs `allowUnboundAudience`.
   * - `"openshift_userapi"`: the token is used at OpenShift's User API. Needs `openshiftUserApiUri`, and
   *   `allowUnboundAudience` for the same reason. The subject is `metadata.name`.
   */
  readonly validationMode?: ValidationMode | readonly ValidationMode[];
  /** Where the issuer is asked about tokens. Default: what its discovery document names. RFC 7662 section 2. */
  readonly introspectionEndpoint?: string;
  /** The client by which this server asks. Required for `"introspection"`. */
  readonly introspectionClientId?: string;
  /** Its secret. Default: none, for an endpoint that is protected in another way. */
  readonly introspectionClientSecret?: string;
  /** Where the issuer says whom a token stands for. Default: what its discovery document names. */
  readonly userinfoEndpoint?: string;
  /** The address of OpenShift's API, or the whole one of `users/~` in it. Required for `"openshift_userapi"`. */
  readonly openshiftUserApiUri?: string;
}

/** One of several issuers, each with its own settings; what it does not set is as for all. */
export interface Issuer extends IssuerSettings {
  readonly issuer: string;
}

/** Options of {@link createResourceServer}. */
export interface ResourceServerOptions extends IssuerSettings {
  /** The issuer whose tokens are accepted; `iss` must equal it. `https:`, or `http:` on loopback. */
  readonly issuer?: string;
  /** Several issuers, in place of `issuer`. */
  readonly issuers?: readonly Issuer[];
  /** Scopes that every token must have. Default: none. A request may demand more. */
  readonly requiredScopes?: readonly string[];
  /** Contexts of which the authentication must have had one (`acr`). Default: any. RFC 9470. */
  readonly acrValues?: readonly string[];
  /** Longest time since the person authenticated (`auth_time`), in seconds. Default: any. RFC 9470. */
  readonly maxAgeSeconds?: number;
  /**
   * Tokens that are bound to a key of the client (DPoP): `"allowed"`, the default, in addition to bearer tokens;
   * `"required"`, no others; `"refused"`, none. A bound token is never accepted as a bearer token. RFC 9449.
   */
  readonly dpop?: "allowed" | "required" | "refused";
  /**
   * Whether proofs have to hold a nonce of this server, which changes every minute. Default false. 32 bytes in place of
   * `true` are the secret that all processes of a fleet share. RFC 9449 section 9.
   */
  readonly dpopNonces?: boolean | Uint8Array;
  /** Tolerated difference of the clocks, in seconds. Default 60, at most 300. */
  readonly clockToleranceSeconds?: number;
  /** The server's own URL, which clients are told. Default: `audience` where it is a URL. RFC 9728 section 2. */
  readonly resource?: string;
  /** Told to clients: the client to sign in with. Default: none. */
  readonly clientId?: string;
  /** Told to clients: the scopes to ask for. Default: `requiredScopes`. */
  readonly scopes?: readonly string[];
  /** PEM bundle that is trusted in addition to Node's roots when the issuer is asked. An absolute path. */
  readonly caCertPath?: string;
  /** Tokens that are remembered with what they came to, never beyond their end. Default 10000; 0 remembers none. */
  readonly rememberedTokens?: number;
  /**
   * For how long what a provider said of a token is used, in seconds, and never past the token's end: for so long a
   * revoked token may be accepted. Default 30, at most 60; 0 asks for each request. RFC 7662 section 4.
   */
  readonly answerLifetimeSeconds?: number;
  /**
   * Shares with other servers what providers said of tokens, so that one of them asks for all: `redisAnswers` of
   * `latchkey/stores/redis`. Each judges it by its own settings; servers with another `answerLifetimeSeconds` or another
   * client share nothing. Where it cannot be had, the provider is asked. Default: each server asks for itself.
   */
  readonly sharedAnswers?: SharedAnswers;
  /** Told what happened, with times and without tokens. It must not throw. */
  readonly onEvent?: (event: ResourceServerEvent) => void;
}

/** What happened at a resource server. No event holds a token or a claim. */
export type ResourceServerEvent =
  | { readonly type: "verified"; readonly issuer: string; readonly remembered: boolean }
  | { readonly type: "refused"; readonly code: string; readonly reason: string | undefined }
  | {
      readonly type: "keys";
      readonly issuer: string;
      readonly fetched: boolean;
      readonly milliseconds: number;
    }
  | {
      /** The provider was asked about a token. */
      readonly type: "asked";
      readonly issuer: string;
      readonly mode: ValidationMode;
      /** `"failed"`: it could not answer. */
      readonly outcome: "accepted" | "refused" | "failed";
      readonly milliseconds: number;
    }
  | {
      /** It was looked for an answer in `sharedAnswers`. */
      readonly type: "shared";
      readonly issuer: string;
      readonly mode: ValidationMode;
      /** `"none"`: this server asks, for the others too. `"unavailable"`: it asks for itself alone. */
      readonly outcome: "found" | "none" | "unavailable";
      /** Why they were unavailable, as far as it is known; `"left_alone"`: they were a moment ago. */
      readonly reason: string | undefined;
      readonly milliseconds: number;
    };

/** Whether tokens of one issuer can be verified in one mode. */
export interface IssuerHealth {
  readonly issuer: string;
  readonly mode: ValidationMode;
  readonly ok: boolean;
  /** The code of the error that is in the way, and its reason. */
  readonly code: string | undefined;
  readonly reason: string | undefined;
}

/** Whether a resource server can do its work. */
export interface ResourceServerHealth {
  /** True where every check is. */
  readonly ok: boolean;
  readonly checks: readonly IssuerHealth[];
}

/** Whom a token speaks for. It may be shared by several requests with the same token, so it is frozen then. */
export interface Identity {
  /** `sub`, which is unique within the issuer. */
  readonly subject: string;
  /** The claim of `usernameClaim`. */
  readonly username: string;
  /** The groups of `groupsClaim`; empty where there are none. */
  readonly groups: readonly string[];
  /** What `groupLabels` has for these groups. */
  readonly labels: readonly string[];
  readonly scopes: readonly string[];
  readonly issuer: string;
  /** When the token ends; where its provider does not say that, when it has to be asked again. */
  readonly expiresAt: Date;
  /** Every claim of the token as it was signed, or every member of the provider's answer about it. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What one request, or one route, demands in addition to the options of the server. */
export interface RequestDemands {
  /** Scopes that the token must have in addition to those of the server. */
  readonly requiredScopes?: readonly string[];
  /** Contexts of which the authentication must have had one, in place of those of the server. RFC 9470. */
  readonly acrValues?: readonly string[];
  /** Longest time since the person authenticated, in seconds; the shorter one counts. RFC 9470. */
  readonly maxAgeSeconds?: number;
}

/** A certificate: DER, PEM, or what Node gives for the certificate of a connection's other end. */
export type ClientCertificate = Uint8Array | string | { readonly raw: Uint8Array };

/** Headers as Node or the Fetch API has them. */
export type RequestHeaders =
  | Headers
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** What one request demands, and what is known of it. */
export interface VerifyOptions extends RequestDemands {
  /** The scheme of its `Authorization` header, `Bearer` or `DPoP`. Default: `Bearer`. */
  readonly scheme?: string;
  /** Its method. A proof of possession is for one method. */
  readonly method?: string;
  /** Its whole URL, or a path that is one of `resource`. A proof of possession is for one address. */
  readonly url?: string;
  /** Its headers, of which `DPoP` is read: the proof. RFC 9449 section 4.1. */
  readonly headers?: RequestHeaders;
  /** The certificate that the client showed in the TLS handshake, for tokens that are bound to one. RFC 8705. */
  readonly clientCertificate?: ClientCertificate;
}

/** The parts of a request that say who sends it. */
export interface TokenRequest {
  /** Every `Authorization` header that the request has: more than one is refused. */
  readonly authorization: readonly string[];
  /** Path and query, or the whole URL: a token in the query is refused. */
  readonly url: string;
  /** Its method. Without it no token that is bound to a key is accepted. */
  readonly method?: string | undefined;
  /** Every `DPoP` header that the request has: more than one is refused. */
  readonly dpop?: readonly string[] | undefined;
  /** Gives the certificate of the client; called for a token that is bound to one. */
  readonly clientCertificate?: (() => ClientCertificate | undefined) | undefined;
}

/** What clients are told: which provider to sign in at, and what for. */
export interface Advertisement {
  /** The first one, where there are several. */
  readonly issuer: string;
  readonly clientId: string | undefined;
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
}

/** The document that tells clients where to sign in. RFC 9728 section 2. */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ["header"];
  /** The client to sign in with: a member of Latchkey's own. */
  readonly client_id?: string;
  /** The audience to ask for: a member of Latchkey's own. */
  readonly audience?: string;
}

/** Verifies access tokens, and tells clients where to get one. */
export interface ResourceServer {
  /**
   * Verifies an access token. The first call fetches the issuer's keys, or asks about the token; nothing is asked before.
   * @throws {Refusal} `invalid_token`, `insufficient_scope`, `invalid_request`, `provider_unavailable`.
   */
  verify(token: string, options?: VerifyOptions): Promise<Identity>;
  /**
   * Verifies the token of a request, which has to stand in one `Authorization` header (RFC 6750 section 2.1).
   * @throws {Refusal} like `verify`.
   */
  verifyRequest(request: TokenRequest, demands?: RequestDemands): Promise<Identity>;
  /**
   * Looks at what was accepted before, for a part of a request that demands more.
   * @throws {Refusal} `insufficient_scope`.
   */
  assertDemands(identity: Identity, demands: RequestDemands): void;
  /** The value of `DPoP-Nonce` to send with answers; undefined where no nonces are wanted. RFC 9449 section 9. */
  readonly dpopNonce?: string | undefined;
  /** What the document and `GetOidcIssuer` say. */
  readonly advertisement: Advertisement;
  /**
   * Whether tokens can be verified: keys are at hand or can be had, and whoever has to be asked about tokens answers. It
   * never rejects for an outage. Providers are asked at most every ten seconds, however often it is called.
   */
  health(): Promise<ResourceServerHealth>;
  /** The document to serve; undefined where no URL of the server is known (`resource`). */
  readonly metadata: ResourceMetadata | undefined;
  /** The path at which the document is to be served. RFC 9728 section 3.1. */
  readonly metadataPath: string | undefined;
}
