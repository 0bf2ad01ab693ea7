// Verifies access tokens of known issuers (RFC 9068, RFC 8725), and knows how to tell clients where to get one.

import { isOidcError } from "../core/errors.ts";
import { authenticationProblem } from "../keys/id-token-claims.ts";
import { bearerOf } from "./bearer-request.ts";
import { keyWorld } from "./issuer-keys.ts";
import { JwtVerifier } from "./jwt-verifier.ts";
import { metadataOf, metadataPlace } from "./metadata.ts";
import {
  requestDemands,
  resourceServerRules,
  type Demands,
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

class VerifyingResourceServer implements ResourceServer {
  readonly metadata: ResourceMetadata | undefined;
  readonly metadataPath: string | undefined;
  readonly #rules: ResourceServerRules;
  readonly #refusals: Refusals;
  readonly #jwts: JwtVerifier;
  readonly #now: () => number;

  constructor(rules: ResourceServerRules) {
    this.#rules = rules;
    const world = keyWorld(rules.caCertPath, rules.onEvent);
    this.#now = () => world.clock.now() / 1000;
    const place = metadataPlace(rules.resource);
    this.metadata = metadataOf(rules);
    this.metadataPath = place?.path;
    this.#refusals = new Refusals({ resourceMetadata: place?.url, scopes: rules.scopes });
    this.#jwts = new JwtVerifier({ ...rules, world, refusals: this.#refusals });
  }

  async verify(token: string, options?: VerifyOptions): Promise<Identity> {
    const demands =
      options === undefined ? this.#rules.demands : requestDemands(options, this.#rules.demands);
    return this.#told(async () => {
      if ((options?.scheme ?? "bearer").toLowerCase() !== "bearer") {
        throw this.#refusals.token("scheme");
      }
      const identity = this.#jwts.remembered(token) ?? (await this.#jwts.verify(token));
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
  return new VerifyingResourceServer(resourceServerRules(options));
}
