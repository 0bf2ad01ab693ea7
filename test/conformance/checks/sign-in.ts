// Ways to sign in, by every kind of client. Changes when there is another one.
import { expect } from "vitest";
import { OidcCredentialsAuth } from "../../../src/index.ts";
import type { Desk } from "../desk.ts";
import { PersonOverHttp } from "../person-over-http.ts";
import type { ClientKind, TestClient } from "../provider-under-test.ts";
import { expectSignIn, kinds, uncounted, unlessPossible } from "./check.ts";
import type { Check } from "./check.ts";

/** The next start of the program has the token without any request. */
async function expectWarmStart(desk: Desk, client: TestClient): Promise<void> {
  desk.startCounting();
  const warm = await desk.credential(client).getToken();
  expect(warm.source).toBe("cache");
  expect(desk.counted()?.total ?? 0).toBe(0);
}

function signInCheck(kind: ClientKind): Check {
  return {
    name: `code flow, ${kind} client, 3 requests; warm start, none`,
    run: async (desk) => {
      const client = desk.provider.clients[kind];
      desk.startCounting();
      await expectSignIn(desk, client);
      const count = desk.counted();
      await expectWarmStart(desk, client);
      if (count === undefined) return uncounted;
      // Where the ID token names nobody, userinfo is asked once [F-U7].
      const { userinfo } = count;
      expect(userinfo).toBeLessThanOrEqual(1);
      expect(count).toMatchObject({ discovery: 1, jwks: 1, token: 1, total: 3 + userinfo });
      return userinfo === 0 ? "yes" : "yes: and userinfo, for the name";
    },
  };
}

function deviceCheck(kind: ClientKind): Check {
  return {
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
  };
}

function pkceCheck(kind: ClientKind): Check {
  return {
    name: `PKCE off, ${kind} client`,
    run: async (desk) => {
      const { [kind]: client, confidentialWithoutPkce = client } = desk.provider.clients;
      if (!desk.facts.needsPkce.includes(kind)) {
        await expectSignIn(desk, kind === "public" ? client : confidentialWithoutPkce, {
          pkce: false,
        });
        return "yes";
      }
      const error = await desk.failure(desk.credential(client, { pkce: false }).getToken());
      expect([error.code, error.reason]).toEqual(["authorization_failed", "invalid_request"]);
      return `no: ${kind} clients need PKCE; refused with invalid_request`;
    },
  };
}

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
        expect((await desk.credential(client).getToken({ forceRefresh: true })).source).toBe(
          "refresh",
        );
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
      expect([token.source, token.tokenType, token.idToken]).toEqual([
        "login",
        "Bearer",
        undefined,
      ]);
      expect((await make().getToken()).source).toBe("cache");
      const { tokenEndpoint } = await desk.record();
      const scope = clientCredentialsScopes.join(" ");
      const encoded = new URLSearchParams([[clientId, clientSecret]]).toString().replace("=", ":");
      const answer = await new PersonOverHttp(desk.provider.certificateAuthority?.pem).sendForJson({
        url: tokenEndpoint,
        form: { grant_type: "client_credentials", ...(scope === "" ? {} : { scope }) },
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

export const signInChecks: readonly Check[] = [
  ...kinds.map(signInCheck),
  ...clientChecks,
  ...kinds.map(deviceCheck),
  ...kinds.map(pkceCheck),
  ...transportChecks,
];
