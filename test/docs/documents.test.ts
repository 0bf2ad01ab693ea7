// The documents, held against the code that they speak of. Changes when a document promises another kind of thing.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { knownFlags, parseArguments } from "../../src/cli/arguments.ts";
import { grammar } from "../../src/cli/command-grammar.ts";
import { readProfile } from "../../src/cli/profile.ts";
import { serverRows } from "../../src/cli/server-table.ts";
import { exitWords } from "../../src/cli/render/help-words.ts";
import { unknownVariableWarnings } from "../../src/cli/variables.ts";
import { decisionsFor, errorCodes, reasonsOf } from "../../src/core/error-table.ts";
import { errorTexts } from "../../src/core/error-texts.ts";
import { thisMachine } from "../../src/options/paths.ts";
import { optionTable } from "../../src/options/table.ts";
import { runLatchkey, scratchHome } from "../support/command-line.ts";
import { json, startHostileServer } from "../support/hostile-server.ts";
import { startIdentityProvider } from "../support/identity-provider.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const documents = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`),
];

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

interface Block {
  readonly document: string;
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = documents.flatMap((document) =>
  [...read(document).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    document,
    language: language ?? "",
    text: text ?? "",
  })),
);

function blocksOf(language: string): readonly Block[] {
  return blocks.filter((block) => block.language === language);
}

/** The rows of the tables of a document, as their cells. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row]) =>
    (row ?? "").split("|").map((cell) => cell.trim()),
  );
}

function inBackticks(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? "");
}

/** The paragraphs of a document outside of its blocks. */
function withoutBlocks(text: string): readonly string[] {
  return text.replace(/^```[\s\S]*?^```$/gm, "").split("\n\n");
}

