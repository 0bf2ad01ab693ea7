// Reads and checks the options of a resource server, all of them when it is made.

import {
  defaultAnswerLifetimeSeconds,
  maxAnswerLifetimeSeconds,
  maxVerifiedTokens,
} from "../core/limits.ts";
import { ownOptions } from "../options/own-options.ts";
import { issuerOptionNames, issuersOf, type IssuerRules } from "./issuer-options.ts";
import {
  address,
  areScopes,
  isAddress,
  isNumberUpTo,
  isText,
  isYesOrNo,
  optional,
  type Own,
} from "./option-checks.ts";
import type { ResourceServerEvent, ResourceServerOptions } from "./resource-server-types.ts";
import type { SharedAnswers } from "./shared-answers.ts";

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
  readonly dpop: "allowed" | "required" | "refused";
  readonly dpopNonces: boolean | Uint8Array;
  readonly clockToleranceSeconds: number;
  readonly resource: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  readonly caCertPath: string | undefined;
  readonly rememberedTokens: number;
  readonly answerLifetimeSeconds: number;
  readonly sharedAnswers: SharedAnswers | undefined;
  readonly onEvent: ((event: ResourceServerEvent) => void) | undefined;
}

const ofDemands = ["requiredScopes", "acrValues", "maxAgeSeconds"];
const known = [
  ...issuerOptionNames,
  ...ofDemands,
  "issuers",
  "dpop",
  "dpopNonces",
  "clockToleranceSeconds",
  "resource",
  "clientId",
  "scopes",
  "caCertPath",
  "rememberedTokens",
  "answerLifetimeSeconds",
  "sharedAnswers",
  "onEvent",
];
const maxToleranceSeconds = 300;

function isFunction(value: unknown): value is (event: ResourceServerEvent) => void {
  return typeof value === "function";
}

function areSharedAnswers(value: unknown): value is SharedAnswers {
  if (typeof value !== "object" || value === null) return false;
  return ["look", "keep", "leave"].every((name) => isFunction(Reflect.get(value, name)));
}

function isDpopChoice(value: unknown): value is "allowed" | "required" | "refused" {
  return value === "allowed" || value === "required" || value === "refused";
}

function isNonceChoice(value: unknown): value is boolean | Uint8Array {
  return isYesOrNo(value) || (value instanceof Uint8Array && value.length === 32);
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
 * @param others names of options that tell something else.
 * @throws {OidcError} `invalid_option`.
 */
export function requestDemands(
  given: object,
  always: Demands,
  others: readonly string[] = [],
): Demands {
  const own = ownOptions(given, [...ofDemands, ...others], '{ requiredScopes: ["write"] }');
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
  const issuers = issuersOf(own);
  const demands = demandsOf(own);
  const [first] = issuers[0]?.audiences ?? [];
  return {
    issuers,
    demands,
    dpop: optional(own, "dpop", '"allowed", "required" or "refused"', isDpopChoice) ?? "allowed",
    dpopNonces: optional(own, "dpopNonces", "true, false or 32 bytes", isNonceChoice) ?? false,
    clockToleranceSeconds:
      optional(
        own,
        "clockToleranceSeconds",
        `a number of seconds up to ${String(maxToleranceSeconds)}`,
        isNumberUpTo(maxToleranceSeconds),
      ) ?? 60,
    resource:
      optional(own, "resource", address, isAddress) ?? (isAddress(first) ? first : undefined),
    clientId: optional(own, "clientId", "a text", isText),
    scopes: optional(own, "scopes", "a list of scopes", areScopes) ?? demands.requiredScopes,
    caCertPath: optional(own, "caCertPath", "a path", isText),
    rememberedTokens:
      optional(own, "rememberedTokens", "a number up to 1000000", isNumberUpTo(1_000_000)) ??
      maxVerifiedTokens,
    answerLifetimeSeconds:
      optional(
        own,
        "answerLifetimeSeconds",
        `a number of seconds up to ${String(maxAnswerLifetimeSeconds)}`,
        isNumberUpTo(maxAnswerLifetimeSeconds),
      ) ?? defaultAnswerLifetimeSeconds,
    sharedAnswers: optional(own, "sharedAnswers", "made by `redisAnswers`", areSharedAnswers),
    onEvent: optional(own, "onEvent", "a function", isFunction),
  };
}
