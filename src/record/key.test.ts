// Changes when another option must keep sign-ins apart.
import { describe, expect, test } from "vitest";

import { keyOptions } from "../core/option-names.ts";
import type { OptionRow } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import {
  agreesWithKey,
  cacheFileName,
  configurationOfKey,
  hashOf,
  isCacheFileName,
  keyOptionsOfText,
  murmur3,
  recordKey,
} from "./key.ts";

/** A value of the option's kind that differs from its default. */
function anotherValue(row: OptionRow): unknown {
  switch (row.kind) {
    case "boolean":
      return row.default !== true;
    case "scopes":
    case "acrValues":
      return ["another"];
    case "parameters":
      return { another: "value" };
    case "port":
    case "seconds":
    case "age":
      return 1234;
    case "registration":
      return "dynamic";
    case "function":
    case "store":
      return () => undefined;
    default:
      return "https://another.example";
  }
}

const base: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(optionTable.map((row) => [row.name, row.default])),
  issuer: "https://id.example.com",
  clientId: "cli",
  scopes: ["openid", "email"],
};

function keyWith(
  options: Readonly<Record<string, unknown>>,
  kind: "interactive" | "client" = "interactive",
): string {
  return recordKey({ kind, options: { ...base, ...options } });
}

describe("the key of a configuration", () => {
  test.each(optionTable.filter((row) => row.keyPlace !== undefined))(
    "changes with $name [C06]",
    (row) => {
      expect(keyWith({ [row.name]: anotherValue(row) })).not.toBe(keyWith({}));
    },
  );

  test.each(optionTable.filter((row) => row.keyPlace === undefined))(
    "does not change with $name [C06]",
    (row) => {
      expect(keyWith({ [row.name]: anotherValue(row) })).toBe(keyWith({}));
    },
  );

  test.each(optionTable.filter((row) => !row.credentials.includes("client")))(
    "of client credentials does not change with $name, which they do not take",
    (row) => {
      expect(keyWith({ [row.name]: anotherValue(row) }, "client")).toBe(keyWith({}, "client"));
    },
  );

  test("tells a person's sign-in from client credentials [C06]", () => {
    expect(keyWith({}, "client")).not.toBe(keyWith({}));
  });

  test("takes scopes as a set: order and repetition are the same, another set is not [C06]", () => {
    expect(keyWith({ scopes: ["email", "openid", "email"] })).toBe(keyWith({}));
    expect(keyWith({ scopes: ["email"] })).not.toBe(keyWith({}));
    expect(keyWith({ scopes: [] })).not.toBe(keyWith({ scopes: undefined }));
  });

  test("takes the default scopes written out for the same as none [F-U3]", () => {
    const undefinedScopes = keyWith({ scopes: undefined });
    expect(keyWith({ scopes: ["openid", "profile", "email"] })).toBe(undefinedScopes);
    expect(keyWith({ scopes: ["email", "profile", "openid", "email"] })).toBe(undefinedScopes);
    expect(keyWith({ scopes: ["openid", "profile", "email", "offline_access"] })).not.toBe(
      undefinedScopes,
    );
    // A client has no default scopes: to ask for these is not the same as to ask for none.
    expect(keyWith({ scopes: ["openid", "profile", "email"] }, "client")).not.toBe(
      keyWith({ scopes: undefined }, "client"),
    );
  });

  test("takes resources as a set, one alone or in a list; acr values in their order [C06]", () => {
    const [one, other] = ["https://one.example", "urn:other"];
    expect(keyWith({ resource: [one] })).toBe(keyWith({ resource: one }));
    expect(keyWith({ resource: [one, other] })).toBe(keyWith({ resource: [other, one, other] }));
    expect(keyWith({ resource: [one, other] })).not.toBe(keyWith({ resource: one }));
    expect(keyWith({ resource: one }, "client")).not.toBe(keyWith({}, "client"));
    expect(keyWith({ acrValues: ["a", "b"] })).not.toBe(keyWith({ acrValues: ["b", "a"] }));
    expect(keyWith({ acrValues: ["a"] })).not.toBe(keyWith({ resource: ["a"] }));
  });

  test("takes extra parameters by name, whatever their order; none is the same as empty [C06]", () => {
    const one = keyWith({ extraAuthorizationParams: { a: "1", b: "2" } });
    expect(keyWith({ extraAuthorizationParams: { b: "2", a: "1" } })).toBe(one);
    expect(keyWith({ extraAuthorizationParams: { a: "2", b: "1" } })).not.toBe(one);
    expect(keyWith({ extraAuthorizationParams: {} })).toBe(keyWith({}));
  });

  test("cannot be written alike by two configurations that share their text [C06]", () => {
    const keys = [
      keyWith({ scopes: ["a b"] }),
      keyWith({ scopes: ["a", "b"] }),
      keyWith({ scopes: ['a","b'] }),
      keyWith({ audience: "a", loginHint: "b" }),
      keyWith({ audience: 'a",null,null,"b' }),
      keyWith({ audience: "b", loginHint: "a" }),
      keyWith({ audience: "" }),
      keyWith({ audience: "null" }),
      keyWith({ audience: null }),
      keyWith({ extraAuthorizationParams: { a: "1,b=2" } }),
      keyWith({ extraAuthorizationParams: { a: "1", b: "2" } }),
      keyWith({ clientId: "\ud800" }),
      keyWith({ clientId: "\ufffd" }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(keys.map(hashOf)).size).toBe(keys.length);
  });

  test("has the places that the option table gives, each once", () => {
    const rows = optionTable.filter((row) => row.keyPlace !== undefined);
    const places = rows.map((row) => row.keyPlace ?? -1);
    expect(new Set(places).size).toBe(places.length);
    expect(rows.map((row) => keyOptions[row.keyPlace ?? -1]?.[0])).toEqual(
      rows.map((row) => row.name),
    );
  });

  test("leaves out places of later versions where nothing is set there, so that nobody is signed out", () => {
    const later: typeof keyOptions = [
      ...Array.from({ length: 11 }, (_, place) => keyOptions[place]),
      ["first", "first", "text", true],
      ["second", "second", "text", false],
    ];
    const keyOf = (options: Readonly<Record<string, unknown>>): string =>
      recordKey({ kind: "interactive", options: { ...base, ...options } }, later);
    expect(keyOf({})).toBe(keyWith({}));
    const keys = [keyOf({}), keyOf({ first: "a" }), keyOf({ second: "a" })];
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]?.endsWith(',null,null,"a"]')).toBe(true);
    const read = configurationOfKey(keyOf({ second: "a" }), later);
    expect(read?.options).toMatchObject({ second: "a", clientId: "cli" });
    expect(configurationOfKey(keyOf({ second: "a" }))).toBeUndefined();
  });

  test("is the same from text, as far as text can say it", () => {
    const text = {
      issuer: "https://id.example.com",
      "client-id": "cli",
      scopes: " email  openid",
      audience: "api",
      resource: "urn:a",
      "token-endpoint": "https://id.example.com/token",
      "login-hint": "alice",
      "acr-values": "gold silver",
      flow: "device",
    };
    expect(keyOptionsOfText(text)).toEqual({
      issuer: "https://id.example.com",
      clientId: "cli",
      scopes: ["email", "openid"],
      audience: "api",
      resource: "urn:a",
      tokenEndpoint: "https://id.example.com/token",
      loginHint: "alice",
      acrValues: ["gold", "silver"],
    });
    expect(keyOptionsOfText({})).toEqual({});
  });

  test("stays what it was when the first version wrote it", () => {
    // Whoever changes this signs every user out.
    expect(keyWith({})).toBe(
      '[1,"interactive","https://id.example.com",null,"cli",["email","openid"],null,null,null,null,null,null,null]',
    );
    expect(cacheFileName(keyWith({}))).toBe("4bcdaa208542c79d394d062386af3e9a.json");
  });
});

