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

function isBlank(text: string): boolean {
  const first = text.charCodeAt(0);
  // Most begin with a character that is seen, and need no closer look.
  return !(first > 0x20 && first < 0x7f) && text.trim() === "";
}

function usernameIn(claims: Claims, claim: string): string | undefined {
  const value = claimAt(claims, claim);
  if (typeof value !== "string" || isBlank(value)) return undefined;
  // At some providers anybody can enter any address.
  if (claim === "email" && ![true, "true"].includes(claims["email_verified"] as boolean | string)) {
    return undefined;
  }
  return value;
}

/** So many are compared with each other: to make a set takes longer. */
const few = 16;

function isDistinct(texts: readonly string[]): boolean {
  if (texts.length > few) return new Set(texts).size === texts.length;
  for (let index = 1; index < texts.length; index += 1) {
    if (texts.indexOf(texts[index] ?? "") < index) return false;
  }
  return true;
}

/** Each text once; the same list where it has none twice. */
function distinct(texts: readonly string[]): readonly string[] {
  return isDistinct(texts) ? texts : [...new Set(texts)];
}

const none: readonly string[] = Object.freeze([]);

function groupsIn(claims: Claims, claim: string | undefined): readonly string[] | undefined {
  const value = claim === undefined ? undefined : claimAt(claims, claim);
  if (value === undefined || value === null) return none;
  if (!isAudience(value)) return undefined;
  const groups = typeof value === "string" ? [value] : value;
  return groups.includes("") ? undefined : distinct(groups);
}

/** What stands between spaces. `split` takes twice as long. */
function wordsOf(text: string): readonly string[] {
  const words: string[] = [];
  for (let start = 0; start < text.length;) {
    const space = text.indexOf(" ", start);
    const end = space === -1 ? text.length : space;
    if (end > start) words.push(text.slice(start, end));
    start = end + 1;
  }
  return words;
}

/** RFC 9068 section 2.2.3 has `scope` as one text; some providers have lists, or call it `scp`. */
function scopesIn({ scope, scp }: Claims): readonly string[] | undefined {
  const value = scope ?? scp ?? none;
  if (!isAudience(value)) return undefined;
  return distinct(typeof value === "string" ? wordsOf(value) : value.flatMap(wordsOf));
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
