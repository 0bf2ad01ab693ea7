// The version of this package. Changes when it stands somewhere else.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The version in the package's own package.json, wherever the bundler has put this module below it. */
export function packageVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const parent = dirname(folder);
    try {
      const about: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (
        typeof about === "object" &&
        about !== null &&
        "name" in about &&
        about.name === "latchkey"
      ) {
        return "version" in about && typeof about.version === "string" ? about.version : "unknown";
      }
    } catch {
      // No package.json here: look further up.
    }
    if (parent === folder) return "unknown";
    folder = parent;
  }
}
