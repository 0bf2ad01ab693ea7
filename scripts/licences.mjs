// The licences of the packages of others that are part of what is built.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";

/** @typedef {import("rolldown").OutputChunk} OutputChunk */

/** The folder of the package that a bundled module comes from. @param {string} moduleId */
export function packageFolder(moduleId) {
  const marker = `${sep}node_modules${sep}`;
  const start = moduleId.lastIndexOf(marker);
  if (start === -1) return undefined;
  const [scopeOrName = "", name = ""] = moduleId.slice(start + marker.length).split(sep);
  const folder = scopeOrName.startsWith("@") ? join(scopeOrName, name) : scopeOrName;
  return join(moduleId.slice(0, start), "node_modules", folder);
}

/** The licences of everything that was bundled. @param {string} output the folder of the build @param {readonly OutputChunk[]} chunks */
export function writeLicences(output, chunks) {
  const folders = new Set(
    chunks
      .flatMap(({ moduleIds }) => moduleIds)
      .map((id) => packageFolder(id))
      .filter((folder) => folder !== undefined),
  );
  const texts = [...folders].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} is bundled and has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  const head = "These packages are part of the files here.\n";
  writeFileSync(
    join(output, "THIRD_PARTY_LICENSES"),
    [head, ...texts].join(`\n${"-".repeat(80)}\n\n`),
  );
}
