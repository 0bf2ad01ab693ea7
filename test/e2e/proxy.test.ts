// The built command line behind a real forward proxy that wants a password, and at an https provider with a private
// authority. Changes when what Latchkey promises about proxies and certificates does.
//
// Loopback is never proxied, so everything stands in a network namespace of the test's own, at an address that is not
// loopback (test/support/private-network.ts).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:tls";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import {
  makeCertificateAuthority,
  type CertificateAuthority,
  type LeafCertificate,
} from "../support/certificates.ts";
import { startLatchkey, type RunningCommand } from "../support/command-line.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import {
  canMakePrivateNetwork,
  makePrivateNetwork,
  type AuthenticatingProxy,
  type PrivateNetwork,
} from "../support/private-network.ts";
import { desk, provider } from "./harness.ts";

const browserScript = fileURLToPath(new URL("../support/browser-command.mjs", import.meta.url));
const userName = "latchkey";
const password = "proxy-canary-7Hq2xW";

/** What every process of this machine was started with, as `ps` shows it to everybody. */
function argumentsOfAllProcesses(): string {
  const shown: string[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      shown.push(readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      continue; // It ended meanwhile.
    }
  }
  return shown.join("\n");
}

test("loopback is never proxied, whatever the variables say [N10]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const dead = `http://${userName}:${password}@127.0.0.1:9`;
  const login = await at.run(["login", ...at.flags(identityProvider)], {
    env: { HTTPS_PROXY: dead, HTTP_PROXY: dead },
  });
  expect([login.code, login.stdout]).toEqual([0, ""]);
  expect(login.stderr).not.toContain(password);
});

