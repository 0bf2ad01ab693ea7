// Faults of the way to a provider, and of a provider, planted on purpose: each is found, and what to do is named.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  makeCertificateAuthority,
  type CertificateAuthority,
  type LeafCertificate,
} from "../../test/support/certificates.ts";
import { networkChecks } from "./network.ts";
import { providerChecks } from "./provider.ts";
import { pageChecks } from "./sign-in-page.ts";
import {
  canary,
  lookFor,
  freePort,
  playMachine,
  playProvider,
  type Fault,
  type Site,
} from "./testing.ts";

let authority: CertificateAuthority;
let stranger: CertificateAuthority;

beforeAll(async () => {
  [authority, stranger] = await Promise.all([
    makeCertificateAuthority(),
    makeCertificateAuthority(),
  ]);
});

afterAll(() => Promise.all([authority.dispose(), stranger.dispose()]));

/** A proxy that answers CONNECT with a status. */
async function proxyAnswering(status: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function behindProxy(site: Site, port: number): void {
  site.machine = playMachine({ HTTPS_PROXY: `http://alice:${canary}@127.0.0.1:${String(port)}` });
  site.given["issuer"] = "https://id.example.test";
}

async function withCertificate(
  site: Site,
  leaf: Pick<LeafCertificate, "key" | "certificate">,
  caCertPath: string = authority.caPath,
): Promise<void> {
  const tls = { key: leaf.key, cert: leaf.certificate };
  Object.assign(site.given, { issuer: await playProvider({ tls }), caCertPath });
}

const faults: readonly Fault[] = [
  [
    "a host that refuses connections",
    "network",
    "failed",
    /HTTPS_PROXY/,
    async ({ given }) => {
      const { port, close } = await freePort();
      close();
      given["issuer"] = `http://127.0.0.1:${String(port)}`;
    },
  ],
  [
    "an expired certificate",
    "tls",
    "failed",
    /expired on .* has to renew it/,
    async (site) => {
      await withCertificate(site, await authority.expiredLeaf());
    },
  ],
  [
    "a certificate for another host",
    "tls",
    "failed",
    /Is the address right/,
    async (site) => {
      await withCertificate(site, await authority.wrongHostLeaf());
    },
  ],
  [
    "a certificate that signed itself",
    "tls",
    "failed",
    /it signed itself.*save it as PEM/,
    async (site) => {
      const words =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=self -addext subjectAltName=IP:127.0.0.1 -keyout - -out -";
      const pem = execFileSync("openssl", words.split(" "), { encoding: "utf8", stdio: "pipe" });
      await withCertificate(site, { key: pem, certificate: pem });
    },
  ],
  [
    "an incomplete chain",
    "tls",
    "failed",
    /send the whole chain/,
    async (site) => {
      await withCertificate(site, authority, stranger.caPath);
    },
  ],
  [
    "no file of trusted roots",
    "tls",
    "failed",
    /`caCertPath`/,
    async (site) => {
      await withCertificate(site, authority, join(site.machine.homeDirectory, "none.pem"));
    },
  ],
  [
    "a proxy that is not there",
    "proxy",
    "failed",
    /is the proxy right/,
    async (site) => {
      const { port, close } = await freePort();
      close();
      behindProxy(site, port);
    },
  ],
  [
    "a proxy that wants a password",
    "proxy",
    "failed",
    /USER:PASSWORD@/,
    async (site) => {
      behindProxy(site, await proxyAnswering("407 Proxy Authentication Required"));
    },
  ],
  [
    "a proxy that refuses the host",
    "proxy",
    "failed",
    /NO_PROXY/,
    async (site) => {
      behindProxy(site, await proxyAnswering("403 Forbidden"));
    },
  ],
  [
    "a clock that is wrong",
    "clock",
    "failed",
    /behind the provider's.*timedatectl/,
    async ({ given }) => {
      const date = new Date(Date.now() + 600_000).toUTCString();
      given["issuer"] = await playProvider({ date });
    },
  ],
  [
    "no document",
    "discovery",
    "failed",
    /Check `issuer`/,
    async ({ given }) => {
      given["issuer"] = await playProvider({ documentStatus: 404 });
    },
  ],
  [
    "another issuer's document",
    "discovery",
    "failed",
    /`issuer`/,
    async ({ given }) => {
      given["issuer"] = await playProvider({ metadata: { issuer: "https://id.example.com" } });
    },
  ],
  [
    "no flow for a browser",
    "flows",
    "failed",
    /Is `issuer` right/,
    async ({ given }) => {
      given["flow"] = "auth_code";
      given["issuer"] = await playProvider({
        metadata: { authorization_endpoint: undefined, device_authorization_endpoint: undefined },
      });
    },
  ],
  [
    "PKCE that is not listed",
    "pkce",
    "warning",
    /`pkce: false`/,
    async ({ given }) => {
      given["issuer"] = await playProvider({
        metadata: { code_challenge_methods_supported: ["plain"] },
      });
    },
  ],
  [
    "a redirect URI that is not registered",
    "redirect-uri",
    "failed",
    /register the redirect URI exactly/,
    async ({ given }) => {
      given["issuer"] = await playProvider({ pageStatus: 400 });
    },
  ],
  [
    "a page whose form-action stops Chromium",
    "form-action",
    "warning",
    /http:\/\/127\.0\.0\.1:\*/,
    async ({ given }) => {
      given["issuer"] = await playProvider({
        pageHeaders: { "content-security-policy": "default-src 'none'; form-action 'self' https:" },
      });
    },
  ],
];

test.each(faults.map((fault) => ({ fault })))("$fault.0 is found", async ({ fault }) => {
  const [, , status, remedy] = fault;
  const said = expect.stringMatching(remedy) as unknown;
  expect(await lookFor(fault)).toEqual({ status, said });
});

test("every check has a fault that it finds", () => {
  const found = new Set(faults.map(([, name]) => name));
  // What a server says is the business of `trust`: its faults are errors, as they are there.
  expect(
    [...networkChecks, ...providerChecks, ...pageChecks]
      .filter(({ name }) => !found.has(name))
      .map(({ name }) => name),
  ).toEqual(["server"]);
});
