// Whose connections requests go over, and for how long one is used. Changes when that does.

import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import * as net from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Agent, getGlobalDispatcher, setGlobalDispatcher, type Dispatcher } from "undici";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { makeClient, metadataRequest, tokenRequest } from "../../test/support/http-client.ts";

/** A firewall on the way that forgets connections: what is sent over a forgotten one goes nowhere, without a word. */
async function startMiddlebox(port: number) {
  const pairs = new Set<{ client: net.Socket; server: net.Socket }>();
  let connections = 0;
  const box = net.createServer((client) => {
    connections += 1;
    const server = net.connect(port, "127.0.0.1");
    pairs.add({ client, server });
    for (const socket of [client, server]) socket.on("error", () => {});
    client.pipe(server).pipe(client);
  });
  box.listen(0, "127.0.0.1");
  await once(box, "listening");
  onTestFinished(() => {
    box.close();
    for (const { client, server } of pairs) [client, server].forEach((socket) => socket.destroy());
  });
  return {
    origin: `http://127.0.0.1:${(box.address() as net.AddressInfo).port}`,
    connections: () => connections,
    forget: () => {
      for (const { client, server } of pairs) {
        client.unpipe(server).resume();
        server.unpipe(client).resume();
      }
    },
  };
}

/** A server that promises to keep connections for ten minutes. */
async function startPatientServer(): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ""} ${request.url?.split("?")[0] ?? ""}`);
    request
      .resume()
      .once("end", () => response.setHeader("content-type", "application/json").end("{}"));
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, requests };
}

/** undici frees a connection in the turn after its answer's end. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test.each([
  ["Node's own connections", undefined],
  ["undici's", "a bundle"],
])(
  "[F-T4] a connection that rested while a person signed in is not used for the code: %s",
  async (_what, bundle) => {
    const { port, requests } = await startPatientServer();
    const middlebox = await startMiddlebox(port);
    const authority = bundle === undefined ? undefined : await makeCertificateAuthority();
    const client = makeClient({ caCertPath: authority?.caPath });
    await client.send(metadataRequest(middlebox.origin));
    await turn();
    await client.clock.sleep(5000);
    middlebox.forget();
    const answer = await client.send({
      ...tokenRequest(middlebox.origin),
      signal: AbortSignal.timeout(10_000),
    });
    expect([answer.status, middlebox.connections()]).toEqual([200, 2]);
    expect(requests).toEqual(["GET /metadata", "POST /token"]);
    await authority?.dispose();
  },
);

test("[F-T4] requests that follow each other share a connection", async () => {
  const { port } = await startPatientServer();
  const middlebox = await startMiddlebox(port);
  const client = makeClient();
  for (let count = 0; count < 3; count += 1) {
    await client.send(metadataRequest(middlebox.origin));
    await turn();
    await client.clock.sleep(3000);
  }
  expect(middlebox.connections()).toBe(1);
});

/** Puts a dispatcher in the place of the one that all requests of this process share, for one test. */
function replaceGlobalDispatcher(dispatcher: Dispatcher): void {
  const before = getGlobalDispatcher();
  setGlobalDispatcher(dispatcher);
  onTestFinished(() => setGlobalDispatcher(before));
}

/** A server that nobody has a reason to trust. */
async function startStranger(): Promise<{ origin: string; requests: () => number }> {
  const authority = await makeCertificateAuthority();
  let requests = 0;
  const server = createSecureServer(
    { key: authority.key, cert: authority.certificate },
    (_request, response) => {
      requests += 1;
      response.setHeader("content-type", "application/json").end("{}");
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await authority.dispose();
  });
  const { port } = server.address() as net.AddressInfo;
  return { origin: `https://127.0.0.1:${port}`, requests: () => requests };
}

test("[F-S3] an embedding program that verifies nothing, and has a connection open, verifies nothing for us", async () => {
  const stranger = await startStranger();
  replaceGlobalDispatcher(new Agent({ connect: { rejectUnauthorized: false } }));
  expect((await fetch(stranger.origin)).status).toBe(200);
  const error = await makeClient().failure(tokenRequest(stranger.origin));
  expect([error.code, stranger.requests()]).toEqual(["tls", 1]);
});

test("[F-S3] a dispatcher of any other kind is not asked at all", async () => {
  const stranger = await startStranger();
  const insecure = new Agent({ connect: { rejectUnauthorized: false } });
  let asked = 0;
  class Interceptor extends Agent {
    override dispatch(...parameters: Parameters<Agent["dispatch"]>): boolean {
      asked += 1;
      return insecure.dispatch(...parameters);
    }
  }
  replaceGlobalDispatcher(new Interceptor());
  await fetch(stranger.origin);
  const error = await makeClient().failure(tokenRequest(stranger.origin));
  expect([error.code, asked, stranger.requests()]).toEqual(["tls", 1, 1]);
});
