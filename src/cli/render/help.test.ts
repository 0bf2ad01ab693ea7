// `--help`, captured at two widths, so that it can be read and changed as a whole.

import { expect, test } from "vitest";
import { optionTable } from "../../options/table.ts";
import { optionTexts } from "../../options/text.ts";
import { commandNames, grammar } from "../command-grammar.ts";
import { commandAt, createGrammar, flagRows } from "../grammar.ts";
import {
  commandHelp,
  examples,
  optionLine,
  optionsHelp,
  optionSections,
  overviewHelp,
  ownHelp,
  section,
} from "./help.ts";

const configurationFile = "/home/alice/.config/latchkey/config.toml";

// A text, one with a default, a switch that is on and one that is off, a long name.
const sampleRows = ["issuer", "flow", "pkce", "offlineAccess", "callbackTimeoutSeconds"].flatMap(
  (name) => optionTable.filter((row) => row.name === name),
);

const madeUp = createGrammar([
  {
    name: "trust",
    place: 1,
    settings: "none",
    summary: "servers that were accepted",
    description: "Shows and changes what is remembered of servers.",
    examples: ["latchkey trust list"],
    subcommands: [
      { name: "list", summary: "list them", description: "Lists them.", examples: [] },
      {
        name: "accept",
        summary: "accept a changed answer",
        description: "Accepts what a server says now.",
        arguments: [{ name: "host", what: "the name of a host" }],
        flags: [{ name: "always", kind: "switch", summary: "do not ask again" }],
        examples: ["latchkey trust accept data.example.com"],
      },
    ],
  },
]);

const texts: Readonly<Record<string, (columns: number) => string>> = {
  "help-overview": (columns) => overviewHelp(configurationFile, columns),
  ...Object.fromEntries(
    grammar.commands.map((command) => [
      `help-${command.path}`,
      // Without the options, of which every new one would change all captures.
      (columns: number) =>
        [...ownHelp(command, columns), examples(command.spec.examples, columns)].join("\n\n"),
    ]),
  ),
  "help-options": (columns) =>
    optionsHelp(
      [
        section(
          "Some",
          sampleRows.map((row) => optionLine(row, optionTexts[row.name])),
          columns,
        ),
      ],
      configurationFile,
      columns,
    ).join("\n\n"),
  "help-subcommands": (columns) =>
    [
      commandHelp("trust", configurationFile, columns, madeUp),
      commandHelp("trust accept", configurationFile, columns, madeUp),
    ].join("\n\n"),
};

const captures = Object.keys(texts).flatMap((name) =>
  [80, 40].map((columns) => ({ name, columns })),
);

test.each(captures)("says what it said: $name at $columns columns", async ({ name, columns }) => {
  const text = texts[name]?.(columns) ?? "";
  await expect(`${text}\n`).toMatchFileSnapshot(`../__captures__/${name}-${String(columns)}.txt`);
});

test.each(commandNames)("help for %s fits 80 and 40 columns [F-U11]", (name) => {
  for (const columns of [80, 40]) {
    const long = [
      commandHelp(name, configurationFile, columns),
      overviewHelp(configurationFile, columns),
    ]
      .flatMap((text) => text.split("\n"))
      .filter((line) => line.length > columns)
      // A path, an address or a flag with its value stays whole.
      .filter((line) => /\S\s+\S/u.test(line.replace(/ \\\\$/u, "")));
    expect(long).toEqual([]);
  }
});

test("help has every option that text can set, once, and every flag has its words", () => {
  for (const columns of [80, 40]) {
    const typed = optionSections(columns)
      .join("\n")
      .split("\n")
      .flatMap((line) => /^ {2}(--\S+)/.exec(line)?.[1] ?? []);
    const expected = flagRows.map((row) => optionLine(row, undefined).flag);
    expect(typed.toSorted()).toEqual(expected.toSorted());
  }
  for (const row of flagRows) {
    const { flag, summary } = optionLine(row, optionTexts[row.name]);
    expect([row.name, summary.length > 5]).toEqual([row.name, true]);
    expect([row.name, flag.includes(" ")]).toEqual([row.name, row.kind !== "boolean"]);
  }
  for (const each of grammar.flags.values()) {
    if (each.kind === "option") continue;
    const { name, kind, summary, placeholder } = each.flag;
    const isSwitch = kind === "switch" || kind === "negatable";
    expect([name, summary !== "", placeholder === undefined]).toEqual([name, true, isSwitch]);
  }
});

test("help of a command that takes options ends with them and its examples", () => {
  const token = commandAt(grammar, "token");
  const text = commandHelp("token", configurationFile, 80);
  const parts = [
    ...(token === undefined ? [] : ownHelp(token, 80)),
    ...optionsHelp(optionSections(80), configurationFile, 80),
  ];
  expect(text.startsWith(`${parts.join("\n\n")}\n\nExamples:\n  curl`)).toBe(true);
  expect(commandHelp("version", configurationFile, 80)).not.toContain("For every command");
});
