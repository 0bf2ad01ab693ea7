// Providers that take no client authentication which Latchkey has.

import { isErrorOf, toldAs } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import type { ProviderMetadata } from "./provider-types.ts";

/** What the provider wants, and what to do. */
export interface Unsupported {
  readonly what: string;
  readonly remedy: string;
}

const supported: readonly string[] = ["none", "client_secret_basic", "client_secret_post"];

/**
 * What to tell where the provider lists neither a way to send a secret nor clients without one; undefined otherwise.
 * Metadata is often wrong about it, so it is no reason to refuse a sign-in.
 */
export function unsupportedAuthentication({
  issuer,
  tokenEndpointAuthenticationMethods: listed,
}: ProviderMetadata): Unsupported | undefined {
  if (listed === undefined || listed.length === 0) return undefined;
  if (listed.some((method) => supported.includes(method))) return undefined;
  const names = listed.slice(0, 5).filter((method) => /^[\w-]{1,60}$/.test(method));
  return {
    what: `${hostAndPort(issuer)} authenticates clients by ${names.join(" or ")} alone, which Latchkey does not support yet.`,
    remedy: "Ask its administrator for a client with a secret, or for a public one.",
  };
}

/** A refusal of the client, told as what it is where the provider takes no client of ours. */
export function explainRefusedClient(error: unknown, metadata: ProviderMetadata): unknown {
  const isOfClient =
    isErrorOf(error, "token_request_failed", "invalid_client") ||
    isErrorOf(error, "authorization_failed", "invalid_client");
  if (!isOfClient) return error;
  const unsupported = unsupportedAuthentication(metadata);
  return unsupported === undefined ? error : toldAs(error, unsupported.what, [unsupported.remedy]);
}
