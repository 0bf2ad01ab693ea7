// Metadata that a hostile server publishes. What counts is which hosts were spoken to afterwards, by the network's own log.

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { OidcAuth, type OidcAuthOptions, type PromptEvent } from "../../src/index.ts";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import {
  dribble,
  endlessChunks,
  gzipBomb,
  json,
  redirect,
  reply,
  startHostileServer,
  type Behaviour,
  type HostileServer,
} from "../support/hostile-server.ts";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";
import { startNamedNetwork, type NamedNetwork } from "../support/named-network.ts";
import { change } from "./fast-desk.ts";
import { emptyHome, failureOf, person } from "./harness.ts";

const server = "https://data.example";
const wellKnown = "/.well-known/oauth-protected-resource";

let authority: CertificateAuthority;
/** The server that is asked, by a name. */
let asked: HostileServer;
/** One on this machine, which may name a provider here. */
let near: HostileServer;
/** What the asked server would like to be reached: a provider of its own, on this machine and by a name. */
let attacker: HostileServer;
let network: NamedNetwork;
/** A provider that the server may name, or misuse. */
let genuine: IdentityProvider;

const proxyBefore = process.env["HTTPS_PROXY"];

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  const [data, evil] = [
    await authority.leafFor("data.example"),
    await authority.leafFor("evil.example"),
  ];
  [near, asked, attacker, genuine] = await Promise.all([
    startHostileServer(),
    startHostileServer(reply(404), { tls: { key: data.key, cert: data.certificate } }),
    startHostileServer(json({}), { tls: { key: evil.key, cert: evil.certificate } }),
    startIdentityProvider(),
  ]);
  network = await startNamedNetwork({ "data.example": asked.port, "evil.example": attacker.port });
  process.env["HTTPS_PROXY"] = network.proxy;
});
afterAll(async () => {
  if (proxyBefore === undefined) delete process.env["HTTPS_PROXY"];
  else process.env["HTTPS_PROXY"] = proxyBefore;
  await Promise.all([near, asked, attacker, network, genuine].map((each) => each.close()));
  await authority.dispose();
});

beforeEach(() => {
  near.requests.length = 0;
  asked.requests.length = 0;
  network.wanted.length = 0;
  genuine.resetRequests();
});

/** Has the server say this of its provider, in addition to its own name. */
function says(members: Readonly<Record<string, unknown>>): void {
  asked.behave(json({ resource: server, ...members }));
}

/** The same for the one on this machine, which names the genuine provider and its client. */
function nearSays(members: Readonly<Record<string, unknown>>): void {
  near.behave(
    json({
      resource: near.origin,
      authorization_servers: [genuine.issuer],
      client_id: genuine.clients.public.clientId,
      ...members,
    }),
  );
}

interface Someone {
  readonly events: PromptEvent[];
  /** The answers to questions about a server, one after the other; then no more are expected. */
  readonly onPrompt: (event: PromptEvent) => void;
}

/** Somebody at a desktop who signs in where they are led, and answers questions about servers so. */
function someoneWho(...answers: readonly ("accepts" | "refuses")[]): Someone {
  const desktop = person();
  const left = [...answers];
  return {
    events: desktop.events,
    onPrompt: (event) => {
      desktop.onPrompt(event);
      if (event.type !== "trustQuestion") return;
      if (left.shift() === "accepts") event.accept();
      else event.refuse();
    },
  };
}

function auth(someone: Someone, options: OidcAuthOptions = {}): OidcAuth {
  return new OidcAuth({
    server,
    caCertPath: authority.caPath,
    openBrowser: false,
    callbackPort: 0,
    callbackTimeoutSeconds: 15,
    onPrompt: someone.onPrompt,
    ...options,
  });
}

/** At the server on this machine. Somebody is asked about it, as about any other. */
function nearAuth(someone: Someone, options: OidcAuthOptions = {}): OidcAuth {
  return auth(someone, { server: near.origin, trustServer: "ask", ...options });
}

function questions({ events }: Someone): number {
  return events.filter(({ type }) => type === "trustQuestion").length;
}

