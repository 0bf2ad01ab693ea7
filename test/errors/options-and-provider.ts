// What goes wrong before anybody signs in: options, files, the provider's documents. Changes with those checks.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { OidcAuth } from "../../src/index.ts";
import { credential, desktop, emptyHome, failureOf, provider } from "../flow/harness.ts";
import { changeAnswer, scratchFolder, type Provocations } from "./provocation.ts";

const somewhere = { issuer: "https://id.example.com", clientId: "data-cli" };

/** The constructor and the first call together: where an option is judged makes no difference here. */
async function tokenFor(options: object): Promise<unknown> {
  emptyHome();
  return new OidcAuth(options).getToken();
}

export const optionsAndProvider: Provocations = {
  invalid_option: () => failureOf(tokenFor({ ...somewhere, scopes: "openid" })),
  missing_issuer: () => failureOf(tokenFor({ clientId: "data-cli" })),
  missing_client_id: () => failureOf(tokenFor({ issuer: "https://id.example.com" })),
  insecure_url: () => failureOf(tokenFor({ ...somewhere, issuer: "http://id.example.com" })),
  ca_bundle_invalid: () => {
    const caCertPath = join(scratchFolder(), "root.pem");
    writeFileSync(caCertPath, "not a certificate\n");
    return failureOf(tokenFor({ ...somewhere, caCertPath, onPrompt: () => undefined }));
  },
  runtime_unavailable: async () => {
    const options = desktop(await provider());
    const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    onTestFinished(() => void Object.defineProperty(globalThis, "crypto", crypto ?? {}));
    // Taken away, as by --no-experimental-global-webcrypto.
    Reflect.deleteProperty(globalThis, "crypto");
    return failureOf(tokenFor(options));
  },
  discovery_failed: async () => failureOf(tokenFor(desktop(await provider({ discovery: "none" })))),
  issuer_mismatch: async () => {
    const identityProvider = await provider();
    changeAnswer(identityProvider, "discovery", () => ({ issuer: "https://id.example.com" }));
    return failureOf(tokenFor(desktop(identityProvider)));
  },
  endpoint_invalid: async () => {
    const identityProvider = await provider();
    changeAnswer(identityProvider, "discovery", () => ({
      token_endpoint: "http://id.example.com/token",
    }));
    return failureOf(tokenFor(desktop(identityProvider)));
  },
  no_interactive_flow: async () => {
    const identityProvider = await provider();
    changeAnswer(identityProvider, "discovery", () => ({
      authorization_endpoint: undefined,
      device_authorization_endpoint: undefined,
    }));
    emptyHome();
    return failureOf(credential(identityProvider).getToken());
  },
};
