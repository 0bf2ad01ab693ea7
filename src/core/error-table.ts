// What each error code and each reason means to a program: the one place where this is decided.

import type { Decisions } from "./decisions.ts";
import type { OidcErrorCode, ProtocolReason, Reason } from "./error-codes.ts";

/** A reason's own decisions; in everything else it is as its code. */
type Difference = Partial<Decisions>;

type Row<Code extends OidcErrorCode> = readonly [
  exitCode: Decisions["exitCode"],
  retry: Decisions["retry"],
  duration: Decisions["duration"],
  concerns: Decisions["concerns"],
  person: Decisions["person"],
  request: Decisions["request"],
  race: Decisions["race"],
  document: Decisions["document"],
  refuses: Decisions["refuses"],
  cache: Decisions["cache"],
  reasons: Readonly<Record<Reason<Code>, Difference>>,
];

const same: Difference = {};
const unsent: Difference = { request: "unsent" };
const ofVariant: Difference = { concerns: "variant" };
const aboutRefreshToken: Difference = { refuses: "refreshToken" };
const aboutTarget: Difference = { refuses: "target" };
const aboutClient: Difference = { refuses: "client" };

/** The standards' errors, wherever a provider's own word becomes the reason. */
const protocol: Readonly<Record<ProtocolReason, Difference>> = {
  invalid_request: aboutClient,
  invalid_client: aboutClient,
  invalid_grant: same,
  unauthorized_client: aboutClient,
  unsupported_grant_type: same,
  unsupported_response_type: same,
  invalid_scope: aboutTarget,
  access_denied: same,
  server_error: same,
  temporarily_unavailable: same,
  invalid_token: same,
  insufficient_scope: same,
  unsupported_token_type: same,
  authorization_pending: same,
  slow_down: same,
  expired_token: same,
  invalid_target: aboutTarget,
  invalid_dpop_proof: same,
  use_dpop_nonce: same,
  interaction_required: aboutTarget,
  login_required: aboutTarget,
  account_selection_required: same,
  consent_required: aboutTarget,
  invalid_request_uri: same,
  invalid_request_object: same,
  request_not_supported: same,
  request_uri_not_supported: same,
  registration_not_supported: same,
};

