// Changes when the tests need another program, or Debian names its package differently.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * A program that tests need, and the Debian package that has it. `with`: packages that must come along. `answers`: lines
 * for debconf, for packages that would ask during the installation. `optional`: never installed from here, and a test
 * that is skipped for want of it is no failure of continuous integration. `mode`: the only mode of `test.mjs` in which it
 * is installed.
 * @typedef {object} NeededProgram
 * @property {string} command
 * @property {string} debianPackage
 * @property {readonly string[]} [with]
 * @property {string} [answers]
 * @property {boolean} [optional]
 * @property {"long"} [mode]
 */

/** Programs that tests need, each with the Debian package that has it. */
export const neededPrograms = /** @type {const} @satisfies {Record<string, NeededProgram>} */ ({
  // Installed with its own tool chain where it is; Debian has it in a version without credential providers.
  cargo: { command: "cargo", debianPackage: "cargo", optional: true },
  chromium: { command: "chromium", debianPackage: "chromium" },
  curl: { command: "curl", debianPackage: "curl", mode: "long" },
  // The program alone: no server is started by it.
  dockerRegistry: { command: "docker-registry", debianPackage: "docker-registry", mode: "long" },
  // The daemon of a private bus and the one that answers on it.
  dbus: { command: "dbus-daemon", debianPackage: "dbus-daemon", with: ["dbus-bin"] },
  fish: { command: "fish", debianPackage: "fish" },
  git: { command: "git", debianPackage: "git", mode: "long" },
  // The tests bring their own configuration; without this answer its installation fails where nobody can be asked.
  glewlwyd: {
    command: "glewlwyd",
    debianPackage: "glewlwyd",
    with: ["dbconfig-no-thanks"],
    answers: "glewlwyd glewlwyd/config_type select No configuration",
    mode: "long",
  },
  // Spin writes C; without its recommended packages the compiler has no headers.
  gcc: { command: "gcc", debianPackage: "gcc", with: ["libc6-dev"], mode: "long" },
  gnomeKeyring: { command: "gnome-keyring-daemon", debianPackage: "gnome-keyring" },
  ip: { command: "ip", debianPackage: "iproute2" },
  java: { command: "java", debianPackage: "default-jre-headless", optional: true },
  // Debian's is older than the exec plug-ins of today.
  kubectl: { command: "kubectl", debianPackage: "kubernetes-client", optional: true },
  maven: { command: "mvn", debianPackage: "maven", optional: true },
  // Debian's package would start a server of its own, so it is never installed from here.
  nats: { command: "nats-server", debianPackage: "nats-server", optional: true },
  openssl: { command: "openssl", debianPackage: "openssl" },
  // The server's programs are in a folder of their own, where this one finds them.
  postgresql: { command: "pg_createcluster", debianPackage: "postgresql", mode: "long" },
  // As with nats-server.
  prometheus: { command: "prometheus", debianPackage: "prometheus", optional: true },
  // The server's program, under another name of it: the package "redis-server" would start a server of its own.
  redis: { command: "redis-check-rdb", debianPackage: "redis-tools" },
  script: { command: "script", debianPackage: "bsdutils" },
  skopeo: { command: "skopeo", debianPackage: "skopeo", mode: "long" },
  spin: { command: "spin", debianPackage: "spin", mode: "long" },
  sqlite3: { command: "sqlite3", debianPackage: "sqlite3", mode: "long" },
  strace: { command: "strace", debianPackage: "strace" },
  // Not in Debian.
  terraform: { command: "terraform", debianPackage: "terraform", optional: true },
  // The program alone: the package "tinyproxy" would start a proxy of its own.
  tinyproxy: { command: "tinyproxy", debianPackage: "tinyproxy-bin" },
  unshare: { command: "unshare", debianPackage: "util-linux" },
  unzip: { command: "unzip", debianPackage: "unzip", optional: true },
  zbarimg: { command: "zbarimg", debianPackage: "zbar-tools" },
  zsh: { command: "zsh", debianPackage: "zsh" },
});

/** What a missing program is reported as. @param {NeededProgram} program */
export function reasonOfMissing({ command, debianPackage, optional }) {
  const kind = optional === true ? "optional, " : "";
  return `${command} is not installed (${kind}Debian package ${debianPackage})`;
}

/** Whether a skipped test wants nothing but programs that may be missing. @param {string} skipped its line in the list of skips */
export function isOptionalSkip(skipped) {
  const reasons = skipped.match(/\((?:optional, )?Debian package [^)]+\)/g) ?? [];
  return reasons.length > 0 && reasons.every((reason) => reason.startsWith("(optional, "));
}

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

/** @param {string} program @param {readonly string[]} parameters @param {string} [input] */
function run(program, parameters, input = "") {
  console.log(`> ${program} ${parameters.join(" ")}`);
  const { status } = spawnSync(program, parameters, {
    input,
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  return status === 0;
}

/**
 * Installs what is missing where that is possible: as root on Debian. Elsewhere nothing happens, and the tests that need
 * something skip themselves.
 * @param {string} [mode] of test.mjs
 */
export function installMissingPrograms(mode) {
  /** @type {readonly NeededProgram[]} */
  const programs = Object.values(neededPrograms);
  const missing = programs.filter(
    (program) =>
      program.optional !== true &&
      (program.mode === undefined || program.mode === mode) &&
      findCommand(program.command) === undefined,
  );
  if (missing.length === 0 || !mayInstall()) return;
  const packages = missing.flatMap((program) => [program.debianPackage, ...(program.with ?? [])]);
  for (const { answers } of missing) {
    if (answers !== undefined) run("debconf-set-selections", [], `${answers}\n`);
  }
  if (!run("apt-get", ["update"])) console.log("apt-get update failed; trying with the old lists");
  if (!run("apt-get", ["install", "-y", "--no-install-recommends", ...packages])) {
    console.log(`could not install ${packages.join(" ")}; tests that need it are skipped`);
  }
}
