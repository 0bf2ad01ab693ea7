// The flows of a credential, each loaded on first use so that a cache hit and a waiter stay free of protocol code.
// Changes when a flow is added.

import { OidcError } from "../core/errors.ts";
import { longestDeviceCodeSeconds, longestNameRequestSeconds } from "../core/limits.ts";
import { loadPart } from "../core/load.ts";
import type { FlowWorld } from "../flow/flow-world.ts";
import type { CredentialKind } from "../options/resolve.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { Flows } from "../session/flows.ts";

function assertConfigured(options: ResolvedOptions): void {
  if (options.issuer === "") {
    throw new OidcError(
      "missing_issuer",
      "No provider is named. Set `issuer` to the issuer URL of the OpenID Provider.",
    );
  }
  if (options.clientId === "") {
    throw new OidcError(
      "missing_client_id",
      "No client is named. Set `clientId` to the client that is registered with the provider.",
    );
  }
}

/**
 * Longest wait for the person, and before it for the user's other sign-ins on the same port. `auto` may take either
 * flow, and which one is known only after discovery.
 */
function longestWaitSeconds(options: ResolvedOptions): number {
  const { flow, callbackTimeoutSeconds } = options;
  const byBrowser = 2 * callbackTimeoutSeconds;
  if (flow === "auth_code") return byBrowser;
  if (flow === "device") return longestDeviceCodeSeconds;
  return Math.max(byBrowser, callbackTimeoutSeconds + longestDeviceCodeSeconds);
}

/** The flows for a kind of credential. `openWorld` builds the network on first use. */
export function assembleFlows(
  kind: CredentialKind,
  options: ResolvedOptions,
  openWorld: () => Promise<FlowWorld>,
): Flows {
  const needsPerson = kind === "interactive";
  const requestSeconds = options.httpTimeoutSeconds;
  return {
    needsPerson,
    longestWorkSeconds: {
      // A lost reply is sent once more.
      refresh: 2 * requestSeconds,
      // Discovery and the request for a code before, the token request and keys after the wait for the person; their name
      // at the end.
      login:
        (needsPerson ? longestWaitSeconds(options) + longestNameRequestSeconds : 0) +
        4 * requestSeconds,
    },
    assertConfigured: () => assertConfigured(options),
    signIn: async (signal, beforePrompt, wishes, onAnswer) => {
      const world = { ...(await openWorld()), beforePrompt, onAnswer };
      const warnings = await loadPart(() => import("../flow/sign-in-warnings.ts"));
      warnings.warnOfUnknownAudience(world, options);
      if (needsPerson) {
        const { signInPerson } = await loadPart(() => import("../flow/ladder.ts"));
        const answer = await signInPerson(world, options, signal, wishes);
        warnings.warnOfUncheckedSignature(world, answer);
        return answer;
      }
      const { signInAsClient } = await loadPart(() => import("../flow/client-credentials.ts"));
      return signInAsClient(world, options, signal, wishes);
    },
    refresh: async (record, signal, target) => {
      const world = await openWorld();
      const { refreshSignIn } = await loadPart(() => import("../flow/refresh.ts"));
      return refreshSignIn(world, options, record, signal, target);
    },
    userInfo: async (record, accessToken, signal) => {
      const world = await openWorld();
      const { readUserInfo } = await loadPart(() => import("../flow/userinfo.ts"));
      return readUserInfo(world, options, record, accessToken, signal);
    },
    revoke: async (record, signal) => {
      const world = await openWorld();
      const { revokeSignIn } = await loadPart(() => import("../flow/revoke.ts"));
      return revokeSignIn(world, options, record, signal);
    },
  };
}
