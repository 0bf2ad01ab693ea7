// As which client `createFetch` signs in where the resource names the provider: a document, a registration, or one's own.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { OidcAuthOptions } from "../../src/index.ts";
import { json, startHostileServer, type Behaviour } from "../support/hostile-server.ts";
import { startProtectedResource } from "../support/protected-resource.ts";
import { refusal, wellKnown } from "../support/refusing-resource.ts";
import { failureOf, provider } from "./harness.ts";
import { path, said, scene, tamperMetadata, type Scene } from "./resource-scene.ts";

const document = "https://app.example.com/client.json";

/** A resource that names no client, and a provider that registers one as `behave` answers. */
async function withRegistration(behave: (on: Scene) => Behaviour) {
  const on = await scene((identityProvider) => ({
    documents: (origin) => ({
      [`${wellKnown}${path}`]: said(identityProvider, origin, { client_id: undefined }),
    }),
  }));
  const registration = await startHostileServer(behave(on));
  onTestFinished(() => registration.close());
  const endpoint = { registration_endpoint: `${registration.origin}/register` };
  tamperMetadata(on, endpoint);
  return { ...on, registration, endpoint, address: `${on.resource.origin}${path}` };
}

const asPublic =
  (members: object = {}) =>
  ({ identityProvider }: Scene): Behaviour =>
    json({ client_id: identityProvider.clients.public.clientId, ...members }, 201);

function clientsAsked({ identityProvider }: Scene): (string | null)[] {
  return identityProvider.authorizationRequests().map((each) => each.get("client_id"));
}

/** Lets the token of every sign-in be over. */
function expire(): void {
  const folder = join(process.env["HOME"] ?? "", ".local/state/latchkey");
  for (const name of readdirSync(folder).filter((each) => /^[0-9a-f]{32}\.json$/.test(each))) {
    const file = JSON.parse(readFileSync(join(folder, name), "utf8"));
    for (const { accessToken } of file.records) accessToken.expiresAt = accessToken.issuedAt;
    writeFileSync(join(folder, name), JSON.stringify(file));
  }
}

test("registration: a native client is registered for this very listener, once, and remembered", async () => {
  const on = await withRegistration(asPublic());
  const options: OidcAuthOptions = {
    registration: "dynamic",
    applicationName: "Graph",
    callbackPort: 0,
  };
  expect((await on.program(options)(on.address)).status).toBe(200);
  const [request] = on.registration.requests;
  expect([request?.method, request?.headers["content-type"]]).toEqual(["POST", "application/json"]);
  const redirectUri = on.identityProvider.authorizationRequests()[0]?.get("redirect_uri");
  expect(JSON.parse(request?.body ?? "")).toMatchObject({
    client_name: "Graph",
    application_type: "native",
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: "none",
    grant_types: expect.arrayContaining(["authorization_code", "refresh_token"]) as unknown,
  });
  expire();
  on.identityProvider.resetRequests();
  expect((await on.program(options)(on.address)).status).toBe(200);
  const [renewal] = on.identityProvider.tokenRequests();
  expect([renewal?.get("grant_type"), renewal?.get("client_id")]).toEqual([
    "refresh_token",
    on.identityProvider.clients.public.clientId,
  ]);
  expect(on.registration.requests).toHaveLength(1);
});

test("a client that was registered for one port is used again there, and not at another", async () => {
  const on = await withRegistration(asPublic());
  const port = Number(new URL(on.registration.origin).port) - 1;
  const options: OidcAuthOptions = { registration: "dynamic", callbackPort: port };
  await on.program(options)(on.address);
  await on.program({ ...options, forceLogin: true })(on.address);
  expect([clientsAsked(on).length, on.registration.requests.length]).toEqual([2, 1]);
  await on.program({ ...options, callbackPort: 0, forceLogin: true })(on.address);
  expect(on.registration.requests).toHaveLength(2);
});

