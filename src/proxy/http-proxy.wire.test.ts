// The proxy between real connections: how requests and answers pass, and what goes no further.

import { once } from "node:events";
import {
  createServer,
  request as requestOf,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import { createHttpClient } from "../http/client.ts";
import { HttpProxy } from "./http-proxy.ts";
import { ProxyTokens } from "./proxy-tokens.ts";
import { createProxyServer } from "./serve-http.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Scene {
  readonly port: number;
  readonly server: ReturnType<typeof createServer>;
  /** What the tokens were asked with. */
  readonly asked: GetTokenOptions[];
  readonly failures: OidcError[];
  send(options: RequestOptions, body?: string | Buffer): Promise<IncomingMessage>;
}

/** A proxy whose tokens are t1, t2 …, each until it is refused; after the last one nobody is signed in. */
async function scene(listener: Listener, last = 100): Promise<Scene> {
  const upstream = createServer((request, response) => void listener(request, response)).listen(
    0,
    "127.0.0.1",
  );
  await once(upstream, "listening");
  const { port: upstreamPort } = upstream.address() as AddressInfo;
  const asked: GetTokenOptions[] = [];
  let number = 1;
  const getToken = async (options: GetTokenOptions = {}): Promise<AccessToken> => {
    asked.push(options);
    if (options.rejectedToken === `t${String(number)}`) number += 1;
    if (number > last) throw new OidcError("login_required", "Nobody is signed in.");
    return {
      token: `t${String(number)}`,
      tokenType: "Bearer",
      scopes: [],
      expiresAt: undefined,
      source: "cache",
    } as unknown as AccessToken;
  };
  const failures: OidcError[] = [];
  const dialer = createHttpClient({
    clock: systemClock,
    logger: undefined,
    timeoutSeconds: 5,
    caCertPath: undefined,
    allowInsecureHttp: false,
    environment: {},
    randomBytes: (length) => new Uint8Array(length),
  });
  const proxy = new HttpProxy({
    upstream: new URL(`http://127.0.0.1:${String(upstreamPort)}`),
    tokens: new ProxyTokens({ getToken }, systemClock),
    dialer,
    admission: { hosts: undefined, secret: undefined },
    words: ({ code }) => `[${code}]`,
    onFailure: (error) => failures.push(error),
  });
  const server = createProxyServer(proxy).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const each of [server, upstream]) each.close().closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    server: upstream,
    asked,
    failures,
    send: async (options, body) => {
      const outgoing = requestOf({ port, host: "127.0.0.1", agent: false, ...options });
      outgoing.end(body);
      return (await once(outgoing, "response"))[0] as IncomingMessage;
    },
  };
}

/** Takes tokens from this number on. */
function only(first: number, listener: Listener): Listener {
  return (request, response) => {
    const number = Number(/^Bearer t(\d+)$/.exec(request.headers.authorization ?? "")?.[1]);
    if (number >= first) {
      return listener(request, response);
    }
    request.resume();
    response.writeHead(401, { "www-authenticate": 'Bearer error="invalid_token"' }).end("refused");
  };
}

test("[X07] a short body is sent once more with a better token, however its length is said", async () => {
  const bodies: string[] = [];
  const at = await scene(
    only(2, async (request, response) => {
      bodies.push(await text(request));
      response.end("done");
    }),
  );
  for (const headers of [{ "content-length": "5" }, { "transfer-encoding": "chunked" }]) {
    const answer = await at.send({ method: "POST", headers }, "twice");
    expect([answer.statusCode, await text(answer)]).toEqual([200, "done"]);
  }
  expect(bodies).toEqual(["twice", "twice"]);
  expect(at.asked.filter(({ rejectedToken }) => rejectedToken !== undefined)).toHaveLength(1);
  expect(at.asked.every(({ interactive }) => interactive === false)).toBe(true);
});

test("[X07] a long body is sent once; the refusal is the client's, and the next request has a better token", async () => {
  const long = Buffer.alloc(3 * 1024 * 1024, "x");
  const at = await scene(
    only(2, async (request, response) => {
      response.end(String((await buffer(request)).length));
    }),
  );
  const refused = await at.send({ method: "PUT" }, long);
  expect([refused.statusCode, await text(refused)]).toEqual([401, "refused"]);
  const taken = await at.send({ method: "PUT" }, long);
  expect([taken.statusCode, await text(taken)]).toEqual([200, String(long.length)]);
});

test("[X07] a server that is never content gets one repeat, and then nothing is renewed for a while", async () => {
  let requests = 0;
  const at = await scene((_request, response) => {
    requests += 1;
    response.writeHead(401).end();
  });
  for (let round = 0; round < 3; round += 1) expect((await at.send({})).statusCode).toBe(401);
  expect(requests).toBe(4);
  expect(at.asked.filter(({ rejectedToken }) => rejectedToken !== undefined)).toHaveLength(1);
});

test("[X09] nobody is asked to sign in by a request: the server's refusal is the client's, and whoever started it is told", async () => {
  const at = await scene(
    only(2, (_request, response) => void response.end()),
    1,
  );
  const refused = await at.send({});
  expect([refused.statusCode, await text(refused)]).toEqual([401, "refused"]);
  const next = await at.send({});
  expect([next.statusCode, await text(next)]).toEqual([502, "latchkey proxy: [login_required]\n"]);
  expect(at.failures.map(({ code }) => code)).toEqual(["login_required", "login_required"]);
  const asked = at.asked.length;
  expect((await at.send({})).statusCode).toBe(502);
  expect(at.asked.length).toBe(asked);
});

