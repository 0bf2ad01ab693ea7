// The table of checks that every provider goes through. Changes when a check is added.
import { expect } from "vitest";
import { OidcCredentialsAuth } from "../../src/index.ts";
import type { OidcAuthOptions } from "../../src/index.ts";
import type { Desk } from "./desk.ts";
import type { ClientKind, ProviderFacts, TestClient } from "./provider-under-test.ts";
import { PersonOverHttp } from "./person-over-http.ts";

/** One row. */
export interface Check {
  readonly name: string;
  /** Why this provider can't do it, known before anything runs; undefined where it can be tried. */
  readonly impossible?: (facts: ProviderFacts, scheme: "http" | "https") => string | undefined;
  /** Tries it; gives what the cell says, "yes" where nothing. */
  readonly run: (desk: Desk) => Promise<string | void>;
}

const kinds: readonly ClientKind[] = ["public", "confidential"];

function unlessPossible(possible: "page" | "yes" | { impossible: string }): string | undefined {
  return typeof possible === "string" ? undefined : possible.impossible;
}

/** A token is there, verified, and says who signed in. */
async function expectSignIn(
  desk: Desk,
  client: TestClient,
  options: OidcAuthOptions = {},
): Promise<void> {
  const { facts, provider } = desk;
  const token = await desk.credential(client, options).getToken();
  expect([token.source, token.tokenType]).toEqual(["login", "Bearer"]);
  expect(token.claims).toMatchObject({ iss: provider.issuer, aud: client.clientId });
  expect(token.claims?.sub).toMatch(/./);
  const [header = ""] = token.idToken?.split(".") ?? [];
  const { alg } = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg: string };
  expect(alg).toBe(facts.idTokenAlgorithm);
  expect(token.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  expect((await desk.record()).refreshToken).toMatch(/./);
}

/** The next start of the program has the token without any request. */
async function expectWarmStart(desk: Desk, client: TestClient): Promise<void> {
  desk.startCounting();
  const warm = await desk.credential(client).getToken();
  expect(warm.source).toBe("cache");
  expect(desk.counted()?.total ?? 0).toBe(0);
}

const signInChecks: readonly Check[] = kinds.map((kind) => ({
  name: `code flow, ${kind} client, 3 requests; warm start, none`,
  run: async (desk) => {
    const client = desk.provider.clients[kind];
    desk.startCounting();
    await expectSignIn(desk, client);
    const count = desk.counted();
    await expectWarmStart(desk, client);
    if (count === undefined) return "yes: not counted, nobody stands between the client and this TLS";
    expect(count).toMatchObject({ discovery: 1, jwks: 1, token: 1, total: 3 });
    return "yes";
  },
}));

const deviceChecks: readonly Check[] = kinds.map((kind) => ({
  name: `device flow, ${kind} client; warm start; refresh`,
  impossible: ({ deviceClients }) =>
    deviceClients.includes(kind) ? undefined : "the client may not be registered for it",
  run: async (desk) => {
    const client = desk.provider.clients[kind];
    desk.startCounting();
    await expectSignIn(desk, client, { flow: "device" });
    const count = desk.counted();
    if (count !== undefined) expect(count).toMatchObject({ discovery: 1, jwks: 1, device: 1 });
    await expectWarmStart(desk, client);
    const renewed = await desk.credential(client).getToken({ forceRefresh: true });
    expect(renewed.source).toBe("refresh");
  },
}));

const pkceChecks: readonly Check[] = kinds.map((kind) => ({
  name: `PKCE off, ${kind} client`,
  run: async (desk) => {
    const { [kind]: client, confidentialWithoutPkce = client } = desk.provider.clients;
    if (!desk.facts.needsPkce.includes(kind)) {
      await expectSignIn(desk, kind === "public" ? client : confidentialWithoutPkce, { pkce: false });
      return "yes";
    }
    const error = await desk.failure(desk.credential(client, { pkce: false }).getToken());
    expect([error.code, error.reason]).toEqual(["authorization_failed", "invalid_request"]);
    return `no: ${kind} clients need PKCE; refused with invalid_request`;
  },
}));

