// From flags, environment and profile to one set of options. Changes when the sources or their precedence do.

import { readEnvironmentOptions } from "../options/parse-text.ts";
import type { Machine } from "../options/paths.ts";
import { mergeSources } from "../options/resolve.ts";
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
 * Collects the settings: flag before environment before profile.
 * @throws {OidcError} `invalid_option`.
 */
export function readSettings(line: CommandLine, machine: Machine): Settings {
  const { environment } = machine;
  const name = line.flags["profile"] ?? (environment["LATCHKEY_PROFILE"] || undefined);
  const profileName = typeof name === "string" ? name : undefined;
  const profile = profileName === undefined ? undefined : readProfile(profileName, machine);
  const { clientSecret, ...given } = mergeSources({
    flags: line.options,
    environment: readEnvironmentOptions(environment),
    ...(profile === undefined ? {} : { profile: profile.options }),
  });
  const fileFlag = line.flags["client-secret-file"];
  const flaggedFile = typeof fileFlag === "string" ? fileFlag : undefined;
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
