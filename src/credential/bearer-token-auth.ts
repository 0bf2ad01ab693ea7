// A token that the caller already has, as a credential. Changes when another source of such tokens is added.

import { OidcError } from "../core/errors.ts";
import { defineHidden, Secret } from "../core/secret.ts";
import type { AccessToken, Credential, GetTokenOptions, LogoutResult } from "../core/types.ts";
import { createAccessToken } from "../session/access-token.ts";
import { abortedError } from "../session/flight.ts";

/** Options of {@link BearerTokenAuth}. */
export interface BearerTokenAuthOptions {
  /** The bearer token (RFC 6750 section 2.1: letters, digits and `-._~+/`, then `=`). */
  token: string;
}

/** The token, non-enumerable. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor defines these properties
export interface BearerTokenAuth {
  readonly token: string;
}

// RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
const bearerToken = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Hands out a given token. Its expiry is not known, so it is served until it is reported as rejected. */
export class BearerTokenAuth implements Credential {
  readonly #token: Secret;

  /** @throws {OidcError} `invalid_option`. */
  constructor(options: BearerTokenAuthOptions) {
    const given: unknown = options;
    const token = typeof given === "object" && given !== null ? options.token : undefined;
    if (typeof token !== "string" || !bearerToken.test(token)) {
      throw new OidcError(
        "invalid_option",
        "`token` must be a bearer token: letters, digits and -._~+/ without spaces.",
      );
    }
    const unknown = Object.keys(options).find((name) => name !== "token");
    if (unknown !== undefined) {
      throw new OidcError(
        "invalid_option",
        `There is no option \`${unknown.slice(0, 80)}\`. Did you mean \`token\`?`,
      );
    }
    this.#token = new Secret(token);
    defineHidden(this, "token", token);
  }

  /** @throws {OidcError} `login_required` where the token was refused, must be renewed or is no ID token; `aborted`. */
  getToken(options: GetTokenOptions = {}): Promise<AccessToken> {
    const token = this.#token.reveal();
    if (options.signal?.aborted) return Promise.reject(abortedError(options.signal));
    const renew = options.forceRefresh === true || options.rejectedToken === token;
    if (renew || options.tokenKind === "id_token") {
      return Promise.reject(
        new OidcError(
          "login_required",
          renew
            ? "The given token is no longer good, and only its giver can renew it. Get a new one and make a new credential."
            : "The given token is an access token; no ID token is known.",
          { reason: "no_token" },
        ),
      );
    }
    return Promise.resolve(
      createAccessToken({ token, expiresAt: null, scopes: [], source: "static" }),
    );
  }

  logout(): Promise<LogoutResult> {
    return Promise.resolve({ forgotten: 0, revoked: "no" });
  }
}
