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

/** One sign-in: one refresh token, its access token, and what is needed to renew without discovery. */
export interface SessionRecord {
  /** The whole key as text: the file name is only a hash of it. */
  key: string;
  /** Random id of the sign-in's record, then a counter: `id.counter`. Never repeats after a logout. */
  version: string;
  /** Issuer as verified, and the client that signed in. */
  issuer: string;
  clientId: string;
  /** Endpoints that a later refresh, userinfo or logout needs. */
  tokenEndpoint: string;
  userinfoEndpoint?: string;
  revocationEndpoint?: string;
  endSessionEndpoint?: string;
  /** How the client authenticates, as the metadata said. */
  authenticationMethod: "none" | "client_secret_basic" | "client_secret_post";
  /** Null where a sign-in is remembered without one. */
  accessToken: AccessTokenRecord | null;
  refreshToken?: string;
  idToken?: string;
  /** Who signed in: `sub`, and the name to show, from the verified ID token. */
  subject?: string;
  displayName?: string;
  /** When the person signed in (not the last refresh); milliseconds since the epoch. */
  signedInAt: number;
  /** When the tokens last changed; milliseconds since the epoch. */
  renewedAt: number;
}

/** A cache file: the default location holds one record per file, a custom `cachePath` any number. */
export interface CacheFile {
  latchkey: typeof schemaVersion;
  records: SessionRecord[];
}
