// The cached sign-in as it stands in a file. Changes when the schema does.

/** The schema that this version writes; a file with a newer one is left alone (C10). */
export const schemaVersion = 1;

/** One access token of a sign-in. Instants are seconds since the epoch. */
export interface AccessTokenRecord {
  token: string;
  tokenType: "Bearer";
  /** Scopes as granted. */
  scopes: string[];
  issuedAt: number;
  /** Null where the provider did not say. */
  expiresAt: number | null;
}

/** What an access token is for: sorted sets, null where the call names none, and then as the configuration has it. */
export interface TokenTarget {
  readonly scopes: readonly string[] | null;
  readonly resources: readonly string[] | null;
}

/** A further access token of a sign-in: for other scopes or another resource than the configuration's. */
export interface OtherAccessTokenRecord extends AccessTokenRecord {
  /** What it was asked for. */
  wanted: TokenTarget;
}

/**
 * A refresh that was announced before it was sent: whoever finds it knows that its refresh token may have been used
 * and that the answer may have been lost.
 */
export interface RefreshIntent {
  /** Random: tells one announcement from another. */
  nonce: string;
  /** The host, as far as one lock reaches. */
  host: string;
  /** When it was announced, in milliseconds since the epoch. */
  at: number;
}

/** Why a sign-in cannot be renewed any more. */
export type SignInEnd = "refresh_refused" | "refresh_lost";

/**
 * A sign-in as a store keeps it. Whatever else it holds is JSON that means nothing to a store: it is given back as it
 * came, without a member less.
 */
export interface StoredRecord {
  /** The whole key: what the record is filed under. */
  readonly key: string;
  /** Another one after every change; never the same twice. */
  readonly version: string;
}

/** What the server said of the provider when somebody signed in, as far as a renewal needs it. */
export interface RecordServer {
  /** As it is pinned. */
  address: string;
  /** That the caller or a person accepted the issuer: a client secret goes to no other (D16). */
  accepted?: true;
  scopes?: string[];
  audience?: string;
  resource?: string;
}

/** What a provider gave a client that was registered there for a sign-in (RFC 7591). */
export interface RegisteredClient {
  /** Where it may be answered. */
  redirectUris: string[];
  secret?: string;
  /** When the secret ends, in seconds since the epoch; absent: never. */
  secretExpiresAt?: number;
}

/** One sign-in: one refresh token, its access token, and what is needed to renew without discovery. */
export interface SessionRecord {
  /** The whole key as text: the file name is only a hash of it. */
  key: string;
  /**
   * Random id of the sign-in's record, a counter of its tokens, and a part for what was written in between:
   * `id.counter` or `id.counter.part`. Never repeats after a logout.
   */
  version: string;
  /** Issuer as verified, and the client that signed in. */
  issuer: string;
  clientId: string;
  /** Present where the client was registered for this sign-in. */
  registered?: RegisteredClient;
  /** Endpoints that a later refresh, userinfo or logout needs. Empty where nobody has signed in yet. */
  tokenEndpoint: string;
  /** The server that the sign-in is for, where there is one. */
  server?: RecordServer;
  userinfoEndpoint?: string;
  revocationEndpoint?: string;
  endSessionEndpoint?: string;
  /**
   * Digest of the roots that vouched for the document which named the endpoints: with other roots they are looked up
   * anew. Absent over plain `http:`, and where options named them.
   */
  trustedRoots?: string;
  /** How the client authenticates, as the metadata said. */
  authenticationMethod: "none" | "client_secret_basic" | "client_secret_post";
  /** Null where a sign-in is remembered without one. */
  accessToken: AccessTokenRecord | null;
  /** Newest last. */
  otherAccessTokens?: OtherAccessTokenRecord[];
  refreshToken?: string;
  idToken?: string;
  /** Who signed in: `sub` of the verified ID token, and the name to show, from there or from the userinfo endpoint. */
  subject?: string;
  /** How and when they authenticated (`acr`, `auth_time` in seconds): what the last ID token that said so said. */
  acr?: string;
  authTime?: number;
  displayName?: string;
  /** When the person signed in (not the last refresh); milliseconds since the epoch. 0: nobody has yet. */
  signedInAt: number;
  /** When the tokens last changed; milliseconds since the epoch. */
  renewedAt: number;
  /** The host where they last changed, as far as one lock reaches. */
  renewedOn?: string;
  /** A refresh that may be under way, or whose answer was lost. */
  intent?: RefreshIntent;
  /** Set when the refresh token was taken away. */
  ended?: SignInEnd;
  /** When each prompt of late was shown that nobody has answered; milliseconds since the epoch. */
  unansweredPrompts?: number[];
}

/** A cache file: the default location holds one record per file, a custom `cachePath` any number. */
export interface CacheFile {
  latchkey: typeof schemaVersion;
  records: SessionRecord[];
}
