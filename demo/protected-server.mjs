// Changes when the demo's protected server asks something else of a caller.
import { once } from "node:events";
import { createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** @typedef {{ status: number, text: string, challenge?: string }} Answer */

/** @param {string | undefined} header @returns {string | undefined} */
function bearerToken(header) {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(header ?? "")?.[1];
}

/**
 * Starts an HTTP server that greets whoever has a valid access token, and says where to get one (RFC 9728).
 * @param {{ issuer: string, clientId: string, audience?: string }} provider
 * @returns {Promise<import("./protected-server.d.mts").ProtectedServer>}
 */
export async function startProtectedServer({ issuer, clientId, audience: given }) {
  const keys = createRemoteJWKSet(new URL("/jwks", issuer));
  // Fetched now rather than at the first call, so that the provider's log shows who asked for them.
  await keys.reload();
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const address = `http://127.0.0.1:${port}`;
  // Tokens name it by its address, and so it is the only one that they are good for.
  const audience = given ?? address;
  const metadata = "/.well-known/oauth-protected-resource";
  const realm = `Bearer resource_metadata="${address}${metadata}"`;
  const document = {
    resource: address,
    authorization_servers: [issuer],
    // Not in RFC 9728: with these its address is all that a user needs.
    client_id: clientId,
    scopes: ["openid", "profile"],
  };

  /** @param {string | undefined} authorization @returns {Promise<Answer>} */
  const greet = async (authorization) => {
    const token = bearerToken(authorization);
    if (token === undefined) {
      // RFC 6750 section 3.1: a request without any token gets no error code.
      return { status: 401, text: "Who are you?", challenge: realm };
    }
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        typ: "at+jwt",
        algorithms: ["RS256"],
        requiredClaims: ["sub", "exp"],
      });
      return { status: 200, text: `Hello, ${String(payload["name"] ?? payload.sub)}.` };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) {
        return { status: 503, text: "The provider's keys cannot be had." };
      }
      const challenge = `${realm}, error="invalid_token"`;
      return { status: 401, text: "This token is not for me, or no longer.", challenge };
    }
  };

  server.on("request", (request, response) => {
    if (request.url === metadata) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(document));
      return;
    }
    void greet(request.headers.authorization).then(({ status, text, challenge }) => {
      response.writeHead(status, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        ...(challenge === undefined ? {} : { "www-authenticate": challenge }),
      });
      response.end(text);
    });
  });
  return {
    address,
    url: `${address}/hello`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
