import {
  type Metadata,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceError,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import {
  makeCertificateAuthority,
  type CertificateAuthority,
} from "../../test/support/certificates.ts";
import { Echo, echo } from "../../test/support/echo-service.ts";
import { startGrpcServer, type RunningGrpcServer } from "../../test/support/grpc-server.ts";
import { BearerTokenAuth } from "../credential/bearer-token-auth.ts";
import { adminService } from "../messages/admin-service.ts";
import { connect, type XgtConnection } from "./connect.ts";

type Call = ServerUnaryCall<Record<string, unknown>, unknown>;

interface Seen {
  readonly name: string;
  /** The session, and everything else of the metadata that is like it. */
  readonly session: string;
  readonly token?: string;
}

let plain: RunningGrpcServer;
let secure: RunningGrpcServer;
let authority: CertificateAuthority;
let seen: Seen[] = [];
let good = new Set<string>();
let sessions = new Map<string, string>();
let made = 0;
/** How a token is refused: by the call's status, or in its answer. */
let refusesInAnswer = false;
let knowsVersion = true;

function note(name: string, call: Call | { metadata: Metadata }, token?: string): string {
  const session = call.metadata.get("session_token").join("|");
  const others = call.metadata.get("authorization");
  expect(others).toEqual([]);
  seen.push({ name, session, ...(token === undefined ? {} : { token }) });
  return session;
}

const refused = { code: status.UNAUTHENTICATED, details: "not this one" };

const admin = {
  getOidcIssuer: (_call: Call, done: sendUnaryData<object>) => done(null, {}),
  protocolVersion: (call: Call, done: sendUnaryData<object>) => {
    note("version", call);
    if (knowsVersion) done(null, { protocolVersion: call.request["protocolVersion"] });
    else done({ code: status.UNIMPLEMENTED });
  },
  tokenAuthenticate: (call: Call, done: sendUnaryData<object>) => {
    const token = String(call.request["accessToken"]);
    note("authenticate", call, token);
    if (!good.has(token)) {
      if (refusesInAnswer) done(null, { error: [{ code: 14, message: "bad\u001b token" }] });
      else done(refused);
      return;
    }
    made += 1;
    const sessionToken = `session-${String(made)}`;
    sessions.set(sessionToken, token);
    done(null, { sessionToken, userid: "alice" });
  },
  keepAliveSession: (call: Call, done: sendUnaryData<object>) => {
    note("keep-alive", call);
    done(null, {});
  },
  closeSession: (call: Call, done: sendUnaryData<object>) => {
    sessions.delete(note("close", call));
    done(null, {});
  },
};

const data = {
  unary: (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) =>
    sessions.has(note("data", call)) ? done(null, call.request) : done(refused),
  up: () => {},
  down: () => {},
  both: () => {},
};

const services = [
  { definition: adminService, implementation: admin },
  { definition: echo, implementation: data },
];

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  plain = await startGrpcServer(services);
  secure = await startGrpcServer(services, authority);
});
afterAll(async () => {
  plain.close();
  secure.close();
  await authority.dispose();
});
beforeEach(() => {
  seen = [];
  good = new Set(["good"]);
  sessions = new Map();
  made = 0;
  refusesInAnswer = false;
  knowsVersion = true;
});

/** A credential that gives the first token until it is refused, then the next one. */
function tokens(...values: readonly string[]): BearerTokenAuth {
  return new BearerTokenAuth({
    getToken: () => ({
      token: values[Math.min(given++, values.length - 1)] ?? "",
      expiresAt: new Date(Date.now() + 3_600_000),
    }),
  });
}
let given = 0;

async function open(...values: readonly string[]): Promise<XgtConnection> {
  given = 0;
  const connection = await connect(plain.address, { auth: tokens(...values) });
  onTestFinished(() => connection.close());
  return connection;
}

const names = (): string[] => seen.map(({ name }) => name);

