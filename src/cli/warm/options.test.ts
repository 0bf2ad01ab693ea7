// The readers of the warm command may know less than the full ones, but never anything else.

import { expect, test } from "vitest";
import { parseOptionText, readEnvironmentOptions } from "../../options/parse-text.ts";
import { resolveOptions } from "../../options/resolve.ts";
import { environmentNameOf, flagOf, wordsOfKind, type OptionRow } from "../../options/row.ts";
import { optionTable } from "../../options/table.ts";
import { parseArguments } from "../arguments.ts";
import { commonFlags } from "../flags.ts";
import { grammar } from "../command-grammar.ts";
import { commandAt, grammarBehind } from "../grammar.ts";
import { warmArguments } from "./arguments.ts";
import { isUsual, optionKind, warmEnvironment, warmKind } from "./options.ts";
import { meaningOf, pick, refusedOr, sequence } from "./testing.ts";

const flagsOfToken = [...(commandAt(grammar, "token")?.flags ?? []), ...commonFlags];
const textRows = optionTable.filter(({ text }) => text === "all" || text === "secret");

const values = [
  "",
  " ",
  "x",
  "true",
  "false",
  "0",
  "1",
  "2",
  "65535",
  "65536",
  "99999",
  "8765 8766",
  "1.5",
  "1e3",
  "-1",
  "2147483",
  "3000000",
  "openid email",
  "urn:example:silver",
  "https://a.example https://b.example",
  "openid openid",
  " openid  email ",
  'a"b',
  "a\tb",
  "a\nb",
  "a\\b",
  "auto",
  "device",
  "auth_code",
  "none",
  "login",
  "login consent",
  "https://id.example.com",
  "grpcs://data.example.com:443",
  "grpcs://data.example.com:99999",
  "grpcs://xn--a:443",
  "grpc://data.example.com:80",
  "https://id.example.com/",
  "https://id.example.com/a/b?c=d",
  "https://id.example.com/#x",
  "https://user@id.example.com",
  "https://id.example.com:99999",
  "https://1.2.3.999",
  "https://",
  "https://xn--",
  "http://127.0.0.1:8080/x",
  "http://localhost",
  "http://localhost.evil.example",
  "http://127.0.0.1.evil.example",
  "http://id.example.com",
  "https://id.example.com/%zz",
  "https://[::1]/",
  "ftp://id.example.com",
  "::1",
  "127.0.0.1",
  "-h",
  "query",
  "form_post",
  "pinned",
  "Query",
  "/etc/x",
  "~/x",
  "x/y",
  "ä",
  "\u2028",
  "\u0007",
  "a".repeat(4096),
  "a".repeat(4097),
];

test("the warm list of flags is the option table and the flags of token", () => {
  const words: Readonly<Partial<Record<string, readonly string[]>>> = wordsOfKind;
  for (const row of textRows) {
    const accepted = words[row.kind];
    const kind = accepted === undefined ? row.kind : `=${accepted.join("|")}`;
    expect([row.name, warmKind(flagOf(row)), optionKind(flagOf(row))]).toEqual([
      row.name,
      kind,
      kind,
    ]);
  }
  for (const flag of grammarBehind(grammar, "token").flags.values()) {
    if (flag.kind === "option") continue;
    const { name, kind, values: accepted, warm } = flag.flag;
    const known = accepted === undefined ? kind : `=${accepted.join("|")}`;
    expect([name, warmKind(name), optionKind(name)]).toEqual([
      name,
      warm === true ? known : "",
      "",
    ]);
    expect([name, warm !== true || flagsOfToken.includes(flag.flag)]).toEqual([name, true]);
  }
  // What makes another answer than a look at the cache, or says more than it.
  for (const name of ["force-refresh", "verbose", "help", "version", "allow-insecure-http"]) {
    expect(warmKind(name)).toBe("");
  }
});

