// The profile of a run's settings, saved in the configuration file: what belongs into it, whether it may be written, and
// the writing.

import { chmodSync, lstatSync } from "node:fs";
import { dirname } from "node:path";
import { introduced, isOidcError, OidcError, type Reason } from "../core/errors.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { absolutePath, configurationFile, type Machine } from "../options/paths.ts";
import { flagOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { readConfigurationFile, tablesNamed } from "./profile.ts";
import {
  withTable,
  type EditedProfile,
  type ProfileEntries,
  type ProfileValue,
} from "./profile-edit.ts";
import type { Settings } from "./settings.ts";

/** What a profile will hold, and what had to be left out of it. */
export interface ProfileContent {
  readonly entries: ProfileEntries;
  /** Sentences about what is not kept, for the person. */
  readonly leftOut: readonly string[];
}

function inFull(path: string, machine: Machine): string {
  return path === "~" || path.startsWith("~/") ? path : absolutePath(path, machine);
}

/** The settings as a profile. Paths are written in full, because a profile is read from any folder; secrets never. */
export function profileContent(settings: Settings, machine: Machine): ProfileContent {
  const { given, kind, clientSecretFile } = settings;
  const entries: [string, ProfileValue][] = [];
  const leftOut: string[] = [];
  for (const row of optionTable) {
    const value = given[row.name] as ProfileValue | undefined;
    if (value === undefined || value === "" || row.text !== "all") continue;
    const isPath = row.kind === "path" && typeof value === "string";
    entries.push([flagOf(row), isPath ? inFull(value, machine) : value]);
  }
  if (kind === "client") entries.push(["grant-type", "client_credentials"]);
  if (clientSecretFile !== undefined && clientSecretFile !== "-") {
    entries.push(["client-secret-file", inFull(clientSecretFile, machine)]);
  } else if (clientSecretFile === "-" || given["clientSecret"] !== undefined) {
    leftOut.push(
      "The client secret is not part of the profile: set LATCHKEY_CLIENT_SECRET, or name a file with --client-secret-file.",
    );
  }
  if (given["allowInsecureHttp"] === true) {
    leftOut.push("--allow-insecure-http is not part of the profile: it is a flag alone.");
  }
  return { entries, leftOut };
}

/** A profile that may be written. */
export interface ProfilePlan extends EditedProfile {
  readonly path: string;
  readonly text: string;
  /** The file's text before; undefined where there is no file. */
  readonly textBefore: string | undefined;
}

function refuse(summary: string, reason: Reason<"invalid_option">, remedy: string): OidcError {
  return new OidcError("invalid_option", summary, { reason, remedy });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/**
 * Looks at the file and decides whether the profile can be written; nothing is changed.
 * @param mayReplace whether a profile of that name with other values may be replaced.
 * @throws {OidcError} `invalid_option`: reason `profile_exists`, or `profile_not_writable` with the lines to write by hand.
 */
export function planProfile(
  name: string,
  entries: ProfileEntries,
  machine: Machine,
  mayReplace: boolean,
): ProfilePlan {
  const path = configurationFile(machine);
  const textBefore = readConfigurationFile(path);
  // Throws for a file that is not TOML, with its place.
  if (textBefore !== undefined) tablesNamed("profile", textBefore, path);
  const edited = withTable(textBefore ?? "", { kind: "profile", name }, entries);
  if (edited.before === "different" && !mayReplace) {
    throw refuse(
      `There is a profile ${name} with other values in ${path}.`,
      "profile_exists",
      "Choose another name, or replace it with --replace.",
    );
  }
  const { text } = edited;
  const isChanged = edited.before !== "same";
  if (text === undefined || (isChanged && isLink(path))) throw cannotChange(path, edited);
  return { ...edited, text, path, textBefore };
}

/** The error for a configuration file that has to be changed by hand. */
function cannotChange(path: string, { text, table }: EditedProfile): OidcError {
  const why =
    text === undefined ? "is written in a way that cannot be changed safely" : "is a link";
  return refuse(
    `${path} ${why}.`,
    "profile_not_writable",
    `Put these lines into it yourself: ${table.trim().replaceAll("\n", " | ")}`,
  );
}

/**
 * Plans the row of a server that has none yet.
 * @throws {OidcError} `invalid_option`: reason `profile_not_writable` with the lines to write by hand.
 */
export function planServerRow(name: string, profile: string, machine: Machine): ProfilePlan {
  const path = configurationFile(machine);
  const textBefore = readConfigurationFile(path);
  const edited = withTable(textBefore ?? "", { kind: "server", name }, [["profile", profile]]);
  const { text } = edited;
  if (text === undefined || isLink(path)) throw cannotChange(path, edited);
  return { ...edited, text, path, textBefore };
}

/** Writes the configuration file, 0600 in a folder of 0700. False where it is no longer what it was. */
export async function writeConfiguration({
  path,
  text,
  textBefore,
}: Pick<ProfilePlan, "path" | "text" | "textBefore">): Promise<boolean> {
  close(dirname(path), 0o700);
  close(path, 0o600);
  // Somebody may have saved the file in an editor since it was read.
  return writeFileAtomically(path, text, {
    onlyIf: () => readConfigurationFile(path) === textBefore,
  });
}

// Readable by others is no danger here, and how a file made by hand usually is; what is written is closed.
function close(path: string, mode: number): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || process.platform === "win32") return;
  const isOwn = stats.uid === process.geteuid?.() && (stats.mode & 0o022) === 0;
  if (isOwn && (stats.mode & 0o077) !== 0 && !stats.isSymbolicLink()) chmodSync(path, mode);
}

const maxTries = 3;

/**
 * Writes the profile into the configuration file as it is now: 0600 in a folder of 0700, whole or not at all.
 * @throws {OidcError} as {@link planProfile}; `cache_write_failed`, `cache_insecure`.
 */
export async function saveProfile(
  name: string,
  entries: ProfileEntries,
  machine: Machine,
  mayReplace: boolean,
): Promise<ProfilePlan> {
  for (let tries = 1; ; tries += 1) {
    const plan = planProfile(name, entries, machine, mayReplace);
    if (plan.before === "same") return plan;
    try {
      if ((await writeConfiguration(plan)) || tries === maxTries) return plan;
    } catch (error) {
      if (!isOidcError(error)) throw error;
      throw introduced("The profile could not be written; the sign-in itself is kept.", error);
    }
  }
}