describe("a key read back", () => {
  const everything = {
    ...Object.fromEntries(
      optionTable
        .filter((row) => row.keyPlace !== undefined)
        .map((row) => [row.name, anotherValue(row)]),
    ),
    resource: ["https://one.example", "urn:other"],
    acrValues: ["urn:gold", "urn:silver"],
    registration: "dynamic",
  };

  test.each(["interactive", "client"] as const)(
    "gives the whole configuration of kind %s that it was made from [F-D1]",
    (kind) => {
      const configuration = configurationOfKey(recordKey({ kind, options: everything }));
      const taken = optionTable.filter(
        (row) => row.keyPlace !== undefined && row.credentials.includes(kind),
      );
      expect(configuration?.kind).toBe(kind);
      expect(Object.keys(configuration?.options ?? {}).toSorted()).toEqual(
        taken.map((row) => row.name).toSorted(),
      );
      expect(configuration?.options).toMatchObject({
        resource: everything.resource,
        // As the option takes it, not as it is written.
        useServerAudience: true,
      });
      expect(recordKey({ kind, options: configuration?.options ?? {} })).toBe(
        recordKey({ kind, options: everything }),
      );
    },
  );

  test("leaves out what is not set", () => {
    const options = { issuer: "https://id.example.com", clientId: "cli" };
    expect(configurationOfKey(recordKey({ kind: "interactive", options }))).toEqual({
      kind: "interactive",
      options,
    });
  });

  test.each(["", "{}", "[]", "null", '[1,"other","https://id.example.com"]', "store:conformance"])(
    "is not made from %j",
    (key) => expect(configurationOfKey(key)).toBeUndefined(),
  );

  test("is not made from one with another place at its end, as a later version may write [F-D1]", () => {
    const key = recordKey({ kind: "interactive", options: everything });
    expect(configurationOfKey(key.replace(/\]$/, ',"later"]'))).toBeUndefined();
  });
});

