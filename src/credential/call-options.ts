// What a call of `getToken` asks for, checked before anything is done. Changes when a call can ask for something else.

import { OidcError } from "../core/errors.ts";
import type { GetTokenOptions } from "../core/types.ts";
import { optionTable } from "../options/table.ts";
import { kindOf, validateOption } from "../options/validate.ts";

/** The wishes of a call, and the option whose rules each one has. */
const rules = [
  ["scopes", "scopes"],
  ["resource", "resource"],
  ["acrValues", "acrValues"],
  ["maxAgeSeconds", "maxAge"],
] as const;

interface Demand {
  readonly accepted: string;
  readonly accepts: (value: unknown) => boolean;
}

const yesOrNo: Demand = {
  accepted: "true or false",
  accepts: (value) => typeof value === "boolean",
};

/** The rest of a call, which no option stands for. */
const demands: Readonly<Record<string, Demand>> = {
  minValiditySeconds: {
    accepted: "a number of seconds, 0 or more",
    // A comparison with NaN is never true: no token would ever be good for so long.
    accepts: (value) => typeof value === "number" && value >= 0,
  },
  forceRefresh: yesOrNo,
  rejectedToken: { accepted: "a token", accepts: (value) => typeof value === "string" },
  interactive: yesOrNo,
  tokenKind: {
    accepted: '"access_token" or "id_token"',
    accepts: (value) => value === "access_token" || value === "id_token",
  },
  signal: {
    accepted: "an AbortSignal",
    accepts: (value) =>
      typeof value === "object" &&
      value !== null &&
      typeof (value as AbortSignal).aborted === "boolean" &&
      typeof (value as AbortSignal).addEventListener === "function",
  },
};

function assertDemands(options: Readonly<Record<string, unknown>>): void {
  for (const [name, { accepted, accepts }] of Object.entries(demands)) {
    const value = options[name];
    if (value === undefined || accepts(value)) continue;
    // The value is not in the message: it may be a token.
    throw new OidcError(
      "invalid_option",
      `\`${name}\` does not accept ${kindOf(value)}${typeof value === "string" ? " like this" : ""}. Accepted: ${accepted}.`,
    );
  }
}

/**
 * The options of a call, checked, its wishes copied: a caller who changes an array later changes nothing here.
 * @throws {OidcError} `invalid_option` naming what is wrong and what is accepted.
 */
export function checkedCallOptions(options: GetTokenOptions): GetTokenOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new OidcError(
      "invalid_option",
      `A call does not accept ${kindOf(options)}. Accepted: an object such as { forceRefresh: true }.`,
    );
  }
  assertDemands(options as Readonly<Record<string, unknown>>);
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
