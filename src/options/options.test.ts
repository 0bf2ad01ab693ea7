// Options as data, validation and precedence, each against the whole table.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import { recordKey } from "../record/key.ts";
import { parseOptionText, parseProfileValue, readEnvironmentOptions } from "./parse-text.ts";
import { mergeSources, resolveOptions } from "./resolve.ts";
import { environmentNameOf, flagOf, type OptionKind, type OptionRow } from "./row.ts";
import { optionTable } from "./table.ts";
import { optionTexts } from "./text.ts";

const store = { read: noop, replace: noop, acquire: noop, list: noop };

function noop(): void {}

/** One value that each kind takes, and what it must refuse with which code. */
const samples: Readonly<Record<OptionKind, { good: unknown[]; bad: unknown[] }>> = {
  issuer: {
    good: [
      "",
      "https://id.example.com",
      "https://id.example.com/tenant/a",
      "http://127.0.0.1:1",
      "http://[::1]:9",
    ],
    bad: [
      1,
      null,
      "id.example.com",
      "ftp://x",
      "https://x/?q=1",
      "https://x/#f",
      "https://u:p@x/",
      " https://x",
      "javascript:alert(1)",
      "https://x\n",
    ],
  },
  server: {
    good: [
      "https://data.example.com",
      "https://data.example.com/graph",
      "http://127.0.0.1:8080",
      "grpcs://data.example.com:443",
      "grpc://localhost:50051",
      { getOidcIssuer: () => undefined },
      { getOidcIssuer: () => undefined, address: "https://data.example.com" },
    ],
    bad: [
      "",
      "data.example.com",
      "ftp://data.example.com",
      "https://user@data.example.com",
      "https://data.example.com/#a",
      "grpcs://data.example.com/path",
      "grpcs://user@data.example.com",
      {},
      { getOidcIssuer: "no" },
      { getOidcIssuer: () => undefined, address: "" },
      7,
      null,
    ],
  },
  registration: { good: ["none", "dynamic"], bad: ["", "static", true, null] },
  trust: {
    good: ["first-use", "ask", "pinned"],
    bad: ["", "always", true, 1, ["ask"]],
  },
  storage: {
    good: ["auto", "keychain", "file"],
    bad: ["", "keyring", true, ["file"]],
  },
  responseMode: {
    good: ["query", "form_post"],
    bad: ["", "fragment", "query.jwt", "Form_Post", null, ["query"], true],
  },
  endpoint: {
    good: [
      "https://id.example.com/token",
      "https://id.example.com/token?x=1",
      "http://localhost:8/token",
    ],
    bad: ["", 7, "https://x/#f", "file:///etc/passwd", "https://u@x/"],
  },
  redirectUri: {
    good: [
      "http://127.0.0.1:8765/callback",
      "http://localhost/x",
      "https://login.example.com/back",
    ],
    bad: ["", true, "com.example.app:/callback", "http://127.0.0.1:1/#f"],
  },
  text: { good: ["x", "ü", "a b"], bad: [1, null, "a\nb", "\u0000", "\u202e\n", {}] },
  secret: { good: ["s:%+ü", ""], bad: [1, "a\r\nb"] },
  scopes: {
    good: [[], ["openid"], ["a", "b:c/d"]],
    bad: ["openid", [1], ["a b"], ['a"b'], [""], { 0: "a" }],
  },
  boolean: { good: [true, false], bad: ["true", 1, null] },
  path: { good: ["~/x", "/tmp/x", "rel.json"], bad: ["", 1, "a\u0000b"] },
  flow: { good: ["auto", "auth_code", "device"], bad: ["nope", "", 1, "AUTO"] },
  prompt: { good: ["login", "login consent"], bad: ["nope", "", 1] },
  host: {
    good: ["127.0.0.1", "::1", "[::1]", "localhost", "0.0.0.0"],
    bad: ["", "a/b", "http://x", "a b", 1],
  },
  port: {
    good: [0, 8765, 65_535, [8000, 18_000]],
    bad: [-1, 65_536, 1.5, "8765", [], [70_000], Number.NaN],
  },
  seconds: { good: [0.5, 300], bad: [0, -1, "300", Number.NaN, Number.POSITIVE_INFINITY, 1e12] },
  age: {
    good: [0, 1, 86_400],
    bad: [-1, 0.5, "0", Number.NaN, Number.POSITIVE_INFINITY, 1e12],
  },
  count: { good: [1, 3, 1000], bad: [0, -1, 1.5, "3", Number.NaN, 1001] },
  resources: {
    good: [
      "https://api.example.com",
      "urn:demo:api",
      ["https://api.example.com/?a=b", "urn:demo:api"],
    ],
    bad: ["", 1, "api", "/api", "https://x/#", "urn:a b", "https://ü.example", [], [""], ["api"]],
  },
  acrValues: {
    good: [["urn:mace:incommon:iap:silver", "phr"]],
    bad: ["phr", [], [""], ["a b"], ["a\n"], [1]],
  },
  command: { good: ["firefox --new-tab"], bad: ["", 1, "a\nb"] },
  parameters: {
    good: [{}, { a: "b" }],
    bad: [
      [],
      "a=b",
      { a: 1 },
      { state: "x" },
      { redirect_uri: "x" },
      { max_age: "1" },
      { resource: "x" },
      { code_challenge: "x" },
      { audience: "x" },
      { login_hint: "x" },
      { prompt: "x" },
      { code_verifier: "x" },
      { iss: "x" },
      { "a\n": "b" },
    ],
  },
  store: { good: [store], bad: [{}, null, 1, { read: noop }] },
  function: { good: [noop], bad: [{}, "x", null] },
};

