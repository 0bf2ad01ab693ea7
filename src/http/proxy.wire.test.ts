import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import * as net from "node:net";
import * as tls from "node:tls";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { CertificateAuthority, LeafCertificate } from "../../test/support/certificates.ts";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { json, startHostileServer } from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import { makeClient, metadataRequest, tokenRequest } from "../../test/support/http-client.ts";
import { proxyFor } from "./proxy.ts";

/** A CONNECT proxy that leads every name to one port of this machine. */
interface TestProxy {
  port: number;
  /** Heads of the CONNECT requests that came. */
  heads: string[];
  /** What it answers to CONNECT; undefined: nothing; "": it hangs up. */
  status: string | undefined;
  close: () => Promise<void>;
}

async function startProxy(targetPort: number, secure?: LeafCertificate): Promise<TestProxy> {
  const open = new Set<Socket>();
  const track = (socket: Socket): void => {
    open.add(socket);
    socket.on("error", () => {}).once("close", () => open.delete(socket));
  };
  const serve = (socket: Socket): void => {
    track(socket);
    let head = "";
    const receive = (chunk: Buffer): void => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", receive);
      proxy.heads.push(head);
      if (proxy.status === undefined) return;
      if (proxy.status === "") return void socket.destroy();
      socket.write(`HTTP/1.1 ${proxy.status}\r\ncontent-length: 0\r\n\r\n`);
      if (!proxy.status.startsWith("2")) return void socket.end();
      const target = net.connect(targetPort, "127.0.0.1");
      track(target);
      socket.pipe(target).pipe(socket);
    };
    socket.on("data", receive);
  };
  const server =
    secure === undefined
      ? net.createServer(serve)
      : tls.createServer({ key: secure.key, cert: secure.certificate }, serve);
  server.on("connection", track);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: TestProxy = {
    port: (server.address() as AddressInfo).port,
    heads: [],
    status: "200 Connection established",
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  return proxy;
}

const password = "canary-p@ss";
let authority: CertificateAuthority;
let leaf: LeafCertificate;
let server: HostileServer;
let proxy: TestProxy;

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  leaf = await authority.wrongHostLeaf();
});

afterAll(() => authority.dispose());

beforeEach(async () => {
  server = await startHostileServer(json({ a: 1 }), {
    tls: { key: leaf.key, cert: leaf.certificate },
  });
  proxy = await startProxy(server.port);
});

afterEach(async () => {
  await server.close();
  await proxy.close();
});

const origin = "https://other.example";

function environment(): Record<string, string> {
  return { HTTPS_PROXY: `http://user:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}` };
}

function expectNoPassword(...shown: unknown[]): void {
  const text = inspect(shown, { depth: 20, showHidden: true });
  expect(text).not.toContain(password);
  expect(text).not.toContain(encodeURIComponent(password));
  expect(text).not.toContain(Buffer.from(`user:${password}`).toString("base64"));
}

test("goes through the proxy with its own roots, and tells the password to the proxy alone [N10, S02]", async () => {
  const client = makeClient({ environment: environment(), caCertPath: authority.caPath });
  expect((await client.send(tokenRequest(origin))).status).toBe(200);
  expect(proxy.heads).toHaveLength(1);
  expect(proxy.heads[0]).toMatch(/^CONNECT other\.example:443 HTTP\/1\.1\r\n/);
  const authorization = Buffer.from(`user:${password}`).toString("base64");
  expect(proxy.heads[0]).toContain(`proxy-authorization: Basic ${authorization}`);
  expect(proxy.heads[0]).not.toContain("canary-secret-value");
  expect(server.requests[0]?.headers).not.toHaveProperty("proxy-authorization");
  expectNoPassword(client.events);
});

test("reaches a proxy over TLS with the same roots [N10]", async () => {
  const secure = await startProxy(server.port, authority);
  const client = makeClient({
    environment: { https_proxy: `https://127.0.0.1:${secure.port}` },
    caCertPath: authority.caPath,
  });
  expect((await client.send(tokenRequest(origin))).status).toBe(200);
  expect(secure.heads).toHaveLength(1);
  await secure.close();
});

