// A server that names the provider: what of its word counts, and when it is asked.

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  OidcAuth,
  OidcCredentialsAuth,
  type OidcAuthOptions,
  type PromptEvent,
} from "../../src/index.ts";
import { json, startHostileServer, type HostileServer } from "../support/hostile-server.ts";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";
import { emptyHome, failureOf, person } from "./harness.ts";

let server: HostileServer;
let genuine: IdentityProvider;
let clientId: string;

beforeAll(async () => {
  [server, genuine] = await Promise.all([startHostileServer(), startIdentityProvider()]);
  ({ clientId } = genuine.clients.public);
});
afterAll(() => Promise.all([server.close(), genuine.close()]).then(() => undefined));

beforeEach(() => {
  emptyHome();
  server.requests.length = 0;
  genuine.resetRequests();
  says({ scopes: ["openid", "profile"] });
});

/** What the server says, in addition to its address, its provider and a client. */
function says(members: Readonly<Record<string, unknown>>): void {
  server.behave(
    json({
      resource: server.origin,
      authorization_servers: [genuine.issuer],
      client_id: clientId,
      ...members,
    }),
  );
}

function auth(options: OidcAuthOptions = {}): OidcAuth {
  return new OidcAuth({
    server: server.origin,
    openBrowser: false,
    callbackPort: 0,
    callbackTimeoutSeconds: 15,
    onPrompt: person().onPrompt,
    ...options,
  });
}

interface Row {
  readonly name: string;
  /** What the server says. */
  readonly said?: () => Readonly<Record<string, unknown>>;
  /** What the caller set. */
  readonly set?: () => OidcAuthOptions;
  /** What was asked of the provider. */
  readonly scope?: string;
  readonly audience?: string;
  readonly resource?: () => string;
  /** Requests to the server. */
  readonly asks: number;
}

const all = (): OidcAuthOptions => ({ issuer: genuine.issuer, clientId, scopes: ["openid"] });

const rows: readonly Row[] = [
  { name: "nothing is set: the server's word", scope: "openid profile", asks: 1 },
  {
    name: "the server's list of what it supports, where it names no scopes of its own",
    said: () => ({ scopes: undefined, scopes_supported: ["openid", "email"] }),
    scope: "openid email",
    asks: 1,
  },
  {
    name: "the server's scopes as a text",
    said: () => ({ scopes: "openid email" }),
    scope: "openid email",
    asks: 1,
  },
  {
    name: "openid is added at an OpenID Provider, whatever the server needs for itself",
    said: () => ({ scopes: ["profile"] }),
    scope: "openid profile",
    asks: 1,
  },
  {
    name: "a server without scopes: the default ones",
    said: () => ({ scopes: undefined }),
    scope: "openid profile email",
    asks: 1,
  },
  {
    name: "scopes that are set",
    set: () => ({ scopes: ["openid", "email"] }),
    scope: "openid email",
    asks: 1,
  },
  {
    name: "a client that is set",
    said: () => ({ client_id: "somebody-else" }),
    set: () => ({ clientId }),
    scope: "openid profile",
    asks: 1,
  },
  {
    name: "an issuer that is set, though the server names another one",
    said: () => ({ authorization_servers: ["https://login.example.net"] }),
    set: () => ({ issuer: genuine.issuer }),
    scope: "openid profile",
    asks: 1,
  },
  {
    name: "an issuer that is set, one of several that the server names",
    said: () => ({ authorization_servers: ["https://login.example.net", genuine.issuer] }),
    set: () => ({ issuer: genuine.issuer }),
    scope: "openid profile",
    asks: 1,
  },
  {
    name: "issuer, client and scopes are set: it is not asked",
    set: all,
    scope: "openid",
    asks: 0,
  },
  {
    name: "an audience that the server names does not count unless it is wanted",
    said: () => ({ audience: "urn:server", scopes: ["openid"] }),
    scope: "openid",
    asks: 1,
  },
  {
    name: "useServerAudience: the server's audience",
    said: () => ({ audience: "urn:server", scopes: ["openid"] }),
    set: () => ({ useServerAudience: true }),
    scope: "openid",
    audience: "urn:server",
    asks: 1,
  },
  {
    name: "useServerAudience asks though everything else is set",
    said: () => ({ audience: "urn:server" }),
    set: () => ({ ...all(), useServerAudience: true }),
    scope: "openid",
    audience: "urn:server",
    asks: 1,
  },
  {
    name: "an audience that is set, useServerAudience or not",
    said: () => ({ audience: "urn:server" }),
    set: () => ({ ...all(), audience: "urn:own", useServerAudience: true }),
    scope: "openid",
    audience: "urn:own",
    asks: 0,
  },
  {
    name: "a resource that is set",
    set: () => ({ resource: ["urn:own"] }),
    scope: "openid profile",
    resource: () => "urn:own",
    asks: 1,
  },
  {
    name: "a resource as the server writes it, slash included",
    said: () => ({ resource: `${server.origin}/` }),
    scope: "openid profile",
    resource: () => `${server.origin}/`,
    asks: 1,
  },
];

