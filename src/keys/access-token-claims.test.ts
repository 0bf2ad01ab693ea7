// What an access token has to say, claim by claim. The tokens that are made of it are judged in `latchkey/server`.
import { describe, expect, test } from "vitest";
import { accessTokenProblem } from "./access-token-claims.ts";

const now = 1_800_000_000;
const expected = {
  issuer: "https://id.example.com",
  audiences: ["a", "b"],
  acceptsUnmarked: false,
  clockToleranceSeconds: 60,
};
type Members = Readonly<Record<string, unknown>>;
const good: Members = { iss: expected.issuer, aud: "a", sub: "alice", exp: now + 60, iat: now };

function problemOf(claims: Members, typ: unknown = "at+jwt", more: object = {}): unknown {
  return accessTokenProblem({ typ }, { ...good, ...claims }, { ...expected, ...more }, now);
}

const unnamed = (object: Members): readonly [string, Members][] =>
  Object.entries(object).map(([name, value]) => [
    `${name} ${JSON.stringify(value) ?? "undefined"}`,
    { [name]: value },
  ]);

describe("issuer [K03]", () => {
  test.each([
    undefined,
    null,
    [expected.issuer],
    "https://id.example.com/",
    "HTTPS://id.example.com",
  ])("%j is another one", (iss) => expect(problemOf({ iss })).toBe("issuer"));
});

describe("audience [K02]", () => {
  test.each(["a", "b", ["x", "b"], ["a"]])("%j", (aud) =>
    expect(problemOf({ aud })).toBeUndefined(),
  );
  test.each([undefined, null, "", "A", "a b", [], ["x"], [["a"]], { a: 1 }, ["a", 1]])(
    "%j is not for this server",
    (aud) => expect(problemOf({ aud })).toBe("audience"),
  );
  test("any will do where that is asked for", () => {
    expect(problemOf({ aud: undefined }, "at+jwt", { audiences: [] })).toBeUndefined();
  });
});

describe("times [K06]", () => {
  test.each([
    ["exp within the tolerance", { exp: now - 59 }],
    ["exp as a part of a second", { exp: now + 0.5 }],
    ["the last instant", { exp: 8.64e12 }],
    ["nbf and iat within the tolerance", { nbf: now + 60, iat: now + 60 }],
    ["neither nbf nor iat", { nbf: undefined, iat: undefined }],
  ])("%s", (_name, claims) => expect(problemOf(claims)).toBeUndefined());

  test.each([
    ...[undefined, null, String(now + 60), [now + 60], true, Number.NaN].map((exp) => ({ exp })),
    ...[now - 60, 0, -1, 8.64e12 + 1, Number.POSITIVE_INFINITY].map((exp) => ({ exp })),
    ...[null, "1", -1, now + 61, 9e12, Number.NaN].map((nbf) => ({ nbf })),
    ...[null, "1", -1, now + 61, 9e12, Number.NaN].map((iat) => ({ iat })),
  ])("%o", (claims) => expect(problemOf(claims)).toBe("time"));
});

describe("subject [K20]", () => {
  test.each([undefined, null, "", 7, ["alice"], "a".repeat(256)])("%j is nobody", (sub) =>
    expect(problemOf({ sub })).toBe("subject"),
  );
  test("of 255 characters", () => expect(problemOf({ sub: "a".repeat(255) })).toBeUndefined());
});

describe("kind [K05]", () => {
  test.each(["at+jwt", "AT+JWT", "application/at+jwt"])("%s needs no mark", (typ) =>
    expect(problemOf({}, typ)).toBeUndefined(),
  );
  test.each([
    "id+jwt",
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "at",
    "jwt+at",
    "",
    "token-introspection+jwt",
    null,
    7,
    ["at+jwt"],
    "at+jwt ",
    "application/application/at+jwt",
  ])("typ %j", (typ) => expect(problemOf({ scope: "read" }, typ)).toBe("typ"));

  const marks = {
    scope: "read",
    scp: ["read"],
    client_id: "cli",
    cid: "cli",
    token_use: "access",
    typ: "Bearer",
  };
  describe.each(["JWT", "application/jwt", undefined])("typ %s", (typ) => {
    test.each(unnamed(marks))("with the mark %s", (_name, mark) =>
      expect(problemOf(mark, typ ?? undefined, {})).toBeUndefined(),
    );
    test("without a mark, but where that is asked for", () => {
      expect(accessTokenProblem(typ === undefined ? {} : { typ }, good, expected, now)).toBe(
        "not_an_access_token",
      );
      const lax = { ...expected, acceptsUnmarked: true };
      expect(accessTokenProblem(typ === undefined ? {} : { typ }, good, lax, now)).toBeUndefined();
    });
    test.each([
      ...unnamed({ nonce: "n", at_hash: "h", c_hash: "h", s_hash: "h", events: {} }),
      ...["ID", "Refresh", "Offline", "Logout"].flatMap((kind) => unnamed({ typ: kind })),
      ...["id", "refresh"].flatMap((kind) => unnamed({ token_use: kind })),
    ])("%s tells of another kind, whatever the marks", (_name, claim) => {
      const header = typ === undefined ? {} : { typ };
      for (const acceptsUnmarked of [true, false]) {
        const rules = { ...expected, acceptsUnmarked };
        const claims = { ...good, scope: "read", client_id: "cli", ...claim };
        expect(accessTokenProblem(header, claims, rules, now)).toBe("not_an_access_token");
      }
    });
  });
});
