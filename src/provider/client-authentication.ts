// How the client proves itself to the provider: by which method, and how that stands in a request.

import { decisionsOf, isErrorOf } from "../core/errors.ts";
import { loadPart } from "../core/load.ts";
import type { Secret } from "../core/secret.ts";
import type { HttpRequest } from "../http/exchange.ts";

/** How the client proves itself at the token endpoint. */
export type ClientAuthenticationMethod = "none" | "client_secret_basic" | "client_secret_post";

/** Who asks. */
export interface ClientIdentity {
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  /** How the provider took the secret at an earlier sign-in, whatever its metadata says. */
  readonly knownMethod?: ClientAuthenticationMethod | undefined;
}

/** An empty secret proves nothing: it is there for providers that want the field, whatever is in it. */
function proves(clientSecret: Secret | undefined): boolean {
  return clientSecret !== undefined && clientSecret.reveal() !== "";
}

/**
 * The one method that is used: none without a secret; the one that has worked before; else Basic, which every server with
 * passwords must support (RFC 6749 section 2.3.1), unless the provider lists the request body and not Basic.
 */
export function chooseAuthenticationMethod(
  listed: readonly string[] | undefined,
  { clientSecret, knownMethod }: Omit<ClientIdentity, "clientId">,
): ClientAuthenticationMethod {
  if (!proves(clientSecret)) return "none";
  if (knownMethod !== undefined && knownMethod !== "none") return knownMethod;
  const basicIsListed = listed === undefined || listed.includes("client_secret_basic");
  return !basicIsListed && listed.includes("client_secret_post")
    ? "client_secret_post"
    : "client_secret_basic";
}

/** The method that a sign-in was made with, fitted to a secret that was set or removed since. */
export function fittingMethod(
  recorded: ClientAuthenticationMethod,
  clientSecret: Secret | undefined,
): ClientAuthenticationMethod {
  if (!proves(clientSecret)) return "none";
  return recorded === "none" ? "client_secret_basic" : recorded;
}

function refusesClient(error: unknown): boolean {
  return (
    isErrorOf(error, "token_request_failed", "invalid_client") ||
    isErrorOf(error, "authorization_failed", "invalid_client")
  );
}

/** True where a provider does not look into the header and says that no client was named. */
async function isUnseen(error: unknown, method: ClientAuthenticationMethod): Promise<boolean> {
  if (method !== "client_secret_basic") return false;
  if (!isErrorOf(error, "token_request_failed") && !isErrorOf(error, "authorization_failed")) {
    return false;
  }
  const { missesClient } = await loadPart(() => import("./error-words-meaning.ts"));
  return missesClient(error.providerErrorDescription ?? "");
}

/**
 * Makes a request with one method of client authentication and, where the provider answers exactly `invalid_client` (or what a
 * provider documents as its own word for that) or says that it saw no client, once more with the other one that sends the
 * secret: metadata is often silent or wrong about the method. Nothing is used up by the first request, because a client
 * that is not authenticated gets no further (RFC 6749 section 5.2). Any other refusal, `unauthorized_client` too, is final.
 * Against that section one provider uses up the code all the same (observed): a code that is refused at the second try
 * was good at the first, so the first error stands.
 * @returns what the request gave, and the method that the provider took.
 */
export async function withClientAuthentication<Result>(
  method: ClientAuthenticationMethod,
  request: (method: ClientAuthenticationMethod) => Promise<Result>,
  grantType?: string,
): Promise<{ readonly result: Result; readonly method: ClientAuthenticationMethod }> {
  try {
    return { result: await request(method), method };
  } catch (first) {
    const unseen = await isUnseen(first, method);
    if (method === "none" || !(unseen || refusesClient(first))) throw first;
    const other = method === "client_secret_basic" ? "client_secret_post" : "client_secret_basic";
    try {
      return { result: await request(other), method: other };
    } catch (second) {
      if (unseen) throw second;
      const isUsedUp =
        isErrorOf(second, "token_request_failed", "invalid_grant") && grantType !== "refresh_token";
      // Where the provider has no more use for the client than at the first try, the first error says it better.
      throw isUsedUp || decisionsOf(second)?.refuses === "client" ? first : second;
    }
  }
}

/**
 * The WHATWG form of `application/x-www-form-urlencoded`. To escape `-`, `_` and `.` too would be right by the letter, but
 * servers that forget to decode then refuse a client whose id has a dash in it.
 * https://github.com/panva/oauth4webapi/issues/148, https://github.com/panva/oauth4webapi/issues/199
 */
function formEncode(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

/**
 * What stands behind `Basic` in the header. RFC 6749 section 2.3.1: id and secret are form-encoded first, so that
 * neither can contain the colon.
 */
export function basicCredentials(clientId: string, secret: string): string {
  return Buffer.from(`${formEncode(clientId)}:${formEncode(secret)}`, "ascii").toString("base64");
}

/** What a request of this client must not get back in an error. */
export function secretsOf({ clientId, clientSecret }: ClientIdentity): readonly string[] {
  const secret = clientSecret?.reveal() ?? "";
  return [secret, basicCredentials(clientId, secret)];
}

/** A form that a client sends, before it is known how it proves itself. */
export interface ClientRequest {
  readonly url: string;
  /** The operation's name in messages. */
  readonly step: string;
  readonly client: ClientIdentity;
  readonly parameters: URLSearchParams;
  readonly signal: AbortSignal | undefined;
}

/** The request, with the client's identity in it by exactly one method, never in the URL. */
export function authenticatedRequest(
  { url, step, client, parameters, signal }: ClientRequest,
  method: ClientAuthenticationMethod,
): HttpRequest {
  const { clientId, clientSecret } = client;
  const secret = clientSecret?.reveal();
  const form = new URLSearchParams(parameters);
  const request = { method: "POST", url, step, form, signal } as const;
  if (method === "client_secret_basic" && secret !== undefined) {
    const authorization = `Basic ${basicCredentials(clientId, secret)}`;
    return { ...request, headers: { authorization } };
  }
  form.set("client_id", clientId);
  // The reference page of the option: "Some providers require this field to be present".
  if (secret === "" || (method === "client_secret_post" && secret !== undefined)) {
    form.set("client_secret", secret);
  }
  return request;
}
