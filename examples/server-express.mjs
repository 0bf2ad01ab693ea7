// examples/server-express.mjs: Express. Connect takes the same middleware, and so does a plain server of `node:http`.
import express from "express";
import { createResourceServer, expressMiddleware } from "latchkey/server";

const { ISSUER, AUDIENCE, PORT = "8080" } = process.env;
const resourceServer = createResourceServer({ issuer: ISSUER, audience: AUDIENCE });

const app = express();
app.use(expressMiddleware(resourceServer));
app.get("/hello", (request, response) => response.send(`Hello, ${request.identity.username}.`));
// One route may demand more than the others.
const editors = expressMiddleware(resourceServer, { requiredScopes: ["api:write"] });
app.post("/edit", editors, (request, response) => response.send("Edited."));
app.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));
