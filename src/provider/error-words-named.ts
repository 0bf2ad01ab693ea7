// What the own words of the providers that people meet most mean in terms of our options, as data with sources.

import { option, say } from "../core/wording.ts";
import { entraRows } from "./error-words-entra.ts";
import { confidentialAdvice, redirectAdvice, type ErrorWords } from "./error-words-row.ts";

const googleRows: readonly ErrorWords[] = [
  // Desktop clients need their secret even with PKCE. https://github.com/taylorwilsdon/google_workspace_mcp/issues/1008
  {
    description: /client_secret is missing/i,
    ...confidentialAdvice,
  },
  // https://developers.google.com/identity/protocols/oauth2/limited-input-device#error-codes
  {
    error: "admin_policy_enforced",
    meaning: "The organization of this account does not allow the client, or one of the scopes.",
    remedy: say`Ask its administrator to allow the client (API controls), or ask for less with ${option("scopes")}.`,
  },
  {
    error: "org_internal",
    meaning: "The client is for accounts of its own organization alone.",
    remedy: ['Sign in with one of those, or make the audience of its consent screen "External".'],
  },
  // https://developers.google.com/identity/protocols/oauth2/native-app#authorization-errors
  {
    error: "deleted_client",
    meaning: "The client was deleted at the provider.",
    remedy: say`Restore it there, or set ${option("clientId")} to another one.`,
  },
  {
    error: "disallowed_useragent",
    meaning: "The provider does not take this browser: it is one embedded in another program.",
    remedy: say`Choose the system's browser with ${option("browserCommand")}.`,
  },
  // https://developers.google.com/identity/protocols/oauth2#expiration
  {
    error: "invalid_grant",
    grantType: "refresh_token",
    description: /token has been expired or revoked/i,
    meaning: "The sign-in has ended at the provider.",
    remedy: [
      'Sign in again. Where it ends each seven days, the client\'s consent screen is still in "Testing": publish it.',
    ],
  },
];

const oktaRows: readonly ErrorWords[] = [
  // https://community.auth0.com/t/user-not-assigned-to-the-client-application-error-at-log-in/186794
  {
    description: /user is not assigned to the client application/i,
    meaning: "The account is not assigned to the client.",
    remedy: ["Ask the administrator to assign it, in the application's assignments."],
  },
  // https://support.okta.com/help/s/article/tokens-not-issued-with-lifetime-configured-in-access-rule-for-custom-authorization-server
  {
    description: /policy evaluation failed for this request/i,
    meaning: "No access policy of the authorization server covers this client, account and scopes.",
    remedy: say`Ask the administrator for a rule that covers all of them, or ask for less with ${option("scopes")}.`,
  },
  // https://support.okta.com/help/s/article/okta-authorization-error-occurs-stating-custom-scopes-are-not-allowed-for-this-request
  {
    description: /custom scopes are not allowed for this request/i,
    meaning: "This issuer takes no scopes of your own.",
    remedy: say`Set ${option("issuer")} to the authorization server that has them (such as …/oauth2/default), or check ${option("scopes")}.`,
  },
  // https://support.okta.com/help/s/article/error-one-or-more-scopes-are-not-configured-for-the-authorization-server-resource
  {
    description: /scopes are not configured for the authorization server/i,
    meaning: "This authorization server does not have one of the scopes.",
    remedy: say`Check ${option("scopes")}, and that ${option("issuer")} is the authorization server that has them.`,
  },
];

const auth0Rows: readonly ErrorWords[] = [
  // https://auth0.com/docs/get-started/applications/update-grant-types
  {
    description: /grant type '[^']{1,100}' not allowed for the client/i,
    meaning: "The client's registration does not allow this kind of sign-in.",
    remedy: say`Allow it there ("Advanced Settings", "Grant Types"; the device code needs a native application), or check ${option("flow")}.`,
  },
  // https://auth0.com/docs/get-started/apis/api-settings (the identifier is the audience, and is compared as a string)
  {
    description: /service not found/i,
    meaning: "The provider knows no API with this audience.",
    remedy: say`Set ${option("audience")} to the identifier of an API that is registered there, slash for slash.`,
  },
  // https://auth0.com/docs/get-started/applications/third-party-applications/troubleshooting
  {
    description: /client .{0,100}is not authorized to access resource server/i,
    meaning: "The client may not ask for tokens for this API.",
    remedy: say`Authorize it in the API's settings, or check ${option("audience")} and ${option("clientId")}.`,
  },
];

