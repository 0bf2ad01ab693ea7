import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import { flagOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import type { Machine } from "../options/paths.ts";
import { parseArguments } from "./arguments.ts";
import { readProfile } from "./profile.ts";
import * as profiles from "./profile.ts";
import { readSettings } from "./settings.ts";
import { createHome, type Home } from "./testing.ts";

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

function machine(environment: Readonly<Record<string, string>> = {}): Machine {
  return { environment, platform: "linux", homeDirectory: home.path, workingDirectory: home.path };
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!isOidcError(error) || error.code !== "invalid_option") throw error;
    return error.message;
  }
  throw new Error("nothing was refused");
}

test("a flag counts before the environment, the environment before the profile", () => {
  home.configure('[profile.work]\nissuer = "https://p.example"\nclient-id = "p"\naudience = "p"\n');
  const line = parseArguments(["token", "--profile", "work", "--issuer", "https://f.example"]);
  const settings = readSettings(
    line,
    machine({ LATCHKEY_ISSUER: "https://e.example", LATCHKEY_CLIENT_ID: "e" }),
    profiles,
  );
  expect(settings).toEqual({
    given: { issuer: "https://f.example", clientId: "e", audience: "p" },
    profile: "work",
    named: "profile",
    kind: "interactive",
    interactive: undefined,
    clientSecretFile: undefined,
  });
});

test("[profile.default] applies where neither a profile nor a provider or client is named [F-U4]", () => {
  home.configure('[profile.default]\nissuer = "https://d.example"\nclient-id = "d"\n');
  const read = (typed: string[], environment: Record<string, string> = {}): unknown => {
    const { given, profile, named } = readSettings(
      parseArguments(["token", ...typed]),
      machine(environment),
      profiles,
    );
    return { given, profile, named };
  };
  const byDefault = { issuer: "https://d.example", clientId: "d" };
  expect(read([])).toEqual({ given: byDefault, profile: "default", named: "default profile" });
  expect(read(["--scopes=a"])).toEqual({
    given: { ...byDefault, scopes: ["a"] },
    profile: "default",
    named: "default profile",
  });
  for (const typed of [["--issuer=https://f.example"], ["--client-id=f"]]) {
    expect(read(typed)).toMatchObject({ profile: undefined, named: "options" });
  }
  expect(read([], { LATCHKEY_CLIENT_ID: "e" })).toEqual({
    given: { clientId: "e" },
    profile: undefined,
    named: "options",
  });
  expect(refusal(() => read(["--profile=work"]))).toContain("no table [profile.work]");
});

test("without [profile.default], a file or a home folder nothing is named [F-U4]", () => {
  const nothing = { given: {}, profile: undefined, named: "nothing" };
  const line = parseArguments(["token"]);
  expect(readSettings(line, machine(), profiles)).toMatchObject(nothing);
  expect(readSettings(line, { ...machine(), homeDirectory: undefined }, profiles)).toMatchObject(
    nothing,
  );
  home.configure('[profile.work]\nissuer = "https://p.example"\n');
  expect(readSettings(line, machine(), profiles)).toMatchObject(nothing);
  home.configure("[profile.default]\ncallback-port = 9000\n");
  expect(readSettings(line, machine(), profiles)).toMatchObject({
    given: { callbackPort: 9000 },
    profile: "default",
    named: "nothing",
  });
});

test("a configuration file that cannot be used is said where the default profile would apply", () => {
  home.configure("[profile.default\n");
  expect(refusal(() => readSettings(parseArguments(["token"]), machine(), profiles))).toContain(
    "TOML",
  );
  const named = ["token", "--issuer=https://f.example", "--client-id=f"];
  expect(readSettings(parseArguments(named), machine(), profiles)).toMatchObject({
    named: "options",
  });
});

test("the grant is named by a flag, the environment or the profile [F-U1]", () => {
  home.configure(
    '[profile.job]\nissuer = "https://p.example"\ngrant-type = "client_credentials"\n',
  );
  const kindOf = (typed: string[], environment: Record<string, string> = {}): unknown =>
    readSettings(parseArguments(["token", ...typed]), machine(environment), profiles).kind;
  expect(kindOf([])).toBe("interactive");
  expect(kindOf(["--grant-type", "client_credentials"])).toBe("client");
  expect(kindOf(["--profile=job"])).toBe("client");
  expect(kindOf([], { LATCHKEY_GRANT_TYPE: "client_credentials" })).toBe("client");
  expect(refusal(() => kindOf([], { LATCHKEY_GRANT_TYPE: "password" }))).toBe(
    "LATCHKEY_GRANT_TYPE does not accept this value. Accepted: client_credentials.",
  );
  expect(refusal(() => kindOf(["--grant-type=password"]))).toContain("--grant-type");
  home.configure('[profile.job]\ngrant-type = "password"\n');
  expect(refusal(() => kindOf(["--profile=job"]))).toContain("grant-type in [profile.job]");
});

