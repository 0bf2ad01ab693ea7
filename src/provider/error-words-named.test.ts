// Changes with what providers say in words of their own. The texts are those of their answers, as their documentation, their
// source or public reports quote them; what names a person, a tenant or a client is replaced.
import { expect, test } from "vitest";
import { sentences, worded } from "../core/wording.ts";
import { namedWords } from "./error-words-named.ts";
import { isAbout } from "./error-words-row.ts";
import { namedAdviceFor } from "./error-words.ts";
import { refusalError } from "./refusal.ts";

const refresh = "refresh_token";

/** Provider, its `error`, its `error_description`, what the message has to say, and what the request was where that counts. */
type Answer = readonly [
  provider: string,
  error: string,
  description: string,
  expected: RegExp,
  more?: { readonly secretSent?: boolean; readonly grantType?: string },
];

const answers: readonly Answer[] = [
  [
    "Entra",
    "invalid_client",
    "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'. Trace ID: 0000",
    /Allow public client flows/,
  ],
  [
    "Entra",
    "invalid_request",
    "AADSTS9002327: Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    /Mobile and desktop/,
  ],
  [
    "Entra",
    "invalid_grant",
    "AADSTS700084: The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended.",
    /end after a fixed time/,
    { grantType: refresh },
  ],
  [
    "Entra",
    "invalid_client",
    "AADSTS50011: The redirect URI 'http://127.0.0.1:8765/callback' specified in the request does not match the redirect URIs configured for the application",
    /Register the one that is sent/,
  ],
  [
    "Entra",
    "invalid_request",
    "AADSTS500113: No reply address is registered for the application.",
    /Register the one that is sent/,
  ],
  [
    "Entra",
    "invalid_client",
    "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID",
    /not its id/,
    { secretSent: true },
  ],
  [
    "Entra",
    "invalid_client",
    "AADSTS7000222: The provided client secret keys for app '0000' are expired.",
    /has expired/,
    { secretSent: true },
  ],
  [
    "Entra",
    "invalid_client",
    "AADSTS700025: Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    /Do not set `clientSecret`/,
    { secretSent: true },
  ],
  [
    "Entra",
    "unauthorized_client",
    "AADSTS700016: Application with identifier '0000' was not found in the directory 'Contoso'.",
    /`clientId`, and the tenant in `issuer`/,
  ],
  [
    "Entra",
    "unauthorized_client",
    "AADSTS7000112: Application '0000'(app) is disabled.",
    /Enterprise applications/,
  ],
  [
    "Entra",
    "invalid_request",
    "AADSTS50194: Application '0000'(app) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported",
    /Set `issuer` to the one of your own tenant/,
  ],
  [
    "Entra",
    "invalid_request",
    "AADSTS90002: Tenant 'contoso.example' not found.",
    /Check the tenant in `issuer`/,
  ],
  [
    "Entra",
    "invalid_grant",
    "AADSTS65001: The user or administrator has not consented to use the application with ID '0000'",
    /ask an administrator for consent/,
  ],
  [
    "Entra",
    "access_denied",
    "AADSTS90094: Admin consent is required for the permissions requested by this application.",
    /Grant admin consent/,
  ],
  [
    "Entra",
    "access_denied",
    "AADSTS65004: User declined to consent to access the app.",
    /did not consent/,
  ],
  [
    "Entra",
    "invalid_request",
    "AADSTS50020: User account 'alice@example.com' from identity provider 'live.com' does not exist in tenant 'Contoso'",
    /prompt: select_account/,
  ],
  [
    "Entra",
    "invalid_request",
    "AADSTS500208: The domain is not a valid login domain for the account type.",
    /Supported account types/,
  ],
  [
    "Entra",
    "access_denied",
    "AADSTS50105: Your administrator has configured the application to block users unless they are specifically granted ('assigned') access",
    /Users and groups/,
  ],
  ["Entra", "invalid_grant", "AADSTS50057: The user account is disabled.", /account is disabled/],
  [
    "Entra",
    "invalid_grant",
    "AADSTS50053: The account is locked, you've tried to sign in too many times",
    /Try again later/,
  ],
  [
    "Entra",
    "interaction_required",
    "AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '0000'.",
    /second factor/,
    { grantType: refresh },
  ],
  [
    "Entra",
    "interaction_required",
    "AADSTS53000: Your device is required to be managed to access this resource.",
    /flow: auth_code/,
  ],
  [
    "Entra",
    "access_denied",
    "AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    /sign-in log names the policy/,
  ],
  [
    "Entra",
    "access_denied",
    "AADSTS530035: Access has been blocked by security defaults.",
    /Conditional Access policy of the tenant/,
  ],
  [
    "Entra",
    "invalid_grant",
    "AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    /the password has changed. Sign in again/,
    { grantType: refresh },
  ],
  [
    "Entra",
    "invalid_grant",
    "AADSTS700082: The refresh token has expired due to inactivity.",
    /unused for too long/,
    { grantType: refresh },
  ],
  [
    "Entra",
    "invalid_scope",
    "AADSTS70011: The provided value for the input parameter 'scope' is not valid.",
    /scopes of one API/,
  ],
  [
    "Entra",
    "invalid_resource",
    "AADSTS500011: The resource principal named api://files was not found in the tenant named Contoso.",
    /API's name in `scopes`/,
  ],
  [
    "Entra",
    "invalid_resource",
    "AADSTS650057: Invalid resource. The client has requested access to a resource which is not listed in the requested permissions",
    /API permissions/,
  ],
  [
    "Entra",
    "invalid_target",
    "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.",
    /\.default/,
  ],
  ["Google", "invalid_request", "client_secret is missing.", /Set `clientSecret`/],
  ["Google", "admin_policy_enforced", "", /allow the client \(API controls\)/],
  ["Google", "org_internal", "", /"External"/],
  ["Google", "deleted_client", "The OAuth client was deleted.", /Restore it there/],
  ["Google", "disallowed_useragent", "", /`browserCommand`/],
  [
    "Google",
    "invalid_grant",
    "Token has been expired or revoked.",
    /seven days/,
    { grantType: refresh },
  ],
  ["Okta", "access_denied", "User is not assigned to the client application.", /assignments/],
  [
    "Okta",
    "access_denied",
    "Policy evaluation failed for this request, please check the policy configurations.",
    /a rule that covers all/,
  ],
  ["Okta", "invalid_scope", "Custom scopes are not allowed for this request", /oauth2\/default/],
  [
    "Okta",
    "invalid_scope",
    "One or more scopes are not configured for the authorization server resource.",
    /`issuer` is the authorization server/,
  ],
  [
    "Auth0",
    "unauthorized_client",
    "Grant type 'urn:ietf:params:oauth:grant-type:device_code' not allowed for the client.",
    /"Grant Types"/,
  ],
  ["Auth0", "access_denied", "Service not found: https://api.example.com/", /slash for slash/],
  [
    "Auth0",
    "invalid_request",
    'Client "0000" is not authorized to access resource server "https://api.example.com".',
    /Authorize it in the API's settings/,
  ],
  [
    "Keycloak",
    "unauthorized_client",
    "Client not enabled to retrieve service account",
    /Service accounts roles/,
    { secretSent: true, grantType: "client_credentials" },
  ],
  [
    "Keycloak",
    "unauthorized_client",
    "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the client.",
    /"OAuth 2.0 Device Authorization Grant" on/,
  ],
  [
    "Keycloak",
    "unauthorized_client",
    "Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.",
    /"Standard flow" on/,
  ],
  [
    "Keycloak",
    "invalid_grant",
    "Session not active",
    /`offlineAccess` outlasts/,
    { grantType: refresh },
  ],
  [
    "Keycloak",
    "invalid_grant",
    "Token is not active",
    /`offlineAccess` outlasts/,
    { grantType: refresh },
  ],
  ["Keycloak", "invalid_scope", "Invalid scopes: openid files", /"Client scopes"/],
  ["Cognito", "redirect_mismatch", "", /Register the one that is sent/],
  ["Cognito", "invalid_client", "invalid_client_secret", /app client without one/],
  [
    "Cognito",
    "invalid_client",
    "invalid_client_secret",
    /Check `clientSecret`/,
    { secretSent: true },
  ],
  [
    "Dex",
    "invalid_request",
    'Unregistered redirect_uri ("http://127.0.0.1:8765/callback").',
    /redirectURIs of the client/,
  ],
  ["Dex", "invalid_scope", 'Unrecognized scope(s) ["files"]', /are all that it has/],
  [
    "GitLab",
    "invalid_scope",
    "The requested scope is invalid, unknown, or malformed.",
    /Tick it there/,
  ],
  [
    "GitLab",
    "invalid_client",
    "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.",
    /clear "Confidential"/,
  ],
  ["Salesforce", "invalid_client", "app must be installed into org", /Connected Apps OAuth Usage/],
  [
    "Salesforce",
    "invalid_grant",
    "user hasn't approved this consumer",
    /"Permitted Users"/,
    { secretSent: true },
  ],
  ["Salesforce", "invalid_grant", "ip restricted or invalid login hours", /IP relaxation/],
  [
    "Salesforce",
    "invalid_grant",
    "expired access/refresh token",
    /refresh token policy/,
    { grantType: refresh },
  ],
  ["Salesforce", "inactive_user", "user is inactive", /not active/],
  [
    "Salesforce",
    "inactive_org",
    "org is locked, closed, or suspended",
    /locked, closed or suspended/,
  ],
];

