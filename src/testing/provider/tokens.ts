// What the test provider answers to requests for tokens and about them. Changes when a grant type does.

import { json, type ServerAnswer, type ServerRequest } from "../http-server.ts";
import { isProven } from "../proof-key.ts";
import { refusedClient, type TestClient } from "./client-secret.ts";
import { randomText, type Grant, type Grants } from "./grants.ts";
import type { TestProviderOptions } from "./provider-types.ts";
import type { SigningKey } from "./signing-key.ts";

/** What these endpoints know of the provider at the time of a request. */
export interface TokenFacts extends TestClient {
  readonly issuer: string;
  readonly grants: Grants;
  readonly key: SigningKey;
  readonly lifetimeSeconds: number;
  readonly refreshTokens: NonNullable<TestProviderOptions["refreshTokens"]>;
  readonly audience: string | undefined;
}

/** A grant that counts, for these scopes; or the word of the refusal (RFC 6749 section 5.2). */
type Decision = { readonly grant: Grant; readonly scopes: readonly string[] } | string;

const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code";

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function decideCode(form: URLSearchParams, { grants }: TokenFacts): Decision {
  const found = grants.codes.get(form.get("code") ?? "");
  if (found === undefined) return "invalid_grant";
  if (found.isUsed) {
    // "SHOULD revoke (when possible) all tokens previously issued based on that authorization code" (section 4.1.2).
    found.grant.isEnded = true;
    return "invalid_grant";
  }
  if (found.redirectUri !== form.get("redirect_uri")) return "invalid_grant";
  if (!isProven(found.challenge, form.get("code_verifier"))) return "invalid_grant";
  found.isUsed = true;
  return { grant: found.grant, scopes: found.grant.scopes };
}

function decideDevice(form: URLSearchParams, { grants }: TokenFacts): Decision {
  const deviceCode = form.get("device_code") ?? "";
  const found = grants.devices.get(deviceCode);
  if (found === undefined) return "invalid_grant";
  if (!isProven(found.challenge, form.get("code_verifier"))) return "invalid_grant";
  if (found.answer === "pending") return "authorization_pending";
  grants.devices.delete(deviceCode);
  if (found.answer === "refused") return "access_denied";
  return { grant: found.answer, scopes: found.answer.scopes };
}

function decideRefresh(form: URLSearchParams, { grants, refreshTokens }: TokenFacts): Decision {
  const found = grants.refreshTokens.get(form.get("refresh_token") ?? "");
  if (found === undefined || found.grant.isEnded) return "invalid_grant";
  if (found.isUsed) {
    found.grant.isEnded = true;
    return "invalid_grant";
  }
  const asked = form.get("scope")?.split(" ") ?? found.grant.scopes;
  if (!asked.every((scope) => found.grant.scopes.includes(scope))) return "invalid_scope";
  if (refreshTokens === "rotating") found.isUsed = true;
  return { grant: found.grant, scopes: asked };
}

function decideClient(form: URLSearchParams, { clientSecret }: TokenFacts): Decision {
  if (clientSecret === undefined) return "unauthorized_client";
  const scopes = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const grant: Grant = {
    person: undefined,
    scopes,
    resources: form.getAll("resource"),
    audience: form.get("audience") ?? undefined,
    nonce: undefined,
    acr: undefined,
    signedInAt: nowInSeconds(),
    isEnded: false,
  };
  return { grant, scopes };
}

function decide(form: URLSearchParams, facts: TokenFacts): Decision {
  switch (form.get("grant_type")) {
    case "authorization_code":
      return decideCode(form, facts);
    case deviceGrantType:
      return decideDevice(form, facts);
    case "refresh_token":
      return decideRefresh(form, facts);
    case "client_credentials":
      return decideClient(form, facts);
    default:
      return "unsupported_grant_type";
  }
}

