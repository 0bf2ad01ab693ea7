// `createFetch` and `fetch` of a credential: real servers, whose logs show what a token was sent with, and to whom.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import {
  BearerTokenAuth,
  createFetch,
  OidcAuth,
  OidcError,
  type AccessToken,
  type Credential,
  type GetTokenOptions,
} from "../../src/index.ts";
import { desktop, emptyHome, failureOf, person, provider, trustOf } from "./harness.ts";

interface Seen {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

type Answer = (
  seen: Seen,
  response: ServerResponse,
  earlier: readonly Seen[],
) => number | readonly [status: number, headers: Readonly<Record<string, string>>];

/** A server whose log is read afterwards. */
async function resource(answer: Answer = () => 200) {
  const log: Seen[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", headers } = request;
      const seen = {
        line: `${method} ${url}`,
        authorization: headers.authorization,
        body,
        headers,
      };
      const [status, more] = [answer(seen, response, log)].flat() as [number, object?];
      log.push(seen);
      response.writeHead(status, { ...more }).end("the body");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.close().closeAllConnections());
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { origin, log, tokens: () => log.map(({ authorization }) => authorization) };
}

/** A credential that gives these tokens, one after the other, and tells what it was asked for. */
function scripted(...tokens: (string | OidcError)[]) {
  const asked: GetTokenOptions[] = [];
  let place = 0;
  const getToken = (options: GetTokenOptions = {}): Promise<AccessToken> => {
    const { signal: _signal, ...wish } = options;
    const stated = Object.entries(wish).filter(([, value]) => value !== undefined);
    asked.push(Object.fromEntries(stated));
    // As a credential: the same token again, until there is a reason for another one.
    if (asked.length > 1 && stated.length > 0) place = Math.min(place + 1, tokens.length - 1);
    const token = tokens[place];
    if (token instanceof OidcError) return Promise.reject(token);
    const scopes = ["base"];
    const given = {
      token: token ?? "",
      tokenType: "Bearer",
      scopes,
      expiresAt: undefined,
    } as const;
    return Promise.resolve({ ...given, source: "cache" });
  };
  return { asked, credential: { getToken } as unknown as Credential };
}

const refuse401 = [401, { "www-authenticate": 'Bearer error="invalid_token"' }] as const;

test("a request has the token, its own headers, method and body, and is otherwise as it was", async () => {
  const server = await resource();
  const auth = new BearerTokenAuth({ token: "given" });
  const { fetch } = auth;
  expect(auth.fetch).toBe(fetch);
  const response = await fetch(`${server.origin}/a?b=c`, {
    method: "post",
    headers: { "x-own": "1" },
    body: new URLSearchParams({ d: "e" }),
  });
  expect([response.status, await response.text(), response.redirected]).toEqual([
    200,
    "the body",
    false,
  ]);
  expect(server.log).toMatchObject([
    {
      line: "POST /a?b=c",
      authorization: "Bearer given",
      body: "d=e",
      headers: { "x-own": "1", "content-type": "application/x-www-form-urlencoded;charset=UTF-8" },
    },
  ]);
});

test("the token goes to the origin of the first request alone [D10]", async () => {
  const [server, other] = [await resource(), await resource()];
  const fetch = createFetch(new BearerTokenAuth({ token: "given" }));
  await fetch(`${server.origin}/`);
  await fetch(new URL(other.origin));
  await fetch(new Request(`${server.origin}/again`));
  expect([server.tokens(), other.tokens()]).toEqual([
    ["Bearer given", "Bearer given"],
    [undefined],
  ]);
});

test.each(["https://api.example.com/x", "grpcs://api.example.com:443"])(
  "bound to %s, no other origin gets the token [D10]",
  async (address) => {
    const other = await resource();
    const auth = Object.assign(scripted("t").credential, { server: address });
    expect((await createFetch(auth)(other.origin)).status).toBe(200);
    expect(other.tokens()).toEqual([undefined]);
  },
);

test.each(["http://api.example.com/", "http://sub.localhost:1/", "http://127.0.0.1.nip.io/"])(
  "without TLS a token is sent to this machine alone, not to %s, and none is asked for",
  async (address) => {
    const { asked, credential } = scripted("t");
    expect((await failureOf(createFetch(credential)(address))).code).toBe("insecure_url");
    expect(asked).toEqual([]);
  },
);

test("an Authorization of the caller's own is left alone, and no token is asked for", async () => {
  const server = await resource(() => refuse401);
  const { asked, credential } = scripted("t");
  const headers = { authorization: "Basic eA==" };
  const fetch = createFetch(credential);
  expect((await fetch(server.origin, { headers })).status).toBe(401);
  expect((await fetch(new Request(server.origin, { headers }))).status).toBe(401);
  expect([server.tokens(), asked]).toEqual([["Basic eA==", "Basic eA=="], []]);
});

test("a refused token is renewed once, and what is refused again is the caller's answer [R16]", async () => {
  const server = await resource(({ authorization }) =>
    authorization === "Bearer new" ? 200 : refuse401,
  );
  const { asked, credential } = scripted("old", "new");
  const response = await createFetch(credential)(server.origin, { method: "PUT", body: "twice" });
  expect([response.status, server.log.map(({ body }) => body)]).toEqual([200, ["twice", "twice"]]);
  expect(asked).toEqual([{}, { rejectedToken: "old" }]);

  const strict = await resource(() => refuse401);
  const again = scripted("old", "new", "newer");
  expect((await createFetch(again.credential)(strict.origin)).status).toBe(401);
  expect(strict.tokens()).toEqual(["Bearer old", "Bearer new"]);
});

test("where there is no other token the answer is the caller's, and nothing is sent twice", async () => {
  const server = await resource(() => refuse401);
  expect((await createFetch(scripted("only").credential)(server.origin)).status).toBe(401);
  const given = await createFetch(new BearerTokenAuth({ token: "given" }))(server.origin);
  expect([given.status, await given.text(), server.log.length]).toEqual([401, "the body", 2]);
  const refused = new OidcError("login_required", "x", { reason: "refresh_refused" });
  const error = await failureOf(createFetch(scripted("old", refused).credential)(server.origin));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
});

test("a hundred requests that are refused at once come to one refresh, and all of them succeed [R15]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = new OidcAuth({
    ...desktop(identityProvider, person(trustOf(identityProvider))),
    offlineAccess: true,
  });
  const first = await auth.getToken();
  const server = await resource(({ authorization }) =>
    authorization === `Bearer ${first.token}` ? refuse401 : 200,
  );
  const before = identityProvider.tokenRequests().length;
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async () => (await auth.fetch(server.origin)).status),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(identityProvider.tokenRequests().length - before).toBe(1);
  expect(new Set(server.tokens()).size).toBe(2);
  await auth.close();
});

