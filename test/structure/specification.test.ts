// What sources, tests and pages name is to be found in the specification. Changes when the specification has another
// form.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** What tests install below themselves is not walked through: a cold disk took longer for it than a unit test may. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() && /\.(ts|mts|mjs|md|pml)$/.test(path) ? [path] : [];
    })
    .filter((path) => !path.startsWith("test/structure/specification."))
    .toSorted();
}

const pages = filesBelow("docs").filter((path) => path.endsWith(".md"));
const catalogue = read("docs/threats.md");
const [required = "", notYet = ""] = catalogue.split("\n## Not applicable yet\n");

/** The first cells of a part of the catalogue that are ids, in their order. */
function rowsOf(text: string): readonly string[] {
  return [...text.matchAll(/^\| ((?:F-)?[A-Z]\d{1,2}|F-P [a-z0-9-]+) \|/gm)].map(
    ([, id]) => id ?? "",
  );
}

// Catalogue ids in a list, and the ends of "L06 to L11". Findings only count in brackets, with their `F-` or without.
const listed = /(?<=[\s[(,"])(?:[ABCDKLNOPRSTV]\d{2}|I[1-5])(?=[\s\]),.;:"])/g;
const bracketed = /[[(]((?:F-)?[A-Z]\d{1,2}|(?:F-)?P [a-z][a-z0-9-]+)[\]),]/g;
const range = /\b([A-Z])(\d{2}) to \1(\d{2})\b/g;

function idsIn(text: string): ReadonlySet<string> {
  return new Set([
    ...[...text.matchAll(listed)].map(([id]) => id),
    ...[...text.matchAll(bracketed)].map(([, id]) => id ?? ""),
    ...[...text.matchAll(range)].flatMap(([, letter = "", from, to]) =>
      Array.from(
        { length: Number(to) - Number(from) + 1 },
        (_, index) => letter + String(Number(from) + index).padStart(2, "0"),
      ),
    ),
  ]);
}

test("each id has one row in docs/threats.md", () => {
  const rows = [...rowsOf(required), ...rowsOf(notYet)];
  expect(rows.length).toBeGreaterThan(200);
  expect(rows.filter((id, at) => rows.indexOf(id) !== at)).toEqual([]);
});

test("each id in sources, tests and pages has a row in docs/threats.md", () => {
  const rows = new Set([...rowsOf(required), ...rowsOf(notYet)]);
  const unknown = ["src", "test", "docs"]
    .flatMap(filesBelow)
    .filter((path) => path !== "docs/threats.md")
    .flatMap((path) =>
      [...idsIn(read(path))].filter((id) => !rows.has(id)).map((id) => `${path}: ${id}`),
    );
  expect(unknown).toEqual([]);
});

test("each row is named by a test, except where the page says that none names it", () => {
  const named = new Set(
    ["src", "test"]
      .flatMap(filesBelow)
      .filter((path) => path.startsWith("test/") || path.includes(".test."))
      .flatMap((path) => [...idsIn(read(path))]),
  );
  const exempt = /^(I\d(?:, I\d)* and I\d) are named by no test/m.exec(required)?.[1] ?? "";
  const unnamed = rowsOf(required).filter((id) => !named.has(id));
  expect(unnamed).toEqual(exempt.match(/I\d/g));
  expect(rowsOf(notYet).filter((id) => named.has(id))).toEqual([]);
});

test("each page that a comment names is there, with its step", () => {
  const steps = new Set(
    [...read("docs/lock/protocol.md").matchAll(/^### Step (\d)\./gm)].map(([, step]) => step ?? ""),
  );
  expect(steps.size).toBeGreaterThan(5);
  const missing = ["src", "test", "scripts", "bench", "demo", "examples"]
    .flatMap(filesBelow)
    .filter((path) => !path.endsWith(".md"))
    .flatMap((path) => {
      const comments = [...read(path).matchAll(/\/\/.*|\/\*[\s\S]*?\*\//g)]
        .map(([text]) => text.replaceAll(/\n\s*(?:\/\/|\*) ?/g, " "))
        .join("\n");
      const named = [...comments.matchAll(/(?<![\w./:-])[\w/-]+\.(?:md|pml)\b/g)].map(
        ([page]) => page,
      );
      const ofSteps = [
        ...comments.matchAll(
          /steps? (\d)(?: or (\d))? of docs\/lock\/protocol|protocol\.md,\s+step (\d)/g,
        ),
      ].flatMap((found) => found.slice(1).filter((step) => step !== undefined));
      return [
        ...named
          .filter((page) => !["", dirname(path)].some((at) => existsSync(join(root, at, page))))
          .map((page) => `${path}: ${page}`),
        ...ofSteps.filter((step) => !steps.has(step)).map((step) => `${path}: step ${step}`),
      ];
    });
  expect(missing).toEqual([]);
});

test("each file of the repository that a page names is there", () => {
  const missing = [...pages, "README.md", "CONTRIBUTING.md", "SECURITY.md"].flatMap((page) =>
    [...read(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|md|pml))`/g)]
      .map(([, path]) => path ?? "")
      .filter((path) => !["", "src"].some((at) => existsSync(join(root, at, path))))
      .map((path) => `${page}: ${path}`),
  );
  expect(missing).toEqual([]);
});