test("a value that is taken quickly is one that validation accepts", () => {
  let taken = 0;
  for (const row of textRows) {
    for (const typed of values.filter((each) => isUsual(warmKind(flagOf(row)), each))) {
      taken += 1;
      const value = parseOptionText(row, typed, row.name);
      const resolved = resolveOptions({ [row.name]: value }, "interactive") as unknown as Record<
        string,
        unknown
      >;
      expect([row.name, typed, resolved[row.name]]).toEqual([row.name, typed, value]);
    }
  }
  expect(taken).toBeGreaterThan(200);
});

test("every option has a value that is taken quickly", () => {
  for (const row of textRows) {
    const kind = warmKind(flagOf(row));
    expect([row.name, values.some((typed) => isUsual(kind, typed))]).toEqual([row.name, true]);
  }
});

test("names in capitals, of two words or from the prototype chain are no flags", () => {
  for (const name of [
    "clientId",
    "constructor",
    "__proto__",
    "client--id",
    "issuer client-id",
    "text client-id",
    "issuer:issuer",
    "flow:",
    "=auto|auth_code|device",
    "",
    ":",
    " ",
  ]) {
    expect([name, warmKind(name)]).toEqual([name, ""]);
  }
});

test("an argument list that is taken quickly is the one that is understood", () => {
  const next = sequence(1);
  const flags = [
    ...optionTable.flatMap((row: OptionRow) => [`--${flagOf(row)}`, `--no-${flagOf(row)}`]),
    ...[
      "json",
      "header",
      "id-token",
      "interactive",
      "no-interactive",
      "profile",
      "help",
      "version",
    ].map((name) => `--${name}`),
    ...[
      "min-validity-seconds",
      "client-secret-file",
      "force-refresh",
      "revoke",
      "all",
      "no-json",
      "bogus",
    ].map((name) => `--${name}`),
    "--",
    "-h",
    "-",
    "token",
    "login",
    "--__proto__",
    "--constructor",
  ];
  let taken = 0;
  for (let round = 0; round < 4000; round += 1) {
    const list = ["token"];
    for (let count = next(4); count > 0; count -= 1) {
      const flag = pick(flags, next);
      const form = next(3);
      if (form === 0) list.push(flag);
      if (form === 1) list.push(`${flag}=${pick(values, next)}`);
      if (form === 2) list.push(flag, pick(values, next));
    }
    const quick = warmArguments(list);
    if (quick === undefined) continue;
    taken += 1;
    const full = refusedOr(() => parseArguments(list));
    if (full === "refused") throw new Error(`refused: ${list.join(" ")}`);
    expect([list, full.command, full.options]).toEqual([list, "token", meaningOf(quick)]);
    const said = Object.fromEntries(
      Object.entries(full.flags).map(([name, value]) => [name, String(value)]),
    );
    const flagsAlone = Object.entries(quick).filter(([name]) => optionKind(name) === "");
    expect([list, said]).toEqual([list, Object.fromEntries(flagsAlone)]);
  }
  expect(taken).toBeGreaterThan(400);
});

test("an environment that is taken quickly is the one that is read", () => {
  const next = sequence(3);
  const names = [
    ...optionTable.map(environmentNameOf),
    "LATCHKEY_JSON",
    "LATCHKEY_OTHER",
    "latchkey_issuer",
    "LATCHKEY_issuer",
    "HOME",
  ];
  let taken = 0;
  for (let round = 0; round < 3000; round += 1) {
    const environment: Record<string, string> = {};
    for (let count = next(4); count > 0; count -= 1) {
      environment[pick(names, next)] = pick(values, next);
    }
    const quick = warmEnvironment(environment);
    if (quick === undefined) continue;
    taken += 1;
    expect([environment, refusedOr(() => readEnvironmentOptions(environment))]).toEqual([
      environment,
      meaningOf(quick),
    ]);
  }
  expect(taken).toBeGreaterThan(500);
  expect(warmEnvironment({ LATCHKEY_PROFILE: "work" })).toEqual({ profile: "work" });
  expect(warmEnvironment({ LATCHKEY_FLOW: "device" })).toEqual({ flow: "device" });
  expect(warmEnvironment({ LATCHKEY_flow: "device" })).toBeUndefined();
});
