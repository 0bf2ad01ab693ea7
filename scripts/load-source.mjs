// Runs a TypeScript source of the project in a script, on a Node that cannot read it. Changes when the bundler does.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The exports of a source file. @param {string} source its path from the project's root */
export async function loadSource(source) {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-generate-"));
  try {
    const bundle = await rolldown({ input: join(root, source), platform: "node" });
    await bundle.write({ file: join(folder, "module.mjs"), format: "esm" });
    await bundle.close();
    return await import(pathToFileURL(join(folder, "module.mjs")).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
