// Where a person ends the provider's session in their browser. Changes when what is sent there does.

import type { SessionRecord } from "../record/format.ts";

/**
 * The provider's logout page for a sign-in that was made with an ID token, as it may be shown; undefined where there is
 * none.
 *
 * OpenID Connect RP-Initiated Logout 1.0 section 2 recommends `id_token_hint`, and it is left out on purpose: what is
 * shown is copied and stays in logs, and an ID token in it names the person and is taken for a credential by careless
 * servers. Without it the provider "MUST ask the End-User whether to log out of the OP"; some answer with an error.
 */
export function logoutUrlOf(
  record: Pick<SessionRecord, "endSessionEndpoint" | "clientId" | "idToken">,
): string | undefined {
  const { endSessionEndpoint, clientId, idToken } = record;
  if (endSessionEndpoint === undefined || idToken === undefined) return undefined;
  if (!URL.canParse(endSessionEndpoint)) return undefined;
  const url = new URL(endSessionEndpoint);
  // It was checked when it was found; the cache file that it comes from is believed no further.
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  if (url.username !== "" || url.password !== "") return undefined;
  url.searchParams.set("client_id", clientId);
  return url.href;
}

/**
 * The same page as it may be opened in the person's browser, and nowhere else. No `post_logout_redirect_uri`: providers
 * take registered ones alone, and no option names one.
 */
export function withIdTokenHint(logoutUrl: string, idToken: string): string {
  const url = new URL(logoutUrl);
  url.searchParams.set("id_token_hint", idToken);
  return url.href;
}
