// Who signed in, by the userinfo endpoint. Changes when what is asked there does.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { Secret } from "../core/secret.ts";
import { fetchUserInfo } from "../provider/userinfo-endpoint.ts";
import type { SessionRecord } from "../record/format.ts";
import type { FlowWorld } from "./flow-world.ts";
import { knownEndpoints } from "./known-endpoints.ts";
import { clientIdentity, providerOptions } from "./provider-input.ts";
import type { SignInInput } from "./sign-in-config.ts";

/**
 * The userinfo endpoint's claims for a cached sign-in.
 * @throws {OidcError} `endpoint_invalid` where the provider has none, `subject_changed`, `token_response_invalid`.
 */
export async function readUserInfo(
  world: FlowWorld,
  input: Pick<SignInInput, "config" | "settings">,
  record: SessionRecord,
  accessToken: string,
  signal: AbortSignal,
): Promise<{ sub: string; [claim: string]: unknown }> {
  const { userinfoEndpoint } = await knownEndpoints(world, input, record, signal);
  if (userinfoEndpoint === undefined) {
    throw new OidcError(
      "endpoint_invalid",
      `${hostAndPort(record.issuer)} names no userinfo endpoint that can be used, so it cannot be asked who signed in.`,
      {
        reason: "userinfo_endpoint",
        remedy: "Ask the provider's administrator, or sign in again once the provider names one.",
      },
    );
  }
  const { config } = input;
  return fetchUserInfo(
    world,
    {
      userinfoEndpoint,
      ...clientIdentity(config),
      accessToken: new Secret(accessToken),
      expectedSubject: record.subject,
      options: providerOptions(config, input.settings, input.settings.flow),
    },
    signal,
  );
}
