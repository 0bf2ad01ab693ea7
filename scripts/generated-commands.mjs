// What `npm run generate` makes from the folders of src/cli/commands: the tables of specs and of what is run.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSources } from "./load-source.mjs";

const folder = "src/cli/commands";
const root = fileURLToPath(new URL("..", import.meta.url));

/** A command's name as that of a variable. @param {string} name */
function identifier(name) {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}

/** The specs, in the order of lists, and the module that makes a grammar of them. */
async function readSpecs() {
  const names = readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  const sources = names.map((name) => `${folder}/${name}/spec.ts`);
  const [grammar, flags, ...modules] = await loadSources([
    "src/cli/grammar.ts",
    "src/cli/flags.ts",
    ...sources,
  ]);
  const specs = modules.map(({ spec }, place) => {
    if (spec?.name !== names[place]) throw new Error(`${sources[place]} is of another command`);
    return spec;
  });
  return { grammar, flags, specs: specs.toSorted((one, other) => one.place - other.place) };
}

/** A text of `--help` in Markdown: what is typed in backticks. @param {string} text */
function marked(text) {
  return text
    .replaceAll("\u00a0", " ")
    .replaceAll("|", "\\|")
    .replaceAll(/(?<![\w`])(--[a-z-]+(?: NAME)?|LATCHKEY_\w+|\[profile\.\w+\]|\[\])/g, "`$1`");
}

/** One command, or one subcommand. */
function reference({ path, spec, flags, usage }) {
  return [
    `### latchkey ${path}`,
    marked(spec.description),
    `    ${usage}`,
    flags
      .map(({ name, kind, letter, placeholder, summary }) => {
        const short = letter === undefined ? "" : `-${letter}\`, \``;
        const typed = kind === "negatable" ? `--no-${name}\`, \`--${name}` : `${short}--${name}`;
        const value = placeholder === undefined ? "" : ` ${placeholder}`;
        return `- \`${typed}${value}\`: ${marked(summary)}`;
      })
      .join("\n"),
    spec.examples.length === 0 ? "" : `\`\`\`sh\n${spec.examples.join("\n")}\n\`\`\``,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Puts text between the marks of a document. @param {string} path @param {string} mark @param {string} text */
function withGenerated(path, mark, text) {
  const document = readFileSync(join(root, path), "utf8");
  const [start, end] = [`<!-- ${mark}: made by npm run generate -->`, `<!-- end of ${mark} -->`];
  const [before, rest] = document.split(`${start}\n`);
  const [, after] = rest?.split(end) ?? [];
  if (after === undefined) throw new Error(`${path} has no marks for ${mark}`);
  return `${before}${start}\n\n${text}\n\n${end}${after}`;
}

/** What the warm command knows of flags that are not options. */
function warmFlags({ commonFlags }, specs) {
  const token = specs.find(({ name }) => name === "token");
  const flags = [...(token?.flags ?? []), ...commonFlags].filter(({ warm }) => warm);
  const kinds = flags.map(({ name, kind, values }) => {
    return `${name}:${values === undefined ? kind : `=${values.join("|")}`}`;
  });
  const namesOf = (accepts) => {
    const names = flags.filter(accepts).map(({ name }) => name);
    return JSON.stringify(` ${names.join(" ")} `);
  };
  return `// What the warm command knows of the flags of \`latchkey token\` that are not options. Made from their specs by
// \`npm run generate\`: change those instead.

/** Each with its kind, or with \`=\` and its accepted words. */
export const flagKinds =
  ${JSON.stringify(` ${kinds.join(" ")} `)};

/** Those that are variables too. */
export const variableFlags = ${namesOf(({ variable }) => variable)};

/** Those that are keys of a profile too. */
export const profileFlags = ${namesOf(({ profileKey }) => profileKey)};
`;
}

/** What the documentation says of every command. */
function documentation({ createGrammar, usageOf }, specs) {
  const { commands } = createGrammar(specs);
  const all = commands.flatMap((each) => [each, ...each.subcommands]);
  const rows = all.map(({ path, spec }) => `| \`latchkey ${path}\` | ${marked(spec.summary)} |`);
  const table = `| command | what it does |\n|---|---|\n${rows.join("\n")}`;
  const details = all.map((each) => reference({ ...each, usage: usageOf(each) }));
  const path = "docs/command-line.md";
  return { [path]: withGenerated(path, "commands", [table, ...details].join("\n\n")) };
}

/** Generated files, by path. */
export async function commandOutputs() {
  const { grammar, flags, specs } = await readSpecs();
  const names = specs.map(({ name }) => name);
  const imports = names.map(
    (name) => `import { spec as ${identifier(name)} } from "./${name}/spec.ts";`,
  );
  const elements = names.map((name) => `  ${identifier(name)},\n`);
  const runs = names.map((name) => {
    const key = identifier(name) === name ? name : JSON.stringify(name);
    return `  ${key}: () => import("./${name}/run.ts"),\n`;
  });
  const made = "Made from the folders here by `npm run generate`: change those instead.";
  return {
    [`${folder}/specs.ts`]: `// The commands in the order of lists. ${made}

import type { CommandSpec } from "../spec.ts";
${imports.join("\n")}

export const commandSpecs: readonly CommandSpec[] = [
${elements.join("")}];
`,
    [`${folder}/runs.ts`]: `// What each command does. ${made}

import type { Command } from "../context.ts";

/** By the command's name; each is loaded when it is run. */
export const runsOfCommands: Readonly<Record<string, () => Promise<{ readonly run: Command }>>> = {
${runs.join("")}};
`,
    "src/cli/warm/flags.ts": warmFlags(flags, specs),
    ...documentation(grammar, specs),
  };
}
