// From flags, environment and profile to one set of options, in their order of precedence.

import { devNull } from "node:os";
import { parseBoolean, readEnvironmentOptions } from "../options/parse-text.ts";
import { environmentNameOf, flagOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { validateOption } from "../options/validate.ts";
import type { Machine } from "../options/paths.ts";
import { mergeSources, type CredentialKind, type OptionSources } from "../options/resolve.ts";
import type { CommandLine } from "./arguments.ts";
import { defaultProfile } from "./flags.ts";
import { checkedGrantType } from "./grant-type.ts";
import type { Profile } from "./profile.ts";

/** What reads profiles (`profile.ts`): handed in, because it is loaded only where one may apply. */
export interface ProfileReader {
  readProfile(name: string, machine: Machine): Profile;
  readDefaultProfile(machine: Machine): Profile | undefined;
}

/** What one run was configured with. */
export interface Settings {
  /** Options as given, by name; not yet checked. */
  readonly given: Readonly<Record<string, unknown>>;
  /** The profile in use: one that was named, or the default one. */
  readonly profile: string | undefined;
  /** What says which sign-in is meant; "nothing" where neither options nor a profile name a provider or a client. */
  readonly named: "options" | "profile" | "default profile" | "nothing";
  /** Who signs in: a person, or the client itself (`--grant-type client_credentials`). */
  readonly kind: CredentialKind;
  /** Whether somebody may be asked; undefined where nothing says so. */
  readonly interactive: boolean | undefined;
  /**
   * The file that the client secret is still to be read from (`-`: standard input), where that counts. It is read
   * when a secret is needed: a cached token needs none, and standard input can be read only once.
   */
  readonly clientSecretFile: string | undefined;
}

/**
 * Judges what counts of the environment and the profile under the name that it was set by: nobody looks for a faulty
 * `--issuer` in a file. Whether `http:` is allowed is for all sources together to say.
 * @throws {OidcError} `invalid_option`.
 */
function checkUnderOwnNames(sources: Required<OptionSources>, profileName: string): void {
  for (const row of optionTable) {
    if (sources.flags[row.name] !== undefined) continue;
    const ofEnvironment = sources.environment[row.name];
    const value = ofEnvironment ?? sources.profile[row.name];
    if (value === undefined) continue;
    const called =
      ofEnvironment === undefined
        ? `${flagOf(row)} in [profile.${profileName}]`
        : environmentNameOf(row);
    validateOption(row, value, { allowInsecureHttp: true }, called);
  }
}

function namedProfile(line: CommandLine, machine: Machine): string | undefined {
  const name = line.flags["profile"] ?? (machine.environment["LATCHKEY_PROFILE"] || undefined);
  return typeof name === "string" ? name : undefined;
}

/**
 * Whether a profile may apply: one is named, or nothing else says whose sign-in is meant.
 * @throws {OidcError} `invalid_option`: a variable that cannot be read.
 */
export function mayHaveProfile(line: CommandLine, machine: Machine): boolean {
  if (namedProfile(line, machine) !== undefined) return true;
  return !namesSignIn({ ...readEnvironmentOptions(machine.environment), ...line.options });
}

/** The profile that applies: the one that is named, else the default one. */
function profileFor(
  line: CommandLine,
  machine: Machine,
  reader: ProfileReader,
): { readonly name: string; readonly profile: Profile; readonly isNamed: boolean } | undefined {
  if (!mayHaveProfile(line, machine)) return undefined;
  const name = namedProfile(line, machine);
  if (name !== undefined) {
    return { name, profile: reader.readProfile(name, machine), isNamed: true };
  }
  const profile = reader.readDefaultProfile(machine);
  return profile && { name: defaultProfile, profile, isNamed: false };
}

/** An empty issuer or client means "the server says which", and so names nothing. */
function namesSignIn(options: Readonly<Record<string, unknown>>): boolean {
  return ["issuer", "clientId", "server"].some((name) => Boolean(options[name]));
}

function kindOf(line: CommandLine, profile: Profile | undefined, machine: Machine): CredentialKind {
  const variable = "LATCHKEY_GRANT_TYPE";
  const set = machine.environment[variable] || undefined;
  const fromEnvironment = set === undefined ? undefined : checkedGrantType(set, variable);
  const grantType = line.flags["grant-type"] ?? fromEnvironment ?? profile?.grantType;
  return grantType === undefined ? "interactive" : "client";
}

function interactiveOf(line: CommandLine, machine: Machine): boolean | undefined {
  const { interactive } = line.flags;
  if (typeof interactive === "boolean") return interactive;
  const variable = "LATCHKEY_INTERACTIVE";
  const set = machine.environment[variable];
  return set ? parseBoolean(set, variable) : undefined;
}

/**
 * Collects the settings: flag before environment before profile.
 * @param profiles undefined: no profile applies, named or not.
 * @throws {OidcError} `invalid_option`.
 */
export function readSettings(
  line: CommandLine,
  machine: Machine,
  profiles: ProfileReader | undefined,
): Settings {
  const environment = readEnvironmentOptions(machine.environment);
  const found = profiles && profileFor(line, machine, profiles);
  const profile = found?.profile;
  const sources = { flags: line.options, environment, profile: profile?.options ?? {} };
  const fileFlag = line.flags["client-secret-file"];
  const flaggedFile = typeof fileFlag === "string" ? fileFlag : undefined;
  // The environment's secret does not count beside the flag's file.
  const flags = flaggedFile === undefined ? line.options : { clientSecret: "", ...line.options };
  checkUnderOwnNames({ ...sources, flags }, found?.name ?? "");
  const { clientSecret, ...given } = mergeSources(sources);
  const settings = {
    profile: found?.name,
    named: namedBy(found, given),
    kind: kindOf(line, profile, machine),
    interactive: interactiveOf(line, machine),
  };
  // The environment's secret stands between the flag's file and the profile's.
  if (flaggedFile === undefined && clientSecret !== undefined) {
    return { ...settings, given: { ...given, clientSecret }, clientSecretFile: undefined };
  }
  const clientSecretFile = flaggedFile ?? profile?.clientSecretFile;
  // Said on purpose, unlike an empty variable or file: those are what is left of a secret that is not there.
  if (clientSecretFile === devNull) {
    return { ...settings, given: { ...given, clientSecret: "" }, clientSecretFile: undefined };
  }
  return { ...settings, given, clientSecretFile };
}

function namedBy(
  found: { readonly isNamed: boolean } | undefined,
  given: Readonly<Record<string, unknown>>,
): Settings["named"] {
  if (found?.isNamed === true) return "profile";
  if (!namesSignIn(given)) return "nothing";
  return found === undefined ? "options" : "default profile";
}