const refreshChecks: readonly Check[] = kinds.flatMap((kind): readonly Check[] => [
  {
    name: `refresh, ${kind} client, three in a row, 1 request each; rotation; claims stay`,
    run: async (desk) => {
      const client = desk.provider.clients[kind];
      const { claims } = await desk.credential(client).getToken();
      const used = new Set([(await desk.record()).refreshToken]);
      for (let round = 0; round < 3; round += 1) {
        desk.startCounting();
        const renewed = await desk.credential(client).getToken({ forceRefresh: true });
        expect([renewed.source, renewed.claims?.sub]).toEqual(["refresh", claims?.sub]);
        expect(desk.counted() ?? { token: 1, total: 1 }).toMatchObject({ token: 1, total: 1 });
        used.add((await desk.record()).refreshToken);
      }
      expect(used.size).toBe(4);
      // Without the one of the sign-in, an ID token can only come from the refresh.
      await desk.forgetIdToken();
      const last = await desk.credential(client).getToken({ forceRefresh: true });
      expect(last.idToken !== undefined).toBe(desk.facts.refreshGivesIdToken);
      if (!desk.facts.refreshGivesIdToken) return "yes: the answer to a refresh has no ID token";
      return "yes";
    },
  },
  {
    name: `refresh refused (unknown token), ${kind} client: login_required, then a new sign-in`,
    run: async (desk) => {
      const client = desk.provider.clients[kind];
      await desk.credential(client).getToken();
      const { refreshToken = "" } = await desk.record();
      await desk.alter({ refreshToken: refreshToken.split("").toReversed().join("") });
      await expectEnded(desk, client);
      const again = await desk.credential(client).getToken();
      expect(again.source).toBe("login");
      expect((await desk.credential(client).getToken({ forceRefresh: true })).source).toBe("refresh");
    },
  },
]);

