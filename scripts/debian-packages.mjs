// Changes when the tests need another program, or Debian names its package differently.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that tests need, each with the Debian package that has it. */
export const neededPrograms = /** @type {const} */ ({
  chromium: { command: "chromium", debianPackage: "chromium" },
  openssl: { command: "openssl", debianPackage: "openssl" },
});

/** The path of a command, as the shell would find it. @param {string} command @returns {string | undefined} */
export function findCommand(command) {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Whether this process may install Debian packages. */
function mayInstall() {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** @param {string} program @param {readonly string[]} parameters */
function run(program, parameters) {
  console.log(`> ${program} ${parameters.join(" ")}`);
  const { status } = spawnSync(program, parameters, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  return status === 0;
}

/**
 * Installs what is missing where that is possible: as root on Debian. Elsewhere nothing happens, and the tests that need
 * something skip themselves.
 */
export function installMissingPrograms() {
  const missing = Object.values(neededPrograms).filter(
    ({ command }) => findCommand(command) === undefined,
  );
  if (missing.length === 0 || !mayInstall()) return;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  if (!run("apt-get", ["update"])) console.log("apt-get update failed; trying with the old lists");
  if (!run("apt-get", ["install", "-y", "--no-install-recommends", ...packages])) {
    console.log(`could not install ${packages.join(" ")}; tests that need it are skipped`);
  }
}
