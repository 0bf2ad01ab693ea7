// examples/server-websocket.mjs: WebSockets, with `ws` or anything else that takes over an upgrade. Who has no accepted token
// is answered with 401 in its place. The token is taken from `Authorization` alone, never from the address.
import { createServer } from "node:http";
import { createResourceServer, upgradeHandler } from "latchkey/server";
import { WebSocketServer } from "ws";

const { ISSUER, AUDIENCE, PORT = "8080" } = process.env;
const resourceServer = createResourceServer({ issuer: ISSUER, audience: AUDIENCE });

const sockets = new WebSocketServer({ noServer: true });
const server = createServer((_request, response) => response.writeHead(404).end());
const take = upgradeHandler(resourceServer, (request, socket, head, identity) => {
  sockets.handleUpgrade(request, socket, head, (open) => open.send(`Hello, ${identity.username}.`));
});
server.on("upgrade", take);
server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));
