// The mounts in the real frameworks: Express, a plain server of Node, and Hono.
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  signedToken,
  signingKey,
  startTokenIssuer,
  type TokenIssuer,
} from "../../../test/support/token-issuer.ts";
import type { ResourceServer } from "../resource-server-types.ts";
import { createResourceServer } from "../resource-server.ts";
import { expressMiddleware, type MiddlewareRequest } from "./express-middleware.ts";
import { fetchHandler } from "./fetch-handler.ts";

const wellKnown = "/.well-known/oauth-protected-resource";
const key = signingKey("one");
let issuer: TokenIssuer;
let resourceServer: ResourceServer;
const servers: Server[] = [];

beforeAll(async () => {
  issuer = await startTokenIssuer(key.jwk);
  resourceServer = createResourceServer({
    issuer: issuer.issuer,
    audience: "https://api.example.com",
    requiredScopes: ["read"],
    clientId: "cli",
  });
});
afterAll(() => {
  issuer.close();
  for (const server of servers) server.close();
});

function token(scope = "read"): string {
  const now = Math.floor(Date.now() / 1000);
  return signedToken(
    key,
    { alg: "ES256", kid: "one", typ: "at+jwt" },
    { iss: issuer.issuer, aud: "https://api.example.com", sub: "alice", exp: now + 60, scope },
  );
}

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

interface Answer {
  readonly status: number | undefined;
  readonly challenge: string | undefined;
  readonly body: string;
}

/** Sends headers as they are given, twice the same name included. */
async function get(port: number, path: string, headers: readonly string[] = []): Promise<Answer> {
  const request = httpRequest({
    host: "127.0.0.1",
    port,
    path,
    headers: ["Host", "x", ...headers],
  });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, challenge: response.headers["www-authenticate"], body };
}

function expressApp(): Server {
  const app = express();
  app.use("/api", expressMiddleware(resourceServer));
  app.get("/api/me", (request, response) => {
    response.json((request as MiddlewareRequest).identity);
  });
  app.use(expressMiddleware(resourceServer));
  return createServer(app);
}

function plainServer(): Server {
  const guard = expressMiddleware(resourceServer);
  return createServer((request: MiddlewareRequest & IncomingMessage, response) =>
    guard(request, response, () => response.end(JSON.stringify(request.identity))),
  );
}

describe.each([
  ["Express", expressApp],
  ["a plain server of Node", plainServer],
])("%s", (_name, make) => {
  let port: number;
  beforeAll(async () => {
    port = await listening(make());
  });

  test("an accepted token goes through with its identity", async () => {
    const { status, body } = await get(port, "/api/me", ["Authorization", `Bearer ${token()}`]);
    expect([status, JSON.parse(body)]).toMatchObject([200, { subject: "alice", scopes: ["read"] }]);
  });

  test("the document is served to everybody, on its path alone [K21] [K22]", async () => {
    const { status, body } = await get(port, wellKnown);
    expect([status, JSON.parse(body)]).toMatchObject([
      200,
      { resource: "https://api.example.com", client_id: "cli", scopes_supported: ["read"] },
    ]);
    for (const path of [`/api/me?x=${wellKnown}`, `${wellKnown}/x`, `/api/me#${wellKnown}`]) {
      expect((await get(port, path)).status).toBe(401);
    }
  });

  test("refusals: status, challenge, and one word [K15] [K17]", async () => {
    const none = await get(port, "/api/me");
    expect(none).toEqual({
      status: 401,
      challenge: `Bearer scope="read", resource_metadata="https://api.example.com${wellKnown}"`,
      body: '{"error":"invalid_token"}',
    });
    const good = ["Authorization", `Bearer ${token()}`];
    expect((await get(port, "/api/me", [...good, ...good])).status).toBe(400);
    expect((await get(port, "/api/me?access_token=x", good)).status).toBe(400);
    const narrow = await get(port, "/api/me", ["Authorization", `Bearer ${token("readwrite")}`]);
    expect([narrow.status, narrow.body]).toEqual([403, '{"error":"insufficient_scope"}']);
  });
});

test("[K21] what is not a refusal goes to the error handler of Express, and not on", async () => {
  const failing: ResourceServer = {
    advertisement: { issuer: "x", clientId: undefined, audience: undefined, scopes: [] },
    metadata: undefined,
    metadataPath: undefined,
    verify: () => Promise.reject(new Error("a fault")),
    verifyRequest: () => Promise.reject(new Error("a fault")),
    assertDemands: () => {
      throw new Error("a fault");
    },
    health: () => Promise.reject(new Error("a fault")),
  };
  const app = express();
  app.use(expressMiddleware(failing));
  app.get("/", (_request, response) => void response.send("let through"));
  app.use(((error: Error, _request, response, _next) => {
    response.status(500).send(error.message);
  }) as express.ErrorRequestHandler);
  const port = await listening(createServer(app));
  expect(await get(port, "/")).toMatchObject({ status: 500, body: "a fault" });
  await expect(
    fetchHandler(failing, () => new Response("x"))(new Request("http://x/")),
  ).rejects.toThrow("a fault");
});

describe("Hono", () => {
  const app = new Hono();
  app.all("*", (context) =>
    fetchHandler(resourceServer, (request, identity) =>
      Response.json({ path: new URL(request.url).pathname, subject: identity.subject }),
    )(context.req.raw),
  );
  const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });

  test("an accepted token goes through with its identity", async () => {
    const answer = await app.request("/me", bearer(token()));
    expect(await answer.json()).toEqual({ path: "/me", subject: "alice" });
  });

  test("the document, and refusals [K15] [K17]", async () => {
    expect(await (await app.request(wellKnown)).json()).toMatchObject({ client_id: "cli" });
    const none = await app.request("/me");
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([
      401,
      `Bearer scope="read", resource_metadata="https://api.example.com${wellKnown}"`,
    ]);
    const twice = new Headers();
    twice.append("authorization", `Bearer ${token()}`);
    twice.append("authorization", `Bearer ${token()}`);
    expect((await app.request("/me", { headers: twice })).status).toBe(400);
    expect((await app.request("/me?access_token=x", bearer(token()))).status).toBe(400);
    expect((await app.request(`/me?x=${wellKnown}`)).status).toBe(401);
    expect((await app.request("/me", bearer(token("other")))).status).toBe(403);
  });
});
