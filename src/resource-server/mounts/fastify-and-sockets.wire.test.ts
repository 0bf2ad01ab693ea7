// The mounts in Fastify and in front of WebSockets of the package ws.
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Server } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { acceptedToken, mountedServer } from "../../../test/support/mounted-server.ts";
import {
  signingKey,
  startTokenIssuer,
  type TokenIssuer,
} from "../../../test/support/token-issuer.ts";
import type { Identity, ResourceServer, ResourceServerOptions } from "../resource-server-types.ts";
import { fastifyPlugin } from "./fastify-plugin.ts";
import { upgradeHandler } from "./upgrade-handler.ts";

declare module "fastify" {
  interface FastifyRequest {
    identity: Identity;
  }
}

const audience = "https://api.example.com";
const wellKnown = "/.well-known/oauth-protected-resource";
const challenge = `Bearer scope="read", resource_metadata="${audience}${wellKnown}"`;
const key = signingKey("one");
let issuer: TokenIssuer;
let resourceServer: ResourceServer;
beforeAll(async () => {
  issuer = await startTokenIssuer(key.jwk);
  resourceServer = make();
});
afterAll(() => issuer.close());

function make(options: Partial<ResourceServerOptions> = {}): ResourceServer {
  return mountedServer(issuer, audience, options);
}

function token(claims: Readonly<Record<string, unknown>> = {}): string {
  return acceptedToken(key, issuer, audience, claims);
}

async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const bearer = (text = token()) => ({ authorization: `Bearer ${text}` });

