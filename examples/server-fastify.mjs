// examples/server-fastify.mjs: Fastify. The plugin counts for the instance that registers it, and for what is inside.
import fastify from "fastify";
import { createResourceServer, fastifyPlugin } from "latchkey/server";

const { ISSUER, AUDIENCE, PORT = "8080" } = process.env;
const resourceServer = createResourceServer({ issuer: ISSUER, audience: AUDIENCE });

const app = fastify();
await app.register(fastifyPlugin(resourceServer));
app.get("/hello", (request) => `Hello, ${request.identity.username}.`);
console.log(await app.listen({ port: Number(PORT), host: "127.0.0.1" }));
