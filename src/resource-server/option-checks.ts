// What an option of a resource server may be: the checks that several options share.

import { OidcError } from "../core/errors.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { maxUrlCharacters } from "../core/limits.ts";

/** Options as they were given: own properties alone. */
export type Own = Readonly<Record<string, unknown>>;

// RFC 6749 section 3.3
const scopeToken = /^[\u0021\u0023-\u005b\u005d-\u007e]+$/;

/** @throws {OidcError} `invalid_option`, always. */
export function refuse(name: string, accepted: string): never {
  throw new OidcError("invalid_option", `The option \`${name}\` is not ${accepted}.`);
}

/** An option that may be left out. @throws {OidcError} `invalid_option` where it is not what is accepted. */
export function optional<Value>(
  own: Own,
  name: string,
  accepted: string,
  accepts: (value: unknown) => value is Value,
): Value | undefined {
  const value = own[name];
  if (value === undefined) return undefined;
  return accepts(value) ? value : refuse(name, accepted);
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= maxUrlCharacters;
}

export function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

export function areScopes(value: unknown): value is readonly string[] {
  return areTexts(value) && value.every((scope) => scopeToken.test(scope));
}

export function isNumberUpTo(longest: number): (value: unknown) => value is number {
  return (value): value is number =>
    typeof value === "number" && Number.isFinite(value) && value >= 0 && value <= longest;
}

export function isYesOrNo(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function areAudiences(value: unknown): value is string | readonly string[] {
  return isText(value) || (areTexts(value) && value.length > 0);
}

export function isAddress(value: unknown): value is string {
  if (!isText(value) || !URL.canParse(value) || value.includes("#")) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}

export const address = "an https: URL (http: only on loopback)";
