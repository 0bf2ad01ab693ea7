import type { ServerHttp2Stream } from "node:http2";
import type { sendUnaryData } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import {
  makeCertificateAuthority,
  type CertificateAuthority,
} from "../../test/support/certificates.ts";
import {
  grpcReply,
  grpcStatus,
  startGrpcServer,
  startHostileGrpcServer,
  type HostileGrpcServer,
  type StreamBehaviour,
} from "../../test/support/grpc-server.ts";
import { json, startHostileServer } from "../../test/support/hostile-server.ts";
import { makeClient, type TestClient } from "../../test/support/http-client.ts";
import { isOidcError, type OidcError } from "../core/errors.ts";
import type { ServerConfig } from "../server/server-config.ts";
import { maxServerQuestionSeconds } from "../core/limits.ts";
import { adminService } from "../messages/admin-service.ts";
import { frameOf } from "./frame.ts";
import { grpcConfigSource } from "./get-oidc-issuer.ts";
import { oidcService } from "../messages/oidc-service.ts";

const said = {
  issuer: "https://id.example.com/realms/data",
  configured: true,
  clientId: "graph-cli",
  audience: "urn:graph",
  scopes: "openid profile",
};
const config: ServerConfig = {
  issuer: "https://id.example.com/realms/data",
  clientId: "graph-cli",
  audience: "urn:graph",
  scopes: ["openid", "profile"],
  resource: undefined,
};

let authority: CertificateAuthority;
let hostile: HostileGrpcServer;

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  hostile = await startHostileGrpcServer(authority);
});
afterAll(async () => {
  hostile.close();
  await authority.dispose();
});
afterEach(() => {
  hostile.requests.length = 0;
});

/** Its time runs out when the test says so: it has no more than such a question has. */
function client(timeoutSeconds = maxServerQuestionSeconds): TestClient {
  return makeClient({ caCertPath: authority.caPath, timeoutSeconds });
}

async function failureOf(promise: Promise<unknown>): Promise<OidcError> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (isOidcError(outcome)) return outcome;
  throw new Error("expected an OidcError", { cause: outcome });
}

function ask(behaviour: StreamBehaviour, http = client()): Promise<ServerConfig> {
  hostile.behave(behaviour);
  return grpcConfigSource(hostile.address, http).ask(undefined);
}

function answer(message: Partial<typeof said>): Buffer {
  return frameOf(oidcService.getOidcIssuer.responseSerialize(message));
}

const implementation = {
  getOidcIssuer: (_call: unknown, callback: sendUnaryData<typeof said>) => callback(null, said),
};

test("a server's address alone, over TLS with a private authority", async () => {
  const services = [{ definition: oidcService, implementation }];
  const server = await startGrpcServer(services, authority);
  onTestFinished(() => server.close());
  const source = grpcConfigSource(server.address, client());
  expect([source.server, source.host]).toEqual([
    server.address,
    `127.0.0.1:${String(server.port)}`,
  ]);
  expect(await source.ask(undefined)).toEqual(config);
});

test("the reference system's own server, which does not implement the other service", async () => {
  const services = [{ definition: adminService, implementation: { ...implementation } }];
  const server = await startGrpcServer(services, authority);
  onTestFinished(() => server.close());
  expect(await grpcConfigSource(server.address, client()).ask(undefined)).toEqual(config);
});

test("over plain text on this machine", async () => {
  const server = await startGrpcServer([{ definition: oidcService, implementation }]);
  onTestFinished(() => server.close());
  expect(
    await grpcConfigSource(server.address, makeClient({ timeoutSeconds: 10 })).ask(undefined),
  ).toEqual(config);
});

test("asks for the two names in their order, with nothing in the message, and never with a token [D19]", async () => {
  const error = await failureOf(ask(grpcStatus(12)));
  expect([error.code, error.reason]).toEqual(["server_config_failed", "not_found"]);
  expect(hostile.requests.map(({ path }) => path)).toEqual([
    "/latchkey.v1.OidcService/GetOidcIssuer",
    "/xgtproto.AdminService/GetOidcIssuer",
  ]);
  for (const { headers, body } of hostile.requests) {
    expect(body).toEqual(Buffer.alloc(5));
    expect(Object.keys(headers).filter((name) => /auth|cookie|token|session/.test(name))).toEqual([
      ":authority",
    ]);
  }
});

/** A field that is not known, of 40 KiB. */
const oversized = Buffer.concat([Buffer.from([122, 128, 192, 2]), Buffer.alloc(40 * 1024)]);
const many = Array.from({ length: 51 }, (_, index) => `s${String(index)}`).join(" ");
const text = (field: number, content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content as string);
  return frameOf(Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes]));
};

