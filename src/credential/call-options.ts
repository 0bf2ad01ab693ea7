// What a call asks for, checked before anything is done. Changes when a call can ask for something else.

import { OidcError } from "../core/errors.ts";
import type { CallOptions, GetTokenOptions, LogoutOptions } from "../core/types.ts";
import { defaultMinValiditySeconds } from "../core/limits.ts";
import { unknownOption } from "../options/own-options.ts";
import { optionTable } from "../options/table.ts";
import { refusal, validateOption } from "../options/validate.ts";

/** Gives the value as it is used, or throws. */
type Check = (name: string, value: unknown) => unknown;

/** What a kind of call may ask for. */
interface CallKind {
  readonly parts: ReadonlyMap<string, Check>;
  /**
   * A call that asks for nothing. Every part is its own property, undefined, so that nothing is looked for in a prototype
   * (P05); an object without a prototype would do as well, and cost each call of `getToken` a third of its time.
   */
  readonly nothing: Readonly<Record<string, unknown>>;
  /** Completes "an object such as". */
  readonly example: string;
}

function callKind(parts: readonly (readonly [string, Check])[], example: string): CallKind {
  const nothing = Object.freeze(Object.fromEntries(parts.map(([name]) => [name, undefined])));
  return { parts: new Map(parts), nothing, example };
}

function check(accepted: string, accepts: (value: unknown) => boolean): Check {
  return (name, value) => {
    if (!accepts(value)) throw refusal(`\`${name}\``, value, accepted);
    return value;
  };
}

/** A part of a call that has the rules of an option. */
function like(option: string): Check {
  return (name, value) => {
    const row = optionTable.find((each) => each.name === option);
    if (row === undefined) throw new TypeError(`There is no option ${option}.`);
    return validateOption({ ...row, name }, value, { allowInsecureHttp: false });
  };
}

const yesOrNo = check("true or false", (value) => typeof value === "boolean");
const signal = check(
  "an AbortSignal",
  (value) => typeof (value as AbortSignal | null)?.addEventListener === "function",
);

const getTokenParts: readonly (readonly [keyof GetTokenOptions, Check])[] = [
  [
    "minValiditySeconds",
    // A comparison with NaN is never true: no token would ever be good for so long.
    check("a number of seconds, 0 or more", (value) => typeof value === "number" && value >= 0),
  ],
  ["forceRefresh", yesOrNo],
  ["rejectedToken", check("a token", (value) => typeof value === "string")],
  ["interactive", yesOrNo],
  [
    "tokenKind",
    check('"access_token" or "id_token"', (value) =>
      ["access_token", "id_token"].includes(value as string),
    ),
  ],
  ["scopes", like("scopes")],
  ["resource", like("resource")],
  ["acrValues", like("acrValues")],
  ["maxAgeSeconds", like("maxAge")],
  ["signal", signal],
];
const getTokenCall = callKind(getTokenParts, "{ forceRefresh: true }");
const logoutCall = callKind([["revoke", yesOrNo]], "{ revoke: true }");
const abortableCall = callKind([["signal", signal]], "{ signal }");

function checked(given: object | undefined, { parts, nothing, example }: CallKind): object {
  if (given === undefined) return nothing;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new OidcError("invalid_option", `Options of a call are an object such as ${example}.`);
  }
  const own: Record<string, unknown> = { ...nothing };
  for (const name of Object.keys(given)) {
    const part = parts.get(name);
    if (part === undefined) throw unknownOption(name, [...parts.keys()]);
    const value: unknown = given[name as keyof typeof given];
    if (value !== undefined) own[name] = part(name, value);
  }
  return own;
}

/**
 * The options of a call of `getToken`, checked and copied: a caller who changes an array later changes nothing here.
 * @throws {OidcError} `invalid_option` naming what is wrong and what is accepted, never a value.
 */
export function checkedCallOptions(options?: GetTokenOptions): GetTokenOptions {
  return checked(options, getTokenCall);
}

/** The same for `logout`. */
export function checkedLogoutOptions(options?: LogoutOptions): LogoutOptions {
  return checked(options, logoutCall);
}

/** The same for calls that can only be aborted. */
export function checkedAbortOptions(options?: CallOptions): CallOptions {
  return checked(options, abortableCall);
}

/**
 * How long the token must be valid, in seconds, for a call that wants nothing else; undefined for any other call, and for
 * one whose options are yet to be checked. Every call asks, so it looks at own properties alone and copies nothing.
 */
export function plainValiditySeconds(options?: GetTokenOptions): number | undefined {
  if (options === undefined) return defaultMinValiditySeconds;
  if (typeof options !== "object" || options === null) return undefined;
  let minValiditySeconds = defaultMinValiditySeconds;
  for (const name of Object.keys(options)) {
    const value: unknown = options[name as keyof GetTokenOptions];
    if (value === undefined && getTokenCall.parts.has(name)) continue;
    if (name === "minValiditySeconds" && typeof value === "number" && value >= 0) {
      minValiditySeconds = value;
    } else if (name === "signal" && value instanceof AbortSignal) {
      if (value.aborted) return undefined;
    } else if (name !== "interactive" || typeof value !== "boolean") {
      return undefined;
    }
  }
  return minValiditySeconds;
}