/** Nobody was shown a page, and of all hosts only the server that the caller named was ever spoken to. */
function expectNothingLeft({ events }: Someone): void {
  expect(attacker.connections()).toBe(0);
  expect(network.wanted.filter((host) => host !== "data.example:443")).toEqual([]);
  expect(events.filter(({ type }) => type === "authorizationUrl" || type === "deviceCode")).toEqual(
    [],
  );
  for (const { method, headers, raw } of [...asked.requests, ...near.requests]) {
    expect(method).toBe("GET");
    expect([headers["authorization"], headers["cookie"]]).toEqual([undefined, undefined]);
    expect(raw).not.toMatch(/token|secret|Bearer/i);
  }
}

/** How a sign-in ends that comes to nothing: code and reason. */
async function endOf(
  someone: Someone,
  options: OidcAuthOptions = {},
): Promise<readonly [code: string, reason: string | undefined]> {
  emptyHome();
  const { code, reason } = await failureOf(auth(someone, options).getToken());
  expectNothingLeft(someone);
  return [code, reason];
}

test.each([
  ["a port of this machine", () => attacker.origin],
  ["this machine in other words", () => `https://localhost:${attacker.port}`],
  ["a cloud's metadata", () => "https://169.254.169.254"],
])("%s is no provider for a server elsewhere [D18]", async (_name, issuer) => {
  says({ authorization_servers: [issuer()], client_id: "graph-cli" });
  const someone = someoneWho();
  expect(await endOf(someone)).toEqual(["server_config_failed", "malformed"]);
  expect(questions(someone)).toBe(0);
});

test.each([
  ["another issuer", "https://evil.example"],
  ["a provider inside the network", "https://10.0.0.1"],
  ["a name that only begins like the server's", "https://data.example.evil.example"],
])("%s, at first contact: no request before somebody agrees [D08]", async (_name, issuer) => {
  says({ authorization_servers: [issuer], client_id: "graph-cli" });
  const someone = someoneWho("refuses");
  expect(await endOf(someone)).toEqual(["issuer_untrusted", "declined"]);
  expect(questions(someone)).toBe(1);
  // Where only what was accepted before counts, nobody is asked.
  expect(await endOf(someone, { trustServer: "pinned" })).toEqual(["issuer_untrusted", undefined]);
  expect(questions(someone)).toBe(1);
});

test.each([
  ["javascript:", "javascript:alert(1)//https://evil.example"],
  ["data:", "data:text/html,hello"],
  ["file:", "file:///etc/passwd"],
  ["http: to another machine", "http://evil.example"],
  ["http: to a cloud's metadata", "http://169.254.169.254"],
  ["a user name that looks like a host", "https://login.example@evil.example"],
  ["a query", "https://evil.example?x"],
  ["a fragment", "https://evil.example#x"],
  ["a line break", "https://evil.example/\r\nx: y"],
  ["a direction mark", "https://evil.example/\u202egro.elpmaxe"],
  ["nine thousand characters", `https://evil.example/${"a".repeat(9000)}`],
  ["a number", 7],
  ["an object", { issuer: "https://evil.example" }],
])("an issuer that is %s is nobody's provider [D02, D05]", async (_name, issuer) => {
  says({ authorization_servers: [issuer] });
  const someone = someoneWho();
  expect(await endOf(someone)).toEqual(["server_config_failed", "malformed"]);
  expect(questions(someone)).toBe(0);
});

test("a genuine provider with a stranger's client sees nothing before somebody agrees [D08]", async () => {
  nearSays({ client_id: "client-of-a-stranger" });
  const asking = { server: near.origin, trustServer: "ask" } as const;
  expect(await endOf(someoneWho("refuses"), asking)).toEqual(["issuer_untrusted", "declined"]);
  expect(genuine.requests().total).toBe(0);
});

test("several providers: none is picked, and none is tried after another [D13]", async () => {
  says({ authorization_servers: [genuine.issuer, "https://evil.example"] });
  const someone = someoneWho();
  expect(await endOf(someone)).toEqual(["server_config_failed", "several_issuers"]);
  expect([questions(someone), genuine.requests().total]).toEqual([0, 0]);
});

