// Changes when tests turn a TypeScript module into one that any Node can run in another way.
import { mkdtemp } from "node:fs/promises";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "rolldown";

/** Bundles a module with all that it imports; the path of the one `.mjs` file. It is removed when the tests end. */
export async function bundleModule(entryPath: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "module.mjs");
  await build({
    input: entryPath,
    platform: "node",
    logLevel: "silent",
    output: { file, format: "esm", codeSplitting: false },
  });
  return file;
}
