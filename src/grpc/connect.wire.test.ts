import {
  Metadata,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
} from "@grpc/grpc-js";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import {
  makeCertificateAuthority,
  type CertificateAuthority,
} from "../../test/support/certificates.ts";
import { Echo, echo } from "../../test/support/echo-service.ts";
import { startGrpcServer, type RunningGrpcServer } from "../../test/support/grpc-server.ts";
import { BearerTokenAuth } from "../credential/bearer-token-auth.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { AccessToken, Credential, GetTokenOptions } from "../core/types.ts";
import { callCredentials, channelCredentials, connect } from "./connect.ts";
import type { GrpcConnection } from "./connection-types.ts";

interface Seen {
  readonly name: string;
  readonly token: string;
  readonly message?: string;
}

let authority: CertificateAuthority;
let server: RunningGrpcServer;
/** The same without TLS, for what TLS has no part in: roots take long to read. */
let plain: RunningGrpcServer;
let seen: Seen[] = [];
/** Tokens that the server takes. */
let good = new Set<string>();

type Streams =
  | ServerUnaryCall<string, string>
  | ServerReadableStream<string, string>
  | ServerWritableStream<string, string>
  | ServerDuplexStream<string, string>;

function admit(call: Streams, name: string, message?: string): boolean {
  const token = call.metadata
    .get("authorization")
    .join("|")
    .replace(/^Bearer /, "");
  seen.push({ name, token, ...(message === undefined ? {} : { message }) });
  return good.has(token);
}

const refusal = { code: status.UNAUTHENTICATED, details: "not this one" };

const implementation = {
  unary: (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) =>
    admit(call, "unary", call.request) ? done(null, call.request) : done(refusal),
  down: (call: ServerWritableStream<string, string>) => {
    if (!admit(call, "down", call.request)) {
      call.emit("error", refusal);
      return;
    }
    call.write(call.request);
    call.write(call.request);
    call.end();
  },
  up: (call: ServerReadableStream<string, string>, done: sendUnaryData<string>) => {
    if (!admit(call, "up")) {
      done(refusal);
      return;
    }
    let all = "";
    call.on("data", (message: string) => (all += message));
    call.on("end", () => done(null, all));
  },
  both: (call: ServerDuplexStream<string, string>) => {
    if (!admit(call, "both")) {
      call.emit("error", refusal);
      return;
    }
    call.on("data", (message: string) => call.write(message));
    call.on("end", () => call.end());
  },
};

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  const services = [{ definition: echo, implementation }];
  server = await startGrpcServer(services, authority);
  plain = await startGrpcServer(services);
});
afterAll(async () => {
  server.close();
  plain.close();
  await authority.dispose();
});

/** A credential that gives these tokens, each until it is refused. */
function tokens(...values: readonly string[]): Credential & { readonly asked: GetTokenOptions[] } {
  const asked: GetTokenOptions[] = [];
  let index = 0;
  const auth = new BearerTokenAuth({
    getToken: () => values[Math.min(index++, values.length - 1)] ?? "",
  });
  const getToken = (options: GetTokenOptions = {}): Promise<AccessToken> => {
    asked.push(options);
    // Where no end is known it is asked each time: this one is kept.
    if (options.rejectedToken === undefined && index > 0) index -= 1;
    return auth.getToken(options);
  };
  return Object.assign(Object.create(auth) as Credential, {
    asked,
    getToken,
    close: () => auth.close(),
  });
}

async function open(auth: Credential, address = plain.address): Promise<GrpcConnection> {
  seen = [];
  const connection = await connect(address, { auth, caCertPath: authority.caPath });
  onTestFinished(() => connection.close());
  return connection;
}

