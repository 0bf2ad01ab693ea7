// Changes when the way that Keycloak is configured, started or its pages are filled in for the checks does.
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificateAuthority } from "../../support/certificates.ts";
import type { CertificateAuthority } from "../../support/certificates.ts";
import { startCountingProxy } from "../../support/counting-proxy.ts";
import type { CountingProxy } from "../../support/counting-proxy.ts";
import { needs } from "../../support/debian-packages.ts";
import { freePort } from "../../support/free-port.ts";
import { startProcess, untilItAnswers } from "../child-process.ts";
import type { ProviderProcess } from "../child-process.ts";
import { describePage, formsOf, PersonOverHttp } from "../person-over-http.ts";
import type { Act } from "../person-over-http.ts";
import type { ProviderDescription, ProviderUnderTest } from "../provider-under-test.ts";
import { keycloakDistribution } from "./keycloak-distribution.ts";

const startSeconds = 400;
const alice = { username: "alice", password: "alice-password" };
/** A public client that is registered with PKCE. */
export const pkceClientId = "pkce-client";

function client(clientId: string, more: object = {}, attributes: object = {}): object {
  return {
    clientId,
    enabled: true,
    protocol: "openid-connect",
    publicClient: true,
    standardFlowEnabled: true,
    implicitFlowEnabled: false,
    directAccessGrantsEnabled: false,
    // Somebody who is never asked could not refuse.
    consentRequired: true,
    redirectUris: ["http://127.0.0.1/*"],
    // Only who is among a token's audiences may ask about it.
    protocolMappers: [
      {
        name: "audience",
        protocol: "openid-connect",
        protocolMapper: "oidc-audience-mapper",
        config: { "included.client.audience": "confidential-client", "access.token.claim": "true" },
      },
    ],
    attributes: { "oauth2.device.authorization.grant.enabled": "true", ...attributes },
    ...more,
  };
}

/** One realm: rotation of refresh tokens on, so that the reuse of one ends the whole session. */
function realm(clientSecret: string): object {
  return {
    realm: "test",
    enabled: true,
    sslRequired: "none",
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    accessTokenLifespan: 600,
    oauth2DeviceCodeLifespan: 120,
    oauth2DevicePollingInterval: 1,
    users: [
      {
        username: alice.username,
        enabled: true,
        email: "alice@example.test",
        emailVerified: true,
        firstName: "Alice",
        lastName: "Example",
        // Imported users have no default roles unless they are named.
        realmRoles: ["default-roles-test"],
        credentials: [{ type: "password", value: alice.password, temporary: false }],
      },
    ],
    clients: [
      client("public-client"),
      client(pkceClientId, {}, { "pkce.code.challenge.method": "S256" }),
      client("confidential-client", {
        publicClient: false,
        secret: clientSecret,
        clientAuthenticatorType: "client-secret",
        serviceAccountsEnabled: true,
      }),
    ],
  };
}

/** A home folder of its own, with the read-only parts of the distribution linked into it. */
function makeHome(distribution: string, home: string): void {
  cpSync(join(distribution, "bin"), join(home, "bin"), { recursive: true });
  for (const name of ["lib", "providers", "themes"]) {
    symlinkSync(join(distribution, name), join(home, name));
  }
  for (const name of ["conf", "data/import", "data/tmp"]) {
    mkdirSync(join(home, name), { recursive: true });
  }
  cpSync(join(distribution, "conf", "cache-ispn.xml"), join(home, "conf", "cache-ispn.xml"));
  writeFileSync(join(home, "conf", "keycloak.conf"), "");
}

/** Login form, form for a device's code, form of consent, form that carries the answer to the client. */
function act(deny: boolean, userCode = ""): Act {
  return async (page) => {
    for (const { action, fields, buttons } of formsOf(page)) {
      const submit = (filled: Readonly<Record<string, string>>) => ({
        url: action,
        form: { ...fields, ...filled },
      });
      if (fields["password"] !== undefined) {
        if (page.text.includes("Invalid username")) throw new Error(describePage(page));
        return submit(alice);
      }
      if (fields["state"] !== undefined && new URL(action).origin !== new URL(page.url).origin) {
        return submit({});
      }
      if (fields["device_user_code"] !== undefined) return submit({ device_user_code: userCode });
      if (buttons.includes("accept")) return submit(deny ? { cancel: "No" } : { accept: "Yes" });
    }
    return undefined;
  };
}

