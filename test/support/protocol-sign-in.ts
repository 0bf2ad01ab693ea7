// One sign-in up to the moment at which the token endpoint answers. Changes when tests of tokens need other circumstances.
import { expect } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { createAuthorizationAttempt } from "../../src/provider/authorization-request.ts";
import { openProvider } from "../../src/provider/metadata.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { answerTokens, failureOf, makeWorld, optionsFor, startProvider } from "./protocol-world.ts";
import { genuineClaims } from "./token-forge.ts";

export interface Circumstances {
  readonly clientSecret?: string;
  readonly prefetch?: boolean;
  readonly scopes?: readonly string[];
  /** Members of the discovery document. */
  readonly document?: Readonly<Record<string, unknown>>;
}

/** A sign-in that waits for its answer. */
export async function startSignIn(circumstances: Circumstances = {}) {
  const provider = await startProvider();
  provider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const answer = await genuine();
      const document = { ...JSON.parse(answer.body), ...circumstances.document };
      return { ...answer, body: JSON.stringify(document) };
    },
  });
  const world = makeWorld();
  const opened = await openProvider(world, optionsFor(provider));
  if (circumstances.prefetch === true) {
    opened.prefetchKeys();
    await opened.keys.current();
  }
  const clientId = provider.clients.public.clientId;
  const secret = circumstances.clientSecret;
  const attempt = await createAuthorizationAttempt(world, opened, {
    clientId,
    redirectUri: "http://127.0.0.1:1/callback",
    scopes: circumstances.scopes,
    pkce: true,
    offlineAccess: false,
    ...(secret === undefined ? {} : { clientSecret: new Secret(secret) }),
  });
  const query = new URL(attempt.url).searchParams;
  const nonce = query.get("nonce") ?? undefined;
  const claims = { ...genuineClaims(provider.issuer, clientId), nonce };
  const finish = () =>
    attempt.exchange(
      new URLSearchParams({
        code: "the-code",
        state: query.get("state") ?? "",
        iss: provider.issuer,
      }),
    );
  /** Answers with this ID token. */
  const finishWith = (idToken: string | null, members: Record<string, unknown> = {}) => {
    answerTokens(provider, { idToken, members });
    return finish();
  };
  const refusalOf = async (idToken: string | null, members?: Record<string, unknown>) => {
    const secrets = [...(nonce === undefined ? [] : [nonce]), "the-code", "access-token-for-alice"];
    const error = await failureOf(finishWith(idToken, members), secrets);
    expect(error.message).not.toContain(idToken ?? "no ID token");
    return error;
  };
  return { provider, world, opened, clientId, nonce, claims, finishWith, refusalOf };
}

/** Answers the key set with these keys. */
export function serveKeys(provider: IdentityProvider, keys: readonly unknown[], times?: number) {
  return provider.tamper({
    path: "jwks",
    ...(times === undefined ? {} : { times }),
    respond: async () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ keys }),
    }),
  });
}
