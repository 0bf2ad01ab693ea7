// From the options of a credential to what its flows are given. Changes when another option is a part of that.

import { OidcError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { option, say } from "../core/wording.ts";
import type {
  Settings,
  SignInConfig,
  SignInConfigSource,
  SignInContext,
} from "../flow/sign-in-config.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { RecordServer, RegisteredClient } from "../record/format.ts";
import { nameOfSource } from "../record/key.ts";

/** What a server said that was asked, where its word counts. */
export interface AdmittedAnswer {
  readonly issuer: string;
  readonly clientId: string;
  /** What is remembered of it. */
  readonly answer: RecordServer;
}

/** Asks the server that the options name. @throws {OidcError} as {@link SignInConfigSource.read} does. */
export type AskServer = (
  context: Pick<SignInContext, "signal" | "beforePrompt">,
) => Promise<AdmittedAnswer>;

/** Whether the audience has to be the server's. */
export function needsServerAudience({ audience, useServerAudience }: ResolvedOptions): boolean {
  return useServerAudience && audience === undefined;
}

/** Whether the server has to say something that the options do not. */
function isServerNeeded(options: ResolvedOptions): boolean {
  const { issuer, clientId, scopes } = options;
  const needsAudience = needsServerAudience(options);
  const needsClient = clientId === "" && options.registration === "none";
  return issuer === "" || needsClient || scopes === undefined || needsAudience;
}

function assertConfigured(options: ResolvedOptions): void {
  if (options.server !== undefined) return;
  if (options.issuer === "") {
    throw new OidcError("missing_issuer", "No provider is named.", {
      remedy: say`Set ${option("issuer")} to the issuer URL of the OpenID Provider, or ${option("server")} to the address of a server that says which one it is.`,
    });
  }
  if (options.clientId === "" && options.registration === "none") {
    throw new OidcError("missing_client_id", "No client is named.", {
      remedy: say`Set ${option("clientId")} to the client that is registered with the provider.`,
    });
  }
}

/** The configuration as far as the options say it. What a server said, if it was asked, has its place behind them. */
function configOf(
  options: ResolvedOptions,
  server: RecordServer | undefined,
  named: {
    readonly issuer: string;
    readonly clientId: string;
    readonly registered?: RegisteredClient | undefined;
  },
): SignInConfig {
  const { clientSecret, scopes, audience, resource, useServerAudience } = options;
  const { authorizationEndpoint, tokenEndpoint, deviceAuthorizationEndpoint, jwksUri } = options;
  // A sign-in without a secret may be older than the secret that is set by now (D16).
  const maySendSecret = server === undefined || options.issuer !== "" || server.accepted === true;
  const ofServer = server?.resource === undefined ? undefined : [server.resource];
  // A registered client has a secret of its own, or none.
  const secretToSend = named.registered === undefined ? clientSecret : named.registered.secret;
  const maySend = named.registered !== undefined || maySendSecret;
  return {
    issuer: named.issuer,
    namedByResource: false,
    clientId: named.clientId,
    registration: options.registration,
    credential:
      secretToSend === undefined || !maySend
        ? { kind: "none" }
        : { kind: "secret", secret: new Secret(secretToSend) },
    scopes: scopes ?? server?.scopes,
    addsOpenid: scopes === undefined && server?.scopes !== undefined,
    audience: audience ?? (useServerAudience ? server?.audience : undefined),
    resources: typeof resource === "string" ? [resource] : (resource ?? ofServer),
    furtherResources: undefined,
    endpoints: { authorizationEndpoint, tokenEndpoint, deviceAuthorizationEndpoint, jwksUri },
    server,
  };
}

/**
 * Where a sign-in's configuration comes from: the options, and behind them the server that they name.
 * @param askServer asks it; what it gives may be used.
 */
export function configFromOptions(
  options: ResolvedOptions,
  askServer: AskServer,
): SignInConfigSource {
  const { issuer, clientId, server } = options;
  const { httpTimeoutSeconds, callbackTimeoutSeconds } = options;
  return {
    // One answer, and then, perhaps, a person who judges it.
    maxReadSeconds: server === undefined ? 0 : httpTimeoutSeconds + callbackTimeoutSeconds,
    assertConfigured: () => assertConfigured(options),
    async read(context) {
      if (server === undefined) return configOf(options, undefined, { issuer, clientId });
      if (!isServerNeeded(options)) {
        return configOf(options, { address: addressOf(server) }, { issuer, clientId });
      }
      const { answer, ...named } = await askServer(context);
      return configOf(options, answer, {
        issuer: issuer === "" ? named.issuer : issuer,
        clientId: clientId === "" ? named.clientId : clientId,
      });
    },
    ofRecord: (record) => configOf(options, record.server, record),
  };
}

/** Which resource was refused, and what counts for it. */
export interface AdmittedResource extends AdmittedAnswer {
  /** To request. */
  readonly scopes: readonly string[];
}

/**
 * Where a sign-in's configuration comes from that a resource asked for by refusing a request.
 * @param admit lets count what the resource said last. @throws {OidcError} as {@link SignInConfigSource.read} does.
 */
export function configFromResource(
  options: ResolvedOptions,
  admit: (context: Parameters<AskServer>[0]) => Promise<AdmittedResource>,
): SignInConfigSource {
  const rules = { addsOpenid: false, namedByResource: true };
  return {
    maxReadSeconds: options.callbackTimeoutSeconds,
    assertConfigured: () => undefined,
    async read(context) {
      const { answer, scopes, ...named } = await admit(context);
      return { ...configOf(options, answer, named), ...rules, scopes };
    },
    ofRecord: (record) => ({ ...configOf(options, record.server, record), ...rules }),
  };
}

function addressOf(server: NonNullable<ResolvedOptions["server"]>): string {
  return typeof server === "string" ? server : (nameOfSource(server) ?? "");
}

/** How the options have a sign-in done. */
export function settingsFromOptions(options: ResolvedOptions): Settings {
  return {
    acrValues: options.acrValues,
    allowInsecureHttp: options.allowInsecureHttp,
    applicationName: options.applicationName,
    browserCommand: options.browserCommand,
    callbackHost: options.callbackHost,
    callbackPort: options.callbackPort,
    callbackTimeoutSeconds: options.callbackTimeoutSeconds,
    explicit: options.explicit,
    extraAuthorizationParams: options.extraAuthorizationParams,
    flow: options.flow,
    httpTimeoutSeconds: options.httpTimeoutSeconds,
    loginHint: options.loginHint,
    maxAge: options.maxAge,
    offlineAccess: options.offlineAccess,
    openBrowser: options.openBrowser,
    pkce: options.pkce,
    prompt: options.prompt,
    redirectUri: options.redirectUri,
    responseMode: options.responseMode,
    useServerAudience: options.useServerAudience,
  };
}