test("a secret that came with the registration proves the client, at renewals too, and goes nowhere else", async () => {
  const secretOf = ({ identityProvider }: Scene) => identityProvider.clients.confidentialPost;
  const on = await withRegistration((at) => {
    const { clientId, clientSecret } = secretOf(at);
    const method = { token_endpoint_auth_method: "client_secret_post" };
    return json({ client_id: clientId, client_secret: clientSecret, ...method }, 201);
  });
  const { clientSecret } = secretOf(on);
  const options: OidcAuthOptions = { registration: "dynamic" };
  await on.program(options)(on.address);
  expire();
  await on.program(options)(on.address);
  const [first, second] = on.identityProvider.tokenRequests();
  expect([first?.get("client_secret"), second?.get("client_secret")]).toEqual([
    clientSecret,
    clientSecret,
  ]);
  expect(second?.get("grant_type")).toBe("refresh_token");
  expect(JSON.stringify([on.events, on.resource.calls, on.registration.requests])).not.toContain(
    clientSecret,
  );
});

test("a secret that came where the provider takes none is not sent", async () => {
  const on = await withRegistration(asPublic({ client_secret: "useless" }));
  tamperMetadata(on, { ...on.endpoint, token_endpoint_auth_methods_supported: ["none"] });
  await on.program({ registration: "dynamic" })(on.address);
  const [token] = on.identityProvider.tokenRequests();
  expect(token?.get("client_secret")).toBeNull();
  expect(on.identityProvider.authorizationHeaders()).toEqual([undefined]);
});

test.each<[string, Behaviour, string, string]>([
  [
    "its redirect URI",
    json({ error: "invalid_redirect_uri", error_description: "no loopback here" }, 400),
    "invalid_redirect_uri",
    "no loopback here",
  ],
  ["whatever", json({ error: "access_denied" }, 403), "refused", "access_denied"],
  ["nothing in words", json({}, 401), "refused", "status 401"],
  ["no client", json({ client_name: "x" }, 201), "response_malformed", "without a client"],
  ["a client with a line break", json({ client_id: "a\nb" }, 201), "response_malformed", "without"],
  [
    "a method that nobody has",
    json({ client_id: "a", token_endpoint_auth_method: "tls_client_auth" }, 201),
    "method_unsupported",
    "tls_client_auth",
  ],
  [
    "a method without its secret",
    json({ client_id: "a", token_endpoint_auth_method: "client_secret_basic" }, 201),
    "response_malformed",
    "secret",
  ],
])(
  "registration refused for %s: said in words, once, and nobody is sent anywhere",
  async (_what, answer, reason, words) => {
    const on = await withRegistration(() => answer);
    const failure = await failureOf(on.program({ registration: "dynamic" })(on.address));
    expect([failure.code, failure.reason]).toEqual(["registration_failed", reason]);
    expect(failure.message).toContain(words);
    expect([on.registration.requests.length, clientsAsked(on)]).toEqual([1, []]);
  },
);

test.each<[string, OidcAuthOptions, object, string]>([
  ["no client, no registration wanted", {}, {}, "no client to sign in as"],
  [
    "no client, none registered there",
    { registration: "dynamic" },
    { registration_endpoint: undefined },
    "registers none by itself",
  ],
  ["a document that is not taken", { clientId: document }, {}, "which"],
])("%s: missing_client_id, and nobody is sent anywhere", async (_what, options, members, words) => {
  const on = await withRegistration(asPublic());
  tamperMetadata(on, { ...on.endpoint, ...members });
  const failure = await failureOf(on.program(options)(on.address));
  expect(failure.code).toBe("missing_client_id");
  expect(failure.message).toContain(words);
  expect([on.registration.requests, clientsAsked(on)]).toEqual([[], []]);
});

test("a client id metadata document: used where the provider says that it takes it, before any registration", async () => {
  const on = await withRegistration(asPublic());
  const options: OidcAuthOptions = { clientId: document, registration: "dynamic" };
  tamperMetadata(on, { ...on.endpoint, client_id_metadata_document_supported: true });
  // The provider of these tests knows no such client, and says so on a page: what was asked is what counts here.
  await on
    .program({ ...options, callbackTimeoutSeconds: 1 })(on.address)
    .catch(() => undefined);
  expect(clientsAsked(on)).toEqual([document]);
  expect(on.registration.requests).toEqual([]);
});

