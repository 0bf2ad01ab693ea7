// An OpenID Provider made of better-auth, for the checks: server.mjs JSON. Changes when the checks need another client.
// Tells its parent the port and the clients once it is ready; ends with it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { once } from "node:events";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getAuthTables } from "better-auth/db";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import { oauthDeviceAuthorization, oauthProvider } from "@better-auth/oauth-provider";

/** @type {{ origin?: string, certificatePath?: string, keyPath?: string, alice: { email: string, password: string } }} */
const settings = JSON.parse(process.argv[2] ?? "{}");
const { certificatePath, keyPath, alice } = settings;
const isTls = certificatePath !== undefined && keyPath !== undefined;

const server = isTls
  ? createTlsServer({ cert: readFileSync(certificatePath), key: readFileSync(keyPath) })
  : createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("the server has no port");
const { port } = address;
server.keepAliveTimeout = 60_000;
const origin = settings.origin ?? `https://127.0.0.1:${port}`;

const plugins = [
  jwt(),
  oauthProvider({
    loginPage: "/login",
    consentPage: "/consent",
    // Client credentials with scopes need this word of consent.
    clientPrivileges: async () => true,
    scopes: ["openid", "profile", "email", "offline_access", "api"],
    silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
  }),
  oauthDeviceAuthorization({ verificationUri: "/device", interval: "1s" }),
];
// The memory adapter wants every table to be there beforehand.
const tables = Object.entries(getAuthTables({ plugins }));
const database = Object.fromEntries(tables.map(([name, table]) => [table.modelName ?? name, []]));
const auth = betterAuth({
  baseURL: origin,
  secret: "for-tests-only-for-tests-only-for-tests-only",
  database: memoryAdapter(database),
  emailAndPassword: { enabled: true },
  plugins,
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "warn" },
});

const handler = toNodeHandler(auth);
server.on("request", (request, response) => {
  if (request.url?.startsWith("/api/auth")) {
    void handler(request, response);
    return;
  }
  response.setHeader("content-type", "text/html");
  response.end("<p>A page of the application that better-auth is part of</p>");
});

const signedUp = await auth.api.signUpEmail({
  body: { ...alice, name: "Alice" },
  returnHeaders: true,
});
const cookie = signedUp.headers
  .getSetCookie()
  .map((line) => line.split(";")[0])
  .join("; ");

const interactive = [
  "authorization_code",
  "refresh_token",
  "urn:ietf:params:oauth:grant-type:device_code",
];
const scope = "openid profile email offline_access";

/** @param {Record<string, unknown>} registration */
async function register(registration) {
  const { client_id: clientId, client_secret: clientSecret } =
    await auth.api.adminCreateOAuthClient({
      headers: new Headers({ cookie }),
      body: {
        // A native client on loopback may use any port (RFC 8252 section 7.3).
        redirect_uris: ["http://127.0.0.1/callback"],
        application_type: "native",
        response_types: ["code"],
        ...registration,
      },
    });
  return { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) };
}

const clients = {
  public: await register({
    client_name: "public client",
    token_endpoint_auth_method: "none",
    grant_types: interactive,
    scope,
  }),
  confidential: await register({
    client_name: "confidential client",
    token_endpoint_auth_method: "client_secret_basic",
    grant_types: [...interactive, "client_credentials"],
    client_credentials_scopes: ["api"],
    scope: `${scope} api`,
  }),
};

process.on("disconnect", () => process.exit());
process.send?.({ port, clients });
