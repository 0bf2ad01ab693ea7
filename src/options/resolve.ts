// From what was given, by whichever way, to the options that a credential works with. Changes when precedence or the
// set of sources does.

import { OidcError } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { defineHidden } from "../core/secret.ts";
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
  for (const { name } of optionTable) {
    const value = sources.flags?.[name] ?? sources.environment?.[name] ?? sources.profile?.[name];
    if (value !== undefined) merged[name] = value;
  }
  return merged;
}

function refuseUnknown(given: object, kind: CredentialKind): void {
  const known = optionTable.filter((row) => row.credentials.includes(kind)).map((row) => row.name);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  throw new OidcError(
    "invalid_option",
    `There is no option \`${unknown.slice(0, 80)}\`.${nearest === undefined ? "" : ` Did you mean \`${nearest}\`?`}`,
  );
}

/**
 * Every option with its value: what was given, checked, or the default.
 * @throws {OidcError} `invalid_option`, `insecure_url`.
 */
export function resolveOptions(
  given: Readonly<Record<string, unknown>>,
  kind: CredentialKind,
): ResolvedOptions {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new OidcError("invalid_option", "Options are an object such as { issuer, clientId }.");
  }
  refuseUnknown(given, kind);
  const context = { allowInsecureHttp: given["allowInsecureHttp"] === true };
  const explicit = new Set<string>();
  const resolved: Record<string, unknown> = { explicit };
  for (const row of optionTable) {
    const value = given[row.name];
    const used = value === undefined ? row.default : validateOption(row, value, context);
    if (value !== undefined) explicit.add(row.name);
    if (row.kind === "secret") defineHidden(resolved, row.name, used);
    else resolved[row.name] = used;
  }
  return Object.freeze(resolved) as unknown as ResolvedOptions;
}
