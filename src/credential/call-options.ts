// What a call of `getToken` asks for, checked before anything is done. Changes when a call can ask for something else.

import { OidcError } from "../core/errors.ts";
import type { GetTokenOptions } from "../core/types.ts";
import { optionTable } from "../options/table.ts";
import { refusal, validateOption } from "../options/validate.ts";

/** Parts of a call, and the option whose rules each one has. */
const rules = [
  ["scopes", "scopes"],
  ["resource", "resource"],
  ["acrValues", "acrValues"],
  ["maxAgeSeconds", "maxAge"],
  ["forceRefresh", "forceLogin"],
  ["interactive", "forceLogin"],
] as const;

/** The parts that no option is like, and what each accepts. */
const others: readonly (readonly [
  keyof GetTokenOptions,
  string,
  (value: unknown) => boolean | undefined,
])[] = [
  // A comparison with NaN is never true: no token would ever be good for so long.
  [
    "minValiditySeconds",
    "a number of seconds, 0 or more",
    (value) => typeof value === "number" && value >= 0,
  ],
  ["rejectedToken", "a token", (value) => typeof value === "string"],
  [
    "tokenKind",
    '"access_token" or "id_token"',
    (value) => value === "access_token" || value === "id_token",
  ],
  [
    "signal",
    "an AbortSignal",
    (value) => typeof (value as AbortSignal | null)?.addEventListener === "function",
  ],
];

/**
 * The options of a call, checked, its wishes copied: a caller who changes an array later changes nothing here.
 * @throws {OidcError} `invalid_option` naming what is wrong and what is accepted, never a value.
 */
export function checkedCallOptions(options: GetTokenOptions): GetTokenOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new OidcError(
      "invalid_option",
      "Options of a call are an object such as { forceRefresh: true }.",
    );
  }
  for (const [name, accepted, accepts] of others) {
    const value = options[name];
    if (value !== undefined && accepts(value) !== true) {
      throw refusal(`\`${name}\``, value, accepted);
    }
  }
  let checked: Record<string, unknown> | undefined;
  for (const [name, option] of rules) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    const row = optionTable.find((each) => each.name === option);
    if (row === undefined) throw new TypeError(`There is no option ${option}.`);
    const valid = validateOption({ ...row, name }, value, { allowInsecureHttp: false });
    if (valid === value) continue;
    checked ??= { ...options };
    checked[name] = valid;
  }
  return checked ?? options;
}
