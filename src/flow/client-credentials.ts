// A token for a program itself, no person present. Changes when the client credentials grant does.

import { OidcError } from "../core/errors.ts";
import { option, say } from "../core/wording.ts";
import { openProvider, speaksAgainstDocument } from "../provider/metadata.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import { requestClientCredentials } from "../provider/client-credentials.ts";
import { explainRefusedClient } from "../provider/unsupported-authentication.ts";
import type { FlowWorld } from "./flow-world.ts";
import { withTrust } from "./known-endpoints.ts";
import { clientIdentity, providerOptions, targetOfToken } from "./provider-input.ts";
import { assertListedResource } from "./listed-resource.ts";
import type { SignInInput } from "./sign-in-config.ts";
import type { SignInVariant } from "./variant.ts";

/**
 * Signs the client itself in. `target`: what the access token is for, where that is not what the configuration says.
 * @throws {OidcError} `invalid_option` without a client secret, before any request; codes of discovery and of the
 * token request.
 * @see RFC 6749 section 4.4
 */
export async function signInAsClient(
  world: FlowWorld,
  { config, settings, context }: SignInInput,
  { target }: Pick<SignInVariant, "target"> = {},
): Promise<TokenAnswer> {
  const { signal } = context;
  if (config.credential.kind === "none") {
    throw new OidcError("invalid_option", "Client credentials need a client secret.", {
      reason: "client_secret_missing",
      remedy: say`Set ${option("clientSecret")}.`,
    });
  }
  const provider = await openProvider(world, providerOptions(config, settings, "client"), signal);
  assertListedResource(config, provider.metadata);
  try {
    const answer = await requestClientCredentials(
      world,
      provider,
      {
        ...clientIdentity(config, context),
        ...targetOfToken(config, target),
        scopes: target?.scopes ?? config.scopes,
      },
      signal,
    );
    return await withTrust(world, provider.metadata, answer);
  } catch (error) {
    if (speaksAgainstDocument(error)) await provider.forgetCached();
    throw explainRefusedClient(error, provider.metadata);
  }
}
