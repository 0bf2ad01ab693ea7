// What the Tab key offers for which words.

import { expect, test } from "vitest";
import { parseArguments } from "./arguments.ts";
import { answerTo, joinedWords, profileNames, serverNames } from "./completion-answer.ts";
import { complete } from "./completion.ts";
import { resolveOptions } from "../options/resolve.ts";
import { grammar } from "./command-grammar.ts";
import { createGrammar, type Grammar } from "./grammar.ts";
import { formatPinFile } from "../trust/pin-file.ts";
import type { ServerPin } from "../trust/pins.ts";

const profiles = (): string[] => ["work", "home"];
const servers = (): string[] => ["data.example.com", "grpcs://db.example.com:443"];
const known = { profiles, servers };

function offered(line: string, ofGrammar: Grammar = grammar): string[] {
  const completion = complete(line.split(" "), ofGrammar, known);
  return completion.kind === "candidates"
    ? completion.candidates.map(({ text }) => text)
    : [completion.kind];
}

test("every flag that is offered behind a command is one that it takes, and all of those are offered", () => {
  for (const { path, flags, settings } of grammar.commands) {
    const names = offered(`${path} -`);
    expect(new Set(names).size).toBe(names.length);
    for (const { name } of flags) expect(names).toContain(`--${name}`);
    const others = grammar.commands
      .flatMap(({ flags: all }) => all)
      .filter((flag) => flags.every(({ name }) => name !== flag.name))
      .flatMap(({ name }) => [`--${name}`, `--no-${name}`]);
    expect(names.filter((name) => others.includes(name))).toEqual([]);
    const options = ["--issuer", "--no-pkce", "--profile", "--verbose"];
    expect(options.filter((name) => names.includes(name))).toEqual(
      settings === "none" ? [] : options,
    );
    expect(names).toContain("--help");
  }
});

test("every candidate has one line to explain it, without what steers a terminal or divides the answer", () => {
  for (const line of ["", "-", "token -", "help "]) {
    const completion = complete(line.split(" "), grammar, known);
    const candidates = completion.kind === "candidates" ? completion.candidates : [];
    expect(candidates.length).toBeGreaterThan(5);
    for (const { text, summary } of candidates) {
      expect(text).toMatch(/^[a-z-]+$/);
      expect(summary).toMatch(/^[^\u0000-\u001f\u007f-\u00a0]+$/u);
    }
  }
});

test("the letter of a flag takes its value along, and a name means what it means behind the command", () => {
  expect(offered("fetch -o ")).toEqual(["files"]);
  expect(offered("fetch --header ")).toEqual([]);
  expect(offered("fetch -X trust tr")).not.toContain("trust");
  expect(offered("token --header --format ")).toEqual(["header", "bearer", "curl", "env"]);
});

test("words by their places, values by their flags", () => {
  expect(offered("to")).toContain("token");
  expect(offered("--issuer https://id.example.com ")).toContain("login");
  expect(offered("--profile token lo")).toContain("logout");
  expect(offered("completion ")).toEqual(["bash", "zsh", "fish"]);
  expect(offered("help ")).toContain("whoami");
  expect(offered("login --flow ")).toEqual(["auto", "auth_code", "device"]);
  expect(offered("login --flow=")).toEqual(["auto", "auth_code", "device"]);
  expect(offered("token --format ")).toEqual(["header", "bearer", "curl", "env"]);
  expect(offered("token --profile ")).toEqual(["work", "home"]);
  expect(offered("login --save-profile w")).toEqual(["work", "home"]);
  expect(offered("login --ca-cert-path ")).toEqual(["files"]);
  expect(offered("login --client-secret-file=")).toEqual(["files"]);
  expect(offered("login --client-id ")).toEqual([]);
  expect(offered("login --pkce=")).toEqual([]);
  expect(offered("nonsense ")).toEqual([]);
});

test("a program of its own completes itself, where one is taken", () => {
  expect(complete(["exec", "--", "git", ""], grammar, known)).toEqual({
    kind: "program",
    place: 2,
  });
  expect(offered("token -- ")).toEqual([]);
});

