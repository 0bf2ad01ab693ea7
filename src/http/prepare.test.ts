import { Readable } from "node:stream";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startHostileServer } from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import {
  makeClient,
  userinfoRequest,
  tokenRequest,
  canary,
} from "../../test/support/http-client.ts";

let server: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
});

afterEach(async () => {
  await server.close();
});

test.each([
  ["Authorization", "Bearer a\r\nX-Evil: 1"],
  ["Authorization", "Bearer a\nb"],
  ["Authorization", "Bearer a\u0000"],
  ["Authorization", "Bearer a\tb"],
  ["Authorization", "Bearer \u{1f511}"],
  ["X-Evil\r\nX", "1"],
  ["X Y", "1"],
])("refuses a header %j: %j before sending [N11]", async (name, value) => {
  const error = await makeClient().failure({
    ...userinfoRequest(server.origin),
    headers: { [name]: value },
  });
  expect(error.code).toBe("invalid_option");
  expect(error.message).not.toContain("Bearer");
  expect(server.connections()).toBe(0);
});

test("refuses control characters in a form before sending [N11]", async () => {
  for (const form of [{ client_id: `${canary}\r\n` }, { [`${canary}\n`]: "x" }]) {
    const error = await makeClient().failure({
      ...tokenRequest(server.origin),
      form: new URLSearchParams(form),
    });
    expect(error.code).toBe("invalid_option");
    expect(inspect(error)).not.toContain(canary);
  }
  expect(server.connections()).toBe(0);
});

test.each([
  ["http://id.example.com/", "insecure_url"],
  ["http://127.0.0.1.evil.example/", "insecure_url"],
  ["http://0.0.0.0/", "insecure_url"],
  [`https://user:${canary}@id.example.com/`, "endpoint_invalid"],
  ["ftp://id.example.com/", "endpoint_invalid"],
  [`javascript:${canary}`, "endpoint_invalid"],
  ["nonsense", "endpoint_invalid"],
])("refuses %s before sending: %s", async (url, code) => {
  let sent = 0;
  const client = makeClient({
    transport: () => {
      sent += 1;
      return Promise.reject(new Error("nothing may be sent"));
    },
  });
  const error = await client.failure({ ...userinfoRequest(server.origin), url });
  expect(error.code).toBe(code);
  expect(inspect(error)).not.toContain(canary);
  expect(sent).toBe(0);
});

test("allows http: beyond loopback where that was asked for", async () => {
  const client = makeClient({
    allowInsecureHttp: true,
    transport: () =>
      Promise.resolve({
        status: 200,
        headers: {},
        body: Readable.from([Buffer.from("{}")]),
        discard: () => {},
      }),
  });
  const answer = await client.send({
    ...userinfoRequest(server.origin),
    url: "http://id.example.com/",
  });
  expect(answer.status).toBe(200);
});
