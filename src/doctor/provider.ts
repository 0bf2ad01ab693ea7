// Checks of what the provider says of itself: its document, the flows and PKCE that it offers.

import { isOidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import { chooseFlow } from "../flow/choose.ts";
import type { ProviderMetadata } from "../provider/provider-types.ts";
import {
  failure,
  notReached,
  ok,
  skipped,
  warning,
  type Check,
  type Finding,
  type Scene,
} from "./check.ts";

const maxSeconds = 30;

/** Whether the way there is another check's to tell. */
async function isUnreached({ reach }: Scene): Promise<boolean> {
  const reached = await reach();
  return reached !== undefined && "error" in reached;
}

async function described(
  scene: Scene,
  look: (metadata: ProviderMetadata) => Finding,
): Promise<Finding> {
  if (scene.options.issuer === "") return skipped("No provider is named.");
  if (await isUnreached(scene)) return notReached;
  try {
    return look(await scene.describe());
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return skipped("The provider's document cannot be used, see above.");
  }
}

const discovery: Check = {
  name: "discovery",
  area: "provider",
  maxSeconds,
  about: "whether the issuer has a document that can be used, and that is its own",
  async run(scene) {
    if (scene.options.issuer === "") return skipped("No provider is named.");
    if (await isUnreached(scene)) return notReached;
    try {
      const { source, issuer } = await scene.describe();
      return source === "options"
        ? ok("None is needed: options name the endpoints.")
        : ok(
            `${hostAndPort(issuer)} has one (${source === "openid" ? "OpenID Connect" : "RFC 8414"}).`,
          );
    } catch (error) {
      if (!isOidcError(error)) throw error;
      return failure(error);
    }
  },
};

const flows: Check = {
  name: "flows",
  area: "provider",
  maxSeconds,
  about: "the ways to sign in that the provider offers, and the chosen one",
  run: (scene) =>
    described(scene, (metadata) => {
      const { authorizationEndpoint, deviceAuthorizationEndpoint } = metadata;
      const offered = [
        authorizationEndpoint === undefined ? [] : ["with a browser"],
        deviceAuthorizationEndpoint === undefined ? [] : ["with a code on another device"],
      ].flat();
      try {
        const { flow } = chooseFlow(scene.options, metadata);
        const list = offered.length === 0 ? "" : ` (offered: ${offered.join(", ")})`;
        return ok(
          `${flow === "device" ? "The device flow" : "The authorization code flow"} is used${list}.`,
        );
      } catch (error) {
        if (!isOidcError(error)) throw error;
        return failure(error);
      }
    }),
};

const pkce: Check = {
  name: "pkce",
  area: "provider",
  maxSeconds,
  about: "whether the provider lists PKCE with S256",
  run: (scene) =>
    described(scene, ({ codeChallengeMethods, source }) => {
      if (!scene.options.pkce) {
        return warning(
          say`It is switched off (${option("pkce", "false")}).`,
          "Leave that out unless the provider refuses it.",
        );
      }
      if (codeChallengeMethods?.includes("S256") === true) return ok("The provider lists S256.");
      if (codeChallengeMethods === undefined) {
        return ok(
          source === "options"
            ? "It is sent."
            : "It is sent; the provider's document does not say whether it counts.",
        );
      }
      return warning(
        "The provider's document does not list S256, which is sent.",
        say`Ask its administrator to allow it; where it refuses the sign-in because of that, ${option("pkce", "false")}.`,
      );
    }),
};

/** What the provider says of itself. */
export const providerChecks: readonly Check[] = [discovery, flows, pkce];
