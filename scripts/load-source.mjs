// Runs a TypeScript source of the project in a script, on a Node that cannot read it. Changes when the bundler does.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The exports of source files that share their modules. @param {readonly string[]} sources from the project's root */
export async function loadSources(sources) {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-generate-"));
  try {
    const input = Object.fromEntries(sources.map((each, place) => [`m${place}`, join(root, each)]));
    const bundle = await rolldown({ input, platform: "node" });
    await bundle.write({ dir: folder, format: "esm", entryFileNames: "[name].mjs" });
    await bundle.close();
    const load = (name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href);
    return await Promise.all(Object.keys(input).map(load));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The exports of a source file. @param {string} source its path from the project's root */
export async function loadSource(source) {
  const [module] = await loadSources([source]);
  return module;
}
