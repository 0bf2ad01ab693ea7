// Changes when the way that Debian's glewlwyd is set up, or what its pages ask of its API, does.
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
import { PersonOverHttp } from "../person-over-http.ts";
import type { Act } from "../person-over-http.ts";
import type { ProviderDescription, ProviderUnderTest } from "../provider-under-test.ts";

const programs = { glewlwyd: needs("glewlwyd"), sqlite3: needs("sqlite3") };
const schemaPath = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
// Of the schema that Debian ships: the administrator that everybody knows, in a database that lives for one test.
const administrator = { username: "admin", password: "password" };
const alice = { username: "alice", password: "alice-password" };

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly origin: string;
  readonly authority: CertificateAuthority | undefined;
}

function configuration({ folder, port, origin, authority }: Place): string {
  // Debian has no middleware folder, and without one the server logs an error.
  const middleware = join(folder, "middleware");
  mkdirSync(middleware);
  const settings: Readonly<Record<string, string | number | boolean>> = {
    port,
    bind_address: "127.0.0.1",
    // A slash at its end would come back as "//api" in every endpoint.
    external_url: origin,
    login_url: "login.html",
    api_prefix: "api",
    static_files_path: "/usr/share/glewlwyd/webapp/",
    log_mode: "console",
    log_level: "ERROR",
    cookie_domain: "127.0.0.1",
    cookie_secure: authority !== undefined,
    session_key: "GLEWLWYD2_SESSION_ID",
    admin_scope: "g_admin",
    profile_scope: "g_profile",
    user_module_path: "/usr/lib/glewlwyd/user",
    user_middleware_module_path: middleware,
    client_module_path: "/usr/lib/glewlwyd/client",
    user_auth_scheme_module_path: "/usr/lib/glewlwyd/scheme",
    plugin_module_path: "/usr/lib/glewlwyd/plugin",
    hash_algorithm: "SHA512",
    use_secure_connection: authority !== undefined,
    // Without these two lines it ends with "certificate is not valid", TLS or not.
    secure_connection_key_file: authority?.keyPath ?? "/nonexistent",
    secure_connection_pem_file: authority?.certificatePath ?? "/nonexistent",
  };
  return [
    ...Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    `database = { type = "sqlite3" path = ${JSON.stringify(join(folder, "glewlwyd.db"))} };`,
    'static_files_mime_types = ( { extension = ".html" mime_type = "text/html" } )',
  ].join("\n");
}

function pluginParameters(issuer: string): object {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), kid: "test", alg: "RS256", use: "sig" };
  return {
    iss: issuer,
    "jwks-private": JSON.stringify({ keys: [key] }),
    "default-kid": "test",
    "jwks-show": true,
    "jwt-type": "rsa",
    "jwt-key-size": "256",
    "access-token-duration": 600,
    "refresh-token-duration": 3600,
    "code-duration": 60,
    "refresh-token-rolling": true,
    "refresh-token-one-use": "always",
    "allow-non-oidc": true,
    "auth-type-code-enabled": true,
    "auth-type-code-revoke-replayed": true,
    "auth-type-token-enabled": false,
    "auth-type-id-token-enabled": true,
    "auth-type-none-enabled": false,
    "auth-type-password-enabled": false,
    "auth-type-client-enabled": true,
    "auth-type-device-enabled": true,
    "auth-type-refresh-enabled": true,
    "device-authorization-expiration": 120,
    "device-authorization-interval": 1,
    "pkce-allowed": true,
    "pkce-method-plain-allowed": false,
    "pkce-required": false,
    "pkce-required-public-client": true,
    "introspection-revocation-allowed": true,
    "introspection-revocation-allow-target-client": true,
    "session-management-allowed": true,
    "session-cookie-name": "GLWD_OIDC_SID",
    "session-cookie-expiration": 3600,
    "oauth-as-iss-id": true,
    "oauth-par-allowed": false,
    "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:",
    "oauth-dpop-allowed": false,
    "subject-type": "public",
    "email-claim": "mandatory",
    "email-claim-scope": [],
    "name-claim": "no",
    "scope-claim": "no",
    claims: [],
    scope: [],
    "client-pubkey-parameter": "pubkey",
    "client-jwks-parameter": "jwks",
    "client-jwks_uri-parameter": "jwks_uri",
  };
}

interface Registered {
  readonly issuer: string;
  readonly clientSecret: string;
  readonly callbackPort: number;
}

