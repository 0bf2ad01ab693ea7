// What a resource server refuses. Changes with what it checks.

import { onTestFinished } from "vitest";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import { failureOf } from "../flow/harness.ts";
import { signedToken, signingKey, startTokenIssuer } from "../support/token-issuer.ts";
import type { Failed, Provocations } from "./provocation.ts";

/** A refusal without its HTTP status, which is no exit status. */
async function refusalOf(work: Promise<unknown>): Promise<Failed> {
  const { code, reason, retryable, remedy = [] } = await failureOf(work);
  return { code, reason, retryable, remedy };
}

/** The failure of a token without scopes at an issuer that answers with `status`. */
async function refused(status = 200, requiredScopes: readonly string[] = []): Promise<Failed> {
  const key = signingKey("one");
  const own = await startTokenIssuer(key.jwk);
  onTestFinished(() => own.close());
  own.fail(status);
  const server = createResourceServer({ issuer: own.issuer, audience: "api", requiredScopes });
  const exp = Math.floor(Date.now() / 1000) + 60;
  const claims = { iss: own.issuer, aud: "api", sub: "alice", exp };
  return refusalOf(
    server.verify(signedToken(key, { alg: "ES256", kid: "one", typ: "at+jwt" }, claims)),
  );
}

export const resourceServer: Provocations = {
  invalid_request: () => {
    const server = createResourceServer({ issuer: "https://id.example.com", audience: "api" });
    return refusalOf(server.verifyRequest({ authorization: ["Bearer a b"], url: "/" }));
  },
  invalid_token: () => {
    const server = createResourceServer({ issuer: "https://id.example.com", audience: "api" });
    return refusalOf(server.verify("a.b.c"));
  },
  insufficient_scope: () => refused(200, ["write"]),
  provider_unavailable: () => refused(404),
};
