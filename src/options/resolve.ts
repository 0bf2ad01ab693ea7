// From what was given, by whichever way, to the options that a credential works with. Changes when precedence or the
// set of sources does.

import { ownProperties } from "../core/own-properties.ts";
import { defineHidden } from "../core/secret.ts";
import { ownOptions } from "./own-options.ts";
import { optionTable } from "./table.ts";
import type { ResolvedOptions } from "./types.ts";
import { validateOption } from "./validate.ts";

/** The two kinds of credentials with options. */
export type CredentialKind = "interactive" | "client";

/** Options by name, from each place that can set them; a name that is absent or undefined is not set there. */
export interface OptionSources {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly profile?: Readonly<Record<string, unknown>>;
}

/** One set of options: flag before environment before profile. */
export function mergeSources(sources: OptionSources): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  const flags = ownProperties(sources.flags ?? {});
  const environment = ownProperties(sources.environment ?? {});
  const profile = ownProperties(sources.profile ?? {});
  for (const { name } of optionTable) {
    const value = flags[name] ?? environment[name] ?? profile[name];
    if (value !== undefined) merged[name] = value;
  }
  return merged;
}

/**
 * Every option with its value: what was given, checked, or the default.
 * @throws {OidcError} `invalid_option`, `insecure_url`.
 */
export function resolveOptions(given: object, kind: CredentialKind): ResolvedOptions {
  const known = optionTable.filter((row) => row.credentials.includes(kind)).map((row) => row.name);
  const own = ownOptions(given, known, "{ issuer, clientId }");
  const context = { allowInsecureHttp: own["allowInsecureHttp"] === true };
  const explicit = new Set<string>();
  const resolved = ownProperties<Record<string, unknown>>({ explicit });
  for (const row of optionTable) {
    const value = own[row.name];
    const used = value === undefined ? row.default : validateOption(row, value, context);
    if (value !== undefined) explicit.add(row.name);
    if (row.kind === "secret") defineHidden(resolved, row.name, used);
    else resolved[row.name] = used;
  }
  return Object.freeze(resolved) as unknown as ResolvedOptions;
}