test.each(rows)("$name", async ({ said, set, scope, audience, resource, asks }) => {
  says({ scopes: ["openid", "profile"], ...said?.() });
  const options = set?.() ?? {};
  const signedIn = auth(options);
  expect((await signedIn.getToken()).source).toBe("login");
  const [query] = genuine.authorizationRequests();
  const wasAsked = asks > 0;
  expect([query?.get("client_id"), query?.get("scope"), query?.get("audience")]).toEqual([
    clientId,
    scope,
    audience ?? null,
  ]);
  expect(query?.get("resource")).toBe(resource?.() ?? (wasAsked ? server.origin : null));
  expect(server.requests).toHaveLength(asks);
  // Readable afterwards as it was set, or the default.
  expect([signedIn.issuer, signedIn.clientId, signedIn.scopes, signedIn.server]).toEqual([
    options.issuer ?? "",
    options.clientId ?? "",
    options.scopes,
    server.origin,
  ]);
});

test.each([
  [
    "useServerAudience, and the server names none",
    {},
    { useServerAudience: true },
    "server_config_failed",
    "no_audience",
  ],
  ["no client on either side", { client_id: undefined }, {}, "missing_client_id", undefined],
  ["no provider", { authorization_servers: undefined }, {}, "server_config_failed", "not_found"],
])(
  "%s: an error, and nothing is asked of the provider",
  async (_name, said, options, code, reason) => {
    says({ scopes: ["openid"], ...said });
    const failure = await failureOf(auth(options).getToken());
    expect([failure.code, failure.reason]).toEqual([code, reason]);
    expect(genuine.requests().total).toBe(0);
  },
);

test("it is asked at each sign-in, and neither before one nor for a renewal", async () => {
  says({ scopes: ["openid", "profile"], audience: "urn:server" });
  const options = { useServerAudience: true };
  // Whoever may not be asked does not ask the server either.
  const quiet = await failureOf(auth(options).getToken({ interactive: false }));
  expect([quiet.code, server.requests.length]).toEqual(["login_required", 0]);
  const first = await auth(options).getToken();
  expect(server.requests).toHaveLength(1);
  genuine.resetRequests();

  const second = auth(options);
  expect(await second.getToken()).toMatchObject({ token: first.token, source: "cache" });
  expect(await second.status()).toMatchObject({
    server: server.origin,
    issuer: genuine.issuer,
    clientId,
  });
  expect([server.requests.length, genuine.requests().total]).toEqual([1, 0]);

  // By what the server said at the sign-in, though it is gone by now.
  server.behave((socket) => socket.destroy());
  expect((await auth(options).getToken({ forceRefresh: true })).source).toBe("refresh");
  const [refresh] = genuine.tokenRequests();
  expect([refresh?.get("client_id"), refresh?.get("resource"), refresh?.get("audience")]).toEqual([
    clientId,
    server.origin,
    "urn:server",
  ]);
  expect([server.requests.length, genuine.requests()]).toMatchObject([
    1,
    { token: 1, authorization: 0 },
  ]);

  says({ scopes: ["openid", "profile"], audience: "urn:server" });
  await auth(options).login();
  expect(server.requests).toHaveLength(2);
});

test("a server that cannot be reached keeps its reason, and leaves the sign-in that there is", async () => {
  const { token } = await auth().getToken();
  server.behave((socket) => socket.destroy());
  expect((await failureOf(auth().login())).code).toBe("network");
  expect(await auth().getToken()).toMatchObject({ token, source: "cache" });
});

test.each([
  ["fails", async () => Promise.reject(new Error("no such method"))],
  ["gives nothing", async () => undefined],
  ["gives numbers", async () => ({ issuer: 7 })],
  ["gives an issuer that is no address", async () => ({ issuer: "somewhere" })],
])("an object whose method %s: server_config_failed", async (_name, getOidcIssuer) => {
  const source = { address: "data", getOidcIssuer } as unknown as OidcAuthOptions["server"];
  const failure = await failureOf(auth({ server: source }).getToken());
  expect([failure.code, failure.reason]).toEqual(["server_config_failed", "malformed"]);
  expect(genuine.requests().total).toBe(0);
});

test("a client of its own: for the server's scopes, its secret to the issuer that is set alone [D16]", async () => {
  says({ scopes: ["api:read"] });
  const { clientId: id, clientSecret } = genuine.clients.confidentialPost;
  const own = { clientId: id, clientSecret, issuer: genuine.issuer };
  const { issuer: _none, ...unbound } = own;
  const failure = await failureOf(
    new OidcCredentialsAuth({ ...unbound, server: server.origin }).getToken(),
  );
  expect([failure.code, genuine.requests().total]).toEqual(["issuer_untrusted", 0]);
  const { source } = await new OidcCredentialsAuth(own).withServer(server.origin).getToken();
  expect(source).toBe("login");
  expect(genuine.tokenRequests()[0]?.get("scope")).toBe("api:read");
});

test("a question about a server is a prompt: one that nobody answers counts, and an answered one does not", async () => {
  const asking = { trustServer: "ask", maxUnansweredPrompts: 1 } as const;
  const leaving = new AbortController();
  const onPrompt = (event: PromptEvent): void => {
    if (event.type === "trustQuestion") leaving.abort();
  };
  const { signal } = leaving;
  expect((await failureOf(auth({ ...asking, onPrompt }).getToken({ signal }))).code).toBe(
    "aborted",
  );
  const failure = await failureOf(auth({ ...asking, onPrompt }).getToken());
  expect([failure.code, failure.reason]).toEqual(["login_required", "prompt_budget"]);

  emptyHome();
  const someone = person();
  const accepting = (event: PromptEvent): void => {
    if (event.type === "trustQuestion") event.accept();
    else someone.onPrompt(event);
  };
  const signedIn = await auth({ ...asking, onPrompt: accepting }).getToken();
  expect(signedIn.source).toBe("login");
});
