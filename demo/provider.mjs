// Changes when the demo wants something else of its OpenID Provider.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";

/** @typedef {import("./provider.d.mts").DemoProvider} DemoProvider */

export const clientId = "latchkey-demo";

/** What each path is for. Pages for the person are counted apart: a browser asks for them, not Latchkey. */
const purposes = new Map([
  ["/.well-known/openid-configuration", "discovery"],
  ["/jwks", "keys"],
  ["/token", "token"],
]);
const pagesForThePerson = /^\/(?:auth|interaction)(?:\/|$)|^\/favicon\.ico$/;

/** @param {string} login */
function accountOf(login) {
  const person = login.replaceAll(/[^\p{L}\p{N} .-]/gu, "").slice(0, 40) || "somebody";
  const name = `${person.slice(0, 1).toUpperCase()}${person.slice(1)} Example`;
  return { accountId: login, claims: () => ({ sub: login, name }) };
}

/** oidc-provider warns on the console about development settings, which a demo on one machine wants. */
function hideNotices() {
  for (const method of /** @type {const} */ (["info", "warn"])) {
    const original = console[method].bind(console);
    console[method] = (...values) => {
      if (!/oidc-provider (?:NOTICE|WARNING): /.test(String(values[0]))) original(...values);
    };
  }
}

/** @param {object} signingKey */
function configuration(signingKey) {
  return {
    jwks: { keys: [signingKey] },
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        // Any port may be used: a native client's loopback redirect is compared without it (RFC 8252 section 7.3).
        redirect_uris: ["http://127.0.0.1/callback"],
      },
    ],
    pkce: { required: () => true },
    // Everybody has an account here, whatever the password.
    findAccount: (/** @type {unknown} */ _context, /** @type {string} */ login) => accountOf(login),
    claims: { openid: ["sub"], profile: ["name"] },
    // The name stands in the ID token itself, so that nobody has to ask userinfo for it.
    conformIdTokenClaims: false,
    // And in the access token, so that the protected server knows whom to greet.
    extraTokenClaims: (
      /** @type {unknown} */ _context,
      /** @type {{ accountId?: string }} */ { accountId },
    ) => (accountId === undefined ? {} : { name: accountOf(accountId).claims().name }),
    cookies: { keys: [randomBytes(24).toString("base64url")] },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    // The parameter by which a gRPC server's tokens are asked for.
    extraParams: ["audience"],
    features: {
      devInteractions: { enabled: true },
      // For a resource the access token is a JWT, which the server can verify by itself.
      resourceIndicators: {
        enabled: true,
        defaultResource: (
          /** @type {{ oidc: { params?: Record<string, unknown> } }} */ { oidc },
          /** @type {unknown} */ _client,
          /** @type {readonly string[] | undefined} */ granted,
        ) => granted?.[0] ?? oidc.params?.["audience"],
        useGrantedResource: () => true,
        getResourceServerInfo: (
          /** @type {unknown} */ _context,
          /** @type {string} */ resource,
        ) => ({
          audience: resource,
          accessTokenFormat: "jwt",
          scope: "",
        }),
      },
    },
  };
}

/**
 * Starts a real OpenID Provider on a free port of this machine.
 * @returns {Promise<DemoProvider>}
 */
export async function startProvider() {
  hideNotices();
  const { Provider } = await import("oidc-provider");
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const signingKey = { ...(await exportJWK(privateKey)), kid: "demo", use: "sig", alg: "RS256" };

  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  // The issuer has the port in it, so the provider can be made only once the socket listens.
  const issuer = `http://127.0.0.1:${port}`;
  const answer = new Provider(issuer, configuration(signingKey)).callback();

  /** @type {string[]} */
  let requests = [];
  server.on("request", (request, response) => {
    const { pathname } = new URL(request.url ?? "/", issuer);
    if (!pagesForThePerson.test(pathname)) requests.push(purposes.get(pathname) ?? pathname);
    answer(request, response);
  });

  return {
    issuer,
    takeRequests() {
      const taken = requests;
      requests = [];
      return taken;
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
