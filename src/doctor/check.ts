// What a check of the doctor is, and what it is given. Changes when checks need something else from outside.

import type { OidcError } from "../core/errors.ts";
import type { TransportAnswer } from "../core/world.ts";
import type { Warn } from "../core/warning.ts";
import { wordingOf } from "../core/errors.ts";
import { say, sentences, type Wording } from "../core/wording.ts";
import type { RequestOpener } from "../http/exchange.ts";
import type { ProcessLock } from "../lock/protocol.ts";
import type { Machine } from "../options/paths.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ProviderMetadata } from "../provider/provider-types.ts";
import type { Keychain } from "../store/keychain/keychain.ts";
import type { TokenStore } from "../store/token-store.ts";

/** What came of a check. Only "failed" makes the doctor's exit status another than 0. */
export type CheckStatus = "ok" | "warning" | "failed" | "skipped";

/** What a check found. */
export interface Finding {
  readonly status: CheckStatus;
  /** Whole sentences: what was seen, and for all but "ok" what to do. */
  readonly said: Wording;
}

/** What came of asking for the provider's document: an answer of whatever status, or why there was none. */
export type Reached = { readonly head: TransportAnswer } | { readonly error: OidcError };

/** What came of running a program. Undefined where it is not on PATH, or did not end well in time. */
export type ProgramOutput = string | undefined;

/** Everything that checks look at. */
export interface Scene {
  readonly machine: Machine;
  /** Versions: as `process.versions.node` has it, and Latchkey's own. */
  readonly nodeVersion: string;
  readonly version: string;
  /** What is configured; where it cannot be read, `fault` says why and these are the defaults. */
  readonly options: ResolvedOptions;
  readonly fault: OidcError | undefined;
  /** Lines about variables that nothing obeys. */
  readonly unknownVariables: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Why nobody can be asked here, in words that follow "because". */
  readonly absence: string | undefined;
  readonly hasTerminal: boolean;
  readonly whyNoBrowser: (command: string | undefined) => Promise<string | undefined>;
  /** What the system's resolver says of a name. Rejects as it does. */
  readonly addressesOf: (name: string) => Promise<readonly string[]>;
  /** Asked once, by whoever is first. Undefined where no provider is named. */
  readonly reach: () => Promise<Reached | undefined>;
  /** The provider's metadata, asked for anew, once. @throws {OidcError} as discovery does. */
  readonly describe: () => Promise<ProviderMetadata>;
  /** What the server says of its provider, once; undefined where no server is named. @throws {OidcError}. */
  readonly readServer: () => Promise<{ readonly issuer: string } | undefined>;
  readonly requests: () => Promise<RequestOpener>;
  /** Undefined where no home folder is known. */
  readonly stateFolder: string | undefined;
  readonly store: TokenStore;
  readonly keychain: Keychain;
  readonly openLock: (onWarning: Warn) => ProcessLock;
  /** Servers that the configuration file has a profile for, each with its port. @throws {OidcError} `invalid_option`. */
  readonly servedHosts: () => readonly string[];
  /** Runs a program of PATH, without a shell; its standard output. */
  readonly output: (name: string, words: readonly string[]) => Promise<ProgramOutput>;
  /** Aborts when the time of this check is up. */
  readonly signal: AbortSignal;
}

/** What a check is about: a tool's is made where the tool is named, or is configured for Latchkey. */
export type CheckArea = "machine" | "provider" | "kubectl" | "git" | "docker" | "cargo";

/** One check. Its name is stable: it is part of `--json`. */
export interface Check {
  readonly name: string;
  readonly area: CheckArea;
  /** Its longest time, in seconds; a check that takes longer has failed. */
  readonly maxSeconds: number;
  /** What it looks at, for the documentation: no full stop. */
  readonly about: string;
  readonly run: (scene: Scene) => Promise<Finding> | Finding;
}

/** All is well; what was seen. */
export function ok(...said: readonly (string | Wording)[]): Finding {
  return { status: "ok", said: sentences(...said) };
}

/** It works, but not as somebody would expect. */
export function warning(...said: readonly (string | Wording)[]): Finding {
  return { status: "warning", said: sentences(...said) };
}

/** It does not work. */
export function failed(...said: readonly (string | Wording)[]): Finding {
  return { status: "failed", said: sentences(...said) };
}

/** It could not be looked at, or is not about this configuration. */
export function skipped(...said: readonly (string | Wording)[]): Finding {
  return { status: "skipped", said: sentences(...said) };
}

/** What an error says, with its remedy. */
export function failure(error: OidcError, ...more: readonly (string | Wording)[]): Finding {
  return failed(wordingOf(error), ...more);
}

/** The finding of a check whose ground was not reached: another line says why. */
export const notReached: Finding = skipped(say`The provider was not reached, see above.`);
