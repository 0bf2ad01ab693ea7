// Changes when the record's fields do.
import { describe, expect, test } from "vitest";

import type { SessionRecord } from "./format.ts";
import { recordKey } from "./key.ts";
import { formatCacheFile, parseCacheFile, parseRecord } from "./parse.ts";

const key = recordKey({
  kind: "interactive",
  options: { issuer: "https://id.example.com", clientId: "cli" },
});

const smallest: SessionRecord = {
  key,
  version: "ab12.1",
  issuer: "https://id.example.com",
  clientId: "cli",
  tokenEndpoint: "https://id.example.com/token",
  authenticationMethod: "none",
  accessToken: null,
  signedInAt: 1_700_000_000_000,
  renewedAt: 1_700_000_000_000,
};

const whole: SessionRecord = {
  ...smallest,
  userinfoEndpoint: "https://id.example.com/userinfo",
  revocationEndpoint: "https://id.example.com/revoke",
  endSessionEndpoint: "https://id.example.com/logout",
  accessToken: {
    token: "the-access-token",
    tokenType: "Bearer",
    scopes: ["openid"],
    issuedAt: 1_700_000_000,
    expiresAt: 1_700_003_600,
  },
  refreshToken: "the-refresh-token",
  idToken: "a.b.c",
  subject: "alice",
  displayName: "Alice Müller",
  otherAccessTokens: [
    {
      token: "the-other-token",
      tokenType: "Bearer",
      scopes: ["read"],
      issuedAt: 1_700_000_000,
      expiresAt: null,
      wanted: { scopes: ["read"], resources: null },
    },
  ],
  renewedOn: "host-1",
  intent: { nonce: "n", host: "host-1", at: 1_700_000_000_000 },
  ended: "refresh_refused",
  unansweredPrompts: [1_700_000_000_000],
};

type Fields = Record<string, unknown>;
const withoutEnd = { ...whole.accessToken, expiresAt: null };

describe("a record", () => {
  test.each([
    ["with every field", whole],
    ["with the fewest fields", smallest],
    ["that only counts prompts", { ...smallest, tokenEndpoint: "", signedInAt: 0 }],
    ["whose token has no known end", { ...whole, accessToken: withoutEnd }],
  ])("%s comes back as it was written", (_name, record) => {
    expect(parseCacheFile(formatCacheFile([record as SessionRecord]), parseRecord)).toEqual({
      state: "records",
      records: [record],
      damaged: [],
    });
  });

  const required = Object.keys(smallest);
  test.each(required)("without %s is damaged [C08]", (name) => {
    const { [name]: _left, ...rest } = whole as unknown as Record<string, unknown>;
    expect(parseRecord(rest)).toBeUndefined();
  });

  test.each(["token", "tokenType", "scopes", "issuedAt", "expiresAt"])(
    "whose access token has no %s is damaged [C08]",
    (name) => {
      const { [name]: _left, ...rest } = whole.accessToken as unknown as Record<string, unknown>;
      expect(parseRecord({ ...whole, accessToken: rest })).toBeUndefined();
    },
  );

  const wrongValues: unknown[] = [
    {},
    [],
    7,
    true,
    { toString: "x" },
    "line\nbreak",
    "nul\0",
    "\u007f",
  ];
  test.each(Object.keys(whole))("whose %s is of another kind is damaged [C08]", (name) => {
    for (const value of wrongValues) {
      if (typeof value === "number" && name.endsWith("At")) continue;
      if (Array.isArray(value) && Array.isArray((whole as unknown as Fields)[name])) continue;
      expect([value, parseRecord({ ...whole, [name]: value })]).toEqual([value, undefined]);
    }
  });

  test.each(["signedInAt", "renewedAt"])("whose %s is no instant is damaged", (name) => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1", null]) {
      expect(parseRecord({ ...whole, [name]: value })).toBeUndefined();
    }
  });

  test("whose token is too long, empty, or would break a header line is damaged", () => {
    for (const token of ["", "x".repeat(128 * 1024 + 1), "a\r\nSet-Cookie: b", "a\u0000b"]) {
      expect(
        parseRecord({ ...whole, accessToken: { ...whole.accessToken, token } }),
      ).toBeUndefined();
    }
  });

  test.each(["00Dxx!AR8A.x_y", "a=b|c"])(
    "may have the access token %s [F-P access-token-not-b64token]",
    (token) => {
      expect(parseRecord({ ...whole, accessToken: { ...whole.accessToken, token } })).toBeDefined();
    },
  );

  test.each(["a b", "a,b", 'a"b', "é", "a\u0085b"])(
    "whose access token or ID token is %j is damaged: it could not stand in a header [T18]",
    (token) => {
      const accessToken = { ...whole.accessToken, token };
      expect(parseRecord({ ...whole, accessToken })).toBeUndefined();
      expect(parseRecord({ ...whole, idToken: token })).toBeUndefined();
    },
  );

  test("whose times no date can hold is damaged [F-S17]", () => {
    for (const name of ["signedInAt", "renewedAt", "authTime"]) {
      expect(parseRecord({ ...whole, [name]: 1e300 })).toBeUndefined();
    }
    for (const name of ["issuedAt", "expiresAt"]) {
      const accessToken = { ...whole.accessToken, [name]: 1e13 };
      expect(parseRecord({ ...whole, accessToken })).toBeUndefined();
    }
  });

  test("without a token endpoint is damaged, unless nobody has signed in yet", () => {
    expect(parseRecord({ ...smallest, tokenEndpoint: "" })).toBeUndefined();
    expect(parseRecord({ ...smallest, tokenEndpoint: "", signedInAt: 0 })).toBeDefined();
  });

  test.each([
    { nonce: "n", host: "h" },
    { nonce: "", host: "h", at: 1 },
    { nonce: "n", host: 1, at: 1 },
  ])("with half an intent is damaged: %j", (intent) => {
    expect(parseRecord({ ...whole, intent })).toBeUndefined();
  });

  test("loses a further access token that cannot be used, and nothing else", () => {
    const [good] = whole.otherAccessTokens ?? [];
    const bad = [
      null,
      {},
      { ...good, token: "" },
      { ...good, wanted: undefined },
      { ...good, wanted: { scopes: "read", resources: null } },
      { ...good, wanted: { scopes: null, resources: [1] } },
    ];
    expect(parseRecord({ ...whole, otherAccessTokens: [...bad, good] })).toEqual(whole);
    const many = Array.from({ length: 101 }, () => good);
    expect(parseRecord({ ...whole, otherAccessTokens: many })).toBeUndefined();
  });

  test("whose prompts are no instants is damaged", () => {
    expect(parseRecord({ ...whole, unansweredPrompts: ["1"] })).toBeUndefined();
  });

  test("whose issuer or client is not its key's is damaged [C16]", () => {
    expect(parseRecord({ ...whole, issuer: "https://evil.example" })).toBeUndefined();
    expect(parseRecord({ ...whole, clientId: "other" })).toBeUndefined();
  });

  test.each([null, undefined, 1, "x", [], [whole]])("is not %j", (value) => {
    expect(parseRecord(value)).toBeUndefined();
  });
});

