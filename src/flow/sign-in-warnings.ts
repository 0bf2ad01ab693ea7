// What a person should know of a sign-in that goes on all the same.

import { hostAndPort } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import type { FlowWorld, TokenAnswer } from "./flow-world.ts";
import type { SignInInput } from "./sign-in-config.ts";

/** Before a sign-in: an option that cannot do what it is for. */
export function warnOfUnknownAudience(
  world: Pick<FlowWorld, "onWarning">,
  { config, settings }: Pick<SignInInput, "config" | "settings">,
): void {
  if (!settings.useServerAudience || config.audience !== undefined) return;
  if (config.server !== undefined) return;
  world.onWarning(
    "server_audience_unavailable",
    say`${option("useServerAudience")} changes nothing: there is no server that could be asked for the audience. Set ${option("server")}, or ${option("audience")} where the provider wants one.`,
  );
}

/**
 * After a sign-in: OpenID Connect Core section 3.1.3.7(6) lets TLS stand in for the signature of an ID token that came
 * straight from the token endpoint, and whoever relies on it should know.
 */
export function warnOfUncheckedSignature(
  world: Pick<FlowWorld, "onWarning">,
  answer: Pick<TokenAnswer, "signatureVerified" | "issuer">,
): void {
  if (answer.signatureVerified !== false) return;
  world.onWarning(
    "id_token_signature_unchecked",
    say`The signature of the ID token was not checked, because no key set of ${hostAndPort(answer.issuer)} is known; its claims were checked. Set ${option("jwksUri")} where the provider has a key set.`,
  );
}
