// Every option means the same, whichever way it comes: constructor, flag, environment, profile. Made from the table.

import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveOptions } from "../options/resolve.ts";
import { environmentNameOf, flagOf, type OptionKind } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { parseArguments } from "./arguments.ts";
import * as profiles from "./profile.ts";
import { readSettings } from "./settings.ts";
import { createHome, type Home } from "./testing.ts";

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

interface Example {
  /** As a program gives it; never the default. */
  readonly value: unknown;
  /** As a flag or a variable has it. */
  readonly text: string;
  /** As TOML has it. */
  readonly toml: string;
}

function quoted(value: string): Example {
  return { value, text: value, toml: JSON.stringify(value) };
}

const examples: Readonly<Record<OptionKind, Example | undefined>> = {
  issuer: quoted("https://id.example.com/realms/a"),
  endpoint: quoted("https://id.example.com/endpoint"),
  redirectUri: quoted("http://127.0.0.1:9000/back"),
  text: quoted("a text"),
  path: quoted("/etc/some/file"),
  command: quoted("firefox --new-tab"),
  host: quoted("::1"),
  flow: quoted("device"),
  prompt: quoted("login"),
  responseMode: quoted("form_post"),
  registration: quoted("dynamic"),
  trust: quoted("pinned"),
  storage: quoted("keychain"),
  server: quoted("grpcs://data.example.com:443"),
  scopes: { value: ["openid", "a:b"], text: "openid a:b", toml: '["openid", "a:b"]' },
  acrValues: { value: ["phr", "mfa"], text: "phr mfa", toml: '["phr", "mfa"]' },
  resources: {
    value: ["https://api.example.com", "urn:a"],
    text: "https://api.example.com urn:a",
    toml: '["https://api.example.com", "urn:a"]',
  },
  boolean: undefined,
  port: { value: [9000, 0], text: "9000 0", toml: "[9000, 0]" },
  seconds: { value: 12.5, text: "12.5", toml: "12.5" },
  age: { value: 7, text: "7", toml: "7" },
  count: { value: 5, text: "5", toml: "5" },
  secret: undefined,
  parameters: undefined,
  store: undefined,
  function: undefined,
};

const rows = optionTable.filter(({ text }) => text === "all");

test.each(rows.map((row) => [row.name, row] as const))("%s", (name, row) => {
  const isSwitch = row.kind === "boolean";
  const other = row.default !== true;
  const example = isSwitch
    ? { value: other, text: String(other), toml: String(other) }
    : examples[row.kind];
  if (example === undefined) throw new Error(`no example of the kind ${row.kind}`);
  const { value, text, toml } = example;
  const flag = flagOf(row);
  const switched = other ? `--${flag}` : `--no-${flag}`;
  home.configure(`[profile.one]\n${flag} = ${toml}\n`);
  const given = (typed: readonly string[], environment: Record<string, string>): unknown => {
    const machine = {
      environment,
      platform: "linux",
      homeDirectory: home.path,
      workingDirectory: home.path,
    } as const;
    const { given: options } = readSettings(parseArguments(["token", ...typed]), machine, profiles);
    return (resolveOptions(options, "interactive") as unknown as Record<string, unknown>)[name];
  };
  expect([
    (resolveOptions({ [name]: value }, "interactive") as unknown as Record<string, unknown>)[name],
    given(isSwitch ? [switched] : [`--${flag}`, text], {}),
    given([], { [environmentNameOf(row)]: text }),
    given(["--profile", "one"], {}),
  ]).toEqual([value, value, value, value]);
});
