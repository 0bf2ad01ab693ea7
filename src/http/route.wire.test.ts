import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "rolldown";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { CertificateAuthority } from "../../test/support/certificates.ts";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { json, reply, startHostileServer } from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import { makeClient, tokenRequest } from "../../test/support/http-client.ts";

let authority: CertificateAuthority;
let server: HostileServer;
let folder: string;

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  server = await startHostileServer(json({}), {
    tls: { key: authority.key, cert: authority.certificate },
  });
  // The client as a program of its own, its lazy parts still lazy.
  folder = await mkdtemp(join(tmpdir(), "latchkey-route-"));
  await build({
    input: { client: resolve("src/http/client.ts"), clock: resolve("src/core/clock.ts") },
    external: (id) => !/^[./]/.test(id),
    logLevel: "silent",
    output: { dir: folder, entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" },
  });
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
});

afterAll(async () => {
  await server.close();
  await authority.dispose();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => {
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
});

/** Runs a script in a process of its own, with `send(url, options)` at hand; its standard output. */
async function run(script: string, environment: Record<string, string> = {}): Promise<string> {
  const prelude = `
    import { createHttpClient } from ${JSON.stringify(join(folder, "client.mjs"))};
    import { systemClock } from ${JSON.stringify(join(folder, "clock.mjs"))};
    const createClient = (options) => createHttpClient({ clock: systemClock, timeoutSeconds: 30,
      environment: process.env, randomBytes: (length) => new Uint8Array(length), ...options });
    const codeOf = (operation) => operation.then(({ status }) => status, ({ code }) => code);
    const loaded = () => process.moduleLoadList
      .filter((name) => /^NativeModule (tls|https|http|crypto|.*undici.*)$/.test(name))
      .map((name) => name.split(" ")[1]);
    const request = (url, more) => ({ method: "GET", url, step: "discovery", ...more });
  `;
  const { PATH = "" } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", prelude + script],
    { env: { PATH, ...environment } },
  );
  return stdout.trim();
}

test("verifies certificates though the environment forbids it, and warns once [S04]", async () => {
  const client = makeClient({ environment: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  for (let count = 0; count < 2; count += 1) {
    expect((await client.failure(tokenRequest(server.origin))).code).toBe("tls");
  }
  expect(server.requests).toEqual([]);
  expect(client.warnings).toEqual(["tls_verification_forced"]);
});

test("verifies though only the process's own environment forbids it [S04]", async () => {
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  const client = makeClient({ environment: {}, caCertPath: undefined });
  expect((await client.failure(tokenRequest(server.origin))).code).toBe("tls");
  expect(server.requests).toEqual([]);
});

test("verifies through a proxy though the environment forbids it [S04, N10]", async () => {
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  const proxy = net.createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket
          .pipe(net.connect(server.port, "127.0.0.1"))
          .on("error", () => {})
          .pipe(socket);
      });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as net.AddressInfo;
  const client = makeClient({ environment: { HTTPS_PROXY: `http://127.0.0.1:${port}` } });
  expect((await client.failure(tokenRequest("https://id.example"))).code).toBe("tls");
  expect(server.requests).toEqual([]);
  proxy.close();
});

