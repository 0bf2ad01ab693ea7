// The examples, run as programs on the built package against a real provider. Changes when an example does.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startProtectedServer } from "../../demo/protected-server.mjs";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { scratchHome } from "../support/command-line.ts";
import {
  startIdentityProvider,
  type IdentityProvider,
  type IdentityProviderOptions,
} from "../support/identity-provider.ts";
import { needs } from "../support/debian-packages.ts";
import { startRedis } from "../support/redis-server.ts";
import { signIn } from "../support/scripted-browser.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const browser = fileURLToPath(new URL("../support/browser-command.mjs", import.meta.url));
const testedBelow = [
  "call-an-api.mjs",
  "client-credentials.mjs",
  "data-client.mjs",
  "data-server.mjs",
  "get-a-token.mjs",
  "one-address.mjs",
  "own-prompt.mjs",
  "own-store.mjs",
  // In test/long/postgres-store.test.ts.
  "postgres-store.mjs",
  // In test/long/without-stand-ins.test.ts.
  "protected-server.mjs",
  "redis-store.mjs",
  // Those of a server are in server-examples.test.ts.
  "server-express.mjs",
  "server-fastify.mjs",
  "server-grpc.mjs",
  "server-hono.mjs",
  "server-introspection.mjs",
  "server-issuers.mjs",
  "server-telemetry.mjs",
  "server-websocket.mjs",
  "share-one-sign-in.mjs",
  "test-a-sign-in.mjs",
];

interface Desk {
  readonly home: string;
  readonly provider: IdentityProvider;
  readonly run: (
    name: string,
    options?: RunOptions,
  ) => Promise<{ code: number | null; output: string }>;
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with the output so far. */
  readonly onOutput?: (text: string, interrupt: () => void) => void;
}

async function desk(options: IdentityProviderOptions = {}): Promise<Desk> {
  const provider = await startIdentityProvider(options);
  onTestFinished(() => provider.close());
  const home = await scratchHome();
  onTestFinished(() => home.remove());
  return {
    home: home.path,
    provider,
    run: async (name, { environment = {}, onOutput } = {}) => {
      const child = spawn(process.execPath, [`${examples}${name}`], {
        cwd: home.path,
        env: {
          PATH: process.env["PATH"],
          HOME: home.path,
          BROWSER: `${process.execPath} ${browser}`,
          ISSUER: provider.issuer,
          CLIENT_ID: provider.clients.public.clientId,
          CALLBACK_PORT: "0",
          ...environment,
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      // A test that runs out of time leaves no process.
      onTestFinished(() => void child.kill("SIGKILL"));
      let output = "";
      let isInterrupted = false;
      const interrupt = (): void => {
        // A second one would end the program at once.
        if (!isInterrupted) child.kill("SIGINT");
        isInterrupted = true;
      };
      const collect = (text: string): void => {
        output += text;
        onOutput?.(output, interrupt);
      };
      child.stdout.setEncoding("utf8").on("data", collect);
      // What the default prompt says goes here; of the examples' own words, only an error.
      let errors = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors += text;
      });
      const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
      return { code, output: code === 0 ? output : output + errors };
    },
  };
}

test("every example is run by a test here", () => {
  expect(readdirSync(examples).filter((name) => /\.m?[jt]s$/.test(name))).toEqual(testedBelow);
});

test("get-a-token signs in once, then has the token from the cache", async () => {
  const { provider, run } = await desk();
  const expires =
    /^source: (\w+), expires: \d{4}-.*Z\na header to send: Authorization: Bearer .{4}…\n$/;
  const first = await run("get-a-token.mjs");
  expect([first.code, expires.exec(first.output)?.[1]]).toEqual([0, "login"]);
  const second = await run("get-a-token.mjs");
  expect([second.code, expires.exec(second.output)?.[1]]).toEqual([0, "cache"]);
  expect(provider.requests().token).toBe(1);
});

test("call-an-api greets, and renews a token that the API refuses, once", async () => {
  const audience = "urn:demo:api";
  const { provider, run } = await desk({ jwtAccessTokens: true });
  const api = await startProtectedServer({
    issuer: provider.issuer,
    clientId: provider.clients.public.clientId,
    audience,
  });
  onTestFinished(() => api.close());
  expect(await run("call-an-api.mjs", { environment: { API_URL: api.url } })).toEqual({
    code: 0,
    output: "200 Hello, alice.\n",
  });
  expect(provider.requests().token).toBe(1);

  const seen: (string | undefined)[] = [];
  const refusing = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.statusCode = 401;
    response.end("no");
  });
  await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void refusing.close());
  const { port } = refusing.address() as AddressInfo;
  const refused = await run("call-an-api.mjs", {
    environment: { API_URL: `http://127.0.0.1:${String(port)}/` },
  });
  expect(refused).toEqual({ code: 0, output: "401 no\n" });
  expect([seen.length, new Set(seen).size, provider.requests().token]).toEqual([2, 2, 2]);
});

