// What a resource server is made of, and what it gives: the public types of `latchkey/server`.

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
  /** Accepts tokens that nothing marks as access tokens (`scope`, `scp`, `client_id`, `cid` …). Default false. */
  readonly acceptUnmarkedTokens?: boolean;
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
  /** How tokens are verified. Default and only value: `"jwt"`, by the issuer's published keys. */
  readonly validationMode?: "jwt";
  /** Scopes that every token must have. Default: none. A request may demand more. */
  readonly requiredScopes?: readonly string[];
  /** Contexts of which the authentication must have had one (`acr`). Default: any. RFC 9470. */
  readonly acrValues?: readonly string[];
  /** Longest time since the person authenticated (`auth_time`), in seconds. Default: any. RFC 9470. */
  readonly maxAgeSeconds?: number;
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
  /** Verified tokens that are remembered, never beyond their end. Default 10000; 0 remembers none. */
  readonly rememberedTokens?: number;
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
    };

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
  readonly expiresAt: Date;
  /** Every claim of the token, as it was signed. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What one request demands in addition to the options of the server, and what is known of it. */
export interface VerifyOptions {
  /** The scheme of its `Authorization` header. Default: `Bearer`, the only one that is accepted. */
  readonly scheme?: string;
  readonly requiredScopes?: readonly string[];
  readonly acrValues?: readonly string[];
  readonly maxAgeSeconds?: number;
}

/** The parts of a request that say who sends it. */
export interface TokenRequest {
  /** Every `Authorization` header that the request has: more than one is refused. */
  readonly authorization: readonly string[];
  /** Path and query, or the whole URL: a token in the query is refused. */
  readonly url: string;
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
   * Verifies an access token. The first call fetches the issuer's keys; nothing is asked before.
   * @throws {Refusal} `invalid_token`, `insufficient_scope`, `invalid_request`, `provider_unavailable`.
   */
  verify(token: string, options?: VerifyOptions): Promise<Identity>;
  /**
   * Verifies the token of a request, which has to stand in one `Authorization` header (RFC 6750 section 2.1).
   * @throws {Refusal} like `verify`.
   */
  verifyRequest(request: TokenRequest, options?: VerifyOptions): Promise<Identity>;
  /** The document to serve; undefined where no URL of the server is known (`resource`). */
  readonly metadata: ResourceMetadata | undefined;
  /** The path at which the document is to be served. RFC 9728 section 3.1. */
  readonly metadataPath: string | undefined;
}
