// What goes wrong while somebody signs in. Changes with the checks of the sign-in.

import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";
import { onTestFinished } from "vitest";
import type { PromptEvent } from "../../src/index.ts";
import {
  credential,
  emptyHome,
  failureOf,
  person,
  pollQuickly,
  provider,
} from "../flow/harness.ts";
import { forgeToken } from "../support/token-forge.ts";
import { changeAnswer, type Provocations } from "./provocation.ts";

/** A browser that comes back with an address of this test's making instead of the provider's. */
function comesBackWith(query: (authorizationUrl: URL) => URLSearchParams) {
  return (event: PromptEvent): void => {
    if (event.type !== "authorizationUrl") return;
    const { url, redirectUri } = event;
    // Not by fetch: the listener takes what a script of some page could send for a stray.
    get(`${redirectUri}?${query(new URL(url)).toString()}`, (answer) => answer.resume());
  };
}

export const signIn: Provocations = {
  callback_port_in_use: async () => {
    emptyHome();
    const holder = createServer();
    holder.listen(0, "127.0.0.1");
    await once(holder, "listening");
    onTestFinished(() => void holder.close());
    const callbackPort = (holder.address() as AddressInfo).port;
    return failureOf(credential(await provider(), { callbackPort }).getToken());
  },
  callback_timeout: async () => {
    emptyHome();
    const { onPrompt } = person({ idle: true });
    const changes = { onPrompt, callbackTimeoutSeconds: 0.3 };
    return failureOf(credential(await provider(), changes).getToken());
  },
  // The provider announces that it sends `iss` (RFC 9207), and this answer has none.
  callback_invalid: async () => {
    emptyHome();
    const onPrompt = comesBackWith(
      ({ searchParams }) =>
        new URLSearchParams({ code: "made-up", state: searchParams.get("state") ?? "" }),
    );
    return failureOf(credential(await provider(), { onPrompt }).getToken());
  },
  state_mismatch: async () => {
    emptyHome();
    const onPrompt = comesBackWith(() => new URLSearchParams({ code: "made-up", state: "wrong" }));
    const changes = { onPrompt, callbackTimeoutSeconds: 1 };
    return failureOf(credential(await provider(), changes).getToken());
  },
  access_denied: async () => {
    emptyHome();
    const { onPrompt } = person({ deny: true });
    return failureOf(credential(await provider(), { onPrompt }).getToken());
  },
  // `prompt=none` with nobody signed in at the provider.
  authorization_failed: async () => {
    emptyHome();
    return failureOf(credential(await provider(), { prompt: "none" }).getToken());
  },
  device_code_expired: async () => {
    emptyHome();
    const identityProvider = await provider({ deviceCodeLifetimeSeconds: 2 });
    pollQuickly(identityProvider);
    const { onPrompt } = person({ idle: true });
    return failureOf(credential(identityProvider, { flow: "device", onPrompt }).getToken());
  },
  login_required: async () => {
    emptyHome();
    return failureOf(credential(await provider()).getToken({ interactive: false }));
  },
  interaction_pending: async () => {
    emptyHome();
    let shown = (): void => undefined;
    const isShown = new Promise<void>((resolve) => (shown = resolve));
    const enough = new AbortController();
    const auth = credential(await provider(), { onPrompt: () => shown() });
    const signingIn = auth.getToken({ signal: enough.signal });
    await isShown;
    const failed = await failureOf(auth.getToken({ interactive: false }));
    enough.abort();
    await failureOf(signingIn);
    return failed;
  },
  subject_changed: async () => {
    emptyHome();
    const identityProvider = await provider();
    const auth = credential(identityProvider);
    await auth.getToken();
    changeAnswer(identityProvider, "token", async ({ id_token: idToken }) => {
      const { at_hash: _ofAnother, ...claims } = decodeJwt(String(idToken));
      return { id_token: await forgeToken({ ...claims, sub: "mallory" }) };
    });
    return failureOf(auth.getToken({ forceRefresh: true }));
  },
  aborted: async () => {
    emptyHome();
    const caller = new AbortController();
    const auth = credential(await provider(), { onPrompt: () => caller.abort() });
    return failureOf(auth.getToken({ signal: caller.signal }));
  },
};
