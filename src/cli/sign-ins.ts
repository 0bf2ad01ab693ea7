// The cached sign-ins as people choose among them: what counts as one, by which words one is named, and which one is
// meant where nothing names it.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { decodeStoredIdToken } from "../core/stored-id-token.ts";
import type { Machine } from "../options/paths.ts";
import { flagOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { readEnvironmentOptions } from "../options/parse-text.ts";
import { mergeSources } from "../options/resolve.ts";
import type { SessionRecord } from "../record/format.ts";
import { recordsIn } from "../session/record-repository.ts";
import { configurationOfKey, recordKey, type RecordKeyInput } from "../record/key.ts";
import type { OpenSettings } from "./context.ts";
import { defaultProfile } from "./flags.ts";
import { readUsableProfiles } from "./profile.ts";
import { typedWord } from "./render/errors.ts";
import { whoAndWhere } from "./render/texts.ts";
import type { Settings } from "./settings.ts";

/** True for what a person would call a sign-in: there is a token, or a way to one. */
export function isSignIn(record: SessionRecord): boolean {
  return record.accessToken !== null || record.refreshToken !== undefined;
}

/** Names for cached sign-ins. */
export interface SignInNames {
  /** The profile that leads to a sign-in. */
  profileOf(record: SessionRecord): string | undefined;
  /** The words behind a command that lead to a sign-in, as typed; undefined where none do. */
  wordsFor(record: SessionRecord): readonly string[] | undefined;
}

/** `--scopes` and its value for each option of a key; undefined where one of them has no flag. */
function flagsOf({ kind, options }: RecordKeyInput): string[] | undefined {
  const words: string[] = [];
  for (const row of optionTable) {
    const value = options[row.name];
    if (value === undefined) continue;
    if (row.text !== "all") return undefined;
    words.push(`--${flagOf(row)}=${[value].flat().map(String).join(" ")}`);
  }
  return kind === "client" ? [...words, "--grant-type=client_credentials"] : words;
}

/** The names that profiles, and the options in keys, give to sign-ins in this environment. */
export function signInNames(machine: Machine): SignInNames {
  const environment = readEnvironmentOptions(machine.environment);
  const profiles = new Map<string, string>();
  for (const [name, profile] of readUsableProfiles(machine)) {
    const kind = profile.grantType === undefined ? "interactive" : "client";
    const options = mergeSources({ environment, profile: profile.options });
    const key = recordKey({ kind, options });
    // Two names for one sign-in: the default one needs no word.
    if (!profiles.has(key) || name === defaultProfile) profiles.set(key, name);
  }
  const profileOf = (record: SessionRecord): string | undefined => profiles.get(record.key);
  return {
    profileOf,
    wordsFor: (record) => {
      const profile = profileOf(record);
      if (profile !== undefined) return profile === defaultProfile ? [] : [`--profile=${profile}`];
      const configuration = configurationOfKey(record.key);
      return configuration && flagsOf(configuration);
    },
  };
}

/** Words behind a command as a person types them into a shell. */
export function asTyped(words: readonly string[]): string {
  return words.map(typedWord).join(" ");
}

/** Whether a sign-in is one for what was given, whoever it is. */
function isMeant(record: SessionRecord, { given, kind }: Settings): boolean {
  const configuration = configurationOfKey(record.key);
  if (configuration === undefined) return false;
  if (kind === "client" && configuration.kind !== kind) return false;
  const { loginHint: _who, ...others } = given;
  const asked = { ...configuration.options, ...others };
  return recordKey({ kind: configuration.kind, options: asked }) === record.key;
}

/** Those that were made with a login hint, else those of the person whom it names. */
function pickedBy(hint: unknown, records: readonly SessionRecord[]): readonly SessionRecord[] {
  if (hint === undefined) return records;
  const made = records.filter(({ key }) => configurationOfKey(key)?.options["loginHint"] === hint);
  if (made.length > 0) return made;
  return records.filter(({ displayName, subject, idToken }) => {
    const claims = idToken === undefined ? undefined : decodeStoredIdToken(idToken);
    const names = [displayName, subject, claims?.["email"], claims?.["preferred_username"]];
    return names.includes(hint);
  });
}

function several(
  records: readonly SessionRecord[],
  names: SignInNames,
): { readonly list: string; readonly error: OidcError } {
  const blocks = records.map((record) => {
    const words = names.wordsFor(record);
    const shown =
      words === undefined
        ? "a program's own, which no flags lead to"
        : sanitizeProviderText(asTyped(words), 1000);
    return `  ${whoAndWhere(record)}\n      ${shown}\n`;
  });
  return {
    list: `Cached sign-ins, and what to add for each:\n\n${blocks.join("")}`,
    error: new OidcError(
      "missing_issuer",
      `It is not said which sign-in is meant, and ${String(records.length)} are cached.`,
      {
        reason: "several_sign_ins",
        remedy: "Add the words of one of them, or make one the default: latchkey setup",
      },
    ),
  };
}

/** What {@link withOnlySignIn} needs of the program around it. */
export interface Chooser {
  readonly machine: Machine;
  readonly open: OpenSettings;
  readonly tell: (text: string) => void;
  /** Tells only where somebody reads it at once. */
  readonly tellOnTerminal: (text: string) => void;
}

/** Settings for the sign-in that is meant, and the words that name it. */
export interface ChosenSettings {
  readonly settings: Settings;
  readonly words: readonly string[];
}

/**
 * Where neither options nor a profile say whose sign-in is meant: the only one that is cached. Without any, the settings
 * stay as they are.
 * @throws {OidcError} `missing_issuer` (reason `several_sign_ins`).
 */
export async function withOnlySignIn(
  settings: Settings,
  chooser: Chooser,
): Promise<ChosenSettings | undefined> {
  const { machine } = chooser;
  const { store } = await chooser.open(settings, false);
  const cached = (await recordsIn(store))
    .filter((record) => isSignIn(record) && isMeant(record, settings))
    .toSorted((one, other) => other.renewedAt - one.renewedAt);
  const records = pickedBy(settings.given["loginHint"], cached);
  const [only] = records;
  if (only === undefined) return undefined;
  const names = signInNames(machine);
  if (records.length > 1) {
    const { list, error } = several(records, names);
    chooser.tell(list);
    throw error;
  }
  const configuration = configurationOfKey(only.key);
  if (configuration === undefined) return undefined;
  chooser.tellOnTerminal(`Using the only cached sign-in: ${whoAndWhere(only)}.`);
  const { loginHint: _matched, ...given } = settings.given;
  return {
    settings: {
      ...settings,
      given: { ...given, ...configuration.options },
      kind: configuration.kind,
    },
    words: names.wordsFor(only) ?? [],
  };
}