async function failureOf(promise: Promise<unknown>): Promise<ServiceError & { cause?: unknown }> {
  const outcome: unknown = await promise.then(
    () => "no failure",
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome as ServiceError;
  throw new Error(String(outcome));
}

test("each call carries a token, over TLS with a private authority", async () => {
  good = new Set(["one"]);
  const echoes = (await open(tokens("one"), server.address)).client(Echo);
  expect(await echoes.unary("hello")).toBe("hello");
  expect(await echoes.unary("again")).toBe("again");
  expect(seen.map(({ token }) => token)).toEqual(["one", "one"]);
});

test("a token of the caller's own metadata does not stand beside it", async () => {
  good = new Set(["one"]);
  const echoes = (await open(tokens("one"))).client(Echo);
  const metadata = new Metadata();
  metadata.set("authorization", "Bearer stale");
  const { path, requestSerialize, responseDeserialize } = echo.unary;
  await new Promise<void>((resolve, reject) => {
    echoes.makeUnaryRequest(path, requestSerialize, responseDeserialize, "x", metadata, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  expect(seen.map(({ token }) => token)).toEqual(["one"]);
});

test("UNAUTHENTICATED renews the refused token once, and the message goes again", async () => {
  good = new Set(["two"]);
  const auth = tokens("one", "two");
  const echoes = (await open(auth)).client(Echo);
  expect(await echoes.unary("hello")).toBe("hello");
  expect(seen).toEqual([
    { name: "unary", token: "one", message: "hello" },
    { name: "unary", token: "two", message: "hello" },
  ]);
  expect(auth.asked.map(({ rejectedToken }) => rejectedToken)).toEqual([undefined, "one"]);
});

test("a second refusal is the caller's", async () => {
  good = new Set();
  const echoes = (await open(tokens("one", "two", "three"))).client(Echo);
  const error = await failureOf(echoes.unary("hello"));
  expect([error.code, error.details]).toEqual([status.UNAUTHENTICATED, "not this one"]);
  expect(seen.map(({ token }) => token)).toEqual(["one", "two"]);
});

test("another status is not about the token", async () => {
  const auth = tokens("one", "two");
  seen = [];
  const unimplemented = await startGrpcServer([]);
  onTestFinished(() => unimplemented.close());
  const echoes = (await open(auth, unimplemented.address)).client(Echo);
  expect((await failureOf(echoes.unary("x"))).code).toBe(status.UNIMPLEMENTED);
  expect(auth.asked).toHaveLength(1);
});

function down(echoes: Echo): Promise<string[]> {
  const { path, requestSerialize, responseDeserialize } = echo.down;
  const stream = echoes.makeServerStreamRequest(path, requestSerialize, responseDeserialize, "x");
  return stream.toArray() as Promise<string[]>;
}

function up(
  echoes: Echo,
  messages: readonly string[],
  before = (): Promise<unknown> => Promise.resolve(),
): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = echo.up;
  return new Promise((resolve, reject) => {
    const stream = echoes.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      (error, value) => (error === null ? resolve(value ?? "") : reject(error)),
    );
    void before().then(() => {
      for (const message of messages) stream.write(message);
      stream.end();
    });
  });
}

test("a stream of answers is renewed, too, before the first of them", async () => {
  good = new Set(["two"]);
  const echoes = (await open(tokens("one", "two"))).client(Echo);
  expect(await down(echoes)).toEqual(["x", "x"]);
  expect(seen.map(({ token }) => token)).toEqual(["one", "two"]);
});

test("a stream of messages is renewed while nothing was sent", async () => {
  good = new Set(["two"]);
  const echoes = (await open(tokens("one", "two"))).client(Echo);
  const isRepeated = (): Promise<void> => vi.waitFor(() => expect(seen).toHaveLength(2));
  expect(await up(echoes, ["a", "b"], isRepeated)).toBe("ab");
  expect(seen.map(({ token }) => token)).toEqual(["one", "two"]);
});

test("a stream of messages that has begun is not sent again", async () => {
  good = new Set(["two"]);
  const echoes = (await open(tokens("one", "two"))).client(Echo);
  expect((await failureOf(up(echoes, ["a"]))).code).toBe(status.UNAUTHENTICATED);
  expect(seen.map(({ token }) => token)).toEqual(["one"]);
});

test("streams in both directions at once", async () => {
  good = new Set(["two"]);
  const echoes = (await open(tokens("one", "two"))).client(Echo);
  const { path, requestSerialize, responseDeserialize } = echo.both;
  const stream = echoes.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  await expect.poll(() => seen.length).toBe(2);
  const got: string[] = [];
  stream.on("data", (message: string) => {
    got.push(message);
    if (message === "b") stream.end();
    else stream.write("b");
  });
  stream.write("a");
  await once(stream, "end");
  expect(got).toEqual(["a", "b"]);
});

test("without a token the call ends with the reason, and nothing is sent", async () => {
  const error = new OidcError("login_required", "Nobody is signed in.", { reason: "no_token" });
  const auth = tokens("one");
  vi.spyOn(auth, "getToken").mockRejectedValue(error);
  const echoes = (await open(auth)).client(Echo);
  const failure = await failureOf(echoes.unary("x"));
  expect([failure.code, failure.details]).toEqual([status.UNAUTHENTICATED, error.message]);
  expect(failure.cause).toBe(error);
  vi.spyOn(auth, "getToken").mockRejectedValue(
    new OidcError("network", "Could not reach the provider.", { reason: "refused" }),
  );
  expect((await failureOf(echoes.unary("x"))).code).toBe(status.UNAVAILABLE);
  expect(seen).toEqual([]);
});

test("the deadline holds while the token is waited for, and a cancelled call gives it up", async () => {
  const auth = tokens("one");
  const signals: (AbortSignal | undefined)[] = [];
  vi.spyOn(auth, "getToken").mockImplementation(({ signal } = {}) => {
    signals.push(signal ?? undefined);
    return new Promise<AccessToken>(() => {});
  });
  const echoes = (await open(auth)).client(Echo);
  const late = await failureOf(echoes.unary("x", { deadline: Date.now() + 20 }));
  expect(late.code).toBe(status.DEADLINE_EXCEEDED);

  const { path, requestSerialize, responseDeserialize } = echo.unary;
  const ended = new Promise<number | undefined>((resolve) => {
    const call = echoes.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      "x",
      (error) => resolve(error?.code),
    );
    call.cancel();
  });
  expect(await ended).toBe(status.CANCELLED);
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
  expect(seen).toEqual([]);
});

test("a certificate that is not trusted gets no token, whatever the embedding program switched off [S04]", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  onTestFinished(() => void vi.unstubAllEnvs());
  good = new Set(["one"]);
  seen = [];
  const auth = tokens("one");
  const connection = await connect(server.address, { auth });
  onTestFinished(() => connection.close());
  expect((await failureOf(connection.client(Echo).unary("x"))).code).toBe(status.UNAVAILABLE);

  const wrongHost = await startGrpcServer(
    [{ definition: echo, implementation }],
    await authority.wrongHostLeaf(),
  );
  onTestFinished(() => wrongHost.close());
  const other = (await open(auth, wrongHost.address)).client(Echo);
  expect((await failureOf(other.unary("x"))).code).toBe(status.UNAVAILABLE);
  expect(seen).toEqual([]);
});

