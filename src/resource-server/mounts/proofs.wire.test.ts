// Tokens that are bound to a key or a certificate, over every HTTP mount.
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { createServer as createSecureServer, request as httpsRequest } from "node:https";
import { createHash, X509Certificate } from "node:crypto";
import type { AddressInfo, Server } from "node:net";
import express from "express";
import fastify from "fastify";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeCertificateAuthority } from "../../../test/support/certificates.ts";
import { proofOf } from "../../../test/support/proof-of-possession.ts";
import { acceptedToken, mountedServer } from "../../../test/support/mounted-server.ts";
import {
  signingKey,
  startTokenIssuer,
  type TokenIssuer,
} from "../../../test/support/token-issuer.ts";
import { parseKeySet } from "../../keys/public-key.ts";
import { thumbprintOf } from "../../keys/thumbprint.ts";
import type { Identity, ResourceServer, ResourceServerOptions } from "../resource-server-types.ts";
import { expressMiddleware, type MiddlewareRequest } from "./express-middleware.ts";
import { fastifyPlugin } from "./fastify-plugin.ts";
import { fetchHandler } from "./fetch-handler.ts";

declare module "fastify" {
  interface FastifyRequest {
    identity: Identity;
  }
}

const audience = "https://api.example.com";
const key = signingKey("one");
const client = signingKey("client");
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

function boundToken(): string {
  const [parsed] = parseKeySet({ keys: [client.jwk] }) ?? [];
  return token({ cnf: { jkt: parsed === undefined ? "" : thumbprintOf(parsed) } });
}

async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const bearer = (text = token()) => ({ authorization: `Bearer ${text}` });

describe("[K30] [K31] [K32] proofs over HTTP", () => {
  type Send = (
    fields: Readonly<Record<string, string>>,
  ) => Promise<{ status: number; headers: Headers }>;

  /** Sends to a real server what `Host` says is elsewhere. */
  function over(port: number): Send {
    return async (fields) => {
      const request = httpRequest({
        host: "127.0.0.1",
        port,
        path: "/api/me?x=1",
        headers: { ...fields, host: "evil.example.com" },
      });
      request.end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      response.resume();
      const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ]);
      return {
        status: response.statusCode ?? 0,
        headers: new Headers(headers),
      };
    };
  }

  const mounts: Readonly<Record<string, (server: ResourceServer) => Promise<Send>>> = {
    express: async (server) => {
      const app = express();
      app.use("/api", expressMiddleware(server));
      // Behind another one of the same server, the proof is not asked for again.
      app.get(
        "/api/me",
        expressMiddleware(server, { requiredScopes: ["read"] }),
        (request, response) => {
          response.send((request as MiddlewareRequest).identity?.subject);
        },
      );
      return over(await listening(createServer(app)));
    },
    fastify: async (server) => {
      const app = fastify();
      onTestFinished(() => app.close());
      app.register(fastifyPlugin(server));
      app.get("/api/me", (request) => request.identity.subject);
      await app.listen({ port: 0, host: "127.0.0.1" });
      return over((app.server.address() as AddressInfo).port);
    },
    fetch: (server) => {
      const handle = fetchHandler(server, (_request, { subject }) =>
        Response.redirect(`https://x.example/${subject}`, 302),
      );
      return Promise.resolve(async (fields) => {
        const request = new Request("http://evil.example.com/api/me?x=1", { headers: fields });
        const response = await handle(request);
        return { status: response.status, headers: response.headers };
      });
    },
  };

  test.each(Object.keys(mounts))(
    "%s: the address is the server's own, and a proof counts once",
    async (name) => {
      const send = await mounts[name]?.(make());
      if (send === undefined) throw new Error(name);
      const text = boundToken();
      const fields = (claims: object) => ({
        authorization: `DPoP ${text}`,
        dpop: proofOf(client, text, { htm: "GET", htu: `${audience}/api/me`, ...claims }),
      });
      const good = fields({});
      const accepted = await send(good);
      expect([200, 302]).toContain(accepted.status);
      expect(accepted.headers.get("dpop-nonce")).toBeNull();
      const again = await send(good);
      expect(again.status).toBe(401);
      expect(again.headers.get("www-authenticate")).toMatch(/^DPoP error="invalid_dpop_proof"/);
      expect((await send(fields({ htu: "http://evil.example.com/api/me" }))).status).toBe(401);
      expect((await send(fields({ htm: "POST" }))).status).toBe(401);
      expect((await send({ authorization: `Bearer ${text}` })).status).toBe(401);
    },
  );

  test.each(Object.keys(mounts))(
    "[K34] %s: nonces go with refusals and with answers",
    async (name) => {
      const send = await mounts[name]?.(make({ dpopNonces: true }));
      if (send === undefined) throw new Error(name);
      const text = boundToken();
      const fields = (claims: object) => ({
        authorization: `DPoP ${text}`,
        dpop: proofOf(client, text, { htm: "GET", htu: `${audience}/api/me`, ...claims }),
      });
      const refused = await send(fields({}));
      expect([refused.status, refused.headers.get("www-authenticate")?.slice(0, 27)]).toEqual([
        401,
        'DPoP error="use_dpop_nonce"',
      ]);
      const nonce = refused.headers.get("dpop-nonce");
      const accepted = await send(fields({ nonce }));
      expect([200, 302]).toContain(accepted.status);
      expect(accepted.headers.get("dpop-nonce")).toMatch(/^[\w-]{22}$/);
    },
  );
});

test("[K35] a token that is bound to a certificate needs it in the handshake", async () => {
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const guard = expressMiddleware(resourceServer);
  const server = createSecureServer(
    {
      key: authority.key,
      cert: authority.certificate,
      ca: authority.caPem,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request: MiddlewareRequest & IncomingMessage, response) =>
      guard(request, response, () => response.end(request.identity?.subject)),
  );
  const port = await listening(server);
  const leaf = await authority.clientLeaf();
  const { raw } = new X509Certificate(leaf.certificate);
  const thumbprint = createHash("sha256").update(raw).digest("base64url");
  const headers = bearer(token({ cnf: { "x5t#S256": thumbprint } }));
  const get = async (shown: object): Promise<number | undefined> => {
    const request = httpsRequest({
      host: "127.0.0.1",
      port,
      headers,
      ca: authority.caPem,
      agent: false,
      ...shown,
    });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect(await get({ key: leaf.key, cert: leaf.certificate })).toBe(200);
  expect(await get({})).toBe(401);
  const other = await authority.clientLeaf();
  expect(await get({ key: other.key, cert: other.certificate })).toBe(401);
});
