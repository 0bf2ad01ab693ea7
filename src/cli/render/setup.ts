// What `latchkey setup` says: what a provider offers, which redirect URI to register, and what was written.

import { sanitizeProviderText } from "../../core/errors.ts";
import { planRedirect } from "../../flow/redirect.ts";
import type { ResolvedOptions } from "../../options/types.ts";
import type { ProviderMetadata } from "../../provider/provider-types.ts";
import type { EditedProfile } from "../profile-edit.ts";
import { wrap } from "../../interaction/layout.ts";
import { pairs } from "./layout.ts";
import { issuerHost } from "./texts.ts";

function yesOrNo(isOffered: boolean): string {
  return isOffered ? "yes" : "no";
}

function browserSignIn({ authorizationEndpoint, codeChallengeMethods }: ProviderMetadata): string {
  if (authorizationEndpoint === undefined) return "no";
  return codeChallengeMethods?.includes("S256") === true
    ? "yes, with PKCE (S256)"
    : "yes; PKCE with S256 is not listed, and is sent all the same";
}

function refreshTokens({ scopesSupported, grantTypes }: ProviderMetadata): string {
  if (scopesSupported?.includes("offline_access") === true) return "with --offline-access";
  if (grantTypes === undefined) return "not said";
  return yesOrNo(grantTypes.includes("refresh_token"));
}

/** What the provider offers, by its metadata. */
export function offersText(metadata: ProviderMetadata, columns: number): string {
  const rows = pairs(
    [
      ["sign-in in a browser", browserSignIn(metadata)],
      ["device code", yesOrNo(metadata.deviceAuthorizationEndpoint !== undefined)],
      ["refresh tokens", refreshTokens(metadata)],
      ["user information", yesOrNo(metadata.userinfoEndpoint !== undefined)],
      ["revoking tokens", yesOrNo(metadata.revocationEndpoint !== undefined)],
      ["ending the browser's session", yesOrNo(metadata.endSessionEndpoint !== undefined)],
    ],
    columns,
    2,
  );
  return `${issuerHost(metadata.issuer)} offers:\n\n${rows}`;
}

/** The redirect URIs that a client needs for these options; each alone on its line. */
export function redirectText(options: ResolvedOptions, columns: number): string {
  const plan = planRedirect(options);
  const host = plan.host.includes(":") ? `[${plan.host}]` : plan.host;
  const addresses = plan.ports.map((port) =>
    plan.redirectUri(port === 0 ? `${host}:PORT` : `${host}:${String(port)}`),
  );
  const unique = [...new Set(addresses)].slice(0, 20);
  const anyPort = plan.ports.includes(0) && options.redirectUri === undefined;
  const client =
    options.clientId === ""
      ? "the client that the server names"
      : `client ${sanitizeProviderText(options.clientId, 100)}`;
  const what = unique.length === 1 ? "this redirect URI" : "these redirect URIs";
  return [
    wrap(`At the provider, ${client} needs ${what}, exactly as it stands here:`, columns),
    unique.join("\n"),
    ...(anyPort ? [wrap("PORT is any free port (RFC 8252 section 7.3).", columns)] : []),
  ].join("\n\n");
}

const done: Readonly<Record<EditedProfile["before"], string>> = {
  absent: "Written to",
  different: "Replaced in",
  same: "Stands already in",
};

/** What was written, and where. */
export function savedText(
  plan: Pick<EditedProfile, "before" | "table"> & { path: string },
): string {
  return `${done[plan.before]} ${plan.path}:\n\n${plan.table}`;
}
