// The client of `@connectrpc/connect` over each of its protocols, against a server that takes what a real provider made.

import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, createFileRegistry, type DescMethod, type Message } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type ConnectRouter } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
} from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { BearerTokenAuth, OidcAuth } from "../index.ts";
import { startTestProvider, type TestProvider } from "../testing/index.ts";
import { authorize } from "./connect.ts";

type Note = Message & { readonly text: string };

const file = create(FileDescriptorProtoSchema, {
  name: "echo.proto",
  package: "test",
  syntax: "proto3",
  messageType: [
    {
      name: "Note",
      field: [
        { name: "text", jsonName: "text", number: 1, type: Type.STRING, label: Label.OPTIONAL },
      ],
    },
  ],
  service: [
    {
      name: "Echo",
      method: [
        { name: "Say", inputType: ".test.Note", outputType: ".test.Note" },
        {
          name: "Repeat",
          inputType: ".test.Note",
          outputType: ".test.Note",
          serverStreaming: true,
        },
      ],
    },
  ],
});
const service = createFileRegistry(file, () => undefined).getService("test.Echo");
if (service === undefined) throw new Error("no service");
const methodOf = (name: string): DescMethod => {
  const method = service.method[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
};

type Handler = ReturnType<typeof connectNodeAdapter>;

/** Each protocol with the server that it needs. */
const protocols = {
  Connect: {
    make: (handler: Handler) => createServer(handler),
    transport: createConnectTransport,
    httpVersion: "1.1",
  },
  gRPC: {
    make: (handler: Handler) => createHttp2Server(handler),
    transport: createGrpcTransport,
    httpVersion: "2",
  },
} as const;
type Protocol = keyof typeof protocols;
const names = Object.keys(protocols) as Protocol[];

async function startServer(protocol: Protocol, accepts: TestProvider["accepts"]) {
  const seen: (string | null)[] = [];
  const check = (header: Headers): void => {
    const authorization = header.get("authorization");
    seen.push(authorization);
    if (accepts(authorization?.replace(/^Bearer /, "") ?? "")) return;
    const challenge = { "www-authenticate": 'Bearer error="invalid_token"' };
    throw new ConnectError("who are you?", Code.Unauthenticated, challenge);
  };
  const routes = (router: ConnectRouter): void => {
    router.rpc(
      methodOf("say") as DescMethod & { methodKind: "unary" },
      (note, { requestHeader }) => {
        check(requestHeader);
        return note;
      },
    );
    router.rpc(
      methodOf("repeat") as DescMethod & { methodKind: "server_streaming" },
      async function* repeat(note, { requestHeader }) {
        check(requestHeader);
        yield note;
        yield note;
      },
    );
  };
  const server = protocols[protocol].make(connectNodeAdapter({ routes }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}`, seen };
}

/** What calls the service at an address. */
function clientOf(protocol: Protocol, url: string, interceptor: ReturnType<typeof authorize>) {
  const { transport, httpVersion } = protocols[protocol];
  const options = { baseUrl: url, interceptors: [interceptor], httpVersion };
  const client = createClient(service as never, transport(options as never)) as unknown as {
    say(note: object, call?: { headers: Record<string, string> }): Promise<Note>;
    repeat(note: object): AsyncIterable<Note>;
  };
  return {
    say: async (text: string, headers: Record<string, string> = {}) =>
      (await client.say({ text }, { headers })).text,
    repeat: async (text: string) => {
      const said: string[] = [];
      for await (const note of client.repeat({ text })) said.push(note.text);
      return said;
    },
  };
}

async function desk(protocol: Protocol) {
  const provider = await startTestProvider();
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  const server = await startServer(protocol, provider.accepts);
  const interceptor = authorize(auth);
  const { say, repeat } = clientOf(protocol, server.url, interceptor);
  return { provider, auth, server, interceptor, say, repeat };
}

test.each(names)("%s: every call has a token, of one sign-in", async (protocol) => {
  const { provider, auth, server, say, repeat } = await desk(protocol);
  const { token } = await auth.getToken();
  expect([await say("one"), await repeat("two")]).toEqual(["one", ["two", "two"]]);
  expect(server.seen).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
  expect(provider.requests().token).toBe(1);
});

test.each(names)("%s: a first token that the server refuses is renewed", async (protocol) => {
  const { provider, auth, server, say } = await desk(protocol);
  const { token: first } = await auth.getToken();
  provider.endAccessTokens();
  expect(await say("one")).toBe("one");
  const { token: second } = await auth.getToken();
  expect(second).not.toBe(first);
  expect(server.seen).toEqual([`Bearer ${first}`, `Bearer ${second}`]);
  expect(provider.requests().token).toBe(2);
});

test.each(names)(
  "%s: a stream is called once, and the next call has another token",
  async (protocol) => {
    const { provider, auth, server, repeat } = await desk(protocol);
    await auth.getToken();
    provider.endAccessTokens();
    await expect(repeat("one")).rejects.toMatchObject({ code: Code.Unauthenticated });
    expect(server.seen).toHaveLength(1);
    expect(await repeat("two")).toEqual(["two", "two"]);
    expect(provider.requests().token).toBe(2);
  },
);

test("a stream that is refused before it began is not sent again", async () => {
  const { auth } = await desk("Connect");
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    response.writeHead(401).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { repeat } = clientOf("Connect", `http://127.0.0.1:${String(port)}`, authorize(auth));
  await expect(repeat("one")).rejects.toMatchObject({ code: Code.Unauthenticated });
  expect(calls).toBe(1);
});

test("a refusal of every token is the caller's, after one renewal", async () => {
  const { provider, auth } = await desk("Connect");
  const server = await startServer("Connect", () => false);
  const { say } = clientOf("Connect", server.url, authorize(auth));
  await expect(say("one")).rejects.toMatchObject({ code: Code.Unauthenticated });
  expect(server.seen).toHaveLength(2);
  expect(provider.requests().token).toBe(2);
});

test("another origin gets no token, and an Authorization of the caller's stays", async () => {
  const { interceptor, server, say, provider } = await desk("Connect");
  await say("one");
  const stranger = await startServer("Connect", () => true);
  await clientOf("Connect", stranger.url, interceptor).say("two");
  expect(stranger.seen).toEqual([null]);
  await expect(say("three", { authorization: "Bearer own" })).rejects.toThrow("who are you?");
  expect(server.seen[1]).toBe("Bearer own");
  expect(provider.requests().token).toBe(1);
});

test("why there is no token is the cause of the client's error", async () => {
  const server = await startServer("Connect", () => true);
  const auth = new BearerTokenAuth({ getToken: () => Promise.reject(new Error("no")) });
  const { say } = clientOf("Connect", server.url, authorize(auth));
  const error: unknown = await say("one").catch((thrown: unknown) => thrown);
  expect(ConnectError.from(error).cause).toHaveProperty("code", expect.any(String));
  expect(server.seen).toEqual([]);
});
