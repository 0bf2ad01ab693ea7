// What providers' errors mean in terms of our options, as data with sources.

/** One translation: the first row whose every given part matches is taken. */
interface ErrorWords {
  /** The provider's `error`. */
  readonly error?: string;
  /** Found in `error_description`. */
  readonly description?: RegExp;
  /** Only where the client sent a secret, or only where it sent none. */
  readonly secretSent?: boolean;
  /** Only for this `grant_type`. */
  readonly grantType?: string;
  /** What it means and what to change: whole sentences. */
  readonly advice: string;
}

const redirectAdvice =
  "The redirect URI is not registered for this client. Register the one that is sent, exactly, or set `redirectUri` and `callbackPort` to a registered one.";
const confidentialAdvice =
  "This client is confidential and its secret is missing. Set `clientSecret`, or register the client as public.";

const rows: readonly ErrorWords[] = [
  // Google: desktop clients need their secret even with PKCE.
  // https://github.com/taylorwilsdon/google_workspace_mcp/issues/1008
  { description: /client_secret is missing/i, advice: confidentialAdvice },
  // Entra: the application is not registered as a public client. https://github.com/indigo-dc/oidc-agent/issues/560
  {
    description: /AADSTS7000218/,
    advice:
      'The provider takes this client for a confidential one. In its registration switch "Allow public client flows" on, or set `clientSecret`.',
  },
  // Entra: redirect registered as a single-page application, whose codes only a browser may redeem.
  // https://github.com/int128/kubelogin/blob/master/docs/usage.md (HTTP headers)
  {
    description: /AADSTS9002327/,
    advice:
      'The redirect URI is registered under "Single-page application". Register it under "Mobile and desktop applications".',
  },
  // Entra: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
  { description: /AADSTS50011/, advice: redirectAdvice },
  {
    description: /AADSTS7000215/,
    advice: "The client secret is wrong. Set `clientSecret` to the secret's value, not its id.",
  },
  {
    description: /AADSTS7000222/,
    advice: "The client secret has expired. Make a new one and set `clientSecret`.",
  },
  {
    description: /AADSTS700016/,
    advice: "This tenant has no such client. Check `clientId`, and the tenant in `issuer`.",
  },
  {
    description: /AADSTS65001/,
    advice:
      "Nobody has consented to the scopes yet. Sign in interactively, or ask an administrator for consent.",
  },
  // RFC 8707 in all but name: resource and scope disagree. https://github.com/punkpeye/mcp-remote/issues/217
  {
    description: /AADSTS(?:901002|9010010)/,
    advice:
      "The provider takes no resource parameter beside scopes. Name the API in `scopes` (api://…/.default).",
  },
  { error: "redirect_uri_mismatch", advice: redirectAdvice },
  // Keycloak says "Invalid redirect uri", Okta "The 'redirect_uri' parameter must be …"; Auth0 "Callback URL mismatch".
  {
    description:
      /redirect[ _]?uri.{0,80}(?:mismatch|invalid|not |must )|(?:invalid|incorrect) (?:parameter: )?redirect[ _]?uri|callback url mismatch/i,
    advice: redirectAdvice,
  },
  // Keycloak: a client with "Client authentication" on. https://www.keycloak.org/docs/latest/server_admin/
  {
    error: "unauthorized_client",
    description: /invalid client (?:secret|credentials)|client credentials/i,
    secretSent: false,
    advice: confidentialAdvice,
  },
  {
    error: "invalid_client",
    secretSent: true,
    advice:
      "The provider does not know this client or its secret. Check `clientId` and `clientSecret`.",
  },
  // Whoever brought a code back was known at the authorization endpoint: the name is right, so the secret is missing.
  {
    error: "invalid_client",
    secretSent: false,
    grantType: "authorization_code",
    advice:
      "The provider wants a secret from this client, and none was sent. Set `clientSecret`, or register the client as a public one.",
  },
  {
    error: "invalid_client",
    secretSent: false,
    advice:
      "The provider does not know this client, or wants a secret for it. Check `clientId`; for a confidential client set `clientSecret`.",
  },
  // Keycloak and glewlwyd say it of a wrong secret, which RFC 6749 section 5.2 calls invalid_client.
  {
    error: "unauthorized_client",
    description: /invalid client (?:secret|credentials)|client credentials/i,
    secretSent: true,
    advice:
      "The provider does not know this client or its secret. Check `clientId` and `clientSecret`.",
  },
  {
    error: "unauthorized_client",
    grantType: "client_credentials",
    advice: "This client may not use client credentials. Allow that grant in its registration.",
  },
  {
    error: "unauthorized_client",
    grantType: "urn:ietf:params:oauth:grant-type:device_code",
    advice:
      "This client may not use the device flow. Allow the device authorization grant in its registration, or check `flow` and `clientId`.",
  },
  {
    error: "unauthorized_client",
    secretSent: true,
    advice:
      "The client's secret is wrong, or the client may not sign in this way. Check `clientId` and `clientSecret`, and the grants of its registration.",
  },
  {
    error: "unauthorized_client",
    advice:
      "This client may not sign in this way. Allow the authorization code flow (and refresh tokens) in its registration, or check `clientId`.",
  },
  {
    error: "unsupported_grant_type",
    advice:
      "The provider does not offer this kind of sign-in. Check `flow`, and the grants of the client's registration.",
  },
  {
    error: "unsupported_response_type",
    advice:
      "The provider does not offer the authorization code flow to this client. Check its registration.",
  },
  {
    error: "invalid_target",
    advice: "The provider does not know this audience. Check `audience`.",
  },
  {
    error: "invalid_grant",
    grantType: "refresh_token",
    advice: "The sign-in has ended at the provider. Sign in again.",
  },
  {
    error: "invalid_grant",
    grantType: "authorization_code",
    advice: "The code was used, is too old, or belongs to another redirect URI. Sign in again.",
  },
  {
    error: "invalid_grant",
    grantType: "urn:ietf:params:oauth:grant-type:device_code",
    advice: "The device code was used already, or is no longer known. Sign in again.",
  },
  {
    error: "invalid_request",
    description: /code_challenge|code_verifier|pkce/i,
    advice: "The provider and this client disagree about PKCE. Check `pkce`.",
  },
  // Nothing in a refresh is the person's to choose; where a new sign-in mends nothing, its error says more.
  {
    error: "invalid_request",
    grantType: "refresh_token",
    advice:
      "The provider does not say that the sign-in has ended. If it stays so, sign in again with `login`.",
  },
  {
    error: "consent_required",
    advice: "Somebody has to consent first. Leave `prompt` unset, or set it to consent.",
  },
  { error: "login_required", advice: "Nobody is signed in at the provider. Leave `prompt` unset." },
  {
    error: "interaction_required",
    advice: "The provider wants to ask something. Leave `prompt` unset.",
  },
  { error: "temporarily_unavailable", advice: "The provider is busy. Try again in a while." },
  {
    error: "server_error",
    advice: "The provider failed. Try again; if it stays so, ask its administrator.",
  },
  // RFC 6750 section 3.1, from userinfo.
  {
    error: "invalid_token",
    advice:
      "The provider does not take this access token: it has ended, was revoked, or is for another server. Sign in again.",
  },
  // RFC 6750 section 3.1, from userinfo: a sign-in without openid (OpenID Connect Core section 5.3).
  {
    error: "insufficient_scope",
    advice:
      "The sign-in lacks a scope that this needs: openid for who signed in. Add it to `scopes`, and sign in again.",
  },
  {
    error: "access_denied",
    advice: "The sign-in was refused, by the person or by a rule of the provider.",
  },
  // Entra, device flow: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#expected-errors
  { error: "authorization_declined", advice: "The person refused the sign-in." },
  // LinkedIn: https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow#application-is-rejected
  { error: "user_cancelled_login", advice: "The person refused the sign-in." },
  { error: "user_cancelled_authorize", advice: "The person refused the sign-in." },
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

/** What to change, in whole sentences; undefined where the error says nothing that we know. */
export function adviceFor(refused: RefusedRequest): string | undefined {
  return rows.find((row) => matches(row, refused))?.advice;
}
