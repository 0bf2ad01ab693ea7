// How the client proves itself to the provider. Changes when another method of client authentication is supported.

import type { ClientAuth } from "oauth4webapi";
import type { Secret } from "../core/secret.ts";

/** How the client proves itself at the token endpoint. */
export type ClientAuthenticationMethod = "none" | "client_secret_basic" | "client_secret_post";

/** Who asks. */
export interface ClientIdentity {
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
}

/**
 * The one method that is used: none without a secret; else Basic, which every server with passwords must support (RFC
 * 6749 section 2.3.1), unless the provider lists the request body and not Basic.
 */
export function chooseAuthenticationMethod(
  listed: readonly string[] | undefined,
  clientSecret: Secret | undefined,
): ClientAuthenticationMethod {
  if (clientSecret === undefined) return "none";
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
  if (clientSecret === undefined) return "none";
  return recorded === "none" ? "client_secret_basic" : recorded;
}

/**
 * The WHATWG form of `application/x-www-form-urlencoded`. oauth4webapi's own helper escapes `-`, `_` and `.` too: right
 * by the letter, but servers that forget to decode then refuse a client whose id has a dash in it.
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

/** Puts the client's identity into a request, by exactly one method, never in the URL. */
export function authenticateClient(
  method: ClientAuthenticationMethod,
  client: ClientIdentity,
): ClientAuth {
  return (_server, { client_id: clientId }, body, headers) => {
    const secret = client.clientSecret?.reveal();
    if (method === "client_secret_basic" && secret !== undefined) {
      headers.set("authorization", `Basic ${basicCredentials(clientId, secret)}`);
      return;
    }
    body.set("client_id", clientId);
    if (method === "client_secret_post" && secret !== undefined) body.set("client_secret", secret);
  };
}