test("says that it is the proxy over TLS that is not trusted, or speaks none [S01, N10]", async () => {
  const secure = await startProxy(server.port, authority);
  const failureOver = (port: number) =>
    makeClient({ environment: { HTTPS_PROXY: `https://127.0.0.1:${port}` } }).failure(
      tokenRequest(origin),
    );
  const untrusted = await failureOver(secure.port);
  expect([untrusted.code, untrusted.reason]).toEqual(["tls", "certificate"]);
  expect(untrusted.message).toContain("no TLS connection to the proxy came about");
  const talkative = net.createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  talkative.listen(0, "127.0.0.1");
  await once(talkative, "listening");
  const plain = await failureOver((talkative.address() as AddressInfo).port);
  expect([plain.code, plain.reason]).toEqual(["tls", "protocol"]);
  expect([secure.heads, server.connections()]).toEqual([[], 0]);
  talkative.close();
  await secure.close();
});

test("takes any answer of success for a tunnel [N10]", async () => {
  proxy.status = "204 Connected";
  const client = makeClient({ environment: environment(), caCertPath: authority.caPath });
  expect((await client.send(tokenRequest(origin))).status).toBe(200);
});

test("tunnels http: too [N10]", async () => {
  const plain = await startHostileServer(json({}));
  const way = await startProxy(plain.port);
  const client = makeClient({
    environment: { HTTP_PROXY: `http://127.0.0.1:${way.port}` },
    allowInsecureHttp: true,
  });
  expect((await client.send(tokenRequest("http://other.example"))).status).toBe(200);
  expect(way.heads[0]).toContain("CONNECT other.example:80");
  expect(way.heads[0]).not.toContain("canary-secret-value");
  await plain.close();
  await way.close();
});

test("never sends loopback addresses to a proxy [N10]", async () => {
  const plain = await startHostileServer(json({}));
  const { HTTPS_PROXY = "" } = environment();
  const client = makeClient({ environment: { HTTPS_PROXY, HTTP_PROXY: HTTPS_PROXY } });
  expect((await client.send(metadataRequest(plain.origin))).status).toBe(200);
  expect(proxy.heads).toEqual([]);
  await plain.close();
});

test("says that the proxy wants a password, without showing the one it got [N10]", async () => {
  proxy.status = "407 Proxy Authentication Required";
  const client = makeClient({ environment: environment(), caCertPath: authority.caPath });
  const error = await client.failure(metadataRequest(origin));
  expect([error.code, error.reason]).toEqual(["network", "proxy_authentication"]);
  expect(error.message).toContain("other.example:443");
  expect(error.message).toContain(`proxy 127.0.0.1:${proxy.port}`);
  expect(error.message).toContain("407");
  expect(proxy.heads).toHaveLength(1);
  expectNoPassword(error, client.events);
});

test("says that the proxy refused, with its status [N10]", async () => {
  proxy.status = "403 Forbidden";
  const client = makeClient({ environment: environment(), caCertPath: authority.caPath });
  const error = await client.failure(metadataRequest(origin));
  expect([error.code, error.reason]).toEqual(["network", "proxy_refused"]);
  expect(error.message).toContain("status 403");
  expect(proxy.heads).toHaveLength(1);
  expectNoPassword(error);
});

test.each([
  ["a token request", tokenRequest, 1],
  ["metadata, which is tried twice", metadataRequest, 2],
] as const)(
  "a proxy that hangs up is named, and not connected to over and over: %s [N08, N10]",
  async (_name, kind, connections) => {
    proxy.status = "";
    const client = makeClient({ environment: environment(), caCertPath: authority.caPath });
    const error = await client.failure(kind(origin));
    expect([error.code, error.reason]).toEqual(["network", "proxy_refused"]);
    expect(error.message).toContain(`through the proxy 127.0.0.1:${proxy.port}: the proxy hung up`);
    expect(proxy.heads).toHaveLength(connections);
    expectNoPassword(error, client.events);
  },
);

test("names the proxy that cannot be reached, without its password [N10]", async () => {
  const { port } = proxy;
  await proxy.close();
  const client = makeClient({ environment: environment() });
  const error = await client.failure(tokenRequest(origin));
  expect([error.code, error.reason]).toEqual(["network", "refused"]);
  expect(error.message).toContain(
    `other.example:443 (token request) through the proxy 127.0.0.1:${port}`,
  );
  expectNoPassword(error, client.events);
  proxy = await startProxy(server.port);
});

test("counts the proxy's answer as part of connecting [N01, N10]", async () => {
  proxy.status = undefined;
  const client = makeClient({ environment: environment(), connectTimeoutSeconds: 0.1 });
  const error = await client.failure(tokenRequest(origin));
  expect([error.code, error.reason]).toEqual(["timeout", "connect"]);
  expect(error.message).toContain("within 0.1 s");
});

