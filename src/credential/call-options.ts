// What a call of `getToken` wishes, checked like the options of the same names. Changes when a call can wish for
// something else.

import type { GetTokenOptions } from "../core/types.ts";
import { optionTable } from "../options/table.ts";
import { validateOption } from "../options/validate.ts";

/** The wishes of a call, and the option whose rules each one has. */
const rules = [
  ["scopes", "scopes"],
  ["resource", "resource"],
  ["acrValues", "acrValues"],
  ["maxAgeSeconds", "maxAge"],
] as const;

/**
 * The options of a call, its wishes checked and copied: a caller who changes an array later changes nothing here.
 * @throws {OidcError} `invalid_option` naming the wish and what is accepted.
 */
export function checkedCallOptions(options: GetTokenOptions): GetTokenOptions {
  let checked: Record<string, unknown> | undefined;
  for (const [name, option] of rules) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    const row = optionTable.find((each) => each.name === option);
    if (row === undefined) throw new TypeError(`There is no option ${option}.`);
    checked ??= { ...options };
    checked[name] = validateOption({ ...row, name }, value, { allowInsecureHttp: false });
  }
  return checked ?? options;
}
