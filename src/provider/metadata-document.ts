// From a discovery document to validated metadata.

import type { OidcError } from "../core/errors.ts";
import { ownProperties } from "../core/own-properties.ts";
import { endpointError, endpointProblem } from "./endpoint.ts";
import { quirksOf } from "./quirks.ts";
import type { ProviderMetadata, ProviderOptions } from "./provider-types.ts";

/** A discovery document: a JSON object from outside, nothing in it believed yet. */
export type MetadataDocument = Readonly<Record<string, unknown>>;

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A list of strings, or undefined where the member is something else: such a member is as good as absent. */
function listOf(document: MetadataDocument, member: string): readonly string[] | undefined {
  const value = document[member];
  if (!Array.isArray(value)) return undefined;
  return value.filter((entry): entry is string => typeof entry === "string");
}

const endpoints = [
  { field: "authorization_endpoint", name: "authorizationEndpoint" },
  { field: "token_endpoint", name: "tokenEndpoint" },
  { field: "device_authorization_endpoint", name: "deviceAuthorizationEndpoint" },
  { field: "userinfo_endpoint", name: "userinfoEndpoint" },
  { field: "revocation_endpoint", name: "revocationEndpoint" },
  { field: "jwks_uri", name: "jwksUri" },
  { field: "registration_endpoint", name: "registrationEndpoint" },
  { field: "pushed_authorization_request_endpoint", name: "pushedAuthorizationEndpoint" },
] as const;

type Flow = ProviderOptions["flow"];
const ofPerson: readonly Flow[] = ["auto", "auth_code", "device"];
const byBrowser: readonly Flow[] = ["auto", "auth_code"];

/** The flows that cannot do without an endpoint, should the document name one that cannot be used. */
const neededBy: Readonly<Record<(typeof endpoints)[number]["name"], readonly Flow[]>> = {
  authorizationEndpoint: byBrowser,
  tokenEndpoint: [...ofPerson, "client"],
  deviceAuthorizationEndpoint: [],
  userinfoEndpoint: [],
  revocationEndpoint: [],
  jwksUri: ofPerson,
  registrationEndpoint: [],
  pushedAuthorizationEndpoint: byBrowser,
};

/** Nothing, an empty text, or the `urn:` by which issuers of tokens for machines say that nobody signs in there. */
function isAbsent(value: unknown, field: string): boolean {
  if (value === undefined || value === null || value === "") return true;
  return field === "authorization_endpoint" && typeof value === "string" && /^urn:/i.test(value);
}

const overridable = [
  "authorizationEndpoint",
  "tokenEndpoint",
  "deviceAuthorizationEndpoint",
  "jwksUri",
] as const;

function overridesOf(options: ProviderOptions): Partial<Mutable<ProviderMetadata>> {
  const overrides = ownProperties<Partial<Mutable<ProviderMetadata>>>({});
  for (const name of overridable) {
    const value = options[name];
    if (value !== undefined) overrides[name] = value;
  }
  return overrides;
}

function idTokenAlgorithmsOf(
  document: MetadataDocument,
  issuer: string,
): readonly string[] | undefined {
  const listed = listOf(document, "id_token_signing_alg_values_supported");
  const unlisted = quirksOf(issuer).unlistedIdTokenAlgorithms;
  return listed === undefined || unlisted === undefined ? listed : [...listed, ...unlisted];
}

/** Metadata of a provider that is configured by options alone. */
export function metadataFromOptions(options: ProviderOptions): ProviderMetadata {
  return ownProperties<ProviderMetadata>({
    issuer: options.issuer,
    source: "options",
    issParameterSupported: false,
    pushedAuthorizationRequired: false,
    ...overridesOf(options),
  });
}

/**
 * Validates a discovery document whose `issuer` has been compared already.
 * @throws {OidcError} `endpoint_invalid`, the member's name as `reason`.
 */
export function parseMetadata(
  document: MetadataDocument,
  source: "openid" | "oauth",
  options: ProviderOptions,
): ProviderMetadata {
  const overrides = overridesOf(options);
  const pushedAuthorizationRequired = document["require_pushed_authorization_requests"] === true;
  const found = ownProperties<Partial<Mutable<ProviderMetadata>>>({});
  const unusable = ownProperties<Record<string, OidcError>>({});
  for (const { field, name } of endpoints) {
    const value = document[field];
    // What nobody will use may be as wrong as it likes.
    if (name === "pushedAuthorizationEndpoint" && !pushedAuthorizationRequired) continue;
    // An override stands alone: what metadata says in its place is not even looked at.
    if (isAbsent(value, field) || overrides[name as keyof typeof overrides] !== undefined) continue;
    const problem = endpointProblem(value, options.issuer, options.allowInsecureHttp);
    if (problem === undefined) {
      found[name] = value as string;
    } else if (neededBy[name].includes(options.flow)) {
      throw endpointError(options.issuer, field, problem, value);
    } else {
      // Judged by whoever needs it: a sign-in must not end for an address that it does not use.
      unusable[field] = endpointError(options.issuer, field, problem, value);
    }
  }
  const endSessionEndpoint = document["end_session_endpoint"];
  // Only a logout shows it to the person: one that is unfit must not stand in the way of a sign-in.
  if (
    endpointProblem(endSessionEndpoint, options.issuer, options.allowInsecureHttp) === undefined
  ) {
    found.endSessionEndpoint = endSessionEndpoint as string;
  }
  const lists = {
    scopesSupported: listOf(document, "scopes_supported"),
    grantTypes: listOf(document, "grant_types_supported"),
    codeChallengeMethods: listOf(document, "code_challenge_methods_supported"),
    responseModesSupported: listOf(document, "response_modes_supported"),
    tokenEndpointAuthenticationMethods: listOf(document, "token_endpoint_auth_methods_supported"),
    idTokenSigningAlgorithms: idTokenAlgorithmsOf(document, options.issuer),
    protectedResources: listOf(document, "protected_resources"),
    userinfoSigningAlgorithms: listOf(document, "userinfo_signing_alg_values_supported"),
  } as const;
  for (const [name, list] of Object.entries(lists)) {
    if (list !== undefined) found[name as keyof typeof lists] = list;
  }
  return ownProperties<ProviderMetadata>({
    issuer: options.issuer,
    source,
    ...found,
    ...overrides,
    issParameterSupported: document["authorization_response_iss_parameter_supported"] === true,
    pushedAuthorizationRequired,
    ...(document["client_id_metadata_document_supported"] === true
      ? { clientIdDocuments: true }
      : {}),
    ...(Object.keys(unusable).length === 0 ? {} : { unusable }),
  });
}
