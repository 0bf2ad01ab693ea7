// The mode `introspection`: which answers are a yes, and how the provider is asked (RFC 7662).
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnsweringIssuer, type AnsweringIssuer } from "../../test/support/answering-issuer.ts";
import {
  activeAnswer,
  askingAudience,
  askingServer,
  nowSeconds,
  outageOf,
  reasonOf,
  signedAccessToken,
} from "../../test/support/asking-server.ts";
import { signingKey } from "../../test/support/token-issuer.ts";
import { json } from "../testing/http-server.ts";
import type { ResourceServer, ResourceServerOptions } from "./resource-server-types.ts";

const audience = askingAudience;
const key = signingKey("one");

let issuer: AnsweringIssuer;
let other: AnsweringIssuer;
beforeAll(async () => {
  issuer = await startAnsweringIssuer(() => json(200, active()), key.jwk);
  other = await startAnsweringIssuer(() => json(200, { active: false }), key.jwk);
});
afterAll(async () => {
  await issuer.close();
  await other.close();
});
beforeEach(() => {
  issuer.answer(() => json(200, active()));
  issuer.describe({});
  issuer.asked.length = 0;
  other.asked.length = 0;
});

type Members = Readonly<Record<string, unknown>>;
function active(more: Members = {}): Members {
  return activeAnswer(issuer, more);
}

function make(options: Partial<ResourceServerOptions> = {}): ResourceServer {
  return askingServer(issuer, options);
}
const open = { allowUnboundAudience: true } as const;

function jwt(more: Members = {}): string {
  return signedAccessToken(key, issuer, more);
}

