import { afterEach, beforeEach, expect, test } from "vitest";
import {
  endlessHeaders,
  html,
  json,
  redirect,
  reply,
  startHostileServer,
} from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import {
  makeClient,
  metadataRequest,
  userinfoRequest,
  tokenRequest,
  canary,
} from "../../test/support/http-client.ts";
import { wasNeverSent } from "../core/request-fate.ts";
import { serverSteps } from "../core/server-steps.ts";
import { readJsonObject } from "./json-body.ts";

let server: HostileServer;
let other: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
  other = await startHostileServer(json({ evil: true }));
});

afterEach(async () => {
  await server.close();
  await other.close();
});

test("gives status, headers and the whole body of an answer, any status", async () => {
  server.behave(json({ error: "invalid_grant" }, 400));
  const answer = await makeClient().send(tokenRequest(server.origin));
  expect(answer.status).toBe(400);
  expect(answer.url).toBe(`${server.origin}/token?tenant=${canary}`);
  expect(answer.headers["content-type"]).toBe("application/json");
  expect(readJsonObject(answer)).toEqual({ ok: true, value: { error: "invalid_grant" } });
});

test("sends a form as such, and hints that no encoding is wanted", async () => {
  server.behave(json({}));
  await makeClient().send(tokenRequest(server.origin));
  const [request] = server.requests;
  expect(request).toMatchObject({
    method: "POST",
    body: `grant_type=refresh_token&refresh_token=${canary}`,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      "accept-encoding": "identity",
      "user-agent": "latchkey",
    },
  });
});

test("hands a web page over as it is, for readJsonObject to name [N05]", async () => {
  server.behave(html());
  const answer = await makeClient().send(metadataRequest(server.origin));
  expect(readJsonObject(answer)).toMatchObject({ ok: false });
});

test("says that a connection was refused, to which host and what to do", async () => {
  const { host } = other;
  await other.close();
  const client = makeClient();
  const error = await client.failure({
    ...metadataRequest(server.origin),
    url: `${other.origin}/`,
  });
  expect([error.code, error.reason]).toEqual(["network", "refused"]);
  expect(error.message).toBe(
    `Could not reach ${host} (discovery): connection refused. Is the issuer right, and is a proxy needed (HTTPS_PROXY)?`,
  );
  expect(client.clock.pauses).toHaveLength(1);
  other = await startHostileServer();
});

test("asks about the address of a server, where no provider was meant", async () => {
  const { origin } = other;
  await other.close();
  const client = makeClient();
  for (const step of Object.values(serverSteps)) {
    const error = await client.failure({ ...metadataRequest(`${origin}/`), step });
    expect(error.message).toMatch(/connection refused\. Is the server's address right, and is /);
  }
  other = await startHostileServer();
});

test("says that a port is one of those that the Fetch standard blocks", async () => {
  const client = makeClient();
  const error = await client.failure(metadataRequest("http://127.0.0.1:10080"));
  expect([error.code, error.reason, wasNeverSent(error)]).toEqual([
    "network",
    "blocked_port",
    true,
  ]);
  expect(error.message).toBe(
    "Could not reach 127.0.0.1:10080 (discovery): nothing connects to this port, which the Fetch standard keeps for another service. Is the port right? If it is, the provider needs another one.",
  );
  expect(client.clock.pauses).toEqual([]);
});

test("refuses endless headers [N12]", async () => {
  server.behave(endlessHeaders());
  const error = await makeClient().failure(userinfoRequest(server.origin));
  expect([error.code, error.reason]).toEqual(["network", "headers_too_large"]);
});

test("keeps no cookies [N12]", async () => {
  server.behave(reply(200, { "set-cookie": "session=1; Path=/" }));
  const client = makeClient();
  await client.send(userinfoRequest(server.origin));
  await client.send(userinfoRequest(server.origin));
  expect(server.requests.map(({ headers }) => headers["cookie"])).toEqual([undefined, undefined]);
});

test("reports requests, answers and failures by host and step alone", async () => {
  server.behave(json({}));
  const client = makeClient();
  await client.send(tokenRequest(server.origin));
  await client.failure({ ...tokenRequest(server.origin), url: "http://id.example.com/" });
  server.behave(redirect("/"));
  await client.failure(tokenRequest(server.origin));
  const { host } = server;
  const step = "token request";
  expect(client.events).toEqual([
    { name: "http.request", data: { method: "POST", host, step } },
    { name: "http.response", data: { host, step, status: 200, milliseconds: 0 } },
    { name: "http.request", data: { method: "POST", host, step } },
    { name: "http.response", data: { host, step, status: 302, milliseconds: 0 } },
    { name: "http.failed", data: { host, step, code: "redirect_refused" } },
  ]);
});
