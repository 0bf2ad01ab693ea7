// The options that each issuer of a resource server may have for itself, checked and copied.

import { OidcError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
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

import type { ValidationMode } from "./resource-server-types.ts";

/** One issuer, as it is used. */
export interface IssuerRules extends IdentityRules {
  readonly jwksUri: string | undefined;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[] | undefined;
  readonly acceptsUnmarked: boolean;
  /** Whether what names no audience is accepted, where only some of the modes have one. */
  readonly acceptsUnbound: boolean;
  readonly modes: readonly ValidationMode[];
  readonly introspectionEndpoint: string | undefined;
  readonly introspectionClientId: string | undefined;
  readonly introspectionClientSecret: Secret | undefined;
  readonly userinfoEndpoint: string | undefined;
  readonly openshiftUserApiUri: string | undefined;
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
  "validationMode",
  "introspectionEndpoint",
  "introspectionClientId",
  "introspectionClientSecret",
  "userinfoEndpoint",
  "openshiftUserApiUri",
];
const maxIssuers = 100;

const validationModes: readonly ValidationMode[] = [
  "jwt",
  "introspection",
  "userinfo",
  "openshift_userapi",
];

function isMode(value: unknown): value is ValidationMode {
  return validationModes.some((mode) => mode === value);
}

function areModes(value: unknown): value is ValidationMode | readonly ValidationMode[] {
  if (!Array.isArray(value)) return isMode(value);
  return value.length > 0 && value.every(isMode) && new Set(value).size === value.length;
}

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

/** What a mode cannot do without. */
function assertComplete(own: Own, modes: readonly ValidationMode[], isUnbound: boolean): void {
  const needs = (mode: ValidationMode, name: string, what: string): void => {
    if (!modes.includes(mode) || own[name] !== undefined) return;
    throw new OidcError("invalid_option", `The mode \`${mode}\` needs \`${name}\`.`, {
      remedy: `Set it to ${what}.`,
    });
  };
  needs("introspection", "introspectionClientId", "the client by which this server asks");
  needs("openshift_userapi", "openshiftUserApiUri", "the address of the cluster's API");
  const unbound = modes.find((mode) => mode === "userinfo" || mode === "openshift_userapi");
  if (unbound === undefined || isUnbound) return;
  throw new OidcError(
    "invalid_option",
    `The mode \`${unbound}\` accepts every client's tokens: its answers name no audience.`,
    { remedy: "If that is meant, set `allowUnboundAudience: true`." },
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
  const modes = [
    optional(own, "validationMode", `one or several of ${validationModes.join(", ")}`, areModes) ??
      "jwt",
  ].flat();
  assertComplete(own, modes, isUnbound);
  const secret = optional(own, "introspectionClientSecret", "a text", isText);
  return {
    issuer,
    modes,
    jwksUri: optional(own, "jwksUri", address, isAddress),
    introspectionEndpoint: optional(own, "introspectionEndpoint", address, isAddress),
    introspectionClientId: optional(own, "introspectionClientId", "a text", isText),
    introspectionClientSecret: secret === undefined ? undefined : new Secret(secret),
    userinfoEndpoint: optional(own, "userinfoEndpoint", address, isAddress),
    openshiftUserApiUri: optional(own, "openshiftUserApiUri", address, isAddress),
    audiences: audience === undefined ? [] : [audience].flat(),
    algorithms: optional(own, "algorithms", "a list of asymmetric algorithms", areAlgorithms),
    acceptsUnmarked: optional(own, "acceptUnmarkedTokens", "true or false", isYesOrNo) ?? false,
    acceptsUnbound: isUnbound,
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
  if (!Array.isArray(issuers) || issuers.length === 0 || issuers.length > maxIssuers) {
    refuse("issuers", `a list of 1 to ${String(maxIssuers)} issuers`);
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
