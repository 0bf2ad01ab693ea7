// The parameters of an authorization request that no caller sets by hand. Changes when a request sets another one.

/**
 * What Latchkey sets itself, has an option for, or would take for the answer: a caller who set one of them beside that
 * would contradict an option, or switch a check off (A11).
 */
export const ownParameters: ReadonlySet<string> = new Set(
  (
    "acr_values audience client_id client_secret code code_challenge code_challenge_method code_verifier error iss " +
    "login_hint max_age nonce prompt redirect_uri request request_uri resource response_mode response_type scope state"
  ).split(" "),
);
