// What the codes of a resource server mean to a person: a part of error-texts.ts.

import type { ErrorReasons } from "./error-codes.ts";

type Code = "invalid_request" | "invalid_token" | "insufficient_scope" | "provider_unavailable";

/** The codes of a resource server in words. */
export const resourceServerTexts: {
  readonly [Each in Code]: {
    readonly meaning: string;
    readonly remedy: string;
    readonly reasons: Readonly<Record<ErrorReasons[Each], string>>;
  };
} = {
  invalid_request: {
    meaning:
      "a resource server: the request does not carry its token in the one way that is accepted",
    remedy: "send one `Authorization: Bearer` header",
    reasons: {
      several_tokens: "more than one token, or more than one header",
      token_in_query: "the token stands in the address, where logs and histories keep it",
      malformed: "the header is not of the form of RFC 6750",
      several_proofs: "more than one header `DPoP`",
    },
  },
  invalid_token: {
    meaning: "a resource server: the access token is missing or is not accepted",
    remedy: "the client gets another token; the reason is for the server's own log",
    reasons: {
      token_missing: "there is none",
      malformed: "not a signed token of the usual form",
      too_large: "longer than any honest one",
      scheme: "sent under a scheme that is not accepted: see the option `dpop`",
      alg: "signed with an algorithm that is not accepted",
      typ: "its type is not that of an access token",
      signature: "the signature does not match the provider's keys",
      jwks_key_not_found: "no key fits the signature",
      jwks_ambiguous: "too many keys fit the signature",
      issuer: "of an issuer that is not configured",
      audience: "for another resource server",
      time: "not valid now: often one of two clocks is wrong",
      subject: "does not say for whom it is",
      username: "lacks the claim of `usernameClaim`, or an e-mail address that is verified",
      groups: "the claim of `groupsClaim` holds no list of texts",
      scope: "its scopes are not texts",
      inactive: "the provider says that it is not active: over, revoked, or never one of its own",
      key_bound: "bound to a key, so it is not a bearer token",
      not_bound: "sent with a proof for a key, but not bound to any",
      certificate: "bound to a certificate that the connection did not show",
      proof_missing: "bound to a key, and without the header `DPoP`",
      proof_malformed: "the proof is not one of RFC 9449, or holds a private key",
      proof_key: "the proof was made with another key than the token is bound to",
      proof_signature: "the signature of the proof does not match its key",
      proof_request:
        "the proof is for another method or address, or the server was not told its own address",
      proof_token: "the proof is for another token",
      proof_time: "the proof is older than a minute, or from the future",
      proof_nonce: "the proof lacks the nonce that the answer names, or has an old one",
      proof_replayed: "the proof was used before",
      not_an_access_token:
        "an ID token, a logout token, a refresh token, or without any mark of an access token",
    },
  },
  insufficient_scope: {
    meaning: "a resource server: the token lacks a scope that the request needs",
    remedy: "the client asks for the scopes that the challenge names",
    reasons: { step_up: "the person has to authenticate anew, or in another way (RFC 9470)" },
  },
  provider_unavailable: {
    meaning: "a resource server: the provider cannot be asked, for its keys or about the token",
    remedy: "try again after `retryAfterSeconds`",
    reasons: { too_many_proofs: "no room to remember another proof against its second use" },
  },
};
