import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  endlessChunks,
  endlessNothing,
  gzipBomb,
  reply,
  startHostileServer,
} from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import { makeClient, metadataRequest, userinfoRequest } from "../../test/support/http-client.ts";
import { maxResponseBytes } from "../core/limits.ts";

let server: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
});

afterEach(async () => {
  await server.close();
});

test("stops reading an endless body at the limit [N02]", async () => {
  server.behave(endlessChunks());
  const error = await makeClient().failure(userinfoRequest(server.origin));
  expect(error.code).toBe("response_too_large");
  await server.allClosed();
  // What the kernel buffers on the way is not bounded by this code; ten times the limit is.
  expect(server.bytesWritten()).toBeLessThan(10 * maxResponseBytes);
});

test("reads a body of exactly the limit and refuses one byte more [N02]", async () => {
  const client = makeClient();
  server.behave(reply(200, {}, "x".repeat(maxResponseBytes)));
  expect((await client.send(userinfoRequest(server.origin))).body.byteLength).toBe(
    maxResponseBytes,
  );
  server.behave(reply(200, {}, "x".repeat(maxResponseBytes + 1)));
  expect((await client.failure(userinfoRequest(server.origin))).code).toBe("response_too_large");
});

test("counts decoded bytes [N03]", async () => {
  server.behave(gzipBomb(20));
  expect((await makeClient().failure(metadataRequest(server.origin))).code).toBe(
    "response_too_large",
  );
});

test("counts encoded bytes too, for a body that decodes to nothing [N03]", async () => {
  server.behave(endlessNothing());
  expect((await makeClient().failure(metadataRequest(server.origin))).code).toBe(
    "response_too_large",
  );
  await server.allClosed();
});

test("reads a gzipped answer though none was asked for [N03]", async () => {
  server.behave(reply(200, { "content-encoding": "gzip" }, gzipSync('{"a":1}')));
  expect(
    Buffer.from((await makeClient().send(metadataRequest(server.origin))).body).toString(),
  ).toBe('{"a":1}');
});

test.each(["gzip, gzip", "gzip,br", "zstd", "identity, gzip", "nonsense"])(
  "refuses the content encoding %s [N03]",
  async (encoding) => {
    server.behave(reply(200, { "content-encoding": encoding }, gzipSync(gzipSync("{}"))));
    const error = await makeClient().failure(userinfoRequest(server.origin));
    expect([error.code, error.reason]).toEqual(["response_too_large", "content_encoding"]);
  },
);

test("reports a body that does not decode as a network failure [N03]", async () => {
  server.behave(reply(200, { "content-encoding": "gzip" }, "this is no gzip"));
  expect((await makeClient().failure(userinfoRequest(server.origin))).code).toBe("network");
});
