// What the test provider has given out, and what of it still counts. Changes when it gives out another kind of thing.

import { randomBytes } from "node:crypto";
import type { TestPerson } from "./provider-types.ts";

/** What a person, or the client itself, has been granted. */
export interface Grant {
  /** Undefined: the client signed in as itself. */
  readonly person: TestPerson | undefined;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly audience: string | undefined;
  readonly nonce: string | undefined;
  readonly acr: string | undefined;
  /** Seconds since the epoch. */
  readonly signedInAt: number;
  isEnded: boolean;
}

/** An access token. */
export interface AccessTokenGrant {
  readonly grant: Grant;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** An authorization code, and what its token request must prove. */
export interface CodeGrant {
  readonly grant: Grant;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  isUsed: boolean;
}

/** A device code. */
export interface DeviceGrant {
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly audience: string | undefined;
  readonly challenge: string | undefined;
  answer: "pending" | "refused" | Grant;
}

/** A refresh token. */
export interface RefreshGrant {
  readonly grant: Grant;
  isUsed: boolean;
}

/** A value that nobody can guess. */
export function randomText(): string {
  return randomBytes(24).toString("base64url");
}

/** Everything that was given out, by what the client shows of it. */
export class Grants {
  readonly codes: Map<string, CodeGrant> = new Map();
  readonly devices: Map<string, DeviceGrant> = new Map();
  readonly devicesByUserCode: Map<string, DeviceGrant> = new Map();
  readonly refreshTokens: Map<string, RefreshGrant> = new Map();
  readonly accessTokens: Map<string, AccessTokenGrant> = new Map();

  /** The access token, if it still counts. */
  accessToken(token: string): AccessTokenGrant | undefined {
    const found = this.accessTokens.get(token);
    if (found === undefined || found.grant.isEnded) return undefined;
    return found.expiresAt * 1000 > Date.now() ? found : undefined;
  }

  /** Ends the sign-in that a token belongs to (RFC 7009 section 2.1); a token that nobody knows ends nothing. */
  revoke(token: string): void {
    const refresh = this.refreshTokens.get(token);
    if (refresh !== undefined) refresh.grant.isEnded = true;
    this.accessTokens.delete(token);
  }

  /** Ends every sign-in, and with it its access tokens. */
  endAll(): void {
    for (const { grant } of this.refreshTokens.values()) grant.isEnded = true;
  }
}