test.each([
  ["another server", { resource: "https://evil.example" }],
  ["a path of it", { resource: `${server}/graph` }],
  ["the same name in capitals", { resource: "https://DATA.example" }],
  ["its port written out", { resource: `${server}:443` }],
  ["nothing", { resource: undefined }],
  ["a list", { resource: [server] }],
])("metadata about %s are not used [D11]", async (_name, members) => {
  says({ authorization_servers: ["https://evil.example"], ...members });
  expect(await endOf(someoneWho())).toEqual(["resource_mismatch", undefined]);
});

const answers: readonly [
  name: string,
  behave: () => Behaviour,
  ends: readonly [string, string?],
][] = [
  ["an endless answer", endlessChunks, ["response_too_large"]],
  ["a compressed bomb", () => gzipBomb(50), ["response_too_large"]],
  ["one byte now and then", () => dribble(50), ["timeout", "operation"]],
  ["a redirect to another host", () => redirect("https://evil.example/x"), ["redirect_refused"]],
  ["a redirect to plain http", () => redirect("http://data.example/x"), ["redirect_refused"]],
  ["a redirect for ever", () => redirect(wellKnown), ["redirect_refused"]],
  ["a web page", () => reply(200, {}, "<html>"), ["server_config_failed", "not_found"]],
  ["a failure", () => reply(500), ["server_config_failed", "server_error"]],
];

test.each(answers)(
  "%s ends it, bounded in time and size [D04, D19]",
  async (_name, behave, ends) => {
    const before = asked.bytesWritten();
    asked.behave(behave());
    // Only the one that takes for ever gets near to it.
    expect(await endOf(someoneWho(), { httpTimeoutSeconds: 1 })).toEqual([ends[0], ends[1]]);
    expect(asked.bytesWritten() - before).toBeLessThan(64 * 1024 * 1024);
  },
);

test("a refresh goes to the provider that signed the person in, whatever the server says by now [D09]", async () => {
  emptyHome();
  nearSays({ scopes: ["openid"] });
  const someone = someoneWho("accepts");
  await nearAuth(someone).getToken();
  genuine.resetRequests();
  near.requests.length = 0;
  someone.events.length = 0;
  nearSays({ authorization_servers: ["https://evil.example"], client_id: "x" });
  expect((await nearAuth(someone).getToken({ forceRefresh: true })).source).toBe("refresh");
  expect(genuine.requests()).toMatchObject({ token: 1, authorization: 0 });
  expect(near.requests).toEqual([]);
  expectNothingLeft(someone);
});

test("secrets, endpoints and authorities in a server's document are not looked at [D15]", async () => {
  emptyHome();
  nearSays({
    client_secret: "from-the-server",
    token_endpoint: "https://evil.example/token",
    authorization_endpoint: "https://evil.example/authorize",
    jwks_uri: "https://evil.example/keys",
    ca_cert_path: "/etc/passwd",
    browser_command: "touch /tmp/owned",
    redirect_uri: "https://evil.example/callback",
  });
  const someone = someoneWho("accepts");
  expect((await nearAuth(someone).getToken()).source).toBe("login");
  expect(attacker.connections()).toBe(0);
  expect(network.wanted).toEqual([]);
  const [body] = genuine.tokenRequests();
  expect(body?.has("client_secret")).toBe(false);
  expect(genuine.authorizationHeaders()).toEqual([undefined]);
});

test("endpoints of a provider that was accepted, with javascript: or nobody's host, open nothing [D05]", async () => {
  for (const endpoint of ["javascript:alert(1)", "http://evil.example/a", "file:///etc/passwd"]) {
    emptyHome();
    const undo = change(genuine, "discovery", { authorization_endpoint: endpoint });
    nearSays({});
    const someone = someoneWho("accepts");
    const { code } = await failureOf(nearAuth(someone, { flow: "auth_code" }).getToken());
    undo();
    expect(code).toBe("endpoint_invalid");
    expectNothingLeft(someone);
    expect(genuine.requests().token).toBe(0);
  }
});
