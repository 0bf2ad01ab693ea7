// Asks a provider what a token is worth (RFC 7662).

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { loadPart } from "../core/load.ts";
import type { Secret } from "../core/secret.ts";
import type { HttpAnswer, HttpClient } from "../http/exchange.ts";
import { readAnswerObject } from "./answer-body.ts";
import {
  authenticatedRequest,
  secretsOf,
  withClientAuthentication,
  type ClientAuthenticationMethod,
  type ClientIdentity,
} from "./client-authentication.ts";
import { missesClient, reasonOf } from "./error-words-meaning.ts";
import type { ProviderRefusal } from "./refusal.ts";
import { successfulBody } from "./successful-answer.ts";

const step = "introspection";

/** What an introspection needs. */
export interface IntrospectionInput {
  readonly introspectionEndpoint: string;
  /** Who asks: the resource server, not the client that the token was issued to. */
  readonly client: ClientIdentity;
  readonly token: Secret;
}

/** What the provider says of a token, and by which method it let the resource server ask. */
export interface Introspection {
  /** Undefined: the token is not active. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly method: ClientAuthenticationMethod;
}

/** What is refused: the resource server itself, so that nothing is known of the token, or this kind of token. */
async function refusedIn(
  answer: HttpAnswer,
  method: ClientAuthenticationMethod,
): Promise<"client" | "kind" | undefined> {
  const { refusalIn } = await loadPart(() => import("./refusal.ts"));
  const body = readAnswerObject(answer);
  const refusal = body.ok ? refusalIn(body.value, []) : undefined;
  const isKind = refusal !== undefined && reasonOf(refusal.error) === "unsupported_token_type";
  if (answer.status === 400 && isKind) return "kind";
  return refusesClient(answer, method, refusal) ? "client" : undefined;
}

function refusesClient(
  answer: HttpAnswer,
  method: ClientAuthenticationMethod,
  refusal: ProviderRefusal | undefined,
): boolean {
  if (refusal !== undefined && reasonOf(refusal.error) === "invalid_client") return true;
  if (answer.status === 401) return true;
  const words = refusal?.description ?? "";
  return method === "client_secret_basic" && answer.status >= 400 && missesClient(words);
}

/**
 * What an answer says: the claims of an active token, undefined for any other.
 * @throws {OidcError} `token_request_failed` with reason `invalid_client` where it was not this client's to ask, and what
 * any answer throws that is not a success: nothing is known of the token then.
 * @see RFC 7662 sections 2.2 and 2.3
 */
export async function readIntrospection(
  answer: HttpAnswer,
  input: IntrospectionInput,
  method: ClientAuthenticationMethod,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const refused = answer.status === 200 ? undefined : await refusedIn(answer, method);
  // RFC 7662 section 2.2 has `"active": false` for what it does not know; one that asks nothing of its own JWTs says so by
  // the word of RFC 7009 section 2.2.1.
  if (refused === "kind") return undefined;
  if (refused === "client") {
    throw new OidcError(
      "token_request_failed",
      `${hostAndPort(answer.url)} does not take this server's client id and secret (introspection, status ${String(answer.status)}).`,
      {
        reason: "invalid_client",
        remedy: "Check `introspectionClientId` and `introspectionClientSecret`.",
      },
    );
  }
  const claims = await successfulBody(answer, {
    step,
    status: answer.status,
    secretSent: method !== "none",
    secrets: [input.token.reveal(), ...secretsOf(input.client)],
  });
  // The text "true" is not what section 2.2 has: "Boolean indicator of whether or not the presented token is
  // currently active".
  return claims["active"] === true ? claims : undefined;
}

/**
 * Asks about one token. Where the endpoint wants the secret in the other place than `method`, it gets it there, once.
 * @throws {OidcError} like {@link readIntrospection}, and what the transport throws.
 */
export async function introspect(
  http: HttpClient,
  input: IntrospectionInput,
  method: ClientAuthenticationMethod,
): Promise<Introspection> {
  const { introspectionEndpoint: url, client, token } = input;
  const asked = await withClientAuthentication(method, async (each) => {
    const parameters = new URLSearchParams({
      token: token.reveal(),
      token_type_hint: "access_token",
    });
    const request = { url, step, client, parameters, signal: undefined };
    const answer = await http.send(authenticatedRequest(request, each));
    return readIntrospection(answer, input, each);
  });
  return { claims: asked.result, method: asked.method };
}