describe("a cache file", () => {
  test.each([
    ["empty", ""],
    ["blank", " \n"],
    ["no JSON", "not JSON"],
    ["cut off", formatCacheFile([whole]).slice(0, -20)],
    ["a number", "7"],
    ["null", "null"],
    ["a list", "[]"],
    ["without a schema", '{"records":[]}'],
    ["with a schema in words", '{"latchkey":"1","records":[]}'],
    ["with a broken schema", '{"latchkey":1.5,"records":[]}'],
    ["with an older schema than the first", '{"latchkey":0,"records":[]}'],
    ["without records", '{"latchkey":1}'],
    ["with records of another kind", '{"latchkey":1,"records":{}}'],
    ["with nothing but damaged records", '{"latchkey":1,"records":[{}]}'],
    ["nested beyond any sense", "[".repeat(100_000)],
  ])("that is %s is damaged, and that is no crash [C08]", (_name, text) => {
    expect(parseCacheFile(text, parseRecord).state).toBe("damaged");
  });

  test("that is damaged is never quoted", () => {
    const parsed = parseCacheFile(`${formatCacheFile([whole])}}`, parseRecord);
    expect(JSON.stringify(parsed)).not.toContain("the-");
  });

  test("of a later version is told apart from a damaged one, whatever its records are [C10]", () => {
    expect(parseCacheFile('{"latchkey":2,"sessions":{}}', parseRecord)).toEqual({ state: "newer" });
    expect(parseCacheFile('{"latchkey":99,"records":[{}]}', parseRecord)).toEqual({
      state: "newer",
    });
  });

  test("keeps its good records beside a damaged one [C08]", () => {
    const text = JSON.stringify({ latchkey: 1, records: [{ key: "x" }, whole, null] });
    expect(parseCacheFile(text, parseRecord)).toEqual({
      state: "records",
      records: [whole],
      damaged: [{ key: "x" }, null],
    });
  });

  test("with no records is a file without records, not a damaged one", () => {
    expect(parseCacheFile(formatCacheFile([]), parseRecord)).toEqual({
      state: "records",
      records: [],
      damaged: [],
    });
  });

  test("laden with __proto__ pollutes nothing and gives nothing away [C08][P05]", () => {
    const evil = '"__proto__":{"polluted":true,"refreshToken":"planted","subject":"mallory"}';
    const record = JSON.stringify(smallest).replace(
      "{",
      `{${evil},"constructor":{"prototype":{"polluted":true}},`,
    );
    const parsed = parseCacheFile(`{${evil},"latchkey":1,"records":[${record}]}`, parseRecord);
    expect(parsed).toEqual({ state: "records", records: [smallest], damaged: [] });
    if (parsed.state !== "records") return;
    expect(parsed.records[0]?.refreshToken).toBeUndefined();
    expect(Object.getPrototypeOf(parsed.records[0])).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    // Required fields do not come from the prototype either.
    expect(
      parseCacheFile(
        `{"latchkey":1,"records":[{"__proto__":${JSON.stringify(whole)}}]}`,
        parseRecord,
      ).state,
    ).toBe("damaged");
  });

  test("takes nothing from a prototype that somebody else has polluted [P05]", () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>;
    polluted["refreshToken"] = "planted";
    try {
      expect(Object.hasOwn(parseRecord({ ...smallest }) ?? {}, "refreshToken")).toBe(false);
    } finally {
      delete polluted["refreshToken"];
    }
  });
});
