// Reads and checks the options of a resource server, all of them when it is made.

import { OidcError } from "../core/errors.ts";
import { option, say } from "../core/wording.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { longestUrlCharacters, mostVerifiedTokens } from "../core/limits.ts";
import { asymmetricAlgorithms } from "../keys/algorithms.ts";
import { ownOptions } from "../options/own-options.ts";
import type { IdentityRules } from "./identity.ts";
import type { ResourceServerEvent, ResourceServerOptions } from "./resource-server-types.ts";

/** One issuer, as it is used. */
export interface IssuerRules extends IdentityRules {
  readonly jwksUri: string | undefined;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[] | undefined;
  readonly acceptsUnmarked: boolean;
}

/** What a request demands of a token. */
export interface Demands {
  readonly requiredScopes: readonly string[];
  readonly acrValues: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

/** All options, as they are used. */
export interface ResourceServerRules {
  readonly issuers: readonly IssuerRules[];
  readonly demands: Demands;
  readonly clockToleranceSeconds: number;
  readonly resource: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  readonly caCertPath: string | undefined;
  readonly rememberedTokens: number;
  readonly onEvent: ((event: ResourceServerEvent) => void) | undefined;
}

type Own = Readonly<Record<string, unknown>>;

const ofIssuers = [
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
const ofDemands = ["requiredScopes", "acrValues", "maxAgeSeconds"];
const known = [
  ...ofIssuers,
  ...ofDemands,
  "issuers",
  "validationMode",
  "clockToleranceSeconds",
  "resource",
  "clientId",
  "scopes",
  "caCertPath",
  "rememberedTokens",
  "onEvent",
];
const longestToleranceSeconds = 300;
const mostIssuers = 100;
// RFC 6749 section 3.3
const scopeToken = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;

function refuse(name: string, accepted: string): never {
  throw new OidcError("invalid_option", `The option \`${name}\` is not ${accepted}.`);
}

function optional<Value>(
  own: Own,
  name: string,
  accepted: string,
  accepts: (value: unknown) => value is Value,
): Value | undefined {
  const value = own[name];
  if (value === undefined) return undefined;
  return accepts(value) ? value : refuse(name, accepted);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= longestUrlCharacters;
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function areScopes(value: unknown): value is readonly string[] {
  return areTexts(value) && value.every((scope) => scopeToken.test(scope));
}

function isNumberUpTo(longest: number): (value: unknown) => value is number {
  return (value): value is number =>
    typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= longest;
}

function isYesOrNo(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isFunction(value: unknown): value is (event: ResourceServerEvent) => void {
  return typeof value === "function";
}

function areAudiences(value: unknown): value is string | readonly string[] {
  return isText(value) || (areTexts(value) && value.length > 0);
}

function areAlgorithms(value: unknown): value is readonly string[] {
  return (
    areTexts(value) && value.length > 0 && value.every((name) => asymmetricAlgorithms.has(name))
  );
}

function isAddress(value: unknown): value is string {
  if (!isText(value) || !URL.canParse(value) || value.includes("#")) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}

const address = "an https: URL (http: only on loopback)";

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

function issuersOf(own: Own): readonly IssuerRules[] {
  const { issuers } = own;
  if (issuers === undefined) return [issuerRules(own)];
  if (!Array.isArray(issuers) || issuers.length === 0 || issuers.length > mostIssuers) {
    refuse("issuers", `a list of 1 to ${String(mostIssuers)} issuers`);
  }
  if (own["issuer"] !== undefined) refuse("issuers", "used together with a single issuer");
  const shared = Object.fromEntries(ofIssuers.map((name) => [name, own[name]]));
  const rules = issuers.map((each: unknown) =>
    issuerRules({ ...shared, ...ownOptions(each, ofIssuers, "{ issuer, audience }") }),
  );
  const names = rules.map(({ issuer }) => issuer);
  if (new Set(names).size < names.length) refuse("issuers", "a list in which each stands once");
  return rules;
}

function demandsOf(own: Own): Demands {
  return {
    requiredScopes: optional(own, "requiredScopes", "a list of scopes", areScopes) ?? [],
    acrValues: optional(own, "acrValues", "a list of texts", areScopes) ?? [],
    maxAgeSeconds: optional(
      own,
      "maxAgeSeconds",
      "a number of seconds",
      isNumberUpTo(Number.MAX_SAFE_INTEGER),
    ),
  };
}

/**
 * What a single request demands, in addition to what the server does.
 * @throws {OidcError} `invalid_option`.
 */
export function requestDemands(given: object, always: Demands): Demands {
  const own = ownOptions(given, [...ofDemands, "scheme"], '{ requiredScopes: ["write"] }');
  const demands = demandsOf(own);
  const ages = [demands.maxAgeSeconds, always.maxAgeSeconds].filter((age) => age !== undefined);
  return {
    requiredScopes: [...new Set([...always.requiredScopes, ...demands.requiredScopes])],
    acrValues: demands.acrValues.length === 0 ? always.acrValues : demands.acrValues,
    maxAgeSeconds: ages.length === 0 ? undefined : Math.min(...ages),
  };
}

/**
 * The options of a resource server, checked and copied.
 * @throws {OidcError} `invalid_option`, `missing_issuer`.
 */
export function resourceServerRules(given: ResourceServerOptions): ResourceServerRules {
  const own = ownOptions(given, known, "{ issuer, audience }");
  if (own["validationMode"] !== undefined && own["validationMode"] !== "jwt") {
    refuse("validationMode", '"jwt"');
  }
  const issuers = issuersOf(own);
  const demands = demandsOf(own);
  const [first] = issuers[0]?.audiences ?? [];
  return {
    issuers,
    demands,
    clockToleranceSeconds:
      optional(
        own,
        "clockToleranceSeconds",
        `a number of seconds up to ${String(longestToleranceSeconds)}`,
        isNumberUpTo(longestToleranceSeconds),
      ) ?? 60,
    resource:
      optional(own, "resource", address, isAddress) ?? (isAddress(first) ? first : undefined),
    clientId: optional(own, "clientId", "a text", isText),
    scopes: optional(own, "scopes", "a list of scopes", areScopes) ?? demands.requiredScopes,
    caCertPath: optional(own, "caCertPath", "a path", isText),
    rememberedTokens:
      optional(own, "rememberedTokens", "a number up to 1000000", isNumberUpTo(1_000_000)) ??
      mostVerifiedTokens,
    onEvent: optional(own, "onEvent", "a function", isFunction),
  };
}
