// From flags, environment and profile to one set of options. Changes when the sources or their precedence do.

import { readEnvironmentOptions } from "../options/parse-text.ts";
import { environmentNameOf, flagOf, optionTable } from "../options/table.ts";
import { validateOption } from "../options/validate.ts";
import type { Machine } from "../options/paths.ts";
import { mergeSources, type OptionSources } from "../options/resolve.ts";
import type { CommandLine } from "./arguments.ts";
import { readProfile } from "./profile.ts";

/** What one run was configured with. */
export interface Settings {
  /** Options as given, by name; not yet checked. */
  readonly given: Readonly<Record<string, unknown>>;
  /** The profile in use. */
  readonly profile: string | undefined;
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

/**
 * Collects the settings: flag before environment before profile.
 * @throws {OidcError} `invalid_option`.
 */
export function readSettings(line: CommandLine, machine: Machine): Settings {
  const { environment } = machine;
  const name = line.flags["profile"] ?? (environment["LATCHKEY_PROFILE"] || undefined);
  const profileName = typeof name === "string" ? name : undefined;
  const profile = profileName === undefined ? undefined : readProfile(profileName, machine);
  const sources = {
    flags: line.options,
    environment: readEnvironmentOptions(environment),
    profile: profile?.options ?? {},
  };
  const fileFlag = line.flags["client-secret-file"];
  const flaggedFile = typeof fileFlag === "string" ? fileFlag : undefined;
  // The environment's secret does not count beside the flag's file.
  const flags = flaggedFile === undefined ? line.options : { clientSecret: "", ...line.options };
  checkUnderOwnNames({ ...sources, flags }, profileName ?? "");
  const { clientSecret, ...given } = mergeSources(sources);
  // The environment's secret stands between the flag's file and the profile's.
  if (flaggedFile === undefined && clientSecret !== undefined) {
    return { given: { ...given, clientSecret }, profile: profileName, clientSecretFile: undefined };
  }
  return {
    given,
    profile: profileName,
    clientSecretFile: flaggedFile ?? profile?.clientSecretFile,
  };
}