test("over plain text a token goes to this machine alone, and through no proxy [D19]", async () => {
  good = new Set(["one"]);
  const proxy = createServer((socket) => socket.destroy());
  const proxied = vi.fn<() => void>();
  proxy.on("connection", proxied).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => void proxy.close());
  vi.stubEnv("grpc_proxy", `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const host of ["127.0.0.1", "localhost"]) {
    const connection = await open(tokens("one"), `grpc://${host}:${String(plain.port)}`);
    expect(await connection.client(Echo).unary("hello")).toBe("hello");
  }
  expect(proxied).not.toHaveBeenCalled();

  const auth = tokens("one");
  const refused: unknown = await connect("grpc://data.example.com:1", { auth }).catch(
    (error: unknown) => error,
  );
  expect(isOidcError(refused) && refused.code).toBe("insecure_url");
  expect(auth.asked).toEqual([]);
});

test("a credential that can be bound to a server is, and only what was bound is closed", async () => {
  good = new Set(["bound"]);
  const bound = tokens("bound");
  const close = vi.spyOn(bound, "close");
  const withServer = vi.fn<(server: string) => Credential>(() => bound);
  const auth = Object.assign(tokens("unbound"), { withServer });
  const ownClose = vi.spyOn(auth, "close");
  const connection = await open(auth);
  expect(await connection.client(Echo).unary("x")).toBe("x");
  expect(withServer.mock.calls).toEqual([[plain.address]]);
  await connection.close();
  expect([close.mock.calls.length, ownClose.mock.calls.length]).toEqual([1, 0]);
  expect((await failureOf(connection.client(Echo).unary("x"))).code).not.toBe(status.OK);
});

test("channel and call credentials for a channel of the caller's own", async () => {
  good = new Set(["one"]);
  seen = [];
  const credentials = await channelCredentials(tokens("one"), { caCertPath: authority.caPath });
  const own = new Echo(server.address.slice("grpcs://".length), credentials);
  onTestFinished(() => own.close());
  expect(await own.unary("hello")).toBe("hello");
  expect(seen.map(({ token }) => token)).toEqual(["one"]);

  const failing = tokens("one");
  vi.spyOn(failing, "getToken").mockRejectedValue(new OidcError("login_required", "Nobody."));
  const callers = await callCredentials(failing);
  const error = await failureOf(own.unary("x", { credentials: callers }));
  expect(error.code).toBe(status.UNAUTHENTICATED);
});

test.each([
  ["no options", undefined],
  ["no credential", { auth: "token" }],
  ["an unknown name", { auth: tokens("one"), caCert: "x" }],
  ["a path that is none", { auth: tokens("one"), caCertPath: 1 }],
])("%s: invalid_option", async (_name, options) => {
  const error: unknown = await connect(server.address, options as never).catch(
    (thrown: unknown) => thrown,
  );
  expect(isOidcError(error) && error.code).toBe("invalid_option");
});