test("LATCHKEY_INTERACTIVE is the flag's variable, and the flag counts before it [F-U6]", () => {
  const interactiveOf = (typed: string[], value: string): unknown =>
    readSettings(
      parseArguments(["token", ...typed]),
      machine({ LATCHKEY_INTERACTIVE: value }),
      profiles,
    ).interactive;
  expect(interactiveOf([], "")).toBeUndefined();
  expect(interactiveOf([], "false")).toBe(false);
  expect(interactiveOf(["--interactive"], "0")).toBe(true);
  expect(refusal(() => interactiveOf([], "no"))).toContain("LATCHKEY_INTERACTIVE");
});

test("a value that is not accepted is named as it was set, where it counts", () => {
  home.configure("[profile.work]\nissuer = 5\ncallback-port = 70000\n");
  const read = (typed: string[], environment: Record<string, string>): unknown =>
    readSettings(parseArguments(["token", ...typed]), machine(environment), profiles);
  expect(refusal(() => read(["--profile", "work"], {}))).toMatch(
    /^issuer in \[profile\.work\] does not accept a number\. /,
  );
  expect(refusal(() => read(["--profile", "work", "--issuer", "x"], {}))).toMatch(
    /^callback-port in \[profile\.work\] does not accept /,
  );
  expect(refusal(() => read([], { LATCHKEY_ISSUER: "id.example.com" }))).toBe(
    "LATCHKEY_ISSUER does not accept a string like this. Accepted: an absolute URL, such as https://id.example.com.",
  );
  const secret = { LATCHKEY_CLIENT_SECRET: "hunter\u00012" };
  expect(refusal(() => read([], secret))).toMatch(/^LATCHKEY_CLIENT_SECRET does not accept /);
  expect(refusal(() => read([], secret))).not.toContain("hunter");
  // What does not count is not judged, and an http: issuer is for all sources together to judge.
  read(["--issuer=https://a.example", "--callback-port=0", "--profile=work"], {});
  read(["--client-secret-file=-"], secret);
  read([], { LATCHKEY_ISSUER: "http://id.example.com" });
});

test("LATCHKEY_PROFILE names a profile, --profile another one; without either the default one", () => {
  home.configure(
    '[profile.a]\nclient-id = "a"\n[profile.b]\nclient-id = "b"\n[profile.default]\nclient-id = "d"\n',
  );
  const given = (typed: string[], environment: Record<string, string>): unknown =>
    readSettings(parseArguments(["token", ...typed]), machine(environment), profiles).given;
  expect(given([], {})).toEqual({ clientId: "d" });
  expect(given([], { LATCHKEY_PROFILE: "" })).toEqual({ clientId: "d" });
  expect(given([], { LATCHKEY_PROFILE: "a" })).toEqual({ clientId: "a" });
  expect(given(["--profile", "b"], { LATCHKEY_PROFILE: "a" })).toEqual({ clientId: "b" });
});

test("a profile takes every option that text can set, and TOML's own types", () => {
  const values: Readonly<Record<string, string>> = {
    boolean: "false",
    port: "[8765, 0]",
    seconds: "30",
    age: "0",
    count: "1",
    resources: '["https://api.example.com", "urn:a"]',
    acrValues: '["a", "b"]',
    scopes: '["openid", "a"]',
    path: '"/etc/x"',
  };
  const rows = optionTable.filter(({ text }) => text === "all");
  home.configure(
    `[profile.all]\n${rows.map((row) => `${flagOf(row)} = ${values[row.kind] ?? '"x"'}`).join("\n")}\n`,
  );
  const { options } = readProfile("all", machine());
  expect(Object.keys(options).toSorted()).toEqual(rows.map(({ name }) => name).toSorted());
  expect(options).toMatchObject({
    callbackPort: [8765, 0],
    pkce: false,
    scopes: ["openid", "a"],
    maxAge: 0,
    resource: ["https://api.example.com", "urn:a"],
    acrValues: ["a", "b"],
  });
});

test("an unknown key is refused with the nearest known one", () => {
  home.configure('[profile.work]\nisuer = "https://p.example"\n');
  const message = refusal(() => readProfile("work", machine()));
  expect(message).toContain("unknown key, isuer. Did you mean issuer?");
  expect(message).toContain(home.configurationFile);
});

test("a camel-case name is no key", () => {
  home.configure('[profile.work]\nclientId = "x"\n');
  expect(refusal(() => readProfile("work", machine()))).toContain("Did you mean client-id?");
});

