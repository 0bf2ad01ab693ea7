// Whom a token has to be asked about, how often that is done, and what is remembered of it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnsweringIssuer, type AnsweringIssuer } from "../../test/support/answering-issuer.ts";
import {
  activeAnswer,
  askingAudience,
  askingServer,
  outageOf,
  reasonOf,
  refusalOf,
  signedAccessToken,
} from "../../test/support/asking-server.ts";
import { signingKey } from "../../test/support/token-issuer.ts";
import { json } from "../testing/http-server.ts";
import type { ResourceServer, ResourceServerOptions } from "./resource-server-types.ts";
import { createResourceServer } from "./resource-server.ts";

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
const userinfo = { ...open, validationMode: "userinfo" } as const;

function jwt(more: Members = {}): string {
  return signedAccessToken(key, issuer, more);
}

describe("several modes, several issuers", () => {
  const both = { validationMode: ["jwt", "introspection"] } as const;

  test("the shape picks: a JWT is verified here, anything else is asked about", async () => {
    const at = make(both);
    expect((await at.verify(jwt())).subject).toBe("alice");
    expect(issuer.asked).toEqual([]);
    for (const token of ["opaque", "a.b", "a.b.c", "a.b.c.d.e"]) await at.verify(token);
    expect(issuer.asked.map(({ form }) => form.get("token"))).toEqual([
      "opaque",
      "a.b",
      "a.b.c",
      "a.b.c.d.e",
    ]);
  });

  test("a JWT that fails is never tried another way", async () => {
    const at = make(both);
    const [header = "", payload = ""] = jwt().split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const tokens = [
      `${header}.${payload}.AAAA`,
      `${header}.e30.AAAA`,
      `${none}.${payload}.`,
      `${Buffer.from(' {"alg":').toString("base64url")}.${payload}.AAAA`,
      jwt({ exp: 1 }),
      jwt({ iss: "https://else.example.com" }),
      jwt({ aud: "https://else.example.com" }),
    ];
    for (const token of tokens) await reasonOf(at, token);
    expect(issuer.asked).toEqual([]);
  });

  test("[K04] a JWT goes to the issuer that it names, an opaque token to the one that is asked about them", async () => {
    issuer.answer(() => json(200, { sub: "alice" }));
    const at = createResourceServer({
      audience,
      issuers: [
        { issuer: issuer.issuer, ...userinfo },
        { issuer: other.issuer, validationMode: "jwt" },
      ],
    });
    expect((await at.verify("opaque")).issuer).toBe(issuer.issuer);
    expect((await at.verify(jwt({ iss: other.issuer }))).issuer).toBe(other.issuer);
    expect((await at.verify(jwt())).issuer).toBe(issuer.issuer);
    expect(await reasonOf(at, jwt({ iss: "https://else.example.com" }))).toBe("issuer");
    expect(issuer.asked).toHaveLength(2);
    expect(other.asked).toEqual([]);
  });

  test("an opaque token is never sent from one issuer to the next", () => {
    const issuers = [{ issuer: issuer.issuer }, { issuer: other.issuer }];
    expect(() =>
      createResourceServer({
        audience,
        validationMode: "introspection",
        introspectionClientId: "api",
        issuers,
      }),
    ).toThrow(/one issuer to ask/);
  });

  test("OpenShift's tokens are told by their beginning", async () => {
    const at = createResourceServer({
      allowUnboundAudience: true,
      introspectionClientId: "api",
      issuers: [
        {
          issuer: issuer.issuer,
          validationMode: "openshift_userapi",
          openshiftUserApiUri: issuer.issuer,
        },
        { issuer: other.issuer, validationMode: "introspection" },
      ],
    });
    issuer.answer(() => json(200, { kind: "User", metadata: { name: "developer" } }));
    expect((await at.verify("sha256~abc")).issuer).toBe(issuer.issuer);
    expect(await reasonOf(at)).toBe("inactive");
    expect([issuer.asked.length, other.asked.length]).toEqual([1, 1]);
  });

  test.each([
    ["an unknown mode in a list", { validationMode: ["jwt", "trust"] }],
    ["a mode twice", { validationMode: ["jwt", "jwt"] }],
    ["no mode", { validationMode: [] }],
    ["introspection without a client", { introspectionClientId: undefined }],
    ["a lifetime of an hour", { answerLifetimeSeconds: 3600 }],
    ["an endpoint without TLS", { introspectionEndpoint: "http://id.example.com/x" }],
    ["two modes for the same tokens", { ...open, validationMode: ["introspection", "userinfo"] }],
  ] as const)("%s is invalid_option", (_name, options) => {
    expect(() => make(options as object)).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
  });
});

