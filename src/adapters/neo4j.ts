// The entry point `latchkey/neo4j`: a credential as what Neo4j's driver calls an AuthTokenManager.

import type { Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** As the driver's `auth.bearer` makes it. */
export interface Neo4jAuthToken {
  scheme: string;
  credentials: string;
}

/** As `AuthTokenManager` of `neo4j-driver`. */
export interface Neo4jAuthTokenManager {
  getToken(): Promise<Neo4jAuthToken>;
  /** Told by the driver that the server refused a token. True: the driver may try again with another. */
  handleSecurityException(token: { readonly credentials?: unknown }, code: string): boolean;
}

/** The codes by which a server says that a token is not good (any more). */
const refusals: ReadonlySet<string> = new Set([
  "Neo.ClientError.Security.TokenExpired",
  "Neo.ClientError.Security.Unauthorized",
]);

/** A token that is refused so soon after a renewal is not refused for its age, and another would fare no better. */
const againMilliseconds = 10_000;

/**
 * `neo4j.driver(url, authTokenManager(credential))`: the driver is given a token that is valid now for each connection,
 * and another where the server refuses one.
 * @throws {OidcError} from its `getToken`: the codes of {@link Credential.getToken}.
 */
export function authTokenManager(credential: Pick<Credential, "getToken">): Neo4jAuthTokenManager {
  let rejectedToken: string | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  return {
    async getToken() {
      const rejected = rejectedToken;
      const { token } = await credential.getToken({ rejectedToken: rejected });
      if (rejected !== undefined && rejected === rejectedToken) {
        rejectedToken = undefined;
        renewedAt = performance.now();
      }
      return { scheme: "bearer", credentials: token };
    },
    handleSecurityException({ credentials }, code) {
      if (!refusals.has(code) || typeof credentials !== "string") return false;
      if (performance.now() - renewedAt < againMilliseconds) return false;
      rejectedToken = credentials;
      return true;
    },
  };
}
