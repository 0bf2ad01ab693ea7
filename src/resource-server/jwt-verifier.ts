// Verifies access tokens that are JWTs (RFC 9068, RFC 8725), by the published keys of issuers that are configured.

import { isErrorOf, isOidcError } from "../core/errors.ts";
import { longestAccessTokenCharacters } from "../core/limits.ts";
import { accessTokenProblem } from "../keys/access-token-claims.ts";
import { claimsOf, parseCompactToken } from "../keys/compact-token.ts";
import type { ServingKeys } from "../keys/serving-keys.ts";
import { checkParsedSignature } from "../keys/signature.ts";
import { identityOf } from "./identity.ts";
import { issuerKeys, type KeyWorld } from "./issuer-keys.ts";
import type { IssuerRules } from "./issuer-options.ts";
import type { Refusals } from "./refusals.ts";
import type { Identity } from "./resource-server-types.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

interface KnownIssuer {
  readonly rules: IssuerRules;
  readonly keys: ServingKeys;
}

/** What a {@link JwtVerifier} is made of. */
export interface JwtVerifierParts {
  readonly world: KeyWorld;
  readonly issuers: readonly IssuerRules[];
  readonly clockToleranceSeconds: number;
  /** Verified tokens that are remembered at most. */
  readonly rememberedTokens: number;
  readonly refusals: Refusals;
}

/** Verifies JWTs, and remembers those that it accepted. */
export class JwtVerifier {
  readonly #parts: JwtVerifierParts;
  readonly #issuers: ReadonlyMap<string, KnownIssuer>;
  readonly #verified: VerifiedTokens;

  constructor(parts: JwtVerifierParts) {
    this.#parts = parts;
    this.#issuers = new Map(
      parts.issuers.map((each) => [
        each.issuer,
        { rules: each, keys: issuerKeys(parts.world, each.issuer, each.jwksUri) },
      ]),
    );
    this.#verified = new VerifiedTokens(parts.rememberedTokens);
  }

  #now(): number {
    return this.#parts.world.clock.now() / 1000;
  }

  /** The identity of a token that was verified before, while it lasts and its key is in the issuer's set. */
  remembered(token: string): Identity | undefined {
    const known = typeof token === "string" ? this.#verified.find(token) : undefined;
    if (known === undefined) return undefined;
    const { identity, key, endsAt } = known;
    const isGood = endsAt > this.#now() && this.#issuers.get(identity.issuer)?.keys.has(key);
    if (isGood !== true) {
      this.#verified.forget(token);
      return undefined;
    }
    this.#parts.world.onEvent?.({ type: "verified", issuer: identity.issuer, remembered: true });
    return identity;
  }

  /** @throws {Refusal} `invalid_token`, `provider_unavailable`. */
  async verify(token: string): Promise<Identity> {
    const { refusals, clockToleranceSeconds } = this.#parts;
    if (typeof token !== "string" || token === "") throw refusals.missing();
    if (token.length > longestAccessTokenCharacters) throw refusals.token("too_large");
    const parsed = parseCompactToken(token);
    const claims = parsed && claimsOf(parsed);
    if (parsed === undefined || claims === undefined) throw refusals.token("malformed");
    const { iss } = claims;
    // Only a name to look up: nothing is asked of an issuer that is not configured.
    const issuer = typeof iss === "string" ? this.#issuers.get(iss) : undefined;
    if (issuer === undefined) throw refusals.token("issuer");

    const { rules, keys } = issuer;
    // Claims first: what would be refused all the same costs no signature, and no request for keys.
    const problem = accessTokenProblem(
      parsed.header,
      claims,
      { ...rules, clockToleranceSeconds },
      this.#now(),
    );
    if (problem !== undefined) throw refusals.token(problem);
    const signature = await checkParsedSignature(parsed, claims, {
      keys,
      listedAlgorithms: rules.algorithms,
    }).catch((cause: unknown) => {
      throw this.#unavailable(cause);
    });
    if (!signature.accepted) throw refusals.token(signature.problem);
    const made = identityOf(claims, rules);
    if ("problem" in made) throw refusals.token(made.problem);
    const { identity } = made;
    if (signature.key !== undefined) {
      const endsAt = Number(claims["exp"]) + clockToleranceSeconds;
      this.#verified.add({ token, key: signature.key, endsAt, identity });
    }
    this.#parts.world.onEvent?.({ type: "verified", issuer: rules.issuer, remembered: false });
    return identity;
  }

  /** What this machine is to blame for is no outage of the provider. */
  #unavailable(cause: unknown): unknown {
    const isOwnFault = !isOidcError(cause) || isErrorOf(cause, "ca_bundle_invalid");
    return isOwnFault ? cause : this.#parts.refusals.unavailable(cause);
  }
}
