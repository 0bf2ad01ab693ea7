// Which flow a sign-in takes. Changes when a flow is added.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { option, say, type Wording } from "../core/wording.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { Settings } from "./sign-in-config.ts";

/** What was chosen; `why` in one sentence, where the person would otherwise wonder. */
export type ChosenFlow =
  | { readonly flow: "auth_code" }
  | { readonly flow: "device"; readonly why?: string };

/** What discovery offered, in words for a person. */
function offered(metadata: ProviderMetadata): string {
  const endpoints = [
    metadata.authorizationEndpoint && "an authorization endpoint",
    metadata.deviceAuthorizationEndpoint && "a device authorization endpoint",
    metadata.tokenEndpoint && "a token endpoint",
  ].filter(Boolean);
  return endpoints.length === 0 ? "none of the endpoints of a sign-in" : endpoints.join(" and ");
}

const needed: Readonly<Record<Settings["flow"], { flow: string; endpoints: Wording }>> = {
  auto: {
    flow: "any sign-in of a person",
    endpoints: say`${option("tokenEndpoint")} and ${option("authorizationEndpoint")} or ${option("deviceAuthorizationEndpoint")}`,
  },
  auth_code: {
    flow: "the authorization code flow",
    endpoints: say`${option("authorizationEndpoint")} and ${option("tokenEndpoint")}`,
  },
  device: {
    flow: "the device flow",
    endpoints: say`${option("deviceAuthorizationEndpoint")} and ${option("tokenEndpoint")}`,
  },
};

/**
 * Decides, or says why no sign-in is possible. A token endpoint is needed for all.
 *
 * | `flow` | authorization endpoint known | only a device authorization endpoint known | neither |
 * |---|---|---|---|
 * | `auto` | authorization code flow | device flow | `no_interactive_flow` |
 * | `auth_code` | authorization code flow | `no_interactive_flow` | `no_interactive_flow` |
 * | `device` | device flow where its endpoint is known too | device flow | `no_interactive_flow` |
 *
 * @throws {OidcError} `no_interactive_flow`.
 */
export function chooseFlow(
  settings: Pick<Settings, "flow">,
  metadata: ProviderMetadata,
): ChosenFlow {
  const { flow } = settings;
  const provider = hostAndPort(metadata.issuer);
  const { authorizationEndpoint, deviceAuthorizationEndpoint, tokenEndpoint } = metadata;
  if (tokenEndpoint !== undefined) {
    if (flow !== "device" && authorizationEndpoint !== undefined) return { flow: "auth_code" };
    if (flow === "device" && deviceAuthorizationEndpoint !== undefined) return { flow: "device" };
    if (flow === "auto" && deviceAuthorizationEndpoint !== undefined) {
      return {
        flow: "device",
        why: `${new URL(metadata.issuer).host} names no authorization endpoint, so you sign in with a code, on any device.`,
      };
    }
  }
  const unusable = metadata.unusable?.["device_authorization_endpoint"];
  if (unusable !== undefined && flow !== "auth_code") throw unusable;
  throw new OidcError(
    "no_interactive_flow",
    `${provider} offers ${offered(metadata)} (discovery), which is not enough for ${needed[flow].flow}.`,
    {
      remedy: say`Is ${option("issuer")} right? Where the provider has the endpoints without naming them, set ${needed[flow].endpoints}.`,
    },
  );
}
