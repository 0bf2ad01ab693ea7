// A resource server that asks an issuer about tokens, and what becomes of a token there. Changes when the options of such
// a server do.
import { expect } from "vitest";
import { isOidcError } from "../../src/core/errors.ts";
import type { Refusal } from "../../src/resource-server/refusal.ts";
import type {
  Identity,
  ResourceServer,
  ResourceServerOptions,
} from "../../src/resource-server/resource-server-types.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import type { AnsweringIssuer } from "./answering-issuer.ts";
import { signedToken, type SigningKey } from "./token-issuer.ts";

export const askingAudience = "https://api.example.com";

type Members = Readonly<Record<string, unknown>>;

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** What an issuer says of a token that is active. */
export function activeAnswer(issuer: AnsweringIssuer, more: Members = {}): Members {
  const exp = nowSeconds() + 600;
  const usual = { active: true, iss: issuer.issuer, sub: "alice", aud: askingAudience, exp };
  return { ...usual, token_type: "Bearer", scope: "read openid", client_id: "cli", ...more };
}

/** A server in the mode `introspection`, or in another. */
export function askingServer(
  issuer: AnsweringIssuer,
  options: Partial<ResourceServerOptions> = {},
): ResourceServer {
  return createResourceServer({
    issuer: issuer.issuer,
    audience: askingAudience,
    validationMode: "introspection",
    introspectionClientId: "api",
    introspectionClientSecret: "s3cret",
    ...options,
  });
}

/** An access token that the issuer's key signed. */
export function signedAccessToken(
  key: SigningKey,
  issuer: AnsweringIssuer,
  more: Members = {},
): string {
  const now = nowSeconds();
  const times = { iat: now, exp: now + 600 };
  const claims = { iss: issuer.issuer, aud: askingAudience, sub: "alice", ...times, ...more };
  return signedToken(key, { alg: "ES256", kid: "one", typ: "at+jwt" }, claims);
}

/** What a token is refused with. */
export async function refusalOf(work: Promise<Identity>): Promise<Refusal> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) throw new Error("it was not refused", { cause: error });
  return error as Refusal;
}

/** Why a token is not accepted. */
export async function reasonOf(at: ResourceServer, token = "opaque"): Promise<string | undefined> {
  const { code, reason, status } = await refusalOf(at.verify(token));
  expect([code, status]).toEqual(["invalid_token", 401]);
  return reason;
}

/** The refusal of a token that nobody could be asked about. */
export async function outageOf(at: ResourceServer, token = "opaque"): Promise<Refusal> {
  const refusal = await refusalOf(at.verify(token));
  expect([refusal.code, refusal.status]).toEqual(["provider_unavailable", 503]);
  expect(refusal.retryAfterSeconds).toBeGreaterThan(0);
  expect(refusal.challenge).toBeUndefined();
  return refusal;
}
