// Makes what follows from the option table (the option names and types, the reference table of the documentation) and
// from the commands.
// `node scripts/generate.mjs` writes them; with `--check` it fails where a file differs.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOutputs } from "./generated-commands.mjs";
import { loadSource } from "./load-source.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const { optionTable, flagOf, environmentNameOf, wordsOfKind } =
  await loadSource("src/options/table.ts");
const { optionTexts } = await loadSource("src/options/text.ts");

/** @param {readonly string[]} words */
function oneOf(words) {
  return words.map((word) => JSON.stringify(word)).join(" | ");
}

const typeOfKind = {
  issuer: "string",
  endpoint: "string",
  redirectUri: "string",
  text: "string",
  secret: "string",
  path: "string",
  command: "string",
  host: "string",
  prompt: "string",
  flow: oneOf(wordsOfKind.flow),
  responseMode: oneOf(wordsOfKind.responseMode),
  boolean: "boolean",
  seconds: "number",
  age: "number",
  count: "number",
  port: "number | readonly number[]",
  scopes: "readonly string[]",
  resources: "string | readonly string[]",
  acrValues: "readonly string[]",
  parameters: "Readonly<Record<string, string>>",
  store: "object",
};
const typeOfFunction = { onPrompt: "PromptHandler", logger: "Logger" };

function typeOf(row) {
  const type = row.kind === "function" ? typeOfFunction[row.name] : typeOfKind[row.kind];
  if (type === undefined) throw new Error(`no type for option ${row.name}`);
  return type;
}

function shownDefault(row) {
  return row.default === undefined ? "undefined" : JSON.stringify(row.default);
}

function wrapped(text, indent) {
  const lines = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + 3 + line.length + 1 + word.length > 100) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function comment(row, kind) {
  const { meaning, clientMeaning } = optionTexts[row.name];
  const said = kind === "client" ? (clientMeaning ?? meaning) : meaning;
  const text = `${said} Default: \`${shownDefault(row)}\`.`;
  const lines = wrapped(text, "  ");
  return lines.length === 1
    ? `  /** ${lines[0]} */`
    : `  /**\n${lines.map((line) => `   * ${line}`).join("\n")}\n   */`;
}

function optionInterface(name, words, kind) {
  const members = optionTable
    .filter((row) => row.credentials.includes(kind))
    .map((row) => `${comment(row, kind)}\n  ${row.name}?: ${optional(typeOf(row))};`);
  return `/** ${words} */\nexport interface ${name} {\n${members.join("\n")}\n}\n`;
}

function optional(type) {
  return `${type} | undefined`;
}

function resolvedInterface() {
  const members = optionTable.map((row) => {
    const type = row.default === undefined ? optional(typeOf(row)) : typeOf(row);
    return `  readonly ${row.name}: ${type};`;
  });
  return `/** Every option with its value: given or default. */\nexport interface ResolvedOptions {\n${members.join("\n")}\n  /** The names of the options that were given. */\n  readonly explicit: ReadonlySet<string>;\n}\n`;
}

const types = `// The option types. Made from the option table by \`npm run generate\`: change options/table and options/text instead.

import type { Logger } from "../core/events.ts";
import type { PromptHandler } from "../core/prompt.ts";

${optionInterface("InteractiveOptions", "Options of an interactive sign-in.", "interactive")}
${optionInterface("ClientOptions", "Options of a sign-in with client credentials.", "client")}
${resolvedInterface()}`;

const names = `// The names of the options. Made from the option table by \`npm run generate\`: change options/table instead.

/** Every option of the table. */
export type OptionName =
${optionTable.map((row) => `  | "${row.name}"`).join("\n")};
`;

function cell(text) {
  return text.replaceAll("|", "\\|");
}

function meaningCell(row) {
  const { meaning, clientMeaning } = optionTexts[row.name];
  return clientMeaning === undefined
    ? meaning
    : `${meaning} For \`OidcCredentialsAuth\`: ${clientMeaning}`;
}

const rows = optionTable.map((row) => {
  const flag =
    row.text === "secret"
      ? "`--client-secret-file`"
      : row.text === "none"
        ? ""
        : `\`--${row.kind === "boolean" && row.default === true ? "no-" : ""}${flagOf(row)}\``;
  const variable =
    row.text === "all" || row.text === "secret" ? `\`${environmentNameOf(row)}\`` : "";
  return `| \`${row.name}\` | ${cell(`\`${shownDefault(row)}\``)} | ${flag} | ${variable} | ${row.inKey ? "yes" : ""} | ${cell(meaningCell(row))} |`;
});

const reference = `# Options

Made from the option table by \`npm run generate\`. Precedence: flag, environment variable, profile, default. A profile's
keys are the flags' names without the dashes in front. "Key": two values have cached sign-ins of their own.

| option | default | flag | environment variable | key | meaning |
|---|---|---|---|---|---|
${rows.join("\n")}
`;

const outputs = {
  "src/core/option-names.ts": names,
  "src/options/types.ts": types,
  "docs/options.md": reference,
  ...(await commandOutputs()),
};
let stale = false;
for (const [path, content] of Object.entries(outputs)) {
  const file = join(root, path);
  if (process.argv.includes("--check")) {
    let current = "";
    try {
      current = readFileSync(file, "utf8");
    } catch {
      // A missing file differs as well.
    }
    if (current !== content) {
      stale = true;
      console.error(`${path} is not what it is made from: run npm run generate`);
    }
  } else {
    writeFileSync(file, content);
  }
}
if (stale) process.exitCode = 1;
