// Every request that carries a credential, met by what no honest endpoint answers. Changes when such a request is added.

import { expect, test } from "vitest";
import {
  memoryStore,
  OidcCredentialsAuth,
  type OidcAuth,
  type OidcAuthOptions,
} from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { HostileAnswer, TamperPath } from "../support/provider-tampering.ts";
import { change } from "./fast-desk.ts";
import { credential, emptyHome, failureOf, pollQuickly, provider } from "./harness.ts";
import { recordsIn } from "../../src/session/record-repository.ts";

const json = { "content-type": "application/json" };
const page = "<!doctype html><title>Hotel Wi-Fi</title>";

const answers: Readonly<
  Record<string, (elsewhere: string) => HostileAnswer | "reset"> & Record<"reset", () => "reset">
> = {
  redirect: (elsewhere) => ({ status: 307, headers: { location: `${elsewhere}/token` } }),
  // Even where it stays at the provider: only metadata may be moved (D04).
  "redirect within the origin": () => ({ status: 307, headers: { location: "/elsewhere" } }),
  page: () => ({ status: 200, headers: { "content-type": "text/html" }, body: page }),
  array: () => ({ status: 200, headers: json, body: "[]" }),
  nested: () => ({
    status: 200,
    headers: json,
    body: `{"access_token":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
  }),
  reset: () => "reset",
};

const usualEnds: Readonly<Record<string, string>> = {
  redirect: "redirect_refused",
  "redirect within the origin": "redirect_refused",
  page: "token_response_invalid",
  array: "token_response_invalid",
  nested: "token_response_invalid",
  reset: "network",
};

interface Ended {
  readonly code: string;
  readonly message: string;
}

interface Request {
  readonly name: string;
  readonly path: TamperPath;
  readonly options?: OidcAuthOptions;
  readonly document?: Readonly<Record<string, unknown>>;
  readonly isSignedIn?: boolean;
  readonly make: (auth: OidcAuth, identityProvider: IdentityProvider) => Promise<Ended>;
  /** How it ends where not as usual; null: such an answer is no fault here. */
  readonly ends?: Readonly<Record<string, string | null>>;
}

const requests: readonly Request[] = [
  { name: "code exchange", path: "token", make: (auth) => failureOf(auth.getToken()) },
  {
    name: "refresh",
    path: "token",
    isSignedIn: true,
    make: (auth) => failureOf(auth.getToken({ forceRefresh: true })),
  },
  {
    name: "client credentials",
    path: "token",
    make: (_auth, { issuer, clients }) =>
      failureOf(new OidcCredentialsAuth({ issuer, ...clients.confidentialBasic }).getToken()),
  },
  {
    name: "device request",
    path: "device",
    options: { flow: "device" },
    make: (auth) => failureOf(auth.getToken()),
  },
  {
    name: "poll for a device code",
    path: "token",
    options: { flow: "device" },
    make: (auth, identityProvider) => {
      pollQuickly(identityProvider);
      return failureOf(auth.getToken());
    },
    // It is asked again until the code expires (V02).
    ends: { reset: null },
  },
  {
    name: "pushed authorization request",
    path: "pushedAuthorization",
    document: { require_pushed_authorization_requests: true },
    make: (auth) => failureOf(auth.getToken()),
    ends: {
      page: "authorization_failed",
      array: "authorization_failed",
      nested: "authorization_failed",
    },
  },
  {
    name: "userinfo",
    path: "userinfo",
    isSignedIn: true,
    make: (auth) => failureOf(auth.userInfo()),
  },
  {
    name: "revocation",
    path: "revocation",
    isSignedIn: true,
    make: async (auth) => ({ code: (await auth.logout({ revoke: true })).revoked, message: "" }),
    // RFC 7009 section 2.2: the status says it all, the body is ignored.
    ends: {
      redirect: "failed",
      "redirect within the origin": "failed",
      page: null,
      array: null,
      nested: null,
      reset: "failed",
    },
  },
];

const table = requests.flatMap((request) =>
  Object.keys(usualEnds).flatMap((answer) => {
    const end = request.ends?.[answer] === undefined ? usualEnds[answer] : request.ends[answer];
    return end === null ? [] : [{ request, answer, end }];
  }),
);

test.each(table)(
  "$request.name, answered by $answer: $end, nothing followed, shown or stored [N04][N05][N06][N09]",
  async ({ request, answer, end }) => {
    emptyHome();
    const identityProvider = await provider();
    const elsewhere = await provider();
    if (request.document !== undefined) change(identityProvider, "discovery", request.document);
    const store = memoryStore();
    const auth = credential(identityProvider, { store, ...request.options });
    if (request.isSignedIn === true) await auth.getToken();
    // A record without a sign-in counts prompts.
    const tokens = async (): Promise<unknown> =>
      (await recordsIn(store))
        .filter(({ signedInAt }) => signedInAt > 0)
        .map(({ accessToken, refreshToken, idToken }) => [accessToken, refreshToken, idToken]);
    const before = await tokens();
    let spoiled = 0;
    identityProvider.tamper({
      path: request.path,
      respond: async () => {
        spoiled += 1;
        return answers[answer]?.(elsewhere.issuer) ?? "reset";
      },
    });
    const { code, message } = await request.make(auth, identityProvider);
    expect([code, message.includes("Wi-Fi")]).toEqual([end, false]);
    expect(spoiled).toBeGreaterThan(0);
    expect(elsewhere.requests().total).toBe(0);
    expect(await tokens()).toEqual(request.name === "revocation" ? [] : before);
  },
);
