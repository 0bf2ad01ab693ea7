// The words of the library are those of the library: its users have no command line.

import { expect, test } from "vitest";
import { optionTable } from "../../src/options/table.ts";
import { isProduct, readSource, sourceFiles } from "./sources.ts";

// Texts of docs/errors.md, which is for the command line too.
const reference = ["core/error-texts.ts", "core/server-word-texts.ts"];
const library = sourceFiles().filter(
  (path) => isProduct(path) && !path.startsWith("cli/") && !reference.includes(path),
);

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

test("no message of the library tells anybody to run a command of Latchkey [F-U14]", () => {
  const found = library.filter((path) =>
    /\blatchkey (?:login|logout|token|status|whoami|exec)\b/.test(
      withoutComments(readSource(path)),
    ),
  );
  expect(found).toEqual([]);
});

test("no message of the library names an option by itself: the command line could not name its flag [F-U14]", () => {
  const names = optionTable.map(({ name }) => name).join("|");
  // In backticks of its own, or after "Set": a mention is `option("…")` of core/wording.ts.
  const written = new RegExp(
    `(?:\\\\\`|(?<=["'][^"'\\n]*)\`)(?:${names}|login\\(\\)|logout\\(\\))(?:: [^\`]*)?\\\\?\`|(?<![\\w\`])[Ss]et (?:${names})\\b(?! \\()`,
  );
  // Texts for documents and help, in which the names are those of the library.
  const documents = ["core/wording.ts", "options/text.ts"];
  const found = library
    .filter((path) => !documents.includes(path))
    .flatMap((path) => {
      const match = written.exec(withoutComments(readSource(path)));
      return match === null ? [] : [`${path}: ${match[0]}`];
    });
  expect(found).toEqual([]);
});
