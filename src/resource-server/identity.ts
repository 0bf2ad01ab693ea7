// Makes an identity of the claims of a verified token, and refuses one that would be nobody's.

import { isAudience } from "../keys/claim-forms.ts";
import type { Identity } from "./resource-server-types.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Which claims make an identity. */
export interface IdentityRules {
  readonly issuer: string;
  readonly usernameClaim: string;
  readonly groupsClaim: string | undefined;
  readonly groupLabels: ReadonlyMap<string, readonly string[]>;
}

/** An identity, or which part of it cannot be had. */
export type MadeIdentity = { readonly identity: Identity } | { readonly problem: IdentityProblem };
export type IdentityProblem = "username" | "groups" | "scope";

/** A claim of exactly that name, else the member that a path with dots leads to. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Claims)[name];
  }
  return value;
}

function usernameIn(claims: Claims, claim: string): string | undefined {
  const value = claimAt(claims, claim);
  if (typeof value !== "string" || value.trim() === "") return undefined;
  // At some providers anybody can enter any address.
  if (claim === "email" && ![true, "true"].includes(claims["email_verified"] as boolean | string)) {
    return undefined;
  }
  return value;
}

function groupsIn(claims: Claims, claim: string | undefined): readonly string[] | undefined {
  const value = claim === undefined ? undefined : claimAt(claims, claim);
  if (value === undefined || value === null) return [];
  if (!isAudience(value)) return undefined;
  const groups = [value].flat();
  return groups.includes("") ? undefined : [...new Set(groups)];
}

/** RFC 9068 section 2.2.3 has `scope` as one text; some providers have lists, or call it `scp`. */
function scopesIn({ scope, scp }: Claims): readonly string[] | undefined {
  const value = scope ?? scp ?? [];
  if (!isAudience(value)) return undefined;
  return [...new Set([value].flat().flatMap((text) => text.split(" ")))].filter(
    (each) => each !== "",
  );
}

/** The identity of verified claims. */
export function identityOf(claims: Claims, rules: IdentityRules): MadeIdentity {
  const username = usernameIn(claims, rules.usernameClaim);
  if (username === undefined) return { problem: "username" };
  const groups = groupsIn(claims, rules.groupsClaim);
  if (groups === undefined) return { problem: "groups" };
  const scopes = scopesIn(claims);
  if (scopes === undefined) return { problem: "scope" };
  const labels =
    rules.groupLabels.size === 0
      ? []
      : [...new Set(groups.flatMap((group) => rules.groupLabels.get(group) ?? []))];
  return {
    identity: {
      subject: String(claims["sub"]),
      username,
      groups,
      labels,
      scopes,
      issuer: rules.issuer,
      expiresAt: new Date(Number(claims["exp"]) * 1000),
      claims,
    },
  };
}
