// Whose connections requests go over, and for how long one is used. Changes when that does.

import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import * as net from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { makeClient, metadataRequest, tokenRequest } from "../../test/support/http-client.ts";

/** A firewall on the way that forgets connections: what is sent over a forgotten one goes nowhere, without a word. */
async function startMiddlebox(port: number, scheme = "http") {
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
    origin: `${scheme}://127.0.0.1:${(box.address() as net.AddressInfo).port}`,
    connections: () => connections,
    /** Of a connection that is yet to come. */
    nextClose: () =>
      new Promise<void>((resolve) =>
        box.on("connection", (client: net.Socket) => client.once("close", () => resolve())),
      ),
    forget: () => {
      for (const { client, server } of pairs) {
        client.unpipe(server).resume();
        server.unpipe(client).resume();
      }
    },
  };
}

/** A server that promises to keep connections for ten minutes. */
async function startPatientServer(isSecure = false) {
  const requests: string[] = [];
  const authority = isSecure ? await makeCertificateAuthority() : undefined;
  const answer: RequestListener = (request, response) => {
    requests.push(`${request.method ?? ""} ${request.url?.split("?")[0] ?? ""}`);
    request
      .resume()
      .once("end", () => response.setHeader("content-type", "application/json").end("{}"));
  };
  const server =
    authority === undefined
      ? createServer(answer)
      : createSecureServer({ key: authority.key, cert: authority.certificate }, answer);
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await authority?.dispose();
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    requests,
    caCertPath: authority?.caPath,
    scheme: isSecure ? "https" : "http",
  };
}

test.each([
  ["http:", false],
  ["https:", true],
])(
  "[F-T4] a connection that rested while a person signed in is not used for the code: %s",
  async (_scheme, isSecure) => {
    const { port, requests, caCertPath, scheme } = await startPatientServer(isSecure);
    const middlebox = await startMiddlebox(port, scheme);
    const client = makeClient({ caCertPath });
    await client.send(metadataRequest(middlebox.origin));
    await client.clock.sleep(5000);
    middlebox.forget();
    const answer = await client.send({
      ...tokenRequest(middlebox.origin),
      signal: AbortSignal.timeout(10_000),
    });
    expect([answer.status, middlebox.connections()]).toEqual([200, 2]);
    expect(requests).toEqual(["GET /metadata", "POST /token"]);
  },
);

test.each([
  ["http:", false],
  ["https:", true],
])("[F-T4] requests that follow each other share a connection: %s", async (_scheme, isSecure) => {
  const { port, caCertPath, scheme } = await startPatientServer(isSecure);
  const middlebox = await startMiddlebox(port, scheme);
  const client = makeClient({ caCertPath });
  const warned: Error[] = [];
  const hear = (warning: Error): number => warned.push(warning);
  process.on("warning", hear);
  onTestFinished(() => void process.off("warning", hear));
  for (let count = 0; count < 20; count += 1) {
    await client.send(
      count % 2 === 0 ? metadataRequest(middlebox.origin) : tokenRequest(middlebox.origin),
    );
    await client.clock.sleep(3000);
  }
  expect(middlebox.connections()).toBe(1);
  // Of listeners that were left behind at the socket.
  expect(warned).toEqual([]);
});

test("requests at the same time have a connection each, and one is kept", async () => {
  const { port } = await startPatientServer();
  const middlebox = await startMiddlebox(port);
  const client = makeClient();
  const closed = middlebox.nextClose();
  const both = () =>
    Promise.all([
      client.send(metadataRequest(middlebox.origin)),
      client.send(tokenRequest(middlebox.origin)),
    ]);
  await both();
  expect(middlebox.connections()).toBe(2);
  await closed;
  await both();
  expect(middlebox.connections()).toBe(3);
});

/** A server whose answers are the given texts, one for each request, over connections that it keeps. */
async function startScriptedServer(answers: readonly string[]) {
  const sockets: net.Socket[] = [];
  let requests = 0;
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket
      .on("error", () => {})
      .on("data", () => {
        socket.write(answers[requests] ?? "");
        requests += 1;
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { origin: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, sockets };
}

const empty = (more = "") => `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${more}\r\n{}`;

test.each([
  ["says that it closes it", empty("connection: close\r\n")],
  ["keeps it for a second", empty("keep-alive: timeout=1\r\n")],
  ["speaks HTTP/1.0", empty().replace("1.1", "1.0")],
])("a connection is not used again where the server %s", async (_what, answer) => {
  const { origin, sockets } = await startScriptedServer([answer, answer]);
  const client = makeClient();
  await client.send(metadataRequest(origin));
  await client.send(metadataRequest(origin));
  expect(sockets).toHaveLength(2);
});

test("what a server says unasked is not taken for the next answer", async () => {
  const { origin, sockets } = await startScriptedServer([empty(), empty()]);
  const client = makeClient();
  await client.send(metadataRequest(origin));
  const [first] = sockets;
  const closed = new Promise((resolve) => first?.once("close", resolve));
  first?.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
  await closed;
  expect((await client.send(metadataRequest(origin))).status).toBe(200);
  expect(sockets).toHaveLength(2);
});
