// The names under which tools look for their helpers. Changes when a tool is started in another way.
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a file for each name but the command's own: that command, with the words that are meant. It is found by the
 * file's real path, next to which its parts are.
 * @param {string} root the folder of the package
 * @param {Readonly<Record<string, string>>} names files by name, as `bin` of package.json
 */
export function writeHelperNames(root, names) {
  for (const [name, file] of Object.entries(names)) {
    if (name === "latchkey") continue;
    const [tool] = name.split("-");
    const path = join(root, file);
    writeFileSync(
      path,
      `#!/usr/bin/env node
process.argv.splice(2, 0, "credential", ${JSON.stringify(tool)});
require(require("node:fs").realpathSync(__filename).replace(/[^/\\\\]+$/, "latchkey.cjs"));
`,
    );
    chmodSync(path, 0o755);
  }
}