test("one-address asks the server once, and has the token from the cache then", async () => {
  const { provider, run } = await desk();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization?.slice(0, 7)}`);
    const isDocument = request.url === "/.well-known/oauth-protected-resource";
    const said = {
      resource: address,
      authorization_servers: [provider.issuer],
      client_id: clientId,
    };
    response.end(isDocument ? JSON.stringify(said) : "hello");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const { clientId } = provider.clients.public;
  const environment = { SERVER: address, ISSUER: "", CLIENT_ID: "" };
  const said = (source: string): string =>
    `source: ${source}, issuer: ${provider.issuer}, server: ${address}\n200 hello\n`;
  expect(await run("one-address.mjs", { environment })).toEqual({ code: 0, output: said("login") });
  expect(await run("one-address.mjs", { environment })).toEqual({ code: 0, output: said("cache") });
  expect(asked).toEqual([
    "GET /.well-known/oauth-protected-resource undefined",
    "GET /hello Bearer ",
    "GET /hello Bearer ",
  ]);
});

test("own-prompt shows the address in its own words, and knows who came", async () => {
  const { run } = await desk();
  let visit: Promise<unknown> | undefined;
  const { code, output } = await run("own-prompt.mjs", {
    onOutput: (text) => {
      const url = /^http\S+$/m.exec(text)?.[0];
      if (url !== undefined && text.includes(`${url}\n`)) visit ??= signIn(url);
    },
  });
  await visit;
  expect(code).toBe(0);
  expect(output).toMatch(/^Reports wants you to sign in until .*:\nhttp\S+\nThank you\.\n/);
  expect(output).toContain("Welcome, Alice Example.");
});

test("own-prompt tells a cancelled sign-in from a failed one", async () => {
  const { run } = await desk();
  const cancelled = await run("own-prompt.mjs", {
    onOutput: (text, interrupt) => {
      if (/^http\S+$/m.test(text)) interrupt();
    },
  });
  expect(cancelled.code).toBe(1);
  expect(cancelled.output).toContain("That did not work.\nYou cancelled.");
  const failed = await run("own-prompt.mjs", { environment: { ISSUER: "http://127.0.0.1:9" } });
  expect(failed.code).toBe(1);
  expect(failed.output).toContain("127.0.0.1:9");
  expect(failed.output).toContain("[network]");
});

test("client-credentials gets a token without any person", async () => {
  const { provider, run } = await desk({ jwtAccessTokens: true });
  const { clientId, clientSecret } = provider.clients.confidentialBasic;
  const environment = { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
  expect(await run("client-credentials.mjs", { environment })).toEqual({
    code: 0,
    output: "source: login, scopes: api:read\n",
  });
  expect((await run("client-credentials.mjs", { environment })).output).toContain("source: cache");
  expect(provider.requests()).toMatchObject({ token: 1, authorization: 0 });
});

const redis = needs("redis");

test.skipIf(!redis.available)("redis-store shares one sign-in between machines", async () => {
  const { home, provider, run } = await desk({ jwtAccessTokens: true });
  const server = await startRedis();
  onTestFinished(() => server.close());
  const { clientId, clientSecret } = provider.clients.confidentialBasic;
  const environment = {
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    REDIS_URL: server.url,
    SIGN_IN_KEY: randomBytes(32).toString("base64"),
  };
  const elsewhere = await scratchHome();
  onTestFinished(() => elsewhere.remove());
  expect(await run("redis-store.mjs", { environment })).toEqual({
    code: 0,
    output: "source: login, scopes: api:read\n",
  });
  const other = { ...environment, HOME: elsewhere.path };
  expect((await run("redis-store.mjs", { environment: other })).output).toContain("source: cache");
  expect(provider.requests()).toMatchObject({ token: 1, authorization: 0 });
  expect(readdirSync(home, { recursive: true }).map(String).join()).not.toContain("latchkey");
  // The function gives too little.
  const failed = await run("redis-store.mjs", { environment: { ...environment, SIGN_IN_KEY: "" } });
  expect(failed.output).toContain("key_unavailable");
});

test("share-one-sign-in opens one window for two parts, and uses no cache file", async () => {
  const { home, provider, run } = await desk();
  expect(await run("share-one-sign-in.mjs")).toEqual({ code: 0, output: "one sign-in for both\n" });
  expect(provider.requests()).toMatchObject({ token: 1, authorization: 1 });
  // The file store leaves its lock's identity behind even after a logout.
  expect(readdirSync(home, { recursive: true }).map(String).join()).not.toContain("lock-id");
});

test.each([
  ["test-a-sign-in.mjs", 3],
  ["own-store.mjs", 19],
])("%s: each of its tests passes", async (name, count) => {
  const { provider, run } = await desk();
  const { code, output } = await run(name);
  expect([code, /\bpass (\d+)$/m.exec(output)?.[1]]).toEqual([0, String(count)]);
  expect(provider.requests().total).toBe(0);
});

test("data-client signs in with the address of data-server alone, and needs no request of its own later", async () => {
  const { provider, run } = await desk();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const server = spawn(process.execPath, [`${examples}data-server.mjs`], {
    env: {
      PATH: process.env["PATH"],
      ISSUER: provider.issuer,
      CLIENT_ID: provider.clients.public.clientId,
      TLS_CERTIFICATE: authority.certificatePath,
      TLS_KEY: authority.keyPath,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  const [address] = (await once(server.stdout.setEncoding("utf8"), "data")) as [string];
  expect(address).toMatch(/^grpcs:\/\/127\.0\.0\.1:\d+\n$/);
  const environment = { ADDRESS: address.trim(), CA_CERT_PATH: authority.caPath };
  const greeted = { code: 0, output: "Hello, alice.\n" };
  expect(await run("data-client.mjs", { environment })).toEqual(greeted);
  expect(provider.requests()).toMatchObject({ token: 1, authorization: 1 });
  // The second program has the token from the cache: what follows is the server's, which asks whose it is.
  const withSession = { ...environment, XGT: "1" };
  expect(await run("data-client.mjs", { environment: withSession })).toEqual(greeted);
  expect(provider.requests()).toMatchObject({ token: 1, authorization: 1 });
});
