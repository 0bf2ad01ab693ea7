// What an error means for a call: whose outcome it is, whether it passes by itself, whether a person is needed.

import { decisionsOf, isErrorOf, isOidcError, OidcError, wordingOf } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import type { PromptEvent } from "../core/prompt.ts";
import { warningEvent } from "../core/warning.ts";
import type { World } from "../core/world.ts";
import { wasNeverSent } from "../core/request-fate.ts";
import { forgetSignIn, option, say, sentences, signInAnew, type Wording } from "../core/wording.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { SessionRecord, SignInEnd } from "../record/format.ts";
import type { SessionConfig, TokenCriteria } from "./criteria.ts";

/** The provider's name for people. */
export function providerOf(config: SessionConfig): string {
  return config.issuer === "" ? "the provider" : hostAndPort(config.issuer);
}

/** Why nobody is asked: it was turned off, or nobody is there (the world's `absence`). */
export function whyNobody(absence: string | undefined): string {
  return absence === undefined
    ? "and prompting is off."
    : `and nobody can be asked, because ${absence}.`;
}

/** What to do where nobody can be asked here. `first` comes before it. */
export function remedyOfAbsence(absence: string | undefined, first: Wording = []): Wording {
  const elsewhere =
    absence === undefined
      ? ""
      : "Sign in on a terminal as the same user first; a job of its own needs client credentials.";
  return sentences(elsewhere, first, [signInAnew]);
}

/** Nobody may be asked, and there is nothing to use. `absence`: the world's. */
export function loginRequired(
  config: SessionConfig,
  reason: "no_token" | "expired" | SignInEnd,
  { cause, absence }: { cause?: unknown; absence?: string | undefined } = {},
): OidcError {
  const host = providerOf(config);
  const unacceptable = `The renewal of the sign-in at ${host} brought an ID token that cannot be accepted, so its tokens were thrown away,`;
  const why = {
    no_token: `No valid sign-in for ${host},`,
    expired: say`The sign-in at ${host} has expired: it has no refresh token (${option("offlineAccess")} asks for one),`,
    refresh_refused: `${host} ended the sign-in (it refused the refresh token),`,
    refresh_lost: `A renewal of the sign-in at ${host} never came to its end (a program ended meanwhile, or the answer was lost), the provider does not repeat it,`,
  }[reason];
  const said = refusesItsIdToken(cause) ? unacceptable : why;
  return new OidcError("login_required", sentences(said, whyNobody(absence)), {
    reason,
    remedy: remedyOfAbsence(absence),
    cause,
  });
}

/** A sign-in was asked for on purpose, and there is nobody who could sign in. */
export function nobodyToSignIn(config: SessionConfig, absence: string | undefined): OidcError {
  return new OidcError(
    "login_required",
    `Signing in at ${providerOf(config)} takes a person, and nobody can be asked${absence === undefined ? "" : `, because ${absence}`}.`,
    {
      reason: "no_token",
      remedy: say`Sign in on a terminal, or set ${option("flow", "device")} or ${option("openBrowser", "false")} where somebody reads this; a job of its own needs client credentials, or a sign-in that is cached already.`,
    },
  );
}

/**
 * A sign-in that belongs to one person stays that person's: what another one signed in as is thrown away (R17).
 * @throws {OidcError} `subject_changed`.
 */
export function assertSamePerson(
  previous: SessionRecord | undefined,
  answer: TokenAnswer,
  config: SessionConfig,
): void {
  const before = previous?.subject;
  const now = answer.claims?.sub;
  if (before === undefined || now === undefined || before === now) return;
  throw new OidcError(
    "subject_changed",
    `Somebody else signed in at ${providerOf(config)} than the one whose sign-in this is; nothing was changed.`,
    {
      reason: "other_person",
      remedy: say`Sign in as the same person, or forget the old sign-in first: ${forgetSignIn}.`,
    },
  );
}

/** True where the provider has ended the sign-in, said so in words or by refusing with an empty answer. */
export function refusesRefreshToken(error: unknown): boolean {
  return decisionsOf(error)?.refuses === "refreshToken";
}

/**
 * True for the error of a refresh whose answer came and whose ID token speaks against it: for another person, or not to
 * be accepted. The next refresh would end alike, and its refresh token may be used up.
 */
export function refusesItsIdToken(error: unknown): error is OidcError {
  return decisionsOf(error)?.refuses === "idToken";
}

/**
 * Says why the person is asked again, before they are.
 * @throws {OidcError} `subject_changed` itself: nobody is asked to sign in as whoever it was.
 */
export function tellOfRefusedIdToken(
  world: World,
  error: OidcError,
  criteria: TokenCriteria,
): void {
  if (error.code === "subject_changed") throw error;
  if (!criteria.interactive) return;
  world.prompt(
    warningEvent(
      "id_token_refused",
      say`The sign-in could not be renewed, and a new one is needed: ${wordingOf(error)}`,
    ),
  );
}

/** True where a refresh that failed has changed nothing at the provider. */
export function hadNoEffect(error: unknown): boolean {
  return wasNeverSent(error) || decisionsOf(error)?.request === "refused";
}

/** No person reads a page and says no in less; a page that answers by itself does. */
const shortestAnswerMilliseconds = 2000;

/**
 * True where somebody was there and said no, so long after the browser was started. Any other failure may come from a
 * page that sends it back by itself: it proves nobody.
 */
export function wasRefusedByPerson(error: unknown, milliseconds: number): boolean {
  return decisionsOf(error)?.person === "refused" && milliseconds >= shortestAnswerMilliseconds;
}

/** True where a sign-in failed for what a person did or did not do. */
export function wasUpToPerson(error: OidcError): boolean {
  const person = decisionsOf(error)?.person;
  return person === "involved" || person === "refused";
}

/** What whoever shows prompts is told at the end of a wait; `failure` is undefined where it went well. */
export function settledEvent(failure: unknown): PromptEvent {
  return { type: "settled", ...(isOidcError(failure) ? { error: failure } : {}) };
}

/** Failures that pass by themselves: a token that is still good is better than the error (R05, R11). */
export function isTransient(error: unknown): boolean {
  return decisionsOf(error)?.duration === "transient";
}

/** Whether a renewal ahead that failed so should be tried again: it leaves the work to whoever is at it. */
export function isWorthRetrying(error: unknown): boolean {
  return isTransient(error) || isErrorOf(error, "aborted");
}

/** Whether the failure of somebody else's work is this caller's outcome too. */
export function appliesToWaiter(error: OidcError, criteria: TokenCriteria): boolean {
  // The other gave up, or its own process could not go on.
  const decisions = decisionsOf(error);
  if (decisions?.concerns === "caller") return false;
  // The other might not prompt; this caller may.
  return !(decisions?.person === "needed" && criteria.interactive);
}

/** The record changed under every try. */
export function tooManyRounds(): OidcError {
  return new OidcError(
    "cache_locked",
    "Other programs change this sign-in all the time, on this machine or on another one that shares the folder.",
    { remedy: "End those that you do not need, and try again." },
  );
}