test("a missing scope is asked for once, with what the token was for, and then from the start [D17][D21]", async () => {
  const challenge = 'Bearer error="insufficient_scope", scope="write base"';
  const server = await resource(({ authorization }) =>
    authorization === "Bearer wide" ? 200 : [403, { "www-authenticate": challenge }],
  );
  const { asked, credential } = scripted("narrow", "wide");
  const fetch = createFetch(credential);
  expect((await fetch(server.origin)).status).toBe(200);
  expect((await fetch(server.origin)).status).toBe(200);
  expect(asked).toEqual([{}, { scopes: ["base", "write"] }, { scopes: ["base", "write"] }]);

  const never = await resource(() => [403, { "www-authenticate": challenge }]);
  const insatiable = scripted("narrow", "wide", "wider");
  expect((await createFetch(insatiable.credential)(never.origin)).status).toBe(403);
  expect(insatiable.asked).toHaveLength(2);
});

test.each([
  ["a scope that it has", 'Bearer error="insufficient_scope", scope="base"'],
  ["no scope", 'Bearer error="insufficient_scope"'],
  ["a scope that cannot be one", 'Bearer error="insufficient_scope", scope="a\\"b"'],
  ["another error", 'Bearer error="invalid_request", scope="write"'],
  ["another scheme", 'Basic error="insufficient_scope", scope="write"'],
])("a 403 that names %s is the caller's answer", async (_what, header) => {
  const server = await resource(() => [403, { "www-authenticate": header }]);
  const { asked, credential } = scripted("t", "other");
  expect((await createFetch(credential)(server.origin)).status).toBe(403);
  expect(asked).toEqual([{}]);
});

