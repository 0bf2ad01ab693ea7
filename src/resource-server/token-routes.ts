// Who answers for a token, and how: told by its shape and, for a JWT, by the issuer that it names. Nothing is believed by
// that, and nothing is tried a second way.

import { maxAccessTokenCharacters } from "../core/limits.ts";
import { isBearerToken } from "../core/bearer-token.ts";
import { claimsOf, parseCompactToken } from "../keys/compact-token.ts";
import { refuse } from "./option-checks.ts";
import type { IssuerRules } from "./issuer-options.ts";
import type { ValidationMode } from "./resource-server-types.ts";

/** The modes in which the provider is asked about a token. */
export type AskingMode = Exclude<ValidationMode, "jwt">;

/** Whom to ask about a token. */
export interface AskingRoute {
  readonly rules: IssuerRules;
  readonly mode: AskingMode;
}

/** `"jwt"`: by its signature, which is where a token without any form is refused, too. */
export type TokenRoute = AskingRoute | "jwt" | "issuer" | "malformed";

const jwtForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/;

/** True for three segments of which the first begins as a JSON object does: what may be read as a JWT is one. */
function hasJwtShape(token: string): boolean {
  if (!jwtForm.test(token)) return false;
  const beginning = Buffer.from(token.slice(0, 64), "base64url").toString("latin1");
  return beginning.trimStart().startsWith("{");
}

/** The beginning of the tokens that a User API knows. */
const userApiShape = /^sha256~/;

function oneOf(
  rules: readonly IssuerRules[],
  modes: readonly AskingMode[],
): AskingRoute | undefined {
  const routes = rules.flatMap((each) =>
    modes
      .filter((mode) => each.modes.includes(mode))
      .map((mode): AskingRoute => ({ rules: each, mode })),
  );
  if (routes.length > 1) {
    // Whoever is asked gets the token: it must not go to one after the other.
    refuse("validationMode", "one by which a token that is not a JWT has one issuer to ask");
  }
  return routes[0];
}

/** Chooses for one server. */
export class TokenRoutes {
  readonly #issuers: ReadonlyMap<string, IssuerRules>;
  readonly #opaque: AskingRoute | undefined;
  readonly #userApi: AskingRoute | undefined;

  /** @throws {OidcError} `invalid_option` where an opaque token would have several issuers to ask. */
  constructor(issuers: readonly IssuerRules[]) {
    this.#issuers = new Map(issuers.map((each) => [each.issuer, each]));
    this.#opaque = oneOf(issuers, ["introspection", "userinfo"]);
    this.#userApi = oneOf(issuers, ["openshift_userapi"]);
  }

  of(token: string): TokenRoute {
    // The verifier of JWTs says what is wrong with these.
    if (typeof token !== "string" || token === "" || token.length > maxAccessTokenCharacters) {
      return "jwt";
    }
    if (hasJwtShape(token)) return this.#ofJwt(token);
    if (!isBearerToken(token)) return "malformed";
    const userApi = this.#userApi;
    if (userApi !== undefined && userApiShape.test(token)) return userApi;
    return this.#opaque ?? userApi ?? "malformed";
  }

  #ofJwt(token: string): TokenRoute {
    const parsed = parseCompactToken(token);
    const iss = (parsed && claimsOf(parsed))?.["iss"];
    const rules = typeof iss === "string" ? this.#issuers.get(iss) : undefined;
    if (rules !== undefined) return routeOfIssuer(rules);
    const [only, ...others] = this.#issuers.values();
    if (only === undefined || others.length > 0) return "jwt";
    // What the only issuer is asked about may be a JWT to itself alone; one that names somebody else is not sent to it.
    const isOwn = iss === undefined || only.modes.includes("openshift_userapi");
    return only.modes.includes("jwt") ? "jwt" : isOwn ? routeOfIssuer(only) : "issuer";
  }
}

function routeOfIssuer(rules: IssuerRules): TokenRoute {
  const { modes } = rules;
  if (modes.includes("jwt")) return "jwt";
  const mode = modes.find((each) => each !== "jwt");
  return mode === undefined ? "jwt" : { rules, mode };
}