// oxfmt-ignore
const table: { readonly [Code in OidcErrorCode]: Row<Code> } = {
  // options and files
  invalid_option:         [2, "final", "lasting", "variant", "none", "unknown", "all", "kept", "nothing", "counts", {
    client_secret_missing: same,
    too_large: same,
    program_not_found: same,
    program_not_runnable: same,
    profile_exists: same,
    profile_not_writable: same,
  }],
  missing_issuer:         [2, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    several_sign_ins: same,
  }],
  missing_client_id:      [2, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {}],
  insecure_url:           [2, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {}],
  ca_bundle_invalid:      [2, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    too_large: same,
  }],

  // the server's word; thrown before any request to the issuer that it named
  server_config_changed:  [3, "final", "lasting", "everybody", "needed", "unsent", "all", "kept", "nothing", "counts", {
    declined: { person: "refused" },
    unanswered: { person: "involved" },
  }],
  issuer_untrusted:       [3, "final", "lasting", "everybody", "needed", "unsent", "all", "kept", "nothing", "counts", {
    declined: { person: "refused" },
    unanswered: { person: "involved" },
    secret_issuer_unbound: same,
    pins_unusable: { person: "none" },
  }],
  server_config_failed:   [1, "final", "lasting", "everybody", "none", "unsent", "all", "kept", "nothing", "counts", {
    not_found: same,
    not_configured: same,
    server_error: same,
    malformed: same,
    several_issuers: same,
    no_audience: same,
  }],
  resource_mismatch:      [1, "final", "lasting", "everybody", "none", "unsent", "all", "kept", "nothing", "counts", {}],

  // the provider
  discovery_failed:       [1, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    not_found: same,
    server_error: same,
    jwks_unusable: { document: "doubted" },
  }],
  issuer_mismatch:        [1, "final", "lasting", "everybody", "none", "unknown", "all", "doubted", "nothing", "counts", {}],
  endpoint_invalid:       [1, "final", "lasting", "everybody", "none", "unknown", "all", "doubted", "nothing", "counts", {
    blocked_address: same,
    authorization_endpoint: same,
    token_endpoint: same,
    device_authorization_endpoint: same,
    userinfo_endpoint: same,
    revocation_endpoint: same,
    introspection_endpoint: same,
    jwks_uri: same,
    registration_endpoint: same,
    pushed_authorization_request_endpoint: same,
    verification_uri: same,
    verification_url: same,
  }],
  no_interactive_flow:    [1, "final", "lasting", "everybody", "none", "unknown", "all", "doubted", "nothing", "counts", {}],
  registration_failed:    [1, "final", "lasting", "everybody", "none", "refused", "all", "kept", "nothing", "counts", {
    invalid_redirect_uri: same,
    invalid_client_metadata: same,
    refused: same,
    response_malformed: same,
    method_unsupported: same,
  }],

  // the sign-in
  callback_port_in_use:   [1, "retryable", "transient", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    listener_failed: same,
  }],
  callback_timeout:       [5, "final", "lasting", "variant", "involved", "unknown", "one", "kept", "nothing", "counts", {}],
  callback_invalid:       [1, "final", "lasting", "variant", "involved", "unknown", "all", "kept", "nothing", "counts", {
    opened_twice: same,
    already_used: same,
    repeated_parameter: same,
    unexpected_parameter: same,
    iss_missing: same,
    iss_mismatch: same,
    code_and_error: same,
    code_missing: same,
    code_invalid: same,
  }],
  state_mismatch:         [1, "final", "lasting", "variant", "involved", "unknown", "all", "kept", "nothing", "counts", {}],
  access_denied:          [4, "final", "lasting", "variant", "refused", "unknown", "one", "kept", "nothing", "counts", protocol],
  authorization_failed:   [1, "final", "lasting", "variant", "involved", "unknown", "one", "kept", "nothing", "counts", {
    ...protocol,
    par_required: same,
    par_response_invalid: same,
    response_mode_unsupported: same,
    pkce_unsupported: same,
    step_up_loop: same,
  }],
  device_code_expired:    [5, "final", "lasting", "variant", "involved", "unknown", "one", "kept", "nothing", "counts", {}],
  login_required:         [3, "final", "lasting", "everybody", "needed", "unknown", "all", "kept", "nothing", "counts", {
    no_token: same,
    expired: same,
    refresh_refused: same,
    refresh_lost: aboutRefreshToken,
    prompt_budget: same,
    not_granted: ofVariant,
    step_up: ofVariant,
  }],
  interaction_pending:    [3, "retryable", "lasting", "variant", "needed", "unknown", "all", "kept", "nothing", "counts", {}],
  subject_changed:        [1, "final", "lasting", "variant", "none", "unknown", "all", "kept", "idToken", "counts", {
    other_person: same,
    userinfo_sub_mismatch: same,
  }],
  aborted:                [1, "final", "lasting", "caller", "none", "unknown", "all", "kept", "nothing", "counts", {
    interrupted: same,
    closed: same,
    taken_over: same,
  }],

  // tokens
  token_request_failed:   [1, "final", "lasting", "variant", "none", "refused", "one", "kept", "nothing", "counts", {
    ...protocol,
    invalid_grant: aboutRefreshToken,
    // RFC 6749 section 5.2's status without its body: the refusal without the word.
    empty: aboutRefreshToken,
    no_error_member: { duration: "portal" },
    not_granted: same,
    token_function_failed: same,
  }],
  // An answer with tokens that cannot be used may have had a new refresh token in it: `request` is unknown.
  token_response_invalid: [1, "final", "lasting", "variant", "none", "unknown", "one", "kept", "nothing", "counts", {
    response_malformed: same,
    access_token: same,
    refresh_token: same,
    id_token: same,
    token_type: same,
    scope: same,
    device_code: same,
    user_code: same,
    expires_in: same,
    verification_uri: same,
    verification_url: same,
    userinfo_malformed: same,
    userinfo_alg: same,
    userinfo_signature: same,
    userinfo_jwks_key_not_found: same,
    userinfo_jwks_ambiguous: same,
    userinfo_unverifiable: same,
    userinfo_iss: same,
    userinfo_aud: same,
    userinfo_time: same,
  }],
  id_token_invalid:       [1, "final", "lasting", "variant", "none", "unknown", "all", "kept", "idToken", "counts", {
    id_token_missing: same,
    id_token_malformed: same,
    id_token_alg: same,
    id_token_signature: same,
    jwks_key_not_found: same,
    jwks_ambiguous: same,
    id_token_iss: { document: "doubted" },
    id_token_aud: same,
    id_token_sub: same,
    id_token_time: same,
    id_token_nonce: same,
    id_token_auth_time: same,
    id_token_at_hash: same,
    id_token_c_hash: same,
  }],

  // network
  network:                [6, "retryable", "transient", "everybody", "none", "unknown", "one", "kept", "nothing", "counts", {
    blocked_port: unsent,
    refused: { request: "unsent", document: "doubted" },
    dns: unsent,
    unreachable: same,
    reset: same,
    malformed: same,
    headers_too_large: same,
    proxy_authentication: unsent,
    proxy_refused: unsent,
    server_error: same,
    temporarily_unavailable: same,
    unknown: same,
  }],
  timeout:                [6, "retryable", "transient", "everybody", "none", "unknown", "one", "kept", "nothing", "counts", {
    connect: unsent,
    operation: same,
  }],
  tls:                    [6, "final", "portal", "everybody", "none", "unsent", "all", "doubted", "nothing", "counts", {
    certificate: same,
    protocol: same,
    self_signed: same,
    unknown_issuer: same,
    expired: same,
    not_yet_valid: same,
    wrong_host: same,
  }],
  response_too_large:     [1, "final", "lasting", "everybody", "none", "unknown", "one", "kept", "nothing", "counts", {
    content_encoding: same,
  }],
  redirect_refused:       [6, "final", "portal", "everybody", "none", "refused", "one", "doubted", "nothing", "counts", {}],
  rate_limited:           [6, "retryable", "transient", "everybody", "none", "refused", "one", "kept", "nothing", "counts", {}],

  // cache
  cache_insecure:         [1, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    plain_text: same,
  }],
  cache_unreadable:       [1, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "absent", {
    too_large: same,
    foreign_file: same,
  }],
  cache_write_failed:     [1, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "absent", {
    disk_full: same,
    read_only: same,
    not_permitted: same,
    no_such_folder: same,
    other_user: same,
    failed: same,
    no_home: same,
    too_large: same,
    unusable_record: same,
    newer_schema: same,
    changed_meanwhile: same,
  }],
  cache_locked:           [5, "retryable", "transient", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    holder_unproven: same,
    holder_stopped: same,
  }],
  store_unavailable:      [1, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    lock_lost: { concerns: "caller" },
    lock_overdue: { concerns: "caller", request: "unsent" },
    unreachable: { duration: "transient" },
    refused: same,
    untrusted: same,
    closed: same,
    client_missing: same,
    key_unavailable: same,
    other_key: same,
  }],
  keychain_unavailable:   [1, "final", "lasting", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    package_missing: same,
    no_service: same,
    locked: same,
    foreign_entry: same,
    failed: same,
  }],

  // resource server
  invalid_request:        [1, "final", "lasting", "caller", "none", "unknown", "all", "kept", "nothing", "counts", {
    several_tokens: same,
    token_in_query: same,
    malformed: same,
    several_proofs: same,
  }],
  invalid_token:          [1, "final", "lasting", "caller", "none", "unknown", "all", "kept", "nothing", "counts", {
    token_missing: same, malformed: same, too_large: same, scheme: same, alg: same, typ: same,
    signature: same, jwks_key_not_found: same, jwks_ambiguous: same, issuer: same, audience: same, time: same,
    subject: same, username: same, groups: same, scope: same, key_bound: same, inactive: same, not_an_access_token: same,
    not_bound: same, certificate: same, proof_missing: same, proof_malformed: same, proof_key: same,
    proof_signature: same, proof_request: same, proof_token: same, proof_time: same, proof_nonce: same,
    proof_replayed: same,
  }],
  insufficient_scope:     [4, "final", "lasting", "caller", "none", "unknown", "all", "kept", "nothing", "counts", {
    step_up: same,
  }],
  provider_unavailable:   [1, "retryable", "transient", "everybody", "none", "unknown", "all", "kept", "nothing", "counts", {
    too_many_proofs: same,
  }],

  // this process; what follows a request is loaded before it, so a part that cannot be loaded was needed to send it
  runtime_unavailable:    [1, "retryable", "transient", "caller", "none", "unsent", "all", "kept", "nothing", "counts", {
    module_missing: same,
    module_unreadable: same,
    too_many_open_files: same,
    crypto_missing: same,
  }],
};