/** The words of each command line in a block, `npx` and what stands around a substitution taken away. */
function latchkeyCommands(block: Block): readonly (readonly string[])[] {
  return (
    block.text
      .split("\n")
      .flatMap((line) => [...line.matchAll(/\blatchkey ([^"|)<>#]*)/g)])
      // What is quoted is one word.
      .map(([, words]) => (words ?? "").trim().match(/'[^']*'|\S+/g) ?? [])
  );
}

test("each JavaScript block is an example, to the letter", () => {
  const code = blocksOf("js");
  expect(code.length).toBeGreaterThan(0);
  for (const { document, text } of code) {
    const name = /^\/\/ (examples\/[\w-]+\.mjs)\b/.exec(text)?.[1];
    expect(name, `${document}: a block without the name of its example`).toBeDefined();
    expect(text, `${document} and ${name}`).toBe(read(name ?? ""));
  }
  const shown = new Set(code.map(({ text }) => /examples\/([\w-]+\.mjs)/.exec(text)?.[1]));
  expect(shown).toEqual(new Set(readdirSync(join(root, "examples"))));
});

test("errors.md has every code with its exit status, in the same order, and no other", () => {
  const rows = rowsOf(read("docs/errors.md")).filter(
    ([code, exit]) => code?.startsWith("`") && /^\d/.test(exit ?? ""),
  );
  expect(rows.map(([code, exit]) => `${code} ${exit}`)).toEqual(
    errorCodes.map(
      (code) =>
        `\`${code}\` ${decisionsFor(code).exitCode}${decisionsFor(code).retry === "retryable" ? ", retryable" : ""}`,
    ),
  );
  for (const row of rows) expect(row.filter((cell) => cell === "")).toEqual([]);
});

test("errors.md says of every code and every reason what its text says", () => {
  const rows = new Set(rowsOf(read("docs/errors.md")).map((cells) => cells.join(" ")));
  const missing = errorCodes.flatMap((code) => {
    const reasons: Readonly<Record<string, string>> = errorTexts[code].reasons;
    return reasonsOf(code).filter(
      (reason) =>
        !rows.has(`\`${code}\` \`${reason}\` ${reasons[reason]}`) &&
        !rows.has(`\`${reason}\` ${reasons[reason]}`),
    );
  });
  expect(missing).toEqual([]);
});

// The contract's codes; those of configuration from a server, of stores and of the resource server are still to come.
const promised =
  `invalid_option missing_issuer missing_client_id insecure_url ca_bundle_invalid server_config_failed
  server_config_changed issuer_untrusted resource_mismatch discovery_failed issuer_mismatch endpoint_invalid
  no_interactive_flow callback_port_in_use callback_timeout callback_invalid state_mismatch access_denied
  authorization_failed device_code_expired login_required interaction_pending subject_changed aborted
  token_request_failed token_response_invalid id_token_invalid network timeout tls response_too_large redirect_refused
  rate_limited cache_insecure cache_unreadable cache_write_failed cache_locked store_unavailable keychain_unavailable
  invalid_request invalid_token insufficient_scope provider_unavailable`.split(/\s+/);

test("every code is one of the contract's, but for what this process cannot do", () => {
  expect(errorCodes.filter((code) => !promised.includes(code))).toEqual([
    "registration_failed",
    "runtime_unavailable",
  ]);
});

test("the README's exit statuses are those of --help", () => {
  const rows = rowsOf(read("README.md")).filter(([status]) => /^\d+(?:, \d+)?$/.test(status ?? ""));
  expect(rows).toEqual(exitWords.map((row) => [...row]));
});

test("the README's troubleshooting names codes and options that exist", () => {
  const section = read("README.md").split("## When it does not work")[1]?.split("\n## ")[0] ?? "";
  const rows = rowsOf(section).filter(([code]) => code?.startsWith("`"));
  expect(rows.length).toBeGreaterThan(5);
  const codes = rows.flatMap(([code = ""]) => inBackticks(code).map((text) => text.split(":")[0]));
  expect(
    codes.filter((code) => !(errorCodes as readonly (string | undefined)[]).includes(code)),
  ).toEqual([]);
  const options = new Set(optionTable.map(({ name }) => name));
  const words = rows.flatMap(([, , change = ""]) => inBackticks(change));
  expect(words.filter((word) => /^[a-z]+[A-Z]\w*$/.test(word) && !options.has(word))).toEqual([]);
});

test("every command in a shell block is one that the command line understands", () => {
  const commands = blocksOf("sh").flatMap(latchkeyCommands);
  expect(commands.length).toBeGreaterThan(10);
  const refusals = commands.flatMap((words) => {
    try {
      parseArguments(words);
      return [];
    } catch (error) {
      return [`latchkey ${words.join(" ")}: ${String(error)}`];
    }
  });
  expect(refusals).toEqual([]);
});

test("moving.md: every command in its tables is one that the command line understands", () => {
  const commands = rowsOf(read("docs/moving.md"))
    .flatMap((cells) => cells.flatMap(inBackticks))
    .filter((text) => text.startsWith("latchkey "));
  expect(commands.length).toBeGreaterThan(20);
  const refusals = commands.flatMap((command) => {
    const words = command.match(/"[^"]*"|\S+/g) ?? [];
    try {
      parseArguments(words.slice(1).map((word) => word.replaceAll('"', "")));
      return [];
    } catch (error) {
      return [`${command}: ${String(error)}`];
    }
  });
  expect(refusals).toEqual([]);
});

test.each(documents)("%s: every flag and variable that it names exists", (document) => {
  const flags = new Set(knownFlags());
  const named = withoutBlocks(read(document)).flatMap(inBackticks);
  const unknown = named
    // Node's own flags.
    .filter((code) => !/^(?:node |NODE_OPTIONS=)/.test(code))
    .flatMap((code) =>
      [...code.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g)].map(([, flag]) => flag ?? ""),
    )
    .filter((flag) => !flags.has(flag));
  expect(unknown).toEqual([]);
  const variables = [...read(document).matchAll(/\bLATCHKEY_\w+/g)].map(([name]) => name);
  expect(unknownVariableWarnings(Object.fromEntries(variables.map((name) => [name, "x"])))).toEqual(
    [],
  );
});

test("command-line.md has every command", () => {
  const listed = rowsOf(read("docs/command-line.md")).flatMap(([cell = ""]) =>
    inBackticks(cell).map((text) => text.replace("latchkey ", "")),
  );
  const commands = grammar.commands.flatMap((each) => [each, ...each.subcommands]);
  expect(listed.toSorted()).toEqual(commands.map(({ path }) => path).toSorted());
});

test.each(blocksOf("toml"))("$document: its profiles can be read", ({ document, text }) => {
  const place = mkdtempSync(join(tmpdir(), "latchkey-docs-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  mkdirSync(join(place, "latchkey"), { mode: 0o700 });
  writeFileSync(join(place, "latchkey", "config.toml"), text, { mode: 0o600 });
  const machine = {
    ...thisMachine({ XDG_CONFIG_HOME: place, HOME: place }),
    platform: "linux" as const,
  };
  const names = [...text.matchAll(/^\[profile\.([\w-]+)\]$/gm)].map(([, name]) => name ?? "");
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const { clientId, server } = readProfile(name, machine).options;
    expect(clientId ?? server).toEqual(expect.any(String));
  }
  for (const { profile } of serverRows(text, document).values()) expect(names).toContain(profile);
});

test.each(documents)("%s: every link within the repository leads somewhere", (document) => {
  const links = [...read(document).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link ?? "");
  const dead = links
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => !existsSync(join(root, dirname(document), link)));
  expect(dead).toEqual([]);
});

test.each(documents)("%s names no path of one machine, and does not shout", (document) => {
  const prose = withoutBlocks(read(document)).join("\n");
  expect(prose.match(/\/(?:work|root|home\/\w+|tmp)\/\S*/g)).toBeNull();
  expect(prose.match(/\w!(?:\s|$)/g)).toBeNull();
});

test("the table of the house in design.md is the one that the import test enforces", () => {
  const source = read("test/structure/imports.test.ts");
  const listOf = (name: string): Map<string, readonly string[]> => {
    const body =
      new RegExp(`const ${name}\\b[^=]*= \\{([\\s\\S]*?)\\n\\};`).exec(source)?.[1] ?? "";
    const entries = [...body.matchAll(/^ {2}"?([\w-]+)"?: \[([^\]]*)\]/gm)];
    return new Map(
      entries.map(([, part = "", list = ""]) => [
        part,
        [...list.matchAll(/"([^"]+)"/g)].map(([, item]) => item ?? ""),
      ]),
    );
  };
  const rows = rowsOf(read("docs/design.md").split("## The house")[1]?.split("\n## ")[0] ?? "");
  const parts = rows.filter(([part]) => part?.startsWith("`"));
  const column = (index: number): Map<string, readonly string[]> =>
    new Map(
      parts.map((cells) => [inBackticks(cells[0] ?? "")[0] ?? "", inBackticks(cells[index] ?? "")]),
    );
  const allowed = listOf("mayImport");
  expect(allowed.size).toBeGreaterThan(10);
  expect(column(2)).toEqual(allowed);
  const later = new Map([...column(3)].filter(([, list]) => list.length > 0));
  expect(later).toEqual(listOf("mayLoadLater"));
});

test("design.md names the files of the composition and of the vocabulary that the import test names [F-D2]", () => {
  const source = read("test/structure/imports.test.ts");
  const setOf = (name: string): readonly string[] => {
    const body = new RegExp(`const ${name} = new Set\\(\\[([\\s\\S]*?)\\]\\)`).exec(source)?.[1];
    return [...(body ?? "").matchAll(/"([^"]+)"/g)].map(([, file]) => file ?? "");
  };
  const house = read("docs/design.md").split("## The house")[1]?.split("\n## ")[0] ?? "";
  const row = rowsOf(house).find(([part]) => part === "`composition`");
  const composition = setOf("compositionRoot");
  expect(composition.length).toBeGreaterThan(1);
  expect(inBackticks(row?.[1] ?? "").toSorted()).toEqual(composition.toSorted());
  const paragraph = house.split("\n\n").find((text) => text.includes("**vocabulary**")) ?? "";
  const vocabulary = setOf("vocabulary");
  expect(vocabulary.length).toBeGreaterThan(1);
  expect(inBackticks(paragraph).toSorted()).toEqual(vocabulary.toSorted());
});

test("the README's commands get a token from a real provider, by profile and by flags alike [F-U3]", async () => {
  const provider = await startIdentityProvider();
  onTestFinished(() => provider.close());
  const home = await scratchHome();
  onTestFinished(() => home.remove());
  const browser = fileURLToPath(new URL("../support/browser-command.mjs", import.meta.url));
  const env = { BROWSER: `${process.execPath} ${browser}`, LATCHKEY_CALLBACK_PORT: "0" };
  const commands = blocksOf("sh")
    .filter(
      ({ document, text }) => document === "README.md" && text.includes("latchkey setup --issuer"),
    )
    .flatMap(latchkeyCommands)
    .map((words) =>
      words.map((word) =>
        word
          .replace("https://id.example.com", provider.issuer)
          .replace(/^my-cli$/, provider.clients.public.clientId),
      ),
    );
  expect(commands.map(([name]) => name)).toEqual(["setup", "token", "token"]);
  const [setup = [], byProfile = [], byFlags = []] = commands;
  const signedIn = await runLatchkey(setup, { home: home.path, env });
  expect([signedIn.code, signedIn.stdout]).toEqual([0, ""]);
  expect(signedIn.stderr).toMatch(/Signed in to 127\.0\.0\.1:\d+ as /);
  provider.resetRequests();
  const printed = await runLatchkey(byProfile, { home: home.path, env });
  expect([printed.code, printed.stderr]).toEqual([0, ""]);
  expect(printed.stdout).toMatch(/^\S+\n$/);
  expect(await runLatchkey(byFlags, { home: home.path, env })).toMatchObject({
    code: 0,
    stdout: printed.stdout,
  });
  expect(provider.requests().total).toBe(0);
  expect(provider.secretsIssued()).toContain(printed.stdout.trim());
});

test("the guide of servers: its document, as it stands there, signs in by the address alone", async () => {
  const provider = await startIdentityProvider();
  onTestFinished(() => provider.close());
  const home = await scratchHome();
  onTestFinished(() => home.remove());
  const server = await startHostileServer();
  onTestFinished(() => server.close());
  const here = (text: string): string =>
    text
      .replaceAll("https://data.example.com", server.origin)
      .replaceAll("https://id.example.com", provider.issuer)
      .replaceAll("my-cli", provider.clients.public.clientId);
  const guide = blocks.filter(({ document }) => document === "docs/servers.md");
  const [published] = guide.filter(({ language }) => language === "json");
  server.behave(json(JSON.parse(here(published?.text ?? ""))));
  const [profile] = guide.filter(({ language }) => language === "toml");
  mkdirSync(join(home.path, ".config/latchkey"), { recursive: true, mode: 0o700 });
  writeFileSync(join(home.path, ".config/latchkey/config.toml"), here(profile?.text ?? ""));
  const browser = fileURLToPath(new URL("../support/browser-command.mjs", import.meta.url));
  const env = { BROWSER: `${process.execPath} ${browser}`, LATCHKEY_CALLBACK_PORT: "0" };
  const outputs: string[] = [];
  for (const words of guide.filter(({ language }) => language === "sh").flatMap(latchkeyCommands)) {
    const ran = await runLatchkey(words.map(here), { home: home.path, env });
    expect([words, ran.code, ran.stderr.includes("Signed in")]).toEqual([
      words,
      0,
      outputs.length === 0,
    ]);
    outputs.push(ran.stdout);
  }
  const [byAddress, byProfile, status, pins] = outputs;
  expect(byAddress).toMatch(/^\S+\n$/);
  expect(byProfile).toBe(byAddress);
  for (const text of [status, pins]) expect(text).toContain(server.origin);
  expect(server.requests).toHaveLength(1);
});
