// Which addresses are fit to receive codes, secrets and tokens.

import { OidcError, type Reason, sanitizeProviderText } from "../core/errors.ts";
import type { OptionName } from "../core/option-names.ts";
import { maxUrlCharacters } from "../core/limits.ts";
import { addressToShow, hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";

/** Why `value` can't be an endpoint, in a few words; undefined when it can. */
export function endpointProblem(
  value: unknown,
  issuer: string,
  allowInsecureHttp: boolean,
): string | undefined {
  if (typeof value !== "string") return "it is no string";
  if (value.length > maxUrlCharacters) return "it is too long";
  if (!URL.canParse(value)) return "it is no absolute URL";
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "its scheme is not https";
  if (url.username !== "" || url.password !== "") return "it contains a user name or password";
  // RFC 6749 section 3.1: "The endpoint URI MUST NOT include a fragment component." An empty one counts.
  if (value.includes("#")) return "it has a fragment";
  if (url.protocol === "http:" && !allowInsecureHttp) {
    if (!isLoopbackHost(url.hostname)) return "it is http: and not on this machine";
    // An https issuer that names an http endpoint is a downgrade, wherever that endpoint is.
    if (issuer.startsWith("https:")) return "it is http: though the issuer is https:";
  }
  return undefined;
}

const optionsByField: Readonly<Partial<Record<Reason<"endpoint_invalid">, OptionName>>> = {
  authorization_endpoint: "authorizationEndpoint",
  token_endpoint: "tokenEndpoint",
  device_authorization_endpoint: "deviceAuthorizationEndpoint",
  jwks_uri: "jwksUri",
};

/** `endpoint_invalid` for a field of a discovery document, the field as reason. */
export function endpointError(
  issuer: string,
  field: Reason<"endpoint_invalid">,
  problem: string,
  value: unknown,
): OidcError {
  const shown =
    typeof value === "string" ? ` ("${sanitizeProviderText(addressToShow(value))}")` : "";
  const name = optionsByField[field];
  const orSet = name === undefined ? "" : say`, or set ${option(name)}`;
  return new OidcError(
    "endpoint_invalid",
    `The discovery document of ${hostAndPort(issuer)} names an unusable ${field}: ${problem}${shown}.`,
    { reason: field, remedy: say`Ask the provider's administrator to correct it${orSet}.` },
  );
}
