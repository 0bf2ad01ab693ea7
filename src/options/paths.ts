// Where Latchkey's files are on this machine. Changes when a platform's rule does.

import { isAbsolute, join, resolve } from "node:path";
import { OidcError } from "../core/errors.ts";
import { option, say, type Wording } from "../core/wording.ts";

/** What the location of files depends on. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Undefined where the system names none. */
  readonly homeDirectory: string | undefined;
  readonly workingDirectory: string;
}

/** The machine that the program runs on. */
export function thisMachine(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Machine {
  return {
    environment,
    platform: process.platform,
    homeDirectory: homeOf(environment),
    // Asked only for a relative path: it may have been removed, and what needs none works all the same.
    get workingDirectory() {
      try {
        return process.cwd();
      } catch {
        throw noPlace("the working folder no longer exists");
      }
    },
  };
}

function homeOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = environment["HOME"];
  if (named) return named;
  try {
    // Asked only where HOME is not set: loading node:os costs a warm start two hundredths of its time.
    return process.getBuiltinModule("node:os").homedir();
  } catch {
    return undefined;
  }
}

// Never a shared temporary folder instead: whoever made it first would own our files (C11).
function noPlace(
  why: string,
  remedy:
    | string
    | Wording = say`Set HOME to your home folder, or name a file with ${option("cachePath")}.`,
): OidcError {
  return new OidcError("cache_write_failed", `There is no place for the token cache: ${why}.`, {
    reason: "no_home",
    remedy,
  });
}

function homeFolder(machine: Machine): string {
  const { homeDirectory } = machine;
  if (!homeDirectory) throw noPlace("the home folder is not known");
  if (!isAbsolute(homeDirectory)) {
    throw noPlace("HOME is not an absolute path", "Set it to your home folder, written in full.");
  }
  return homeDirectory;
}

function baseFolder(machine: Machine, variable: string, fallback: readonly string[]): string {
  const named = machine.environment[variable];
  if (!named) return join(homeFolder(machine), ...fallback);
  // The XDG Base Directory Specification calls relative paths invalid; using one would scatter tokens over folders.
  if (!isAbsolute(named)) {
    throw noPlace(
      `${variable} is not an absolute path`,
      `Set ${variable} to one, or do not set it at all.`,
    );
  }
  return named;
}

function platformFolder(machine: Machine, variable: string, fallback: readonly string[]): string {
  switch (machine.platform) {
    case "darwin":
      return join(homeFolder(machine), "Library", "Application Support", "latchkey");
    case "win32":
      return join(baseFolder(machine, "LOCALAPPDATA", ["AppData", "Local"]), "latchkey");
    default:
      return join(baseFolder(machine, variable, fallback), "latchkey");
  }
}

/**
 * The folder of the token cache.
 * @throws {OidcError} `cache_write_failed`, reason `no_home`.
 */
export function stateFolder(machine: Machine): string {
  return platformFolder(machine, "XDG_STATE_HOME", [".local", "state"]);
}

/**
 * The configuration file with the profiles.
 * @throws {OidcError} `cache_write_failed`, reason `no_home`.
 */
export function configurationFile(machine: Machine): string {
  return join(platformFolder(machine, "XDG_CONFIG_HOME", [".config"]), "config.toml");
}

/** An absolute path: `~` and `~/…` expand to the home folder, a relative path starts at the working directory. */
export function absolutePath(path: string, machine: Machine): string {
  if (
    path === "~" ||
    path.startsWith("~/") ||
    (machine.platform === "win32" && path.startsWith("~\\"))
  ) {
    return join(homeFolder(machine), path.slice(1));
  }
  return isAbsolute(path) ? resolve(path) : resolve(machine.workingDirectory, path);
}

/**
 * The cache file of a configuration: `cachePath` where it is set, else `fileName` in the state folder.
 * No input or output.
 */
export function cacheFilePath(
  cachePath: string | undefined,
  fileName: string,
  machine: Machine,
): string {
  return cachePath === undefined
    ? join(stateFolder(machine), fileName)
    : absolutePath(cachePath, machine);
}