async function launch({ tls }: { tls: boolean }): Promise<ProviderUnderTest> {
  const distribution = await keycloakDistribution();
  const home = mkdtempSync(join(tmpdir(), "latchkey-keycloak-"));
  let authority: CertificateAuthority | undefined;
  let proxy: CountingProxy | undefined;
  let running: ProviderProcess | undefined;
  const close = async (): Promise<void> => {
    await running?.stop();
    await proxy?.close();
    await authority?.dispose();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    if (tls) authority = await makeCertificateAuthority();
    else proxy = await startCountingProxy();
    const port = await freePort();
    proxy?.forwardTo(port);
    const origin = proxy?.origin ?? `https://127.0.0.1:${port}`;
    const issuer = `${origin}/realms/test`;
    const clientSecret = `${randomBytes(24).toString("base64url")}:+%/=`;
    makeHome(distribution, home);
    writeFileSync(join(home, "data", "import", "test.json"), JSON.stringify(realm(clientSecret)));
    running = startProcess(
      join(home, "bin", "kc.sh"),
      [
        "start",
        "--optimized",
        "--import-realm",
        "--log-level=warn",
        "--http-host=127.0.0.1",
        // Whichever name is asked, this one is the issuer's.
        `--hostname=${origin}`,
        ...(authority === undefined
          ? ["--http-enabled=true", `--http-port=${port}`]
          : [
              "--http-enabled=false",
              `--https-port=${port}`,
              `--https-certificate-file=${authority.certificatePath}`,
              `--https-certificate-key-file=${authority.keyPath}`,
            ]),
      ],
      { folder: home, environment: { JAVA_OPTS_KC_HEAP: "-Xms64m -Xmx512m" } },
    );
    const discovery = await untilItAnswers(`${issuer}/.well-known/openid-configuration`, running, {
      certificateAuthority: authority?.caPem,
      seconds: startSeconds,
    });
    proxy?.learn(JSON.parse(discovery));
    return {
      issuer,
      ...(authority === undefined
        ? {}
        : { certificateAuthority: { pem: authority.caPem, path: authority.caPath } }),
      clients: {
        public: { clientId: "public-client" },
        confidential: { clientId: "confidential-client", clientSecret },
      },
      callbackPort: 0,
      signIn: async (url, { deny = false, rewrite }) => {
        const person = new PersonOverHttp(authority?.caPem);
        const { page, isBackAtClient } = await person.browse(url, act(deny), rewrite);
        return { status: page.status, isBackAtClient };
      },
      approveDevice: async ({ verificationUri, userCode }, { deny = false }) => {
        const person = new PersonOverHttp(authority?.caPem);
        await person.browse(verificationUri, act(deny, userCode));
      },
      ...(proxy === undefined ? {} : { requests: proxy }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const keycloak: ProviderDescription = {
  name: "keycloak",
  missing: [needs("java").reason, needs("maven").reason, needs("unzip").reason]
    .filter((reason) => reason !== "")
    .join("; "),
  facts: {
    scopes: ["openid", "email"],
    iss: "advertised",
    needsPkce: [],
    exactPort: false,
    idTokenAlgorithm: "RS256",
    tokenType: "Bearer",
    refreshGivesIdToken: true,
    wrongSecretReason: "unauthorized_client",
    wrongSecretAtRefresh: "told",
    publicRevocation: "yes",
    denial: "page",
    deviceDenial: "page",
    deviceClients: ["public", "confidential"],
    accessTokens: {
      client: "public",
      form: "jwt",
      audience: "confidential-client",
      introspection: "yes",
      userinfo: "yes",
    },
    clientCredentialsScopes: [],
    secretInBody: { impossible: "Basic is listed, so it is used" },
  },
  launch,
};