function kindOf(row: OptionRow): "interactive" | "client" {
  return row.credentials.includes("interactive") ? "interactive" : "client";
}

function refusal(
  given: Record<string, unknown>,
  kind: "interactive" | "client" = "interactive",
): OidcError {
  try {
    resolveOptions(given, kind);
  } catch (error) {
    if (error instanceof OidcError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(Object.keys(given))}`);
}

test("the options of client credentials are explained without a person, a browser or another class's default [F-D4]", () => {
  const path = fileURLToPath(new URL("types.ts", import.meta.url));
  const types = readFileSync(path, "utf8").replaceAll(/\n \* |\n {3}\* /g, " ");
  const members = /export interface ClientOptions \{([\s\S]*?)\n\}/.exec(types)?.[1] ?? "";
  expect(members).toContain("Undefined: none are sent");
  expect(members).not.toMatch(
    /openid profile|authorization request|authorization,|browser|desktop|device flow/i,
  );
});

test("every option has text, and every text an option", () => {
  expect(Object.keys(optionTexts).toSorted()).toEqual(
    optionTable.map((row) => row.name).toSorted(),
  );
  for (const row of optionTable) {
    const text = optionTexts[row.name];
    expect(`${row.name}: ${String(text?.summary)}`).toMatch(/[^.]$/);
    expect(`${row.name}: ${String(text?.meaning)}`).toMatch(/\.$/);
    expect([row.name, text?.placeholder === undefined]).toEqual([
      row.name,
      row.kind === "boolean" || row.text === "none",
    ]);
  }
});

test.each(optionTable.map((row) => [row.name, row] as const))(
  "%s: takes what is possible, reads back as set, and refuses the rest by name",
  (name, row) => {
    for (const value of samples[row.kind].good) {
      const resolved = resolveOptions({ [name]: value }, kindOf(row));
      expect(resolved[name as keyof typeof resolved]).toEqual(value);
      expect(resolved.explicit.has(name)).toBe(true);
    }
    for (const value of samples[row.kind].bad.filter(
      (bad) => !(bad === "" && row.default === ""),
    )) {
      const error = refusal({ [name]: value }, kindOf(row));
      expect([error.code, error.message.includes(`\`${name}\``)]).toEqual(["invalid_option", true]);
    }
  },
);

test.each(optionTable.map((row) => [row.name, row] as const))(
  "%s: has the default of the table when unset or undefined",
  (name, row) => {
    for (const given of [{}, { [name]: undefined }]) {
      const resolved = resolveOptions(given, kindOf(row));
      expect(resolved[name as keyof typeof resolved]).toBe(row.default);
      expect(resolved.explicit.has(name)).toBe(false);
    }
  },
);

test("an unknown option is refused with the nearest known one", () => {
  const error = refusal({ clientID: "x" });
  expect([error.code, error.message]).toEqual([
    "invalid_option",
    "There is no option `clientID`. Did you mean `clientId`?",
  ]);
});

test("an error never repeats a secret [O07]", () => {
  const error = refusal({ clientSecret: "canary\nsecret" });
  expect(error.message).not.toContain("canary");
});

test.each([
  "state",
  "nonce",
  "redirect_uri",
  "code_verifier",
  "audience",
  "prompt",
  "login_hint",
  "iss",
  "code",
])(
  "extraAuthorizationParams: %s is refused as soon as the object is made [A11] [F-U19]",
  (name) => {
    const error = refusal({ extraAuthorizationParams: { [name]: "canary" } });
    expect(error.code).toBe("invalid_option");
    expect(error.message).toBe(
      `\`extraAuthorizationParams\` cannot set \`${name}\`: a sign-in sets it itself. Use the option that is made for it, if there is one.`,
    );
  },
);

