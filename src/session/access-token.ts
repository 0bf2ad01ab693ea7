// The token as a caller gets it. Changes when the public shape of a token does.

import { defineHidden, defineHiddenGetter } from "../core/secret.ts";
import type { AccessToken, IdTokenClaims } from "../core/types.ts";
import type { SessionRecord } from "../record/format.ts";
import { decodeStoredIdToken, idTokenTimes } from "../core/stored-id-token.ts";
import { otherTokenOf } from "./token-variant.ts";
import type { TokenTarget } from "../record/format.ts";

/** What a token object is made from. */
export interface AccessTokenParts {
  readonly token: string;
  readonly tokenType: AccessToken["tokenType"];
  readonly expiresAt: number | null;
  readonly scopes: readonly string[];
  readonly idToken?: string | undefined;
  readonly source: AccessToken["source"];
}

/** A token object whose secrets are hidden from printing, spreading and cloning (O08). */
export function createAccessToken(parts: AccessTokenParts): AccessToken {
  const { idToken } = parts;
  const shown = {
    tokenType: parts.tokenType,
    expiresAt: parts.expiresAt === null ? undefined : new Date(parts.expiresAt * 1000),
    scopes: Object.freeze([...parts.scopes]),
    source: parts.source,
  };
  defineHidden(shown, "token", parts.token);
  if (idToken !== undefined) {
    defineHidden(shown, "idToken", idToken);
    let claims: IdTokenClaims | undefined;
    defineHiddenGetter(shown, "claims", () => (claims ??= decodeStoredIdToken(idToken)));
  }
  return Object.freeze(shown) as unknown as AccessToken;
}

/** The token of a cached sign-in that a call wants; the caller has checked that it is there. `target`: another one. */
export function accessTokenOf(
  record: SessionRecord,
  tokenKind: "access_token" | "id_token",
  source: AccessToken["source"],
  target?: TokenTarget,
): AccessToken {
  const { idToken } = record;
  const accessToken = target === undefined ? record.accessToken : otherTokenOf(record, target);
  const scopes = accessToken?.scopes ?? [];
  return tokenKind === "id_token"
    ? createAccessToken({
        token: idToken ?? "",
        // As it is sent (RFC 6750), whatever the access token is.
        tokenType: "Bearer",
        expiresAt: idTokenTimes(idToken ?? "")?.expiresAt ?? null,
        scopes,
        idToken,
        source,
      })
    : createAccessToken({
        token: accessToken?.token ?? "",
        tokenType: accessToken?.tokenType ?? "Bearer",
        expiresAt: accessToken?.expiresAt ?? null,
        scopes,
        idToken,
        source,
      });
}