describe("introspection", () => {
  test("an active token: the identity is what the answer says", async () => {
    const exp = nowSeconds() + 99;
    issuer.answer(() => json(200, active({ exp, roles: ["a"], name: "Alice" })));
    const at = make({ usernameClaim: "name", groupsClaim: "roles" });
    expect(await at.verify("opaque")).toMatchObject({
      subject: "alice",
      username: "Alice",
      groups: ["a"],
      scopes: ["read", "openid"],
      issuer: issuer.issuer,
      expiresAt: new Date(exp * 1000),
    });
    const [question] = issuer.asked;
    expect([question?.method, question?.path]).toEqual(["POST", "/introspect"]);
    expect(Object.fromEntries(question?.form ?? [])).toEqual({
      token: "opaque",
      token_type_hint: "access_token",
    });
    expect(question?.headers["authorization"]).toBe(`Basic ${btoa("api:s3cret")}`);
  });

  test("the secret goes into the form where the metadata says so", async () => {
    issuer.describe({ introspection_endpoint_auth_methods_supported: ["client_secret_post"] });
    await make().verify("opaque");
    const [question] = issuer.asked;
    expect(question?.headers["authorization"]).toBeUndefined();
    expect(question?.form.get("client_secret")).toBe("s3cret");
  });

  test("an endpoint that wants the secret elsewhere gets it there, and from then on at once", async () => {
    issuer.answer(({ form }) =>
      form.has("client_secret") ? json(200, active()) : json(401, { error: "invalid_client" }),
    );
    const at = make();
    await at.verify("one");
    await at.verify("two");
    expect(issuer.asked.map(({ form }) => form.has("client_secret"))).toEqual([false, true, true]);
  });

  test.each([
    ["K10", "not active", { active: false }, "inactive"],
    ["K10", "active as a text", { active: "true" }, "inactive"],
    ["K10", "active missing", { active: undefined }, "inactive"],
    ["K10", "another issuer", { iss: "https://else.example.com" }, "issuer"],
    ["K10", "over", { exp: 1 }, "time"],
    ["K10", "an end that is no number", { exp: "9999999999" }, "time"],
    ["K10", "an end that no date holds", { exp: 8.65e12 }, "time"],
    ["K10", "not yet valid", { nbf: 9_999_999_999 }, "time"],
    ["K10", "from the future", { iat: 9_999_999_999 }, "time"],
    [
      "K10",
      "a refresh token by token_type",
      { token_type: "refresh_token" },
      "not_an_access_token",
    ],
    ["K10", "a token_type that is no text", { token_type: 7 }, "not_an_access_token"],
    ["K10", "a refresh token by typ", { typ: "Refresh" }, "not_an_access_token"],
    ["K10", "an ID token by token_use", { token_use: "id" }, "not_an_access_token"],
    ["K02", "another audience", { aud: "https://else.example.com" }, "audience"],
    ["K02", "no audience", { aud: undefined }, "audience"],
    ["K02", "an audience that is no text", { aud: [audience, 7] }, "audience"],
    ["K19", "bound to a key", { cnf: { jkt: "x" } }, "key_bound"],
    ["K19", "bound, and not to what", { token_type: "DPoP" }, "key_bound"],
    ["K20", "no subject", { sub: undefined }, "subject"],
    ["K20", "an empty subject", { sub: "" }, "subject"],
    ["K20", "scopes that are no text", { scope: 7 }, "scope"],
  ] as const)("[%s] refused: %s", async (_id, _name, more, reason) => {
    issuer.answer(() => json(200, active(more)));
    expect(await reasonOf(make())).toBe(reason);
  });

  test("[K02] without an audience in the answer it is unbound, which has to be asked for", async () => {
    issuer.answer(() => json(200, active({ aud: undefined })));
    expect((await make(open).verify("opaque")).subject).toBe("alice");
    issuer.answer(() => json(200, active({ aud: "https://else.example.com" })));
    expect(await reasonOf(make(open))).toBe("audience");
  });

  test("[K05] a token that nothing marks as one for a server is refused, unless that is asked for", async () => {
    // What oidc-provider says of a refresh token.
    issuer.answer(() => json(200, active({ aud: undefined, token_type: undefined })));
    expect(await reasonOf(make(open))).toBe("not_an_access_token");
    const lax = make({ ...open, acceptUnmarkedTokens: true });
    expect((await lax.verify("opaque")).subject).toBe("alice");
    for (const mark of [{ typ: "Bearer" }, { token_use: "access" }, { aud: audience }]) {
      const usual = { aud: undefined, token_type: undefined };
      issuer.answer(() => json(200, active({ ...usual, ...mark })));
      expect((await make(open).verify("opaque")).subject).toBe("alice");
    }
  });

  test("a kind of token that the endpoint is not for is refused, and no outage", async () => {
    issuer.answer(() => json(400, { error: "unsupported_token_type" }));
    expect(await reasonOf(make())).toBe("inactive");
    issuer.answer(() => json(400, { error: "invalid_request" }));
    await outageOf(make());
    issuer.answer(() => json(500, { error: "unsupported_token_type" }));
    await outageOf(make());
  });

  test("an answer without an end counts until the provider is asked again", async () => {
    issuer.answer(() => json(200, active({ exp: undefined })));
    const { expiresAt } = await make({ answerLifetimeSeconds: 20 }).verify("opaque");
    const seconds = expiresAt.getTime() / 1000 - nowSeconds();
    expect(seconds).toBeGreaterThan(18);
    expect(seconds).toBeLessThan(22);
  });

  test.each([
    ["5xx", () => json(500, { active: true })],
    ["a web page", () => ({ status: 200, body: "<html>sign in</html>" })],
    ["a list", () => ({ status: 200, body: "[true]" })],
    ["no body", () => ({ status: 204 })],
    ["a broken connection", () => "reset" as const],
    ["more than a mebibyte", () => json(200, { ...active(), pad: "x".repeat(1024 * 1024) })],
    ["a refusal with status 200", () => json(200, { ...active(), error: "server_error" })],
  ])("[K10] %s is the provider's outage, and never a yes", async (_name, answer) => {
    issuer.answer(answer);
    expect((await outageOf(make())).cause).toBeDefined();
  });

  test("[K10] a server that is not let in says so to its own log alone", async () => {
    issuer.answer(() => json(401, { error: "invalid_client" }));
    const { cause, message } = await outageOf(make());
    expect(cause).toMatchObject({ code: "token_request_failed", reason: "invalid_client" });
    expect(String(cause)).toContain("introspectionClientId");
    expect(`${message} ${String(cause)}`).not.toContain("s3cret");
  });

  test("a provider that asks to wait is left alone for as long", async () => {
    issuer.answer(() => ({ status: 429, headers: { "retry-after": "17" } }));
    expect((await outageOf(make())).retryAfterSeconds).toBe(17);
  });

  test("[K12] a redirect is not followed, and the secret goes nowhere else", async () => {
    const location = `${other.issuer}/introspect`;
    issuer.answer(() => ({ status: 307, headers: { location } }));
    expect((await outageOf(make())).cause).toMatchObject({ code: "redirect_refused" });
    expect(other.asked).toEqual([]);
  });

  test("[K12] an endpoint that the document names without TLS gets no token", async () => {
    issuer.describe({ introspection_endpoint: "http://id.example.com/introspect" });
    const { cause } = await outageOf(make());
    expect(cause).toMatchObject({ code: "endpoint_invalid", reason: "introspection_endpoint" });
    expect(issuer.asked).toEqual([]);
  });

  test("[K16] what cannot be a token is refused without a question", async () => {
    const at = make();
    expect(await reasonOf(at, "")).toBe("token_missing");
    for (const token of ["a b", 'a"b', "a\r\nX-Evil: 1", "ä"]) {
      expect(await reasonOf(at, token)).toBe("malformed");
    }
    expect(await reasonOf(at, "x".repeat(64 * 1024 + 1))).toBe("too_large");
    expect(issuer.asked).toEqual([]);
  });

  test("[K03] a JWT of somebody else is not sent to this issuer", async () => {
    expect(await reasonOf(make(), jwt({ iss: "https://else.example.com" }))).toBe("issuer");
    expect(issuer.asked).toEqual([]);
    expect((await make().verify(jwt())).subject).toBe("alice");
    expect(issuer.asked).toHaveLength(1);
  });
});
