// Every part that is loaded late is loaded in the one way that tells a failure and forgets it.

import { expect, test } from "vitest";
import { isProduct, readSource, sourceFiles } from "./sources.ts";

// What is built into Node cannot fail to load, and the warm command has nothing else that could tell of it.
const exceptions = ["cli/latchkey.ts"];

test("[F-T1] no import() stands outside of loadPart", () => {
  const bare = sourceFiles()
    .filter(isProduct)
    .filter((path) => !exceptions.includes(path))
    .flatMap((path) =>
      [...readSource(path).matchAll(/^.*\bimport\(.*$/gm)]
        .map(([line]) => line.trim())
        .filter((line) => !line.startsWith("//") && !line.startsWith("*"))
        .filter(
          (line) => !/loadPart\(\s*\(\) => import\(/.test(line) && !line.includes('import("node:'),
        )
        .map((line) => `${path}: ${line}`),
    );
  // Of the table of commands, the program hands one to loadPart.
  expect(
    bare.filter((line) => !/^cli\/commands\/runs\.ts: "?[\w-]+"?: \(\) =>/.test(line)),
  ).toEqual([]);
});
