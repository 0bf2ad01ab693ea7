// Verifies access tokens of known issuers (RFC 9068, RFC 8725), and knows how to tell clients where to get one.

import { nowSeconds } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import { authenticationProblem } from "../keys/id-token-claims.ts";
import type { AskingVerifier } from "./asking-verifier.ts";
import { bearerOf, isB64Token } from "./bearer-request.ts";
import { keyWorld } from "./issuer-keys.ts";
import type { IssuerRules } from "./issuer-options.ts";
import { JwtVerifier } from "./jwt-verifier.ts";
import { advertisementOf, metadataOf, metadataPlace } from "./metadata.ts";
import {
  requestDemands,
  resourceServerRules,
  type Demands,
  type ResourceServerRules,
} from "./options.ts";
import { Refusal } from "./refusal.ts";
import { Refusals } from "./refusals.ts";
import type {
  Advertisement,
  Identity,
  IssuerHealth,
  RequestDemands,
  ResourceMetadata,
  ResourceServer,
  ResourceServerHealth,
  ResourceServerOptions,
  TokenRequest,
  ValidationMode,
  VerifyOptions,
} from "./resource-server-types.ts";
import { plainBearer, senderOf, senderOfRequest, senderOptions, type Sender } from "./sender.ts";
import { TokenBinding } from "./token-binding.ts";
import { TokenRoutes } from "./token-routes.ts";

/** True for a token that is bound to nobody's key and was sent without the proof of one. */
function isOfAnybody({ claims }: Identity, { scheme }: Sender): boolean {
  return claims["cnf"] === undefined && scheme === "bearer";
}

class VerifyingResourceServer implements ResourceServer {
  readonly advertisement: Advertisement;
  readonly metadata: ResourceMetadata | undefined;
  readonly metadataPath: string | undefined;
  readonly #rules: ResourceServerRules;
  readonly #refusals: Refusals;
  readonly #jwts: JwtVerifier;
  readonly #binding: TokenBinding;
  /** Undefined where every token is a JWT. */
  readonly #routes: TokenRoutes | undefined;
  readonly #asking: () => Promise<AskingVerifier>;
  readonly #now: () => number;