function refusedOf([, error, description, , more = {}]: Answer): Parameters<
  typeof namedAdviceFor
>[0] {
  const { secretSent = false, grantType } = more;
  return {
    error,
    description: description === "" ? undefined : description,
    secretSent,
    grantType,
  };
}

test.each(answers.map((answer) => ({ title: `${answer[0]}: ${answer[1]}: ${answer[2]}`, answer })))(
  "$title",
  ({ answer }) => {
    const { meaning = "", remedy = [] } = namedAdviceFor(refusedOf(answer)) ?? {};
    expect(worded(sentences(meaning, remedy))).toMatch(answer[3]);
  },
);

test("every row is found by an answer of its own provider", () => {
  const unseen = namedWords.flatMap(({ provider, rows }) =>
    rows
      .filter(
        (row) =>
          !answers.some((answer) => answer[0] === provider && isAbout(row, refusedOf(answer))),
      )
      .map((row) => `${provider}: ${row.meaning}`),
  );
  expect(unseen).toEqual([]);
});

test("a longer code is not taken for a shorter one", () => {
  const advice = namedAdviceFor({
    error: "x",
    description: "AADSTS700025000: x",
    secretSent: false,
  });
  expect(advice).toBeUndefined();
});

test("a refused scope is named together with what the provider's own words say", () => {
  const refusal = {
    error: "invalid_scope",
    description: "Custom scopes are not allowed for this request",
  };
  const context = {
    step: "token request",
    secretSent: false,
    secrets: [],
    requestedScopes: ["openid", "files"],
  };
  const { message } = refusalError("authorization_failed", "id.example.com", refusal, context);
  expect(message).toContain("openid files");
  expect(message).toMatch(/oauth2\/default/);
});
