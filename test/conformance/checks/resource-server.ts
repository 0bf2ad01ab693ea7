// What a resource server of `latchkey/server` makes of the tokens of a sign-in. Changes when a mode or a refusal does.
import { expect } from "vitest";
import {
  createResourceServer,
  type Refusal,
  type ResourceServer,
  type ResourceServerEvent,
  type ResourceServerOptions,
  type ValidationMode,
} from "../../../src/server.ts";
import type { Desk } from "../desk.ts";
import { PersonOverHttp } from "../person-over-http.ts";
import type { ProviderFacts } from "../provider-under-test.ts";
import type { Check } from "./check.ts";

const elsewhere = "https://else.example.com";

/** The tokens of one sign-in. */
interface SignedIn {
  readonly subject: string | undefined;
  readonly access: string;
  readonly id: string;
  readonly refresh: string;
}

async function signIn(desk: Desk): Promise<SignedIn> {
  const client = desk.provider.clients[desk.facts.accessTokens.client];
  const { token, claims, idToken = "" } = await desk.credential(client).getToken();
  const { refreshToken = "" } = await desk.record();
  expect([idToken, refreshToken]).not.toContain("");
  return { subject: claims?.sub, access: token, id: idToken, refresh: refreshToken };
}

/** A server in a mode, for the audience that the tokens have. */
function serverOf(
  desk: Desk,
  validationMode: ValidationMode | readonly ValidationMode[],
  options: Partial<ResourceServerOptions> = {},
): ResourceServer {
  const { provider, facts } = desk;
  const { clientId, clientSecret } = provider.clients.confidential;
  const { audience } = facts.accessTokens;
  const isUnbound = audience === undefined || validationMode === "userinfo";
  return createResourceServer({
    issuer: provider.issuer,
    validationMode,
    ...(audience === undefined ? {} : { audience }),
    allowUnboundAudience: isUnbound,
    introspectionClientId: clientId,
    introspectionClientSecret: clientSecret,
    ...(provider.certificateAuthority === undefined
      ? {}
      : { caCertPath: provider.certificateAuthority.path }),
    ...options,
  });
}

/** Why a token is refused; the answer to its sender says no more than RFC 6750 has. */
async function reasonOf(desk: Desk, at: ResourceServer, token: string): Promise<string> {
  const refusal = (await desk.failure(at.verify(token))) as Refusal;
  expect([refusal.code, refusal.status]).toEqual(["invalid_token", 401]);
  return refusal.reason ?? "none";
}

/** Accepted as whom the sign-in was; the other tokens of the same sign-in, and a changed one, are not. */
async function expectAccessTokenAlone(
  desk: Desk,
  at: ResourceServer,
  tokens: SignedIn,
): Promise<void> {
  const identity = await at.verify(tokens.access);
  expect([identity.subject, identity.issuer]).toEqual([tokens.subject, desk.provider.issuer]);
  expect(identity.expiresAt.getTime()).toBeGreaterThan(Date.now());
  for (const other of [tokens.id, tokens.refresh, `${tokens.access.slice(0, -8)}AAAAAAAA`]) {
    await reasonOf(desk, at, other);
  }
}

async function endpointOf(desk: Desk): Promise<string> {
  const { issuer, certificateAuthority } = desk.provider;
  const person = new PersonOverHttp(certificateAuthority?.pem);
  const { text } = await person.send({ url: `${issuer}/.well-known/openid-configuration` });
  return (JSON.parse(text) as { introspection_endpoint: string }).introspection_endpoint;
}

const unlessJwt = ({ accessTokens }: ProviderFacts): string | undefined =>
  accessTokens.form === "jwt" ? undefined : "its access tokens are opaque";

/** The modes of a resource server, each with what it must not accept. */
export const resourceServerChecks: readonly Check[] = [
  {
    name: "server kit, jwt: the access token alone, of this issuer, for this audience",
    impossible: unlessJwt,
    run: async (desk) => {
      const tokens = await signIn(desk);
      await expectAccessTokenAlone(desk, serverOf(desk, "jwt"), tokens);
      const wrongAudience = serverOf(desk, "jwt", {
        audience: elsewhere,
        allowUnboundAudience: false,
      });
      expect(await reasonOf(desk, wrongAudience, tokens.access)).toBe("audience");
      const wrongIssuer = serverOf(desk, "jwt", { issuer: elsewhere });
      expect(await reasonOf(desk, wrongIssuer, tokens.access)).toBe("issuer");
    },
  },
  {
    name: "server kit, introspection: the access token alone, of this issuer, for this audience",
    impossible: ({ accessTokens }) =>
      accessTokens.introspection === "yes" ? undefined : accessTokens.introspection.impossible,
    run: async (desk) => {
      const tokens = await signIn(desk);
      const mode = "introspection";
      await expectAccessTokenAlone(desk, serverOf(desk, mode), tokens);
      const wrongAudience = serverOf(desk, mode, {
        audience: elsewhere,
        allowUnboundAudience: false,
      });
      expect(await reasonOf(desk, wrongAudience, tokens.access)).toBe("audience");
      const introspectionEndpoint = await endpointOf(desk);
      const wrongIssuer = serverOf(desk, mode, { issuer: elsewhere, introspectionEndpoint });
      expect(await reasonOf(desk, wrongIssuer, tokens.access)).toBe("issuer");
    },
  },
  {
    name: "server kit, userinfo: the access token alone",
    impossible: ({ accessTokens }) =>
      accessTokens.userinfo === "yes" ? undefined : accessTokens.userinfo.impossible,
    run: async (desk) => {
      await expectAccessTokenAlone(desk, serverOf(desk, "userinfo"), await signIn(desk));
    },
  },
  {
    name: "server kit, a list of modes: the token's shape picks, and a JWT is never asked about",
    run: async (desk) => {
      const { form, introspection } = desk.facts.accessTokens;
      const tokens = await signIn(desk);
      const events: ResourceServerEvent[] = [];
      const asking = introspection === "yes" ? "introspection" : "userinfo";
      const at = serverOf(desk, ["jwt", asking], {
        allowUnboundAudience: true,
        onEvent: (event) => void events.push(event),
      });
      expect((await at.verify(tokens.access)).subject).toBe(tokens.subject);
      const asked = (): number => events.filter(({ type }) => type === "asked").length;
      expect(asked()).toBe(form === "jwt" ? 0 : 1);
      await reasonOf(desk, at, tokens.id);
      expect(asked()).toBe(form === "jwt" ? 0 : 1);
      return form === "jwt" ? "yes" : "yes: by asking";
    },
  },
];
