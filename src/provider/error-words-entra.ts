// What the AADSTS codes of Entra mean in terms of our options, as data with sources.

import { option, say } from "../core/wording.ts";
import { redirectAdvice, type ErrorWords } from "./error-words-row.ts";

/** The codes stand in descriptions, and none of them is the beginning of a longer one. */
function entra(...codes: readonly number[]): RegExp {
  return new RegExp(`AADSTS(?:${codes.join("|")})(?!\\d)`);
}

const tenantAdvice = say`Set ${option("issuer")} to the one of your own tenant: its id takes the place of common, organizations or consumers.`;

/** By https://learn.microsoft.com/entra/identity-platform/reference-error-codes, but where a row says otherwise. */
export const entraRows: readonly ErrorWords[] = [
  // The application is not registered as a public client. https://github.com/indigo-dc/oidc-agent/issues/560
  {
    description: entra(7000218),
    meaning: "The provider takes this client for a confidential one.",
    remedy: say`In its registration switch "Allow public client flows" on, or set ${option("clientSecret")}.`,
  },
  // Redirect registered as a single-page application, whose codes only a browser may redeem.
  // https://github.com/int128/kubelogin/blob/master/docs/usage.md (HTTP headers)
  {
    description: entra(9002327),
    meaning: 'The redirect URI is registered under "Single-page application".',
    remedy: ['Register it under "Mobile and desktop applications".'],
  },
  {
    description: entra(700084),
    meaning:
      'The redirect URI is registered under "Single-page application", whose sign-ins end after a fixed time.',
    remedy: ['Register it under "Mobile and desktop applications", and sign in again.'],
  },
  { description: entra(50011, 500113, 70004, 900971), ...redirectAdvice },
  {
    description: entra(7000215, 70002),
    meaning: "The client secret is wrong.",
    remedy: say`Set ${option("clientSecret")} to the secret's value, not its id.`,
  },
  {
    description: entra(7000222),
    meaning: "The client secret has expired.",
    remedy: say`Make a new one and set ${option("clientSecret")}.`,
  },
  {
    description: entra(700025),
    meaning: "The client is public, and a secret was sent.",
    remedy: say`Do not set ${option("clientSecret")}, or register the client as a confidential one.`,
  },
  {
    description: entra(700016, 700011),
    meaning: "This tenant has no such client.",
    remedy: say`Check ${option("clientId")}, and the tenant in ${option("issuer")}.`,
  },
  {
    description: entra(70001, 7000112),
    meaning: "The application is disabled in this tenant.",
    remedy: [
      'Ask its administrator: in "Enterprise applications" the application has to be enabled for users to sign in.',
    ],
  },
  {
    description: entra(50194, 9001023, 90124, 90130),
    meaning: "This client signs in at its own tenant alone.",
    remedy: tenantAdvice,
  },
  {
    description: entra(90002, 50059, 50128),
    meaning: "The provider knows no such tenant.",
    remedy: say`Check the tenant in ${option("issuer")}: its id, or a domain of it.`,
  },
  {
    description: entra(65001),
    meaning: "Nobody has consented to the scopes yet.",
    remedy: ["Sign in interactively, or ask an administrator for consent."],
  },
  {
    description: entra(90008, 90094, 90095, 650056),
    meaning: "An administrator of the tenant has to consent first.",
    remedy: [
      'Ask one: the application\'s page "API permissions" has to list the permissions, and "Grant admin consent".',
    ],
  },
  {
    description: entra(65004),
    meaning: "The person did not consent to the scopes.",
    remedy: ["Sign in again if this was a mistake."],
  },
  {
    description: entra(16000, 50020, 50034, 51004, 90072),
    meaning: "The account that signed in is not one of this tenant.",
    remedy: say`Sign in with another account (${option("prompt", "select_account")}), check the tenant in ${option("issuer")}, or have the account invited.`,
  },
  {
    description: entra(500208, 9002332),
    meaning: "This kind of account (personal, or of an organization) may not use this client.",
    remedy: say`Sign in with another account, check ${option("issuer")}, or change "Supported account types" in the client's registration.`,
  },
  {
    description: entra(50105),
    meaning: "The account is not assigned to the application.",
    remedy: [
      'Ask an administrator to assign it: "Enterprise applications", the application, "Users and groups".',
    ],
  },
  {
    description: entra(50057),
    meaning: "The account is disabled.",
    remedy: ["Ask the tenant's administrator."],
  },
  {
    description: entra(50053),
    meaning: "The account is locked, or this network address is blocked.",
    remedy: ["Try again later, or ask the tenant's administrator."],
  },
  {
    description: entra(50072, 50074, 50076, 50078, 50079),
    meaning: "The provider wants a second factor.",
    remedy: ["Sign in again in a browser, where it can ask for one."],
  },
  {
    description: entra(53000, 53001),
    meaning: "A Conditional Access policy takes managed devices alone.",
    remedy: say`Sign in with a browser of a managed device (${option("flow", "auth_code")}): a code that is entered elsewhere does not prove one.`,
  },
  {
    description: entra(50131, 53002, 53003, 530032, 530035),
    meaning: "A Conditional Access policy of the tenant blocks this sign-in.",
    remedy: say`Ask its administrator: the sign-in log names the policy. Many block the device flow; then ${option("flow", "auth_code")} helps.`,
  },
  {
    description: entra(50089, 50132, 50133, 50173),
    meaning: "The sign-in has ended at the provider: it was revoked, or the password has changed.",
    remedy: ["Sign in again."],
  },
  {
    description: entra(70008, 70043, 700082),
    meaning:
      "The sign-in has ended at the provider: it was unused for too long, or a policy wants a new one.",
    remedy: ["Sign in again."],
  },
  {
    description: entra(28002, 28003, 70011, 700022, 700023),
    meaning: "The provider does not take these scopes together, or does not know one of them.",
    remedy: say`Name scopes of one API in ${option("scopes")} (api://…/.default), openid, profile, email and offline_access in addition to them.`,
  },
  {
    description: entra(50001, 500011),
    meaning: "This tenant does not know the API that is asked for.",
    remedy: say`Check the API's name in ${option("scopes")}, and the tenant in ${option("issuer")}.`,
  },
  {
    description: entra(650057),
    meaning: "The client's registration does not list the API that is asked for.",
    remedy: say`Add it to "API permissions" there, or check ${option("scopes")}.`,
  },
  // RFC 8707 in all but name: resource and scope disagree. https://github.com/punkpeye/mcp-remote/issues/217
  {
    description: entra(901002, 9010010),
    meaning: "The provider takes no resource parameter in addition to scopes.",
    remedy: say`Name the API in ${option("scopes")} (api://…/.default).`,
  },
];
