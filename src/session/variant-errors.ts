// What is said where what a call wants cannot be had. Changes when that can fail in another way.

import {
  decisionsOf,
  isErrorOf,
  isOidcError,
  OidcError,
  type Reason,
  sanitizeProviderText,
} from "../core/errors.ts";
import { decisionsFor } from "../core/error-table.ts";
import { counted } from "../core/words.ts";
import { joined, option, say, signInAnew, type Wording } from "../core/wording.ts";
import { providerOf } from "./outcomes.ts";
import type { SessionConfig } from "./criteria.ts";
import type { UnmetStepUp, StepUp } from "./token-variant.ts";
import type { TokenTarget } from "../record/format.ts";

const maxList = 300;

function listOf(values: readonly string[]): string {
  return sanitizeProviderText(values.join(" "), maxList);
}

function targetInWords({ scopes, resources }: TokenTarget): string {
  return [
    ...(scopes === null ? [] : [`scopes ${listOf(scopes)}`]),
    ...(resources === null ? [] : [`resource ${listOf(resources)}`]),
  ].join(" and ");
}

function optionsOf({ scopes, resources }: TokenTarget): Wording {
  const both = scopes !== null && resources !== null;
  return joined(
    ...(scopes === null ? [] : [option("scopes")]),
    both ? " and " : "",
    ...(resources === null ? [] : [option("resource")]),
  );
}

function stepUpInWords({ acrValues, maxAgeSeconds }: StepUp): string {
  return [
    ...(acrValues === undefined ? [] : [`in one of these ways: ${listOf(acrValues)}`]),
    ...(maxAgeSeconds === undefined ? [] : [`within ${counted(maxAgeSeconds, "second")}`]),
  ].join(", ");
}

function detailsOf(cause: unknown): {
  cause: unknown;
  providerError?: string | undefined;
  providerErrorDescription?: string | undefined;
} {
  if (!isOidcError(cause)) return { cause };
  const { providerError, providerErrorDescription } = cause;
  return { cause, providerError, providerErrorDescription };
}

function answerInWords(cause: unknown): string {
  const said = isOidcError(cause) ? (cause.providerError ?? cause.reason) : undefined;
  return said === undefined ? "" : ` (token request: ${said})`;
}

// Which of these an error description means is only in its words: one large provider says `invalid_grant` for all.
const wantsPerson = /\b(?:not consented|consent|interaction|multi-?factor)\b/i;

/** True where a refresh was refused for what its access token was to be for, not for its refresh token. */
export function refusesTarget(error: unknown): boolean {
  if (!isErrorOf(error, "token_request_failed")) return false;
  const { code, reason, providerError, providerErrorDescription = "" } = error;
  return (
    decisionsFor(code, reason).refuses === "target" ||
    decisionsFor(code, providerError).refuses === "target" ||
    (providerError === "invalid_grant" && wantsPerson.test(providerErrorDescription))
  );
}

/** The sign-in does not cover the target, and nobody may be asked to widen it. */
export function targetNotCovered(
  config: SessionConfig,
  target: TokenTarget,
  cause?: unknown,
): OidcError {
  return new OidcError(
    "login_required",
    `The sign-in at ${providerOf(config)} does not cover ${targetInWords(target)}${answerInWords(cause)}, and prompting is off.`,
    {
      reason: "not_granted",
      remedy: say`Call again where a person can be asked, or set ${optionsOf(target)} in the configuration and sign in once.`,
      ...detailsOf(cause),
    },
  );
}

/** A new sign-in was to cover the target, and there is still no token for it. Nobody is asked a second time. */
export function targetNotGiven(
  config: SessionConfig,
  target: TokenTarget,
  cause?: unknown,
): OidcError {
  const why =
    cause === undefined
      ? " It gave no refresh token, so only what it granted at once can be had."
      : "";
  return new OidcError(
    "token_request_failed",
    `${providerOf(config)} gives no access token for ${targetInWords(target)}, not even after a new sign-in for it${answerInWords(cause)}.${why}`,
    {
      reason: "not_granted",
      remedy: say`Check ${optionsOf(target)}, and what the client may ask for at the provider${cause === undefined ? say`; ${option("offlineAccess")} asks for a refresh token` : ""}.`,
      ...detailsOf(cause),
    },
  );
}