function makeAccessToken(
  { grant, scopes }: Exclude<Decision, string>,
  resources: readonly string[],
  facts: TokenFacts,
): string {
  const { issuer, clientId, grants, key, lifetimeSeconds } = facts;
  const issuedAt = nowInSeconds();
  const expiresAt = issuedAt + lifetimeSeconds;
  const audience = resources.length > 0 ? resources : (grant.audience ?? facts.audience);
  const token =
    facts.audience === undefined
      ? randomText()
      : key.signed(
          {
            iss: issuer,
            sub: grant.person?.subject ?? clientId,
            aud: audience,
            client_id: clientId,
            scope: scopes.join(" "),
            iat: issuedAt,
            exp: expiresAt,
            jti: randomText(),
          },
          "at+jwt",
        );
  grants.accessTokens.set(token, { grant, scopes, expiresAt });
  return token;
}

function makeIdToken(grant: Grant, facts: TokenFacts): string {
  const issuedAt = nowInSeconds();
  const { issuer, clientId, key, lifetimeSeconds } = facts;
  return key.signed(
    {
      ...grant.person?.claims,
      iss: issuer,
      sub: grant.person?.subject,
      aud: clientId,
      iat: issuedAt,
      exp: issuedAt + lifetimeSeconds,
      auth_time: grant.signedInAt,
      ...(grant.nonce === undefined ? {} : { nonce: grant.nonce }),
      ...(grant.acr === undefined ? {} : { acr: grant.acr }),
    },
    "JWT",
  );
}

/** Answers a token request. */
export function answerToken(request: ServerRequest, facts: TokenFacts): ServerAnswer {
  const refused = refusedClient(request, facts);
  if (refused !== undefined) return refused;
  const decision = decide(request.form, facts);
  if (typeof decision === "string") return json(400, { error: decision });
  const { grant, scopes } = decision;
  const named = request.form.getAll("resource");
  const accessToken = makeAccessToken(decision, named.length > 0 ? named : grant.resources, facts);
  const answer: Record<string, unknown> = {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: facts.lifetimeSeconds,
    scope: scopes.join(" "),
  };
  if (grant.person !== undefined) {
    if (grant.scopes.includes("openid")) answer["id_token"] = makeIdToken(grant, facts);
    const isRefresh = request.form.get("grant_type") === "refresh_token";
    if (facts.refreshTokens === "rotating" || (facts.refreshTokens === "lasting" && !isRefresh)) {
      const refreshToken = randomText();
      facts.grants.refreshTokens.set(refreshToken, { grant, isUsed: false });
      answer["refresh_token"] = refreshToken;
    }
  }
  return json(200, answer);
}

/** Answers a userinfo request (OpenID Connect Core section 5.3). */
export function answerUserInfo({ headers }: ServerRequest, { grants }: TokenFacts): ServerAnswer {
  const token = /^bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1];
  const person = grants.accessToken(token ?? "")?.grant.person;
  if (person === undefined) {
    return { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } };
  }
  return json(200, { ...person.claims, sub: person.subject });
}

/** Answers an introspection request (RFC 7662 section 2). */
export function answerIntrospection(request: ServerRequest, facts: TokenFacts): ServerAnswer {
  const refused = refusedClient(request, facts);
  if (refused !== undefined) return refused;
  const found = facts.grants.accessToken(request.form.get("token") ?? "");
  if (found === undefined) return json(200, { active: false });
  const { grant, scopes, expiresAt } = found;
  const { resources } = grant;
  const audience = resources.length > 0 ? resources : (grant.audience ?? facts.audience);
  return json(200, {
    active: true,
    token_type: "Bearer",
    iss: facts.issuer,
    sub: grant.person?.subject ?? facts.clientId,
    client_id: facts.clientId,
    scope: scopes.join(" "),
    exp: expiresAt,
    ...(audience === undefined ? {} : { aud: audience }),
  });
}

/** Answers a revocation request (RFC 7009 section 2.1). */
export function answerRevocation(request: ServerRequest, facts: TokenFacts): ServerAnswer {
  const refused = refusedClient(request, facts);
  if (refused !== undefined) return refused;
  facts.grants.revoke(request.form.get("token") ?? "");
  return { status: 200 };
}
