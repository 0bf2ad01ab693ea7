// A server's protected resource metadata, as honest and as hostile servers have it. Changes with how they are read.

import { afterEach, expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import { worded } from "../core/wording.ts";
import { makeClient } from "../../test/support/http-client.ts";
import {
  reply,
  startHostileServer,
  type Behaviour,
  type HostileServer,
} from "../../test/support/hostile-server.ts";
import { resourceConfigSource, resourceMetadataForms } from "./protected-resource.ts";
import type { ServerConfig } from "./server-config.ts";

const open: HostileServer[] = [];
const warnings: string[] = [];
afterEach(async () => {
  warnings.length = 0;
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const issuer = "https://login.example.net";

/** A server whose documents are given by their targets; anything else is 404. */
async function serve(
  documents: (origin: string) => Readonly<Record<string, unknown>>,
): Promise<HostileServer> {
  const server = await startHostileServer((socket, request, index) => {
    const document = documents(server.origin)[request.target];
    const behave: Behaviour =
      typeof document === "function"
        ? (document as Behaviour)
        : document === undefined
          ? reply(404)
          : reply(200, { "content-type": "application/json" }, JSON.stringify(document));
    behave(socket, request, index);
  });
  open.push(server);
  return server;
}

async function ask(address: string, preferred?: string): Promise<ServerConfig> {
  const source = resourceConfigSource(address, makeClient(), {
    preferredIssuer: () => Promise.resolve(preferred),
    warn: (code, said) => warnings.push(`${code}: ${worded(said)}`),
  });
  return source.ask(undefined);
}

async function failureOf(asked: Promise<unknown>): Promise<readonly [string, string | undefined]> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) throw new Error("no OidcError was thrown");
  return [error.code, error.reason];
}

const root = "/.well-known/oauth-protected-resource";

test("the forms: RFC 9728's, the appended one, and the root's, which speaks for the origin alone", () => {
  expect(resourceMetadataForms("https://api.example.com/graph/v1")).toEqual([
    {
      url: `https://api.example.com${root}/graph/v1`,
      resource: "https://api.example.com/graph/v1",
    },
    {
      url: `https://api.example.com/graph/v1${root}`,
      resource: "https://api.example.com/graph/v1",
    },
    { url: `https://api.example.com${root}`, resource: "https://api.example.com" },
  ]);
  expect(resourceMetadataForms("https://api.example.com")).toEqual([
    { url: `https://api.example.com${root}`, resource: "https://api.example.com" },
  ]);
});

test("what a server says: issuer, client, scopes, audience, and its resource as published, and no secret [D15]", async () => {
  const server = await serve((origin) => ({
    [root]: {
      resource: `${origin}/`,
      authorization_servers: [issuer],
      client_id: "graph-cli",
      audience: "graph",
      scopes: ["graph.read", "graph.write"],
      scopes_supported: ["everything"],
      client_secret: "not ours",
    },
  }));
  expect(await ask(server.origin)).toEqual({
    issuer,
    clientId: "graph-cli",
    scopes: ["graph.read", "graph.write"],
    audience: "graph",
    resource: `${server.origin}/`,
  });
  expect(server.requests).toHaveLength(1);
  expect(warnings).toEqual([expect.stringContaining("also says client_secret: a server does not")]);
});

test.each([
  ["RFC 9728", (path: string) => `${root}${path}`, (origin: string) => `${origin}/graph`],
  ["appended", (path: string) => `${path}${root}`, (origin: string) => `${origin}/graph`],
  ["root", () => root, (origin: string) => origin],
])("a server with a path is found by the form: %s", async (_name, target, resource) => {
  const server = await serve((origin) => ({
    [target("/graph")]: { resource: resource(origin), authorization_servers: [issuer] },
  }));
  expect(await ask(`${server.origin}/graph`)).toMatchObject({ issuer, clientId: "" });
});

test.each([
  ["about another server", (origin: string) => ({ resource: `${origin}.example.com` })],
  ["about a part of it", (origin: string) => ({ resource: `${origin}/graph` })],
  ["without one", () => ({})],
  ["that is no text", () => ({ resource: ["x"] })],
])("a document %s is not used: resource_mismatch [D11]", async (_name, members) => {
  const server = await serve((origin) => ({
    [root]: { authorization_servers: [issuer], ...members(origin) },
  }));
  expect(await failureOf(ask(server.origin))).toEqual(["resource_mismatch", undefined]);
});

test("the root's document speaks for no path", async () => {
  const server = await serve((origin) => ({
    [root]: { resource: `${origin}/graph`, authorization_servers: [issuer] },
  }));
  expect(await failureOf(ask(`${server.origin}/graph`))).toEqual(["resource_mismatch", undefined]);
});

test("of several providers only one that was chosen before counts [D13]", async () => {
  const server = await serve((origin) => ({
    [root]: { resource: origin, authorization_servers: [issuer, "https://other.example.net"] },
  }));
  expect(await failureOf(ask(server.origin))).toEqual(["server_config_failed", "several_issuers"]);
  expect(await failureOf(ask(server.origin, "https://third.example.net"))).toEqual([
    "server_config_failed",
    "several_issuers",
  ]);
  expect(await ask(server.origin, "https://other.example.net")).toMatchObject({
    issuer: "https://other.example.net",
  });
});

test.each([
  ["no provider", { authorization_servers: [] }, "not_found"],
  ["a text in place of a list", { authorization_servers: issuer }, "malformed"],
  [
    "http: beyond loopback [D02]",
    { authorization_servers: ["http://login.example.net"] },
    "malformed",
  ],
  ["javascript: [D05]", { authorization_servers: ["javascript:alert(1)"] }, "malformed"],
  ["a user name [D02]", { authorization_servers: ["https://a@login.example.net"] }, "malformed"],
  ["a client that is a number", { client_id: 7 }, "malformed"],
  ["a client with an escape code", { client_id: "\u001b[2J" }, "malformed"],
  ["a scope with a space in it", { scopes: ["a", 'b"c'] }, "malformed"],
  [
    "scopes without end [D17]",
    { scopes_supported: Array.from({ length: 51 }, (_, at) => `s${at}`) },
    "malformed",
  ],
])("%s is server_config_failed", async (_name, members, reason) => {
  const server = await serve((origin) => ({
    [root]: { resource: origin, authorization_servers: [issuer], ...members },
  }));
  expect(await failureOf(ask(server.origin))).toEqual(["server_config_failed", reason]);
});

test.each([
  ["a failure", reply(500), "server_config_failed", "server_error"],
  [
    "a web page",
    reply(200, { "content-type": "text/html" }, "<html>"),
    "server_config_failed",
    "not_found",
  ],
  [
    "a redirect to another host [D04]",
    reply(302, { location: "https://evil.example/" }),
    "redirect_refused",
    undefined,
  ],
  [
    "ten million bytes [D19]",
    reply(200, {}, Buffer.alloc(10_000_000, "x")),
    "response_too_large",
    undefined,
  ],
] as const)("%s ends it, and no other form is tried", async (_name, behave, code, reason) => {
  const server = await serve(() => ({ [root]: behave }));
  expect(await failureOf(ask(server.origin))).toEqual([code, reason]);
});

test("after a transport failure no other form is tried [N09]", async () => {
  const server = await serve(() => ({
    [`${root}/graph`]: (socket: { destroy(): void }) => socket.destroy(),
  }));
  const [code] = await failureOf(ask(`${server.origin}/graph`));
  expect(code).toBe("network");
  expect(new Set(server.requests.map(({ target }) => target))).toEqual(new Set([`${root}/graph`]));
});
