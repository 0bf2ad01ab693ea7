import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { CertificateAuthority } from "../../test/support/certificates.ts";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { json, reply, startHostileServer } from "../../test/support/hostile-server.ts";
import type { HostileServer, HostileServerOptions } from "../../test/support/hostile-server.ts";
import {
  canary,
  makeClient,
  metadataRequest,
  tokenRequest,
  userinfoRequest,
} from "../../test/support/http-client.ts";

let authority: CertificateAuthority;
let server: HostileServer | undefined;

beforeAll(async () => {
  authority = await makeCertificateAuthority();
});

afterAll(() => authority.dispose());

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(tls: HostileServerOptions["tls"]): Promise<HostileServer> {
  server = await startHostileServer(json({ a: 1 }), { tls: tls ?? {} });
  return server;
}

const leaf = () => ({ key: authority.key, cert: authority.certificate });

test.each([
  ["metadata", metadataRequest],
  ["userinfo", userinfoRequest],
  ["a token request", tokenRequest],
])("trusts the given bundle for %s [S02]", async (_name, kind) => {
  const { origin } = await serve(leaf());
  const client = makeClient({ caCertPath: authority.caPath });
  expect((await client.send(kind(origin))).status).toBe(200);
});

test("trusts the given bundle after a redirect and in a retry [S02]", async () => {
  const running = await serve(leaf());
  running.behave((socket, request, index) => {
    const answers = [reply(503), reply(302, { location: "/2" }), json({})];
    answers[index]?.(socket, request, index);
  });
  const client = makeClient({ caCertPath: authority.caPath });
  expect((await client.send(metadataRequest(running.origin))).status).toBe(200);
  expect(running.requests).toHaveLength(3);
});

test.each([undefined, "own"])(
  "names the issuer of a certificate from an unknown authority, own roots: %s [S01]",
  async (roots) => {
    const running = await serve({
      key: authority.key,
      cert: authority.certificate + authority.caPem,
    });
    const stranger = roots === undefined ? undefined : await makeCertificateAuthority();
    const client = makeClient({ caCertPath: stranger?.caPath });
    const error = await client.failure(tokenRequest(running.origin));
    await stranger?.dispose();
    expect([error.code, error.reason, error.retryable]).toEqual(["tls", "unknown_issuer", false]);
    expect(error.message).toContain(
      `${running.host} (token request) shows a certificate issued by "Latchkey test root", which ` +
        (stranger === undefined
          ? "is not trusted here. The request was not sent. Save that root as PEM and set `caCertPath`."
          : `neither this machine nor ${stranger.caPath} trusts. The request was not sent. Save that root as PEM and add it to that file, or set \`caCertPath\` to another one.`),
    );
    expect(running.requests).toEqual([]);
  },
);

test("an http: address of a port that speaks TLS is asked about, an https: one is not", async () => {
  const running = await serve(leaf());
  const plain = await makeClient().failure(tokenRequest(running.origin.replace("https:", "http:")));
  expect([plain.code, plain.reason]).toEqual(["network", "reset"]);
  expect(plain.message).toContain("Does this port want https: instead of http:?");
  running.behave((socket) => socket.destroy());
  const secure = await makeClient({ caCertPath: authority.caPath }).failure(
    tokenRequest(running.origin),
  );
  expect(secure.reason).toBe("reset");
  expect(secure.message).not.toContain("http:?");
});

test("names the issuer where the chain is not shown [S01]", async () => {
  const running = await serve(leaf());
  const error = await makeClient().failure(tokenRequest(running.origin));
  expect([error.code, error.reason]).toEqual(["tls", "unknown_issuer"]);
  expect(error.message).toContain('"Latchkey test root"');
});

test("does not retry metadata after a TLS failure [S01]", async () => {
  const running = await serve(leaf());
  const client = makeClient();
  expect((await client.failure(metadataRequest(running.origin))).code).toBe("tls");
  expect(client.clock.pauses).toEqual([]);
  expect(client.events.filter(({ name }) => name === "http.request")).toHaveLength(1);
});

