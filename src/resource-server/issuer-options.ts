// The options that each issuer of a resource server may have for itself, checked and copied.

import { OidcError } from "../core/errors.ts";
import { option, say } from "../core/wording.ts";
import { asymmetricAlgorithms } from "../keys/algorithms.ts";
import { ownOptions } from "../options/own-options.ts";
import type { IdentityRules } from "./identity.ts";
import {
  address,
  areAudiences,
  areTexts,
  isAddress,
  isText,
  isYesOrNo,
  optional,
  refuse,
  type Own,
} from "./option-checks.ts";

/** One issuer, as it is used. */
export interface IssuerRules extends IdentityRules {
  readonly jwksUri: string | undefined;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[] | undefined;
  readonly acceptsUnmarked: boolean;
}

/** The names of these options. */
export const issuerOptionNames: readonly string[] = [
  "issuer",
  "jwksUri",
  "audience",
  "allowUnboundAudience",
  "algorithms",
  "usernameClaim",
  "groupsClaim",
  "groupLabels",
  "acceptUnmarkedTokens",
];
const mostIssuers = 100;

function areAlgorithms(value: unknown): value is readonly string[] {
  return (
    areTexts(value) && value.length > 0 && value.every((name) => asymmetricAlgorithms.has(name))
  );
}

function labelsOf(own: Own): ReadonlyMap<string, readonly string[]> {
  const value = own["groupLabels"];
  if (value === undefined) return new Map();
  if (typeof value !== "object" || value === null) refuse("groupLabels", "an object");
  return new Map(
    Object.entries(value).map(([group, labels]: [string, unknown]) => [
      group,
      areAudiences(labels) ? [labels].flat() : refuse("groupLabels", "a text or texts by group"),
    ]),
  );
}

function issuerRules(own: Own): IssuerRules {
  const issuer = optional(own, "issuer", address, isAddress);
  if (issuer === undefined) {
    throw new OidcError("missing_issuer", say`A resource server needs ${option("issuer")}.`, {
      remedy: "Set it to the `iss` of the tokens to accept.",
    });
  }
  const audience = optional(own, "audience", "a text, or texts", areAudiences);
  const isUnbound = optional(own, "allowUnboundAudience", "true or false", isYesOrNo) ?? false;
  if (audience === undefined && !isUnbound) {
    throw new OidcError("invalid_option", say`A resource server needs ${option("audience")}.`, {
      remedy:
        "Set it to the `aud` of the tokens that are for this server. Without it every token of the issuer would be accepted; if that is meant, set `allowUnboundAudience: true`.",
    });
  }
  return {
    issuer,
    jwksUri: optional(own, "jwksUri", address, isAddress),
    audiences: audience === undefined ? [] : [audience].flat(),
    algorithms: optional(own, "algorithms", "a list of asymmetric algorithms", areAlgorithms),
    acceptsUnmarked: optional(own, "acceptUnmarkedTokens", "true or false", isYesOrNo) ?? false,
    usernameClaim: optional(own, "usernameClaim", "the name of a claim", isText) ?? "sub",
    groupsClaim: optional(own, "groupsClaim", "the name of a claim", isText),
    groupLabels: labelsOf(own),
  };
}

/**
 * The issuers that the options name, one or several.
 * @throws {OidcError} `invalid_option`, `missing_issuer`.
 */
export function issuersOf(own: Own): readonly IssuerRules[] {
  const { issuers } = own;
  if (issuers === undefined) return [issuerRules(own)];
  if (!Array.isArray(issuers) || issuers.length === 0 || issuers.length > mostIssuers) {
    refuse("issuers", `a list of 1 to ${String(mostIssuers)} issuers`);
  }
  if (own["issuer"] !== undefined) refuse("issuers", "used together with a single issuer");
  const shared = Object.fromEntries(issuerOptionNames.map((name) => [name, own[name]]));
  const rules = issuers.map((each: unknown) =>
    issuerRules({ ...shared, ...ownOptions(each, issuerOptionNames, "{ issuer, audience }") }),
  );
  const names = rules.map(({ issuer }) => issuer);
  if (new Set(names).size < names.length) refuse("issuers", "a list in which each stands once");
  return rules;
}