  constructor(rules: ResourceServerRules) {
    this.#rules = rules;
    const world = keyWorld(rules.caCertPath, rules.onEvent);
    this.#now = () => nowSeconds(world.clock);
    const place = metadataPlace(rules.resource);
    this.advertisement = advertisementOf(rules);
    this.metadata = metadataOf(rules);
    this.metadataPath = place?.path;
    this.#refusals = new Refusals({
      scheme: rules.dpop === "required" ? "DPoP" : "Bearer",
      resourceMetadata: place?.url,
      scopes: rules.scopes,
    });
    this.#binding = new TokenBinding(rules, this.#now, this.#refusals);
    const parts = { ...rules, world, refusals: this.#refusals };
    this.#jwts = new JwtVerifier(parts);
    const isJwtAlone = rules.issuers.every(({ modes }) => modes.every((mode) => mode === "jwt"));
    this.#routes = isJwtAlone ? undefined : new TokenRoutes(rules.issuers);
    this.#asking = madeOnce(async () => {
      const { AskingVerifier } = await loadPart(() => import("./asking-verifier.ts"));
      return new AskingVerifier(parts);
    });
  }

  get dpopNonce(): string | undefined {
    return this.#binding.nonce;
  }

  async verify(token: string, options?: VerifyOptions): Promise<Identity> {
    const { demands } = this.#rules;
    const sender = options === undefined ? plainBearer : senderOf(options);
    const all = options === undefined ? demands : requestDemands(options, demands, senderOptions);
    return this.#identityFor(token, sender, all, this.#remembered(token, sender));
  }

  async verifyRequest(request: TokenRequest, demands?: RequestDemands): Promise<Identity> {
    const always = this.#rules.demands;
    const all = demands === undefined ? always : requestDemands(demands, always);
    const found = bearerOf(request, this.#refusals);
    if (found instanceof Refusal) throw this.#worded(found, false);
    const { scheme, token } = found;
    const sender = senderOfRequest(request, scheme);
    const remembered = this.#remembered(token, sender);
    if (remembered === undefined && !isB64Token(token)) {
      throw this.#worded(this.#refusals.request("malformed"), false);
    }
    return this.#identityFor(token, sender, all, remembered);
  }

  assertDemands(identity: Identity, demands: RequestDemands): void {
    const { demands: always } = this.#rules;
    const { cnf } = identity.claims;
    const isForProof = typeof cnf === "object" && cnf !== null && "jkt" in cnf;
    const all = requestDemands(demands, always);
    try {
      this.#assertEnough(identity, all);
    } catch (error) {
      throw this.#worded(error, isForProof);
    }
  }

  /** Whom a token is remembered for, where it came under a scheme that is accepted. */
  #remembered(token: string, { scheme }: Sender): Identity | undefined {
    return this.#binding.accepts(scheme) ? this.#jwts.remembered(token) : undefined;
  }

  /**
   * The identity of an accepted token, at once where nobody has to be asked and nothing has to be loaded: each promise in
   * between would cost as much as a good part of a look at what is remembered.
   */
  #identityFor(
    token: string,
    sender: Sender,
    demands: Demands,
    remembered: Identity | undefined,
  ): Identity | Promise<Identity> {
    try {
      if (!this.#binding.accepts(sender.scheme)) throw this.#refusals.scheme(sender.scheme);
      const identity = remembered ?? this.#identify(token);
      // A token that anybody may use, sent as one, is the usual case.
      if (identity instanceof Promise || !isOfAnybody(identity, sender)) {
        return this.#identityInTime(identity, token, sender, demands);
      }
      this.#assertEnough(identity, demands);
      return identity;
    } catch (error) {
      throw this.#worded(error, sender.scheme === "dpop");
    }
  }

  async #identityInTime(
    verified: Identity | Promise<Identity>,
    token: string,
    sender: Sender,
    demands: Demands,
  ): Promise<Identity> {
    try {
      const identity = await verified;
      if (!isOfAnybody(identity, sender)) {
        const problem = await this.#binding.problem(token, identity.claims["cnf"], sender);
        if (problem !== undefined) throw problem;
      }
      this.#assertEnough(identity, demands);
      return identity;
    } catch (error) {
      throw this.#worded(error, sender.scheme === "dpop");
    }
  }

  /** Tells of a refusal, and words its challenge for the way in which the token came. */
  #worded(error: unknown, isForProof: boolean): unknown {
    const { dpop, onEvent } = this.#rules;
    if (!isOidcError(error)) return error;
    onEvent?.({ type: "refused", code: error.code, reason: error.reason });
    const isChallenge = error instanceof Refusal && isForProof && dpop !== "refused";
    return isChallenge ? this.#refusals.forProof(error) : error;
  }

  #identify(token: string): Identity | Promise<Identity> {
    const route = this.#routes?.of(token) ?? "jwt";
    if (route === "jwt") return this.#jwts.verify(token);
    if (typeof route === "string") throw this.#refusals.token(route);
    return this.#asking().then((asking) => asking.verify(token, route));
  }

  async health(): Promise<ResourceServerHealth> {
    const checks = await Promise.all(
      this.#rules.issuers.flatMap((rules) => rules.modes.map((mode) => this.#check(rules, mode))),
    );
    return { ok: checks.every(({ ok }) => ok), checks };
  }

  async #check(rules: IssuerRules, mode: ValidationMode): Promise<IssuerHealth> {
    const { issuer } = rules;
    try {
      if (mode === "jwt") await this.#jwts.assertKeys(issuer);
      else await (await this.#asking()).assertAnswers({ rules, mode });
      return { issuer, mode, ok: true, code: undefined, reason: undefined };
    } catch (error) {
      if (!isOidcError(error)) throw error;
      return { issuer, mode, ok: false, code: error.code, reason: error.reason };
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