describe("the hash of a key", () => {
  test("is MurmurHash3 x86 128 by the verification value of its author's test suite", () => {
    // SMHasher's VerificationTest: the hashes of 0, 0-1, 0-1-2 … under falling seeds, hashed once more.
    const littleEndian = (words: readonly number[]): Uint8Array =>
      new Uint8Array(new Uint32Array(words).buffer);
    const all = new Uint8Array(256 * 16);
    for (let length = 0; length < 256; length += 1) {
      const bytes = Uint8Array.from({ length }, (_byte, at) => at);
      all.set(littleEndian(murmur3(bytes, 256 - length)), length * 16);
    }
    expect(murmur3(all, 0)[0]).toBe(0xb3ece62a);
  });

  test("takes text as UTF-8", () => {
    // Vectors that the tests of several independent packages share.
    expect(hashOf("I will not buy this record, it is scratched.")).toBe(
      "a0a9683b25ac5e40d9af2895890dddf5",
    );
    expect(hashOf("I will not buy this tobacconist's, it is scratched.")).toBe(
      "9b5b7ba2ef3f7866889adeaf00f3f98e",
    );
    expect(hashOf("ü")).not.toBe(hashOf("u"));
    expect(hashOf("")).toBe("0".repeat(32));
  });

  test.each(["../../etc/passwd", "a/b", "C:\\x", "\0", "x".repeat(5000)])(
    "makes a plain file name out of %j [C05]",
    (clientId) => {
      const name = cacheFileName(keyWith({ clientId, issuer: "https://x/../.." }));
      expect(name).toMatch(/^[0-9a-f]{32}\.json$/);
      expect(isCacheFileName(name)).toBe(true);
    },
  );

  test.each([
    "x.json",
    "0.json",
    `${"0".repeat(32)}.json.bak`,
    `.${"0".repeat(32)}.json`,
    "lock-id",
  ])("does not make %s, which is foreign", (name) => {
    expect(isCacheFileName(name)).toBe(false);
  });
});

describe("a record and its key", () => {
  const record = {
    key: keyWith({ tokenEndpoint: "https://id.example.com/token" }),
    issuer: "https://id.example.com",
    clientId: "cli",
    tokenEndpoint: "https://id.example.com/token",
  };

  test("agree where the key names what the record says, or leaves it open [C16]", () => {
    expect(agreesWithKey(record)).toBe(true);
    expect(agreesWithKey({ ...record, key: keyWith({ issuer: "", clientId: "" }) })).toBe(true);
    // Prompts are counted before the first sign-in has ended.
    expect(agreesWithKey({ ...record, tokenEndpoint: "" })).toBe(true);
  });

  test.each(["issuer", "clientId", "tokenEndpoint"] as const)(
    "disagree over another %s [C16]",
    (name) => {
      expect(agreesWithKey({ ...record, [name]: "https://evil.example" })).toBe(false);
    },
  );

  test("disagree where the key is broken off [C16]", () => {
    expect(agreesWithKey({ ...record, key: record.key.slice(0, -1) })).toBe(false);
  });
});

test("a client id metadata document binds no sign-in where another client may have been registered [C16]", () => {
  const document = "https://app.example.com/client.json";
  const recordFor = (options: object, clientId: string) => ({
    key: keyWith({ clientId: document, ...options }),
    issuer: "https://id.example.com",
    clientId,
    tokenEndpoint: "",
  });
  expect(agreesWithKey(recordFor({ registration: "dynamic" }, "registered"))).toBe(true);
  expect(agreesWithKey(recordFor({}, "registered"))).toBe(false);
  expect(agreesWithKey(recordFor({}, document))).toBe(true);
  const own = {
    ...recordFor({}, "registered"),
    key: keyWith({ clientId: "own", registration: "dynamic" }),
  };
  expect(agreesWithKey(own)).toBe(false);
});
