// Clients of HTTP, each the real one, against a server that takes what a real provider made.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { create, isAxiosError } from "axios";
import { got } from "got";
import ky from "ky";
import { expect, onTestFinished, test } from "vitest";
import { Agent, request } from "undici";
import { OidcAuth, type Credential } from "../index.ts";
import { startTestProvider, type TestProvider } from "../testing/index.ts";
import { authorize as authorizeAxios } from "./axios.ts";
import { authorizedHooks } from "./got.ts";
import { repeatableFetch } from "./ky.ts";
import { authorize as authorizeUndici } from "./undici.ts";

interface Seen {
  readonly authorization: string | undefined;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

type Post = (url: string, body: string, headers?: Record<string, string>) => Promise<Answer>;

/** What posts a text, with a credential. */
const clients: Readonly<Record<string, (credential: Credential) => Post>> = {
  axios: (credential) => {
    const instance = create({ validateStatus: null, responseType: "text" });
    authorizeAxios(instance, credential);
    return async (url, body, headers = {}) => {
      const { status, data } = await instance.post<string>(url, body, { headers });
      return { status, body: data };
    };
  },
  "axios, which throws": (credential) => {
    const instance = create({ responseType: "text" });
    authorizeAxios(instance, credential);
    return async (url, body, headers = {}) => {
      try {
        const { status, data } = await instance.post<string>(url, body, { headers });
        return { status, body: data };
      } catch (error) {
        if (!isAxiosError<string>(error) || error.response === undefined) throw error;
        return { status: error.response.status, body: error.response.data };
      }
    };
  },
  got: (credential) => {
    const client = got.extend(authorizedHooks(credential), {
      throwHttpErrors: false,
      retry: { limit: 0 },
    });
    return async (url, body, headers = {}) => {
      const answer = await client.post(url, { body, headers });
      return { status: answer.statusCode, body: answer.body };
    };
  },
  ky: (credential) => {
    const client = ky.create({ fetch: repeatableFetch(credential), throwHttpErrors: false });
    return async (url, body, headers = {}) => {
      const answer = await client.post(url, { body, headers, retry: 0 });
      return { status: answer.status, body: await answer.text() };
    };
  },
  "a Request": (credential) => {
    const send = repeatableFetch(credential);
    return async (url, body, headers = {}) => {
      const answer = await send(new Request(url, { method: "POST", body, headers }));
      return { status: answer.status, body: await answer.text() };
    };
  },
  undici: (credential) => {
    const agent = new Agent();
    onTestFinished(() => agent.close());
    const dispatcher = agent.compose(authorizeUndici(credential));
    return async (url, body, headers = {}) => {
      const answer = await request(url, { method: "POST", body, headers, dispatcher });
      return { status: answer.statusCode, body: await answer.body.text() };
    };
  },
};

async function startServer(accepts: (token: string) => boolean, challenge = "Bearer") {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of incoming) parts.push(part as Buffer);
      const { authorization } = incoming.headers;
      const body = Buffer.concat(parts).toString();
      seen.push({ authorization, body });
      const isTaken = accepts(authorization?.replace(/^Bearer /, "") ?? "");
      response.writeHead(isTaken ? 200 : 401, isTaken ? {} : { "www-authenticate": challenge });
      response.end(isTaken ? `got ${body}` : "who are you?");
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}/`, seen };
}

async function desk(): Promise<{ provider: TestProvider; auth: OidcAuth }> {
  const provider = await startTestProvider();
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  return { provider, auth };
}

const names = Object.keys(clients);
const clientOf = (name: string, credential: Credential): Post => {
  const make = clients[name];
  if (make === undefined) throw new Error(`no client ${name}`);
  return make(credential);
};

test.each(names)("%s: every request has a token, of one sign-in", async (name) => {
  const { provider, auth } = await desk();
  const server = await startServer(provider.accepts);
  const post = clientOf(name, auth);
  expect(await post(server.url, "one")).toEqual({ status: 200, body: "got one" });
  expect(await post(server.url, "two")).toEqual({ status: 200, body: "got two" });
  expect(server.seen.map(({ body }) => body)).toEqual(["one", "two"]);
  expect(provider.requests().token).toBe(1);
});

test.each(names)(
  "%s: a first token that is refused is renewed, and the body sent again",
  async (name) => {
    const { provider, auth } = await desk();
    const server = await startServer(provider.accepts);
    const { token: first } = await auth.getToken();
    provider.endAccessTokens();
    expect(await clientOf(name, auth)(server.url, "one")).toEqual({ status: 200, body: "got one" });
    expect(server.seen).toEqual([
      { authorization: `Bearer ${first}`, body: "one" },
      { authorization: `Bearer ${(await auth.getToken()).token}`, body: "one" },
    ]);
    expect(provider.requests().token).toBe(2);
  },
);

test.each(names)(
  "%s: a server that is never content has its answer handed on after one renewal [D21]",
  async (name) => {
    const { provider, auth } = await desk();
    const server = await startServer(() => false);
    const answer = await clientOf(name, auth)(server.url, "one");
    expect(answer).toEqual({ status: 401, body: "who are you?" });
    expect(server.seen).toHaveLength(2);
    expect(provider.requests().token).toBe(2);
  },
);

test.each(names)(
  "%s: another origin gets no token, and an authorization of one's own is left alone",
  async (name) => {
    const { provider, auth } = await desk();
    const server = await startServer(provider.accepts);
    const other = await startServer(() => true);
    const post = clientOf(name, auth);
    await post(server.url, "one");
    await post(other.url, "two");
    expect(other.seen).toEqual([{ authorization: undefined, body: "two" }]);
    await post(server.url, "three", { Authorization: "Basic eDp5" });
    expect(server.seen.slice(1)).toEqual([{ authorization: "Basic eDp5", body: "three" }]);
  },
);

test.each(names)("%s: no token goes without TLS to another machine", async (name) => {
  const { auth } = await desk();
  const failure = await clientOf(name, auth)("http://192.0.2.1/", "one").catch(
    (error: unknown) => error as Error,
  );
  const { code, cause } = failure as { code?: unknown; cause?: { code?: unknown } };
  expect([code, cause?.code]).toContain("insecure_url");
});

test.each(names)("%s: a sign-in that fails is told as what it is", async (name) => {
  const { provider, auth } = await desk();
  const server = await startServer(provider.accepts);
  provider.setPersonAnswer("refuses");
  const failure = await clientOf(name, auth)(server.url, "one").catch(
    (error: unknown) => error as Error,
  );
  const { code, cause } = failure as { code?: unknown; cause?: { code?: unknown } };
  expect([code, cause?.code]).toContain("access_denied");
  expect(server.seen).toEqual([]);
});

test("a stream is never sent twice: the answer is the caller's, and the next request has the better token", async () => {
  const { provider, auth } = await desk();
  const server = await startServer(provider.accepts);
  await auth.getToken();
  provider.endAccessTokens();
  const instance = create({ validateStatus: null });
  const stop = authorizeAxios(instance, auth);
  const streamed = await instance.post(server.url, Readable.from(["one"]));
  expect(streamed.status).toBe(401);
  expect(server.seen).toHaveLength(1);
  expect((await instance.post(server.url, "two")).status).toBe(200);
  stop();
  expect((await instance.post(server.url, "three")).status).toBe(401);
  expect(server.seen.at(-1)?.authorization).toBeUndefined();
});

test("a Request whose body is longer than is kept is sent once", async () => {
  const { provider, auth } = await desk();
  const server = await startServer(provider.accepts);
  await auth.getToken();
  provider.endAccessTokens();
  const send = repeatableFetch(auth, { maxBodyBytes: 3 });
  const post = (body: string): Promise<Response> =>
    send(new Request(server.url, { method: "POST", body }));
  expect((await post("four")).status).toBe(401);
  expect(server.seen.map(({ body }) => body)).toEqual(["four"]);
  expect((await post("two")).status).toBe(200);
});
