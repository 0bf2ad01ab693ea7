// What a token request gives: the answer's members, validated and bounded.

import { isBearerToken } from "../core/bearer-token.ts";
import { loadPart } from "../core/load.ts";
import { maxLifetimeSeconds, maxTokenCharacters } from "../core/limits.ts";
import type { IdTokenClaims } from "../core/types.ts";
import type { Warn } from "../core/warning.ts";
import type { ClientAuthenticationMethod } from "./client-authentication.ts";
import type { TokenAnswerProblem } from "./token-answer-words.ts";

/** New tokens, and what is needed to use and renew them. Instants are seconds since the epoch. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly tokenType: "Bearer";
  /** As granted; as requested where the provider did not say. */
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  /** Null where the provider did not say. */
  readonly expiresAt: number | null;
  /** After a refresh that gave none: the old one. */
  readonly refreshToken?: string;
  readonly idToken?: string;
  readonly claims?: IdTokenClaims;
  /** Only with an ID token. False: the provider has no known keys, only the claims were checked. */
  readonly signatureVerified?: boolean;
  readonly authenticationMethod: ClientAuthenticationMethod;
  readonly tokenEndpoint: string;
  readonly userinfoEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly endSessionEndpoint?: string;
  readonly issuer: string;
  /** Digest of the roots that vouched for the discovery document which named the endpoints. */
  readonly trustedRoots?: string;
}

/** The members of a token endpoint's answer, before the ID token is looked into. */
export interface TokenMembers {
  readonly accessToken: string;
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
}

/** What the members are read against. */
export interface TokenRequestFacts {
  readonly host: string;
  readonly requestedScopes: readonly string[];
  /** Seconds since the epoch at which the request was sent: a lifetime counts from there, never too long. */
  readonly sentAt: number;
  readonly grantType: string;
  /** What must not come back in an error. */
  readonly secrets: readonly (string | undefined)[];
  readonly onWarning: Warn;
}

// RFC 6749 appendices A.12 and A.17: VSCHAR.
const visible = /^[\x20-\x7e]+$/;
// RFC 6749 section 3.3: scope-token.
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Thrown and caught in this file alone. */
class UnusableMember extends Error {
  readonly problem: TokenAnswerProblem;

  constructor(problem: TokenAnswerProblem) {
    super("a member cannot be used");
    this.problem = problem;
  }
}

function unusable(
  member: TokenAnswerProblem["member"],
  fault: TokenAnswerProblem["fault"],
): UnusableMember {
  return new UnusableMember({ member, fault });
}

// What providers call it, in lower case. The second:
// https://cloud.google.com/apigee/docs/api-platform/security/oauth/access-tokens
const bearerWords: ReadonlySet<string> = new Set(["bearer", "bearertoken"]);

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function parseAccessToken(
  body: Readonly<Record<string, unknown>>,
  { host, grantType, onWarning }: TokenRequestFacts,
): string {
  const { access_token: accessToken, token_type: tokenType } = body;
  if (isAbsent(accessToken)) throw unusable("access_token", "absent");
  if (!isBearerToken(accessToken)) {
    const isLong = typeof accessToken === "string" && accessToken.length > maxTokenCharacters;
    throw unusable("access_token", isLong ? "length" : "characters");
  }
  if (isAbsent(tokenType)) {
    // RFC 6749 section 5.1 requires it, and not every provider has it (https://github.com/panva/openid-client/issues/826).
    // No other type is ever asked for. A renewal says nothing new.
    if (grantType !== "refresh_token") {
      onWarning(
        "token_response_odd",
        `${host} answered without a token type (token request); the access token is taken for a bearer token.`,
      );
    }
    return accessToken;
  }
  // RFC 6749 section 7.1: "The client MUST NOT use an access token if it does not understand the token type."
  if (typeof tokenType !== "string" || !bearerWords.has(tokenType.toLowerCase())) {
    throw new UnusableMember({ member: "token_type", fault: "foreign", tokenType });
  }
  return accessToken;
}

