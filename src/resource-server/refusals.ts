// Makes refusals for one server: what RFC 6750 lets a client know, and nothing that tells why a token was not accepted.

import { isOidcError, type Reason } from "../core/errors.ts";
import { asymmetricAlgorithms } from "../keys/algorithms.ts";
import { challengeOf, Refusal } from "./refusal.ts";

/** What every challenge of a server says. */
export interface ChallengeBase {
  /** How clients should send their tokens, where a request does not show how it means to. */
  readonly scheme: "Bearer" | "DPoP";
  /** Where the document is that tells where to sign in. RFC 9728 section 5.1. */
  readonly resourceMetadata: string | undefined;
  /** The scopes that a client should ask for. */
  readonly scopes: readonly string[];
}

/** What a token lacks. */
export interface StepUp {
  readonly acrValues: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

const anotherToken = "The client has to get another access token.";
const defaultRetryAfterSeconds = 5;
const proofAlgorithms = [...asymmetricAlgorithms.keys()].join(" ");

function scopeText(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(" ");
}

/** The refusals of one server. */
export class Refusals {
  readonly #base: ChallengeBase;

  constructor(base: ChallengeBase) {
    this.#base = base;
  }

  #challenge(
    error: string | undefined,
    more: Readonly<Record<string, string | undefined>>,
    scheme: "Bearer" | "DPoP" = this.#base.scheme,
  ): string {
    return challengeOf(scheme, {
      error,
      ...more,
      resource_metadata: this.#base.resourceMetadata,
      // RFC 9449 section 7.1
      algs: scheme === "DPoP" ? proofAlgorithms : undefined,
    });
  }

  /** RFC 6750 section 3.1: without a token "the resource server SHOULD NOT include an error code". */
  missing(): Refusal {
    return new Refusal("invalid_token", "The request has no access token.", {
      reason: "token_missing",
      status: 401,
      challenge: this.#challenge(undefined, { scope: scopeText(this.#base.scopes) }),
      remedy: `The client has to send one as Authorization: ${this.#base.scheme}.`,
    });
  }

  /** The client learns one thing, whatever the reason: a reason would tell an attacker how far a forgery came. */
  token(reason: Reason<"invalid_token">, scheme?: "DPoP"): Refusal {
    const what = reason.replaceAll("_", " ");
    return new Refusal("invalid_token", `The access token is not accepted (${what}).`, {
      reason,
      status: 401,
      challenge: this.#challenge("invalid_token", { scope: scopeText(this.#base.scopes) }, scheme),
      remedy: anotherToken,
    });
  }

  /** RFC 6750 section 3.1: there is no error code for "an unsupported authentication method" either. */
  scheme(used: string): Refusal {
    if (used === "bearer") return this.token("scheme");
    return new Refusal(
      "invalid_token",
      "The request has no access token of a scheme that counts.",
      {
        reason: "scheme",
        status: 401,
        challenge: this.#challenge(undefined, { scope: scopeText(this.#base.scopes) }),
        remedy: `The client has to send one as Authorization: ${this.#base.scheme}.`,
      },
    );
  }

  request(reason: Reason<"invalid_request">): Refusal {
    return new Refusal("invalid_request", "The request does not carry one token in its header.", {
      reason,
      status: 400,
      challenge: this.#challenge("invalid_request", {}),
      remedy: "The client has to send one header Authorization: Bearer, and no token elsewhere.",
    });
  }

  /** The proof of a token that is bound to a key. @see RFC 9449 sections 7.1 and 9 */
  proof(reason: Reason<"invalid_token">, dpopNonce: string | undefined): Refusal {
    const isNonce = reason === "proof_nonce";
    const what = reason.replaceAll("_", " ");
    return new Refusal("invalid_token", `The proof of possession is not accepted (${what}).`, {
      reason,
      status: 401,
      challenge: this.#challenge(isNonce ? "use_dpop_nonce" : "invalid_dpop_proof", {}, "DPoP"),
      dpopNonce,
      remedy: isNonce
        ? "The client has to send a proof with the nonce of the answer."
        : "The client has to send one new header DPoP with each request.",
    });
  }

  scope(requiredScopes: readonly string[]): Refusal {
    return new Refusal("insufficient_scope", "The access token lacks a scope.", {
      status: 403,
      challenge: this.#challenge("insufficient_scope", { scope: scopeText(requiredScopes) }),
      remedy: `It needs ${requiredScopes.join(" ")}.`,
    });
  }

  /** @see RFC 9470 section 3 */
  stepUp({ acrValues, maxAgeSeconds }: StepUp): Refusal {
    const max = maxAgeSeconds === undefined ? undefined : String(maxAgeSeconds);
    return new Refusal("insufficient_scope", "The person has to authenticate anew.", {
      reason: "step_up",
      status: 401,
      challenge: this.#challenge("insufficient_user_authentication", {
        acr_values: scopeText(acrValues),
        max_age: max,
      }),
      remedy: "The client has to sign the person in as the challenge says.",
    });
  }

  /** The same refusal for a client that sent its token with a proof. */
  forProof(refusal: Refusal): Refusal {
    const [, parameters] = /^Bearer ?(.*)$/.exec(refusal.challenge ?? "") ?? [];
    if (parameters === undefined) return refusal;
    const given = parameters === "" ? "" : `${parameters}, `;
    return refusal.withChallenge(`DPoP ${given}algs="${proofAlgorithms}"`);
  }

  busy(): Refusal {
    return new Refusal("provider_unavailable", "Too many proofs of possession came lately.", {
      reason: "too_many_proofs",
      status: 503,
      remedy: "Try again later.",
      retryAfterSeconds: defaultRetryAfterSeconds,
    });
  }

  unavailable(cause: unknown): Refusal {
    const wait = isOidcError(cause) ? cause.retryAfterSeconds : undefined;
    return new Refusal("provider_unavailable", "The provider cannot be asked now.", {
      status: 503,
      remedy: "Try again later; `cause` says what happened.",
      retryAfterSeconds: wait ?? defaultRetryAfterSeconds,
      cause,
    });
  }
}
