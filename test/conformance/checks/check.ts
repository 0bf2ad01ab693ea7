// Changes when checks share another step.
import { expect } from "vitest";
import type { OidcAuthOptions } from "../../../src/index.ts";
import type { Desk } from "../desk.ts";
import type { ClientKind, ProviderFacts, TestClient } from "../provider-under-test.ts";

/** One row. */
export interface Check {
  readonly name: string;
  /** Why this provider can't do it, known before anything runs; undefined where it can be tried. */
  readonly impossible?: (facts: ProviderFacts, scheme: "http" | "https") => string | undefined;
  /** Tries it; gives what the cell says, "yes" where nothing. */
  readonly run: (desk: Desk) => Promise<string | void>;
}

export const kinds: readonly ClientKind[] = ["public", "confidential"];

/** What a cell says where requests can't be counted. */
export const uncounted = "yes: not counted, nobody stands between the client and this TLS";

/** The word why something can't be done; undefined where it can. */
export function unlessPossible(
  possible: "page" | "yes" | { impossible: string },
): string | undefined {
  return typeof possible === "string" ? undefined : possible.impossible;
}

/** A token is there, verified, and says who signed in. */
export async function expectSignIn(
  desk: Desk,
  client: TestClient,
  options: OidcAuthOptions = {},
): Promise<void> {
  const { facts, provider } = desk;
  const token = await desk.credential(client, options).getToken();
  expect([token.source, token.tokenType]).toEqual(["login", "Bearer"]);
  expect(token.claims).toMatchObject({ iss: provider.issuer, aud: client.clientId });
  expect(token.claims?.sub).toMatch(/./);
  const [header = ""] = token.idToken?.split(".") ?? [];
  const { alg } = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg: string };
  expect(alg).toBe(facts.idTokenAlgorithm);
  expect(token.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  expect((await desk.record()).refreshToken).toMatch(/./);
}

/** The provider takes the refresh token for no good, and the program is told to sign in. */
export async function expectEnded(desk: Desk, client: TestClient): Promise<void> {
  await desk.expire();
  const error = await desk.failure(desk.credential(client).getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
  expect((await desk.record()).refreshToken).toBeUndefined();
}