test("verifies in a process that was started with verification off [S04]", async () => {
  const script = `console.log(await codeOf(createClient({}).send(request("${server.origin}"))));`;
  expect(await run(script, { NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toBe("tls");
  expect(server.requests).toEqual([]);
});

test("does not warn where verification is on", async () => {
  const client = makeClient({ environment: { NODE_TLS_REJECT_UNAUTHORIZED: "1" } });
  await client.failure(tokenRequest(server.origin));
  expect(client.warnings).toEqual([]);
});

test("trusts NODE_EXTRA_CA_CERTS, also in addition to a bundle of its own [S02]", async () => {
  const stranger = await makeCertificateAuthority();
  const script = `
    const answers = [];
    for (const caCertPath of [undefined, ${JSON.stringify(stranger.caPath)}]) {
      answers.push(await codeOf(createClient({ caCertPath }).send(request("${server.origin}"))));
    }
    console.log(JSON.stringify(answers));`;
  expect(await run(script, { NODE_EXTRA_CA_CERTS: authority.caPath })).toBe("[200,200]");
  expect(await run(script)).toBe('["tls","tls"]');
  await stranger.dispose();
});

test("refuses TLS below 1.2 in a process that was started to allow it [S06]", async () => {
  const old = await startHostileServer(json({}), {
    tls: {
      key: authority.key,
      cert: authority.certificate,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    },
  });
  const script = `
    const caCertPath = ${JSON.stringify(authority.caPath)};
    console.log(await codeOf(createClient({ caCertPath }).send(request("${old.origin}"))));`;
  const lax = "--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0";
  expect(await run(script, { NODE_OPTIONS: lax })).toBe("tls");
  await old.close();
});

test("loads nothing of TLS before it has to, and never the built-in fetch", async () => {
  const plain = await startHostileServer(json({}));
  const script = `
    const steps = [loaded()];
    await createClient({}).send(request("${plain.origin}"));
    steps.push(loaded());
    const caCertPath = ${JSON.stringify(authority.caPath)};
    await createClient({ caCertPath }).send(request("${server.origin}"));
    steps.push(loaded());
    console.log(JSON.stringify(steps.map((names) => names.toSorted())));`;
  expect(JSON.parse(await run(script))).toEqual([[], ["http"], ["crypto", "http", "tls"]]);
  await plain.close();
});

/** A port of this machine that swallows connections: its process hangs and its queue is full. */
async function startBlackHole(): Promise<{ port: number; close: () => void }> {
  const script = `
    const server = require("net").createServer();
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("fs").writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(output.toString());
  // Linux queues one connection more than the backlog says and then drops what comes.
  const queue = [net.connect(port, "127.0.0.1"), net.connect(port, "127.0.0.1")];
  await Promise.all(
    queue.map((socket) =>
      once(
        socket.on("error", () => {}),
        "connect",
      ),
    ),
  );
  return { port, close: () => child.kill("SIGKILL") };
}

test.runIf(process.platform === "linux")(
  "ends an attempt to connect to a black hole after its own limit [N01]",
  async () => {
    const hole = await startBlackHole();
    const client = makeClient({ connectTimeoutSeconds: 0.2, caCertPath: authority.caPath });
    const error = await client.failure(tokenRequest(`https://127.0.0.1:${hole.port}`));
    hole.close();
    expect([error.code, error.reason]).toEqual(["timeout", "connect"]);
    expect(error.message).toContain(
      `127.0.0.1:${hole.port} (token request): no connection within 0.2 s`,
    );
    expect(client.clock.pauses).toEqual([]);
  },
);

test.runIf(process.platform === "linux")(
  "does not hold the process for an attempt to connect that was given up [I3]",
  async () => {
    const hole = await startBlackHole();
    const script = `
      const caller = new AbortController();
      const caCertPath = ${JSON.stringify(authority.caPath)};
      const client = createClient({ connectTimeoutSeconds: 3600, caCertPath });
      const url = "https://127.0.0.1:${hole.port}";
      setTimeout(() => caller.abort(), 500);
      console.log(await codeOf(client.send(request(url, { signal: caller.signal }))));`;
    expect(await run(script)).toBe("aborted");
    hole.close();
  },
);

test("does not hold the process for a TLS handshake that was given up [I3]", async () => {
  const mute = net.createServer((socket) => socket.on("error", () => {}).resume());
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = mute.address() as net.AddressInfo;
  const script = `
    const caller = new AbortController();
    const caCertPath = ${JSON.stringify(authority.caPath)};
    const client = createClient({ connectTimeoutSeconds: 3600, caCertPath });
    setTimeout(() => caller.abort(), 500);
    const url = "https://127.0.0.1:${port}";
    console.log(await codeOf(client.send(request(url, { signal: caller.signal }))));`;
  expect(await run(script)).toBe("aborted");
  mute.close();
});

test("does not hold the process for a TLS handshake behind a proxy that was given up [I3, N10]", async () => {
  const proxy = net.createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as net.AddressInfo;
  const script = `
    const caller = new AbortController();
    setTimeout(() => caller.abort(), 500);
    const client = createClient({ connectTimeoutSeconds: 3600 });
    console.log(await codeOf(client.send(request("https://id.example", { signal: caller.signal }))));`;
  expect(await run(script, { HTTPS_PROXY: `http://127.0.0.1:${port}` })).toBe("aborted");
  proxy.close();
});

test("reaches a host again after an attempt to connect to it was given up", async () => {
  const client = makeClient({ caCertPath: authority.caPath });
  const caller = new AbortController();
  let connected = 0;
  // The first connection is silent, the second one is passed on to the real server.
  const gate = net.createServer((socket) => {
    socket.on("error", () => {});
    connected += 1;
    if (connected === 1) caller.abort();
    else socket.pipe(net.connect(server.port, "127.0.0.1")).pipe(socket);
  });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  const { port } = gate.address() as net.AddressInfo;
  const request = tokenRequest(`https://127.0.0.1:${port}`);
  const first = await client.failure({ ...request, signal: caller.signal });
  const second = await client.send(request);
  expect([first.code, second.status]).toEqual(["aborted", 200]);
  gate.close();
});

test("survives a server that hangs up while its answer is being read [N09]", async () => {
  const long = await startHostileServer(
    reply(200, { "content-encoding": "gzip" }, gzipSync(randomBytes(900 * 1024))),
  );
  const script = `
    const client = createClient({});
    const codes = new Set();
    for (let count = 0; count < 40; count += 1) {
      codes.add(await codeOf(client.send(request("${long.origin}"))));
    }
    console.log(JSON.stringify([...codes]));`;
  expect(await run(script)).toBe("[200]");
  await long.close();
});

test("shows its own certificate to the host that asks for one, and to no proxy", async () => {
  const mutual = await startHostileServer(json({}), {
    tls: {
      key: authority.key,
      cert: authority.certificate,
      ca: authority.caPem,
      requestCert: true,
      rejectUnauthorized: true,
    },
  });
  const shownToProxy: unknown[] = [];
  const curious = createTlsServer(
    {
      key: authority.key,
      cert: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => {
      shownToProxy.push(socket.getPeerCertificate());
      socket
        .on("error", () => {})
        .once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          socket
            .pipe(net.connect(mutual.port, "127.0.0.1"))
            .on("error", () => {})
            .pipe(socket);
        });
    },
  );
  curious.listen(0, "127.0.0.1");
  await once(curious, "listening");
  const { key, certificate } = await authority.clientLeaf();
  const trusted = { caCertPath: authority.caPath };
  const known = { ...trusted, clientCertificate: { certificate, key } };
  const environment = {
    HTTPS_PROXY: `https://127.0.0.1:${(curious.address() as net.AddressInfo).port}`,
  };
  expect((await makeClient(known).send(tokenRequest(mutual.origin))).status).toBe(200);
  expect((await makeClient(trusted).failure(tokenRequest(mutual.origin))).code).toBe("tls");
  // No loopback address by its name, so that the proxy is asked; the host's certificate is for another one.
  const behind = await makeClient({ ...known, environment }).failure(
    tokenRequest(`https://0.0.0.0:${mutual.port}`),
  );
  expect([behind.reason, shownToProxy]).toEqual(["wrong_host", [{}]]);
  await mutual.close();
  curious.close();
});

test.each(["http", "https"])(
  "does not hold the process for a connection that is kept: %s",
  async (scheme) => {
    const answer: RequestListener = (request, response) =>
      void request.resume().once("end", () => response.end("{}"));
    const { key, certificate: cert } = authority;
    const patient =
      scheme === "http" ? createServer(answer) : createSecureServer({ key, cert }, answer);
    patient.keepAliveTimeout = 600_000;
    patient.listen(0, "127.0.0.1");
    await once(patient, "listening");
    const { port } = patient.address() as net.AddressInfo;
    const script = `
    const caCertPath = ${JSON.stringify(authority.caPath)};
    console.log(await codeOf(createClient({ caCertPath }).send(request("${scheme}://127.0.0.1:${port}"))));`;
    expect(await run(script)).toBe("200");
    patient.closeAllConnections();
    patient.close();
  },
);
