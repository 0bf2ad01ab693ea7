// One profile of the configuration file, as options. Changes when what a profile may hold does.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { longestUserFileBytes } from "../core/limits.ts";
import { nearestName } from "../core/nearest.ts";
import { readUserFileSync } from "../files/secure-read.ts";
import { parseProfileValue } from "../options/parse-text.ts";
import { configurationFile, type Machine } from "../options/paths.ts";
import { flagOf, optionTable } from "../options/table.ts";
import { isAbsolute } from "node:path";
import { parse, TomlError } from "smol-toml";

/** What a profile sets. */
export interface Profile {
  /** Options by name. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The file that holds the client secret; `-` is standard input. */
  readonly clientSecretFile: string | undefined;
}

// A name is part of messages and of commands to copy, and nothing else: no path is ever made from it (C05).
const profileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const mostNames = 20;
const secretFileKey = "client-secret-file";
const keyRows = optionTable.filter((row) => row.text === "all");

function refuse(message: string): OidcError {
  return new OidcError("invalid_option", message);
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
    throw refuse(`${path} is not valid TOML${place}. Correct it, or run without --profile.`);
  }
}

function unknownKey(key: string, where: string): OidcError {
  if (key === "client-secret") {
    return refuse(
      `${where} holds client-secret: the file may be readable by others. Put the secret into a file of its own ` +
        "and name that with client-secret-file.",
    );
  }
  if (key === "allow-insecure-http") {
    return refuse(`${where} holds allow-insecure-http, which is set by its flag only.`);
  }
  const nearest = nearestName(key, [...keyRows.map(flagOf), secretFileKey]);
  return refuse(
    `${where} holds an unknown key, ${sanitizeProviderText(key, 60)}.${nearest === undefined ? "" : ` Did you mean ${nearest}?`}`,
  );
}

// A relative path would be looked up in whatever folder the command runs in, and so let that folder supply the
// trusted roots, the cache or the secret (P04).
function checkPath(value: unknown, key: string, where: string): void {
  if (typeof value !== "string" || isAbsolute(value) || /^~(?:[/\\]|$)/.test(value)) return;
  throw refuse(
    `${key} in ${where} is a relative path. Write it in full, or from the home folder: ~/….`,
  );
}

function readTable(table: Record<string, unknown>, where: string): Profile {
  const options: Record<string, unknown> = {};
  let clientSecretFile: string | undefined;
  for (const [key, value] of Object.entries(table)) {
    if (key === secretFileKey) {
      if (typeof value !== "string" || value === "") {
        throw refuse(`${key} in ${where} is not the name of a file.`);
      }
      if (value !== "-") checkPath(value, key, where);
      clientSecretFile = value;
      continue;
    }
    const row = keyRows.find((each) => flagOf(each) === key);
    if (row === undefined) throw unknownKey(key, where);
    if (row.kind === "path") checkPath(value, key, where);
    options[row.name] = parseProfileValue(row, value, `${key} in ${where}`);
  }
  return { options, clientSecretFile };
}

/**
 * Reads `[profile.NAME]` from the configuration file of this user; no file in the working directory is ever read.
 * @throws {OidcError} `invalid_option`: no such file, profile or key; a file that others may write.
 */
export function readProfile(name: string, machine: Machine): Profile {
  if (!profileName.test(name)) {
    throw refuse(
      "This is no name for a profile. Accepted: letters, digits, dot, dash and underscore, at most 64, the first " +
        "one a letter or digit.",
    );
  }
  const path = configurationFile(machine);
  const bytes = readUserFileSync(path, {
    what: "configuration file",
    longestBytes: longestUserFileBytes,
    access: "othersMayRead",
    code: "invalid_option",
  });
  if (bytes === undefined) {
    throw refuse(
      `There is no profile ${name}: ${path} does not exist. Create it with a table [profile.${name}].`,
    );
  }
  const profiles = member(parseFile(bytes.toString("utf8"), path), "profile");
  const table = member(profiles, name);
  if (!isTable(table)) {
    const known = isTable(profiles)
      ? Object.keys(profiles).filter((each) => profileName.test(each))
      : [];
    throw refuse(
      `There is no table [profile.${name}] in ${path}.${known.length === 0 ? "" : ` Known: ${known.slice(0, mostNames).join(", ")}.`}`,
    );
  }
  return readTable(table, `[profile.${name}] of ${path}`);
}