test.each(["issuer", "tokenEndpoint", "authorizationEndpoint", "jwksUri", "redirectUri"])(
  "%s: http: beyond loopback is insecure_url, unless allowed [D02]",
  (name) => {
    const value = "http://127.0.0.1.example.com/x";
    expect(refusal({ [name]: value }).code).toBe("insecure_url");
    const resolved = resolveOptions({ [name]: value, allowInsecureHttp: true }, "interactive");
    expect(resolved[name as keyof typeof resolved]).toBe(value);
  },
);

test("resolved options cannot be changed, and show no secret", () => {
  const scopes = ["openid"];
  const resolved = resolveOptions({ clientSecret: "canary", scopes }, "interactive");
  scopes.push("admin");
  expect(resolved.scopes).toEqual(["openid"]);
  expect(Object.isFrozen(resolved)).toBe(true);
  expect(resolved.clientSecret).toBe("canary");
  expect(JSON.stringify({ ...resolved })).not.toContain("canary");
});

test("flag wins over environment, environment over profile", () => {
  expect(
    mergeSources({
      flags: { clientId: "flag" },
      environment: { clientId: "environment", audience: "environment" },
      profile: { clientId: "profile", audience: "profile", issuer: "profile" },
    }),
  ).toEqual({ clientId: "flag", audience: "environment", issuer: "profile" });
});

test("flags and environment names follow from the option's name", () => {
  const row = optionTable.find(({ name }) => name === "callbackTimeoutSeconds") as OptionRow;
  expect([flagOf(row), environmentNameOf(row)]).toEqual([
    "callback-timeout-seconds",
    "LATCHKEY_CALLBACK_TIMEOUT_SECONDS",
  ]);
});

test("text means what the kind says, and nonsense is invalid_option", () => {
  const row = (name: string): OptionRow =>
    optionTable.find((each) => each.name === name) as OptionRow;
  expect(parseOptionText(row("pkce"), "0", "x")).toBe(false);
  expect(parseOptionText(row("pkce"), "true", "x")).toBe(true);
  expect(parseOptionText(row("scopes"), " openid  email ", "x")).toEqual(["openid", "email"]);
  expect(parseOptionText(row("callbackPort"), "8000", "x")).toBe(8000);
  expect(parseOptionText(row("callbackPort"), "8000 18000", "x")).toEqual([8000, 18_000]);
  expect(parseProfileValue(row("scopes"), ["openid"], "x")).toEqual(["openid"]);
  expect(parseProfileValue(row("callbackPort"), 8000n, "x")).toBe(8000);
  expect(parseOptionText(row("maxAge"), "0", "x")).toBe(0);
  expect(parseOptionText(row("acrValues"), "phr phrh", "x")).toEqual(["phr", "phrh"]);
  expect(parseOptionText(row("resource"), "urn:a", "x")).toBe("urn:a");
  expect(parseOptionText(row("resource"), "urn:a urn:b", "x")).toEqual(["urn:a", "urn:b"]);
  for (const [name, text] of [
    ["pkce", "yes"],
    ["callbackPort", "x"],
    ["httpTimeoutSeconds", "1e3"],
  ] as const) {
    expect(() => parseOptionText(row(name), text, "--flag")).toThrow(/^--flag /);
  }
});

test("the environment sets options by name, never what only a flag or a caller may set [S05]", () => {
  expect(
    readEnvironmentOptions({
      LATCHKEY_CLIENT_ID: "cli",
      LATCHKEY_CLIENT_SECRET: "canary",
      LATCHKEY_AUDIENCE: "",
      LATCHKEY_ALLOW_INSECURE_HTTP: "true",
      LATCHKEY_STORE: "x",
      LATCHKEY_UNKNOWN: "x",
    }),
  ).toEqual({ clientId: "cli", clientSecret: "canary" });
});

test("exactly the options of the key change it [C06]", () => {
  const keyOf = (given: Record<string, unknown>): string =>
    recordKey({ kind: "interactive", options: { ...resolveOptions(given, "interactive") } });
  const base = keyOf({});
  for (const row of optionTable) {
    const value = samples[row.kind].good.findLast((good) => good !== row.default && good !== "");
    expect([row.name, keyOf({ [row.name]: value }) !== base]).toEqual([
      row.name,
      row.keyPlace !== undefined,
    ]);
  }
});

test.each(["http://data.example.com", "grpc://data.example.com:80"])(
  "a server without TLS, beyond this machine, is refused, whatever else is allowed: %s",
  (server) => {
    const options = { server, allowInsecureHttp: true };
    expect(() => resolveOptions(options, "interactive")).toThrow(
      /^`server` is an address of data\.example\.com(?::80)? without TLS: .*Only a server on this machine/,
    );
  },
);
