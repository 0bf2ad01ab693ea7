// A profile is put into a file that a person wrote, and nothing of theirs is lost.

import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { warmProfile } from "./warm/profile.ts";
import { withTable, type ProfileEntries } from "./profile-edit.ts";

const entries: ProfileEntries = [
  ["issuer", "https://id.example.com"],
  ["client-id", "my-cli"],
  ["scopes", ["openid", "email"]],
  ["callback-port", [8765, 0]],
  ["open-browser", false],
];
const table =
  '[profile.work]\nissuer = "https://id.example.com"\nclient-id = "my-cli"\nscopes = ["openid", "email"]\ncallback-port = [8765, 0]\nopen-browser = false\n';

test("into an empty file, and behind what stands there", () => {
  expect(withTable("", { kind: "profile", name: "work" }, entries)).toEqual({
    text: table,
    table,
    before: "absent",
  });
  const theirs = '# mine\n[profile.other]\nissuer = "https://o.example" # why\n\n[else]\nx = 1';
  expect(withTable(theirs, { kind: "profile", name: "work" }, entries).text).toBe(
    `${theirs}\n\n${table}`,
  );
});

test("what is there already is left as it is, however it is written", () => {
  const theirs = 'profile.work = { issuer = "https://id.example.com", client-id = """my-cli""" }\n';
  const same = withTable(theirs, { kind: "profile", name: "work" }, entries.slice(0, 2));
  expect([same.before, same.text]).toEqual(["same", theirs]);
});

test("replacing keeps comments, order and the tables around it", () => {
  const theirs = [
    "# file",
    "[profile.a]",
    'issuer = "https://a.example"',
    "",
    "[profile.work] # the company's",
    "# which client",
    'client-id = "old"',
    'audience = "api"',
    "",
    "# the next one",
    "[profile.z]",
    'client-id = "z"',
    "",
  ].join("\n");
  const { text = "", before } = withTable(
    theirs,
    { kind: "profile", name: "work" },
    entries.slice(0, 2),
  );
  expect(before).toBe("different");
  expect(text).toBe(
    [
      "# file",
      "[profile.a]",
      'issuer = "https://a.example"',
      "",
      "[profile.work] # the company's",
      "# which client",
      'client-id = "my-cli"',
      'issuer = "https://id.example.com"',
      "",
      "# the next one",
      "[profile.z]",
      'client-id = "z"',
      "",
    ].join("\n"),
  );
});

test.each([
  ["an inline table", 'profile = { work = { client-id = "x" } }\n'],
  ["an inline table of another profile", 'profile = { other = { client-id = "x" } }\n'],
  ["a value over several lines", '[profile.work]\nscopes = [\n  "a",\n]\nclient-id = "x"\n'],
  ["a header inside a text", 'x = """\n[profile.work]\n"""\n[profile]\nwork.client-id = "x"\n'],
])("%s is not touched, for want of a safe way", (_name, theirs) => {
  expect(withTable(theirs, { kind: "profile", name: "work" }, entries)).toMatchObject({
    text: undefined,
    table,
  });
});

test.each([`plain`, `has "quotes"`, String.raw`C:\path`, `it's`, String.raw`it's "a\b"`, "ä € 😀"])(
  "a value reads back as it was: %s",
  (value) => {
    const { text = "" } = withTable("", { kind: "profile", name: "a.b" }, [
      ["browser-command", value],
    ]);
    expect(parse(text)).toEqual({ profile: { "a.b": { "browser-command": value } } });
  },
);

test("what is written is what a warm start reads", () => {
  const usual = entries.filter(([key]) => key !== "callback-port");
  const { text = "" } = withTable("", { kind: "profile", name: "default" }, usual);
  expect(warmProfile("default", text)).toEqual({
    issuer: "https://id.example.com",
    "client-id": "my-cli",
    scopes: "openid email",
    "open-browser": "false",
  });
});
