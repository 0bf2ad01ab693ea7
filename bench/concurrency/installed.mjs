// Changes when what the bench runs is packed, bundled or installed in another way.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const project = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));

/** @param {string} command @param {readonly string[]} words @param {string} cwd */
function run(command, words, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}: status ${status}\n${stderr}`);
  return stdout;
}

/** @param {string} folder */
const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** The packages of the peers, by the lockfile beside this file. Nothing of them needs an install script. */
export function installPeers() {
  const installed = join(here, "node_modules", ".package-lock.json");
  const isInstalled =
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(here, "package-lock.json")).mtimeMs;
  if (!isInstalled) run("npm", ["ci", "--ignore-scripts", "--no-progress"], here);
}

/** Packs the built project and installs it beside its dependencies, as people have it; the folder of the package. */
export function installLatchkey() {
  if (!existsSync(join(project, "dist", "cli", "latchkey.cjs"))) {
    throw new Error("nothing is built: npm run build");
  }
  const folder = mkdtempSync(join(tmpdir(), "latchkey-installed-"));
  const packages = join(folder, "node_modules");
  mkdirSync(packages);
  const packing = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(run("npm", packing, project));
  run("tar", ["-xzf", join(folder, filename)], folder);
  run("mv", ["package", join("node_modules", "latchkey")], folder);
  for (const name of Object.keys(manifest(project).dependencies)) {
    symlinkSync(join(project, "node_modules", name), join(packages, name));
  }
  return { folder, package: join(packages, "latchkey") };
}

/** The test provider as a module that any Node can run; its packages stay the project's own. */
export async function bundleProvider() {
  // Inside the project, so that its packages are found from there. The folder is ignored by git.
  const file = join(project, ".cache", "bench-concurrency", "identity-provider.mjs");
  await build({
    input: join(project, "test", "support", "identity-provider.ts"),
    platform: "node",
    logLevel: "silent",
    external: /^[^./]/,
    output: { file, format: "esm", codeSplitting: false },
  });
  return file;
}

/** What was measured, by name and version. */
export function versions() {
  const peer = (/** @type {string} */ name) => manifest(join(here, "node_modules", name)).version;
  return {
    latchkey: manifest(project).version,
    "@azure/msal-node": peer("@azure/msal-node"),
    "@azure/msal-node-extensions": peer("@azure/msal-node-extensions"),
    "openid-client": peer("openid-client"),
    "oidc-provider": manifest(join(project, "node_modules", "oidc-provider")).version,
  };
}
