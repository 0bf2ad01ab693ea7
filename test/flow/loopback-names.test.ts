// Names that count as this machine lead to this machine, whatever a resolver says. Changes when what counts as loopback
// does.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { OidcCredentialsAuth } from "../../src/index.ts";
import { createListeners, send } from "../support/callback-listener.ts";
import { canary, makeClient } from "../support/http-client.ts";
import { emptyHome, provider } from "./harness.ts";

// A resolver of the network, which this process can stand in for only here.
const dns = process.getBuiltinModule("node:dns");
const { lookup: realLookup } = dns;
const elsewhere = "127.0.0.2";
let resolved: Record<string, string> = {};

beforeEach(() => {
  resolved = {};
  const resolver = (name: string, options: unknown, callback: unknown): void => {
    const answer = resolved[name] ?? (name.endsWith("localhost") ? elsewhere : undefined);
    const [settings, told] =
      typeof options === "function" ? [{}, options] : [options as { all?: boolean }, callback];
    if (answer === undefined) (realLookup as (...all: unknown[]) => void)(name, settings, told);
    else if (settings.all === true) (told as Function)(null, [{ address: answer, family: 4 }]);
    else (told as Function)(null, answer, 4);
  };
  dns.lookup = resolver as unknown as typeof dns.lookup;
});
afterEach(() => {
  dns.lookup = realLookup;
});

const { open, closeAll } = createListeners();
afterEach(closeAll);

/** A server that remembers what was sent to it. */
async function serverAt(host: string, port = 0): Promise<{ port: number; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += String(piece)));
    request.on("end", () => {
      bodies.push(`${request.headers.host} ${body}`);
      response.end("{}");
    });
  });
  server.on("connect", (_request, socket) => {
    bodies.push("CONNECT");
    socket.destroy();
  });
  server.listen({ host, port });
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, bodies };
}

test.for([
  ["idp.localhost", "127.0.0.1", {}],
  ["a.b.localhost", "::1", {}],
  ["localhost", "127.0.0.1", {}],
  ["localhost", "::1", {}],
  ["idp.localhost", "127.0.0.1", { HTTP_PROXY: "http://127.0.0.1:9" }],
] as const)(
  "what is sent to %s comes to %s, and to no address that a resolver names [F-S5]",
  async ([name, address, environment]) => {
    const own = await serverAt(address);
    const stranger = await serverAt(elsewhere, own.port);
    const client = makeClient({ environment });
    const url = `http://${name}:${String(own.port)}/token`;
    const form = new URLSearchParams({ client_secret: canary });
    await client.send({ method: "POST", url, step: "token request", form });
    expect(own.bodies).toEqual([`${name}:${String(own.port)} client_secret=${canary}`]);
    expect(stranger.bodies).toEqual([]);
  },
);

test("a proxy that is called localhost is this machine's [F-S5]", async () => {
  const own = await serverAt("127.0.0.1");
  const stranger = await serverAt(elsewhere, own.port);
  const client = makeClient({
    environment: { HTTP_PROXY: `http://localhost:${String(own.port)}` },
    allowInsecureHttp: true,
  });
  const url = "http://id.example.com/token";
  await client.failure({ method: "POST", url, step: "token request", form: new URLSearchParams() });
  expect([own.bodies, stranger.bodies]).toEqual([["CONNECT"], []]);
});

test("a whole credential: the secret goes to this machine's provider [F-S5]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const stranger = await serverAt(elsewhere, identityProvider.port);
  const { clientId, clientSecret } = identityProvider.clients.confidentialPost;
  const issuer = `http://idp.localhost:${String(identityProvider.port)}`;
  const auth = new OidcCredentialsAuth({
    issuer,
    tokenEndpoint: `${issuer}/token`,
    clientId,
    clientSecret,
  });
  expect((await auth.getToken()).source).toBe("login");
  expect(stranger.bodies).toEqual([]);
});

test("a listener on a name below localhost has both loopback addresses, and no other [F-S5][L01][L02]", async () => {
  resolved["app.localhost"] = "0.0.0.0";
  const listener = await open({ host: "app.localhost" });
  expect(listener.authority).toBe(`app.localhost:${String(listener.port)}`);
  const headers = { host: listener.authority };
  for (const host of ["127.0.0.1", "::1"]) {
    expect((await send(listener, "/callback", { host, headers })).status).toBe(400);
  }
  await expect(send(listener, "/callback", { host: elsewhere, headers })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
  expect(listener.isExposed).toBe(false);
});

test.for([
  ["0.0.0.0", true],
  ["::", true],
  ["127.0.0.1", false],
  ["::1", false],
  ["localhost", false],
  ["own-name.example", false],
  ["public-name.example", true],
] as const)(
  "the address that was bound decides whether %s is exposed: %s [F-S5]",
  async ([host, exposed]) => {
    resolved["own-name.example"] = "127.0.0.1";
    resolved["public-name.example"] = "0.0.0.0";
    expect((await open({ host })).isExposed).toBe(exposed);
  },
);