test.each([
  ["configured: false", answer({ ...said, configured: false }), "not_configured"],
  ["no issuer", answer({ ...said, issuer: "" }), "not_configured"],
  ["an issuer over plain text", answer({ ...said, issuer: "http://id.example.com" }), "malformed"],
  ["an issuer that is a script", answer({ ...said, issuer: "javascript:alert(1)" }), "malformed"],
  ["an issuer with a password", answer({ ...said, issuer: "https://a:b@id.example" }), "malformed"],
  ["an issuer with a query", answer({ ...said, issuer: "https://id.example/?a" }), "malformed"],
  ["a line break in the issuer", answer({ ...said, issuer: "https://id.example/\n" }), "malformed"],
  ["an escape in the client", answer({ ...said, clientId: "a\u001b[2J" }), "malformed"],
  ["a client that turns the line round", answer({ ...said, clientId: "a\u202eb" }), "malformed"],
  ["a client without end", answer({ ...said, clientId: "a".repeat(2049) }), "malformed"],
  ["a line break in the audience", answer({ ...said, audience: "a\r\nb" }), "malformed"],
  ["a scope with a quote", answer({ ...said, scopes: 'openid "' }), "malformed"],
  ["scopes without end", answer({ ...said, scopes: many }), "malformed"],
  ["more than 64 KiB", answer({ ...said, clientId: "a".repeat(64 * 1024) }), "malformed"],
  [
    "more than 64 KiB of nothing",
    frameOf(Buffer.concat([answer(said).subarray(5), oversized, oversized])),
    "malformed",
  ],
  ["a number for the issuer", frameOf(Buffer.from([16, 1])), "malformed"],
  ["text that is not UTF-8", text(2, Buffer.from([0xff])), "malformed"],
  ["a field that is cut off", frameOf(Buffer.from([18, 9, 65])), "malformed"],
  ["a frame that is cut off", Buffer.from([0, 0, 0, 0, 9, 1]), "malformed"],
  ["a compressed message", Buffer.from([1, 0, 0, 0, 0]), "malformed"],
  ["two messages", Buffer.concat([answer(said), answer(said)]), "malformed"],
  ["no message", Buffer.alloc(0), "malformed"],
])("%s: server_config_failed [D02][D19]", async (_name, body, reason) => {
  const error = await failureOf(ask(grpcReply(body)));
  expect([error.code, error.reason]).toEqual(["server_config_failed", reason]);
  expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]|javascript/);
});

const ended = { "grpc-status": "0" };
const long = { padding: "b".repeat(60_000) };

test.each<[string, StreamBehaviour, string, string | undefined]>([
  ["UNAVAILABLE", grpcStatus(14, "over%20there%1b"), "network", "temporarily_unavailable"],
  ["DEADLINE_EXCEEDED", grpcStatus(4), "timeout", "operation"],
  ["RESOURCE_EXHAUSTED", grpcStatus(8), "rate_limited", undefined],
  ["INTERNAL", grpcStatus(13), "server_config_failed", "server_error"],
  ["an unknown status", grpcStatus(99), "server_config_failed", "server_error"],
  ["no status", grpcReply(answer(said), {}), "server_config_failed", "malformed"],
  [
    "a page",
    grpcReply(answer(said), ended, { "content-type": "text/html" }),
    "server_config_failed",
    "malformed",
  ],
  ["a redirect", (stream) => redirect(stream), "redirect_refused", undefined],
  ["an end before the answer", (stream) => stream.close(), "network", "reset"],
  ["10 MB", grpcReply(Buffer.alloc(10_000_000)), "response_too_large", undefined],
  ["a head of 60 KiB", grpcReply(answer(said), ended, long), "network", "headers_too_large"],
  [
    "trailers of 60 KiB",
    grpcReply(answer(said), { ...ended, ...long }),
    "network",
    "headers_too_large",
  ],
])("%s [D19]", async (_name, behaviour, code, reason) => {
  const error = await failureOf(ask(behaviour));
  expect([error.code, error.reason]).toEqual([code, reason]);
  expect(error.message).not.toContain("\u001b");
});

function redirect(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 302, location: "https://id.example.com/" }, { endStream: true });
}

test("a server that never answers is given up in time, and its connection with it [D19]", async () => {
  const http = client();
  const closed = vi.fn<() => void>();
  const asked = ask((stream) => {
    stream.once("close", closed);
    http.clock.expire();
  }, http);
  expect((await failureOf(asked)).code).toBe("timeout");
  await expect.poll(() => closed.mock.calls.length).toBe(1);
});

test("it gets ten seconds, however long other requests may take [D19]", async () => {
  const http = client(30);
  const error = await failureOf(ask(() => undefined, http));
  expect([error.code, error.reason, http.clock.pauses]).toEqual(["timeout", "operation", [10_000]]);
  expect(error.message).toContain("within 10 s (server configuration).");
});

test("an abort ends the call at once", async () => {
  const caller = new AbortController();
  hostile.behave(() => caller.abort());
  const asked = grpcConfigSource(hostile.address, client()).ask(caller.signal);
  expect((await failureOf(asked)).code).toBe("aborted");
});

test("a server that trickles its answer meets the same limit [D19]", async () => {
  const http = client();
  const asked = ask((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.write(Buffer.from([0]), () => http.clock.expire());
  }, http);
  expect((await failureOf(asked)).code).toBe("timeout");
});

test("certificates are verified, whatever the embedding program switched off [S04][D19]", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  onTestFinished(() => void vi.unstubAllEnvs());
  const stranger = await startHostileGrpcServer(await authority.wrongHostLeaf());
  onTestFinished(() => stranger.close());
  for (const [server, http, reason] of [
    [hostile, makeClient({ timeoutSeconds: 10 }), "unknown_issuer"],
    [stranger, client(), "wrong_host"],
  ] as const) {
    const error = await failureOf(grpcConfigSource(server.address, http).ask(undefined));
    expect([error.code, error.reason]).toEqual(["tls", reason]);
    expect(server.requests).toEqual([]);
  }
});

test("a server without HTTP/2 is told from one that cannot be reached", async () => {
  const tls = { key: authority.key, cert: authority.certificate };
  const web = await startHostileServer(json({}), { tls });
  onTestFinished(() => web.close());
  const error = await failureOf(grpcConfigSource(`grpcs://${web.host}`, client()).ask(undefined));
  expect([error.code, error.reason]).toEqual(["network", "malformed"]);
  expect(error.message).toContain("HTTP/2");
  expect(web.requests).toEqual([]);

  const plain = await startHostileServer(json({}));
  onTestFinished(() => plain.close());
  const other = await failureOf(grpcConfigSource(`grpc://${plain.host}`, client()).ask(undefined));
  expect([other.code, other.reason]).toEqual(["network", "malformed"]);
});