describe.skipIf(!canMakePrivateNetwork())("a private network", () => {
  let network: PrivateNetwork;
  let authority: CertificateAuthority;
  let leaf: LeafCertificate;
  let proxy: AuthenticatingProxy;

  beforeAll(async () => {
    [network, authority] = await Promise.all([makePrivateNetwork(), makeCertificateAuthority()]);
    leaf = await authority.leafFor(network.address);
    proxy = await network.startProxy({ userName, password });
  });
  afterAll(async () => {
    await proxy.stop();
    await network.close();
    await authority.dispose();
  });

  /** A provider inside the network. */
  async function inside(certificate: LeafCertificate = leaf): Promise<IdentityProvider> {
    return provider({
      tls: { ...certificate, caPem: authority.caPem },
      host: network.address,
      listeningSocket: await network.listen(),
    });
  }

  function proxyUrl(secret: string = password): string {
    return `http://${userName}:${secret}@${proxy.host}`;
  }

  interface Run {
    readonly parameters: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly withoutBundle?: boolean;
  }

  /** A desk inside the network: its browser and its commands are there too. */
  async function deskInside(identityProvider: Pick<IdentityProvider, "issuer" | "clients">) {
    const at = await desk();
    const browser =
      `/usr/bin/env LATCHKEY_TEST_CA=${authority.caPath} ` +
      `LATCHKEY_TEST_OTHER_HOST=${network.address} ${process.execPath} ${browserScript}`;
    const start = (run: Run): RunningCommand => {
      const [command = "", ...rest] = run.parameters;
      return startLatchkey(
        [
          command,
          "--issuer",
          identityProvider.issuer,
          "--client-id",
          identityProvider.clients.public.clientId,
          "--callback-port=0",
          "--callback-timeout-seconds=20",
          ...(run.withoutBundle === true ? [] : ["--ca-cert-path", authority.caPath]),
          "--browser-command",
          browser,
          ...rest,
        ],
        {
          home: at.home,
          through: network.through,
          stdin: "",
          env: { HTTPS_PROXY: proxyUrl(), ...run.env },
        },
      );
    };
    return {
      home: at.home,
      start,
      run: (parameters: readonly string[], env = {}) => start({ parameters, env }).finished,
      withoutBundle: (parameters: readonly string[], env = {}) =>
        start({ parameters, env, withoutBundle: true }).finished,
    };
  }

  /** How often the proxy was asked for a way to the provider since `log` was taken. */
  function tunnels(identityProvider: IdentityProvider, since: string): number {
    const wanted = `CONNECT ${network.address}:${identityProvider.port}`;
    return proxy.log().slice(since.length).split(wanted).length - 1;
  }

  test("a whole sign-in goes through the proxy with its password, and every later request too [N10][S02]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const since = proxy.log();
    const login = await at.run(["login"]);
    expect([login.code, login.stdout]).toEqual([0, ""]);
    expect(login.stderr).toContain("as Alice Example.");
    const afterLogin = tunnels(identityProvider, since);
    expect(afterLogin).toBeGreaterThan(0);

    const renewed = await at.run(["token", "--force-refresh"]);
    expect([renewed.code, renewed.stderr]).toEqual([0, ""]);
    const afterRefresh = tunnels(identityProvider, since);
    expect(afterRefresh).toBeGreaterThan(afterLogin);
    const gone = await at.run(["logout", "--revoke"]);
    expect(gone.code).toBe(0);
    expect(tunnels(identityProvider, since)).toBeGreaterThan(afterRefresh);
    expect(identityProvider.requests()).toMatchObject({ discovery: 1, jwks: 1, token: 2 });
    expect(identityProvider.requests().revocation).toBeGreaterThan(0);

    const [address = ""] = /https:\S+\/auth\?\S+/.exec(login.stderr) ?? [];
    const said = [login, renewed, gone].map(({ stderr }) => stderr).join("\n");
    expectNoSecrets(said.replace(address, ""), [password, ...secretsOf([identityProvider])]);
  });

  test("the device flow goes through the proxy too [N10][S02]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const since = proxy.log();
    const login = await at.run(["login", "--flow=device"]);
    expect([login.code, login.stdout]).toEqual([0, ""]);
    expect(identityProvider.requests().device).toBe(1);
    expect(tunnels(identityProvider, since)).toBeGreaterThan(0);
  });

  test("no process's arguments show the password while a sign-in waits [I1][N10]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const login = at.start({ parameters: ["login", "--no-open-browser"] });
    const [address] = await login.waitFor(/https:\S+\/auth\?\S+/);
    const shown = argumentsOfAllProcesses();
    expect(shown).toContain("latchkey.cjs login");
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(Buffer.from(`${userName}:${password}`).toString("base64"));

    const [first, ...words] = [...network.through, process.execPath, browserScript, address];
    const browser = spawn(first, words, {
      stdio: "ignore",
      env: {
        PATH: process.env["PATH"],
        LATCHKEY_TEST_CA: authority.caPath,
        LATCHKEY_TEST_OTHER_HOST: network.address,
      },
    });
    const [code] = await once(browser, "exit");
    const { code: outcome, stdout, stderr } = await login.finished;
    expect([code, outcome, stdout]).toEqual([0, 0, ""]);
    expect(stderr).not.toContain(password);
  });

  test("a wrong proxy password is a network error that names HTTPS_PROXY, never the password [I1][N10]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const refused = await at.run(["login"], { HTTPS_PROXY: proxyUrl("wrong-canary-3Jd9") });
    expect([refused.code, refused.stdout]).toEqual([6, ""]);
    expect(refused.stderr).toMatch(/\[network: proxy_authentication\]\n$/);
    expect(refused.stderr).toContain("HTTPS_PROXY");
    expect(refused.stderr).toContain(proxy.host);
    expect(refused.stderr).not.toContain("wrong-canary-3Jd9");
    expect(identityProvider.requests().total).toBe(0);
  });

  test("no proxy password at all is the same error [N10]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const refused = await at.run(["login"], { HTTPS_PROXY: `http://${proxy.host}` });
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/\[network: proxy_authentication\]\n$/);
    expect(identityProvider.requests().total).toBe(0);
  });

  test("what NO_PROXY names is asked directly [N10]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const since = proxy.log();
    const login = await at.run(["login"], { NO_PROXY: `example.com,${network.address}` });
    expect([login.code, login.stdout]).toEqual([0, ""]);
    expect(tunnels(identityProvider, since)).toBe(0);
  });

  test("a proxy that is not there is named, and nothing goes around it [N10]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const down = `${network.address}:9`;
    const failed = await at.run(["login"], {
      HTTPS_PROXY: `http://${userName}:${password}@${down}`,
    });
    expect(failed.code).toBe(6);
    expect(failed.stderr).toContain(`through the proxy ${down}`);
    expect(failed.stderr).toMatch(/\[network: refused\]\n$/);
    expect(failed.stderr).not.toContain(password);
    expect(identityProvider.requests().total).toBe(0);
  });

  // Through a proxy no second look is taken at the certificate, because it would go around the proxy: its details are
  // named only on the direct way.
  test.each([
    ["through the proxy", "an authority"],
    ["directly", '"Latchkey test root"'],
  ])(
    "without caCertPath the private authority is refused %s, and nothing is sent [S01]",
    async (way, named) => {
      const identityProvider = await inside();
      const at = await deskInside(identityProvider);
      const env = way === "directly" ? { NO_PROXY: network.address } : {};
      const refused = await at.withoutBundle(["login"], env);
      expect([refused.code, refused.stdout]).toEqual([6, ""]);
      expect(refused.stderr).toMatch(/\[tls: unknown_issuer\]\n$/);
      expect(refused.stderr).toContain("--ca-cert-path");
      expect(refused.stderr).toContain(`shows a certificate issued by ${named}`);
      expect(identityProvider.requests().total).toBe(0);
    },
  );

  test.each([
    ["through the proxy", /is no longer valid/],
    ["directly", /expired on \d{4}-\d\d-\d\d/],
  ])("an expired certificate is refused %s and said so [S01]", async (way, named) => {
    const identityProvider = await inside(
      await authority.leafFor(network.address, { isExpired: true }),
    );
    const at = await deskInside(identityProvider);
    const env = way === "directly" ? { NO_PROXY: network.address } : {};
    const refused = await at.run(["login"], env);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/\[tls: expired\]\n$/);
    expect(refused.stderr).toMatch(named);
    expect(identityProvider.requests().total).toBe(0);
  });

  test.each([
    ["through the proxy", "a certificate for other hosts"],
    ["directly", "other.example"],
  ])("a certificate of another host is refused %s and said so [S01]", async (way, named) => {
    const identityProvider = await inside(await authority.wrongHostLeaf());
    const at = await deskInside(identityProvider);
    const env = way === "directly" ? { NO_PROXY: network.address } : {};
    const refused = await at.run(["login"], env);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/\[tls: wrong_host\]\n$/);
    expect(refused.stderr).toContain(`not for ${network.address}`);
    expect(refused.stderr).toContain(named);
    expect(identityProvider.requests().total).toBe(0);
  });

  test("a bundle that is none is refused before anything is sent [S03]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    const since = proxy.log();
    const bundles = { missing: undefined, empty: "", garbage: "no PEM\n", key: leaf.key };
    for (const [name, content] of Object.entries(bundles)) {
      const path = join(at.home, `${name}.pem`);
      if (content !== undefined) writeFileSync(path, content);
      const refused = await at.withoutBundle(["login", "--ca-cert-path", path]);
      expect([name, refused.code]).toEqual([name, 2]);
      expect(refused.stderr).toMatch(/\[ca_bundle_invalid(?:: \w+)?\]\n$/);
      expect(refused.stderr).toContain(path);
    }
    expect(tunnels(identityProvider, since)).toBe(0);
  });

  test("NODE_TLS_REJECT_UNAUTHORIZED=0 switches nothing off, through the proxy or not [S04]", async () => {
    const identityProvider = await inside();
    const at = await deskInside(identityProvider);
    for (const env of [{}, { NO_PROXY: network.address }]) {
      const refused = await at.withoutBundle(["login"], {
        NODE_TLS_REJECT_UNAUTHORIZED: "0",
        ...env,
      });
      expect(refused.code).toBe(6);
      expect(refused.stderr).toMatch(/\[tls: unknown_issuer\]\n$/);
    }
    expect(identityProvider.requests().total).toBe(0);
  });

  test("an https provider that names an http endpoint is refused [S06]", async () => {
    const identityProvider = await inside();
    identityProvider.tamper({
      path: "discovery",
      respond: async (_request, genuine) => {
        const answer = await genuine();
        const document = JSON.parse(answer.body) as Record<string, unknown>;
        const plain = String(document["token_endpoint"]).replace("https:", "http:");
        return { ...answer, body: JSON.stringify({ ...document, token_endpoint: plain }) };
      },
    });
    const at = await deskInside(identityProvider);
    const refused = await at.run(["login"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/\[endpoint_invalid(?:: \w+)?\]\n$/);
    expect(identityProvider.requests()).toMatchObject({ total: 1, discovery: 1 });
  });

  test("TLS below 1.2 is refused through the proxy [S06]", async () => {
    const old = createServer({
      cert: leaf.certificate,
      key: leaf.key,
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const socket = await network.listen();
    const { port } = socket.address() as { port: number };
    let isSecure = false;
    old.on("secureConnection", () => (isSecure = true));
    old.on("tlsClientError", () => undefined);
    old.listen(socket);
    onTestFinished(() => void old.close());
    const { clients } = await inside();
    const at = await deskInside({ issuer: `https://${network.address}:${port}`, clients });
    const refused = await at.run(["login"]);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/\[tls: protocol\]\n$/);
    expect(isSecure).toBe(false);
  });
});
