// What an error means for a call: whose outcome it is, whether it passes, whether a person is needed. Changes when an
// error code gains a meaning for sessions.

import { isOidcError, OidcError } from "../core/errors.ts";
import { hostOf } from "../core/hosts.ts";
import type { Bound, Wanted } from "./satisfy.ts";

/** Nobody may be asked, and there is nothing to use. */
export function loginRequired(
  bound: Bound,
  reason: "no_token" | "refresh_refused",
  cause?: unknown,
): OidcError {
  const host = bound.issuer === "" ? "the provider" : hostOf(bound.issuer);
  const why =
    reason === "no_token"
      ? `No valid sign-in for ${host}, and prompting is off.`
      : `${host} ended the sign-in (it refused the refresh token), and prompting is off.`;
  return new OidcError("login_required", `${why} Run: latchkey login`, { reason, cause });
}

/** True where the provider has ended the sign-in, said so in words or by refusing with an empty answer. */
export function refusesRefreshToken(error: unknown): boolean {
  return (
    isOidcError(error) &&
    ((error.code === "token_request_failed" &&
      (error.reason === "invalid_grant" || error.reason === "empty")) ||
      (error.code === "login_required" && error.reason === "refresh_lost"))
  );
}

/** Failures that pass by themselves: a token that is still good is better than the error (R05, R11). */
export function passes(error: unknown): boolean {
  return isOidcError(error) && error.retryable && error.code !== "interaction_pending";
}

/** Whether the failure of somebody else's work is this caller's outcome too. */
export function isShared(error: OidcError, wanted: Wanted): boolean {
  if (error.code === "aborted") return false;
  // The other might not prompt; this caller may.
  const needsPrompt = error.code === "login_required" || error.code === "interaction_pending";
  return !(needsPrompt && wanted.interactive);
}
