// What providers really answer to a refresh. The provider is real; its answers are changed into what others send.

import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { memoryStore } from "../../src/index.ts";
import { forgeToken } from "../support/token-forge.ts";
import type { HostileAnswer } from "../support/provider-tampering.ts";
import { credential, emptyHome, failureOf, provider } from "./harness.ts";
import { recordsIn } from "../../src/session/record-repository.ts";

type Members = Record<string, unknown>;
const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };

/** A person who is signed in, and whose next refreshes are answered by `answer`. */
async function signedIn(
  answer: (genuine: Members) => HostileAnswer | Promise<HostileAnswer>,
  options: { readonly secret?: boolean } = {},
) {
  emptyHome();
  const identityProvider = await provider();
  const store = memoryStore();
  const { confidentialBasic } = identityProvider.clients;
  const changes = options.secret === true ? { ...confidentialBasic, store } : { store };
  const auth = credential(identityProvider, changes);
  const first = await auth.getToken();
  const [before] = await recordsIn(store);
  identityProvider.resetRequests();
  const undo = identityProvider.tamper({
    path: "token",
    respond: async (_request, genuine) => answer(JSON.parse((await genuine()).body)),
  });
  const record = async () => {
    const [current] = await recordsIn(store);
    if (current === undefined) throw new Error("nothing is stored");
    return current;
  };
  return { identityProvider, auth, first, before, record, undo };
}