/** Everything that an administrator would click together. */
async function setUp({ origin, authority }: Place): Promise<Registered> {
  const issuer = `${origin}/api/oidc`;
  const person = new PersonOverHttp(authority?.caPem);
  const call = async (method: string, path: string, json: unknown): Promise<void> => {
    await person.sendForJson({ url: `${origin}/api${path}`, method, json });
  };
  const scope = (name: string, withPassword = true): object => ({
    name,
    display_name: name,
    password_required: withPassword,
    password_max_age: 0,
    scheme: {},
  });
  await call("POST", "/auth/", administrator);
  for (const name of ["email", "offline_access"]) await call("POST", "/scope/", scope(name));
  await call("POST", "/scope/", scope("api_read", false));
  await call("PUT", "/scope/openid", scope("openid"));
  await call("POST", "/user/?source=database", {
    ...alice,
    name: "Alice",
    email: "alice@example.test",
    enabled: true,
    scope: ["openid", "email", "offline_access", "g_profile"],
  });
  await call("POST", "/mod/plugin/", {
    module: "oidc",
    name: "oidc",
    display_name: "oidc",
    order_rank: 0,
    parameters: pluginParameters(issuer),
  });
  const callbackPort = await freePort();
  // Nothing that is form-encoded in a Basic header (RFC 6749 section 2.3.1): it does not decode it again.
  const clientSecret = randomBytes(24).toString("base64url");
  const interactive = ["code", "refresh_token", "device_authorization"];
  const common = { enabled: true, redirect_uri: [`http://127.0.0.1:${callbackPort}/callback`] };
  await call("POST", "/client/?source=database", {
    ...common,
    client_id: "public-client",
    name: "public-client",
    confidential: false,
    authorization_type: interactive,
    token_endpoint_auth_method: ["none"],
    scope: [],
  });
  await call("POST", "/client/?source=database", {
    ...common,
    client_id: "confidential-client",
    name: "confidential-client",
    confidential: true,
    password: clientSecret,
    client_secret: clientSecret,
    authorization_type: [...interactive, "client_credentials"],
    token_endpoint_auth_method: ["client_secret_basic", "client_secret_post"],
    scope: ["api_read"],
  });
  return { issuer, clientSecret, callbackPort };
}

/** The login page is a program in the browser; this calls the API which that program calls. */
function actAtLogin(origin: string): Act {
  return async (page, person) => {
    const { pathname, searchParams } = new URL(page.url);
    // The device flow ends at the same page, with an outcome in its query.
    if (!pathname.endsWith("/login.html") || /^device./.test(searchParams.get("prompt") ?? "")) {
      return undefined;
    }
    await person.sendForJson({ url: `${origin}/api/auth/`, json: alice });
    const clientId = searchParams.get("client_id");
    if (clientId !== null) {
      const asked = (searchParams.get("scope") ?? "openid").split(" ");
      await person.sendForJson({
        url: `${origin}/api/auth/grant/${clientId}`,
        method: "PUT",
        json: { scope: asked.filter((name) => name !== "g_profile").join(" ") },
      });
    }
    const callback = searchParams.get("callback_url");
    if (callback === null) return undefined;
    return { url: `${callback}${callback.includes("?") ? "&" : "?"}g_continue` };
  };
}

async function launch({ tls }: { tls: boolean }): Promise<ProviderUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-glewlwyd-"));
  let authority: CertificateAuthority | undefined;
  let proxy: CountingProxy | undefined;
  let running: ProviderProcess | undefined;
  const close = async (): Promise<void> => {
    await running?.stop();
    await proxy?.close();
    await authority?.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // With TLS the clients talk to the provider's own, so nobody stands between to count.
    if (tls) authority = await makeCertificateAuthority();
    else proxy = await startCountingProxy();
    const port = await freePort();
    const origin = proxy?.origin ?? `https://127.0.0.1:${port}`;
    proxy?.forwardTo(port);
    const place: Place = { folder, port, origin, authority };
    execFileSync(programs.sqlite3.path, [join(folder, "glewlwyd.db")], {
      input: readFileSync(schemaPath),
    });
    const configurationPath = join(folder, "glewlwyd.conf");
    writeFileSync(configurationPath, configuration(place));
    running = startProcess(programs.glewlwyd.path, [`--config-file=${configurationPath}`], {
      folder,
    });
    const trust = { certificateAuthority: authority?.caPem };
    await untilItAnswers(`${origin}/config/`, running, trust);
    const { issuer, clientSecret, callbackPort } = await setUp(place);
    const discovery = `${issuer}/.well-known/openid-configuration`;
    proxy?.learn(JSON.parse(await untilItAnswers(discovery, running, trust)));
    return {
      issuer,
      ...(authority === undefined
        ? {}
        : { certificateAuthority: { pem: authority.caPem, path: authority.caPath } }),
      clients: {
        public: { clientId: "public-client" },
        confidential: { clientId: "confidential-client", clientSecret },
      },
      callbackPort,
      signIn: async (url, { rewrite }) => {
        const person = new PersonOverHttp(authority?.caPem);
        const { page, isBackAtClient } = await person.browse(url, actAtLogin(origin), rewrite);
        return { status: page.status, isBackAtClient };
      },
      approveDevice: async ({ verificationUri, userCode }) => {
        const person = new PersonOverHttp(authority?.caPem);
        await person.browse(`${verificationUri}?code=${userCode}`, actAtLogin(origin));
      },
      ...(proxy === undefined ? {} : { requests: proxy }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const glewlwyd: ProviderDescription = {
  name: "glewlwyd",
  missing: [programs.glewlwyd.reason, programs.sqlite3.reason]
    .filter((word) => word !== "")
    .join("; "),
  facts: {
    scopes: ["openid", "email", "offline_access"],
    iss: "unadvertised",
    needsPkce: ["public"],
    exactPort: true,
    idTokenAlgorithm: "RS256",
    tokenType: "bearer",
    refreshGivesIdToken: false,
    wrongSecretReason: "unauthorized_client",
    wrongSecretAtRefresh: "untold",
    publicRevocation: "failed",
    denial: { impossible: "its login page has nothing that refuses" },
    deviceDenial: { impossible: "its login page has nothing that refuses" },
    deviceClients: ["public", "confidential"],
    accessTokens: {
      client: "confidential",
      form: "jwt",
      audience: "openid email offline_access",
      introspection: "yes",
      userinfo: "yes",
    },
    clientCredentialsScopes: ["api_read"],
    secretInBody: { impossible: "Basic is listed, so it is used" },
  },
  launch,
};
