// The public vocabulary: what a credential gives and takes. Changes when the contract's section 1 does.

/** Claims of an ID token or of the userinfo endpoint's answer. */
export interface IdTokenClaims {
  iss: string;
  sub: string;
  aud: string | string[];
  /** Seconds since the epoch. */
  exp: number;
  /** Seconds since the epoch. */
  iat: number;
  [claim: string]: unknown;
}

/** A bearer token that is good now. Its secrets are non-enumerable: printing or spreading it shows none. */
export interface AccessToken {
  /** The token itself, for an `Authorization: Bearer` header. */
  readonly token: string;
  readonly tokenType: "Bearer";
  /** When the token ends, where the provider said so. */
  readonly expiresAt: Date | undefined;
  /** The scopes that were granted. */
  readonly scopes: readonly string[];
  /** The ID token, where the provider gave one. */
  readonly idToken?: string;
  /** Claims of the ID token. */
  readonly claims?: IdTokenClaims;
  /** Where the token came from. */
  readonly source: "cache" | "refresh" | "login" | "static";
}

/** What one call of {@link Credential.getToken} asks for. */
export interface GetTokenOptions {
  /** The token is good for at least so long, in seconds. Default 60. */
  minValiditySeconds?: number | undefined;
  /** Satisfied by any refresh or sign-in that completes after this call began, whoever made it. Default false. */
  forceRefresh?: boolean | undefined;
  /** "The server refused this one": renew only if it is still the current token. */
  rejectedToken?: string | undefined;
  /**
   * Default true. False never prompts: a refresh, this process's or another's, is waited for; a sign-in never
   * (`login_required`, or `interaction_pending` while another process's is live).
   */
  interactive?: boolean | undefined;
  /** Which token `token` holds; its own expiry decides about freshness. Default `access_token`. */
  tokenKind?: "access_token" | "id_token" | undefined;
  /**
   * Another access token from the same sign-in: one for these scopes. Default: those of the configuration. Where the
   * sign-in does not cover them, a person is asked once, for the configuration's scopes and these.
   * @see RFC 6749 section 6
   */
  scopes?: readonly string[] | undefined;
  /**
   * Another access token from the same sign-in: one for this resource, or these. Default: the configuration's.
   * @see RFC 8707 section 2.2
   */
  resource?: string | readonly string[] | undefined;
  /**
   * Step-up: the person must have signed in in one of these ways (`acr` of the ID token), the preferred one first. A
   * sign-in where that is not so; a refresh never steps up.
   * @see RFC 9470 section 4
   */
  acrValues?: readonly string[] | undefined;
  /**
   * Step-up: the person must have signed in at the provider within so many seconds (`auth_time` of the ID token, with
   * 60 seconds of tolerance for the clocks). `0`: after this call began.
   * @see RFC 9470 section 4
   */
  maxAgeSeconds?: number | undefined;
  /** Rejects at once (`aborted`, its reason as `cause`); the work ends when the last caller that waits for it has aborted. */
  signal?: AbortSignal | undefined;
}

/** What a call that may take long can be given. */
export interface CallOptions {
  /** Rejects at once (`aborted`, its reason as `cause`); the work ends when the last caller that waits for it has aborted. */
  signal?: AbortSignal | undefined;
}

/** Told of a new token. What it throws harms nobody. */
export type TokenListener = (token: AccessToken) => void;

/** What one call of {@link Credential.logout} asks for. */
export interface LogoutOptions {
  /** Whether the provider is told too (RFC 7009). Default false: no request is made. */
  revoke?: boolean | undefined;
}

/** A token and, where it is known, its end. */
export interface GivenToken {
  readonly token: string;
  readonly expiresAt?: Date | undefined;
}

/** What a logout did. */
export interface LogoutResult {
  /** Cached sign-ins that were forgotten. */
  forgotten: number;
  /** Whether the provider was told. */
  revoked: "no" | "yes" | "unsupported" | "failed";
  /**
   * Only where the provider revoked the refresh token, and revokes no access tokens: the last one stays good until then,
   * `until` undefined where its end is not known.
   * @see RFC 7009 section 2
   */
  accessTokenStays?: { until: Date | undefined };
  /**
   * With `revoke`, where the provider has such a page: the address at which the person ends the provider's own session
   * in their browser. It carries the client's name and no token, so that the provider asks before it ends anything.
   * @see OpenID Connect RP-Initiated Logout 1.0
   */
  logoutUrl?: string;
}

/** Whatever takes one credential takes all of them. */
export interface Credential {
  /**
   * A token that is good now: from the cache, by a refresh, or by a new sign-in.
   * @throws {OidcError} with a stable `code`.
   */
  getToken(options?: GetTokenOptions): Promise<AccessToken>;
  /**
   * Forgets locally without any request; `revoke` (default false) also tells the provider (RFC 7009).
   * @throws {OidcError} `cache_write_failed`, `cache_insecure`.
   */
  logout(options?: LogoutOptions): Promise<LogoutResult>;
  /**
   * The standard `fetch`, with a token in `Authorization`: `createFetch` of this credential. The same function each
   * time, and it needs no `this`.
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * The last token in memory, while it is valid: synchronous, without input or output. Undefined before the first
   * {@link Credential.getToken} of this object, after a logout and where the token has ended or was reported as
   * rejected. In a program that goes on running it is renewed before it ends, as long as somebody asks.
   */
  peek(): AccessToken | undefined;
  /**
   * Has the listener called with each new token of this object from now on, for what wants to be given tokens: after
   * a sign-in, a refresh or a renewal ahead, and where another process's token is taken over. The first call of
   * {@link Credential.getToken} begins it. Tokens for other scopes or resources are not told. What the listener throws
   * harms nobody. Gives the way to stop.
   * @throws {OidcError} `invalid_option`; `aborted` (reason `closed`).
   */
  subscribe(listener: TokenListener): () => void;
  /**
   * Ends the timers and the work of this object; nothing is forgotten, and other objects with the same options go on.
   * Calls that wait end with `aborted` (reason `closed`), as every later one does. Resolves when all has ended. A page
   * in the browser that shows how a sign-in ended is served for up to a second more.
   */
  close(): Promise<void>;
  /** The same as {@link Credential.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
