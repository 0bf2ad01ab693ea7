// The codes and the reasons of errors, as types. What each means to a program stands in `error-table.ts`, what it means
// to a person in `error-texts.ts`: neither compiles without a row for everything that is named here.

/**
 * An error of OAuth 2.0 or OpenID Connect that keeps its standard name as a reason.
 * @see RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7009 section 2.2.1, RFC 8628 section 3.5, RFC 8707
 * section 2, RFC 9126 section 2.3, RFC 9449 section 5, OpenID Connect Core section 3.1.2.6
 */
export type ProtocolReason =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "invalid_scope"
  | "access_denied"
  | "server_error"
  | "temporarily_unavailable"
  | "invalid_token"
  | "insufficient_scope"
  | "unsupported_token_type"
  | "authorization_pending"
  | "slow_down"
  | "expired_token"
  | "invalid_target"
  | "invalid_dpop_proof"
  | "use_dpop_nonce"
  | "interaction_required"
  | "login_required"
  | "account_selection_required"
  | "consent_required"
  | "invalid_request_uri"
  | "invalid_request_object"
  | "request_not_supported"
  | "request_uri_not_supported"
  | "registration_not_supported";

/** The reasons of each code; `never` where there is none. */
export interface ErrorReasons {
  // options and files
  invalid_option:
    | "client_secret_missing"
    | "too_large"
    | "program_not_found"
    | "program_not_runnable"
    | "profile_exists"
    | "profile_not_writable";
  missing_issuer: "several_sign_ins";
  missing_client_id: never;
  insecure_url: never;
  ca_bundle_invalid: "too_large";
  // the server's word
  server_config_changed: "declined" | "unanswered";
  issuer_untrusted: "declined" | "unanswered" | "secret_issuer_unbound" | "pins_unusable";
  server_config_failed:
    | "not_found"
    | "not_configured"
    | "server_error"
    | "malformed"
    | "several_issuers"
    | "no_audience";
  resource_mismatch: never;
  // the provider
  discovery_failed: "not_found" | "server_error" | "jwks_unusable";
  issuer_mismatch: never;
  endpoint_invalid:
    | "blocked_address"
    | "authorization_endpoint"
    | "token_endpoint"
    | "device_authorization_endpoint"
    | "userinfo_endpoint"
    | "revocation_endpoint"
    | "introspection_endpoint"
    | "jwks_uri"
    | "registration_endpoint"
    | "pushed_authorization_request_endpoint"
    | "verification_uri"
    | "verification_url";
  no_interactive_flow: never;
  registration_failed:
    | "invalid_redirect_uri"
    | "invalid_client_metadata"
    | "refused"
    | "response_malformed"
    | "method_unsupported";
  // the sign-in
  callback_port_in_use: "listener_failed";
  callback_timeout: never;
  callback_invalid:
    | "opened_twice"
    | "already_used"
    | "repeated_parameter"
    | "unexpected_parameter"
    | "iss_missing"
    | "iss_mismatch"
    | "code_and_error"
    | "code_missing"
    | "code_invalid";
  state_mismatch: never;
  access_denied: ProtocolReason;
  authorization_failed:
    | ProtocolReason
    | "par_required"
    | "par_response_invalid"
    | "response_mode_unsupported"
    | "pkce_unsupported"
    | "step_up_loop";
  device_code_expired: never;
  login_required:
    | "no_token"
    | "expired"
    | "refresh_refused"
    | "refresh_lost"
    | "prompt_budget"
    | "not_granted"
    | "step_up";
  interaction_pending: never;
  subject_changed: "other_person" | "userinfo_sub_mismatch";
  aborted: "interrupted" | "closed" | "taken_over";
  // tokens
  token_request_failed:
    | ProtocolReason
    | "empty"
    | "no_error_member"
    | "not_granted"
    | "token_function_failed";
  token_response_invalid:
    | "response_malformed"
    | "access_token"
    | "refresh_token"
    | "id_token"
    | "token_type"
    | "scope"
    | "device_code"
    | "user_code"
    | "expires_in"
    | "verification_uri"
    | "verification_url"
    | "userinfo_malformed"
    | "userinfo_alg"
    | "userinfo_signature"
    | "userinfo_jwks_key_not_found"
    | "userinfo_jwks_ambiguous"
    | "userinfo_unverifiable"
    | "userinfo_iss"
    | "userinfo_aud"
    | "userinfo_time";
  id_token_invalid:
    | "id_token_missing"
    | "id_token_malformed"
    | "id_token_alg"
    | "id_token_signature"
    | "jwks_key_not_found"
    | "jwks_ambiguous"
    | "id_token_iss"
    | "id_token_aud"
    | "id_token_sub"
    | "id_token_time"
    | "id_token_nonce"
    | "id_token_auth_time"
    | "id_token_at_hash"
    | "id_token_c_hash";
  // network
  network:
    | "blocked_port"
    | "refused"
    | "dns"
    | "unreachable"
    | "reset"
    | "malformed"
    | "headers_too_large"
    | "proxy_authentication"
    | "proxy_refused"
    | "server_error"
    | "temporarily_unavailable"
    | "unknown";
  timeout: "connect" | "operation";
  tls:
    | "certificate"
    | "protocol"
    | "self_signed"
    | "unknown_issuer"
    | "expired"
    | "not_yet_valid"
    | "wrong_host";
  response_too_large: "content_encoding";
  redirect_refused: never;
  rate_limited: never;
  // cache
  cache_insecure: "plain_text";
  cache_unreadable: "too_large" | "foreign_file";
  cache_write_failed:
    | "disk_full"
    | "read_only"
    | "not_permitted"
    | "no_such_folder"
    | "other_user"
    | "failed"
    | "no_home"
    | "too_large"
    | "unusable_record"
    | "newer_schema"
    | "changed_meanwhile";
  cache_locked: "holder_unproven" | "holder_stopped";
  store_unavailable:
    | "lock_lost"
    | "lock_overdue"
    | "unreachable"
    | "refused"
    | "untrusted"
    | "closed"
    | "client_missing"
    | "key_unavailable"
    | "other_key";
  keychain_unavailable: "package_missing" | "no_service" | "locked" | "foreign_entry" | "failed";
  // resource server
  invalid_request: "several_tokens" | "token_in_query" | "malformed" | "several_proofs";
  invalid_token:
    | "token_missing"
    | "malformed"
    | "too_large"
    | "scheme"
    | "alg"
    | "typ"
    | "signature"
    | "jwks_key_not_found"
    | "jwks_ambiguous"
    | "issuer"
    | "audience"
    | "time"
    | "subject"
    | "username"
    | "groups"
    | "scope"
    | "key_bound"
    | "not_bound"
    | "certificate"
    | "proof_missing"
    | "proof_malformed"
    | "proof_key"
    | "proof_signature"
    | "proof_request"
    | "proof_token"
    | "proof_time"
    | "proof_nonce"
    | "proof_replayed"
    | "inactive"
    | "not_an_access_token";
  insufficient_scope: "step_up";
  provider_unavailable: "too_many_proofs";
  // this process
  runtime_unavailable:
    | "module_missing"
    | "module_unreadable"
    | "too_many_open_files"
    | "crypto_missing";
}

/** Stable error codes. More may be added, none is ever renamed. */
export type OidcErrorCode = keyof ErrorReasons;

/** The reasons that an error of this code may have. */
export type Reason<Code extends OidcErrorCode> = ErrorReasons[Code];