test("an answer passes as it comes, piece by piece, with all its headers", async () => {
  const at = await scene(async (_request, response) => {
    response.writeHead(206, "Some", [
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["X-Own", "1"],
    ]);
    response.write("one");
    await released;
    response.end("two");
  });
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const answer = await at.send({});
  expect([answer.statusCode, answer.statusMessage, answer.headers["set-cookie"]]).toEqual([
    206,
    "Some",
    ["a=1", "b=2"],
  ]);
  const [first] = (await once(answer, "data")) as [Buffer];
  expect(first.toString()).toBe("one");
  release();
  expect(await text(answer)).toBe("two");
});

test("[X10] an answer that breaks off does not look whole", async () => {
  const at = await scene((_request, response) => {
    response.write("half", () => response.destroy());
  });
  const answer = await at.send({});
  await expect(text(answer)).rejects.toThrow("aborted");
});

test("one connection serves request after request, and a new one replaces one that breaks", async () => {
  const sockets = new Set<Socket>();
  let breaks = false;
  const at = await scene((request, response) => {
    sockets.add(request.socket);
    if (breaks) {
      breaks = false;
      request.socket.destroy();
    } else response.end("ok");
  });
  for (let round = 0; round < 2; round += 1) expect(await text(await at.send({}))).toBe("ok");
  expect(sockets.size).toBe(1);
  breaks = true;
  expect(await text(await at.send({}))).toBe("ok");
  expect(sockets.size).toBe(2);
  // Whether it was carried out nobody knows: it is not sent again.
  breaks = true;
  expect((await at.send({ method: "POST" }, "x")).statusCode).toBe(502);
});

async function raw(port: number, ...lines: string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return text(socket);
}

test.each([
  ["GET http://evil.example/ HTTP/1.1", 400],
  ["GET //evil.example/ HTTP/1.1", 200],
  ["OPTIONS * HTTP/1.1", 400],
  ["TRACE / HTTP/1.1", 400],
  ["GET /\u00e9 HTTP/1.1", 400],
])("[X06] %s", async (line, status) => {
  const hosts: (string | undefined)[] = [];
  const at = await scene((request, response) => {
    hosts.push(request.headers.host);
    response.end();
  });
  const said = await raw(at.port, line, "Host: evil.example", "Connection: close");
  expect(said).toContain(`HTTP/1.1 ${String(status)} `);
  const { port } = at.server.address() as AddressInfo;
  expect(hosts).toEqual(status === 200 ? [`127.0.0.1:${String(port)}`] : []);
});

test("[X06] CONNECT leads nowhere", async () => {
  const at = await scene((_request, response) => void response.end());
  expect(await raw(at.port, "CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443")).toBe(
    "",
  );
});

test.each([
  [["Content-Length: 3", "Transfer-Encoding: chunked"]],
  [["Content-Length: 3", "Content-Length: 4"]],
  [["Transfer-Encoding: chunked, identity"]],
])("[X02] a body whose end is said twice goes no further: %j", async (headers) => {
  let requests = 0;
  const at = await scene((_request, response) => {
    requests += 1;
    response.end();
  });
  const said = await raw(at.port, "POST / HTTP/1.1", "Host: x", ...headers);
  expect([said.startsWith("HTTP/1.1 400 "), requests]).toEqual([true, 0]);
});

test("a protocol is changed with the token, and what follows passes both ways", async () => {
  const at = await scene(() => {});
  const seen: unknown[] = [];
  at.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    seen.push([request.headers.authorization, request.headers.upgrade, head.toString()]);
    const answer =
      request.headers.authorization === "Bearer t1" ? "401 No" : "101 Switching Protocols";
    socket.write(`HTTP/1.1 ${answer}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
    if (answer.startsWith("401")) socket.end();
    else socket.pipe(socket);
  });
  const headers = { connection: "Upgrade", upgrade: "echo", authorization: "Bearer own" };
  const outgoing = requestOf({ port: at.port, host: "127.0.0.1", headers, agent: false });
  outgoing.end();
  const [incoming, socket] = (await once(outgoing, "upgrade")) as [IncomingMessage, Socket];
  expect([incoming.statusCode, incoming.headers.upgrade]).toEqual([101, "echo"]);
  socket.write("there and back");
  expect(String((await once(socket, "data"))[0])).toBe("there and back");
  socket.end();
  await once(socket, "close");
  expect(seen).toEqual([
    ["Bearer t1", "echo", ""],
    ["Bearer t2", "echo", ""],
  ]);
});

test("[X05] a page's WebSocket goes no further", async () => {
  const at = await scene(() => {});
  let upgrades = 0;
  at.server.on("upgrade", () => (upgrades += 1));
  const headers = { connection: "Upgrade", upgrade: "websocket", origin: "https://evil.example" };
  const answer = await at.send({ headers });
  expect([answer.statusCode, upgrades]).toEqual([403, 0]);
});