function without(members: Members, ...names: string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function asJson(members: Members): HostileAnswer {
  return { status: 200, headers: json, body: JSON.stringify(members) };
}

function asForm(members: Members): HostileAnswer {
  const pairs = Object.entries(members).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return { status: 200, headers: form, body: new URLSearchParams(pairs).toString() };
}

interface Variant {
  readonly name: string;
  readonly answer: (genuine: Members) => HostileAnswer;
  /** Default: the new one. */
  readonly refreshToken?: "old";
  readonly idToken?: "old";
  readonly scopes?: readonly string[];
  readonly lifetimeSeconds?: number | null;
}

const variants: readonly Variant[] = [
  { name: "rotated", answer: asJson },
  {
    name: "no new refresh token [R09]",
    answer: (genuine) => asJson(without(genuine, "refresh_token")),
    refreshToken: "old",
  },
  {
    name: "a refresh token that is null",
    answer: (genuine) => asJson({ ...genuine, refresh_token: null }),
    refreshToken: "old",
  },
  {
    name: "an empty refresh token",
    answer: (genuine) => asJson({ ...genuine, refresh_token: "" }),
    refreshToken: "old",
  },
  {
    name: "no ID token",
    answer: (genuine) => asJson(without(genuine, "id_token")),
    idToken: "old",
  },
  {
    name: "nothing but the access token and its type",
    answer: ({ access_token, token_type }) => asJson({ access_token, token_type }),
    refreshToken: "old",
    idToken: "old",
    lifetimeSeconds: null,
  },
  {
    name: "no scope: as before",
    answer: (genuine) => asJson(without(genuine, "scope")),
  },
  {
    name: "a narrower scope",
    answer: (genuine) => asJson({ ...genuine, scope: "openid" }),
    scopes: ["openid"],
  },
  {
    name: "another scope string: order, repetition and spaces",
    answer: (genuine) => asJson({ ...genuine, scope: " email  openid email " }),
    scopes: ["email", "openid"],
  },
  {
    name: "scopes with commas",
    answer: (genuine) => asJson({ ...genuine, scope: "openid,email" }),
    scopes: ["openid", "email"],
  },
  {
    name: "scopes as an array",
    answer: (genuine) => asJson({ ...genuine, scope: ["openid", "email"] }),
    scopes: ["openid", "email"],
  },
  {
    name: "expires_in as a string",
    answer: (genuine) => asJson({ ...genuine, expires_in: "120" }),
    lifetimeSeconds: 120,
  },
  {
    name: "no expires_in",
    answer: (genuine) => asJson(without(genuine, "expires_in")),
    lifetimeSeconds: null,
  },
  {
    name: "token type in lower case",
    answer: (genuine) => asJson({ ...genuine, token_type: "bearer" }),
  },
  { name: "a form in place of JSON", answer: asForm },
  {
    name: "JSON without a content type",
    answer: (genuine) => ({ status: 200, body: JSON.stringify(genuine) }),
  },
];

test.each(variants)("a refresh goes on with: $name", async (variant) => {
  let genuine: Members = {};
  const { auth, before, record } = await signedIn((members) => {
    genuine = members;
    return variant.answer(members);
  });
  const renewed = await auth.getToken({ forceRefresh: true });
  expect([renewed.source, renewed.token]).toEqual(["refresh", genuine["access_token"]]);
  const after = await record();
  expect(after.refreshToken).toBe(
    variant.refreshToken === "old" ? before?.refreshToken : genuine["refresh_token"],
  );
  expect(after.idToken).toBe(variant.idToken === "old" ? before?.idToken : genuine["id_token"]);
  expect(renewed.scopes).toEqual(variant.scopes ?? before?.accessToken?.scopes);
  const { issuedAt, expiresAt } = after.accessToken ?? { issuedAt: 0, expiresAt: 0 };
  const lifetime = variant.lifetimeSeconds === undefined ? 3600 : variant.lifetimeSeconds;
  expect(expiresAt === null ? null : expiresAt - issuedAt).toBe(lifetime);
  expect(after.subject).toBe("alice");
  expect(after.signedInAt).toBe(before?.signedInAt);
});

test("a refresh goes on where the provider does not rotate: the same token is sent again", async () => {
  emptyHome();
  const identityProvider = await provider({ rotateRefreshTokens: false });
  const store = memoryStore();
  const auth = credential(identityProvider, { store });
  await auth.getToken();
  const [before] = await recordsIn(store);
  await auth.getToken({ forceRefresh: true });
  await auth.getToken({ forceRefresh: true });
  const [after] = await recordsIn(store);
  expect(after?.refreshToken).toBe(before?.refreshToken);
});

test("another sub in a refresh is subject_changed, and nothing of it is kept [R10]", async () => {
  const { auth, before, first, record, undo } = await signedIn(async (genuine) => {
    const claims = decodeJwt(String(genuine["id_token"]));
    const { at_hash: _other, ...rest } = claims;
    return asJson({ ...genuine, id_token: await forgeToken({ ...rest, sub: "mallory" }) });
  });
  const error = await failureOf(auth.getToken({ forceRefresh: true }));
  expect(error.code).toBe("subject_changed");
  const { ended, ...after } = await record();
  const { refreshToken: _gone, ...kept } = before ?? {};
  expect(ended).toBe("refresh_refused");
  expect({ ...after, version: before?.version }).toEqual(kept);
  // It is said once; then a person is asked.
  expect((await auth.getToken()).token).toBe(first.token);
  undo();
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("login");
});

function refusedWith(status: number, error: string): HostileAnswer {
  return { status, headers: json, body: JSON.stringify({ error }) };
}

function refusedInWords(status: number, members: object): HostileAnswer {
  return { status, headers: json, body: JSON.stringify(members) };
}

const ended: readonly (readonly [string, HostileAnswer])[] = [
  [
    "invalid_request with a sentence [F-P refresh-refusal-in-other-words]",
    refusedInWords(400, { error: "invalid_request", error_description: "Refresh token expired." }),
  ],
  [
    "a message alone [F-P refresh-refusal-in-other-words]",
    refusedInWords(400, { error: "Bad Request", message: "Invalid refresh token" }),
  ],
  ["400 invalid_grant", refusedWith(400, "invalid_grant")],
  ["403 instead of 400", refusedWith(403, "invalid_grant")],
  ["401 instead of 400", refusedWith(401, "invalid_grant")],
  ["200 instead of 400", refusedWith(200, "invalid_grant")],
  ["400 with an empty body", { status: 400, body: "" }],
  ["401 with an empty body", { status: 401, body: "" }],
  ["403 with an empty body", { status: 403, body: "" }],
  ["403 invalid_code", refusedWith(403, "invalid_code")],
  ["200 bad_refresh_token", refusedWith(200, "bad_refresh_token")],
  ["400 token_expired", refusedWith(400, "token_expired")],
  ["401 invalid_token", refusedWith(401, "invalid_token")],
  ["400 interaction_required", refusedWith(400, "interaction_required")],
  [
    "a form that says invalid_grant",
    { status: 400, headers: form, body: "error=invalid_grant&error_description=gone" },
  ],
  ["a form with 200", { status: 200, headers: form, body: "error=bad_refresh_token" }],
];

test.each(ended)("the refresh token is refused, and goes: %s [R03]", async (...row) => {
  const [, answer] = row;
  const { auth, first, record, undo, identityProvider } = await signedIn(() => answer);
  const error = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
  expect(identityProvider.requests().token).toBe(1);
  expect(await record()).not.toHaveProperty("refreshToken");
  // The access token is still good.
  expect((await auth.getToken()).token).toBe(first.token);
  undo();
  expect((await auth.getToken({ forceRefresh: true })).source).toBe("login");
});

const kept: readonly (readonly [string, HostileAnswer])[] = [
  ["invalid_client", refusedWith(401, "invalid_client")],
  ["unauthorized_client", refusedWith(403, "unauthorized_client")],
  ["invalid_scope", refusedWith(400, "invalid_scope")],
  ["invalid_request", refusedWith(400, "invalid_request")],
  [
    "a refresh token that it misses",
    refusedInWords(400, { error: "invalid_request", error_description: "refresh_token missing" }),
  ],
  ["unsupported_grant_type", refusedWith(400, "unsupported_grant_type")],
  ["invalid_target", refusedWith(400, "invalid_target")],
  ["the client in other words", refusedWith(200, "incorrect_client_credentials")],
  ["server_error", refusedWith(400, "server_error")],
  ["temporarily_unavailable", refusedWith(400, "temporarily_unavailable")],
  ["a failed server", { status: 500, body: "" }],
  ["a failed server that says an error", refusedWith(502, "upstream_gone")],
  [
    "a web page with 403",
    { status: 403, headers: { "content-type": "text/html" }, body: "<html>blocked" },
  ],
  ["a web page with 400", { status: 400, body: "<html>bad request" }],
  ["a gateway's word", refusedWith(403, "forbidden")],
  ["a gateway's sentence", refusedWith(401, "Full authentication is required")],
  ["JSON without an error", { status: 400, headers: json, body: "{}" }],
  ["a form without an error", { status: 400, headers: form, body: "message=no" }],
  ["a form that says two things", { status: 400, headers: form, body: "error=x&error=y" }],
  ["another status", refusedWith(404, "not_found")],
];

test.each(kept)("the refresh token is kept: %s [R11][R12]", async (...row) => {
  const [, answer] = row;
  const { auth, before, record } = await signedIn(() => answer);
  const error = await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
  expect(["token_request_failed", "network"]).toContain(error.code);
  expect((await record()).refreshToken).toBe(before?.refreshToken);
});

test.each([401, 403])(
  "a client with a secret keeps its refresh token after %i with an empty body: it may be the secret",
  async (status) => {
    const { auth, before, record } = await signedIn(() => ({ status, body: "" }), { secret: true });
    await failureOf(auth.getToken({ forceRefresh: true, interactive: false }));
    expect((await record()).refreshToken).toBe(before?.refreshToken);
  },
);
