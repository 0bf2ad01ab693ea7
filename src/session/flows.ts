// The work that a session can have done for it; each loads its protocol code when it is called. Changes when there is
// another kind of work.

import type { TokenAnswer } from "../flow/flow-world.ts";
import type { TokenTarget } from "../record/format.ts";
import type { RevokedSignIn } from "../flow/revoke.ts";
import type { SignInContext } from "../flow/sign-in-config.ts";
import type { SignInVariant } from "../flow/variant.ts";
import type { RecordServer, RegisteredClient, SessionRecord } from "../record/format.ts";
import type { UserInfoClaims } from "./session-types.ts";

/** A sign-in with a refresh token. */
export type RefreshableRecord = SessionRecord & { refreshToken: string };

/** What a sign-in brought, and as which client, for which server. */
export interface SignedIn extends TokenAnswer {
  readonly clientId: string;
  readonly server: RecordServer | undefined;
  /** Where the client was registered for it. */
  readonly registered?: RegisteredClient | undefined;
}

/** Network work. Everything rejects with `OidcError`. */
export interface Flows {
  /** False where a sign-in needs no person (client credentials). */
  readonly needsPerson: boolean;
  /** Longest time for each kind of work, in seconds: what a waiter allows the holder. */
  readonly longestWorkSeconds: { readonly refresh: number; readonly login: number };
  /** Before any lock or request: is enough known for a sign-in? */
  assertConfigured(): void;
  /** Once `onAnswer` was called the sign-in is not given up for another one. */
  signIn(context: SignInContext, variant?: SignInVariant): Promise<SignedIn>;
  /** `target`: what the access token is for, where that is not what the configuration says. */
  refresh(
    record: RefreshableRecord,
    signal: AbortSignal,
    target?: TokenTarget,
  ): Promise<TokenAnswer>;
  userInfo(
    record: SessionRecord,
    accessToken: string,
    signal: AbortSignal,
  ): Promise<UserInfoClaims>;
  revoke(record: SessionRecord, signal: AbortSignal): Promise<RevokedSignIn>;
}