// https://www.keycloak.org/docs/latest/server_admin/ ("Capability config", "Session and token timeouts"); the texts stand
// in https://github.com/keycloak/keycloak (services, org.keycloak.protocol.oidc).
const keycloakRows: readonly ErrorWords[] = [
  {
    description: /client not enabled to retrieve service account/i,
    meaning: "This client may not use client credentials.",
    remedy: ['In its "Capability config" switch "Service accounts roles" on.'],
  },
  {
    description:
      /not allowed to initiate oauth 2\.0 device authorization grant|client not allowed oauth 2\.0 device authorization grant/i,
    meaning: "This client may not use the device flow.",
    remedy: say`In its "Capability config" switch "OAuth 2.0 Device Authorization Grant" on, or set ${option("flow", "auth_code")}.`,
  },
  {
    description: /standard flow is disabled for the client/i,
    meaning: "This client may not sign in with a browser.",
    remedy: say`In its "Capability config" switch "Standard flow" on, or check ${option("clientId")}.`,
  },
  {
    error: "invalid_grant",
    grantType: "refresh_token",
    description: /session not active|token is not active|session doesn't have required client/i,
    meaning: "The session at the provider is over, and the sign-in with it.",
    remedy: say`Sign in again; one with ${option("offlineAccess")} outlasts the session.`,
  },
  {
    description: /^invalid scopes:/i,
    meaning: "One of the scopes is not assigned to this client.",
    remedy: say`Check ${option("scopes")}; each has to be among the client's "Client scopes".`,
  },
];

// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
const cognitoRows: readonly ErrorWords[] = [
  { error: "redirect_mismatch", ...redirectAdvice },
  {
    description: /^invalid_client_secret$/i,
    secretSent: false,
    meaning: "This client is confidential and its secret is missing.",
    remedy: say`Set ${option("clientSecret")}, or make an app client without one.`,
  },
  {
    description: /^invalid_client_secret$/i,
    secretSent: true,
    meaning: "The client secret is wrong.",
    remedy: say`Check ${option("clientSecret")}.`,
  },
];

// https://dexidp.io/docs/configuration/custom-scopes-claims-clients/; the texts stand in
// https://github.com/dexidp/dex/blob/master/server/oauth2.go
const dexRows: readonly ErrorWords[] = [
  // https://github.com/dexidp/dex/issues/1219
  {
    description: /unregistered redirect_uri/i,
    meaning: redirectAdvice.meaning,
    remedy: say`Add the one that is sent to redirectURIs of the client, exactly, or set ${option("redirectUri")} and ${option("callbackPort")} to one of those.`,
  },
  {
    description: /unrecognized scope\(s\)/i,
    meaning: "The provider does not know one of the scopes.",
    remedy: say`Check ${option("scopes")}: openid, profile, email, groups, offline_access, federated:id and audience:server:client_id:… are all that it has.`,
  },
];

// Doorkeeper's texts, https://github.com/doorkeeper-gem/doorkeeper/blob/main/config/locales/en.yml
// https://docs.gitlab.com/integration/oauth_provider/
const gitlabRows: readonly ErrorWords[] = [
  {
    error: "invalid_scope",
    description: /requested scope is invalid, unknown, or malformed/i,
    meaning: "One of the scopes is not ticked in the application.",
    remedy: say`Tick it there (openid too), or check ${option("scopes")}.`,
  },
  {
    error: "invalid_client",
    description: /client authentication failed due to unknown client/i,
    secretSent: false,
    meaning: "The provider does not know this client, or it is confidential.",
    remedy: say`Check ${option("clientId")}; set ${option("clientSecret")}, or clear "Confidential" in the application.`,
  },
];

// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
const salesforceRows: readonly ErrorWords[] = [
  // https://www.nango.dev/blog/fix-salesforce-oauth-approval-error-generic
  {
    description: /app must be installed into org|OAUTH_APPROVAL_ERROR_GENERIC/i,
    meaning: "The app is not installed in this organization, which blocks it.",
    remedy: [
      'Ask an administrator to install it ("Connected Apps OAuth Usage"), or for "Approve Uninstalled Connected Apps".',
    ],
  },
  {
    description: /user hasn't approved this consumer/i,
    meaning: "The account may not use this app.",
    remedy: [
      'Ask an administrator: "Permitted Users" of the app decides, with a profile or permission set.',
    ],
  },
  {
    description: /ip restricted or invalid login hours/i,
    meaning: "The account may not sign in from this network, or at this time.",
    remedy: [
      "Ask an administrator: login hours and IP ranges of the profile, and the app's IP relaxation.",
    ],
  },
  {
    error: "invalid_grant",
    description: /expired access\/refresh token/i,
    meaning: "The sign-in has ended at the provider.",
    remedy: say`Sign in again. Where it always ends at once, the app's refresh token policy expires it immediately; an account has five sign-ins to an app, too, and the oldest one goes.`,
  },
  {
    error: "inactive_user",
    meaning: "The account is not active.",
    remedy: ["Ask an administrator."],
  },
  {
    error: "inactive_org",
    meaning: "The organization is locked, closed or suspended.",
    remedy: say`Check ${option("issuer")}, or ask the provider.`,
  },
];

/** A provider, and what it says in words of its own. */
interface NamedWords {
  readonly provider: string;
  readonly rows: readonly ErrorWords[];
}

/** What single providers say in words of their own. What the standards' errors mean stands in `error-words.ts`. */
export const namedWords: readonly NamedWords[] = [
  { provider: "Entra", rows: entraRows },
  { provider: "Google", rows: googleRows },
  { provider: "Okta", rows: oktaRows },
  { provider: "Auth0", rows: auth0Rows },
  { provider: "Keycloak", rows: keycloakRows },
  { provider: "Cognito", rows: cognitoRows },
  { provider: "Dex", rows: dexRows },
  { provider: "GitLab", rows: gitlabRows },
  { provider: "Salesforce", rows: salesforceRows },
];
