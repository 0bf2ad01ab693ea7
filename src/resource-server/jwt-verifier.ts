// Verifies access tokens that are JWTs (RFC 9068, RFC 8725), by the published keys of issuers that are configured.

import { nowSeconds } from "../core/clock.ts";
import { isErrorOf, isOidcError, OidcError } from "../core/errors.ts";
import { maxAccessTokenCharacters } from "../core/limits.ts";
import { accessTokenProblem, type ExpectedAccessToken } from "../keys/access-token-claims.ts";
import type { AsymmetricAlgorithm } from "../keys/algorithms.ts";
import { claimsOf, parseCompactToken, type CompactToken } from "../keys/compact-token.ts";
import type { PublicKey } from "../keys/public-key.ts";
import type { ServingKeys } from "../keys/serving-keys.ts";
import {
  acceptedAlgorithm,
  signingKeyIn,
  signingKeyOf,
  type JudgedKeys,
} from "../keys/signature.ts";
import { identityOf } from "./identity.ts";
import { issuerKeys, type KeyWorld } from "./issuer-keys.ts";
import type { IssuerRules } from "./issuer-options.ts";
import type { Refusals } from "./refusals.ts";
import type { Identity } from "./resource-server-types.ts";
import { SignerHeaders } from "./signer-headers.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

interface KnownIssuer {
  readonly rules: IssuerRules;
  readonly expected: ExpectedAccessToken;
  readonly keys: ServingKeys;
}

/** A token of which everything but the signature was found good. */
interface UnsignedToken {
  readonly token: string;
  readonly issuer: KnownIssuer;
  readonly parsed: CompactToken;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly algorithm: AsymmetricAlgorithm;
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
  readonly #headers = new SignerHeaders();

  constructor(parts: JwtVerifierParts) {
    this.#parts = parts;
    this.#issuers = new Map(
      parts.issuers
        .filter(({ modes }) => modes.includes("jwt"))
        .map((each) => [
          each.issuer,
          {
            rules: each,
            expected: { ...each, clockToleranceSeconds: parts.clockToleranceSeconds },
            keys: issuerKeys(parts.world, each.issuer, each.jwksUri),
          },
        ]),
    );
    this.#verified = new VerifiedTokens(parts.rememberedTokens);
  }

  #now(): number {
    return nowSeconds(this.#parts.world.clock);
  }

  /** The identity of a token that was verified before, while it lasts and its key is in the issuer's set. */
  remembered(token: string): Identity | undefined {
    const known = typeof token === "string" ? this.#verified.find(token) : undefined;
    if (known === undefined) return undefined;
    const { identity, key, keys, endsAt } = known;
    if (endsAt <= this.#now() || !keys.has(key)) {
      this.#verified.forget(token);
      return undefined;
    }
    this.#parts.world.onEvent?.({ type: "verified", issuer: identity.issuer, remembered: true });
    return identity;
  }

  /**
   * Verifies a token. Where the issuer's keys are at hand and one of them made the signature, that is at once: each
   * promise in between would cost as much as a tenth of a signature.
   * @throws {Refusal} `invalid_token`, `provider_unavailable`; a promise rejects with them, too.
   */
  verify(token: string): Identity | Promise<Identity> {
    const unsigned = this.#checked(token);
    const { issuer, parsed, algorithm } = unsigned;
    const keys = issuer.keys.atHand();
    if (keys === undefined) return this.#verifyWithFetchedKeys(unsigned, undefined);
    const found = signingKeyIn(keys, parsed, algorithm);
    return typeof found === "object"
      ? this.#accepted(unsigned, found)
      : this.#verifyWithFetchedKeys(unsigned, { keys, found });
  }

  /** Everything but the signature: what would be refused all the same costs none, and no request for keys. */
  #checked(token: string): UnsignedToken {
    const { refusals } = this.#parts;
    if (typeof token !== "string" || token === "") throw refusals.missing();
    if (token.length > maxAccessTokenCharacters) throw refusals.token("too_large");
    const parsed = parseCompactToken(token, this.#headers);
    const claims = parsed && claimsOf(parsed);
    if (parsed === undefined || claims === undefined) throw refusals.token("malformed");
    const { iss } = claims;
    // Only a name to look up: nothing is asked of an issuer that is not configured.
    const issuer = typeof iss === "string" ? this.#issuers.get(iss) : undefined;
    if (issuer === undefined) throw refusals.token("issuer");
    const problem = accessTokenProblem(parsed.header, claims, issuer.expected, this.#now());
    if (problem !== undefined) throw refusals.token(problem);
    const algorithm = acceptedAlgorithm(parsed, issuer.rules.algorithms);
    if (algorithm === undefined) throw refusals.token("alg");
    return { token, issuer, parsed, claims, algorithm };
  }

  async #verifyWithFetchedKeys(
    unsigned: UnsignedToken,
    judged: JudgedKeys | undefined,
  ): Promise<Identity> {
    const { issuer, parsed, algorithm } = unsigned;
    const found = await signingKeyOf(issuer.keys, parsed, algorithm, { judged }).catch(
      (cause: unknown) => {
        throw this.#unavailable(cause);
      },
    );
    if (typeof found === "string") throw this.#parts.refusals.token(found);
    return this.#accepted(unsigned, found);
  }

  /** The identity of a token that this key signed. */
  #accepted({ token, issuer, parsed, claims }: UnsignedToken, key: PublicKey): Identity {
    const { rules, expected } = issuer;
    const made = identityOf(claims, rules);
    if ("problem" in made) throw this.#parts.refusals.token(made.problem);
    const { identity } = made;
    this.#headers.add(token, parsed);
    const endsAt = Number(claims["exp"]) + expected.clockToleranceSeconds;
    this.#verified.add({ token, key, keys: issuer.keys, endsAt, identity });
    this.#parts.world.onEvent?.({ type: "verified", issuer: rules.issuer, remembered: false });
    return identity;
  }

  /** Rejects with what is in the way of having an issuer's keys. */
  async assertKeys(issuer: string): Promise<void> {
    const keys = await this.#issuers.get(issuer)?.keys.current();
    if (keys === undefined || keys.length === 0) {
      throw new OidcError("discovery_failed", "The key set has no key that can be used.", {
        reason: "jwks_unusable",
      });
    }
  }

  /** What this machine is to blame for is no outage of the provider. */
  #unavailable(cause: unknown): unknown {
    const isOwnFault = !isOidcError(cause) || isErrorOf(cause, "ca_bundle_invalid");
    return isOwnFault ? cause : this.#parts.refusals.unavailable(cause);
  }
}