/** The person has to sign in again for a step-up, and nobody may be asked. */
export function stepUpRequired(config: SessionConfig, stepUp: StepUp): OidcError {
  const asked = option(stepUp.acrValues === undefined ? "maxAgeSeconds" : "acrValues");
  return new OidcError(
    "login_required",
    `A sign-in at ${providerOf(config)} ${stepUpInWords(stepUp)} is needed, the one at hand is not, and prompting is off.`,
    { reason: "step_up", remedy: say`Call again with ${asked} where a person can be asked.` },
  );
}

/** A program signs in as itself: there is nobody who could step up. */
export function nobodyToStepUp(config: SessionConfig, stepUp: StepUp): OidcError {
  return new OidcError(
    "login_required",
    `A sign-in at ${providerOf(config)} ${stepUpInWords(stepUp)} needs a person, and client credentials have none.`,
    { reason: "step_up", remedy: "Use OidcAuth for what asks for it." },
  );
}

/** There is no ID token to hand out, and nobody is asked for one. `why`: a refresh brought none, or nobody could be asked. */
export function noIdToken(config: SessionConfig, why: "not_renewed" | "no_person"): OidcError {
  const words = {
    not_renewed: "renewed the sign-in without one, the old one is over, and prompting is off.",
    no_person: "gives one for a person, and client credentials have none.",
  }[why];
  return new OidcError("login_required", `An ID token is wanted. ${providerOf(config)} ${words}`, {
    reason: "no_token",
    remedy: why === "not_renewed" ? [signInAnew] : "Use OidcAuth.",
  });
}

/** The person has signed in, and no ID token came that could be handed out. The sign-in itself is kept. */
export function idTokenNotGiven(config: SessionConfig): OidcError {
  return new OidcError(
    "id_token_invalid",
    `An ID token is wanted, and ${providerOf(config)} gave none at the sign-in, which is kept.`,
    {
      reason: "id_token_missing",
      remedy: say`Add openid to ${option("scopes")}; plain OAuth 2.0 has none.`,
    },
  );
}

type ShortfallRow = { readonly words: string; readonly remedy: Wording } & (
  | { readonly code: "authorization_failed"; readonly reason: Reason<"authorization_failed"> }
  | { readonly code: "id_token_invalid"; readonly reason: Reason<"id_token_invalid"> }
);

const shortfalls: Readonly<Record<UnmetStepUp, ShortfallRow>> = {
  acr: {
    code: "authorization_failed",
    reason: "step_up_loop",
    words: "its ID token names another way or none (acr). The sign-in itself is kept.",
    remedy: [
      "Ask the provider's administrator whether this person and client can sign in this way.",
    ],
  },
  auth_time: {
    code: "id_token_invalid",
    reason: "id_token_auth_time",
    words: "its ID token does not say that it was (auth_time).",
    remedy: ["Sign in again; if it stays this way, the provider does not heed max_age."],
  },
  id_token: {
    code: "id_token_invalid",
    reason: "id_token_missing",
    words: "it gave no ID token that could confirm it.",
    remedy: say`Add openid to ${option("scopes")}; a provider without OpenID Connect cannot confirm a step-up.`,
  },
};

/** The person has signed in for a step-up, and the ID token does not confirm it. Nobody is asked a second time. */
export function notSteppedUp(config: SessionConfig, stepUp: StepUp, unmet: UnmetStepUp): OidcError {
  const { code, reason, words, remedy } = shortfalls[unmet];
  return new OidcError(
    code,
    `${providerOf(config)} was asked for a sign-in ${stepUpInWords(stepUp)}, and ${words}`,
    { reason, remedy },
  );
}

/** True where the failure of a call that wants a variant says something to calls that want none. */
export function concernsEverybody(error: OidcError): boolean {
  return decisionsOf(error)?.concerns === "everybody";
}
