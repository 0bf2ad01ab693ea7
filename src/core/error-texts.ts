// What each error code and each reason means to a person: docs/errors.md is made from it.

import type { OidcErrorCode, Reason } from "./error-codes.ts";
import { protocolTexts } from "./protocol-texts.ts";
import { resourceServerTexts } from "./resource-server-texts.ts";
import { serverWordTexts } from "./server-word-texts.ts";
import { storeTexts } from "./store-texts.ts";

/** One code in words. */
export interface ErrorText<Code extends OidcErrorCode> {
  readonly meaning: string;
  /** What to do about it, in general; an error's own `remedy` is more exact. */
  readonly remedy: string;
  readonly reasons: Readonly<Record<Reason<Code>, string>>;
}

const administrator = "ask the provider's administrator";

/** Every code in words, in the order of the documentation. */
export const errorTexts: { readonly [Code in OidcErrorCode]: ErrorText<Code> } = {
  invalid_option: {
    meaning:
      "an option, flag, profile or file has a value that is not accepted, or a name that is unknown",
    remedy: "the message says what is accepted, and the nearest known name",
    reasons: {
      client_secret_missing: "client credentials without a client secret",
      too_large: "the file that an option names is too long",
      program_not_found: "`exec`: there is no such program",
      program_not_runnable: "`exec`: the program cannot be started",
      profile_exists: "a profile of that name has other values",
      profile_not_writable: "the profile file cannot be changed safely",
    },
  },
  missing_issuer: {
    meaning: "no provider is named",
    remedy: "set `issuer`",
    reasons: { several_sign_ins: "the command line: more than one sign-in is cached" },
  },
  missing_client_id: { meaning: "no client is named", remedy: "set `clientId`", reasons: {} },
  insecure_url: {
    meaning: "an `http:` address beyond this machine",
    remedy: "use `https:`; on a test network `allowInsecureHttp`",
    reasons: {},
  },
  ca_bundle_invalid: {
    meaning: "the file of trusted roots cannot be read or holds no certificate",
    remedy: "correct `caCertPath`",
    reasons: { too_large: "the file is too long" },
  },
  ...serverWordTexts,
  discovery_failed: {
    meaning: "the provider answered, but with no usable discovery document or key set",
    remedy: "check `issuer`, or set the endpoints by their options",
    reasons: {
      not_found: "there is no discovery document at any of the well-known places",
      server_error: "the provider could not answer",
      jwks_unusable: "there is no usable key set",
    },
  },
  issuer_mismatch: {
    meaning: "the discovery document belongs to another issuer",
    remedy: "set `issuer` exactly as the document has it, if you trust it",
    reasons: {},
  },
  endpoint_invalid: {
    meaning: "an endpoint is missing or cannot be used; the reason is its name in the metadata",
    remedy: `${administrator}, or set the endpoint by its option`,
    reasons: {
      blocked_address: "a server elsewhere led to an address inside this machine or its networks",
      authorization_endpoint: "where the browser is sent",
      token_endpoint: "where tokens come from",
      device_authorization_endpoint: "where the device flow begins",
      userinfo_endpoint: "what says who signed in",
      revocation_endpoint: "where tokens are revoked",
      introspection_endpoint: "where a resource server asks about tokens",
      jwks_uri: "the key set",
      registration_endpoint: "the registration of clients",
      pushed_authorization_request_endpoint: "where requests are pushed",
      verification_uri: "the address that the person visits in the device flow",
      verification_url: "the same under its name of a draft",
    },
  },
  no_interactive_flow: {
    meaning:
      "the provider offers no endpoint for the chosen `flow`; the message says what it offers",
    remedy: "check `issuer` and `flow`, or set the endpoints",
    reasons: {},
  },
  registration_failed: {
    meaning: "no client was registered with the provider",
    remedy: "register one yourself, and set `clientId`",
    reasons: {
      invalid_redirect_uri: "the provider does not take the address of the listener",
      invalid_client_metadata: "the provider does not take something else of the client",
      refused: "the provider refused for another reason; the message says which",
      response_malformed: "the answer names no client that can be used",
      method_unsupported: "the client would have to prove itself in a way that Latchkey has not",
    },
  },
  callback_port_in_use: {
    meaning: "the listener could not be opened, so no browser was",
    remedy: "free the port, or register and set another `callbackPort`",
    reasons: { listener_failed: "the port is not taken, and cannot be opened here all the same" },
  },
  callback_timeout: {
    meaning:
      "nobody finished the sign-in in the browser in time; the message says what came instead of the answer (a posted form without `responseMode: form_post`, more than 64 KB of cookies), or another sign-in of yours kept the callback port",
    remedy: "try again; what the message names; `callbackTimeoutSeconds`",
    reasons: {},
  },
  callback_invalid: {
    meaning: "the answer through the browser has our state and is unusable otherwise",
    remedy: `sign in again; if it stays this way, ${administrator}`,
    reasons: {
      opened_twice:
        "the address that the browser was started with, which works once, was opened a second time, perhaps by another program on this machine: look for that program, or set `openBrowser: false` and open the shown address yourself",
      already_used: "the sign-in has had its answer",
      repeated_parameter: "a parameter comes more than once",
      unexpected_parameter: "there is a parameter that nobody asked for",
      iss_missing: "the issuer is not named, though the provider says that it would be",
      iss_mismatch: "the issuer is another one",
      code_and_error: "there is a code and an error",
      code_missing: "there is neither a code nor an error",
      code_invalid: "the code is not one",
    },
  },
  state_mismatch: {
    meaning: "only answers to other sign-ins came back",
    remedy: "close older tabs and sign in again",
    reasons: {},
  },
  access_denied: {
    meaning: "the person or the provider refused",
    remedy: "sign in as somebody who may",
    reasons: protocolTexts,
  },
  authorization_failed: {
    meaning:
      "the provider answered the sign-in with another error, or did not take the pushed request",
    remedy: "`providerError` says which; often a scope or the client's registration",
    reasons: {
      ...protocolTexts,
      par_required: "the provider takes pushed requests alone, and names no endpoint for them",
      par_response_invalid: "the pushed request was not taken",
      response_mode_unsupported:
        "the metadata lists response modes, and `form_post` is not among them",
      pkce_unsupported:
        "`createFetch`: the metadata of the provider that a resource names does not list PKCE with S256",
      step_up_loop: "the person signed in, and not in the way that `acrValues` asks for",
    },
  },
  device_code_expired: {
    meaning:
      "nobody entered the code of the device flow in time, nor the second one that a terminal shows",
    remedy: "sign in again: a new code is shown",
    reasons: {},
  },
  login_required: {
    meaning: "a person has to sign in, and this call may not ask",
    remedy: "`login()` or `latchkey login`, or call with `interactive`",
    reasons: {
      no_token: "nobody is signed in",
      expired:
        "the sign-in's time is up, and no refresh token renews it: `offlineAccess` asks for one",
      refresh_refused:
        "the provider refused the refresh token, in whatever words or with an empty answer (what it says of the client, of the scopes or of itself never counts); or the renewal brought an ID token that cannot be accepted",
      refresh_lost:
        "a program died between the provider's answer and the write, or the answer was lost, and the provider does not repeat it",
      prompt_budget: "nobody answered so many prompts within the hour",
      not_granted: "the sign-in does not cover the `scopes` or `resource` of the call",
      step_up: "the sign-in is not as strong or as recent as the call wants",
    },
  },
  interaction_pending: {
    meaning: "another call or program is signing in, and this one may not wait for a person",
    remedy: "try again when it is done",
    reasons: {},
  },
  subject_changed: {
    meaning: "the provider answered about another person than the one who signed in",
    remedy: "sign in again as the same person, or forget the sign-in first (`logout()`)",
    reasons: {
      other_person:
        "another person signed in where the sign-in is one person's: at a step-up, or with `loginHint`",
      userinfo_sub_mismatch: "userinfo is about another person, or does not say about whom",
    },
  },
  aborted: {
    meaning: "the caller, or the person, gave up",
    remedy: "nothing",
    reasons: {
      interrupted: "the command was asked to end",
      closed: "the credential was closed",
      taken_over: "the sign-in was left to another program",
    },
  },
  token_request_failed: {
    meaning: "the provider refused the request for tokens or for userinfo",
    remedy: "the message names the option",
    reasons: {
      ...protocolTexts,
      empty: "the refusal has no body",
      no_error_member: "the refusal does not say why",
      not_granted: "even a new sign-in gave no token for the `scopes` or `resource` of the call",
      token_function_failed: "`getToken` of `BearerTokenAuth` failed; `cause` says how",
    },
  },
  token_response_invalid: {
    meaning: "the provider's answer is not usable; the reason is the member in question",
    remedy: administrator,
    reasons: {
      response_malformed: "the answer as a whole",
      access_token: "missing, or cannot stand in a header",
      refresh_token: "not a refresh token",
      id_token: "not an ID token",
      token_type: "another type than Bearer",
      scope: "not a list of scopes",
      device_code: "missing, or not usable",
      user_code: "missing, or nobody could type it",
      expires_in: "a device code without a lifetime",
      verification_uri: "missing, or not usable",
      verification_url: "the same under its name of a draft",
      userinfo_malformed: "a signed userinfo answer of another form",
      userinfo_alg: "signed with an algorithm that is not accepted",
      userinfo_signature: "the signature does not match",
      userinfo_jwks_key_not_found: "no key fits the signature",
      userinfo_jwks_ambiguous: "too many keys fit the signature",
      userinfo_unverifiable: "no key set is known",
      userinfo_iss: "of another issuer",
      userinfo_aud: "for another client",
      userinfo_time: "its time is over",
    },
  },
  id_token_invalid: {
    meaning: "the ID token is missing, or fails a check",
    remedy: `check the clock, \`clientId\` and \`issuer\`; else ${administrator}`,
    reasons: {
      id_token_missing: "there is none",
      id_token_malformed: "not a signed token of the usual form",
      id_token_alg: "signed with an algorithm that is not accepted",
      id_token_signature: "the signature does not match the provider's keys",
      jwks_key_not_found: "no key fits the signature",
      jwks_ambiguous: "too many keys fit the signature",
      id_token_iss: "of another issuer",
      id_token_aud: "for another client",
      id_token_sub: "does not say who signed in",
      id_token_time: "not valid now: often one of two clocks is wrong",
      id_token_nonce: "of another sign-in",
      id_token_auth_time: "does not say that the person signed in as recently as `maxAge` asks",
      id_token_at_hash: "issued with another access token",
      id_token_c_hash: "issued for another code",
    },
  },
  network: {
    meaning: "the provider could not be reached, or could not answer",
    remedy: "check `issuer`, the network and `HTTPS_PROXY`",
    reasons: {
      blocked_port: "nothing connects to this port",
      refused: "the connection was refused",
      dns: "the name does not resolve",
      unreachable: "there is no way to it from here",
      reset: "the connection was closed before the answer was complete",
      malformed: "the answer is not HTTP",
      headers_too_large: "too many headers",
      proxy_authentication: "the proxy wants a user name and password",
      proxy_refused: "the proxy refused, or hung up",
      server_error: "the provider failed",
      temporarily_unavailable: "the provider is busy",
      unknown: "anything else",
    },
  },
  timeout: {
    meaning: "no whole answer in time",
    remedy: "try again; `httpTimeoutSeconds`",
    reasons: {
      connect: "no connection",
      operation: "the whole operation took longer than `httpTimeoutSeconds`",
    },
  },
  tls: {
    meaning: "the certificate is not trusted, or for another name",
    remedy: "`caCertPath` for an authority of your own",
    reasons: {
      certificate: "the certificate is not accepted",
      protocol: "no TLS connection came about",
      self_signed: "the certificate signed itself",
      unknown_issuer: "the authority is not trusted",
      expired: "the certificate has expired",
      not_yet_valid: "the certificate is not valid yet",
      wrong_host: "the certificate is for another name",
    },
  },
  response_too_large: {
    meaning: "an answer was longer than any honest one",
    remedy: "is this the address of a provider?",
    reasons: { content_encoding: "packed in a way that is not unpacked" },
  },
  redirect_refused: {
    meaning: "the address redirects, and that is not followed",
    remedy: "set the address that answers itself",
    reasons: {},
  },
  rate_limited: {
    meaning: "too many requests; `retryAfterSeconds` where the provider said so",
    remedy: "wait",
    reasons: {},
  },
  cache_insecure: {
    meaning: "others may read or write the cache, or it belongs to somebody else, or is a link",
    remedy: "what the message says to type",
    reasons: { plain_text: "it is in plain text, and only sealed sign-ins are used" },
  },
  cache_unreadable: {
    meaning: "the cache cannot be read",
    remedy: "check its permissions and the disk",
    reasons: {
      too_large: "the file is too long",
      foreign_file: "`cachePath` names a file that is not Latchkey's",
    },
  },
  cache_write_failed: {
    meaning: "the cache cannot be written; `getToken` gives the token all the same and warns",
    remedy: "make room or the folder writable; `cachePath`",
    reasons: {
      disk_full: "the disk or the quota is used up",
      read_only: "the file system is read-only",
      not_permitted: "it is not permitted",
      no_such_folder: "the folder cannot be reached or made",
      other_user: "root, in a folder of another user",
      failed: "another fault of the system",
      no_home: "no home folder is known",
      too_large: "the file would be too long",
      unusable_record: "the provider's answer holds what cannot be kept",
      newer_schema: "a later version wrote the file",
      changed_meanwhile: "other programs change the file all the time",
    },
  },
  cache_locked: {
    meaning: "another program holds the lock for longer than its work can take",
    remedy: "try again; the message says how to find that program",
    reasons: {
      holder_unproven: "who holds the lock did not prove to be a program of yours",
      holder_stopped: "the program that holds the lock is stopped",
    },
  },
  ...storeTexts,
  ...resourceServerTexts,
  runtime_unavailable: {
    meaning: "this process cannot do the work",
    remedy:
      "after an upgrade, start the program again; else what the message says. The next call tries again",
    reasons: {
      module_missing: "a part of Latchkey is not where it was installed",
      module_unreadable: "a part of Latchkey could not be loaded",
      too_many_open_files: "too many files are open in this process",
      crypto_missing: "there is no Web Crypto",
    },
  },
};
