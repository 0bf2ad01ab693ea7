// A credential's options as its own read-only properties. Changes when how options are read back does.

import { defineHidden } from "../core/secret.ts";
import type { CredentialKind } from "../options/resolve.ts";
import { optionTable } from "../options/table.ts";
import type { ResolvedOptions } from "../options/types.ts";

/** Defines every option of a kind of credential on `target`; secrets are not enumerable. */
export function defineOptionProperties(
  target: object,
  options: ResolvedOptions,
  kind: CredentialKind,
): void {
  for (const row of optionTable) {
    if (!row.credentials.includes(kind)) continue;
    const value = options[row.name as keyof ResolvedOptions];
    if (row.kind === "secret") defineHidden(target, row.name, value);
    else Object.defineProperty(target, row.name, { value, enumerable: true });
  }
}

/** What was given to a credential, without the defaults: for another one like it. */
export function givenOptions(options: ResolvedOptions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...options.explicit].map((name) => [name, options[name as keyof ResolvedOptions]]),
  );
}