async function failureOf(promise: Promise<unknown>): Promise<ServiceError> {
  const outcome: unknown = await promise.then(
    () => "no failure",
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome as ServiceError;
  throw new Error(String(outcome));
}

test("one token gets one session, which every call names, over TLS with a private authority", async () => {
  given = 0;
  const connection = await connect(secure.address, {
    auth: tokens("good"),
    caCertPath: authority.caPath,
  });
  onTestFinished(() => connection.close());
  expect(connection.userId).toBeUndefined();
  const client = connection.client(Echo);
  expect(await Promise.all([client.unary("a"), client.unary("b")])).toEqual(["a", "b"]);
  expect(await connection.client(Echo).unary("c")).toBe("c");
  expect(seen).toEqual([
    { name: "version", session: "" },
    { name: "authenticate", session: "", token: "good" },
    ...Array.from({ length: 3 }, () => ({ name: "data", session: "session-1" })),
  ]);
  expect([connection.userId, connection.server]).toEqual(["alice", secure.address]);
});

test("a session that the server has ended is got anew, with the same token", async () => {
  const client = (await open("good", "other")).client(Echo);
  await client.unary("a");
  sessions.clear();
  seen = [];
  expect(await client.unary("b")).toBe("b");
  expect(seen).toEqual([
    { name: "data", session: "session-1" },
    { name: "version", session: "" },
    { name: "authenticate", session: "", token: "good" },
    { name: "data", session: "session-2" },
  ]);
});

test("many calls whose session has ended get one new session", async () => {
  const client = (await open("good")).client(Echo);
  await client.unary("a");
  sessions.clear();
  const messages = Array.from({ length: 10 }, (_, index) => String(index));
  expect(await Promise.all(messages.map((each) => client.unary(each)))).toEqual(messages);
  expect(made).toBe(2);
});

test.each([false, true])(
  "a token that is refused (in the answer: %s) is renewed once",
  async (inAnswer) => {
    refusesInAnswer = inAnswer;
    const client = (await open("stale", "good")).client(Echo);
    expect(await client.unary("a")).toBe("a");
    expect(seen.flatMap(({ token }) => token ?? [])).toEqual(["stale", "good"]);
  },
);

test.each([
  [false, "not this one"],
  [true, "bad  token"],
])("one that is refused again is the caller's (in the answer: %s)", async (inAnswer, details) => {
  refusesInAnswer = inAnswer;
  good = new Set();
  const client = (await open("one", "two", "three")).client(Echo);
  const error = await failureOf(client.unary("a"));
  expect([error.code, error.details]).toEqual([status.UNAUTHENTICATED, details]);
  expect(seen.flatMap(({ token }) => token ?? [])).toEqual(["one", "two"]);
  expect(names()).not.toContain("data");
});

test("a server that knows no ProtocolVersion is signed in to all the same", async () => {
  knowsVersion = false;
  expect(await (await open("good")).client(Echo).unary("a")).toBe("a");
});

test("a session name that metadata cannot carry is none", async () => {
  const bad = await startGrpcServer([
    {
      definition: adminService,
      implementation: {
        ...admin,
        tokenAuthenticate: (_call: Call, done: sendUnaryData<object>) =>
          done(null, { sessionToken: "a\nb" }),
      },
    },
  ]);
  onTestFinished(() => bad.close());
  const connection = await connect(bad.address, { auth: tokens("good") });
  onTestFinished(() => connection.close());
  expect((await failureOf(connection.client(Echo).unary("a"))).code).toBe(status.INTERNAL);
});

test("closing ends the session at the server, and later calls are not sent", async () => {
  const connection = await open("good");
  const client = connection.client(Echo);
  await client.unary("a");
  await connection.close();
  expect(seen.at(-1)).toEqual({ name: "close", session: "session-1" });
  const before = seen.length;
  expect((await failureOf(client.unary("b"))).code).toBe(status.CANCELLED);
  expect(seen).toHaveLength(before);
});

test("closing before any call asks the server nothing", async () => {
  await (await open("good")).close();
  expect(seen).toEqual([]);
});

test("the session is kept alive while the program runs", async () => {
  const keepAlive: (() => void)[] = [];
  const real = globalThis.setInterval;
  const spy = vi.spyOn(globalThis, "setInterval").mockImplementation(((
    work: () => void,
    milliseconds: number,
  ) => {
    if (milliseconds === 30 * 60 * 1000) keepAlive.push(work);
    return real(() => {}, milliseconds);
  }) as typeof setInterval);
  onTestFinished(() => spy.mockRestore());
  await (await open("good")).client(Echo).unary("a");
  expect(keepAlive).toHaveLength(1);
  keepAlive[0]?.();
  await vi.waitFor(() => expect(seen.at(-1)).toEqual({ name: "keep-alive", session: "session-1" }));
});