test("subcommands, their arguments and their flags", () => {
  const text = { summary: "it", description: "", examples: [] };
  const madeUp = createGrammar([
    {
      ...text,
      name: "trust",
      place: 1,
      settings: "none",
      subcommands: [
        { ...text, name: "list", flags: [{ name: "json", kind: "switch", summary: "it" }] },
        {
          ...text,
          name: "accept",
          arguments: [
            { name: "form", what: "a form", values: ["one", "other"] },
            { name: "file", what: "a file", completes: "file" },
            { name: "who", what: "a profile", completes: "profile" },
          ],
        },
      ],
    },
    { ...text, name: "help", place: 2, settings: "none" },
  ]);
  expect(offered("trust ", madeUp)).toEqual(["list", "accept"]);
  expect(offered("help trust ", madeUp)).toEqual(["list", "accept"]);
  expect(offered("trust list -", madeUp)).toEqual(["--json", "--help"]);
  expect(offered("trust accept ", madeUp)).toEqual(["one", "other"]);
  expect(offered("trust accept one ", madeUp)).toEqual(["files"]);
  expect(offered("trust accept one x ", madeUp)).toEqual(["work", "home"]);
});

test("the words that are offered for an option are accepted", () => {
  for (const flag of ["flow", "prompt", "response-mode", "grant-type"]) {
    const words = offered(`login --${flag} `);
    expect(words.length).toBeGreaterThan(0);
    for (const word of words) {
      const { options } = parseArguments(["login", `--${flag}`, word]);
      expect(Object.values(resolveOptions(options, "interactive"))).toContain(
        flag === "grant-type" ? "auto" : word,
      );
    }
  }
});

test("the names of profiles, and nothing that a shell could take for more", () => {
  const text = [
    "[profile.work]",
    '  [profile."a.b"]   # quoted',
    "[profile.'c.d']",
    "[profile.a.table.inside]",
    "[profile.$(touch owned)]",
    '[profile."`touch owned`"]',
    '[profile."a b"]',
    "[other.table]",
    "# [profile.no]",
    "[profile.home]\r",
  ].join("\n");
  expect(profileNames(text)).toEqual(["work", "a.b", "c.d", "home"]);
});

test("the servers that are known, for what forgets or accepts one", () => {
  expect(offered("trust forget ")).toEqual(servers());
  expect(offered("trust accept ")).toEqual(servers());
  const pin = (server: string): ServerPin => ({
    server,
    issuer: "https://id.example.com",
    clientId: "x",
    audience: undefined,
    scopes: undefined,
    acceptedBy: "person",
    pinnedAt: 0,
  });
  const text = formatPinFile([
    pin("https://data.example.com"),
    pin("grpcs://db.example.com:443"),
    pin("https://a.example/$(touch owned)"),
  ]);
  expect(serverNames(text)).toEqual(servers());
  expect(serverNames("damaged")).toEqual([]);
});

test("what readline has split is one word again", () => {
  expect(joinedWords(["--flow", "=", "dev"])).toEqual(["--flow=dev"]);
  expect(joinedWords(["--issuer", "https", ":", "//a", ":", "8443/b", ""])).toEqual([
    "--issuer",
    "https://a:8443/b",
    "",
  ]);
  expect(joinedWords(["=", "a"])).toEqual(["=a"]);
});

test("each shell has the form that it needs", () => {
  const ask = (shell: string, ...words: string[]): string =>
    answerTo(shell, ["latchkey", ...words], known);
  expect(ask("bash", "login", "--flow", "=", "dev")).toBe("device\n");
  expect(ask("zsh", "login", "--flow=dev")).toBe("auto\nauth_code\ndevice\n");
  expect(ask("fish", "login", "--flow=dev")).toBe("--flow=device\n");
  expect(ask("bash", "trust", "forget", "grpcs", ":", "//d")).toBe("//db.example.com:443\n");
  expect(ask("zsh", "trust", "forget", "grpcs://d")).toContain("grpcs://db.example.com:443\n");
  expect(ask("bash", "toke")).toBe("token\n");
  expect(ask("fish", "toke")).toContain("token\tprint an access token that is valid now\n");
  expect(ask("bash", "exec", "--env", "=", "x", "--", "git", "")).toBe(":program 6\n");
  expect(ask("zsh", "login", "--cache-path", "")).toBe(":files\n");
});
