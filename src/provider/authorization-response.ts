// Judges what came back through the browser, before any code is used.

import { OidcError, type Reason } from "../core/errors.ts";
import { maxTokenCharacters } from "../core/limits.ts";
import { hostAndPort } from "../core/hosts.ts";
import { isRefusedByPerson } from "./error-words-meaning.ts";
import type { ProviderMetadata } from "./provider-types.ts";
import { withoutSecrets } from "./redaction.ts";
import { refusalError } from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";

const step = "authorization";

// RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once."
const single = ["code", "state", "iss", "error", "error_description", "error_uri"];
// RFC 9700 section 2.1.2: tokens in the authorization response are never asked for; `response` would be JARM.
const unexpected = ["access_token", "id_token", "token_type", "token", "response"];

// RFC 6749 appendix A.11: VSCHAR.
const authorizationCode = /^[\x20-\x7e]+$/;

function invalid(host: string, reason: Reason<"callback_invalid">, what: string): OidcError {
  return new OidcError(
    "callback_invalid",
    `The answer that came back through the browser is not usable: ${what} (authorization at ${host}). No code was used.`,
    { reason, remedy: "Sign in again." },
  );
}

/** The first thing that is wrong, except an error that the provider reports on purpose. */
function problemOf(
  parameters: URLSearchParams,
  metadata: ProviderMetadata,
): { reason: Reason<"callback_invalid">; what: string } | undefined {
  const repeated = single.find((name) => parameters.getAll(name).length > 1);
  if (repeated !== undefined) {
    return { reason: "repeated_parameter", what: `it has ${repeated} more than once` };
  }
  const foreign = unexpected.find((name) => parameters.has(name));
  if (foreign !== undefined) {
    return { reason: "unexpected_parameter", what: `it has ${foreign}, which nobody asked for` };
  }
  const iss = parameters.get("iss");
  if (iss === null && metadata.issParameterSupported) {
    return {
      reason: "iss_missing",
      what: "it does not name its issuer, though the provider says it would",
    };
  }
  // RFC 9207 section 2.4: compared whether advertised or not. The foreign name is an attacker's; it is not repeated.
  if (iss !== null && iss !== metadata.issuer) {
    return {
      reason: "iss_mismatch",
      what: `it comes from another issuer than "${metadata.issuer}"`,
    };
  }
  const code = parameters.get("code");
  const error = parameters.get("error");
  if (code !== null && error !== null) {
    return { reason: "code_and_error", what: "it has a code and an error" };
  }
  if (error !== null && error !== "") return undefined;
  if (code === null || code === "") {
    return { reason: "code_missing", what: "it has neither a code nor an error" };
  }
  if (code.length > maxTokenCharacters || !authorizationCode.test(code)) {
    return { reason: "code_invalid", what: "its code is not a code" };
  }
  return undefined;
}

/**
 * Reads an authorization response whose `state` was compared already.
 * @returns its code, which is then fit for the exchange.
 * @throws {OidcError} `callback_invalid` with a reason, `access_denied`, `authorization_failed`.
 * @see RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2.4
 */
export function readAuthorizationResponse(
  parameters: URLSearchParams,
  metadata: ProviderMetadata,
  context: Pick<RequestContext, "secretSent" | "secrets" | "requestedScopes">,
): string {
  const host = hostAndPort(metadata.authorizationEndpoint ?? metadata.issuer);
  const problem = problemOf(parameters, metadata);
  if (problem !== undefined) throw invalid(host, problem.reason, problem.what);
  const error = parameters.get("error");
  if (error === null) return parameters.get("code") ?? "";
  const description = parameters.get("error_description") ?? undefined;
  const refusal = {
    error: withoutSecrets(error, context.secrets),
    description: description && withoutSecrets(description, context.secrets),
  };
  const code = isRefusedByPerson(error) ? "access_denied" : "authorization_failed";
  const listedScopes = metadata.scopesSupported;
  throw refusalError(code, host, refusal, { ...context, step, listedScopes });
}
