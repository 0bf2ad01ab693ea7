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
] as const;

/** A part that no option is like, or that is looked at in every call and must cost next to nothing. */
interface Part {
  readonly name: keyof GetTokenOptions;
  readonly accepted: string;
  readonly accepts: (value: unknown) => boolean;
}

const isBoolean = (value: unknown): boolean => typeof value === "boolean";

const parts: readonly Part[] = [
  {
    name: "minValiditySeconds",
    accepted: "a number of seconds, 0 or more",
    // A comparison with NaN is never true: no token would ever be good for so long.
    accepts: (value) => typeof value === "number" && value >= 0,
  },
  { name: "forceRefresh", accepted: "true or false", accepts: isBoolean },
  {
    name: "rejectedToken",
    accepted: "a token",
    accepts: (value) => typeof value === "string",
  },
  { name: "interactive", accepted: "true or false", accepts: isBoolean },
  {
    name: "tokenKind",
    accepted: '"access_token" or "id_token"',
    accepts: (value) => value === "access_token" || value === "id_token",
  },
  {
    name: "signal",
    accepted: "an AbortSignal",
    accepts: (value) => typeof (value as AbortSignal | null)?.addEventListener === "function",
  },
];

const nothing: GetTokenOptions = Object.freeze({});

/**
 * The options of a call, checked, its wishes copied: a caller who changes an array later changes nothing here.
 * @throws {OidcError} `invalid_option` naming what is wrong and what is accepted, never a value.
 */
export function checkedCallOptions(options: GetTokenOptions = nothing): GetTokenOptions {
  if (options === nothing) return options;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new OidcError(
      "invalid_option",
      "Options of a call are an object such as { forceRefresh: true }.",
    );
  }
  for (const { name, accepted, accepts } of parts) {
    const value = options[name];
    if (value !== undefined && !accepts(value)) throw refusal(`\`${name}\``, value, accepted);
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
