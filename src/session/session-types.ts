// What a session does for credentials and the command line. Changes when they need more of it.

import type { AccessToken, GetTokenOptions, IdTokenClaims, LogoutResult } from "../core/types.ts";
import type { SessionRecord } from "../record/format.ts";

/** A sign-in that just happened. */
export interface SignInResult {
  readonly token: AccessToken;
  readonly record: SessionRecord;
}

/** Claims from the userinfo endpoint (OpenID Connect Core 5.3). */
export interface UserInfoClaims {
  sub: string;
  [claim: string]: unknown;
}

/** The life of one sign-in: one key in one store. */
export interface Session {
  /** @throws {OidcError} */
  getToken(options?: GetTokenOptions): Promise<AccessToken>;
  /**
   * Always signs in anew.
   * @throws {OidcError} `cache_write_failed` where the result could not be kept, besides the sign-in's own errors.
   */
  login(options?: { signal?: AbortSignal }): Promise<SignInResult>;
  /** Forgets the sign-in; `revoke` also tells the provider. */
  logout(options?: { revoke?: boolean | undefined }): Promise<LogoutResult>;
  /** The userinfo endpoint's answer; its `sub` is the ID token's. Gets a fresh token first where needed. */
  userInfo(options?: { signal?: AbortSignal; interactive?: boolean }): Promise<UserInfoClaims>;
  /** What is cached now, without any network. */
  current(): Promise<SessionRecord | undefined>;
  /** Claims of the cached ID token, undefined where there is none. */
  claims(): Promise<IdTokenClaims | undefined>;
}