describe("what is remembered", () => {
  test("1,000 requests at once with one new token are one question", async () => {
    const at = make();
    const identities = await Promise.all(Array.from({ length: 1000 }, () => at.verify("opaque")));
    expect(new Set(identities.map(({ subject }) => subject))).toEqual(new Set(["alice"]));
    expect(issuer.asked).toHaveLength(1);
    expect(Object.isFrozen(identities[0]?.claims)).toBe(true);
  });

  test("100 new tokens at once are asked about 64 at a time", async () => {
    let running = 0;
    let most = 0;
    const arrivals = new Promise<void>((resolve) => {
      issuer.answer(async () => {
        running += 1;
        most = Math.max(most, running);
        if (running === 64) resolve();
        await arrivals;
        running -= 1;
        return json(200, { active: false });
      });
    });
    const at = make();
    const tokens = Array.from({ length: 100 }, (_, index) => `t${String(index)}`);
    await Promise.all(tokens.map((token) => refusalOf(at.verify(token))));
    expect(most).toBe(64);
  });

  test("[K11] an answer serves again, a refusal briefly, an outage never", async () => {
    const at = make();
    await at.verify("opaque");
    await at.verify("opaque");
    expect(issuer.asked).toHaveLength(1);
    issuer.answer(() => json(200, { active: false }));
    expect(await reasonOf(at, "second")).toBe("inactive");
    expect(await reasonOf(at, "second")).toBe("inactive");
    expect(issuer.asked).toHaveLength(2);
    issuer.answer(() => json(500, {}));
    await outageOf(at, "third");
    await outageOf(at, "third");
    expect(issuer.asked).toHaveLength(4);
    // What was accepted goes on for its time.
    expect((await at.verify("opaque")).subject).toBe("alice");
  });

  test("[K11] nothing serves again where that is set, and the same token at once is one question still", async () => {
    const at = make({ answerLifetimeSeconds: 0 });
    await Promise.all([at.verify("opaque"), at.verify("opaque")]);
    await at.verify("opaque");
    expect(issuer.asked).toHaveLength(2);
  });

  test("what a request demands is judged for each, whatever is remembered", async () => {
    const at = make();
    await at.verify("opaque", { requiredScopes: ["read"] });
    expect((await refusalOf(at.verify("opaque", { requiredScopes: ["write"] }))).status).toBe(403);
    expect((await refusalOf(at.verify("opaque", { acrValues: ["gold"] }))).reason).toBe("step_up");
    expect(issuer.asked).toHaveLength(1);
  });
});

describe("events and health", () => {
  test("events tell of questions, without tokens", async () => {
    const events: unknown[] = [];
    const at = make({ onEvent: (event) => void events.push(event) });
    await at.verify("opaque-token");
    await at.verify("opaque-token");
    issuer.answer(() => json(500, {}));
    await outageOf(at, "another-token");
    const mode = "introspection";
    expect(events).toMatchObject([
      { type: "asked", issuer: issuer.issuer, mode, outcome: "accepted" },
      { type: "verified", remembered: false },
      { type: "verified", remembered: true },
      { type: "asked", mode, outcome: "failed" },
      { type: "refused", code: "provider_unavailable" },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/opaque-token|another-token|alice/);
  });

  test("health: keys can be had and questions are answered; asked about what is made up, at most once in a while", async () => {
    const at = make({ validationMode: ["jwt", "introspection"] });
    const checks = [
      { issuer: issuer.issuer, mode: "jwt", ok: true },
      { issuer: issuer.issuer, mode: "introspection", ok: true },
    ];
    issuer.answer(() => json(200, { active: false }));
    expect(await at.health()).toMatchObject({ ok: true, checks });
    expect(await at.health()).toMatchObject({ ok: true });
    expect(issuer.asked).toHaveLength(1);
  });

  test("health: an outage is told, and does not reject", async () => {
    issuer.answer(() => json(500, {}));
    const failing = await make().health();
    expect(failing).toMatchObject({ ok: false, checks: [{ mode: "introspection", ok: false }] });
    expect(failing.checks[0]?.code).toBeTypeOf("string");
    const at = make({ validationMode: "jwt", jwksUri: `${issuer.issuer}/nothing` });
    const keys = { ok: false, code: "discovery_failed", reason: "jwks_unusable" };
    expect(await at.health()).toMatchObject({ ok: false, checks: [keys] });
  });
});