test("step-up: the person signs in as the server wants, once [D21]", async () => {
  const header =
    'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="5"';
  const server = await resource(({ authorization }) =>
    authorization === "Bearer strong" ? 200 : [401, { "www-authenticate": header }],
  );
  const { asked, credential } = scripted("weak", "strong");
  expect((await createFetch(credential)(server.origin)).status).toBe(200);
  expect(asked).toEqual([{}, { acrValues: ["gold", "silver"], maxAgeSeconds: 5 }]);

  const never = await resource(() => [401, { "www-authenticate": header }]);
  const more = scripted("weak", "strong", "stronger");
  expect((await createFetch(more.credential)(never.origin)).status).toBe(401);
  expect(more.asked).toHaveLength(2);
});

const stream = (): ReadableStream<Uint8Array> => new Blob(["once"]).stream();

test.each<[string, (address: string) => Parameters<typeof fetch>]>([
  ["a stream", (address) => [address, { method: "POST", body: stream(), duplex: "half" }]],
  ["a Request's", (address) => [new Request(address, { method: "POST", body: "once" })]],
])(
  "a body that is %s is never sent twice; the next request has another token",
  async (_what, call) => {
    const server = await resource(({ authorization }) =>
      authorization === "Bearer new" ? 200 : refuse401,
    );
    const { asked, credential } = scripted("old", "new");
    const fetch = createFetch(credential);
    expect((await fetch(...call(server.origin))).status).toBe(401);
    expect(server.log.map(({ body }) => body)).toEqual(["once"]);
    expect((await fetch(server.origin)).status).toBe(200);
    expect(asked).toEqual([{}, { rejectedToken: "old" }]);
  },
);

const form = new FormData();
form.append("name", "value");
const changing = new TextEncoder().encode("as it was");

test.each<[string, NonNullable<RequestInit["body"]>, string | RegExp]>([
  ["a text", "text", "text"],
  ["a form", form, /name="name"\r\n\r\nvalue\r\n/],
  ["a file", new Blob(["blob"]), "blob"],
  ["bytes", changing, "as it was"],
  ["a buffer", new TextEncoder().encode("buffer").buffer, "buffer"],
  ["parameters", new URLSearchParams("a=b"), "a=b"],
])("a body that is %s is sent again, as it was at the call", async (_what, body, expected) => {
  const server = await resource(({ authorization }) => {
    if (body === changing) changing.fill(0x78);
    return authorization === "Bearer new" ? 200 : refuse401;
  });
  const fetch = createFetch(scripted("old", "new").credential);
  expect((await fetch(server.origin, { method: "POST", body })).status).toBe(200);
  expect(server.log).toHaveLength(2);
  for (const seen of server.log) expect(seen.body).toMatch(expected);
});

test("redirects within the origin keep the token, and what leaves it never has one again [D10]", async () => {
  const secret = "canary-token";
  let home = "";
  const other = await resource(({ line }) =>
    line.endsWith("/back") ? [302, { location: `${home}/end` }] : 200,
  );
  const server = await resource(({ line }) => {
    const targets: Readonly<Record<string, string>> = {
      "/in": "/end",
      "/out": `${other.origin}/x`,
      "/boomerang": `${other.origin}/back`,
    };
    const location = targets[line.split(" ")[1] ?? ""];
    return location === undefined ? 200 : [307, { location }];
  });
  home = server.origin;
  const fetch = createFetch(new BearerTokenAuth({ token: secret }));
  const inside = await fetch(`${home}/in`, { method: "POST", body: "b" });
  expect([inside.redirected, inside.url]).toEqual([true, `${home}/end`]);
  const headers = { cookie: "a=b", "x-own": "1" };
  expect((await fetch(`${home}/out`, { method: "POST", body: "b", headers })).url).toBe(
    `${other.origin}/x`,
  );
  await fetch(`${home}/boomerang`);
  expect(server.log.map(({ line, authorization }) => [line, authorization === undefined])).toEqual([
    ["POST /in", false],
    ["POST /end", false],
    ["POST /out", false],
    ["GET /boomerang", false],
    ["GET /end", true],
  ]);
  expect(other.log).toMatchObject([{ line: "POST /x", body: "b", headers: { "x-own": "1" } }, {}]);
  expect(JSON.stringify(other.log)).not.toContain(secret);
  expect(JSON.stringify(other.log)).not.toContain("a=b");
});