describe("Fastify", () => {
  async function app(
    set: (instance: FastifyInstance) => void = (instance) => {
      instance.register(fastifyPlugin(resourceServer));
    },
  ): Promise<FastifyInstance> {
    const instance = fastify();
    onTestFinished(() => instance.close());
    set(instance);
    instance.get("/me", (request) => ({ who: request.identity.username }));
    instance.register((scope, _options, done) => {
      scope.register(fastifyPlugin(resourceServer, { requiredScopes: ["write"] }));
      scope.get("/write", (request) => ({ wrote: request.identity.subject }));
      done();
    });
    await instance.ready();
    return instance;
  }

  test("an accepted token goes through with its identity", async () => {
    const answer = await (await app()).inject({ url: "/me", headers: bearer() });
    expect([answer.statusCode, answer.json()]).toEqual([200, { who: "alice" }]);
  });

  test("the document is served to everybody, on its path alone [K21] [K22]", async () => {
    const instance = await app();
    const document = await instance.inject({ url: `${wellKnown}?x=1`, headers: { host: "evil" } });
    expect([document.statusCode, document.json()]).toMatchObject([
      200,
      { resource: audience, client_id: "cli" },
    ]);
    const beside = await instance.inject({ url: `/me?x=${wellKnown}` });
    expect(beside.statusCode).toBe(401);
  });

  test("refusals: status, challenge, and one word, before any handler [K15] [K17]", async () => {
    let handled = 0;
    const instance = await app((each) => {
      each.register(fastifyPlugin(resourceServer));
      each.addHook("preHandler", (_request, _reply, done) => {
        handled += 1;
        done();
      });
    });
    const none = await instance.inject({ url: "/me" });
    expect([none.statusCode, none.headers["www-authenticate"], none.json()]).toEqual([
      401,
      challenge,
      { error: "invalid_token" },
    ]);
    expect(
      (await instance.inject({ url: "/me?access_token=x", headers: bearer() })).statusCode,
    ).toBe(400);
    expect((await instance.inject({ url: "/nowhere" })).statusCode).toBe(401);
    expect(handled).toBe(0);
  });

  test("a route that demands more, behind the plugin of all", async () => {
    const instance = await app();
    const narrow = await instance.inject({ url: "/write", headers: bearer() });
    expect([narrow.statusCode, narrow.headers["www-authenticate"]]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="read write", resource_metadata="${audience}${wellKnown}"`,
    ]);
    const wide = bearer(token({ scope: "read write" }));
    expect((await instance.inject({ url: "/write", headers: wide })).json()).toEqual({
      wrote: "alice",
    });
  });

  test("[K21] what is not a refusal is an error of the request", async () => {
    const fault = () => Promise.reject(new Error("a fault"));
    const failing = { ...make(), verify: fault, verifyRequest: fault, assertDemands: () => {} };
    const instance = await app((each) => {
      each.register(fastifyPlugin(failing));
    });
    expect((await instance.inject({ url: "/me", headers: bearer() })).statusCode).toBe(500);
  });
});

describe("WebSockets", () => {
  async function start(
    server = resourceServer,
  ): Promise<{ port: number; upgrades: string[]; http: Server }> {
    const upgrades: string[] = [];
    const sockets = new WebSocketServer({ noServer: true });
    const http = createServer();
    http.on(
      "upgrade",
      upgradeHandler(server, (request: IncomingMessage, socket, head, identity) => {
        upgrades.push(identity.subject);
        sockets.handleUpgrade(request, socket, head, (each) => {
          each.on("message", (text: Buffer) =>
            each.send(`${identity.username}: ${text.toString()}`),
          );
        });
      }),
    );
    onTestFinished(() => {
      for (const each of sockets.clients) each.terminate();
    });
    return { port: await listening(http), upgrades, http };
  }

  /** What a client of the package sees: a message, or the answer in place of the upgrade. */
  async function connectTo(
    port: number,
    headers: Readonly<Record<string, string>>,
    path = "/live",
  ): Promise<string | IncomingMessage> {
    const socket = new WebSocket(`ws://127.0.0.1:${String(port)}${path}`, { headers });
    const refused = new Promise<IncomingMessage>((resolve) => {
      socket.on("unexpected-response", (_request, response) => {
        response.resume();
        response.on("end", () => resolve(response));
      });
    });
    socket.on("open", () => socket.send("hello"));
    const message = once(socket, "message").then(([text]) => String(text));
    message.catch(() => undefined);
    return Promise.race([refused, message]);
  }

  test("an accepted token is upgraded, and its identity handed on", async () => {
    const { port } = await start();
    expect(await connectTo(port, bearer())).toBe("alice: hello");
  });

  test("everybody else is answered in place of the upgrade [K15] [K17]", async () => {
    const { port, upgrades } = await start();
    const none = (await connectTo(port, {})) as IncomingMessage;
    expect([none.statusCode, none.headers["www-authenticate"]]).toEqual([401, challenge]);
    const narrow = await connectTo(port, bearer(token({ scope: "" })));
    expect((narrow as IncomingMessage).statusCode).toBe(403);
    const query = await connectTo(port, {}, `/live?access_token=${token()}`);
    expect((query as IncomingMessage).statusCode).toBe(400);
    expect(upgrades).toEqual([]);
  });

  test("[K21] a fault is a 500 without a word, and no upgrade", async () => {
    const fault = () => Promise.reject(new Error("a fault"));
    const { port, upgrades } = await start({
      ...make(),
      verifyRequest: fault,
      verify: fault,
      assertDemands: () => {},
    });
    const answer = (await connectTo(port, bearer())) as IncomingMessage;
    expect([answer.statusCode, upgrades]).toEqual([500, []]);
  });

  test("who went away while the token was verified is not upgraded, and ends nothing", async () => {
    const moments = new EventEmitter();
    const gone = once(moments, "gone");
    const slow: ResourceServer = {
      ...make(),
      verify: (text) => resourceServer.verify(text),
      verifyRequest: async (request) => {
        moments.emit("asked");
        await gone;
        return resourceServer.verifyRequest(request);
      },
      assertDemands: () => undefined,
    };
    const { port, upgrades, http } = await start(slow);
    http.once("connection", (socket) => socket.once("close", () => moments.emit("gone")));
    const asked = once(moments, "asked");
    const socket = connect(port, "127.0.0.1");
    socket.write(
      `GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer ${token()}\r\n\r\n`,
    );
    await asked;
    socket.resetAndDestroy();
    await gone;
    expect(await connectTo(port, bearer())).toBe("alice: hello");
    expect(upgrades).toEqual(["alice"]);
  });
});