test("a document that the provider does not take: a client is registered, and its sign-in is found again", async () => {
  const on = await withRegistration(asPublic());
  const options: OidcAuthOptions = { clientId: document, registration: "dynamic" };
  await on.program(options)(on.address);
  on.identityProvider.resetRequests();
  expect((await on.program(options)(on.address)).status).toBe(200);
  expect([on.registration.requests.length, on.identityProvider.requests().total]).toEqual([1, 0]);
});

test("a client of one's own is for one issuer: another one gets nothing of it [D09][D16]", async () => {
  const on = await scene();
  const attacker = await startHostileServer(json({ error: "not_found" }, 404));
  onTestFinished(() => attacker.close());
  on.resource.change({
    documents: (origin) => ({
      [`${wellKnown}${path}`]: said(on.identityProvider, origin, {
        authorization_servers: [attacker.origin],
      }),
    }),
  });
  const server = `${on.resource.origin}${path}`;
  const own = {
    server,
    issuer: on.identityProvider.issuer,
    clientId: "own",
    clientSecret: "s3cr3t-of-ours",
  };
  const failure = await failureOf(on.program(own)(server));
  expect(failure.code).toBe("issuer_mismatch");
  expect([attacker.connections(), on.identityProvider.requests().total]).toEqual([0, 0]);
  expect(on.questions).toEqual([]);
});

test("a secret goes to no issuer that nobody set or accepted [D16]", async () => {
  const on = await scene();
  const server = `${on.resource.origin}${path}`;
  const { confidentialBasic } = on.identityProvider.clients;
  const refusing = (event: { type: string; refuse?: () => void }): void => event.refuse?.();
  const failure = await failureOf(on.program({ ...confidentialBasic, onPrompt: refusing })(server));
  expect(failure.code).toBe("issuer_untrusted");
  expect(on.identityProvider.requests().total).toBe(0);
  expect((await on.program(confidentialBasic)(server)).status).toBe(200);
  expect(on.questions).toHaveLength(1);
});

test("a resource that moves to another issuer: asked about, and nothing of the old one goes there [D09]", async () => {
  const on = await scene();
  const { origin, calls } = on.resource;
  const fetch = on.program({ offlineAccess: true });
  await fetch(`${origin}${path}`);
  const old = calls.at(-1)?.token;
  const next = await provider();
  on.resource.change({
    documents: (own) => ({ [`${wellKnown}${path}`]: said(next, own) }),
    answer: ({ token }, _origin, earlier) => {
      // Neither the old token nor what the old provider renews it to.
      const isOld = token === old || next.requests().token === 0;
      return token === undefined || isOld || earlier.length === 0 ? refusal() : [200];
    },
  });
  expect((await fetch(`${origin}${path}`)).status).toBe(200);
  expect(on.questions).toMatchObject([
    { issuer: next.issuer, before: { issuer: on.identityProvider.issuer } },
  ]);
  expect(next.requests().authorization).toBe(1);
  expect(next.tokenRequests().map((each) => each.get("grant_type"))).toEqual([
    "authorization_code",
  ]);
});

test("a resource that says nothing: what is configured for it counts, and its address is the resource", async () => {
  const on = await scene(() => ({ documents: () => ({}) }));
  const server = `${on.resource.origin}${path}`;
  const { issuer, clients } = on.identityProvider;
  const own = { server, issuer, clientId: clients.public.clientId, scopes: ["openid"] };
  expect((await on.program(own)(server)).status).toBe(200);
  expect(on.identityProvider.tokenRequests()[0]?.get("resource")).toBe(server);
});

test("OidcAuth registers a client as well, where its server names none", async () => {
  const on = await withRegistration(asPublic());
  const at = await startProtectedResource(on.identityProvider, { client_id: undefined });
  const { OidcAuth } = await import("../../src/index.ts");
  const auth = new OidcAuth({
    server: at.server.origin,
    registration: "dynamic",
    openBrowser: false,
    callbackPort: 0,
    onPrompt: on.onPrompt,
  });
  expect((await auth.getToken()).source).toBe("login");
  expect(on.registration.requests).toHaveLength(1);
});