test("a redirect changes the method as the standard has it, and a refusal behind it repeats no form", async () => {
  const server = await resource(({ line, authorization }) => {
    if (line === "POST /form") return [303, { location: "/page" }];
    return authorization === "Bearer new" ? 200 : refuse401;
  });
  const fetch = createFetch(scripted("old", "new").credential);
  const headers = { "content-type": "text/x-own" };
  const response = await fetch(`${server.origin}/form`, { method: "POST", body: "b", headers });
  expect(response.status).toBe(200);
  expect(server.log.map(({ line, body }) => `${line} ${body}`)).toEqual([
    "POST /form b",
    "GET /page ",
    "GET /page ",
  ]);
  expect(server.log[1]?.headers["content-type"]).toBeUndefined();
});

test("redirects that nobody should follow: manual, error, without end, to nowhere, with a stream", async () => {
  const server = await resource(({ line }) => [
    307,
    { location: line.endsWith("/nowhere") ? "file:///etc/passwd" : "/loop" },
  ]);
  const fetch = createFetch(new BearerTokenAuth({ token: "t" }));
  const manual = await fetch(server.origin, { redirect: "manual" });
  expect([manual.status, manual.headers.get("location")]).toEqual([307, "/loop"]);
  await expect(fetch(server.origin, { redirect: "error" })).rejects.toThrow(TypeError);
  expect(server.log).toHaveLength(2);
  await expect(fetch(server.origin)).rejects.toThrow("too many redirects");
  expect(server.log).toHaveLength(23);
  await expect(fetch(`${server.origin}/nowhere`)).rejects.toThrow(TypeError);
  const body = { method: "POST", body: stream(), duplex: "half" } as RequestInit;
  await expect(fetch(server.origin, body)).rejects.toThrow(TypeError);
  expect(server.log).toHaveLength(25);
});

test("an abort ends the wait for a token and for an answer, with the caller's own reason", async () => {
  const reason = new Error("mine");
  const waiting = {
    getToken: (options?: GetTokenOptions) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener("abort", () => reject(new OidcError("aborted", "x")));
      }),
  };
  const stop = new AbortController();
  const call = createFetch(waiting as Credential)("http://127.0.0.1:1/", { signal: stop.signal });
  setImmediate(() => stop.abort(reason));
  await expect(call).rejects.toBe(reason);
  await expect(
    createFetch(scripted("t").credential)("http://127.0.0.1:1/", {
      signal: AbortSignal.abort(reason),
    }),
  ).rejects.toBe(reason);
});

test("it may take the place of the global fetch, and sends by the one that was there", async () => {
  const server = await resource();
  const before = globalThis.fetch;
  onTestFinished(() => void (globalThis.fetch = before));
  globalThis.fetch = new BearerTokenAuth({ token: "t" }).fetch;
  await fetch(server.origin);
  expect(server.tokens()).toEqual(["Bearer t"]);
});

test.each([null, "https://id.example.com", () => undefined])(
  "createFetch takes nothing that is neither a credential nor options: %s",
  (value) => {
    expect(() => createFetch(value as never)).toThrow(
      expect.objectContaining({ code: "invalid_option" }) as Error,
    );
  },
);

test("createFetch with options signs in by itself", async () => {
  emptyHome();
  const identityProvider = await provider();
  const server = await resource();
  const fetch = createFetch(desktop(identityProvider, person(trustOf(identityProvider))));
  expect((await fetch(server.origin)).status).toBe(200);
  expect(server.tokens()).toEqual([expect.stringMatching(/^Bearer \S+$/)]);
});
