// OpenShift's built-in OAuth server, emulated from its documents: nobody ran the real one here. Plain OAuth 2.0: metadata
// by RFC 8414 alone, no `openid`, no ID token, no refresh token. Changes when the documents say otherwise.
//
// - Metadata, scopes and grants: https://docs.redhat.com/ko/documentation/openshift_container_platform/4.21/html/authentication_and_authorization/oauth-server-metadata_configuring-internal-oauth
// - Clients have redirect prefixes (OAuthClient): https://docs.redhat.com/zh-cn/documentation/openshift_container_platform/4.5/html/authentication_and_authorization/oauth-register-additional-client_configuring-internal-oauth
// - A public command line client on loopback: https://github.com/openshift/cluster-authentication-operator/pull/519
//
// Not in those documents, and so assumed: the form of an access token, its lifetime of a day, and `user:full` where no
// scope was asked for.

import { randomBytes } from "node:crypto";
import { json } from "../../src/testing/http-server.ts";
import { startEmulatedServer } from "./emulated-oauth.ts";
import type { EmulatedServer } from "./emulated-oauth.ts";

export const emulatedOpenShiftClient = "openshift-cli-client";

const scopes = [
  "user:full",
  "user:info",
  "user:check-access",
  "user:list-scoped-projects",
  "user:list-projects",
];
const redirectPrefixes = ["http://127.0.0.1/callback", "http://[::1]/callback"];

/** Loopback redirects are compared without their port (RFC 8252 section 7.3). */
function isRegistered(redirectUri: string): boolean {
  const url = new URL(redirectUri);
  url.port = "";
  return redirectPrefixes.some((prefix) => url.href.startsWith(prefix));
}

function refuseAuthorization(query: URLSearchParams): string | undefined {
  if (query.get("client_id") !== emulatedOpenShiftClient) return "unauthorized_client";
  if (query.get("response_type") !== "code") return "unsupported_response_type";
  if (!isRegistered(query.get("redirect_uri") ?? "")) return "invalid_request";
  const asked = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  return asked.every((scope) => scopes.includes(scope)) ? undefined : "invalid_scope";
}

/** The emulated server; `GET /apis/user.openshift.io/v1/users/~` says who a token belongs to. */
export async function startEmulatedOpenShift(): Promise<EmulatedServer> {
  return startEmulatedServer((tokens) => ({
    authorizePath: "/oauth/authorize",
    tokenPath: "/oauth/token",
    refuseAuthorization,
    answerToken: ({ form }, grant) => {
      if (form.get("client_id") !== emulatedOpenShiftClient) {
        return json(400, { error: "unauthorized_client" });
      }
      if (form.get("grant_type") !== "authorization_code") {
        return json(400, { error: "unsupported_grant_type" });
      }
      if (grant === undefined) return json(400, { error: "invalid_grant" });
      const token = `sha256~${randomBytes(32).toString("base64url")}`;
      tokens.add(token);
      const scope = grant.get("scope") ?? "user:full";
      return json(200, { access_token: token, expires_in: 86_400, scope, token_type: "Bearer" });
    },
    answerOther: ({ path, headers }, origin) => {
      if (path === "/.well-known/oauth-authorization-server") {
        return json(200, {
          issuer: origin,
          authorization_endpoint: `${origin}/oauth/authorize`,
          token_endpoint: `${origin}/oauth/token`,
          scopes_supported: scopes,
          response_types_supported: ["code", "token"],
          grant_types_supported: ["authorization_code", "implicit"],
          code_challenge_methods_supported: ["plain", "S256"],
        });
      }
      if (path === "/apis/user.openshift.io/v1/users/~") {
        const token = headers["authorization"]?.replace(/^Bearer /, "") ?? "";
        return tokens.has(token)
          ? json(200, { kind: "User", metadata: { name: "developer" } })
          : json(401, { kind: "Status", reason: "Unauthorized" });
      }
      return json(404, { kind: "Status", reason: "NotFound" });
    },
  }));
}