test("does not go around the proxy to look at a certificate [S01, N10]", async () => {
  const client = makeClient({ environment: environment() });
  // No loopback address by its name, and yet one that a direct connection would reach.
  const error = await client.failure(tokenRequest(`https://0.0.0.0:${server.port}`));
  expect([error.code, error.reason]).toEqual(["tls", "unknown_issuer"]);
  expect(proxy.heads).toHaveLength(1);
  expect(server.connections()).toBe(1);
  expect(server.requests).toEqual([]);
});

test("still compares the host behind the proxy [S01, N10]", async () => {
  const client = makeClient({ environment: environment(), caCertPath: authority.caPath });
  const error = await client.failure(tokenRequest("https://another.example"));
  expect([error.code, error.reason]).toEqual(["tls", "wrong_host"]);
  expect(server.requests).toEqual([]);
});

test.each([
  "http://user:canary-p%40ss@",
  "socks5://user:canary-p%40ss@127.0.0.1:1080",
  "http://user:canary%zz@proxy.example:3128",
  "http://proxy.example:99999",
  "::::",
])("refuses the proxy address %s and shows nothing of it [N10]", async (value) => {
  const client = makeClient({ environment: { HTTPS_PROXY: value } });
  const error = await client.failure(tokenRequest(origin));
  expect(error.code).toBe("invalid_option");
  expect(error.message).toContain("HTTPS_PROXY");
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain("canary-p");
});

const way = { HTTPS_PROXY: "http://proxy.example:3128", HTTP_PROXY: "http://plain.example:3128" };

test.each([
  ["https://id.example.com/", way, "proxy.example:3128"],
  ["http://id.example.com/", way, "plain.example:3128"],
  ["https://id.example.com/", { HTTP_PROXY: "http://plain.example:3128" }, undefined],
  ["https://id.example.com/", { ...way, https_proxy: "small.example" }, "small.example:80"],
  ["https://id.example.com/", { ...way, HTTPS_PROXY: " " }, undefined],
  ["http://id.example.com/", { ...way, REQUEST_METHOD: "GET" }, undefined],
  [
    "http://id.example.com/",
    { http_proxy: "http://a.example", REQUEST_METHOD: "GET" },
    "a.example:80",
  ],
  ["https://localhost/", way, undefined],
  ["https://app.localhost/", way, undefined],
  ["https://127.0.0.9/", way, undefined],
  ["https://[::1]/", way, undefined],
  ["https://127.0.0.1.example.com/", way, "proxy.example:3128"],
] as const)("for %s with %j takes the proxy %s [N10]", (url, variables, host) => {
  expect(proxyFor(new URL(url), variables)?.host).toBe(host);
});

test.each([
  ["id.example.com", "*", true],
  ["id.example.com", "example.com", true],
  ["id.example.com", ".example.com", true],
  ["id.example.com", "*.example.com", true],
  ["id.example.com", "a.test, ID.EXAMPLE.COM", true],
  ["id.example.com", "a.test id.example.com:443", true],
  ["id.example.com", "id.example.com:8443", false],
  ["id.example.com", "ample.com", false],
  ["id.example.com", "example.co", false],
  ["id.example.com", "", false],
  ["id.example.com", ".", false],
  ["evilexample.com", "example.com", false],
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["10.1.2.3", "10.0.0.0/99", false],
  ["10.1.2.3", "10.0.0.0/", false],
  ["10.1.2.3", "nonsense/8", false],
  ["[fd00::1]", "fd00::/8", true],
  ["[fd00::1]", "fd00::1", true],
  ["[fd00::1]", "[fd00::1]:443", true],
  ["[fd00::1]", "FD00:0:0:0:0:0:0:1", true],
  ["[fd00::1]", "[fd00:0::0:1]:443", true],
  ["[fd00::1]", "[fd00::1]:8443", false],
  ["[fd00::1]", "[fd00::2]", false],
  ["[fd00::1]", "[nonsense]", false],
  ["[fd00::1]", "10.0.0.0/8", false],
])("host %s with NO_PROXY %j is exempt: %s [N10]", (host, exempt, expected) => {
  const proxied = proxyFor(new URL(`https://${host}/`), { ...way, NO_PROXY: exempt });
  expect(proxied === undefined).toBe(expected);
});
