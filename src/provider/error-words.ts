// What providers' errors mean in terms of our options, as data with sources.

import { option, say, type Wording } from "../core/wording.ts";

/** What an error means and what to change. */
export interface Advice {
  /** A whole sentence. */
  readonly meaning: string;
  /** Whole sentences. */
  readonly remedy?: Wording;
}

/** One translation: the first row whose every given part matches is taken. */
interface ErrorWords extends Advice {
  /** The provider's `error`. */
  readonly error?: string;
  /** Found in `error_description`. */
  readonly description?: RegExp;
  /** Only where the client sent a secret, or only where it sent none. */
  readonly secretSent?: boolean;
  /** Only for this `grant_type`. */
  readonly grantType?: string;
}

const redirectAdvice: Advice = {
  meaning: "The redirect URI is not registered for this client.",
  remedy: say`Register the one that is sent, exactly, or set ${option("redirectUri")} and ${option("callbackPort")} to a registered one.`,
};
const confidentialAdvice: Advice = {
  meaning: "This client is confidential and its secret is missing.",
  remedy: say`Set ${option("clientSecret")}, or register the client as public.`,
};

const refusedAdvice: Advice = {
  meaning: "The person refused the sign-in.",
  remedy: ["Sign in again if this was a mistake."],
};

const rows: readonly ErrorWords[] = [
  // Google: desktop clients need their secret even with PKCE.
  // https://github.com/taylorwilsdon/google_workspace_mcp/issues/1008
  { description: /client_secret is missing/i, ...confidentialAdvice },
  // Entra: the application is not registered as a public client. https://github.com/indigo-dc/oidc-agent/issues/560
  {
    description: /AADSTS7000218/,
    meaning: "The provider takes this client for a confidential one.",
    remedy: say`In its registration switch "Allow public client flows" on, or set ${option("clientSecret")}.`,
  },
  // Entra: redirect registered as a single-page application, whose codes only a browser may redeem.
  // https://github.com/int128/kubelogin/blob/master/docs/usage.md (HTTP headers)
  {
    description: /AADSTS9002327/,
    meaning: 'The redirect URI is registered under "Single-page application".',
    remedy: ['Register it under "Mobile and desktop applications".'],
  },
  // Entra: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
  { description: /AADSTS50011/, ...redirectAdvice },
  {
    description: /AADSTS7000215/,
    meaning: "The client secret is wrong.",
    remedy: say`Set ${option("clientSecret")} to the secret's value, not its id.`,
  },
  {
    description: /AADSTS7000222/,
    meaning: "The client secret has expired.",
    remedy: say`Make a new one and set ${option("clientSecret")}.`,
  },
  {
    description: /AADSTS700016/,
    meaning: "This tenant has no such client.",
    remedy: say`Check ${option("clientId")}, and the tenant in ${option("issuer")}.`,
  },
  {
    description: /AADSTS65001/,
    meaning: "Nobody has consented to the scopes yet.",
    remedy: ["Sign in interactively, or ask an administrator for consent."],
  },
  // RFC 8707 in all but name: resource and scope disagree. https://github.com/punkpeye/mcp-remote/issues/217
  {
    description: /AADSTS(?:901002|9010010)/,
    meaning: "The provider takes no resource parameter in addition to scopes.",
    remedy: say`Name the API in ${option("scopes")} (api://…/.default).`,
  },
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

/** What is known about a refused request. */
export interface RefusedRequest {
  readonly error: string;
  readonly description: string | undefined;
  readonly secretSent: boolean;
  readonly grantType?: string | undefined;
}

function matches(row: ErrorWords, refused: RefusedRequest): boolean {
  if (row.error !== undefined && row.error !== refused.error) return false;
  if (row.secretSent !== undefined && row.secretSent !== refused.secretSent) return false;
  if (row.grantType !== undefined && row.grantType !== refused.grantType) return false;
  return row.description === undefined || row.description.test(refused.description ?? "");
}

/** What the error means and what to change; undefined where it says nothing that we know. */
export function adviceFor(refused: RefusedRequest): Advice | undefined {
  return rows.find((row) => matches(row, refused));
}
