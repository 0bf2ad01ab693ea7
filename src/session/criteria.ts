// What a call of `getToken` asks of a record, with every default filled in. Changes when a call can ask for something new.

import { defaultMinValiditySeconds } from "../core/limits.ts";
import type { SessionRecord } from "../record/format.ts";
import { tokensVersionOf } from "../record/version.ts";
import type { SessionTokenOptions } from "./session-types.ts";
import {
  markOf,
  otherTokenOf,
  variantOf,
  type Configured,
  type TokenVariant,
} from "./token-variant.ts";

/** A call of `getToken`, with every default filled in. */
export interface TokenCriteria extends TokenVariant {
  readonly tokenKind: "access_token" | "id_token";
  readonly minValiditySeconds: number;
  readonly rejectedToken: string | undefined;
  readonly interactive: boolean;
  /** Only a record whose tokens changed since this version of them was read (`forceRefresh`); null: any. */
  readonly changedSince: { tokensVersion: string | undefined } | null;
  /** The tokens that were stored when the call began: others are news, whoever brought them. */
  readonly seenTokensVersion?: string | undefined;
  /** `forceRefresh`: what another call's work brought counts only as long as it is stored. */
  readonly isForced?: boolean;
  /** The same for another access token than the configuration's: the one that no longer counts. */
  readonly otherThan?: string;
  /** Only a sign-in that a person finished after this time (`forceLogin`, `login`), in milliseconds. */
  readonly signedInSince: number | null;
  /** A result that could not be kept is a failure (`login`). */
  readonly mustBeKept: boolean;
  /** Nobody waits for this: nothing is shown of it, and it waits for nobody (renewal ahead). */
  readonly quiet?: boolean;
}

/** What the options of the credential say about every call. */
export interface SessionConfig {
  readonly key: string;
  readonly issuer: string;
  readonly clientId: string;
  /** What the configuration asks for by itself; a call that asks for the same asks for nothing beyond it. */
  readonly configured?: Configured;
  /** The configuration names an account (`loginHint`): nobody else's sign-in takes the place of what is cached. */
  readonly isOneAccount?: boolean;
}

function laterOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}

/** Fills in the defaults of a call. */
export function criteriaOf(
  options: SessionTokenOptions,
  context: {
    canPrompt: boolean;
    signedInSince: number | null;
    cached: SessionRecord | undefined;
  },
): TokenCriteria {
  const seenTokensVersion = context.cached && tokensVersionOf(context.cached);
  return {
    tokenKind: options.tokenKind ?? "access_token",
    minValiditySeconds: options.minValiditySeconds ?? defaultMinValiditySeconds,
    rejectedToken: options.rejectedToken,
    interactive: (options.interactive ?? true) && context.canPrompt,
    changedSince: options.forceRefresh === true ? { tokensVersion: seenTokensVersion } : null,
    seenTokensVersion,
    isForced: options.forceRefresh === true,
    signedInSince: laterOf(context.signedInSince, options.signedInSince ?? null),
    mustBeKept: false,
  };
}

/** The same with what the call wants beyond the configuration. */
export function withVariant(
  criteria: TokenCriteria,
  options: SessionTokenOptions,
  context: {
    configured: Configured | undefined;
    cached: SessionRecord | undefined;
    /** Milliseconds since the epoch. */
    now: number;
  },
): TokenCriteria {
  const { configured, cached, now } = context;
  const variant = variantOf(options, configured, now / 1000);
  const { target } = variant;
  // OpenID Connect Core section 3.1.2.1: "max_age=0" is a new authentication, which no tolerance of clocks makes up for.
  const signedInSince =
    options.maxAgeSeconds === 0
      ? Math.max(criteria.signedInSince ?? 0, now, cached?.signedInAt ?? 0)
      : criteria.signedInSince;
  if (target === undefined || criteria.changedSince === null) {
    return { ...criteria, ...variant, signedInSince };
  }
  const otherThan = markOf(cached && otherTokenOf(cached, target));
  return { ...criteria, ...variant, signedInSince, changedSince: null, otherThan };
}
