// What the errors of the standards mean in terms of our options, as data with sources.

import { option, say } from "../core/wording.ts";
import { namedWords } from "./error-words-named.ts";
import {
  confidentialAdvice,
  isAbout,
  redirectAdvice,
  type Advice,
  type ErrorWords,
  type RefusedRequest,
} from "./error-words-row.ts";

const refusedAdvice: Advice = {
  meaning: "The person refused the sign-in.",
  remedy: ["Sign in again if this was a mistake."],
};

const rows: readonly ErrorWords[] = [
  { error: "redirect_uri_mismatch", ...redirectAdvice },
  // Keycloak says "Invalid redirect uri", Okta "The 'redirect_uri' parameter must be …"; Auth0 "Callback URL mismatch".
  {
    description:
      /redirect[ _]?uri.{0,80}(?:mismatch|invalid|not |must )|(?:invalid|incorrect) (?:parameter: )?redirect[ _]?uri|callback url mismatch/i,
    ...redirectAdvice,
  },
  // Keycloak: a client with "Client authentication" on. https://www.keycloak.org/docs/latest/server_admin/
  {
    error: "unauthorized_client",
    description: /invalid client (?:secret|credentials)|client credentials/i,
    secretSent: false,
    ...confidentialAdvice,
  },
  {
    error: "invalid_client",
    secretSent: true,
    meaning: "The provider does not know this client or its secret.",
    remedy: say`Check ${option("clientId")} and ${option("clientSecret")}.`,
  },
  // Whoever brought a code back was known at the authorization endpoint: the name is right, so the secret is missing.
  {
    error: "invalid_client",
    secretSent: false,
    grantType: "authorization_code",
    meaning: "The provider wants a secret from this client, and none was sent.",
    remedy: say`Set ${option("clientSecret")}, or register the client as a public one.`,
  },
  {
    error: "invalid_client",
    secretSent: false,
    meaning: "The provider does not know this client, or wants a secret for it.",
    remedy: say`Check ${option("clientId")}; for a confidential client set ${option("clientSecret")}.`,
  },
  // Keycloak and glewlwyd say it of a wrong secret, which RFC 6749 section 5.2 calls invalid_client.
  {
    error: "unauthorized_client",
    description: /invalid client (?:secret|credentials)|client credentials/i,
    secretSent: true,
    meaning: "The provider does not know this client or its secret.",
    remedy: say`Check ${option("clientId")} and ${option("clientSecret")}.`,
  },
  {
    error: "unauthorized_client",
    grantType: "client_credentials",
    meaning: "This client may not use client credentials.",
    remedy: ["Allow that grant in its registration."],
  },
  {
    error: "unauthorized_client",
    grantType: "urn:ietf:params:oauth:grant-type:device_code",
    meaning: "This client may not use the device flow.",
    remedy: say`Allow the device authorization grant in its registration, or check ${option("flow")} and ${option("clientId")}.`,
  },
  {
    error: "unauthorized_client",
    secretSent: true,
    meaning: "The client's secret is wrong, or the client may not sign in this way.",
    remedy: say`Check ${option("clientId")} and ${option("clientSecret")}, and the grants of its registration.`,
  },
  {
    error: "unauthorized_client",
    meaning: "This client may not sign in this way.",
    remedy: say`Allow the authorization code flow (and refresh tokens) in its registration, or check ${option("clientId")}.`,
  },
  {
    error: "unsupported_grant_type",
    meaning: "The provider does not offer this kind of sign-in.",
    remedy: say`Check ${option("flow")}, and the grants of the client's registration.`,
  },
  {
    error: "unsupported_response_type",
    meaning: "The provider does not offer the authorization code flow to this client.",
    remedy: ["Check its registration."],
  },
  {
    error: "invalid_target",
    meaning: "The provider does not know this audience.",
    remedy: say`Check ${option("audience")}.`,
  },
  {
    error: "invalid_grant",
    grantType: "refresh_token",
    meaning: "The sign-in has ended at the provider.",
    remedy: ["Sign in again."],
  },
  {
    error: "invalid_grant",
    grantType: "authorization_code",
    meaning: "The code was used, is too old, or belongs to another redirect URI.",
    remedy: ["Sign in again."],
  },
  {
    error: "invalid_grant",
    grantType: "urn:ietf:params:oauth:grant-type:device_code",
    meaning: "The device code was used already, or is no longer known.",
    remedy: ["Sign in again."],
  },
  {
    error: "invalid_request",
    description: /code_challenge|code_verifier|pkce/i,
    meaning: "The provider and this client disagree about PKCE.",
    remedy: say`Check ${option("pkce")}.`,
  },
  // Nothing in a refresh is the person's to choose; where a new sign-in mends nothing, its error says more.
  {
    error: "invalid_request",
    grantType: "refresh_token",
    meaning: "The provider does not say that the sign-in has ended.",
    remedy: ["If it stays this way, sign in again."],
  },
  {
    error: "consent_required",
    meaning: "Somebody has to consent first.",
    remedy: say`Leave ${option("prompt")} unset, or set it to consent.`,
  },
  {
    error: "login_required",
    meaning: "Nobody is signed in at the provider.",
    remedy: say`Leave ${option("prompt")} unset.`,
  },
  {
    error: "interaction_required",
    meaning: "The provider wants to ask something.",
    remedy: say`Leave ${option("prompt")} unset.`,
  },
  {
    error: "temporarily_unavailable",
    meaning: "The provider is busy.",
    remedy: ["Try again in a while."],
  },
  {
    error: "server_error",
    meaning: "The provider failed.",
    remedy: ["Try again; if it stays this way, ask its administrator."],
  },
  // RFC 6750 section 3.1, from userinfo.
  {
    error: "invalid_token",
    meaning:
      "The provider does not take this access token: it has ended, was revoked, or is for another server.",
    remedy: ["Sign in again."],
  },
  // RFC 6750 section 3.1, from userinfo: a sign-in without openid (OpenID Connect Core section 5.3).
  {
    error: "insufficient_scope",
    meaning: "The sign-in lacks a scope that this needs: openid for who signed in.",
    remedy: say`Add it to ${option("scopes")}, and sign in again.`,
  },
  {
    error: "access_denied",
    meaning: "The sign-in was refused, by the person or by a rule of the provider.",
    remedy: ["Sign in again if this was a mistake."],
  },
  // Entra, device flow: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#expected-errors
  { error: "authorization_declined", ...refusedAdvice },
  // LinkedIn: https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow#application-is-rejected
  { error: "user_cancelled_login", ...refusedAdvice },
  { error: "user_cancelled_authorize", ...refusedAdvice },
];

/** What a provider's own words say of an error; undefined where it has none that we know. */
export function namedAdviceFor(refused: RefusedRequest): Advice | undefined {
  for (const { rows: named } of namedWords) {
    const found = named.find((row) => isAbout(row, refused));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What the error means and what to change; undefined where it says nothing that we know. */
export function adviceFor(refused: RefusedRequest): Advice | undefined {
  return namedAdviceFor(refused) ?? rows.find((row) => isAbout(row, refused));
}
