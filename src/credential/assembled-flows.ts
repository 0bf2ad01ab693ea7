// The flows of a credential, each loaded on first use so that a cache hit and a waiter stay free of protocol code.
// Changes when a flow is added.

import { maxDeviceCodeSeconds, maxNameRequestSeconds } from "../core/limits.ts";
import { loadPart } from "../core/load.ts";
import type { FlowWorld } from "../flow/flow-world.ts";
import type { Settings, SignInConfig, SignInConfigSource } from "../flow/sign-in-config.ts";
import type { CredentialKind } from "../options/resolve.ts";
import type { SessionRecord } from "../record/format.ts";
import type { Flows } from "../session/flows.ts";

/**
 * Longest wait for the person, and before it for the user's other sign-ins on the same port. `auto` may take either
 * flow, and which one is known only after discovery.
 */
function maxWaitSeconds({ flow, callbackTimeoutSeconds }: Settings): number {
  const byBrowser = 2 * callbackTimeoutSeconds;
  if (flow === "auth_code") return byBrowser;
  if (flow === "device") return maxDeviceCodeSeconds;
  return Math.max(byBrowser, callbackTimeoutSeconds + maxDeviceCodeSeconds);
}

/** What flows are put together from. */
export interface FlowParts {
  readonly kind: CredentialKind;
  /** Who signs in where: asked for each piece of work. */
  readonly source: SignInConfigSource;
  readonly settings: Settings;
  /** Builds the network on first use. */
  readonly openWorld: () => Promise<FlowWorld>;
}

/** The flows for a kind of credential. */
export function assembleFlows({ kind, source, settings, openWorld }: FlowParts): Flows {
  const needsPerson = kind === "interactive";
  const requestSeconds = settings.httpTimeoutSeconds;
  const inputOf = (
    record: SessionRecord,
  ): { readonly config: SignInConfig; readonly settings: Settings } => ({
    config: source.ofRecord(record),
    settings,
  });
  return {
    needsPerson,
    longestWorkSeconds: {
      // A lost reply is sent once more.
      refresh: 2 * requestSeconds,
      // Discovery and the request for a code before, the token request and keys after the wait for the person; their name
      // at the end.
      login:
        (needsPerson ? maxWaitSeconds(settings) + maxNameRequestSeconds : 0) +
        4 * requestSeconds +
        source.maxReadSeconds,
    },
    assertConfigured: () => source.assertConfigured(),
    signIn: async (context, variant) => {
      const world = await openWorld();
      const config = await source.read(context);
      const { before, knownMethod: method } = context;
      // How another provider took another client's secret says nothing.
      const isKnown = before === undefined || before.issuer === config.issuer;
      const knownMethod = isKnown ? method : undefined;
      const input = { config, settings, context: { ...context, knownMethod } };
      const { clientId, server } = config;
      const warnings = await loadPart(() => import("../flow/sign-in-warnings.ts"));
      warnings.warnOfUnknownAudience(world, input);
      if (needsPerson) {
        const { signInPerson } = await loadPart(() => import("../flow/race.ts"));
        const { client, ...answer } = await signInPerson(world, input, variant);
        warnings.warnOfUncheckedSignature(world, answer);
        return { ...answer, ...client, server };
      }
      const { signInAsClient } = await loadPart(() => import("../flow/client-credentials.ts"));
      return { ...(await signInAsClient(world, input, variant)), clientId, server };
    },
    refresh: async (record, signal, target) => {
      const world = await openWorld();
      const { refreshSignIn } = await loadPart(() => import("../flow/refresh.ts"));
      return refreshSignIn(world, inputOf(record), record, signal, target);
    },
    userInfo: async (record, accessToken, signal) => {
      const world = await openWorld();
      const { readUserInfo } = await loadPart(() => import("../flow/userinfo.ts"));
      return readUserInfo(world, inputOf(record), record, accessToken, signal);
    },
    revoke: async (record, signal) => {
      const world = await openWorld();
      const { revokeSignIn } = await loadPart(() => import("../flow/revoke.ts"));
      return revokeSignIn(world, inputOf(record), record, signal);
    },
  };
}
