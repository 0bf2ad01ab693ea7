// The reference system over gRPC, both ways: a server of its descriptors for our clients, and its own client for our server.
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { OidcAuth } from "../../src/credential/oidc-auth.ts";
import { connect } from "../../src/xgt/connect.ts";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import { scratchHome, startLatchkey, runLatchkey } from "../support/command-line.ts";
import { freePort } from "../support/free-port.ts";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";
import { hasPython, pythonPackages } from "../support/installed-once.ts";
import { signIn } from "../support/scripted-browser.ts";

const isMissing = !hasPython();
// Its other packages are those that it asks for.
const packages = ["xgt==2.7.0", "grpcio==1.85.3", "protobuf==7.36.2"];
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const exampleServer = fileOf("../../examples/data-server.mjs");

let python: string;
let provider: IdentityProvider;
let authority: CertificateAuthority;

// The first run installs it.
beforeAll(async () => {
  if (isMissing) return;
  python = await pythonPackages(packages);
  provider = await startIdentityProvider();
  authority = await makeCertificateAuthority();
}, 600_000);
afterAll(async () => {
  await provider?.close();
  await authority?.dispose();
});

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Lines of its standard output so far. */
  readonly lines: string[];
  /** The first line of this form, now or later. */
  readonly line: (pattern: RegExp) => Promise<string>;
}

function start(
  program: string,
  words: readonly string[],
  env: Record<string, string> = {},
): Running {
  const child = spawn(program, words, { env: { PATH: process.env["PATH"] ?? "", ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  let errors = "";
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    child.emit("line");
  });
  const isOver = once(child, "close").then(() => true);
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find((each) => pattern.test(each));
      if (found !== undefined) return found;
      const hasEnded = await Promise.race([isOver, once(child, "line").then(() => false)]);
      if (hasEnded && !lines.some((each) => pattern.test(each))) throw new Error(errors);
    }
  };
  return { child, lines, line };
}

async function pythonServer(): Promise<Running & { readonly address: string }> {
  const { clientId } = provider.clients.public;
  const words = [fileOf("xgt/server.py"), provider.issuer, clientId];
  const running = start(python, [...words, authority.certificatePath, authority.keyPath]);
  return { ...running, address: await running.line(/^grpcs:/) };
}

class Greeter extends Client {
  hello(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.makeUnaryRequest(
        "/example.Greeter/Hello",
        (value: string) => Buffer.from(value),
        (bytes) => bytes.toString(),
        "hello",
        new Metadata(),
        (error, value) => (error === null ? resolve(value ?? "") : reject(error)),
      );
    });
  }
}

test.skipIf(isMissing)(
  "a server of its descriptors: the address alone signs in on the command line, and the library gets its sessions",
  async () => {
    const { address, lines, line } = await pythonServer();
    const home = await scratchHome();
    onTestFinished(() => home.remove());
    const words = ["--server", address, "--ca-cert-path", authority.caPath, "--callback-port", "0"];
    const login = startLatchkey(["login", "--no-open-browser", ...words], { home: home.path });
    const [url] = await login.waitFor(/http\S+\/auth\?\S+/);
    expect(new URL(url).searchParams.get("scope")).toBe("openid profile");
    await signIn(url);
    expect((await login.finished).code).toBe(0);
    expect(lines).toEqual([address, "GetOidcIssuer"]);

    provider.resetRequests();
    const token = await runLatchkey(["token", ...words], { home: home.path });
    expect([token.code, token.stderr]).toEqual([0, ""]);
    expect(provider.requests()).toMatchObject({ token: 0, authorization: 0 });
    // A second run asks nobody.
    expect(lines).toEqual([address, "GetOidcIssuer"]);

    const auth = new OidcAuth({
      caCertPath: authority.caPath,
      cachePath: join(home.path, "library.json"),
      callbackPort: 0,
      openBrowser: false,
      onPrompt: (event) => {
        if (event.type === "authorizationUrl") void signIn(event.url);
      },
    });
    onTestFinished(() => auth.close());
    const connection = await connect(address, { auth });
    const greeter = connection.client(Greeter);
    expect(await greeter.hello()).toBe("Hello, alice.");
    // The server has ended that session.
    expect(await greeter.hello()).toBe("Hello, alice.");
    expect(connection.userId).toBe("alice");
    await connection.close();
    await line(/^CloseSession$/);
    const session = ["ProtocolVersion", "TokenAuthenticate", "Hello"];
    expect(lines.slice(2)).toEqual([
      "GetOidcIssuer",
      ...session,
      "refused",
      ...session,
      "CloseSession",
    ]);
  },
  60_000,
);

test.skipIf(isMissing)(
  "its own client, unchanged, gets its issuer from our server and is signed in there",
  async () => {
    const server = start(process.execPath, [exampleServer], {
      ISSUER: provider.issuer,
      CLIENT_ID: provider.clients.public.clientId,
      SCOPES: "openid profile",
      TLS_CERTIFICATE: authority.certificatePath,
      TLS_KEY: authority.keyPath,
    });
    const { port } = new URL((await server.line(/^grpcs:/)).replace("grpcs:", "https:"));
    const home = await scratchHome();
    onTestFinished(() => home.remove());
    const cache = join(home.path, "token.json");
    const callbackPort = String(await freePort());
    const client = start(
      python,
      ["-u", fileOf("xgt/client.py"), port, authority.caPath, cache, callbackPort],
      {
        HOME: home.path,
      },
    );
    const [url = ""] = /http\S+/.exec(await client.line(/\/auth\?/)) ?? [];
    expect(new URL(url).searchParams.get("scope")).toBe("openid profile");
    await signIn(url);
    expect(await client.line(/^userid: /)).toBe("userid: alice");
  },
  60_000,
);
