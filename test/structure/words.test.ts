// The words of the library are those of the library: its users have no command line.

import { expect, test } from "vitest";
import { isProduct, readSource, sourceFiles } from "./sources.ts";

const library = sourceFiles().filter((path) => isProduct(path) && !path.startsWith("cli/"));

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

test("no message of the library names an option without backticks, in which the command line finds it [F-U14]", () => {
  const found = library.flatMap((path) => {
    const [match] =
      /(?<![\w`])[Ss]et (?:cachePath|caCertPath|callbackPort|callbackHost|clientSecret|tokenEndpoint|jwksUri)\b/.exec(
        withoutComments(readSource(path)),
      ) ?? [];
    return match === undefined ? [] : [`${path}: ${match}`];
  });
  expect(found).toEqual([]);
});
