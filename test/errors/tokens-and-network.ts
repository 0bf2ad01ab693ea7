// What goes wrong with the provider's answers and on the way to them. Changes with those checks.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { credential, emptyHome, failureOf, provider } from "../flow/harness.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import type { HostileAnswer, TamperPath } from "../support/provider-tampering.ts";
import { changeAnswer, type Failed, type Provocations } from "./provocation.ts";

/** A sign-in at a provider that answers wrongly at one endpoint. */
async function atProviderThat(path: TamperPath, answer: HostileAnswer): Promise<Failed> {
  emptyHome();
  const identityProvider = await provider();
  identityProvider.tamper({ path, respond: async () => answer });
  return failureOf(credential(identityProvider).getToken());
}

const json = { "content-type": "application/json" };

export const tokensAndNetwork: Provocations = {
  // Nothing is tampered with: the provider wants the secret that was not given.
  token_request_failed: async () => {
    emptyHome();
    const identityProvider = await provider();
    const { clientId } = identityProvider.clients.confidentialBasic;
    return failureOf(credential(identityProvider, { clientId }).getToken());
  },
  token_response_invalid: async () => {
    emptyHome();
    const identityProvider = await provider();
    changeAnswer(identityProvider, "token", () => ({ access_token: undefined }));
    return failureOf(credential(identityProvider).getToken());
  },
  id_token_invalid: async () => {
    emptyHome();
    const identityProvider = await provider();
    changeAnswer(identityProvider, "token", ({ id_token: idToken }) => {
      const [header = "", payload = "", signature = ""] = String(idToken).split(".");
      const reversed = Buffer.from(signature, "base64url").toReversed();
      return { id_token: [header, payload, Buffer.from(reversed).toString("base64url")].join(".") };
    });
    return failureOf(credential(identityProvider).getToken());
  },
  network: async () => {
    emptyHome();
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const issuer = `http://127.0.0.1:${port}`;
    return failureOf(credential(await provider(), { issuer }).getToken());
  },
  timeout: async () => {
    emptyHome();
    const identityProvider = await provider();
    identityProvider.tamper({ path: "discovery", respond: () => new Promise(() => undefined) });
    return failureOf(credential(identityProvider, { httpTimeoutSeconds: 0.5 }).getToken());
  },
  tls: async () => {
    emptyHome();
    const authority = await makeCertificateAuthority();
    onTestFinished(() => authority.dispose());
    return failureOf(credential(await provider({ tls: authority })).getToken());
  },
  // Small on the way, two mebibytes when it is unpacked.
  response_too_large: () =>
    atProviderThat("discovery", {
      status: 200,
      headers: { ...json, "content-encoding": "gzip" },
      body: gzipSync(Buffer.alloc(2 * 1024 * 1024, " ")),
    }),
  redirect_refused: () =>
    atProviderThat("token", { status: 307, headers: { location: "/token-elsewhere" } }),
  rate_limited: () => atProviderThat("token", { status: 429, headers: { "retry-after": "120" } }),
};