test("says that a certificate signed itself, whatever its name holds [S01]", async () => {
  const folder = dirname(authority.caPath);
  const files = ["-keyout", join(folder, "self.key"), "-out", join(folder, "self.pem")];
  const subject = ["-subj", "/CN=evil\u001b[31m\u202etxt.exe", "-utf8"];
  await promisify(execFile)(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt"].concat(
      ["ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      subject,
      files,
    ),
  );
  const running = await serve({
    key: await readFile(join(folder, "self.key")),
    cert: await readFile(join(folder, "self.pem")),
  });
  const error = await makeClient().failure(tokenRequest(running.origin));
  expect([error.code, error.reason]).toEqual(["tls", "self_signed"]);
  // The name is nowhere, and so are its control characters.
  expect(error.message).toMatch(/^[\x20-\x7e]+$/);
});

test("says since when a certificate is no longer valid [S01]", async () => {
  const expired = await authority.expiredLeaf();
  const running = await serve({ key: expired.key, cert: expired.certificate });
  const client = makeClient({ caCertPath: authority.caPath });
  const error = await client.failure(tokenRequest(running.origin));
  expect([error.code, error.reason]).toEqual(["tls", "expired"]);
  const lastDay = new Date(new X509Certificate(expired.certificate).validTo).toISOString();
  expect(error.message).toContain(`expired on ${lastDay.slice(0, 10)}.`);
  expect(running.requests).toEqual([]);
});

test("says for which host a certificate is [S01]", async () => {
  const wrong = await authority.wrongHostLeaf();
  const running = await serve({ key: wrong.key, cert: wrong.certificate });
  const client = makeClient({ caCertPath: authority.caPath });
  const error = await client.failure(tokenRequest(running.origin));
  expect([error.code, error.reason]).toEqual(["tls", "wrong_host"]);
  expect(error.message).toContain("a certificate for other.example, not for 127.0.0.1");
  expect(running.requests).toEqual([]);
});

test("sends nothing in the second look at a certificate [S01]", async () => {
  const running = await serve(leaf());
  await makeClient().failure(tokenRequest(running.origin));
  await running.allClosed();
  expect(running.connections()).toBe(2);
  expect(running.requests).toEqual([]);
});

test("does not let the second look turn a refused certificate into a timeout [S01]", async () => {
  const client = makeClient();
  const picky = createTlsServer({ key: authority.key, cert: authority.certificate });
  let connections = 0;
  picky
    .on("tlsClientError", () => {})
    .on("connection", () => {
      connections += 1;
      if (connections === 2) client.clock.expire();
    });
  picky.listen(0, "127.0.0.1");
  await once(picky, "listening");
  const { port } = picky.address() as AddressInfo;
  const error = await client.failure(tokenRequest(`https://127.0.0.1:${port}`));
  picky.close();
  expect([error.code, error.reason, connections]).toEqual(["tls", "unknown_issuer", 2]);
});

test("keeps request and certificate objects out of the error [O03]", async () => {
  const wrong = await authority.wrongHostLeaf();
  const running = await serve({ key: wrong.key, cert: wrong.certificate });
  const error = await makeClient({ caCertPath: authority.caPath }).failure(
    tokenRequest(running.origin),
  );
  expect(Object.keys(error.cause ?? {})).toEqual(["code"]);
  expect(JSON.stringify(error) + String(error.stack)).not.toContain(canary);
});

test.each([undefined, "own"])("refuses TLS below 1.2, own roots: %s [S06]", async (roots) => {
  const running = await serve({
    ...leaf(),
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  const client = makeClient({ caCertPath: roots === undefined ? undefined : authority.caPath });
  const error = await client.failure(tokenRequest(running.origin));
  expect([error.code, error.reason]).toEqual(["tls", "protocol"]);
  expect(error.message).toContain("TLS 1.2");
});

test("says that a port does not speak TLS [S06]", async () => {
  const talkative = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
  talkative.listen(0, "127.0.0.1");
  await once(talkative, "listening");
  const { port } = talkative.address() as AddressInfo;
  const error = await makeClient().failure(tokenRequest(`https://127.0.0.1:${port}`));
  talkative.close();
  expect([error.code, error.reason]).toEqual(["tls", "protocol"]);
});
