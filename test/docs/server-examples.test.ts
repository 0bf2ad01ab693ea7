// The examples of servers, each with its real framework: a token is greeted, and none is refused. Changes when one of them does.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { ResourceServer, ResourceServerEvent } from "../../src/server.ts";
import { freePort } from "../support/free-port.ts";
import { acceptedToken } from "../support/mounted-server.ts";
import { signingKey, startTokenIssuer, type TokenIssuer } from "../support/token-issuer.ts";

const examples = new URL("../../examples/", import.meta.url);
const audience = "https://api.example.com";
const key = signingKey("one");
let issuer: TokenIssuer;
let authorization: string;

beforeAll(async () => {
  issuer = await startTokenIssuer(key.jwk);
  authorization = `Bearer ${acceptedToken(key, issuer, audience)}`;
});
afterAll(() => issuer.close());

const environment = (): Record<string, string> => ({ ISSUER: issuer.issuer, AUDIENCE: audience });

/** Starts an example, and gives the address that it prints. */
async function serve(name: string): Promise<string> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(name, examples))], {
    env: { PATH: process.env["PATH"], PORT: String(await freePort()), ...environment() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [address] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return address.trim();
}

/** An example that is a module. */
async function load(name: string): Promise<Readonly<Record<string, unknown>>> {
  for (const [variable, value] of Object.entries(environment())) vi.stubEnv(variable, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return (await import(new URL(name, examples).href)) as Readonly<Record<string, unknown>>;
}

test.each(["server-express.mjs", "server-fastify.mjs"])(
  "%s greets whoever has a token",
  async (name) => {
    const address = await serve(name);
    const greeted = await fetch(`${address}/hello`, { headers: { authorization } });
    expect([greeted.status, await greeted.text()]).toEqual([200, "Hello, alice."]);
    const refused = await fetch(`${address}/hello`);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Bearer /),
    ]);
    if (name !== "server-express.mjs") return;
    // The token's scope is `read`.
    const edited = await fetch(`${address}/edit`, { method: "POST", headers: { authorization } });
    expect(edited.status).toBe(403);
  },
);

test("server-hono.mjs greets whoever has a token, and has a route for everybody", async () => {
  const { default: app } = await load("server-hono.mjs");
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<unknown[]> => {
    const request = new Request(`https://api.example.com${path}`, { headers });
    const response = await (app as { fetch: (request: Request) => Promise<Response> }).fetch(
      request,
    );
    return [response.status, await response.text()];
  };
  expect(await ask("/hello", { authorization })).toEqual([200, "Hello, alice."]);
  expect(await ask("/hello")).toEqual([401, expect.anything()]);
  expect(await ask("/free")).toEqual([200, "For everybody."]);
});

test("server-grpc.mjs greets whoever has a token", async () => {
  const address = await serve("server-grpc.mjs");
  const client = new Client(new URL(address).host, credentials.createInsecure());
  onTestFinished(() => client.close());
  const hello = (metadata: Metadata): Promise<unknown> =>
    new Promise((resolve) => {
      const path = "/example.Greeter/Hello";
      const serialize = (value: string): Buffer => Buffer.from(value);
      client.makeUnaryRequest(path, serialize, String, "hello", metadata, (error, said) =>
        resolve(error?.code ?? said),
      );
    });
  const metadata = new Metadata();
  metadata.set("authorization", authorization);
  expect(await hello(metadata)).toBe("Hello, alice.");
  expect(await hello(new Metadata())).toBe(status.UNAUTHENTICATED);
});

test("server-websocket.mjs greets whoever has a token", async () => {
  const address = (await serve("server-websocket.mjs")).replace("http:", "ws:");
  const open = new WebSocket(address, { headers: { authorization } });
  const [said] = (await once(open, "message")) as [Buffer];
  open.terminate();
  expect(String(said)).toBe("Hello, alice.");
  const closed = new WebSocket(address);
  const [error] = (await once(closed, "error")) as [Error];
  expect(error.message).toContain("401");
});

test("server-issuers.mjs and server-introspection.mjs accept a token by its signature", async () => {
  for (const name of ["server-issuers.mjs", "server-introspection.mjs"]) {
    const { resourceServer } = await load(name);
    const server = resourceServer as ResourceServer;
    const [, token = ""] = authorization.split(" ");
    expect(await server.verify(token)).toMatchObject({ subject: "alice", issuer: issuer.issuer });
    await expect(server.verify(`${token}x`)).rejects.toMatchObject({ code: "invalid_token" });
  }
});

test("server-telemetry.mjs counts what was judged, and times what was waited for", async () => {
  const { telemetry } = await load("server-telemetry.mjs");
  const told: [string, number, Record<string, unknown>][] = [];
  const meter = {
    createCounter: (name: string) => ({
      add: (value: number, attributes: Record<string, unknown>) =>
        told.push([name, value, attributes]),
    }),
    createHistogram: (name: string) => ({
      record: (value: number, attributes: Record<string, unknown>) =>
        told.push([name, value, attributes]),
    }),
  };
  const tell = (telemetry as (meter: unknown) => (event: ResourceServerEvent) => void)(meter);
  tell({ type: "verified", issuer: "https://a.example", remembered: false });
  tell({ type: "refused", code: "invalid_token", reason: "expired" });
  tell({
    type: "keys",
    issuer: "https://a.example",
    fetched: true,
    milliseconds: 7,
  });
  expect(told.map(([name, value]) => [name, value])).toEqual([
    ["access_tokens", 1],
    ["access_tokens", 1],
    ["provider_requests", 7],
  ]);
});