test("a secret is refused in the file, and neither it nor its line is repeated [O07]", () => {
  home.configure('[profile.work]\nclient-secret = "hunter2"\n');
  const message = refusal(() => readProfile("work", machine()));
  expect(message).toContain("client-secret-file");
  expect(message).not.toContain("hunter2");
  home.configure('[profile.work]\nclient-secret = "hunter2\n');
  const broken = refusal(() => readProfile("work", machine()));
  expect(broken).toContain("not valid TOML (line 2");
  expect(broken).not.toContain("hunter2");
});

test("allow-insecure-http is refused in the file", () => {
  home.configure("[profile.work]\nallow-insecure-http = true\n");
  expect(refusal(() => readProfile("work", machine()))).toContain("set by its flag only");
});

test("a missing file or profile is named", () => {
  expect(refusal(() => readProfile("work", machine()))).toContain(home.configurationFile);
  home.configure('[profile.work]\nclient-id = "x"\n');
  const message = refusal(() => readProfile("wrok", machine()));
  expect(message).toContain(`[profile.wrok] in ${home.configurationFile}`);
  expect(message).toContain("Known: work.");
});

test("a profile name is no path and no word from the prototype chain [C05]", () => {
  home.configure('[profile.work]\nclient-id = "x"\n');
  for (const name of ["../work", "a/b", "", "-x", ".", "..", "a\u0000b", "a".repeat(65), "wörk"]) {
    expect(refusal(() => readProfile(name, machine()))).toContain("not a name for a profile");
  }
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    expect(refusal(() => readProfile(name, machine()))).toContain("There is no table");
  }
});

test("__proto__ in the file sets nothing [P05]", () => {
  home.configure(
    '[profile.work]\nclient-id = "x"\n[profile.work.__proto__]\nissuer = "https://evil.example"\n',
  );
  expect(refusal(() => readProfile("work", machine()))).toContain("unknown key, __proto__");
  expect(({} as Record<string, unknown>)["issuer"]).toBeUndefined();
});

test("a file that others may write is refused, one that others may read is not [C02]", () => {
  home.configure('[profile.work]\nclient-id = "x"\n');
  chmodSync(home.configurationFile, 0o644);
  expect(readProfile("work", machine()).options).toEqual({ clientId: "x" });
  for (const mode of [0o664, 0o646, 0o602]) {
    chmodSync(home.configurationFile, mode);
    expect(refusal(() => readProfile("work", machine()))).toContain(
      "can be written by other users",
    );
  }
});

test.skipIf(process.getuid?.() !== 0)(
  "a file of another user is refused (needs root) [C02]",
  () => {
    home.configure('[profile.work]\nclient-id = "x"\n');
    chownSync(home.configurationFile, 12_345, 12_345);
    expect(refusal(() => readProfile("work", machine()))).toContain("belongs to user 12345");
  },
);

test("a configuration file may be a link to a dotfile", () => {
  writeFileSync(join(home.path, "dotfile"), '[profile.work]\nclient-id = "x"\n', { mode: 0o600 });
  mkdirSync(join(home.path, ".config", "latchkey"), { recursive: true });
  symlinkSync(join(home.path, "dotfile"), home.configurationFile);
  expect(readProfile("work", machine()).options).toEqual({ clientId: "x" });
});

test("nothing in the working directory is read, and no path of a profile starts there [P04]", () => {
  writeFileSync(join(home.path, "config.toml"), '[profile.work]\nclient-id = "planted"\n');
  writeFileSync(join(home.path, "latchkey.toml"), '[profile.work]\nclient-id = "planted"\n');
  writeFileSync(join(home.path, ".env"), "LATCHKEY_CLIENT_ID=planted\n");
  expect(readSettings(parseArguments(["token"]), machine(), profiles).given).toEqual({});
  expect(refusal(() => readProfile("work", machine()))).toContain("does not exist");
  for (const key of ["ca-cert-path", "cache-path", "client-secret-file"]) {
    home.configure(`[profile.work]\n${key} = "planted.pem"\n`);
    expect(refusal(() => readProfile("work", machine()))).toContain(`${key} in [profile.work]`);
    home.configure(`[profile.work]\n${key} = "~/mine"\n`);
    expect(() => readProfile("work", machine())).not.toThrow();
  }
});

test("of several secrets the nearest counts: flag's file, environment, profile's file", () => {
  home.configure('[profile.work]\nclient-secret-file = "/profile"\n');
  const read = (typed: string[], environment: Record<string, string>): unknown => {
    const { given, clientSecretFile } = readSettings(
      parseArguments(["token", ...typed]),
      machine(environment),
      profiles,
    );
    return [given["clientSecret"], clientSecretFile];
  };
  const profile = ["--profile", "work"];
  const environment = { LATCHKEY_CLIENT_SECRET: "from-environment" };
  expect(read(profile, {})).toEqual([undefined, "/profile"]);
  expect(read(profile, environment)).toEqual(["from-environment", undefined]);
  expect(read([...profile, "--client-secret-file=/flag"], environment)).toEqual([
    undefined,
    "/flag",
  ]);
});
