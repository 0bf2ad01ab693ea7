// From the options of a credential to what its flows are given. Changes when another option is a part of that.

import { OidcError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { option, say } from "../core/wording.ts";
import type { Settings, SignInConfig, SignInConfigSource } from "../flow/sign-in-config.ts";
import type { ResolvedOptions } from "../options/types.ts";

function assertConfigured(options: ResolvedOptions): void {
  if (options.issuer === "") {
    throw new OidcError("missing_issuer", "No provider is named.", {
      remedy: say`Set ${option("issuer")} to the issuer URL of the OpenID Provider.`,
    });
  }
  if (options.clientId === "") {
    throw new OidcError("missing_client_id", "No client is named.", {
      remedy: say`Set ${option("clientId")} to the client that is registered with the provider.`,
    });
  }
}

function configOf(options: ResolvedOptions): SignInConfig {
  const { issuer, clientId, clientSecret, scopes, audience, resource } = options;
  const { authorizationEndpoint, tokenEndpoint, deviceAuthorizationEndpoint, jwksUri } = options;
  return {
    issuer,
    clientId,
    credential:
      clientSecret === undefined
        ? { kind: "none" }
        : { kind: "secret", secret: new Secret(clientSecret) },
    scopes,
    audience,
    resources: typeof resource === "string" ? [resource] : resource,
    furtherResources: undefined,
    endpoints: { authorizationEndpoint, tokenEndpoint, deviceAuthorizationEndpoint, jwksUri },
  };
}

/** The source of a configuration that the options say whole. */
export function configFromOptions(options: ResolvedOptions): SignInConfigSource {
  const config = configOf(options);
  return {
    assertConfigured: () => assertConfigured(options),
    read: () => Promise.resolve(config),
  };
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
