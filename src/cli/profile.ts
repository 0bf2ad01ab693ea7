// The profiles of the configuration file, as options: reading them, and what one may hold.

import { isOidcError, OidcError, sanitizeProviderText } from "../core/errors.ts";
import { maxUserFileBytes } from "../core/limits.ts";
import { nearestName } from "../core/nearest.ts";
import { readUserFileSync } from "../files/secure-read.ts";
import { parseProfileValue } from "../options/parse-text.ts";
import { configurationFile, type Machine } from "../options/paths.ts";
import { flagOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { defaultProfile } from "./flags.ts";
import { checkedGrantType } from "./grant-type.ts";
import { isAbsolute } from "node:path";
import { parse, TomlError } from "smol-toml";

/** What a profile sets. */
export interface Profile {
  /** Options by name. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The file that holds the client secret; `-` is standard input. */
  readonly clientSecretFile: string | undefined;
  /** The grant that it names; without one a person signs in. */
  readonly grantType: string | undefined;
}

// A name is part of messages and of commands to copy, and nothing else: no path is ever made from it (C05).
const profileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const maxNames = 20;
const secretFileKey = "client-secret-file";
const grantTypeKey = "grant-type";
const keyRows = optionTable.filter((row) => row.text === "all");

function refuse(summary: string, remedy?: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function member(table: unknown, name: string): unknown {
  return isTable(table) && Object.hasOwn(table, name) ? table[name] : undefined;
}

function parseFile(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The parser's message quotes the line, and the line may hold a secret that somebody put there.
    const place = error instanceof TomlError ? ` (line ${error.line}, column ${error.column})` : "";
    throw refuse(`${path} is not valid TOML${place}.`, "Correct it.");
  }
}

function unknownKey(key: string, where: string): OidcError {
  if (key === "client-secret") {
    return refuse(
      `${where} holds client-secret: the file may be readable by others.`,
      "Put the secret into a file of its own and name that with client-secret-file.",
    );
  }
  if (key === "allow-insecure-http") {
    return refuse(`${where} holds allow-insecure-http, which is set by its flag only.`);
  }
  const nearest = nearestName(key, [...keyRows.map(flagOf), secretFileKey, grantTypeKey]);
  return refuse(
    `${where} holds an unknown key, ${sanitizeProviderText(key, 60)}.`,
    nearest === undefined ? undefined : `Did you mean ${nearest}?`,
  );
}

// A relative path would be looked up in whatever folder the command runs in, and so let that folder supply the
// trusted roots, the cache or the secret (P04).
function checkPath(value: unknown, key: string, where: string): void {
  if (typeof value !== "string" || isAbsolute(value) || /^~(?:[/\\]|$)/.test(value)) return;
  throw refuse(
    `${key} in ${where} is a relative path.`,
    "Write it in full, or from the home folder: ~/….",
  );
}

function readTable(table: Record<string, unknown>, where: string): Profile {
  const options: Record<string, unknown> = {};
  let clientSecretFile: string | undefined;
  let grantType: string | undefined;
  for (const [key, value] of Object.entries(table)) {
    if (key === secretFileKey) {
      if (typeof value !== "string" || value === "") {
        throw refuse(`${key} in ${where} is not the name of a file.`);
      }
      if (value !== "-") checkPath(value, key, where);
      clientSecretFile = value;
      continue;
    }
    if (key === grantTypeKey) {
      grantType = checkedGrantType(value, `${key} in ${where}`);
      continue;
    }
    const row = keyRows.find((each) => flagOf(each) === key);
    if (row === undefined) throw unknownKey(key, where);
    if (row.kind === "path") checkPath(value, key, where);
    options[row.name] = parseProfileValue(row, value, `${key} in ${where}`);
  }
  return { options, clientSecretFile, grantType };
}

/** True for a name that a profile may have. */
export function isProfileName(name: string): boolean {
  return profileName.test(name);
}

/**
 * Refuses what no profile may be called.
 * @throws {OidcError} `invalid_option`.
 */
export function checkProfileName(name: string): void {
  if (isProfileName(name)) return;
  throw refuse(
    "This is not a name for a profile.",
    "Accepted: letters, digits, dot, dash and underscore, at most 64, the first one a letter or digit.",
  );
}

/**
 * The configuration file's text; undefined where there is none. No file in the working directory is ever read.
 * @throws {OidcError} `invalid_option`: a file that others may write.
 */
export function readConfigurationFile(path: string): string | undefined {
  return readUserFileSync(path, {
    what: "configuration file",
    maxBytes: maxUserFileBytes,
    code: "invalid_option",
  })?.toString("utf8");
}

/** The tables `[NAME.…]` of a configuration file; undefined where it has none. */
export function tablesNamed(
  name: "profile" | "server",
  text: string,
  path: string,
): Readonly<Record<string, unknown>> | undefined {
  const tables = member(parseFile(text, path), name);
  return isTable(tables) ? tables : undefined;
}

/**
 * Reads `[profile.NAME]` from the configuration file of this user.
 * @throws {OidcError} `invalid_option`: no such file, profile or key; a file that others may write.
 */
export function readProfile(name: string, machine: Machine): Profile {
  checkProfileName(name);
  const path = configurationFile(machine);
  const text = readConfigurationFile(path);
  if (text === undefined) {
    throw refuse(
      `There is no profile ${name}: ${path} does not exist.`,
      `Make one: latchkey setup --profile ${name}`,
    );
  }
  const profiles = tablesNamed("profile", text, path);
  const table = member(profiles, name);
  if (!isTable(table)) {
    const known = Object.keys(profiles ?? {}).filter(isProfileName);
    throw refuse(
      `There is no table [profile.${name}] in ${path}.`,
      known.length === 0 ? undefined : `Known: ${known.slice(0, maxNames).join(", ")}.`,
    );
  }
  return readTable(table, `[profile.${name}] of ${path}`);
}

/** The configuration file's path; undefined where no home folder is known, and so no profile can be meant. */
function fileOrNone(machine: Machine): string | undefined {
  try {
    return configurationFile(machine);
  } catch {
    return undefined;
  }
}

/**
 * `[profile.default]`, where there is one.
 * @throws {OidcError} `invalid_option`: a file or a table that cannot be used.
 */
export function readDefaultProfile(machine: Machine): Profile | undefined {
  const path = fileOrNone(machine);
  const text = path === undefined ? undefined : readConfigurationFile(path);
  if (path === undefined || text === undefined) return undefined;
  const table = member(tablesNamed("profile", text, path), defaultProfile);
  return isTable(table) ? readTable(table, `[profile.${defaultProfile}] of ${path}`) : undefined;
}

/** Every profile that can be used, by name: for showing names, which is no reason to fail. */
export function readUsableProfiles(machine: Machine): ReadonlyMap<string, Profile> {
  const usable = new Map<string, Profile>();
  try {
    const path = fileOrNone(machine);
    const text = path === undefined ? undefined : readConfigurationFile(path);
    const tables =
      text === undefined || path === undefined ? {} : tablesNamed("profile", text, path);
    for (const [name, table] of Object.entries(tables ?? {})) {
      if (!isProfileName(name) || !isTable(table)) continue;
      try {
        usable.set(name, readTable(table, name));
      } catch (error) {
        // Whoever names this profile is told what is wrong with it.
        if (!isOidcError(error)) throw error;
      }
    }
  } catch (error) {
    if (!isOidcError(error)) throw error;
  }
  return usable;
}
