// What an embedding program does to what it shares with Latchkey changes nothing about the connections of Latchkey.

import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import type { CertificateAuthority, LeafCertificate } from "../../test/support/certificates.ts";
import { makeClient, metadataRequest, tokenRequest } from "../../test/support/http-client.ts";
import { polluteObjects } from "../../test/support/polluted-prototype.ts";

let authority: CertificateAuthority;

beforeAll(async () => {
  authority = await makeCertificateAuthority();
});
afterAll(() => authority.dispose());

/** A server that nobody has a reason to trust. */
async function startStranger(
  leaf: LeafCertificate = authority,
): Promise<{ origin: string; requests: () => number }> {
  let requests = 0;
  const server = https.createServer(
    { key: leaf.key, cert: leaf.certificate },
    (request, response) => {
      requests += 1;
      request.resume();
      response.setHeader("content-type", "application/json").end("{}");
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `https://127.0.0.1:${port}`, requests: () => requests };
}

/** What the embedding program gets from a server by Node's own client. */
function statusFor(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    https
      .get(url, (answer) => resolve(answer.resume().statusCode ?? 0))
      .on("error", ({ message }) => resolve(message));
  });
}

test("[F-S3] an agent of all that verifies nothing, and has a connection open, verifies nothing for us", async () => {
  const stranger = await startStranger();
  const before = https.globalAgent;
  https.globalAgent = new https.Agent({ rejectUnauthorized: false, keepAlive: true });
  onTestFinished(() => {
    https.globalAgent.destroy();
    https.globalAgent = before;
  });
  expect(await statusFor(stranger.origin)).toBe(200);
  const error = await makeClient().failure(tokenRequest(stranger.origin));
  expect([error.code, stranger.requests()]).toEqual(["tls", 1]);
});

test("[F-S3] a host's name is compared though the program compares none", async () => {
  const stranger = await startStranger(await authority.wrongHostLeaf());
  const before = tls.checkServerIdentity;
  tls.checkServerIdentity = () => undefined;
  onTestFinished(() => {
    tls.checkServerIdentity = before;
  });
  const client = makeClient({ caCertPath: authority.caPath });
  const error = await client.failure(tokenRequest(stranger.origin));
  expect([error.code, error.reason, stranger.requests()]).toEqual(["tls", "wrong_host", 0]);
});

test("[F-S3] options in the prototype of all objects are none of ours", async () => {
  const stranger = await startStranger();
  const undo = polluteObjects({
    ca: authority.caPem,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    secureContext: tls.createSecureContext({ ca: authority.caPem }),
  });
  expect(await statusFor(stranger.origin)).toBe(200);
  const error = await makeClient().failure(tokenRequest(stranger.origin));
  undo();
  expect([error.code, stranger.requests()]).toEqual(["tls", 1]);
});

test("[F-S3] nor is what Node's HTTP client would take from there", async () => {
  const heads: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    heads.push(request.headers);
    request.resume().once("end", () => response.end("{}"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const undo = polluteObjects({
    agent: new http.Agent(),
    auth: "somebody:else",
    path: "/nowhere.sock",
    socketPath: "/nowhere.sock",
  });
  const answer = await makeClient().send(metadataRequest(`http://127.0.0.1:${port}`));
  undo();
  expect([answer.status, heads.map(({ authorization }) => authorization)]).toEqual([
    200,
    [undefined],
  ]);
  server.closeAllConnections();
  server.close();
});

test("[F-S3] neither the program's fetch nor its agents, nor its lowest version are used", async () => {
  const stranger = await startStranger();
  const { fetch } = globalThis;
  const agent = http.globalAgent;
  let asked = 0;
  const ask = (): never => {
    asked += 1;
    throw new Error("not to be asked");
  };
  globalThis.fetch = ask;
  http.globalAgent = Object.assign(new http.Agent(), { addRequest: ask });
  const version = tls.DEFAULT_MIN_VERSION;
  tls.DEFAULT_MIN_VERSION = "TLSv1";
  onTestFinished(() => {
    globalThis.fetch = fetch;
    http.globalAgent = agent;
    tls.DEFAULT_MIN_VERSION = version;
  });
  const client = makeClient({ caCertPath: authority.caPath });
  expect((await client.send(metadataRequest(stranger.origin))).status).toBe(200);
  expect([asked, stranger.requests()]).toEqual([0, 1]);
});
