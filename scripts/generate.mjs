// Makes what follows from the option table, the error table, the commands and the `.proto` files: option names and types,
// the reference tables of the documentation, and the codecs of messages.
// `node scripts/generate.mjs` writes them; with `--check` it fails where a file differs.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { apiReport } from "./api-report.mjs";
import { commandOutputs } from "./generated-commands.mjs";
import { errorReference } from "./error-reference.mjs";
import { referencePage } from "./reference-page.mjs";
import { loadSource } from "./load-source.mjs";
import { protobufSource } from "./protobuf.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const { flagOf, environmentNameOf, wordsOfKind } = await loadSource("src/options/row.ts");
const { optionTable } = await loadSource("src/options/table.ts");
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
  trust: oneOf(wordsOfKind.trust),
  registration: oneOf(wordsOfKind.registration),
  storage: oneOf(wordsOfKind.storage),
  server: "string | OidcIssuerSource",
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
import type { OidcIssuerSource } from "../core/oidc-issuer.ts";

${optionInterface("InteractiveOptions", "Options of an interactive sign-in.", "interactive")}
${optionInterface("ClientOptions", "Options of a sign-in with client credentials.", "client")}
${resolvedInterface()}`;

/** A text with spaces as code: as many lines as it takes. @param {string} text */
function inLines(text) {
  const lines = [];
  let line = "";
  for (const word of text.split(/(?<= )/)) {
    if (line !== "" && line.length + word.length > 90) {
      lines.push(line);
      line = "";
    }
    line += word;
  }
  return [...lines, line].map((each) => `  ${JSON.stringify(each)}`).join(" +\n");
}

/** What a start without the option table knows of a value. */
function shortKind({ kind }) {
  return kind in wordsOfKind ? `=${wordsOfKind[kind].join("|")}` : kind;
}

const keyRows = optionTable.filter((row) => row.keyPlace !== undefined);
const placesOfKey = Array.from(
  { length: Math.max(...keyRows.map((row) => row.keyPlace)) + 1 },
  (_, place) => {
    const row = keyRows.find((each) => each.keyPlace === place);
    if (row === undefined) return "undefined";
    const isPersonal = !row.credentials.includes("client");
    return JSON.stringify([row.name, flagOf(row), row.kind, isPersonal]).replaceAll(",", ", ");
  },
);

const shortKinds = optionTable
  .filter(({ text }) => text === "all" || text === "secret")
  .map((row) => `${flagOf(row)}:${shortKind(row)}`);

const names = `// The options in their shortest form. Made from the option table by \`npm run generate\`: change options/table instead.

/** Every option of the table. */
export type OptionName =
${optionTable.map((row) => `  | "${row.name}"`).join("\n")};

/**
 * The options in the key of a record, by their places: name, flag, kind, and whether they are for a person alone.
 * An empty place is kept for an option that is still to come.
 */
export const keyOptions: readonly (
  | readonly [name: string, flag: string, kind: string, forPersonAlone: boolean]
  | undefined
)[] = [
${placesOfKey.map((each) => `  ${each},\n`).join("")}];

/**
 * The flags of options that are variables too, each with its kind or with \`=\` and its accepted words: what the warm
 * command knows of them. One text, because every byte of it is compiled at every start.
 */
export const optionKinds: string =
${inLines(` ${shortKinds.join(" ")} `)};
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
  return `| \`${row.name}\` | ${cell(`\`${shownDefault(row)}\``)} | ${flag} | ${variable} | ${row.keyPlace !== undefined ? "yes" : ""} | ${cell(meaningCell(row))} |`;
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
  "docs/errors.md": errorReference,
  "docs/reference.md": referencePage,
  "src/messages/oidc-service.ts": protobufSource(root, "proto/latchkey/v1/oidc_service.proto"),
  "src/messages/admin-service.ts": protobufSource(root, "proto/xgtproto/admin_service.proto"),
};
const isCheck = process.argv.includes("--check");

/** @param {string} path @param {string} content */
function settle(path, content) {
  const file = join(root, path);
  if (!isCheck) {
    writeFileSync(file, content);
    return;
  }
  // A missing file differs as well.
  if (existsSync(file) && readFileSync(file, "utf8") === content) return;
  console.error(`${path} is not what it is made from: run npm run generate`);
  process.exitCode = 1;
}

for (const [path, content] of Object.entries(outputs)) settle(path, content);
// Last: it reads the declarations of what was just made.
settle("docs/api.md", apiReport());
