// GitHub's OAuth for OAuth apps, emulated from its documents: nobody asked the real one. No metadata, no expiry, no refresh
// token, forms in place of JSON, errors with status 200. Changes when the documents say otherwise.
//
// - Endpoints, parameters and answers:
//   https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
// - Errors: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
// - Errors come with 200: https://github.com/octokit/auth-oauth-app.js/issues/13

import { randomBytes } from "node:crypto";
import type { ServerAnswer } from "../../src/testing/http-server.ts";
import { startEmulatedServer } from "./emulated-oauth.ts";
import type { EmulatedServer } from "./emulated-oauth.ts";

export const emulatedGitHubClient = {
  clientId: "Iv1.0123456789abcdef",
  clientSecret: "emulated-github-secret",
};

export interface EmulatedGitHub extends EmulatedServer {
  /** The `error` of the following token requests; undefined: none. */
  failWith(error: string | undefined): void;
}

/** `honoursAccept`: JSON for `Accept: application/json`, as documented; else always a form, as older servers do. */
export async function startEmulatedGitHub(options: {
  readonly honoursAccept: boolean;
}): Promise<EmulatedGitHub> {
  let failure: string | undefined;
  const answer = (accept: string | undefined, members: Record<string, string>): ServerAnswer => {
    const asJson = options.honoursAccept && accept === "application/json";
    const type = asJson ? "application/json" : "application/x-www-form-urlencoded";
    return {
      status: 200,
      headers: { "content-type": `${type}; charset=utf-8` },
      body: asJson ? JSON.stringify(members) : new URLSearchParams(members).toString(),
    };
  };
  const server = await startEmulatedServer((tokens) => ({
    authorizePath: "/login/oauth/authorize",
    tokenPath: "/login/oauth/access_token",
    refuseAuthorization: () => undefined,
    answerToken: ({ form, headers }, grant) => {
      const accept = headers["accept"];
      if (failure !== undefined) {
        return answer(accept, { error: failure, error_description: "As the test wishes." });
      }
      const isClient =
        form.get("client_id") === emulatedGitHubClient.clientId &&
        form.get("client_secret") === emulatedGitHubClient.clientSecret;
      // The documents know the secret as a parameter alone.
      if (!isClient) return answer(accept, { error: "incorrect_client_credentials" });
      if (grant === undefined) return answer(accept, { error: "bad_verification_code" });
      const token = `gho_${randomBytes(18).toString("hex")}`;
      tokens.add(token);
      const scope = (grant.get("scope") ?? "").split(" ").join(",");
      return answer(accept, { access_token: token, scope, token_type: "bearer" });
    },
    answerOther: () => ({ status: 404, headers: { "content-type": "text/html" }, body: "<html>" }),
  }));
  return {
    ...server,
    failWith: (error) => {
      failure = error;
    },
  };
}
