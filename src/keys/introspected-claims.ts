// What a provider's answer about an active token must say, as a check without side effects (RFC 7662 section 2.2).

import type { AccessTokenProblem, ExpectedAccessToken } from "./access-token-claims.ts";
import { isAudience, isExpiry, isInstant } from "./claim-forms.ts";
import { maxInstantSeconds } from "../core/limits.ts";
import { maxSubjectCharacters } from "./id-token-claims.ts";

type Members = Readonly<Record<string, unknown>>;

/** What the answer must agree with. */
export interface ExpectedAnswer extends ExpectedAccessToken {
  /** Whether an answer that names no audience is accepted. */
  readonly acceptsUnbound: boolean;
}

// `token_type` as RFC 6749 section 5.1 has it, and as a provider has it that tells its kinds of tokens apart by that.
const accessTokenTypes = ["bearer", "dpop", "access_token"];
const otherUses = ["id", "id_token", "refresh", "refresh_token", "offline", "logout"];

function lowerCase(value: unknown): string | undefined {
  return typeof value === "string" ? value.toLowerCase() : undefined;
}

/** True for a refresh token, an ID token and whatever else a provider knows and that is not for a resource server. */
function isOtherKind(answer: Members): boolean {
  const { token_type: type, token_use: use, typ } = answer;
  if (type !== undefined && !accessTokenTypes.includes(lowerCase(type) ?? "")) return true;
  return [use, typ].some((kind) => otherUses.includes(lowerCase(kind) ?? ""));
}

/**
 * Whether an answer says that the token is one for a resource server: by its kind, or by an audience. Providers find
 * refresh tokens active, too, and tell them apart by no more than what they leave out.
 */
function isMarked({ aud, token_type: type, token_use: use, typ }: Members): boolean {
  if ((aud ?? undefined) !== undefined || type !== undefined) return true;
  return lowerCase(use) === "access" || lowerCase(typ) === "bearer";
}

/** `exp` may be missing, and what is there has to be right. */
function isNow({ exp, nbf, iat }: Members, nowSeconds: number, tolerance: number): boolean {
  const isOver =
    exp !== undefined &&
    (!isExpiry(exp) || exp > maxInstantSeconds || exp <= nowSeconds - tolerance);
  const starts = [nbf, iat].filter((claim) => claim !== undefined);
  return !isOver && starts.every((claim) => isInstant(claim) && claim <= nowSeconds + tolerance);
}

function isFor(aud: unknown, { audiences, acceptsUnbound }: ExpectedAnswer): boolean {
  if (aud === undefined || aud === null) return acceptsUnbound;
  if (audiences.length === 0) return true;
  return isAudience(aud) && [aud].flat().some((audience) => audiences.includes(audience));
}

/**
 * What is wrong with an active token by what the provider says of it; undefined: nothing. Whether its sender has the key
 * that it is bound to (`cnf`) is another question.
 */
export function introspectedProblem(
  answer: Members,
  expected: ExpectedAnswer,
  nowSeconds: number,
): AccessTokenProblem | "key_bound" | undefined {
  const { iss, sub, aud } = answer;
  if (iss !== undefined && iss !== expected.issuer) return "issuer";
  if (isOtherKind(answer)) return "not_an_access_token";
  if (!isFor(aud, expected)) return "audience";
  if (!expected.acceptsUnmarked && !isMarked(answer)) return "not_an_access_token";
  if (!isNow(answer, nowSeconds, expected.clockToleranceSeconds)) return "time";
  if (typeof sub !== "string" || sub === "" || sub.length > maxSubjectCharacters) return "subject";
  // It says that it is bound, and not to what: there is nothing to hold a proof against.
  const isBound = lowerCase(answer["token_type"]) === "dpop";
  return isBound && answer["cnf"] === undefined ? "key_bound" : undefined;
}