/** Every error code that this version can throw, in the order of the documentation. */
export const errorCodes: readonly OidcErrorCode[] = Object.freeze(
  Object.keys(table),
) as readonly OidcErrorCode[];

/** True for a string that is one of this version's error codes. */
export function isOidcErrorCode(value: unknown): value is OidcErrorCode {
  return typeof value === "string" && Object.hasOwn(table, value);
}

/** True for an error of OAuth 2.0 or OpenID Connect that keeps its name as a reason. */
export function isProtocolReason(word: string): word is ProtocolReason {
  return Object.hasOwn(protocol, word);
}

/** The reasons that an error of this code may have. */
export function reasonsOf<Code extends OidcErrorCode>(code: Code): readonly Reason<Code>[] {
  return Object.keys(table[code][10]) as Reason<Code>[];
}

/** What is decided about a code and, where it is one of that code's, a reason. */
export function decisionsFor(code: OidcErrorCode, reason?: string): Decisions {
  const [
    exitCode,
    retry,
    duration,
    concerns,
    person,
    request,
    race,
    document,
    refuses,
    cache,
    reasons,
  ] = table[code];
  const decided = {
    exitCode,
    retry,
    duration,
    concerns,
    person,
    request,
    race,
    document,
    refuses,
    cache,
  };
  const differences: Readonly<Record<string, Difference>> = reasons;
  return reason !== undefined && Object.hasOwn(differences, reason)
    ? { ...decided, ...differences[reason] }
    : decided;
}
