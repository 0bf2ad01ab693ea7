// Records as the library makes them, for what keeps them. Changes when the format does.

import type { SessionRecord } from "../record/format.ts";
import { recordKey } from "../record/key.ts";

/** A key as the library makes them. */
export function exampleKey(clientId: string): string {
  return recordKey({
    kind: "interactive",
    options: { issuer: "https://id.example.com", clientId },
  });
}

/** A valid record; `changes` replace its fields. */
export function exampleRecord(
  clientId: string,
  version: string,
  changes: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    key: exampleKey(clientId),
    version,
    issuer: "https://id.example.com",
    clientId,
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: {
      token: `token-of-${version}`,
      tokenType: "Bearer",
      scopes: ["openid"],
      issuedAt: 1_700_000_000,
      expiresAt: 1_700_003_600,
    },
    refreshToken: `refresh-of-${version}`,
    signedInAt: 1_700_000_000_000,
    renewedAt: 1_700_000_000_000,
    ...changes,
  };
}
