// `createFetch`: a `fetch` that signs in.

import { OidcError } from "../core/errors.ts";
import type { Credential } from "../core/types.ts";
import { resolveOptions } from "../options/resolve.ts";
import { fetchOf, fetchOfResource } from "./credential-fetch.ts";
import { OidcAuth, type OidcAuthOptions } from "./oidc-auth.ts";

function isCredential(value: object): value is Credential {
  return typeof (value as Partial<Credential>).getToken === "function";
}

/** Whether the resource is to say which provider issues its tokens. */
function isNamedByResource({ issuer = "", server }: OidcAuthOptions): boolean {
  return server === undefined
    ? issuer === ""
    : typeof server === "string" && /^https?:/i.test(server);
}

/**
 * A `fetch` that signs in: as the standard one, with a token that is valid now in `Authorization`.
 *
 * The token goes to one origin alone: that of the credential's `server`, else that of the first request, which has to
 * be `https:` (`http:` on loopback). A request to another origin is sent without it, and so is what a redirect to
 * another origin asks for. A request that has an `Authorization` of its own is left alone.
 *
 * A 401 renews the token once, `insufficient_user_authentication` has the person sign in as the server wants (RFC
 * 9470), a 403 `insufficient_scope` asks for the scopes that the server names in addition (RFC 6750 section 3.1); then
 * the request is sent again. A body that cannot be read twice (a stream, that of a `Request`) is never sent twice:
 * there the answer is the caller's, and the next request has the better token.
 *
 * Without an argument, and with options that have no `issuer`, or an https `server`, the resource says which provider
 * issues its tokens: a request is sent without a token until a 401 leads there by its `resource_metadata` and `scope`,
 * else by the well-known places (RFC 9728). Then the rules of MCP authorization count, and this is the whole
 * authorization of an MCP client: its order of discovery, `resource` as it is published, the scopes that the server
 * names or else none, PKCE that the provider lists, and metadata that are read anew once a renewed token is refused.
 * Whether the server's word counts decides `trustServer`.
 *
 * Requests go through what is `globalThis.fetch` when this is called.
 * @param auth a credential, or options of {@link OidcAuth}. Default: no options.
 * @throws {OidcError} `invalid_option`, `insecure_url`. The function that it gives rejects with `insecure_url`, the
 * codes of {@link Credential.getToken}, the signal's reason, and what `globalThis.fetch` throws; where the resource
 * names the provider also with `server_config_failed`, `resource_mismatch`, `issuer_mismatch`, `issuer_untrusted`,
 * `server_config_changed`.
 */
export function createFetch(auth: Credential | OidcAuthOptions = {}): typeof globalThis.fetch {
  if (typeof auth !== "object" || auth === null) {
    throw new OidcError(
      "invalid_option",
      "`createFetch` takes a credential, or options of `OidcAuth`.",
    );
  }
  if (isCredential(auth)) return fetchOf(auth);
  return isNamedByResource(auth)
    ? fetchOfResource(resolveOptions(auth, "interactive"))
    : fetchOf(new OidcAuth(auth));
}
