// Verifies access tokens of known issuers (RFC 9068, RFC 8725), and knows how to tell clients where to get one.

import { longestAccessTokenCharacters } from "../core/limits.ts";
import { isErrorOf, isOidcError } from "../core/errors.ts";
import { accessTokenProblem } from "../keys/access-token-claims.ts";
import { claimsOf, parseCompactToken } from "../keys/compact-token.ts";
import { authenticationProblem } from "../keys/id-token-claims.ts";
import type { ServingKeys } from "../keys/serving-keys.ts";
import { checkParsedSignature } from "../keys/signature.ts";
import { bearerOf } from "./bearer-request.ts";
import { identityOf } from "./identity.ts";
import { issuerKeys, keyWorld } from "./issuer-keys.ts";
import { metadataOf, metadataPlace } from "./metadata.ts";
import {
  requestDemands,
  resourceServerRules,
  type Demands,
  type IssuerRules,
  type ResourceServerRules,
} from "./options.ts";
import { Refusal } from "./refusal.ts";
import { Refusals } from "./refusals.ts";
import type {
  Identity,
  ResourceMetadata,
  ResourceServer,
  ResourceServerOptions,
  TokenRequest,
  VerifyOptions,
} from "./resource-server-types.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

interface KnownIssuer {
  readonly rules: IssuerRules;
  readonly keys: ServingKeys;
}

class JwtResourceServer implements ResourceServer {
  readonly metadata: ResourceMetadata | undefined;
  readonly metadataPath: string | undefined;
  readonly #rules: ResourceServerRules;
  readonly #issuers: ReadonlyMap<string, KnownIssuer>;
  readonly #refusals: Refusals;
  readonly #verified: VerifiedTokens;
  readonly #now: () => number;

  constructor(rules: ResourceServerRules) {
    this.#rules = rules;
    const world = keyWorld(rules.caCertPath, rules.onEvent);
    this.#now = () => world.clock.now() / 1000;
    this.#issuers = new Map(
      rules.issuers.map((each) => [
        each.issuer,
        { rules: each, keys: issuerKeys(world, each.issuer, each.jwksUri) },
      ]),
    );
    this.#verified = new VerifiedTokens(rules.rememberedTokens);
    const place = metadataPlace(rules.resource);
    this.metadata = metadataOf(rules);
    this.metadataPath = place?.path;
    this.#refusals = new Refusals({ resourceMetadata: place?.url, scopes: rules.scopes });
  }

  async verify(token: string, options?: VerifyOptions): Promise<Identity> {
    const demands =
      options === undefined ? this.#rules.demands : requestDemands(options, this.#rules.demands);
    return this.#told(async () => {
      if ((options?.scheme ?? "bearer").toLowerCase() !== "bearer") {
        throw this.#refusals.token("scheme");
      }
      const identity = this.#remembered(token) ?? (await this.#verify(token));
      this.#assertEnough(identity, demands);
      return identity;
    });
  }

  async verifyRequest(request: TokenRequest, options?: VerifyOptions): Promise<Identity> {
    const found = bearerOf(request, this.#refusals);
    if (found instanceof Refusal) return this.#told(() => Promise.reject(found));
    return this.verify(found.token, { ...options, scheme: found.scheme });
  }

  async #told(work: () => Promise<Identity>): Promise<Identity> {
    const { onEvent } = this.#rules;
    if (onEvent === undefined) return work();
    try {
      return await work();
    } catch (error) {
      if (isOidcError(error)) onEvent({ type: "refused", code: error.code, reason: error.reason });
      throw error;
    }
  }

  /** The identity of a token that was verified before, while it lasts and its key is in the issuer's set. */
  #remembered(token: string): Identity | undefined {
    const known = typeof token === "string" ? this.#verified.find(token) : undefined;
    if (known === undefined) return undefined;
    const { identity, key, endsAt } = known;
    const isGood = endsAt > this.#now() && this.#issuers.get(identity.issuer)?.keys.has(key);
    if (isGood !== true) {
      this.#verified.forget(token);
      return undefined;
    }
    this.#rules.onEvent?.({ type: "verified", issuer: identity.issuer, remembered: true });
    return identity;
  }

  async #verify(token: string): Promise<Identity> {
    const refusals = this.#refusals;
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
    const { clockToleranceSeconds } = this.#rules;
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
    this.#rules.onEvent?.({ type: "verified", issuer: rules.issuer, remembered: false });
    return identity;
  }

  /** What this machine is to blame for is no outage of the provider. */
  #unavailable(cause: unknown): unknown {
    const isOwnFault = !isOidcError(cause) || isErrorOf(cause, "ca_bundle_invalid");
    return isOwnFault ? cause : this.#refusals.unavailable(cause);
  }

  #assertEnough({ scopes, claims }: Identity, demands: Demands): void {
    const { requiredScopes, acrValues, maxAgeSeconds } = demands;
    if (!requiredScopes.every((scope) => scopes.includes(scope))) {
      throw this.#refusals.scope(requiredScopes);
    }
    const hasContext = acrValues.length === 0 || acrValues.includes(String(claims["acr"]));
    const since = maxAgeSeconds === undefined ? undefined : this.#now() - maxAgeSeconds;
    if (!hasContext || authenticationProblem(claims, since, this.#now()) !== undefined) {
      throw this.#refusals.stepUp({ acrValues, maxAgeSeconds });
    }
  }
}

/**
 * Makes a resource server: it verifies access tokens, and tells clients where to sign in. It returns at once; the first
 * `verify` asks the issuer for its keys.
 * @throws {OidcError} `invalid_option`, `missing_issuer`.
 * @see RFC 6750, RFC 9068, RFC 9728
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  return new JwtResourceServer(resourceServerRules(options));
}
