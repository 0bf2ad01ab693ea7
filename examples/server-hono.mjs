// examples/server-hono.mjs: Hono, and whatever else speaks the Fetch API: Bun, Deno, Next take `fetchHandler` alone.
import { Hono } from "hono";
import { createResourceServer, fetchHandler } from "latchkey/server";

const { ISSUER, AUDIENCE } = process.env;
const resourceServer = createResourceServer({ issuer: ISSUER, audience: AUDIENCE });
const guarded = fetchHandler(resourceServer, async (request, identity) => {
  return new Response(`Hello, ${identity.username}.`);
});

const app = new Hono();
app.get("/free", (context) => context.text("For everybody."));
app.all("*", (context) => guarded(context.req.raw));
export default app;
