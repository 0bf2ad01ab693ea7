// The clients' own pipeline, over TLS, against a server that takes what a real provider made.

import { createServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { TokenCredential } from "@azure/core-auth";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
  tlsPolicy,
  type PipelineResponse,
} from "@azure/core-rest-pipeline";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import type { GetTokenOptions } from "../core/types.ts";
import { BearerTokenAuth, OidcAuth } from "../index.ts";
import { startTestProvider } from "../testing/index.ts";
import { tokenCredential } from "./azure.ts";

async function desk() {
  const provider = await startTestProvider();
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  const authority = await makeCertificateAuthority();
  const { caPem, certificate, key } = authority;
  const seen: { readonly token: string; readonly isTaken: boolean }[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const isTaken = provider.accepts(token);
    seen.push({ token, isTaken });
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true}}}').toString("base64");
    response
      .writeHead(isTaken ? 200 : 401, {
        "www-authenticate": `Bearer error="insufficient_claims", claims="${claims}"`,
      })
      .end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const credential: TokenCredential = tokenCredential(auth, { useClientScopes: false });
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(tlsPolicy({ ca: caPem }));
  pipeline.addPolicy(
    bearerTokenAuthenticationPolicy({ credential, scopes: "https://storage.example.com/.default" }),
  );
  const client = createDefaultHttpClient();
  const get = (): Promise<PipelineResponse> =>
    pipeline.sendRequest(
      client,
      createPipelineRequest({ url: `https://127.0.0.1:${String(port)}/` }),
    );
  return { provider, auth, seen, get };
}

test("a client signs in once, and keeps the token until it ends", async () => {
  const { provider, seen, get } = await desk();
  expect((await get()).status).toBe(200);
  expect((await get()).status).toBe(200);
  expect(seen.map(({ isTaken }) => isTaken)).toEqual([true, true]);
  expect(provider.requests().token).toBe(1);
});

test("a first token that the server refuses by a claims challenge is renewed, and the request sent again", async () => {
  const { provider, auth, seen, get } = await desk();
  const { token: first } = await auth.getToken();
  provider.endAccessTokens();
  expect((await get()).status).toBe(200);
  expect(seen.map(({ isTaken }) => isTaken)).toEqual([false, true]);
  expect(seen[0]?.token).toBe(first);
  expect(provider.requests().token).toBe(2);
});

test("the client's scopes are asked for unless told otherwise, and its signal ends the wait", async () => {
  const asked: GetTokenOptions[] = [];
  const end = new Date(Date.now() + 900_000);
  const fixed = new BearerTokenAuth({ getToken: () => ({ token: "a-token", expiresAt: end }) });
  const spy = {
    getToken: (options: GetTokenOptions = {}) => {
      asked.push(options);
      return fixed.getToken(options);
    },
  };
  const controller = new AbortController();
  const given = await tokenCredential(spy).getToken(["a", "b"], { abortSignal: controller.signal });
  expect(given).toEqual({
    token: "a-token",
    expiresOnTimestamp: end.getTime(),
    tokenType: "Bearer",
  });
  await tokenCredential(spy).getToken("a");
  await tokenCredential(spy, { useClientScopes: false }).getToken("a", { claims: "{}" });
  expect(asked.map(({ scopes }) => scopes)).toEqual([["a", "b"], ["a"], undefined]);
  expect(asked.map(({ forceRefresh }) => forceRefresh)).toEqual([false, false, true]);

  controller.abort();
  await expect(
    tokenCredential(spy).getToken("a", { abortSignal: controller.signal }),
  ).rejects.toMatchObject({ code: "aborted" });
  // The client's signal outlives the call, and what it ends is no longer ours.
  expect(asked[0]?.signal?.aborted).toBe(false);
});

test("a token without a known end is asked for again after a while", async () => {
  const before = Date.now();
  const { expiresOnTimestamp } = await tokenCredential(
    new BearerTokenAuth({ token: "a-token" }),
  ).getToken("a");
  expect(expiresOnTimestamp).toBeGreaterThanOrEqual(before + 300_000);
  expect(expiresOnTimestamp).toBeLessThanOrEqual(Date.now() + 300_000);
});
