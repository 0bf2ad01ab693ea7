// What a session does for credentials and the command line. Changes when they need more of it.

import type {
  AccessToken,
  CallOptions,
  GetTokenOptions,
  IdTokenClaims,
  LogoutOptions,
  LogoutResult,
} from "../core/types.ts";
import type { SessionRecord } from "../record/format.ts";
import type { StoreLevel } from "../store/token-store.ts";

/** What is known of a cached sign-in, without a token. */
export interface SignIn {
  readonly issuer: string;
  /** The server that named the provider; undefined where the options did. */
  readonly server: string | undefined;
  readonly clientId: string;
  /** `sub` of the ID token; undefined without one (plain OAuth 2.0). */
  readonly subject: string | undefined;
  /** For people: name, email, preferred_username or sub, the first that the provider gave. */
  readonly name: string | undefined;
  /** The scopes that were granted. */
  readonly scopes: readonly string[];
  /** When the access token ends, or has ended; undefined where the provider did not say. */
  readonly expiresAt: Date | undefined;
  /** Whether it renews by itself. */
  readonly refreshable: boolean;
  /** When a person has to sign in again at the latest, where that is known. */
  readonly signInEndsAt: Date | undefined;
  /** How well it is protected where it is kept. */
  readonly storeLevel: StoreLevel;
}

/** A sign-in that just happened. */
export interface SignInResult {
  readonly token: AccessToken;
  readonly record: SessionRecord;
  readonly signIn: SignIn;
}

/** Claims from the userinfo endpoint (OpenID Connect Core 5.3). */
export interface UserInfoClaims {
  sub: string;
  [claim: string]: unknown;
}

/** What a part of Latchkey may want of a session in addition. */
export interface SessionTokenOptions extends GetTokenOptions {
  /** Only a sign-in that was finished after this time, in milliseconds since the epoch: nothing older is renewed. */
  readonly signedInSince?: number | undefined;
}

/** The life of one sign-in: one key in one store. */
export interface Session {
  /**
   * The token of the last moment, for a call that wants it valid for so long and nothing else; undefined where
   * {@link Session.getToken} must look. Without input or output, and at once.
   */
  remembered(minValiditySeconds: number): Promise<AccessToken> | undefined;
  /**
   * The last token of the configuration in memory, while it is valid, without input or output. Whoever asks wants it to
   * stay so: it is renewed ahead as if it had been handed out.
   */
  peek(): AccessToken | undefined;
  /** @throws {OidcError} */
  getToken(options?: SessionTokenOptions): Promise<AccessToken>;
  /**
   * Always signs in anew.
   * @throws {OidcError} `cache_write_failed` where the result could not be kept, besides the sign-in's own errors.
   */
  login(options?: CallOptions): Promise<SignInResult>;
  /** Forgets the sign-in; `revoke` also tells the provider. */
  logout(options?: LogoutOptions): Promise<LogoutResult>;
  /** The userinfo endpoint's answer; its `sub` is the ID token's. Gets a fresh token first where needed. */
  userInfo(options?: CallOptions & { interactive?: boolean }): Promise<UserInfoClaims>;
  /** What is cached now, without any network. */
  current(): Promise<SessionRecord | undefined>;
  /** The same as a program may show it. */
  status(): Promise<SignIn | undefined>;
  /** Claims of the cached ID token, undefined where there is none. */
  claims(): Promise<IdTokenClaims | undefined>;
  /**
   * Ends timers and work: whoever waits gets `aborted`, reason `closed`, and so does every later call. Nothing is
   * forgotten. Resolves when all has ended; never rejects.
   */
  close(): Promise<void>;
}
