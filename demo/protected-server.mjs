// Changes when the demo's protected server asks something else of a caller.
import { once } from "node:events";
import { createServer } from "node:http";
import { createResourceServer, expressMiddleware } from "latchkey/server";

/**
 * Starts an HTTP server that greets whoever has a valid access token, and says where to get one (RFC 9728).
 * @param {{ issuer: string, clientId: string, audience?: string }} provider
 * @returns {Promise<import("./protected-server.d.mts").ProtectedServer>}
 */
export async function startProtectedServer({ issuer, clientId, audience }) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const address = `http://127.0.0.1:${port}`;
  const resourceServer = createResourceServer({
    issuer,
    jwksUri: `${issuer}/jwks`,
    // Tokens name it by its address, and so it is the only one that they are good for.
    audience: audience ?? address,
    resource: address,
    // With these its address is all that a user needs.
    clientId,
    scopes: ["openid", "profile"],
    algorithms: ["RS256"],
    // Provider and server run on one machine, by one clock.
    clockToleranceSeconds: 0,
  });
  // Fetches the keys now rather than at the first call, so that the provider's log shows who asked for them.
  await resourceServer.health();
  const guard = expressMiddleware(resourceServer);
  server.on("request", (request, response) => {
    guard(request, response, () => {
      const { claims, username } = request.identity;
      response.setHeader("content-type", "text/plain; charset=utf-8");
      response.setHeader("cache-control", "no-store");
      response.end(`Hello, ${String(claims["name"] ?? username)}.`);
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
