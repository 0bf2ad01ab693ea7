// Pushed authorization requests: the parameters go to the provider first, the browser carries a reference to them.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import type { HttpAnswer, HttpRequest } from "../http/exchange.ts";
import { readJsonObject } from "../http/json-body.ts";
import {
  authenticatedRequest,
  chooseAuthenticationMethod,
  secretsOf,
  withClientAuthentication,
} from "./client-authentication.ts";
import type {
  ClientAuthenticationMethod,
  ClientIdentity,
  ClientRequest,
} from "./client-authentication.ts";
import type { Provider, ProviderMetadata, ProviderWorld } from "./provider-types.ts";
import {
  reasonInOwnWords,
  refusalError,
  isServerError,
  refusalIn,
  serverFailure,
} from "./refusal.ts";
import type { RequestContext } from "./refusal.ts";

const step = "pushed authorization request";

// RFC 9126 section 2.2 leaves the form to the provider; longer ones than this do not fit into a URL with the rest.
const maxRequestUriCharacters = 2000;
// RFC 3986 section 2: a URI has no space and nothing beyond ASCII.
const uri = /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/;

/** What the browser is sent with in place of the parameters. */
export interface PushedAuthorization {
  readonly requestUri: string;
  /** As the provider accepted it here; the token request does the same. */
  readonly authenticationMethod: ClientAuthenticationMethod;
}

/** @throws {OidcError} `authorization_failed` (reason `par_required`). */
function endpointOf({ issuer, pushedAuthorizationEndpoint }: ProviderMetadata): string {
  if (pushedAuthorizationEndpoint !== undefined) return pushedAuthorizationEndpoint;
  throw new OidcError(
    "authorization_failed",
    `${hostAndPort(issuer)} accepts pushed authorization requests alone (RFC 9126), but names no endpoint for them (discovery).`,
    {
      reason: "par_required",
      remedy: "Ask its administrator to name one, or to lift that for this client.",
    },
  );
}

/** RFC 9126 section 2.2: status 201, `request_uri` and a positive `expires_in`. */
function requestUriOf(
  status: number,
  body: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const { request_uri: requestUri, expires_in: expiresIn } = body ?? {};
  const isUsable =
    status === 201 &&
    typeof requestUri === "string" &&
    requestUri.length <= maxRequestUriCharacters &&
    uri.test(requestUri) &&
    typeof expiresIn === "number" &&
    expiresIn > 0;
  return isUsable ? requestUri : undefined;
}

/** The request. RFC 9126 section 2.1: all parameters of the authorization request, `client_id` always among them. */
export function pushedAuthorizationRequest(
  { url, client, parameters, signal }: Omit<ClientRequest, "step">,
  method: ClientAuthenticationMethod,
): HttpRequest {
  const form = new URLSearchParams(parameters);
  form.set("client_id", client.clientId);
  return authenticatedRequest({ url, step, client, parameters: form, signal }, method);
}

/**
 * The `request_uri` in an answer.
 * @throws {OidcError} `authorization_failed` with a reason, `network` where the server failed.
 */
export function readPushedAuthorization(
  answer: HttpAnswer,
  context: Omit<RequestContext, "step" | "status">,
): string {
  const { secrets } = context;
  const host = hostAndPort(answer.url);
  const body = readJsonObject(answer);
  const refusal = body.ok ? refusalIn(body.value, secrets) : undefined;
  const serverError =
    refusal !== undefined && isServerError(refusal.error) ? refusal.error : undefined;
  if (refusal !== undefined && serverError === undefined) {
    const { status } = answer;
    throw refusalError("authorization_failed", host, refusal, { ...context, step, status });
  }
  const ownWords = body.ok ? reasonInOwnWords(body.value, secrets) : undefined;
  if (serverError !== undefined || answer.status >= 500) {
    throw serverFailure(host, answer, step, {
      error: serverError,
      words: refusal?.description ?? ownWords,
    });
  }
  const requestUri = requestUriOf(answer.status, body.ok ? body.value : undefined);
  if (requestUri !== undefined) return requestUri;
  const what = body.ok ? `status ${answer.status}` : `status ${answer.status}, ${body.why}`;
  const how = ownWords === undefined ? " and did not say why" : "";
  throw new OidcError(
    "authorization_failed",
    `${host} did not take the request${how} (${step}: ${what}). No browser was opened.`,
    {
      reason: "par_response_invalid",
      remedy: "Ask the provider's administrator.",
      quote: ownWords,
      providerErrorDescription: ownWords,
    },
  );
}

/**
 * Sends the authorization request's parameters to the provider: one request, before any browser opens.
 * @throws {OidcError} `authorization_failed` (reasons `par_required`: the provider names no endpoint for it;
 * `par_response_invalid`; else the provider's error), and what the transport throws.
 * @see RFC 9126 section 2
 */
export async function pushAuthorizationRequest(
  world: ProviderWorld,
  provider: Provider,
  client: ClientIdentity,
  request: {
    readonly parameters: URLSearchParams;
    /** What must not come back in an error. */
    readonly secrets: readonly (string | undefined)[];
    readonly requestedScopes: readonly string[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<PushedAuthorization> {
  const { tokenEndpointAuthenticationMethods: listed, scopesSupported } = provider.metadata;
  const url = endpointOf(provider.metadata);
  const { parameters, requestedScopes, signal } = request;
  const { result, method } = await withClientAuthentication(
    chooseAuthenticationMethod(listed, client),
    async (each) => {
      const sent = pushedAuthorizationRequest({ url, client, parameters, signal }, each);
      return readPushedAuthorization(await world.http.send(sent), {
        secretSent: each !== "none",
        secrets: [...secretsOf(client), ...request.secrets],
        requestedScopes,
        listedScopes: scopesSupported,
      });
    },
  );
  return { requestUri: result, authenticationMethod: method };
}
