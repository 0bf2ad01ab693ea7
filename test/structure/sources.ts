// Reads the sources as a graph of imports. Changes when the language gains another way to import.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const sourceFolder: string = fileURLToPath(new URL("../../src", import.meta.url));

/** How one file refers to another. */
export type ImportKind = "static" | "type" | "dynamic";

/** One reference: `to` is a path below src, or a package or node: module as it is written. */
export interface ImportEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: ImportKind;
  readonly external: boolean;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

const statement =
  /\b(import|export)\s+(type\s+)?((?:[\w*\s{},]|\btype\b)*?)\s*from\s*["']([^"']+)["']/g;
const bare = /\bimport\s+["']([^"']+)["']/g;
const dynamic = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

function onlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  return (
    inner !== undefined &&
    inner
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
      .every((name) => name.startsWith("type "))
  );
}

/** Source files below src, relative to it, with forward slashes. */
export function sourceFiles(): readonly string[] {
  return readdirSync(sourceFolder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .toSorted();
}

let entries: readonly string[] | undefined;

/** The public entries, by package.json: `dist/x.d.ts` is made from `x.ts`. */
export function publicEntries(): readonly string[] {
  if (entries !== undefined) return entries;
  const manifest = JSON.parse(readFileSync(join(sourceFolder, "../package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  entries = Object.values(manifest.exports)
    .filter((entry) => typeof entry === "object")
    .map(({ types }) => types.replace(/^\.\/dist\//, "").replace(/\.d\.ts$/, ".ts"));
  return entries;
}

/** Files that are shipped: no tests and none of their helpers. */
export function isProduct(path: string): boolean {
  return !/(\.test(-d)?|\/testing)\.ts$/.test(path);
}

export function readSource(path: string): string {
  return readFileSync(join(sourceFolder, path), "utf8");
}

/** Every import of one file. */
export function importsOf(path: string): readonly ImportEdge[] {
  const text = withoutComments(readSource(path));
  const edges: ImportEdge[] = [];
  const add = (specifier: string, kind: ImportKind): void => {
    const external = !specifier.startsWith(".");
    const to = external
      ? specifier
      : relative(sourceFolder, resolve(sourceFolder, dirname(path), specifier)).replaceAll(
          "\\",
          "/",
        );
    edges.push({ from: path, to, kind, external });
  };
  for (const [, , type, names, specifier] of text.matchAll(statement)) {
    add(specifier ?? "", type !== undefined || onlyTypes(names ?? "") ? "type" : "static");
  }
  for (const [, specifier] of text.matchAll(bare)) add(specifier ?? "", "static");
  for (const [, specifier] of text.matchAll(dynamic)) add(specifier ?? "", "dynamic");
  return edges;
}