/** The provider takes the refresh token for no good, and the program is told to sign in. */
async function expectEnded(desk: Desk, client: TestClient): Promise<void> {
  await desk.expire();
  const error = await desk.failure(desk.credential(client).getToken({ interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
  expect((await desk.record()).refreshToken).toBeUndefined();
}

const sessionChecks: readonly Check[] = [
  {
    name: "10 callers with an expired token: 1 token request, 1 token",
    run: async (desk) => {
      const client = desk.provider.clients.public;
      await desk.credential(client).getToken();
      await desk.expire();
      desk.startCounting();
      const tokens = await Promise.all(
        Array.from({ length: 10 }, async () => desk.credential(client).getToken()),
      );
      expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
      const count = desk.counted();
      if (count === undefined) return "yes: not counted, nobody stands between the client and this TLS";
      expect(count).toMatchObject({ token: 1, total: 1 });
      return "yes";
    },
  },
  {
    name: "a refresh token that was used before (stolen, restored): login_required",
    run: async (desk) => {
      const client = desk.provider.clients.public;
      await desk.credential(client).getToken();
      const { refreshToken } = await desk.record();
      await desk.credential(client).getToken({ forceRefresh: true });
      if (refreshToken === undefined) throw new Error("there is no refresh token");
      await desk.alter({ refreshToken });
      await expectEnded(desk, client);
    },
  },
  {
    name: "userinfo: the same subject",
    run: async (desk) => {
      const auth = desk.credential(desk.provider.clients.public);
      const { claims } = await auth.getToken();
      desk.startCounting();
      expect((await auth.userInfo()).sub).toBe(claims?.sub);
      expect(desk.counted() ?? { total: 1 }).toMatchObject({ total: 1 });
    },
  },
  ...kinds.map((kind): Check => ({
    name: `revocation, ${kind} client: the refresh token is dead`,
    run: async (desk) => {
      const client = desk.provider.clients[kind];
      await desk.credential(client).getToken();
      const record = await desk.record();
      const expected = kind === "public" ? desk.facts.publicRevocation : "yes";
      const { forgotten, revoked } = await desk.credential(client).logout({ revoke: true });
      expect([forgotten, revoked]).toEqual([1, expected]);
      expect(await desk.store.list()).toEqual([]);
      if (expected !== "yes") {
        return 'no: public clients may not revoke; logout says "failed" and forgets here';
      }
      await desk.store.replace(record.key, undefined, record);
      await expectEnded(desk, client);
      return "yes";
    },
  })),
];

const refusalChecks: readonly Check[] = [
  {
    name: "denial by the person: access_denied",
    impossible: ({ denial }) => unlessPossible(denial),
    run: async (desk) => {
      // Some remember that the person agreed before, and ask no more.
      const changes = { prompt: "consent" };
      const auth = desk.credential(desk.provider.clients.public, changes, { deny: true });
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.providerError]).toEqual(["access_denied", "access_denied"]);
      expect(await desk.store.list()).toEqual([]);
    },
  },
  {
    name: "denial by the person, device flow: access_denied",
    impossible: ({ deviceDenial }) => unlessPossible(deviceDenial),
    run: async (desk) => {
      const { public: client } = desk.provider.clients;
      const auth = desk.credential(client, { flow: "device" }, { deny: true });
      expect((await desk.failure(auth.getToken())).code).toBe("access_denied");
    },
  },
  {
    name: "unknown client: a page of the provider, aborted here",
    run: async (desk) => {
      const auth = desk.credential({ clientId: "nobody-registered-this" });
      expect((await desk.failure(auth.getToken())).code).toBe("aborted");
      expect(desk.lastVisit?.isBackAtClient).toBe(false);
    },
  },
  {
    name: "unknown client, device flow: the error says so",
    run: async (desk) => {
      const auth = desk.credential({ clientId: "nobody-registered-this" }, { flow: "device" });
      const error = await desk.failure(auth.getToken());
      expect(error.code).toBe("token_request_failed");
      expect(["invalid_client", "unauthorized_client"]).toContain(error.reason);
      expect(error.message).toContain("clientId");
      return `yes: ${error.reason ?? ""}`;
    },
  },
  {
    name: "wrong secret: the error says so",
    run: async (desk) => {
      const { clientId } = desk.provider.clients.confidential;
      const clientSecret = "canary-wrong-secret";
      const auth = desk.credential({ clientId, clientSecret });
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.reason]).toEqual(["token_request_failed", desk.facts.wrongSecretReason]);
      expect(error.message).toContain("clientSecret");
      expect(error.message).not.toContain("canary");
      return `yes: ${error.reason ?? ""}`;
    },
  },
  {
    name: "wrong secret at a refresh: an error, and the sign-in is kept",
    run: async (desk) => {
      const { confidential: client } = desk.provider.clients;
      await desk.credential(client).getToken();
      const before = await desk.record();
      const auth = desk.credential({ ...client, clientSecret: "canary-wrong-secret" });
      const error = await desk.failure(auth.getToken({ forceRefresh: true, interactive: false }));
      if (desk.facts.wrongSecretAtRefresh === "untold") {
        expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
        await desk.alter(before);
        await expectEnded(desk, client);
        return "no: 400 with nothing, as for an unknown token, and the token is dead for the right secret too";
      }
      expect([error.code, error.reason]).toEqual(["token_request_failed", desk.facts.wrongSecretReason]);
      expect(error.message).toContain("clientSecret");
      expect((await desk.record()).refreshToken).toBe(before.refreshToken);
      expect((await desk.credential(client).getToken({ forceRefresh: true })).source).toBe("refresh");
      return "yes";
    },
  },
  {
    name: "another issuer in the redirect: refused, no code is used [A03]",
    run: async (desk) => {
      desk.startCounting();
      const auth = desk.credential(desk.provider.clients.public, {}, {
        rewrite: (redirect) => {
          expect(redirect.searchParams.get("iss")).toBe(desk.provider.issuer);
          redirect.searchParams.set("iss", "https://other.example");
        },
      });
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.reason]).toEqual(["callback_invalid", "iss_mismatch"]);
      expect(desk.counted()?.token ?? 0).toBe(0);
    },
  },
  {
    name: "no issuer in the redirect: refused where it is advertised",
    run: async (desk) => {
      const auth = desk.credential(desk.provider.clients.public, {}, {
        rewrite: (redirect) => redirect.searchParams.delete("iss"),
      });
      if (desk.facts.iss === "unadvertised") {
        expect((await auth.getToken()).source).toBe("login");
        return "no: it is sent but not advertised, so its absence proves nothing";
      }
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.reason]).toEqual(["callback_invalid", "iss_missing"]);
      return "yes";
    },
  },
];

