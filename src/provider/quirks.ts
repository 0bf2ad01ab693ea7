// What single providers do otherwise than the standards say, looked up by the issuer's host. The exceptions themselves
// stand in quirks/.

import { entra } from "./quirks/entra.ts";
import { google } from "./quirks/google.ts";
import { line } from "./quirks/line.ts";
import { linkedin } from "./quirks/linkedin.ts";
import type { ProviderQuirks } from "./quirks/provider-quirks.ts";

const none: ProviderQuirks = { issuerHosts: [] };
const known: readonly ProviderQuirks[] = [google, entra, line, linkedin];

/** The exceptions for an issuer; an empty set for most. */
export function quirksOf(issuer: string): ProviderQuirks {
  if (!URL.canParse(issuer)) return none;
  const { protocol, host } = new URL(issuer);
  if (protocol !== "https:") return none;
  return known.find(({ issuerHosts }) => issuerHosts.includes(host)) ?? none;
}

/** The issuer with its many-tenants segment replaced, or undefined where it has none. */
function withTenant(issuer: string, tenant: string): string | undefined {
  const { multiTenantIssuer } = quirksOf(issuer);
  if (multiTenantIssuer === undefined) return undefined;
  const parts = issuer.split("/");
  const segment = parts[3];
  if (segment === undefined || !multiTenantIssuer.segments.includes(segment)) return undefined;
  return [...parts.slice(0, 3), tenant, ...parts.slice(4)].join("/");
}

/** True where a provider's document may name `discovered` though `configured` was asked for. */
export function acceptsDiscoveredIssuer(configured: string, discovered: string): boolean {
  const placeholder = quirksOf(configured).multiTenantIssuer?.placeholder;
  return placeholder !== undefined && withTenant(configured, placeholder) === discovered;
}

/** The issuer whose document would name it, where the configured one is known to lack its ending. */
export function issuerWithEnding(issuer: string): string | undefined {
  const { issuerEnding } = quirksOf(issuer);
  const start = issuer.replace(/\/$/, "");
  const isMissing = issuerEnding !== undefined && !start.endsWith(issuerEnding);
  return isMissing ? `${start}${issuerEnding}` : undefined;
}

/** The `iss` that an ID token of this issuer must have, given its (verified) claims. */
export function expectedIdTokenIssuer(
  issuer: string,
  claims: Readonly<Record<string, unknown>>,
): string {
  const rule = quirksOf(issuer).multiTenantIssuer;
  const tenant = rule === undefined ? undefined : claims[rule.claim];
  if (rule === undefined || typeof tenant !== "string" || !rule.pattern.test(tenant)) return issuer;
  return withTenant(issuer, tenant) ?? issuer;
}
