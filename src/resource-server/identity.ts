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

/** Each text once; the same list where it has none twice. */
function distinct(texts: readonly string[]): readonly string[] {
  const set = new Set(texts);
  return set.size === texts.length ? texts : [...set];
}

const none: readonly string[] = Object.freeze([]);

function groupsIn(claims: Claims, claim: string | undefined): readonly string[] | undefined {
  const value = claim === undefined ? undefined : claimAt(claims, claim);
  if (value === undefined || value === null) return none;
  if (!isAudience(value)) return undefined;
  const groups = typeof value === "string" ? [value] : value;
  return groups.includes("") ? undefined : distinct(groups);
}

/** RFC 9068 section 2.2.3 has `scope` as one text; some providers have lists, or call it `scp`. */
function scopesIn({ scope, scp }: Claims): readonly string[] | undefined {
  const value = scope ?? scp ?? none;
  if (!isAudience(value)) return undefined;
  const scopes =
    typeof value === "string" ? value.split(" ") : value.flatMap((text) => text.split(" "));
  return distinct(scopes.includes("") ? scopes.filter((each) => each !== "") : scopes);
}

function labelsOf(
  groups: readonly string[],
  labels: IdentityRules["groupLabels"],
): readonly string[] {
  if (labels.size === 0) return none;
  return distinct(groups.flatMap((group) => labels.get(group) ?? []));
}

/** The identity of verified claims. */
export function identityOf(claims: Claims, rules: IdentityRules): MadeIdentity {
  const username = usernameIn(claims, rules.usernameClaim);
  if (username === undefined) return { problem: "username" };
  const groups = groupsIn(claims, rules.groupsClaim);
  if (groups === undefined) return { problem: "groups" };
  const scopes = scopesIn(claims);
  if (scopes === undefined) return { problem: "scope" };
  return {
    identity: {
      subject: String(claims["sub"]),
      username,
      groups,
      labels: labelsOf(groups, rules.groupLabels),
      scopes,
      issuer: rules.issuer,
      expiresAt: new Date(Number(claims["exp"]) * 1000),
      claims,
    },
  };
}