const transportChecks: readonly Check[] = [
  {
    name: "any free callback port",
    run: async (desk) => {
      const client = desk.provider.clients.public;
      const auth = desk.credential(client, { callbackPort: 0 });
      if (!desk.facts.exactPort) {
        expect((await auth.getToken()).source).toBe("login");
        return "yes";
      }
      expect((await desk.failure(auth.getToken())).code).toBe("aborted");
      expect([desk.lastVisit?.isBackAtClient, desk.lastVisit?.status]).toEqual([false, 403]);
      return "no: exact port";
    },
  },
  {
    name: "private certificate authority: refused without it",
    impossible: (_facts, scheme) => (scheme === "http" ? "http" : undefined),
    run: async (desk) => {
      const auth = desk.credential(desk.provider.clients.public, { caCertPath: undefined });
      expect((await desk.failure(auth.getToken())).code).toBe("tls");
      expect(desk.events.map(({ type }) => type)).not.toContain("authorizationUrl");
    },
  },
  {
    name: "issuer with a path",
    run: async (desk) => {
      const { pathname } = new URL(desk.provider.issuer);
      await expectSignIn(desk, desk.provider.clients.public);
      return pathname === "/" ? "no: this one is an origin" : `yes: ${pathname}`;
    },
  },
];

const clientChecks: readonly Check[] = [
  {
    name: "secret in the body of the request",
    impossible: ({ secretInBody }) => unlessPossible(secretInBody),
    run: async (desk) => {
      const { confidentialPost: client } = desk.provider.clients;
      if (client === undefined) throw new Error("no such client is registered");
      const undo = desk.provider.listOnlySecretInBody?.();
      try {
        await expectSignIn(desk, client);
        expect((await desk.credential(client).getToken({ forceRefresh: true })).source).toBe("refresh");
      } finally {
        undo?.();
      }
    },
  },
  {
    name: "client credentials; token_type in whichever case",
    impossible: ({ clientCredentialsScopes }) =>
      clientCredentialsScopes === undefined ? "not registered" : undefined,
    run: async (desk) => {
      const { confidential: client } = desk.provider.clients;
      const { clientId, clientSecret } = client;
      const { clientCredentialsScopes = [], tokenType } = desk.facts;
      const make = (): OidcCredentialsAuth =>
        new OidcCredentialsAuth({
          issuer: desk.provider.issuer,
          clientId,
          clientSecret,
          ...(clientCredentialsScopes.length === 0 ? {} : { scopes: clientCredentialsScopes }),
          caCertPath: desk.provider.certificateAuthority?.path,
          store: desk.store,
        });
      const token = await make().getToken();
      expect([token.source, token.tokenType, token.idToken]).toEqual(["login", "Bearer", undefined]);
      expect((await make().getToken()).source).toBe("cache");
      const { tokenEndpoint } = await desk.record();
      const encoded = new URLSearchParams([[clientId, clientSecret]]).toString().replace("=", ":");
      const answer = await new PersonOverHttp(desk.provider.certificateAuthority?.pem).sendForJson({
        url: tokenEndpoint,
        form: { grant_type: "client_credentials", scope: clientCredentialsScopes.join(" ") },
        headers: {
          accept: "application/json",
          authorization: `Basic ${Buffer.from(encoded).toString("base64")}`,
        },
      });
      expect(answer["token_type"]).toBe(tokenType);
      return tokenType === "Bearer" ? "yes" : `yes: ${tokenType}`;
    },
  },
];

export const checks: readonly Check[] = [
  ...signInChecks,
  ...clientChecks,
  ...deviceChecks,
  ...pkceChecks,
  ...refreshChecks,
  ...sessionChecks,
  ...refusalChecks,
  ...transportChecks,
];
