// Options of public functions: own properties alone, and no name that does not exist.

import { expect, test } from "vitest";
import { polluteObjects } from "../../test/support/polluted-prototype.ts";
import {
  BearerTokenAuth,
  fileStore,
  isOidcError,
  memoryStore,
  OidcAuth,
  OidcCredentialsAuth,
  OidcError,
  terminalPrompt,
} from "../index.ts";
import { mergeSources, resolveOptions } from "../options/resolve.ts";
import { optionTable } from "../options/table.ts";
import { checkedCallOptions, checkedLogoutOptions } from "./call-options.ts";
import { composeWorld } from "./compose.ts";

const client = { issuer: "https://id.example.com", clientId: "cli" };

const evil: Readonly<Record<string, unknown>> = {
  audience: "evil",
  useServerAudience: true,
  tokenEndpoint: "https://evil.example.com/token",
  authorizationEndpoint: "https://evil.example.com/auth",
  browserCommand: "/tmp/evil",
  allowInsecureHttp: true,
  caCertPath: "/tmp/evil.pem",
  loginHint: "evil",
  clientSecret: "evil",
  redirectUri: "https://evil.example.com/callback",
  store: {},
  onPrompt: () => undefined,
};

test.each(["interactive", "client"] as const)(
  "a polluted Object.prototype sets no option of a sign-in (%s) [F-S15][P05]",
  (kind) => {
    const clean = resolveOptions(client, kind);
    const names = optionTable.map(({ name }) => name as keyof typeof clean);
    const expected = names.map((name) => clean[name]);
    const undo = polluteObjects(evil);
    const resolved = resolveOptions(client, kind);
    const merged = mergeSources({ flags: { clientId: "cli" } });
    const values = names.map((name) => resolved[name]);
    const made = new OidcAuth(client).browserCommand;
    undo();
    expect(values).toEqual(expected);
    expect([Object.keys(merged), made]).toEqual([["clientId"], undefined]);
    expect([...resolved.explicit].toSorted()).toEqual(["clientId", "issuer"]);
  },
);

test("it sets nothing of a call, of a given token, of a store or of the world either [F-S15][P05]", async () => {
  // Node 22 loads no module while objects have a `path`: the part that is needed is loaded before.
  await new BearerTokenAuth({ getToken: () => "before" }).getToken();
  const undo = polluteObjects({
    rejectedToken: "evil",
    forceRefresh: true,
    interactive: false,
    scopes: ["evil"],
    revoke: true,
    token: "evil",
    tokenFile: "/tmp/evil",
    path: "/tmp/evil",
    prompt: () => undefined,
    platform: "evil",
    retryAfterSeconds: 9,
  });
  const calls = [checkedCallOptions(), checkedCallOptions({})];
  const read = [
    ...calls.flatMap(({ rejectedToken, forceRefresh, scopes, interactive }) => [
      rejectedToken,
      forceRefresh,
      scopes,
      interactive,
    ]),
    checkedLogoutOptions().revoke,
    checkedLogoutOptions({}).revoke,
  ];
  const given = await new BearerTokenAuth({ getToken: () => "mine" }).getToken();
  const location = fileStore().location;
  const world = composeWorld(resolveOptions(client, "interactive"));
  const error = new OidcError("network", "x");
  undo();
  expect(read).toEqual(read.map(() => undefined));
  expect(given.token).toBe("mine");
  expect(location).not.toContain("evil");
  expect(world.platform).toBe(process.platform);
  expect(Object.hasOwn(error, "retryAfterSeconds")).toBe(false);
});

test("nothing is an error of Latchkey by its prototype [F-S15]", () => {
  const brand = Symbol.for("latchkey.OidcError");
  const undo = polluteObjects({ [brand]: true });
  const seen = [isOidcError(new Error("x")), isOidcError(new OidcError("network", "x"))];
  undo();
  expect(seen).toEqual([false, true]);
});

const auth = (): OidcAuth => new OidcAuth({ ...client, store: memoryStore() });
const other = (): OidcCredentialsAuth => new OidcCredentialsAuth({ ...client, clientSecret: "x" });
const bearer = (): BearerTokenAuth => new BearerTokenAuth({ token: "t" });

test.each<[string, string, () => unknown]>([
  ["OidcAuth", "isuer", () => new OidcAuth({ isuer: "x" } as object)],
  ["OidcAuth", "constructor", () => new OidcAuth({ constructor: "x" } as object)],
  ["OidcCredentialsAuth", "flow", () => new OidcCredentialsAuth({ flow: "device" } as object)],
  ["BearerTokenAuth", "tokn", () => new BearerTokenAuth({ tokn: "x" } as never)],
  ["getToken", "forceRefesh", () => auth().getToken({ forceRefesh: true } as object)],
  ["getToken", "scope", () => other().getToken({ scope: "x" } as object)],
  ["getToken", "force", () => bearer().getToken({ force: true } as object)],
  ["login", "interactive", () => auth().login({ interactive: false } as object)],
  ["logout", "revok", () => auth().logout({ revok: true } as object)],
  ["logout", "all", () => other().logout({ all: true } as object)],
  ["logout", "all", () => bearer().logout({ all: true } as object)],
  ["userInfo", "forceRefresh", () => auth().userInfo({ forceRefresh: true } as object)],
  ["fileStore", "pth", () => fileStore({ pth: "x" } as object)],
  ["memoryStore", "path", () => memoryStore({ path: "x" } as never)],
  ["terminalPrompt", "stderr", () => terminalPrompt({ stderr: process.stderr } as object)],
])("%s: an unknown option is invalid_option and named: %s [F-U13]", async (_what, name, call) => {
  const error: unknown = await (async () => call())().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "invalid_option" });
  expect((error as Error).message).toContain(`\`${name}\``);
});

test.each<[string, string, () => unknown]>([
  ["login", "signal", () => auth().login({ signal: {} } as object)],
  ["logout", "revoke", () => auth().logout({ revoke: "yes" } as object)],
  ["logout", "revoke", () => bearer().logout({ revoke: 1 } as object)],
  ["userInfo", "signal", () => auth().userInfo({ signal: 7 } as object)],
  ["fileStore", "path", () => fileStore({ path: 7 } as object)],
  ["fileStore", "onWarning", () => fileStore({ onWarning: "x" } as object)],
  ["terminalPrompt", "output", () => terminalPrompt({ output: {} } as object)],
  ["terminalPrompt", "input", () => terminalPrompt({ input: 7 } as object)],
  ["OidcAuth", "Options are an object", () => new OidcAuth(null as never)],
  ["OidcAuth", "Options are an object", () => new OidcAuth("https://id.example.com" as never)],
  ["BearerTokenAuth", "Options are an object", () => new BearerTokenAuth(undefined as never)],
  ["logout", "Options of a call", () => auth().logout(null as never)],
])("%s: an impossible value is invalid_option and named: %s [F-U13]", async (_what, name, call) => {
  const error: unknown = await (async () => call())().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "invalid_option" });
  expect((error as Error).message).toContain(name);
});