/** RFC 6749 section 5.1, and providers that send a numeric string. Null: unknown. */
function parseLifetime(value: unknown, facts: TokenRequestFacts): number | null {
  if (value === undefined || value === null) return null;
  const text = typeof value === "string" ? value.trim() : "";
  const seconds = typeof value === "number" || text === "" ? value : Number(text);
  if (typeof seconds !== "number" || Number.isNaN(seconds)) {
    facts.onWarning(
      "token_response_odd",
      `${facts.host} sent an expires_in that is no number (token request); the token's lifetime is unknown.`,
    );
    return null;
  }
  return Math.min(Math.max(Math.floor(seconds), 0), maxLifetimeSeconds);
}

/**
 * RFC 6749 section 3.3 separates scopes by spaces; a large provider answers with commas, which are also allowed inside a
 * scope: they separate only where no scope that was asked for has one.
 */
function separatorOf(value: string, requested: readonly string[]): string {
  const byCommas =
    value.includes(",") && !value.includes(" ") && !requested.some((scope) => scope.includes(","));
  return byCommas ? "," : " ";
}

function parseScopes(value: unknown, facts: TokenRequestFacts): readonly string[] {
  // RFC 6749 section 5.1: optional "if identical to the scope requested by the client".
  if (value === undefined || value === null) return facts.requestedScopes;
  const scopes = Array.isArray(value)
    ? value
    : typeof value === "string"
      ? value.split(separatorOf(value, facts.requestedScopes))
      : [false];
  const named = scopes.filter((scope) => scope !== "");
  const total = named.reduce<number>((sum, scope) => sum + String(scope).length, 0);
  if (total > maxTokenCharacters) throw unusable("scope", "length");
  const usable = named.every(
    (scope): scope is string => typeof scope === "string" && scopeToken.test(scope),
  );
  if (!usable) throw unusable("scope", "kind");
  return [...new Set(named)];
}

/** An optional token: absent, null and empty are the same. */
function parseOptionalToken(
  value: unknown,
  member: "refresh_token" | "id_token",
): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== "string") throw unusable(member, "kind");
  if (value.length > maxTokenCharacters) throw unusable(member, "length");
  if (!visible.test(value)) throw unusable(member, "characters");
  return value;
}

function membersOf(
  body: Readonly<Record<string, unknown>>,
  facts: TokenRequestFacts,
): TokenMembers {
  const { sentAt } = facts;
  const lifetime = parseLifetime(body["expires_in"], facts);
  return {
    accessToken: parseAccessToken(body, facts),
    scopes: parseScopes(body["scope"], facts),
    issuedAt: sentAt,
    expiresAt: lifetime === null ? null : sentAt + lifetime,
    refreshToken: parseOptionalToken(body["refresh_token"], "refresh_token"),
    idToken: parseOptionalToken(body["id_token"], "id_token"),
  };
}

/** The members of a successful answer, or what is wrong with one. The access token itself is never looked into. */
export function readTokenMembers(
  body: Readonly<Record<string, unknown>>,
  facts: TokenRequestFacts,
): { readonly members: TokenMembers } | { readonly problem: TokenAnswerProblem } {
  try {
    return { members: membersOf(body, facts) };
  } catch (error) {
    if (error instanceof UnusableMember) return { problem: error.problem };
    throw error;
  }
}

/**
 * The members of a token endpoint's successful answer.
 * @throws {OidcError} `token_response_invalid`, the member's name as `reason`.
 * @see RFC 6749 section 5.1
 */
export async function parseTokenMembers(
  body: Readonly<Record<string, unknown>>,
  facts: TokenRequestFacts,
): Promise<TokenMembers> {
  const read = readTokenMembers(body, facts);
  if ("members" in read) return read.members;
  const { tokenAnswerError } = await loadPart(() => import("./token-answer-words.ts"));
  throw tokenAnswerError(read.problem, facts);
}
