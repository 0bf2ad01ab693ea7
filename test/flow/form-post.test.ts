// OAuth 2.0 Form Post Response Mode: the answer comes as a form, and never stands in an address. Changes when what a
// response mode promises does.

import { expect, test } from "vitest";
import { OidcAuth, type OidcAuthOptions, type PromptEvent } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { signIn } from "../support/scripted-browser.ts";
import {
  credential,
  desktop,
  emptyHome,
  failureOf,
  person,
  provider,
  requestsOf,
} from "./harness.ts";

/** A person whose provider takes another response mode than the one that was asked for. */
function answeredBy(
  identityProvider: IdentityProvider,
  change: (query: URLSearchParams) => void,
): OidcAuthOptions {
  return {
    ...desktop(identityProvider),
    callbackTimeoutSeconds: 2,
    onPrompt: (event: PromptEvent) => {
      if (event.type !== "authorizationUrl") return;
      const url = new URL(event.url);
      change(url.searchParams);
      signIn(url.href).catch(() => event.cancel());
    },
  };
}

test("responseMode: the code is posted, and stands in no address [F-U18][L15]", async () => {
  emptyHome();
  const identityProvider = await provider();
  expect((await requestsOf(identityProvider)).authorization.has("response_mode")).toBe(false);
  identityProvider.resetRequests();
  const someone = person();
  const auth = new OidcAuth({
    ...desktop(identityProvider, someone),
    responseMode: "form_post",
    forceLogin: true,
  });
  expect((await auth.getToken()).source).toBe("login");
  expect(identityProvider.authorizationRequests()[0]?.get("response_mode")).toBe("form_post");
  expect(identityProvider.tokenRequests()).toHaveLength(1);
  const { finalPage, finalUrl, redirectUrl } = await someone.finalPage;
  expect(finalPage).toContain("You are signed in");
  expect(new URL(redirectUrl).search + new URL(finalUrl).search).toBe("");
});

test("responseMode: an error that is posted with our state ends the sign-in as what it is [F-U18][L09]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person({ deny: true });
  const error = await failureOf(
    new OidcAuth({ ...desktop(identityProvider, someone), responseMode: "form_post" }).getToken(),
  );
  expect([error.code, error.providerError]).toEqual(["access_denied", "access_denied"]);
  expect((await someone.finalPage).finalPage).toContain("Sign-in was refused");
});

test("responseMode: a provider that posts unasked is named when the time is up [F-U18]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const options = answeredBy(identityProvider, (query) => query.set("response_mode", "form_post"));
  const error = await failureOf(new OidcAuth(options).getToken());
  expect(error.code).toBe("callback_timeout");
  expect(error.message).toContain("posted its answer as a form (once)");
  expect(error.message).toContain("`responseMode: form_post`");
  expect(identityProvider.tokenRequests()).toEqual([]);
});

test("responseMode: a code in the address is not used where a form was asked for [F-U18]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const options = answeredBy(identityProvider, (query) => query.delete("response_mode"));
  const error = await failureOf(new OidcAuth({ ...options, responseMode: "form_post" }).getToken());
  expect(error.code).toBe("callback_timeout");
  expect(error.message).toContain("put its answer into the address (once)");
  expect(identityProvider.tokenRequests()).toEqual([]);
});

test("responseMode: a provider that lists others alone is refused before a browser opens [F-U18]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const list = (modes: readonly string[] | undefined) =>
    identityProvider.tamper({
      path: "discovery",
      times: 1,
      respond: async (_request, genuine) => {
        const real = await genuine();
        const document = { ...JSON.parse(real.body), response_modes_supported: modes };
        return { ...real, body: JSON.stringify(document) };
      },
    });
  list(["query", "fragment"]);
  const someone = person();
  const options = { ...desktop(identityProvider, someone), responseMode: "form_post" } as const;
  const error = await failureOf(new OidcAuth(options).getToken());
  expect([error.code, error.reason]).toEqual(["authorization_failed", "response_mode_unsupported"]);
  expect(error.message).toContain("`responseMode: query`");
  expect(someone.visits).toEqual([]);
  // The list may be left out (OpenID Connect Discovery section 3): then it is tried.
  list(undefined);
  expect((await new OidcAuth(options).getToken()).source).toBe("login");
});

test("responseMode: with a form there is nothing to paste [F-U18]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const events: PromptEvent[] = [];
  const auth = credential(identityProvider, {
    responseMode: "form_post",
    onPrompt: (event) => {
      events.push(event);
      if (event.type !== "authorizationUrl") return;
      const state = new URL(event.url).searchParams.get("state") ?? "";
      event.paste(`${event.redirectUri}?code=x&state=${state}`);
      event.cancel();
    },
  });
  expect((await failureOf(auth.getToken())).code).toBe("aborted");
  expect(events[0]).toMatchObject({ type: "authorizationUrl", canPaste: false });
  expect(events[1]).toMatchObject({ type: "warning", code: "paste_refused" });
  expect(identityProvider.tokenRequests()).toEqual([]);
});
