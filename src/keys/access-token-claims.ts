// What an access token must say, as a check without side effects. Its signature has been judged before.

import { maxInstantSeconds } from "../core/limits.ts";
import { isAudience, isExpiry, isInstant } from "./claim-forms.ts";
import { maxSubjectCharacters } from "./id-token-claims.ts";

type Members = Readonly<Record<string, unknown>>;

/** What the claims must agree with. */
export interface ExpectedAccessToken {
  readonly issuer: string;
  /** One of these has to be among the token's audiences; none: any audience will do. */
  readonly audiences: readonly string[];
  /** Whether tokens are accepted that nothing marks as access tokens. */
  readonly acceptsUnmarked: boolean;
  readonly clockToleranceSeconds: number;
}

/** What is wrong with an access token; each is a reason of `invalid_token`. */
export type AccessTokenProblem =
  | "typ"
  | "issuer"
  | "audience"
  | "time"
  | "subject"
  | "not_an_access_token";

// RFC 7515 section 4.1.9: a type without a slash means one below "application/", in any case of letters.
const accessTokenTypes = ["at+jwt", "application/at+jwt"];
const usualTypes = ["jwt", "application/jwt"];

// Some providers say in the claim `typ`, others in `token_use`, what a token is for.
const otherKinds = ["id", "refresh", "offline", "logout"];

function lowerCase(value: unknown): string | undefined {
  return typeof value === "string" ? value.toLowerCase() : undefined;
}

/** True for what an ID token, a logout token or a refresh token says of itself. */
function isOtherKind(claims: Members): boolean {
  const { nonce, at_hash: tokenHash, c_hash: codeHash, s_hash: stateHash, events } = claims;
  if ([nonce, tokenHash, codeHash, stateHash, events].some((claim) => claim !== undefined)) {
    return true;
  }
  return [claims["typ"], claims["token_use"]].some((kind) =>
    otherKinds.includes(lowerCase(kind) ?? ""),
  );
}

function isMarked(claims: Members): boolean {
  const marks = ["scope", "scp", "client_id", "cid"];
  if (marks.some((claim) => claims[claim] !== undefined)) return true;
  return lowerCase(claims["token_use"]) === "access" || lowerCase(claims["typ"]) === "bearer";
}

/** @see RFC 9068 section 4, RFC 8725 sections 3.11 and 3.12 */
function kindProblem(
  header: Members,
  claims: Members,
  acceptsUnmarked: boolean,
): AccessTokenProblem | undefined {
  const { typ } = header;
  // As RFC 9068 section 2.1 writes it.
  if (typ === "at+jwt") return undefined;
  const type = typ === undefined ? "jwt" : lowerCase(typ);
  if (type !== undefined && accessTokenTypes.includes(type)) return undefined;
  if (type === undefined || !usualTypes.includes(type)) return "typ";
  if (isOtherKind(claims)) return "not_an_access_token";
  return acceptsUnmarked || isMarked(claims) ? undefined : "not_an_access_token";
}

function hasBegun(claim: unknown, now: number): boolean {
  return claim === undefined || (isInstant(claim) && claim <= now);
}

function isNow({ exp, nbf, iat }: Members, nowSeconds: number, tolerance: number): boolean {
  if (!isExpiry(exp) || exp > maxInstantSeconds || exp <= nowSeconds - tolerance) return false;
  return hasBegun(nbf, nowSeconds + tolerance) && hasBegun(iat, nowSeconds + tolerance);
}

function isFor(aud: unknown, audiences: readonly string[]): boolean {
  if (!isAudience(aud)) return false;
  if (typeof aud === "string") return audiences.includes(aud);
  return aud.some((audience) => audiences.includes(audience));
}

/**
 * What is wrong with an access token whose signature has been judged; undefined: nothing. Whether its sender has the key
 * that it is bound to (`cnf`) is another question.
 * @see RFC 9068 section 4, RFC 8725 section 3
 */
export function accessTokenProblem(
  header: Members,
  claims: Members,
  expected: ExpectedAccessToken,
  nowSeconds: number,
): AccessTokenProblem | undefined {
  const { issuer, audiences, acceptsUnmarked, clockToleranceSeconds: tolerance } = expected;
  if (claims["iss"] !== issuer) return "issuer";
  const kind = kindProblem(header, claims, acceptsUnmarked);
  if (kind !== undefined) return kind;
  const { aud, sub } = claims;
  if (audiences.length > 0 && !isFor(aud, audiences)) return "audience";
  if (!isNow(claims, nowSeconds, tolerance)) return "time";
  const isSubject = typeof sub === "string" && sub !== "" && sub.length <= maxSubjectCharacters;
  return isSubject ? undefined : "subject";
}
