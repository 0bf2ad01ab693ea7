// The table of checks on Keycloak, which takes too long to start for every run. Changes when Keycloak can do something
// that the others can't.
import { afterAll, expect } from "vitest";
import type { Check } from "../conformance/checks/check.ts";
import { Matrix } from "../conformance/matrix.ts";
import { keycloak, pkceClientId } from "../conformance/providers/keycloak.ts";
import { runChecks } from "../conformance/run-checks.ts";

const matrix = new Matrix();
// The first run downloads 177 MB.
const startSeconds = 600;

const clientWithPkce: Check = {
  name: "client registered with S256: signs in with PKCE, refused without",
  run: async (desk) => {
    const client = { clientId: pkceClientId };
    expect((await desk.credential(client).getToken()).source).toBe("login");
    const without = desk.credential(client, { pkce: false, forceLogin: true });
    const error = await desk.failure(without.getToken());
    expect([error.code, error.reason]).toEqual(["authorization_failed", "invalid_request"]);
    expect(error.message).toContain("pkce");
  },
};

const offlineAccess: Check = {
  name: "offlineAccess: granted, and renewed",
  run: async (desk) => {
    const client = desk.provider.clients.public;
    const options = { offlineAccess: true };
    expect((await desk.credential(client, options).getToken()).scopes).toContain("offline_access");
    const renewed = await desk.credential(client, options).getToken({ forceRefresh: true });
    expect(renewed.source).toBe("refresh");
  },
};

const formPost: Check = {
  name: "responseMode form_post: signs in, and a refusal is told at once",
  run: async (desk) => {
    const client = desk.provider.clients.public;
    const options = {
      responseMode: "form_post",
      forceLogin: true,
      // Keycloak remembers that the person agreed before, and asks no more.
      prompt: "consent",
      // The first sign-in after its start takes Keycloak long.
      callbackTimeoutSeconds: 120,
    } as const;
    expect((await desk.credential(client, options).getToken()).source).toBe("login");
    const refused = desk.credential(client, options, { deny: true });
    expect((await desk.failure(refused.getToken())).code).toBe("access_denied");
  },
};

afterAll(() => matrix.print());

runChecks(keycloak, matrix, { startSeconds, more: [clientWithPkce, offlineAccess, formPost] });
