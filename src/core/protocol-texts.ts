// What the errors of the standards mean to a person, wherever a provider's own word becomes the reason.

import type { ProtocolReason } from "./error-codes.ts";

/** The standards' own errors, which a provider's answer brings. */
export const protocolTexts: Readonly<Record<ProtocolReason, string>> = {
  invalid_request: "the request lacks something, or something in it is not accepted",
  invalid_client: "the client is not known, or did not prove itself",
  invalid_grant: "the code, device code or refresh token is not valid any more",
  unauthorized_client: "the client may not use this kind of sign-in",
  unsupported_grant_type: "the provider does not offer this kind of sign-in",
  unsupported_response_type: "the provider does not offer the authorization code flow",
  invalid_scope: "a scope is not known, or not granted to this client",
  access_denied: "the person or a rule of the provider refused",
  server_error: "the provider failed",
  temporarily_unavailable: "the provider is busy",
  invalid_token: "the access token is not accepted",
  insufficient_scope: "the access token lacks a scope",
  unsupported_token_type: "tokens of this kind are not revoked",
  authorization_pending: "the person has not entered the code yet",
  slow_down: "asked too often",
  expired_token: "the device code has ended",
  invalid_target: "the audience or resource is not known",
  invalid_dpop_proof: "the proof of the key is not accepted",
  use_dpop_nonce: "the proof of the key needs the provider's nonce",
  interaction_required: "the person has to answer something",
  login_required: "nobody is signed in at the provider",
  account_selection_required: "the person has to choose an account",
  consent_required: "somebody has to consent first",
  invalid_request_uri: "the reference to the request is not accepted",
  invalid_request_object: "the signed request is not accepted",
  request_not_supported: "signed requests are not supported",
  request_uri_not_supported: "references to requests are not supported",
  registration_not_supported: "registration in the request is not supported",
};
