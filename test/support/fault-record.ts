// Records whose every part says which state of the file it belongs to. Changes when the schema does.
import type { SessionRecord } from "../../src/record/format.ts";
import { recordKey } from "../../src/record/key.ts";

const issuer = "https://id.example.com";

/** The key of a client's record. */
export function faultKey(clientId: string): string {
  return recordKey({ kind: "interactive", options: { issuer, clientId } });
}

/** State `number` of a client's record. Its tokens are longer than a page of memory, so that a torn one shows. */
export function faultRecord(clientId: string, number: number): SessionRecord {
  const secret = `SECRET-${clientId}-${number}-${"x".repeat(5000)}-end`;
  return {
    key: faultKey(clientId),
    version: `record.${number}`,
    issuer,
    clientId,
    tokenEndpoint: `${issuer}/token`,
    authenticationMethod: "none",
    accessToken: {
      token: `access-${secret}`,
      tokenType: "Bearer",
      scopes: ["openid"],
      issuedAt: 1_700_000_000,
      expiresAt: null,
    },
    refreshToken: `refresh-${secret}`,
    signedInAt: 1_700_000_000_000,
    renewedAt: number,
  };
}

/** The key that seals these records. */
export const faultSealKey: Uint8Array = new Uint8Array(32).fill(7);
