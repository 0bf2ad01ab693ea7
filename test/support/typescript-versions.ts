// Other versions of TypeScript.

import { join } from "node:path";
import { npmPackages } from "./installed-once.ts";

/** The path of `tsc` in the newest version of a range such as `~5.9` that was there when it was installed. */
export async function compilerOf(range: string): Promise<string> {
  const name = `typescript-${range.replace(/[^\d.]/g, "")}`;
  const modules = await npmPackages(name, [`typescript@${range}`]);
  return join(modules, "typescript", "bin", "tsc");
}
