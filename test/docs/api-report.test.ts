// The page of the public interface, held against what is built, and the reader that it is made with.

import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { statementsOf } from "../../scripts/declarations.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const report = readFileSync(`${root}docs/api.md`, "utf8");
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
};
const entries = Object.entries(manifest.exports).flatMap(([name, entry]) =>
  typeof entry === "string" ? [] : [{ name: name.replace(/^\./, "latchkey"), ...entry }],
);

test.each(entries)(
  "$name: the page has each value that it exports, and shows what it is",
  async (entry) => {
    const section = report.split(`\n## \`${entry.name}\`\n`)[1]?.split("\n## ")[0] ?? "";
    const url = pathToFileURL(`${root}${entry.default}`).href;
    const names = Object.keys((await import(url)) as object);
    expect(names.length).toBeGreaterThan(0);
    const missing = names.filter(
      (name) =>
        !new RegExp(
          `^### ${name}\\n[\\s\\S]*?^(?:abstract )?(?:class|function|const) ${name}\\b`,
          "m",
        ).test(section),
    );
    expect(missing).toEqual([]);
  },
);

test("a declaration is read with its first sentence, and without comments", () => {
  const text = `import type { A } from "./a.ts";
// A note.
/**
 * Opens {@link Door}: e.g. "/* this". And more.
 *
 * @throws {Error}
 */
export declare class Door<Kind extends "a;}" | 'b{'> {
    #private;
    /** What it is made of: "} // wood". */
    readonly wood: { readonly kind: Kind; };

    open(how?: (hand: "left" | "right") => void): \`\${string}; {\`;
}
export interface Empty {
}
export type Both = {
    a: 1;
} | "b";
`;
  expect(statementsOf(text)).toEqual([
    { said: "", code: 'import type { A } from "./a.ts";' },
    {
      said: 'Opens `Door`: e.g. "/* this".',
      code: `export declare class Door<Kind extends "a;}" | 'b{'> {
  readonly wood: { readonly kind: Kind; };
  open(how?: (hand: "left" | "right") => void): \`\${string}; {\`;
}`,
    },
    { said: "", code: "export interface Empty {\n}" },
    { said: "", code: 'export type Both = {\n  a: 1;\n} | "b";' },
  ]);
  expect(() => statementsOf("export declare class Door {")).toThrow("has no end");
});
