// Changes when the test provider offers other clients, people or features.
import { randomBytes } from "node:crypto";
import type { ProviderClient, ProviderContext } from "oidc-provider";
import { createStorage } from "./provider-storage.ts";

export interface ConfidentialClient {
  clientId: string;
  clientSecret: string;
}

export interface ProviderClients {
  /** Public, PKCE required. */
  public: { clientId: string };
  /** Its secret has characters that must be form-encoded in a Basic header. */
  confidentialBasic: ConfidentialClient;
  confidentialPost: ConfidentialClient;
  /** Confidential, allowed to sign in without PKCE. */
  noPkce: ConfidentialClient;
}

/** Lifetimes in seconds; they are read whenever a token is made. */
export interface Lifetimes {
  accessToken: number;
  idToken: number;
  refreshToken: number;
  authorizationCode: number;
  deviceCode: number;
}

export interface ConfigurationOptions {
  clients: ProviderClients;
  extraClients: readonly object[];
  keys: readonly object[];
  lifetimes: Lifetimes;
  rotateRefreshTokens: boolean;
  jwtAccessTokens: boolean;
  namesInIdToken: boolean;
  /** The error that oidc-provider answers as `invalid_grant`. */
  alreadyUsedError: () => Error;
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/** Any port may be put in: oidc-provider compares loopback redirects without it (RFC 8252 section 7.3). */
const redirectUris = ["127.0.0.1", "[::1]", "localhost"].flatMap((host) => [
  `http://${host}/callback`,
  `http://${host}/other/path`,
]);

const resourceScopes = ["api:read", "api:write"];
const audiencePrefix = "urn:latchkey-test:audience:";
const defaultResource = "urn:demo:api";

export function makeClients(): ProviderClients {
  const secret = (): string => randomBytes(24).toString("base64url");
  return {
    public: { clientId: "public-client" },
    confidentialBasic: { clientId: "basic-client", clientSecret: `${secret()}:+%/=` },
    confidentialPost: { clientId: "post-client", clientSecret: secret() },
    noPkce: { clientId: "client-without-pkce", clientSecret: secret() },
  };
}

function registrations(clients: ProviderClients): readonly object[] {
  const common = {
    application_type: "native",
    redirect_uris: redirectUris,
    response_types: ["code"],
  };
  const interactiveGrants = ["authorization_code", "refresh_token", deviceGrant];
  const confidential = (client: ConfidentialClient, method: string): object => ({
    ...common,
    client_id: client.clientId,
    client_secret: client.clientSecret,
    token_endpoint_auth_method: method,
    grant_types: [...interactiveGrants, "client_credentials"],
  });
  return [
    {
      ...common,
      client_id: clients.public.clientId,
      token_endpoint_auth_method: "none",
      grant_types: interactiveGrants,
    },
    confidential(clients.confidentialBasic, "client_secret_basic"),
    confidential(clients.confidentialPost, "client_secret_post"),
    confidential(clients.noPkce, "client_secret_basic"),
  ];
}

/** A resource indicator must be a URI, an `audience` need not be one. */
function resourceOfAudience(audience: string): string {
  return URL.canParse(audience) ? audience : audiencePrefix + encodeURIComponent(audience);
}

function audienceOfResource(resource: string): string {
  return resource.startsWith(audiencePrefix)
    ? decodeURIComponent(resource.slice(audiencePrefix.length))
    : resource;
}

function requestedAudience(context: ProviderContext): string | undefined {
  const audience = context.oidc.params?.["audience"] ?? context.oidc.body?.["audience"];
  return typeof audience === "string" && audience !== "" ? audience : undefined;
}

/** A token for the single resource asked for or granted; with JWT access tokens there is always one. */
function resourceIndicators(options: ConfigurationOptions): object {
  return {
    enabled: true,
    defaultResource: (
      context: ProviderContext,
      _client: ProviderClient,
      granted?: readonly string[],
    ) => {
      if (granted !== undefined && granted.length > 0) return granted[0];
      if (!options.jwtAccessTokens) return undefined;
      const audience = requestedAudience(context);
      return audience === undefined ? defaultResource : resourceOfAudience(audience);
    },
    useGrantedResource: () => true,
    getResourceServerInfo: (_context: ProviderContext, resource: string) => ({
      scope: resourceScopes.join(" "),
      audience: audienceOfResource(resource),
      accessTokenFormat: options.jwtAccessTokens ? "jwt" : "opaque",
    }),
  };
}

function accountOf(login: string): object {
  const name = `${login.slice(0, 1).toUpperCase()}${login.slice(1)} Example`;
  const claims = {
    sub: login,
    name,
    preferred_username: login,
    email: `${login}@example.com`,
    email_verified: true,
  };
  return { accountId: login, claims: () => claims };
}

/** The whole configuration of oidc-provider for tests. */
export function providerConfiguration(options: ConfigurationOptions): Record<string, unknown> {
  const { clients, lifetimes } = options;
  return {
    adapter: createStorage(options.alreadyUsedError),
    jwks: { keys: options.keys },
    clients: [...registrations(clients), ...options.extraClients],
    pkce: {
      required: (_context: ProviderContext, client: ProviderClient) =>
        client.clientId !== clients.noPkce.clientId,
    },
    findAccount: (_context: ProviderContext, login: string) => accountOf(login),
    scopes: ["openid", "offline_access", "profile", "email", ...resourceScopes],
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username"],
      email: ["email", "email_verified"],
    },
    conformIdTokenClaims: !options.namesInIdToken,
    extraParams: ["audience"],
    cookies: { keys: [randomBytes(24).toString("base64url")] },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtUserinfo: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: resourceIndicators(options),
    },
    rotateRefreshToken: options.rotateRefreshTokens,
    issueRefreshToken: (_context: ProviderContext, client: ProviderClient) =>
      client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    ttl: {
      AccessToken: () => lifetimes.accessToken,
      ClientCredentials: () => lifetimes.accessToken,
      IdToken: () => lifetimes.idToken,
      RefreshToken: () => lifetimes.refreshToken,
      AuthorizationCode: () => lifetimes.authorizationCode,
      DeviceCode: () => lifetimes.deviceCode,
      Grant: 30 * 24 * 3600,
      Interaction: 3600,
      Session: 24 * 3600,
    },
  };
}
